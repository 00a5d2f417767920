//! `model.safetensors.index.json`: which shard holds which tensor.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::stand_in::stand_in;
use crate::error::PolicyError;

/// The content of an index.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Index {
    /// `total_size`: bytes of all tensors. Not checked: other tools write it with other meanings.
    #[serde(default)]
    metadata: serde_json::Value,
    /// Tensor name to file name.
    pub weight_map: BTreeMap<String, String>,
}

impl Index {
    pub(crate) fn new(total_size: u64, weight_map: BTreeMap<String, String>) -> Self {
        Self {
            metadata: serde_json::json!({ "total_size": total_size }),
            weight_map,
        }
    }

    /// # Errors
    /// [`PolicyError::Io`]; [`PolicyError::Format`] when the file is no index.
    pub(crate) fn read(path: &Path) -> Result<Self, PolicyError> {
        let text = std::fs::read(path).map_err(PolicyError::io(path))?;
        serde_json::from_slice(&text).map_err(|error| PolicyError::Format {
            path: path.to_owned(),
            reason: match stand_in(&text) {
                Some(what) => what.to_owned(),
                None => format!("is no index of shards: {error}"),
            },
        })
    }

    /// The text of the file.
    ///
    /// # Errors
    /// [`PolicyError::Format`] names `path`.
    pub(crate) fn to_json(&self, path: &Path) -> Result<String, PolicyError> {
        serde_json::to_string_pretty(self)
            .map(|text| text + "\n")
            .map_err(|error| PolicyError::Format {
                path: path.to_owned(),
                reason: error.to_string(),
            })
    }

    /// The names of all shards, once each.
    pub(crate) fn shards(&self) -> BTreeSet<String> {
        self.weight_map.values().cloned().collect()
    }
}
