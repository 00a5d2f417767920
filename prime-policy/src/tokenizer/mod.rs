//! Text to token ids and back.

mod chat;
mod config;
mod special;
mod stream;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::json;
use tokenizers::AddedToken;

pub(crate) use config::{TokenizerConfig, read_json};
pub use special::SpecialTokens;
pub use stream::TokenStream;

use crate::chat::ChatTemplates;
use crate::checkpoint::stand_in::stand_in;
use crate::checkpoint::{SideFiles, lacking, write_atomically};
use crate::error::PolicyError;
use crate::generation_config::{GenerationConfig, TokenIds};

/// A Hugging Face tokenizer, its special tokens and chat templates, and the ids that end a response.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    special_tokens: SpecialTokens,
    templates: ChatTemplates,
    /// Put before a prompt where `tokenizer.json` does not say what to put there.
    bos: Option<u32>,
    /// The first one ends demonstrations.
    stop_ids: Vec<u32>,
    vocab_size: usize,
    side_files: SideFiles,
}

impl Tokenizer {
    /// Reads the tokenizer of a model folder: [`from_file`](Self::from_file) with the folder's `tokenizer.json`.
    ///
    /// # Errors
    /// Those of [`from_file`](Self::from_file).
    pub fn from_folder(folder: &Path) -> Result<Self, PolicyError> {
        Self::from_file(&folder.join("tokenizer.json"), None)
    }

    /// Reads `tokenizer.json`, and what lies beside it: `tokenizer_config.json` (special tokens, added tokens, chat
    /// template), `special_tokens_map.json`, the chat template files, and the end tokens of `generation_config.json` and
    /// `config.json`. All of these may be missing.
    ///
    /// `eos` is the text of the token that ends a response. Without it, it is the `eos_token` of
    /// `tokenizer_config.json`, else the first end token of the other two files, else the first of the usual names that
    /// is in the vocabulary (`<eos>`, `<|im_end|>`, `<|endoftext|>`, `<|eot_id|>`, `</s>`).
    ///
    /// Truncation and padding that `tokenizer.json` asks for are left out, as in `transformers`.
    ///
    /// # Errors
    /// [`PolicyError::Io`]; [`PolicyError::Format`] names the file and the field; [`PolicyError::Tokenizer`] when no end
    /// token is found.
    pub fn from_file(path: &Path, eos: Option<&str>) -> Result<Self, PolicyError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let text = std::fs::read_to_string(path).map_err(|source| missing(path, folder, source))?;
        let format = |reason: String| PolicyError::Format {
            path: path.to_owned(),
            reason,
        };
        let mut inner: tokenizers::Tokenizer =
            text.parse().map_err(|error: tokenizers::Error| {
                format(match stand_in(text.as_bytes()) {
                    Some(what) => what.to_owned(),
                    None => format!("not a tokenizer.json: {error}; copy or download it again"),
                })
            })?;
        inner
            .with_truncation(None)
            .map_err(|error| format(error.to_string()))?;
        inner.with_padding(None);

