//! Merging layers of TOML into a [`Config`], with errors that name the key and the layer.

use toml::{Table, Value};

use super::applies::{applies, forget_unread, when};
use super::presets::{self, DEFAULT_PRESET};
use super::write::encode;
use super::{Config, Layer, Objective, names, notes, tables, validate};
use crate::error::ConfigError;

/// What a configuration is for, which decides what it has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A run: everything.
    Training,
    /// Measuring a model: data, but none to train on.
    Measuring,
    /// Responses to a given prompt: no data at all.
    Sampling,
}

/// A configuration, and what its writer should know of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// The configuration.
    pub config: Config,
    /// Sentences for the console.
    pub notes: Vec<String>,
}

/// Resolves the configuration of a run: the built-in recipe, the preset, then `layers` in order, later ones winning; and
/// validates it. A key that the configuration does not read is at its default in the result, so that equal runs have equal
/// configurations.
///
/// # Errors
/// A [`ConfigError`] that names the key, and the layer that gave the unusable value.
pub fn resolve(layers: &[Layer]) -> Result<Config, ConfigError> {
    Ok(resolve_for(layers, Purpose::Training)?.config)
}

/// As [`resolve`], for a purpose, and with notes.
///
/// # Errors
/// Those of [`resolve`], without those about data that `purpose` does not need.
pub fn resolve_for(layers: &[Layer], purpose: Purpose) -> Result<Resolved, ConfigError> {
    let base = encode(&Config::base())?;
    let named = layers.iter().rev().find_map(|layer| {
        let name = layer.keys.get("preset")?.as_str()?;
        Some((name, layer.name.as_str()))
    });
    let unnamed = || (unnamed_preset(layers, purpose), "the built-in recipe");
    let (preset, asked_by) = named.unwrap_or_else(unnamed);
    let preset_layer = preset_layer(preset, asked_by)?;
    let mut merged = base.clone();
    tables::merge(&mut merged, &preset_layer.keys);
    let mut config = decode(&merged, &preset_layer)?;

    let objective = Objective::named_by(layers.iter().map(|layer| &layer.keys));
    let other = objective.filter(|named| *named != config.rl.objective);
    if let Some(loss_agg) = other.and_then(Objective::loss_agg) {
        tables::put(&mut merged, "rl.loss_agg", loss_agg.as_str().into());
    }
    let objective = objective.unwrap_or(config.rl.objective);
    let mut as_given = vec![];
    for layer in layers {
        names::check(layer, &layer.keys, &base, objective)?;
        tables::merge(&mut merged, &layer.keys);
        // Decoding after each layer blames the right one.
        config = decode(&merged, layer)?;
        as_given.push(config.clone());
    }
    for (layer, at_the_time) in layers.iter().zip(&as_given) {
        refuse_unselected(layer, at_the_time, &config)?;
    }
    let fresh_model = config.model.path.is_empty();
    config.data.task = config
        .data
        .decided_task(fresh_model, !config.warmup.train_file.is_empty());
    // A model from outside learns a task's answers by imitation only where that is asked for.
    let asked = layers.iter().any(|layer| layer.gives("warmup", "steps"));
    let mut notes = vec![];
    if !fresh_model && !asked && config.warmup.steps > 0 {
        config.warmup.steps = 0;
        notes.push("no warm-up: model.path is set, and warmup.steps is not".to_owned());
    }
    // What a preset says of things that are not there is nobody's mistake; what a layer says has to be right.
    let given = |key: &str| {
        layers
            .iter()
            .any(|layer| tables::get(&layer.keys, key).is_some())
    };
    let config = without_unread(config, &base, given)?;
    validate::validate(&config, purpose)?;
    let config = without_unread(config, &base, |_| false)?;
    if purpose == Purpose::Training {
        notes.extend(notes::about(&config, layers, named.is_some()));
    }
    Ok(Resolved { config, notes })
}

/// The preset where none is named. The rates and lengths of the built-in tasks are not for a model from outside.
fn unnamed_preset(layers: &[Layer], purpose: Purpose) -> &'static str {
    let topmost = |section, key| {
        layers
            .iter()
            .rev()
            .find_map(|layer| layer.get(section, key))
    };
    let path = topmost("model", "path").and_then(Value::as_str);
    if path.is_none_or(str::is_empty) {
        return DEFAULT_PRESET;
    }
    let no_adapters = topmost("lora", "rank").and_then(Value::as_integer) == Some(0);
    if no_adapters || purpose != Purpose::Training {
        "prime_full"
    } else {
        "prime_lora"
    }
}

/// The recipe with a preset over it, as a table.
pub(super) fn with_preset(name: &str) -> Result<Table, ConfigError> {
    let mut merged = encode(&Config::base())?;
    tables::merge(&mut merged, &preset_layer(name, "the configuration")?.keys);
    Ok(merged)
}

fn preset_layer(name: &str, asked_by: &str) -> Result<Layer, ConfigError> {
    let text = presets::text(name, asked_by)?;
    let mut layer = Layer::text(&format!("preset {name}"), text)?;
    layer.keys.insert("preset".to_owned(), name.into());
    Ok(layer)
}

/// Keys in the table of an objective or estimator that is not the one chosen. A layer that chooses is whole in itself:
/// another one may lie over it with another choice.
fn refuse_unselected(
    layer: &Layer,
    at_the_time: &Config,
    config: &Config,
) -> Result<(), ConfigError> {
    for (section, choices) in [
        ("rl", &["objective"][..]),
        ("advantage", &["estimator", "process_estimator"]),
    ] {
        let chooses = choices.iter().any(|choice| layer.gives(section, choice));
        let Some(Value::Table(given)) = layer.keys.get(section) else {
            continue;
        };
        let own = given
            .iter()
            .filter_map(|(name, table)| Some((name, table.as_table()?)));
        let keys = own.flat_map(|(name, table)| {
            table
                .keys()
                .map(move |key| format!("{section}.{name}.{key}"))
        });
        for key in keys {
            let whole = chooses && applies(at_the_time, &key);
            if !(whole || applies(config, &key)) {
                return Err(ConfigError::Unread {
                    layer: layer.name.clone(),
                    when: when(&key).unwrap_or_default(),
                    key,
                });
            }
        }
    }
    Ok(())
}

/// The same with every key that nothing reads at its default. One key may be what another is read for.
fn without_unread(
    config: Config,
    base: &Table,
    kept: impl Fn(&str) -> bool,
) -> Result<Config, ConfigError> {
    let mut config = config;
    let mut keys = encode(&config)?;
    while forget_unread(&config, &mut keys, base, &kept) {
        config = decode_table(&keys, "the configuration")?;
    }
    Ok(config)
}

fn decode(merged: &Table, layer: &Layer) -> Result<Config, ConfigError> {
    decode_table(merged, &layer.name)
}

fn decode_table(table: &Table, layer: &str) -> Result<Config, ConfigError> {
    serde_path_to_error::deserialize(Value::Table(table.clone())).map_err(|error| {
        let key = error.path().to_string();
        let mut reason = plain_words(error.inner().message());
        if let Some(hint) = names::value_hint(&key, &reason) {
            reason.push_str(&format!(" ({hint})"));
        }
        ConfigError::WrongType {
            layer: layer.to_owned(),
            key,
            reason,
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
