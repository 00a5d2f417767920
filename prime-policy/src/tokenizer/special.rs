//! Special tokens by the role they play.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::config::format_error;
use crate::error::PolicyError;

/// The roles that every tokenizer may fill.
const ROLES: [&str; 7] = [
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
];

/// Special tokens by role: `bos_token`, `eos_token`, `unk_token`, `sep_token`, `pad_token`, `cls_token`, `mask_token`, and
/// the roles that a model adds, such as `image_token`. A chat template sees each as a variable of that name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpecialTokens {
    by_role: BTreeMap<String, String>,
}

impl SpecialTokens {
    /// Those among the fields of `tokenizer_config.json` or `special_tokens_map.json`.
    pub(super) fn read(path: &Path, fields: &Map<String, Value>) -> Result<Self, PolicyError> {
        let mut tokens = Self::default();
        for (role, value) in fields {
            let required = ROLES.contains(&role.as_str());
            if !role.ends_with("_token") || value.is_null() {
                continue;
            }
            match content(value) {
                Some(text) => tokens.insert(role, text),
                // `add_bos_token` is no token.
                None if !required => {}
                None => {
                    let reason = format!(
                        "{value} is no token; accepted: a text, an object with a text as `content`, or null"
                    );
                    return Err(format_error(path, role, &reason));
                }
            }
        }
        for field in ["extra_special_tokens", "model_specific_special_tokens"] {
            if let Some(Value::Object(extra)) = fields.get(field) {
                for (role, value) in extra {
                    let text = content(value).ok_or_else(|| {
                        let reason = format!("{role} is {value}, which is no token");
                        format_error(path, field, &reason)
                    })?;
                    tokens.insert(role, text);
                }
            }
        }
        Ok(tokens)
    }

    pub(super) fn insert(&mut self, role: &str, text: &str) {
        self.by_role.insert(role.to_owned(), text.to_owned());
    }

    pub(super) fn extend(&mut self, later: Self) {
        self.by_role.extend(later.by_role);
    }

    /// The text of the token with this role.
    pub fn get(&self, role: &str) -> Option<&str> {
        self.by_role.get(role).map(String::as_str)
    }

    /// Roles with their texts, sorted by role.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.by_role
            .iter()
            .map(|(role, text)| (role.as_str(), text.as_str()))
    }
}

/// A token is written as its text, or as an object with the text and how it is matched.
fn content(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Object(fields) => fields.get("content")?.as_str(),
        _ => None,
    }
}
