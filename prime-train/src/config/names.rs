//! Keys that do not exist: what was meant.

use toml::{Table, Value};

use super::presets::nearest;
use super::tables::join;
use super::{Layer, Objective, docs, foreign};
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
            // A section of another program: each of its keys is one to be told about.
            (None, Value::Table(inner))
                if is_foreign(&dotted, inner)
                    || (!inner.is_empty()
                        && nearest(key, known.keys().map(String::as_str)).is_none()) =>
            {
                collect(inner, &Table::new(), &dotted, objective, unknown);
            }
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

/// Whether a section that does not exist holds names of another program.
fn is_foreign(dotted: &str, table: &Table) -> bool {
    table.iter().any(|(key, value)| {
        let dotted = join(dotted, key);
        match value {
            Value::Table(inner) => is_foreign(&dotted, inner),
            value => foreign::translation(&dotted, Some(value)).is_some(),
        }
    })
}

/// What may have been meant by a key, and by its value where there is one.
pub(super) fn hint<'a>(
    dotted: &str,
    value: Option<&Value>,
    siblings: impl Iterator<Item = &'a str>,
    objective: Objective,
) -> Option<String> {
    if let Some(moved) = moved(dotted, objective) {
        return Some(moved);
    }
    if let Some(translation) = foreign::translation(dotted, value) {
        return Some(translation);
    }
    let dotted = dotted.to_lowercase().replace('-', "_");
    if docs::key(&dotted).is_some() {
        return Some(format!("did you mean `{dotted}`?"));
    }
    let (section, key) = dotted.rsplit_once('.').unwrap_or(("", &dotted));
    let mut all = docs::keys().map(|known| known.key.as_str());
    let same_word = all.find(|known| known.rsplit('.').next() == Some(key));
    let meant = same_word
        .map(str::to_owned)
        .or_else(|| nearest(key, siblings).map(|name| join(section, &name)))
        .or_else(|| nearest(&dotted, docs::keys().map(|known| known.key.as_str())));
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

/// Behind the words on a value that is none of a key's: the one that was probably meant.
pub(super) fn value_hint(key: &str, reason: &str) -> Option<String> {
    // Serde quotes what was given first and then all that there is, in one way; our own messages do the same in another.
    let (quote, ours) = match reason.starts_with("unknown variant") {
        true => ('`', false),
        false => ('"', true),
    };
    let quoted: Vec<&str> = reason.split(quote).skip(1).step_by(2).collect();
    let (given, known) = quoted.split_first()?;
    if let Some(here) = foreign::word_for(key, given).filter(|_| !ours) {
        return Some(format!("here it is `{here}`"));
    }
    let given = given.to_lowercase().replace('-', "_");
    let plain = |word: &str| word.replace('-', "_");
    let meant = known
        .iter()
        .find(|word| plain(word) == given)
        .map(|word| (*word).to_owned())
        .or_else(|| nearest(&given, known.iter().copied()))?;
    Some(format!("did you mean `{meant}`?"))
}
