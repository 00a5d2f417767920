//! The fields of a `config.json` that nobody read: kept, left out on request, or refused all at once.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::DecoderConfig;
use super::fields::shown;
use super::inert::{self, Verdict};
use crate::error::{PolicyError, RefusedField};

/// The field of a written `config.json` that lists what was left out when the model was read, so that the request stays
/// true of it.
pub(super) const IGNORED: &str = "ignored_config_fields";

/// What the user asked to leave out, and what the file has.
pub(super) struct Request<'a> {
    /// Names, dotted within `rope_scaling` and `rope_parameters`.
    pub ignore: &'a [String],
    /// Every name in the file, dotted likewise.
    pub in_file: BTreeSet<String>,
}

/// A field within a rotary object that no rule reads.
pub(super) struct Inner {
    /// Its dotted name.
    pub name: String,
    pub value: Value,
    pub verdict: Verdict,
}

/// Every name of a file, with those inside the rotary objects.
pub(super) fn names(map: &Map<String, Value>) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = map.keys().cloned().collect();
    for outer in ["rope_scaling", "rope_parameters"] {
        if let Some(Value::Object(object)) = map.get(outer) {
            names.extend(object.keys().map(|inner| format!("{outer}.{inner}")));
        }
    }
    names
}

/// What of `rest` is kept.
///
/// # Errors
/// One [`PolicyError::UnknownFields`] with every field that is not honoured; [`PolicyError::Format`] for a request to
/// ignore a field that is read, that is not there, or without which the model would compute something else.
pub(super) fn settle(
    mut rest: Map<String, Value>,
    inner: Vec<Inner>,
    config: &DecoderConfig,
    request: &Request<'_>,
    path: &Path,
) -> Result<Map<String, Value>, PolicyError> {
    let judged = rest.iter().map(|(name, value)| Inner {
        name: name.clone(),
        value: value.clone(),
        verdict: inert::judge(name, value, config, &rest),
    });
    let judged: Vec<Inner> = judged.chain(inner).collect();
    let earlier: BTreeSet<String> = match rest.get(IGNORED) {
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect(),
        _ => BTreeSet::new(),
    };
    let mut ignored = earlier.clone();
    for name in request.ignore {
        let refused = |why: String| PolicyError::Format {
            path: path.to_owned(),
            reason: format!(
                "model.ignore_config_fields names {name}, {why}; take it out of the list"
            ),
        };
        match judged.iter().find(|field| field.name == *name) {
            Some(Inner {
                verdict:
                    Verdict::Refused {
                        why: Some(why),
                        ignorable: false,
                    },
                value,
                ..
            }) => {
                return Err(PolicyError::Format {
                    path: path.to_owned(),
                    reason: format!(
                        "model.ignore_config_fields names {name}, which is {} ({why}): without it the model would \
                         compute something else; this model cannot be read",
                        shown(value)
                    ),
                });
            }
            Some(Inner {
                verdict: Verdict::Refused { .. },
                ..
            }) => {
                ignored.insert(name.clone());
            }
            Some(_) => {}
            None if request.in_file.contains(name) => {
                return Err(refused("which is read and counts".to_owned()));
            }
            None if earlier.contains(name) => {}
            None => return Err(refused("which the file does not have".to_owned())),
        }
    }
    let refused: Vec<RefusedField> = judged
        .into_iter()
        .filter(|field| !ignored.contains(&field.name))
        .filter_map(|field| match field.verdict {
            Verdict::Inert => None,
            Verdict::Refused { why, ignorable } => Some(RefusedField {
                name: field.name,
                value: shown(&field.value),
                why,
                ignorable,
            }),
        })
        .collect();
    if !refused.is_empty() {
        return Err(PolicyError::UnknownFields {
            path: path.to_owned(),
            family: config.family.model_type(),
            fields: refused,
        });
    }
    rest.retain(|name, _| !ignored.contains(name));
    if !ignored.is_empty() {
        rest.insert(IGNORED.to_owned(), json!(ignored));
    }
    Ok(rest)
}