        let config = TokenizerConfig::from_folder(folder)?;
        add_tokens(
            &mut inner,
            config.added_tokens,
            &folder.join(config::CONFIG),
        )?;
        let generation_ids = match GenerationConfig::from_folder(folder)? {
            Some(generation) if !generation.eos_token_ids().is_empty() => {
                generation.eos_token_ids().to_vec()
            }
            _ => eos_of_model_config(folder)?,
        };
        let named = match (eos, config.special_tokens.get("eos_token")) {
            (Some(given), _) => Some((given, "the end token that was asked for".to_owned())),
            (None, Some(token)) => {
                let path = folder.join(config::CONFIG);
                Some((token, format!("{}: eos_token", path.display())))
            }
            (None, None) => None,
        };
        let eos = match (named, generation_ids.first()) {
            (Some((token, origin)), _) => inner.token_to_id(token).ok_or_else(|| {
                PolicyError::Tokenizer(format!(
                    "{origin} is {token:?}, which is no end-of-sequence token of {}: it is not in the vocabulary",
                    path.display()
                ))
            })?,
            (None, Some(&id)) => id,
            (None, None) => usual_eos(&inner)?,
        };
        let templates = ChatTemplates::from_files(folder, config.chat_template)?;
        let mut tokenizer = Self::from_inner(inner, config.special_tokens, eos);
        tokenizer.templates = templates;
        for id in generation_ids {
            if !tokenizer.stop_ids.contains(&id) {
                tokenizer.stop_ids.push(id);
            }
        }
        tokenizer.side_files = config::files(folder)?;
        Ok(tokenizer)
    }

    /// A tokenizer of single characters: `<pad>` `<bos>` `<eos>` `<unk>` get ids 0 to 3, then `characters` in order.
    ///
    /// # Errors
    /// [`PolicyError::Tokenizer`] when a character occurs twice.
    pub fn characters(characters: impl IntoIterator<Item = char>) -> Result<Self, PolicyError> {
        const SPECIAL: [&str; 4] = ["<pad>", "<bos>", "<eos>", "<unk>"];
        let mut vocab = serde_json::Map::new();
        for (id, token) in SPECIAL.iter().enumerate() {
            vocab.insert((*token).to_owned(), json!(id));
        }
        for character in characters {
            let id = vocab.len();
            if vocab.insert(character.to_string(), json!(id)).is_some() {
                return Err(PolicyError::Tokenizer(format!(
                    "character {character:?} occurs twice"
                )));
            }
        }
        let added: Vec<_> = SPECIAL
            .iter()
            .enumerate()
            .map(|(id, content)| {
                json!({
                    "id": id, "content": content, "single_word": false, "lstrip": false,
                    "rstrip": false, "normalized": false, "special": true,
                })
            })
            .collect();
        let spec = json!({
            "version": "1.0",
            "truncation": null,
            "padding": null,
            "added_tokens": added,
            "normalizer": null,
            "pre_tokenizer": {
                "type": "Split", "pattern": {"Regex": r"[\s\S]"}, "behavior": "Isolated", "invert": false,
            },
            "post_processor": null,
            "decoder": {"type": "Fuse"},
            "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "<unk>"},
        });
        let inner = spec
            .to_string()
            .parse()
            .map_err(|error: tokenizers::Error| PolicyError::Tokenizer(error.to_string()))?;
        let mut special_tokens = SpecialTokens::default();
        for (role, token) in ["pad_token", "bos_token", "eos_token", "unk_token"]
            .into_iter()
            .zip(SPECIAL)
        {
            special_tokens.insert(role, token);
        }
        Ok(Self::from_inner(inner, special_tokens, 2))
    }

    fn from_inner(inner: tokenizers::Tokenizer, special_tokens: SpecialTokens, eos: u32) -> Self {
        let bos = match inner.get_post_processor() {
            Some(_) => None,
            None => inner.token_to_id("<bos>"),
        };
        let highest = inner.get_vocab(true).into_values().max();
        Self {
            inner,
            special_tokens,
            templates: ChatTemplates::default(),
            bos,
            stop_ids: vec![eos],
            vocab_size: highest.map_or(0, |id| id as usize + 1),
            side_files: SideFiles::default(),
        }
    }

    /// One more than the highest id, special tokens included: what a model's `vocab_size` must at least be.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// Id of the token that ends a demonstrated response: the first of [`stop_ids`](Self::stop_ids).
    pub fn eos(&self) -> u32 {
        // Never empty: every constructor starts it with the end token.
        self.stop_ids.first().copied().unwrap_or_default()
    }

    /// Ids that end a response. Models that chat often have two: the end of a turn and the end of a text.
    pub fn stop_ids(&self) -> &[u32] {
        &self.stop_ids
    }

    /// The special tokens by role.
    pub fn special_tokens(&self) -> &SpecialTokens {
        &self.special_tokens
    }

    /// Id of the token with this role, such as `pad_token`; `None` without one or if it is not in the vocabulary.
    pub fn special_id(&self, role: &str) -> Option<u32> {
        self.inner.token_to_id(self.special_tokens.get(role)?)
    }

    /// The ids of a plain prompt, with the special tokens that `tokenizer.json` puts around a text; where it says
    /// nothing, `<bos>` comes first if the vocabulary has one.
    ///
    /// # Errors
    /// [`PolicyError::Tokenizer`] when a piece of the text has no token.
    pub fn encode_prompt(&self, text: &str) -> Result<Vec<u32>, PolicyError> {
        let mut ids: Vec<u32> = self.bos.into_iter().collect();
        ids.extend(self.encode_text(text, true)?);
        Ok(ids)
    }

    /// The ids of a demonstrated response, the end token included.
    ///
    /// # Errors
    /// [`PolicyError::Tokenizer`] when a piece of the text has no token.
    pub fn encode_response(&self, text: &str) -> Result<Vec<u32>, PolicyError> {
        let mut ids = self.encode(text)?;
        ids.push(self.eos());
        Ok(ids)
    }

    /// The ids of a text and no others.
    ///
    /// # Errors
    /// [`PolicyError::Tokenizer`] when a piece of the text has no token.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, PolicyError> {
        self.encode_text(text, false)
    }

    fn encode_text(&self, text: &str, special_tokens: bool) -> Result<Vec<u32>, PolicyError> {
        let encoding = self
            .inner
            .encode(text, special_tokens)
            .map_err(|error| PolicyError::Tokenizer(error.to_string()))?;
        let ids = encoding.get_ids();
        let unknown = self.special_tokens.get("unk_token").unwrap_or("<unk>");
        if let Some(unknown_id) = self.inner.token_to_id(unknown) {
            for (&id, &(from, to)) in ids.iter().zip(encoding.get_offsets()) {
                let piece = text.get(from..to).unwrap_or(text);
                // Some tokenizers name a token for two roles: written out, it is what it says.
                if id == unknown_id && piece != unknown && from < to {
                    return Err(PolicyError::Tokenizer(format!(
                        "{piece:?} in {text:?} is not in the vocabulary"
                    )));
                }
            }
        }
        Ok(ids.to_vec())
    }

    /// The text of a response for a grader: up to the first stop token, but with any other special token spelled out, so
    /// that what the model wrote between two tokens cannot vanish.
    ///
    /// # Errors
    /// [`PolicyError::Tokenizer`] for ids that cannot be decoded.
    pub fn decode_response(&self, ids: &[u32]) -> Result<String, PolicyError> {
        let end = ids.iter().position(|id| self.stop_ids.contains(id));
        self.decode_ids(&ids[..end.unwrap_or(ids.len())], false)
    }

    /// The text of `ids` without special tokens.
    ///
    /// # Errors
    /// [`PolicyError::Tokenizer`] for ids that cannot be decoded.
    pub fn decode(&self, ids: &[u32]) -> Result<String, PolicyError> {
        self.decode_ids(ids, true)
    }

    /// The text of `ids`, special tokens spelled out.
    ///
    /// # Errors
    /// [`PolicyError::Tokenizer`] for ids that cannot be decoded.
    pub fn decode_with_special_tokens(&self, ids: &[u32]) -> Result<String, PolicyError> {
        self.decode_ids(ids, false)
    }

    fn decode_ids(&self, ids: &[u32], skip_special: bool) -> Result<String, PolicyError> {
        self.inner
            .decode(ids, skip_special)
            .map_err(|error| PolicyError::Tokenizer(error.to_string()))
    }

    /// The text of every id on its own, special tokens by name: for showing rewards token by token.
    pub fn pieces(&self, ids: &[u32]) -> Vec<String> {
        ids.iter()
            .map(|&id| {
                self.inner
                    .id_to_token(id)
                    .unwrap_or_else(|| format!("<{id}>"))
            })
            .collect()
    }

    /// Writes `tokenizer.json` and a `tokenizer_config.json` that `transformers` reads. What lay beside a
    /// `tokenizer.json` that was read is written back as it was.
    ///
    /// # Errors
    /// [`PolicyError::Io`] or [`PolicyError::Tokenizer`].
    pub fn save(&self, folder: &Path) -> Result<(), PolicyError> {
        let text = self
            .inner
            .to_string(true)
            .map_err(|error| PolicyError::Tokenizer(error.to_string()))?;
        write_atomically(&folder.join("tokenizer.json"), text.as_bytes())?;
        self.side_files.write(folder)?;
        if self.side_files.get(config::CONFIG).is_some() {
            return Ok(());
        }
        let name = |id: u32| self.inner.id_to_token(id);
        let config = json!({
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": self.bos.and_then(name),
            "eos_token": name(self.eos()),
            "pad_token": self.inner.token_to_id("<pad>").and_then(name),
            "clean_up_tokenization_spaces": false,
        });
        write_atomically(
            &folder.join(config::CONFIG),
            format!("{config:#}\n").as_bytes(),
        )
    }
}

