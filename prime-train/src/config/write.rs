//! A configuration as TOML: what a reader wants to see, or every key that is read.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{Config, applies::applies, docs, resolve, tables};
use crate::error::ConfigError;

/// Keys that are written whatever they hold. The others are where they are not at their default.
const SHOWN: &[&str] = &[
    "preset",
    "seed",
    "device",
    "model.path",
    "model.hidden_size",
    "model.num_hidden_layers",
    "model.num_attention_heads",
    "model.num_key_value_heads",
    "model.intermediate_size",
    "lora.rank",
    "lora.alpha",
    "data.task",
    "data.max_prompt_tokens",
    "warmup.steps",
    "sampling.temperature",
    "sampling.max_new_tokens",
    "rl.steps",
    "rl.prompts_per_step",
    "rl.group_size",
    "rl.epochs_per_step",
    "rl.mini_batch_size",
    "rl.micro_batch_tokens",
    "rl.lr",
    "rl.lr_schedule",
    "rl.objective",
    "rl.loss_agg",
    "filter.accuracy",
    "filter.accuracy_lower_bound",
    "filter.accuracy_upper_bound",
    "advantage.estimator",
    "advantage.process_estimator",
    "advantage.process_coef",
    "advantage.process_gamma",
    "kl.placement",
    "kl.coef",
    "kl.estimator",
    "critic.lr",
    "prm.enabled",
    "prm.beta",
    "prm.lr",
    "prm.update",
    "prm.reward_reference",
    "prm.process_credit",
    "prm.process_groups",
    "prm.replay.steps",
    "prm.replay.mini_batches",
    "prm.replay.batch_size",
    "eval.problems",
    "eval.every",
    "eval.every_problems",
    "run.out_dir",
    "run.save_every",
];

/// The warm-up is made with these.
const SHOWN_WITH_WARMUP: &[&str] = &["warmup.batch_size", "warmup.lr"];

/// Rows come from these.
const SHOWN_WITH_ROWS: &[&str] = &["data.train_file", "data.eval_file"];

const HEAD: &str = "# Keys that are seldom changed are left out where they are at their defaults.
# `prime-train config` lists all keys, `prime-train config --explain KEY` says what one means.
";

const FULL_HEAD: &str = "# Every key that this run reads, so that a later version with other defaults goes on with the same.
# config.toml lies over it.
";

impl Config {
    /// The configuration as TOML for people: the keys that it reads, without seldom used ones at their defaults. Reading it
    /// with this version gives an equal configuration.
    ///
    /// # Errors
    /// [`ConfigError::Encode`] if a value does not exist in TOML (a seed above 2⁶³ set in code).
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        let base = encode(&Config::base())?;
        // What a key is when the text says nothing of it.
        let unsaid = resolve::with_preset(&self.preset).unwrap_or_else(|_| base.clone());
        let rows = self.data.task.builtin().is_none();
        let own_table = |key: &str| {
            let table = key.rsplit_once('.').map_or("", |(table, _)| table);
            let (section, _) = table.split_once('.').unwrap_or_default();
            matches!(section, "rl" | "advantage")
        };
        let shown = |key: &str, value: &Value| {
            let at_default = tables::get(&base, key) == Some(value);
            SHOWN.contains(&key)
                || (rows && SHOWN_WITH_ROWS.contains(&key))
                || (self.warmup.steps > 0 && SHOWN_WITH_WARMUP.contains(&key))
                || own_table(key)
                || !at_default
                || tables::get(&unsaid, key) != Some(value)
        };
        Ok(format!("{HEAD}{}", text(self, shown)?))
    }

    /// The configuration as TOML with every key that it reads, at its default or not: what a run folder keeps, so that
    /// versions with other defaults and presets read the same run.
    ///
    /// # Errors
    /// As [`Config::to_toml`].
    pub fn to_full_toml(&self) -> Result<String, ConfigError> {
        Ok(format!("{FULL_HEAD}{}", text(self, |_, _| true)?))
    }

    /// Every dotted key with its value as it is written.
    pub(crate) fn flat(&self) -> Result<BTreeMap<String, String>, ConfigError> {
        let table = encode(self)?;
        let leaves = tables::leaves(&table).into_iter();
        Ok(leaves
            .map(|(key, value)| (key, tables::text(value)))
            .collect())
    }
}

/// A configuration with every key, as a table.
pub(super) fn encode(config: &Config) -> Result<Table, ConfigError> {
    Table::try_from(config).map_err(encode_error)
}

fn encode_error(error: toml::ser::Error) -> ConfigError {
    ConfigError::Encode {
        reason: error.to_string(),
    }
}

/// The keys that `config` reads and `shown` wants, section by section in the order of their documentation.
fn text(config: &Config, shown: impl Fn(&str, &Value) -> bool) -> Result<String, ConfigError> {
    let table = encode(config)?;
    let order: Vec<&str> = docs::keys().map(|known| known.key.as_str()).collect();
    let place = |key: &str| {
        order
            .iter()
            .position(|known| *known == key)
            .unwrap_or(usize::MAX)
    };
    let mut leaves = tables::leaves(&table);
    leaves.retain(|(key, value)| applies(config, key) && shown(key, value));
    // Sections whose keys are the writer's own come last.
    leaves.sort_by_key(|(key, _)| (place(key), section_of(key).to_owned()));
    let mut text = String::new();
    let mut open = "";
    for (key, value) in &leaves {
        let section = section_of(key);
        if section != open {
            let path: Vec<String> = section.split('.').map(quoted).collect();
            text.push_str(&format!("\n[{}]\n", path.join(".")));
            open = section;
        }
        let name = key.strip_prefix(section).unwrap_or(key);
        let name = quoted(name.strip_prefix('.').unwrap_or(name));
        let mut inline = String::new();
        serde::Serialize::serialize(value, toml::ser::ValueSerializer::new(&mut inline))
            .map_err(encode_error)?;
        text.push_str(&format!("{name} = {inline}\n"));
    }
    Ok(text)
}

fn section_of(key: &str) -> &str {
    key.rsplit_once('.').map_or("", |(section, _)| section)
}

/// A key as TOML writes it.
fn quoted(key: &str) -> String {
    let bare = !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if bare {
        key.to_owned()
    } else {
        Value::String(key.to_owned()).to_string()
    }
}
