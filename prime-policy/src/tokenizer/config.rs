//! `tokenizer_config.json` and, in older folders, `special_tokens_map.json`.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokenizers::AddedToken;

use super::special::SpecialTokens;
use crate::chat::{TEMPLATE_FILE, TemplateEntry, additional_templates};
use crate::checkpoint::SideFiles;
use crate::checkpoint::stand_in::stand_in;
use crate::error::PolicyError;
use crate::generation_config::GENERATION_CONFIG;

pub(super) const CONFIG: &str = "tokenizer_config.json";
pub(super) const SPECIAL_TOKENS_MAP: &str = "special_tokens_map.json";

/// The files of a folder, beside `tokenizer.json`, that say how its text is read and sampled.
///
/// # Errors
/// [`PolicyError::Io`] names a file that is there but cannot be read.
pub(super) fn files(folder: &Path) -> Result<SideFiles, PolicyError> {
    let names = [CONFIG, SPECIAL_TOKENS_MAP, TEMPLATE_FILE, GENERATION_CONFIG];
    let mut names: Vec<PathBuf> = names.map(PathBuf::from).into();
    for path in additional_templates(folder)? {
        let name = path.strip_prefix(folder).unwrap_or(&path);
        names.push(name.to_owned());
    }
    SideFiles::of(folder, names)
}

/// What a folder says about its tokenizer beside `tokenizer.json`.
#[derive(Default)]
pub(crate) struct TokenizerConfig {
    /// The chat template, or several by name.
    pub(crate) chat_template: Option<TemplateEntry>,
    /// Tokens that are matched before any other, by id.
    pub(super) added_tokens: BTreeMap<u32, AddedToken>,
    pub(super) special_tokens: SpecialTokens,
}

/// A token as `{"content": ..}` with how it is matched.
#[derive(Deserialize)]
#[serde(default)]
struct AddedTokenFields {
    content: Option<String>,
    single_word: bool,
    lstrip: bool,
    rstrip: bool,
    normalized: bool,
    special: bool,
}

impl Default for AddedTokenFields {
    fn default() -> Self {
        Self {
            content: None,
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: true,
            special: false,
        }
    }
}

/// Reads a JSON file; `None` when there is none.
///
/// # Errors
/// [`PolicyError::Io`] and [`PolicyError::Format`].
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, PolicyError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        // Below a file there is none either.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(source) => {
            return Err(PolicyError::Io {
                path: path.to_owned(),
                source,
            });
        }
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| PolicyError::Format {
            path: path.to_owned(),
            reason: stand_in(text.as_bytes()).map_or_else(|| error.to_string(), str::to_owned),
        })
}

impl TokenizerConfig {
    /// Reads a folder; all of it is empty when the files are missing.
    ///
    /// # Errors
    /// [`PolicyError::Io`]; [`PolicyError::Format`] names the file, the field and what is accepted.
    pub(crate) fn from_folder(folder: &Path) -> Result<Self, PolicyError> {
        let path = folder.join(CONFIG);
        let mut fields: Map<String, Value> = read_json(&path)?.unwrap_or_default();
        let template = fields.remove("chat_template").unwrap_or_default();
        let chat_template = serde_json::from_value(template).map_err(|error| {
            let accepted = "a template, or a list of {name, template}";
            format_error(
                &path,
                "chat_template",
                &format!("{error}; accepted: {accepted}"),
            )
        })?;
        let mut special_tokens = SpecialTokens::read(&path, &fields)?;
        let decoder = fields.remove("added_tokens_decoder");
        if decoder.is_none() {
            let path = folder.join(SPECIAL_TOKENS_MAP);
            let fields: Map<String, Value> = read_json(&path)?.unwrap_or_default();
            special_tokens.extend(SpecialTokens::read(&path, &fields)?);
        }
        Ok(Self {
            chat_template,
            added_tokens: decoder
                .map_or(Ok(BTreeMap::new()), |value| added_tokens(&path, value))?,
            special_tokens,
        })
    }
}

pub(super) fn format_error(path: &Path, field: &str, reason: &str) -> PolicyError {
    PolicyError::Format {
        path: PathBuf::from(path),
        reason: format!("{field}: {reason}"),
    }
}

fn added_tokens(path: &Path, value: Value) -> Result<BTreeMap<u32, AddedToken>, PolicyError> {
    let field = "added_tokens_decoder";
    let tokens: BTreeMap<u32, AddedTokenFields> = serde_json::from_value(value)
        .map_err(|error| format_error(path, field, &error.to_string()))?;
    tokens
        .into_iter()
        .map(|(id, token)| {
            let content = token.content.ok_or_else(|| {
                format_error(path, field, &format!("the token {id} has no `content`"))
            })?;
            let added = AddedToken::from(content, token.special)
                .single_word(token.single_word)
                .lstrip(token.lstrip)
                .rstrip(token.rstrip)
                .normalized(token.normalized);
            Ok((id, added))
        })
        .collect()
}
