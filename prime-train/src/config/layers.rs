//! Layers of TOML: where they come from.

use super::rebase::rebase;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::error::ConfigError;

/// One layer of configuration: some keys, and where they were written.
#[derive(Debug, Clone)]
pub struct Layer {
    pub(super) name: String,
    pub(super) keys: Table,
}

impl Layer {
    /// A layer from TOML text; `name` is what errors call it.
    ///
    /// # Errors
    /// [`ConfigError::Syntax`] if the text is not TOML.
    pub fn text(name: &str, text: &str) -> Result<Self, ConfigError> {
        let keys = text
            .parse()
            .map_err(|e: toml::de::Error| ConfigError::Syntax {
                layer: name.to_string(),
                reason: e.to_string(),
            })?;
        Ok(Layer {
            name: name.to_string(),
            keys,
        })
    }

    /// A layer from a TOML file.
    ///
    /// # Errors
    /// [`ConfigError::Read`] or [`ConfigError::Syntax`].
    pub fn file(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_path_buf(),
            source,
        })?;
        Layer::text(&path.display().to_string(), &text)
    }

    /// The layers of a run folder: `config.full.toml`, which has every key that the run reads, and `config.toml` over it. Relative
    /// paths start from where the run was started, if that is still there.
    ///
    /// # Errors
    /// [`ConfigError::Read`] if `config.toml` cannot be read (the other file may be missing), [`ConfigError::Syntax`].
    pub fn of_run(folder: &Path) -> Result<Vec<Self>, ConfigError> {
        let full = folder.join("config.full.toml");
        let mut layers = vec![];
        if full.exists() {
            layers.push(Layer::file(&full)?);
        }
        layers.push(Layer::file(&folder.join("config.toml"))?);
        if let Some(base) = working_dir(folder) {
            layers
                .iter_mut()
                .for_each(|layer| rebase(&mut layer.keys, &base));
        }
        Ok(layers)
    }

    /// A layer that only names a preset, as `--preset` does.
    pub fn preset(name: &str) -> Self {
        let mut keys = Table::new();
        keys.insert("preset".to_string(), Value::String(name.to_string()));
        Layer {
            name: format!("--preset {name}"),
            keys,
        }
    }

    /// A layer of one key, as `--set section.key=value` does. A value that is not TOML is taken as a
    /// string, so `advantage.estimator=rloo` needs no quotes.
    ///
    /// # Errors
    /// [`ConfigError::SetSyntax`] without `=` or with an empty key.
    pub fn set(argument: &str) -> Result<Self, ConfigError> {
        let malformed = || ConfigError::SetSyntax {
            given: argument.to_string(),
        };
        let (key, value) = argument.split_once('=').ok_or_else(malformed)?;
        let mut path: Vec<&str> = key.split('.').map(str::trim).collect();
        if path.iter().any(|part| part.is_empty()) {
            return Err(malformed());
        }
        let leaf = path.pop().ok_or_else(malformed)?;
        let mut keys = Table::new();
        keys.insert(leaf.to_string(), parse_value(value.trim()));
        for part in path.into_iter().rev() {
            let inner = std::mem::take(&mut keys);
            keys.insert(part.to_string(), Value::Table(inner));
        }
        Ok(Layer {
            name: format!("--set {argument}"),
            keys,
        })
    }

    /// Whether it has the key `section.key`.
    pub fn gives(&self, section: &str, key: &str) -> bool {
        self.get(section, key).is_some()
    }

    pub(super) fn get(&self, section: &str, key: &str) -> Option<&Value> {
        self.keys.get(section)?.as_table()?.get(key)
    }
}

fn parse_value(text: &str) -> Value {
    let parsed = format!("value = {text}").parse::<Table>();
    match parsed {
        // More than one key: the text held a line break and a key of its own.
        Ok(mut table) if table.len() == 1 => match table.remove("value") {
            Some(value) => value,
            None => Value::String(text.to_string()),
        },
        _ => Value::String(text.to_string()),
    }
}

/// Where the run in `folder` was started, as its `run.json` says.
fn working_dir(folder: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(folder.join("run.json")).ok()?;
    let found: serde_json::Value = serde_json::from_str(&text).ok()?;
    let base = PathBuf::from(found.get("working_dir")?.as_str()?);
    base.is_dir().then_some(base)
}
