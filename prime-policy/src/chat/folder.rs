//! The templates of a model folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::ChatTemplate;
use crate::error::PolicyError;

/// The file with a template of its own.
pub(crate) const TEMPLATE_FILE: &str = "chat_template.jinja";
/// The folder with further templates, each in a file by its name.
const TEMPLATE_FOLDER: &str = "additional_chat_templates";
const DEFAULT: &str = "default";
const TOOL_USE: &str = "tool_use";

/// The templates that a model brings along: usually one, or several by name.
///
/// They are compiled when they are asked for, so that a broken one troubles only those who use it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChatTemplates {
    by_name: BTreeMap<String, Source>,
}

#[derive(Debug, Clone, PartialEq)]
struct Source {
    text: String,
    origin: String,
}

/// `chat_template` in `tokenizer_config.json`.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a template, or a list of {name, template}")]
pub(crate) enum TemplateEntry {
    One(String),
    Several(Vec<Named>),
}

#[derive(Deserialize)]
pub(crate) struct Named {
    name: String,
    template: String,
}

impl ChatTemplates {
    /// Those of a folder: `chat_template.jinja` and `additional_chat_templates/*.jinja`; without these, `chat_template`
    /// of `tokenizer_config.json`.
    ///
    /// # Errors
    /// [`PolicyError::Io`] for a file that cannot be read; [`PolicyError::Format`] for a `tokenizer_config.json` that is
    /// no JSON, or a `chat_template` that is neither a text nor a list of `{name, template}`.
    pub fn from_folder(folder: &Path) -> Result<Self, PolicyError> {
        let entry = crate::tokenizer::TokenizerConfig::from_folder(folder)?.chat_template;
        Self::from_files(folder, entry)
    }

    pub(crate) fn from_files(
        folder: &Path,
        entry: Option<TemplateEntry>,
    ) -> Result<Self, PolicyError> {
        let mut templates = Self::default();
        let single = folder.join(TEMPLATE_FILE);
        if single.exists() {
            templates.insert(DEFAULT, read(&single)?, single.display().to_string());
        }
        for path in additional_templates(folder)? {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            templates.insert(&name, read(&path)?, path.display().to_string());
        }
        if !templates.by_name.is_empty() {
            return Ok(templates);
        }
        let origin = |name: &str| {
            let path = folder.join("tokenizer_config.json");
            format!("{} (chat_template{name})", path.display())
        };
        match entry {
            None => {}
            Some(TemplateEntry::One(text)) => templates.insert(DEFAULT, text, origin("")),
            Some(TemplateEntry::Several(list)) => {
                for Named { name, template } in list {
                    let origin = origin(&format!(" {name:?}"));
                    templates.insert(&name, template, origin);
                }
            }
        }
        Ok(templates)
    }

    fn insert(&mut self, name: &str, text: String, origin: String) {
        self.by_name
            .insert(name.to_owned(), Source { text, origin });
    }

    /// Whether the model has none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Their names, sorted; a single template is called `default`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Compiles the one called `name`; without a name `tool_use` if there is one and `with_tools`, else `default`.
    ///
    /// # Errors
    /// [`PolicyError::Tokenizer`] lists the names there are; [`PolicyError::ChatTemplate`] for a syntax error.
    pub fn compile(
        &self,
        name: Option<&str>,
        with_tools: bool,
    ) -> Result<ChatTemplate, PolicyError> {
        let wanted = match name {
            Some(name) => name,
            None if with_tools && self.by_name.contains_key(TOOL_USE) => TOOL_USE,
            None => DEFAULT,
        };
        let Some(source) = self.by_name.get(wanted) else {
            let names: Vec<&str> = self.names().collect();
            return Err(PolicyError::Tokenizer(match names.is_empty() {
                true => "the model has no chat template; give one as a file".to_owned(),
                false => format!(
                    "no chat template is called {wanted:?}; there are: {}; name one of them",
                    names.join(", ")
                ),
            }));
        };
        ChatTemplate::new(&source.text, source.origin.clone())
    }
}

fn read(path: &Path) -> Result<String, PolicyError> {
    fs::read_to_string(path).map_err(|source| PolicyError::Io {
        path: path.to_owned(),
        source,
    })
}

/// The files of `additional_chat_templates/`, sorted.
pub(crate) fn additional_templates(folder: &Path) -> Result<Vec<std::path::PathBuf>, PolicyError> {
    let folder = folder.join(TEMPLATE_FOLDER);
    let io = |source| PolicyError::Io {
        path: folder.clone(),
        source,
    };
    if !folder.is_dir() {
        return Ok(vec![]);
    }
    let mut paths = vec![];
    for entry in fs::read_dir(&folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "jinja")
        {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