/// Why a tokenizer's file cannot be read.
fn missing(path: &Path, folder: &Path, source: std::io::Error) -> PolicyError {
    let ours = path
        .file_name()
        .is_some_and(|name| name == lacking::TOKENIZER);
    match source.kind() {
        std::io::ErrorKind::NotFound if ours => {
            let checked = match folder.as_os_str().is_empty() {
                true => Ok(()),
                false => lacking::check_folder(folder),
            };
            checked
                .err()
                .unwrap_or_else(|| lacking::no_tokenizer(folder))
        }
        _ => PolicyError::io(path)(source),
    }
}

/// Adds what `tokenizer_config.json` has and `tokenizer.json` lacks.
fn add_tokens(
    inner: &mut tokenizers::Tokenizer,
    added: BTreeMap<u32, AddedToken>,
    path: &Path,
) -> Result<(), PolicyError> {
    for (id, token) in added {
        let known = inner.get_added_tokens_decoder();
        if known
            .get(&id)
            .is_some_and(|old| old.content == token.content)
        {
            continue;
        }
        let content = token.content.clone();
        match token.special {
            true => inner.add_special_tokens(&[token]),
            false => inner.add_tokens(&[token]),
        };
        let found = inner.token_to_id(&content);
        if found != Some(id) {
            return Err(PolicyError::Format {
                path: path.to_owned(),
                reason: format!(
                    "added_tokens_decoder: {content:?} has the id {id}, but {} in tokenizer.json; take both files from \
                     the same model",
                    found.map_or("none".to_owned(), |found| found.to_string())
                ),
            });
        }
    }
    Ok(())
}

