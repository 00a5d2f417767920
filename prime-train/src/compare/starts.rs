//! Which runs start from the same model.
//!
//! All arms of a seed whose model, adapters, warm-up and data are the same share one warmed-up model; an arm with others gets
//! its own.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::error::TrainError;

/// Sections of which every key may change the model that a run starts from.
const SECTIONS: [&str; 4] = ["model.", "lora.", "warmup.", "data."];
/// Single keys that may.
const KEYS: [&str; 3] = ["seed", "device", "rl.micro_batch_tokens"];
/// Keys of those sections that only judge.
const NOT: [&str; 1] = ["data.pass_mark"];

/// All that the model a run starts from depends on: two configurations with equal ones start from equal models.
pub(super) fn start_key(config: &Config) -> Result<BTreeMap<String, String>, TrainError> {
    let relevant = |key: &str| {
        let in_section = SECTIONS.iter().any(|section| key.starts_with(section));
        (in_section || KEYS.contains(&key)) && !NOT.contains(&key)
    };
    let keys = config.flat()?;
    Ok(keys.into_iter().filter(|(key, _)| relevant(key)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layer, resolve};

    fn key(sets: &[&str]) -> BTreeMap<String, String> {
        let layers: Vec<Layer> = sets.iter().map(|set| Layer::set(set).unwrap()).collect();
        start_key(&resolve(&layers).unwrap()).unwrap()
    }

    #[test]
    fn what_changes_the_start_gets_one_of_its_own_and_nothing_else_does() {
        let plain = key(&[]);
        for same in [
            "preset=rloo",
            "prm.beta=0.5",
            "rl.lr=1e-5",
            "eval.every=3",
            "data.pass_mark=all",
            "kl.placement=loss",
            "sampling.temperature=0.5",
            "threads=3",
        ] {
            assert_eq!(key(&[same]), plain, "{same}");
        }
        for other in [
            "model.hidden_size=32",
            "lora.rank=4",
            "warmup.steps=77",
            "warmup.lr=1e-4",
            "data.task=mod3",
            "seed=3",
            "rl.micro_batch_tokens=999",
        ] {
            assert_ne!(key(&[other]), plain, "{other}");
        }
    }
}
