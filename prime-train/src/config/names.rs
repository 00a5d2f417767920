//! Keys that do not exist: what was meant.

use toml::{Table, Value};

use super::presets::nearest;
use super::tables::join;
use super::{Layer, Objective, docs};
use crate::error::{ConfigError, UnknownKey};

/// Refuses a layer with keys that do not exist, all of them at once.
pub(super) fn check(
    layer: &Layer,
    given: &Table,
    known: &Table,
    objective: Objective,
) -> Result<(), ConfigError> {
    let mut keys = vec![];
    collect(given, known, "", objective, &mut keys);
    if keys.is_empty() {
        return Ok(());
    }
    Err(ConfigError::UnknownKeys {
        layer: layer.name.clone(),
        keys,
    })
}

fn collect(
    given: &Table,
    known: &Table,
    section: &str,
    objective: Objective,
    unknown: &mut Vec<UnknownKey>,
) {
    for (key, value) in given {
        let dotted = join(section, key);
        if docs::key(&dotted).is_some() {
            continue;
        }
        match (known.get(key), value) {
            (None, _) => {
                let siblings = known.keys().map(String::as_str);
                unknown.push(UnknownKey {
                    hint: hint(&dotted, Some(value), siblings, objective),
                    key: dotted,
                });
            }
            (Some(Value::Table(known)), Value::Table(given)) => {
                collect(given, known, &dotted, objective, unknown);
            }
            // A value where a table belongs, or the reverse, is a wrong type: decoding says so.
            _ => {}
        }
    }
}

/// What may have been meant by a key, and by its value where there is one.
pub(super) fn hint<'a>(
    dotted: &str,
    _value: Option<&Value>,
    siblings: impl Iterator<Item = &'a str>,
    objective: Objective,
) -> Option<String> {
    if let Some(moved) = moved(dotted, objective) {
        return Some(moved);
    }
    let (section, key) = dotted.rsplit_once('.').unwrap_or(("", dotted));
    let elsewhere = docs::keys().map(|known| known.key.as_str());
    let elsewhere = { elsewhere }.find(|known| known.rsplit('.').next() == Some(key));
    let meant = elsewhere
        .map(str::to_owned)
        .or_else(|| nearest(key, siblings).map(|name| join(section, &name)))
        .or_else(|| nearest(dotted, docs::keys().map(|known| known.key.as_str())));
    meant.map(|meant| format!("did you mean `{meant}`?"))
}

/// A key of an objective, an estimator or the replay that was one of the section's own once.
fn moved(dotted: &str, objective: Objective) -> Option<String> {
    let (section, key) = dotted.split_once('.')?;
    if let Some(key) = dotted.strip_prefix("prm.replay_") {
        let now = format!("prm.replay.{key}");
        return docs::key(&now).map(|_| format!("it is `{now}` now"));
    }
    if !matches!(section, "rl" | "advantage") {
        return None;
    }
    let homes: Vec<&str> = docs::keys()
        .map(|known| known.key.as_str())
        .filter(|known| {
            let inner = known
                .strip_prefix(section)
                .and_then(|rest| rest.strip_prefix('.'));
            inner
                .and_then(|inner| inner.split_once('.'))
                .is_some_and(|(_, leaf)| leaf == key)
        })
        .collect();
    let own = format!("rl.{}.{key}", objective.as_str());
    let (first, others): (Vec<&str>, Vec<&str>) = if homes.contains(&own.as_str()) {
        homes.iter().partition(|home| **home == own)
    } else {
        (
            homes.first().copied().into_iter().collect(),
            homes.get(1..).unwrap_or_default().to_vec(),
        )
    };
    let first = first.first()?;
    let of = if section == "rl" {
        "objective"
    } else {
        "estimator"
    };
    let also = match others.as_slice() {
        [] => String::new(),
        others => {
            let names: Vec<&str> = others
                .iter()
                .filter_map(|home| home.split('.').nth(1))
                .collect();
            format!(
                "; the same with {} in place of {}",
                names.join(", "),
                first.split('.').nth(1)?
            )
        }
    };
    Some(format!(
        "a key of one {of} is in the {of}'s own table: `{first}`{also}"
    ))
}
