//! Numbers that are too large to be meant: products of what lies below the bounds cannot overflow.

use toml::{Table, Value};

use super::{Checked, ensure};
use crate::config::{Config, docs};
use crate::error::ConfigError;

/// Sections or keys, and the most that their whole numbers can be; the first that fits counts.
const MOST: &[(&str, i64)] = &[
    ("seed", i64::MAX),
    ("eval.seed", i64::MAX),
    ("model.", 1 << 20),
    ("lora.", 1 << 16),
    ("rl.steps", 1 << 40),
    ("warmup.steps", 1 << 40),
    ("sampling.max_new_tokens", 1 << 24),
    ("data.max_prompt_tokens", 1 << 24),
    ("warmup.max_tokens", 1 << 24),
    ("threads", 1 << 16),
    ("", 1 << 31),
];

/// Responses that a step can sample.
const RESPONSES: f64 = (1 << 24) as f64;

pub(super) fn bounds(config: &Config) -> Checked {
    let text = config.to_full_toml()?;
    let table: Table = text
        .parse()
        .map_err(|error: toml::de::Error| ConfigError::Encode {
            reason: error.to_string(),
        })?;
    walk(&table, "")?;
    let rl = &config.rl;
    let responses = rl.prompts_per_step as f64 * rl.oversample_factor * rl.group_size as f64;
    ensure(
        responses <= RESPONSES,
        if rl.oversample_factor > 1e3 {
            "rl.oversample_factor"
        } else {
            "rl.prompts_per_step"
        },
        format_args!(
            "{} × {} × {} responses a step",
            rl.prompts_per_step, rl.oversample_factor, rl.group_size
        ),
        format_args!(
            "so that rl.prompts_per_step × rl.oversample_factor × rl.group_size is at most {RESPONSES}"
        ),
    )
}

fn walk(table: &Table, prefix: &str) -> Checked {
    for (key, value) in table {
        let name = format!("{prefix}{key}");
        match value {
            Value::Table(inner) => walk(inner, &format!("{name}."))?,
            Value::Integer(given) => {
                let fits = |(of, _): &&(&str, i64)| {
                    of.is_empty() || name == *of || of.ends_with('.') && name.starts_with(of)
                };
                let most = MOST.iter().find(fits).map_or(i64::MAX, |(_, most)| *most);
                let key = docs::key(&name).map_or("a whole number", |known| &known.key);
                ensure(*given <= most, key, given, format_args!("at most {most}"))?;
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::config::{Layer, resolve};

    #[test]
    fn no_number_is_so_large_that_sizes_overflow() {
        for (sets, key) in [
            (&["rl.oversample_factor=1e300"][..], "rl.oversample_factor"),
            (
                &["rl.prompts_per_step=9223372036854775807"],
                "rl.prompts_per_step",
            ),
            (
                &["rl.prompts_per_step=2000000000", "rl.group_size=2000000000"],
                "rl.prompts_per_step",
            ),
            (&["rl.group_size=4611686018427387904"], "rl.group_size"),
            (
                &["sampling.max_new_tokens=9223372036854775807"],
                "sampling.max_new_tokens",
            ),
            (
                &["model.hidden_size=4611686018427387904"],
                "model.hidden_size",
            ),
            (
                &["model.num_hidden_layers=1000000000000"],
                "model.num_hidden_layers",
            ),
            (&["eval.problems=9223372036854775807"], "eval.problems"),
            (&["eval.k=9223372036854775807"], "eval.k"),
            (
                &["prm.replay.batch_size=9223372036854775807"],
                "prm.replay.batch_size",
            ),
            (
                &["prm.replay.steps=9223372036854775807"],
                "prm.replay.steps",
            ),
            (
                &["rl.epochs_per_step=9223372036854775807"],
                "rl.epochs_per_step",
            ),
            (
                &["warmup.batch_size=9223372036854775807"],
                "warmup.batch_size",
            ),
            (&["warmup.steps=9223372036854775807"], "warmup.steps"),
            (&["rl.steps=9223372036854775807"], "rl.steps"),
            (&["threads=9223372036854775807"], "threads"),
            (&["run.keep_last=9223372036854775807"], "run.keep_last"),
            (&["lora.rank=9223372036854775807"], "lora.rank"),
        ] {
            let layers: Vec<Layer> = sets.iter().map(|set| Layer::set(set).unwrap()).collect();
            let error = resolve(&layers).unwrap_err().to_string();
            assert!(error.contains(key), "{sets:?}: {error}");
        }
        let large = Layer::set("seed=9223372036854775807").unwrap();
        resolve(&[large]).unwrap();
    }
}
