//! Merging layers of TOML into a [`Config`], with errors that name the key and the layer.

use std::fs;
use std::path::Path;

use toml::{Table, Value};

use super::presets::{self, DEFAULT_PRESET, nearest};
use super::{Config, Objective, validate};
use crate::error::ConfigError;

/// One layer of configuration: some keys, and where they were written.
#[derive(Debug, Clone)]
pub struct Layer {
    name: String,
    keys: Table,
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
        let section = self.keys.get(section).and_then(Value::as_table);
        section.is_some_and(|section| section.contains_key(key))
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

/// Resolves a configuration: the built-in recipe, the preset, then `layers` in order, later ones
/// winning; and validates it. If `layers` name another objective than the preset's, its defaults
/// lie between the preset and them.
///
/// # Errors
/// A [`ConfigError`] that names the key, and the layer that gave the unusable value.
pub fn resolve(layers: &[Layer]) -> Result<Config, ConfigError> {
    let mut merged = encode(&Config::base())?;
    let known = merged.clone();

    let chosen = layers.iter().rev().find_map(|layer| {
        let name = layer.keys.get("preset")?.as_str()?;
        Some((name, layer.name.as_str()))
    });
    let (preset, asked_by) = chosen.unwrap_or((DEFAULT_PRESET, "the built-in recipe"));
    let text = presets::text(preset, asked_by)?;
    let preset_layer = Layer::text(&format!("preset {preset}"), text)?;

    check_keys(&preset_layer, &preset_layer.keys, &known, "")?;
    merge(&mut merged, &preset_layer.keys);
    let mut config = decode(&merged, &preset_layer)?;
    let objective = Objective::named_by(layers.iter().map(|layer| &layer.keys));
    if let Some(objective) = objective.filter(|named| *named != config.rl.objective) {
        merge(&mut merged, &objective.defaults());
    }
    for layer in layers {
        check_keys(layer, &layer.keys, &known, "")?;
        merge(&mut merged, &layer.keys);
        // Decoding after each layer blames the right one.
        config = decode(&merged, layer)?;
    }
    validate::validate(&config)?;
    Ok(config)
}

fn encode(config: &Config) -> Result<Table, ConfigError> {
    Table::try_from(config).map_err(|e| ConfigError::Encode {
        reason: e.to_string(),
    })
}

fn decode(merged: &Table, layer: &Layer) -> Result<Config, ConfigError> {
    serde_path_to_error::deserialize(Value::Table(merged.clone())).map_err(|error| {
        let key = error.path().to_string();
        ConfigError::WrongType {
            layer: layer.name.clone(),
            key,
            reason: plain_words(error.inner().message()),
        }
    })
}

/// Rust's type names mean nothing to the writer of a configuration.
fn plain_words(reason: &str) -> String {
    const WORDS: [(&str, &str); 4] = [
        ("expected usize", "expected a whole number, 0 or more"),
        ("expected u64", "expected a whole number, 0 or more"),
        ("expected f64", "expected a number"),
        ("expected a boolean", "expected true or false"),
    ];
    if let Some((given, _)) = reason.split_once(", expected struct ") {
        return format!("{given}, expected a table of keys");
    }
    WORDS
        .iter()
        .find(|(from, _)| reason.ends_with(from))
        .map(|(from, to)| reason.replace(from, to))
        .unwrap_or_else(|| reason.to_string())
}

fn check_keys(
    layer: &Layer,
    given: &Table,
    known: &Table,
    section: &str,
) -> Result<(), ConfigError> {
    for (key, value) in given {
        let dotted = join(section, key);
        match (known.get(key), value) {
            (None, _) => {
                return Err(ConfigError::UnknownKey {
                    layer: layer.name.clone(),
                    nearest: nearest_key(&dotted, key, known, section),
                    key: dotted,
                });
            }
            (Some(Value::Table(known)), Value::Table(given)) => {
                check_keys(layer, given, known, &dotted)?;
            }
            // A value where a table belongs, or the reverse, is a wrong type: decoding says so.
            _ => {}
        }
    }
    Ok(())
}

/// The same word in another section, else the nearest of this section, else of all.
fn nearest_key(dotted: &str, key: &str, siblings: &Table, section: &str) -> Option<String> {
    let all = all_keys();
    let elsewhere = all
        .iter()
        .find(|candidate| candidate.rsplit('.').next() == Some(key));
    elsewhere
        .cloned()
        .or_else(|| {
            let name = nearest(key, siblings.keys().map(String::as_str))?;
            Some(join(section, &name))
        })
        .or_else(|| nearest(dotted, all.iter().map(String::as_str)))
}

/// Every dotted key there is.
fn all_keys() -> Vec<String> {
    fn collect(table: &Table, section: &str, keys: &mut Vec<String>) {
        for (key, value) in table {
            match value {
                Value::Table(inner) => collect(inner, &join(section, key), keys),
                _ => keys.push(join(section, key)),
            }
        }
    }
    let mut keys = Vec::new();
    if let Ok(table) = encode(&Config::base()) {
        collect(&table, "", &mut keys);
    }
    keys
}

fn join(section: &str, key: &str) -> String {
    if section.is_empty() {
        key.to_string()
    } else {
        format!("{section}.{key}")
    }
}

fn merge(into: &mut Table, from: &Table) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(Value::Table(inner)), Value::Table(given)) => merge(inner, given),
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}
