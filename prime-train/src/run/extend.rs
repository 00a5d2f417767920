//! Which settings a run may go on with.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::config::Config;
use crate::error::{ConfigError, TrainError};

/// Keys, and beginnings of keys with a dot at the end, that change nothing of the steps that were taken.
const MAY_CHANGE: &[&str] = &[
    "rl.steps",
    "eval.problems",
    "eval.every",
    "eval.every_problems",
    "eval.k",
    "eval.temperature",
    "run.",
    "watch.",
    "threads",
    "device",
    "rl.micro_batch_size",
    "rl.micro_batch_tokens",
    "prm.micro_batch_size",
    "prm.micro_batch_tokens",
];

/// The keys in which `new` differs from `old`, as `key: old → new`.
///
/// # Errors
/// [`TrainError::Usage`] names every key that may not change.
pub fn changes(old: &Config, new: &Config) -> Result<Vec<String>, TrainError> {
    let (old, new) = (flat(old)?, flat(new)?);
    let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let (mut changed, mut refused) = (vec![], vec![]);
    for key in keys
        .into_iter()
        .filter(|key| old.get(*key) != new.get(*key))
    {
        let show = |of: &BTreeMap<String, Value>| match of.get(key) {
            Some(value) => value.to_string(),
            None => "not set".to_owned(),
        };
        let may = |allowed: &&str| match allowed.strip_suffix('.') {
            Some(section) => key
                .strip_prefix(section)
                .is_some_and(|rest| rest.starts_with('.')),
            None => key == allowed,
        };
        match MAY_CHANGE.iter().any(may) {
            true => changed.push(format!("{key}: {} → {}", show(&old), show(&new))),
            false => refused.push(format!("{key} ({} → {})", show(&old), show(&new))),
        }
    }
    match refused[..] {
        [] => Ok(changed),
        _ => Err(TrainError::Usage(format!(
            "a run goes on with the settings that it has: {} cannot change on the way. What may: rl.steps, threads, device, \
             micro-batches, how it is evaluated, and the sections run and watch. For the rest start a run of its own from the \
             checkpoint (--set model.path=…/checkpoints/step-…/policy)",
            refused.join(", ")
        ))),
    }
}

fn flat(config: &Config) -> Result<BTreeMap<String, Value>, ConfigError> {
    let text = config.to_full_toml()?;
    let table: Table = text
        .parse()
        .map_err(|error: toml::de::Error| ConfigError::Encode {
            reason: error.to_string(),
        })?;
    let mut out = BTreeMap::new();
    spread(&table, "", &mut out);
    Ok(out)
}

fn spread(table: &Table, prefix: &str, out: &mut BTreeMap<String, Value>) {
    for (key, value) in table {
        let name = format!("{prefix}{key}");
        match value {
            Value::Table(inner) if !inner.is_empty() => spread(inner, &format!("{name}."), out),
            value => {
                out.insert(name, value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layer, resolve};

    fn config(sets: &[&str]) -> Config {
        let layers: Vec<Layer> = sets.iter().map(|set| Layer::set(set).unwrap()).collect();
        resolve(&layers).unwrap()
    }

    #[test]
    fn a_run_may_get_longer_and_be_looked_at_otherwise() {
        let old = config(&[]);
        assert_eq!(changes(&old, &config(&[])).unwrap(), Vec::<String>::new());
        let new = config(&[
            "rl.steps=200",
            "run.keep_last=5",
            "eval.every=7",
            "threads=3",
        ]);
        let found = changes(&old, &new).unwrap();
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(
            found.contains(&format!("rl.steps: {} → 200", old.rl.steps)),
            "{found:?}"
        );
    }

    #[test]
    fn what_steps_depend_on_is_refused_all_in_one_message() {
        let old = config(&[]);
        for (set, key) in [
            ("seed=9", "seed"),
            ("rl.lr=1e-5", "rl.lr"),
            ("rl.group_size=2", "rl.group_size"),
            ("data.task=mod3", "data.task"),
            ("warmup.steps=100", "warmup.steps"),
            ("lora.rank=4", "lora.rank"),
            ("prm.beta=1.0", "prm.beta"),
            ("model.hidden_size=32", "model.hidden_size"),
            ("eval.seed=4", "eval.seed"),
            ("sampling.temperature=0.5", "sampling.temperature"),
        ] {
            let error = changes(&old, &config(&[set, "rl.steps=99"]))
                .unwrap_err()
                .to_string();
            assert!(error.contains(key), "{set}: {error}");
        }
        let error = changes(&old, &config(&["seed=9", "rl.lr=1e-5"])).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("seed") && text.contains("rl.lr"), "{text}");
        assert_eq!(error.exit_code(), 2);
    }
}