fn usual_eos(inner: &tokenizers::Tokenizer) -> Result<u32, PolicyError> {
    const USUAL: [&str; 5] = ["<eos>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "</s>"];
    USUAL
        .iter()
        .find_map(|token| inner.token_to_id(token))
        .ok_or_else(|| {
            PolicyError::Tokenizer(format!(
                "no end-of-sequence token; looked for {}; name it as eos_token in tokenizer_config.json",
                USUAL.join(", ")
            ))
        })
}

/// The end tokens of `config.json`.
fn eos_of_model_config(folder: &Path) -> Result<Vec<u32>, PolicyError> {
    #[derive(Deserialize)]
    struct ModelConfig {
        #[serde(default)]
        eos_token_id: TokenIds,
    }
    let config: Option<ModelConfig> = config::read_json(&folder.join("config.json"))?;
    Ok(config.map_or(vec![], |config| config.eos_token_id.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_round_trip_through_a_file() {
        let tokenizer = Tokenizer::characters("0123456789+*=,\\{} ".chars()).unwrap();
        let ids = tokenizer.encode_prompt("7*8=\\{56}").unwrap();
        assert_eq!(ids[0], 1);
        assert_eq!(ids.len(), 10);
        assert_eq!(tokenizer.decode(&ids).unwrap(), "7*8=\\{56}");
        let folder = tempfile::tempdir().unwrap();
        tokenizer.save(folder.path()).unwrap();
        let again = Tokenizer::from_file(&folder.path().join("tokenizer.json"), None).unwrap();
        assert_eq!(
            again.encode_response("3, 4").unwrap(),
            tokenizer.encode_response("3, 4").unwrap()
        );
        assert_eq!(again.eos(), 2);
        assert_eq!(again.vocab_size(), 22);
        assert_eq!(again.pieces(&[2, 4]), ["<eos>", "0"]);
    }

    #[test]
    fn an_unknown_character_is_named() {
        let tokenizer = Tokenizer::characters("abc".chars()).unwrap();
        let error = tokenizer.encode_prompt("abz").unwrap_err().to_string();
        assert!(error.contains("\"z\""), "{error}");
    }
}
