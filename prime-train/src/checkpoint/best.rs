//! The policy that did best on held-out problems.

use std::fs;
use std::path::PathBuf;

use prime_policy::Decoder;
use serde::{Deserialize, Serialize};

use super::{About, Checkpoints, sums};
use crate::error::TrainError;
use crate::files::{read_text, write_atomically};

const FOLDER: &str = "best";
const FILE: &str = "best.json";

/// Which policy is the best so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Best {
    /// The metric that decides; more is better.
    pub metric: String,
    /// Its value.
    pub value: f64,
    /// The step that it was measured after.
    pub step: u64,
}

impl Checkpoints {
    /// The best policy so far, where one has been kept.
    ///
    /// # Errors
    /// [`TrainError::Io`] and [`TrainError::Parse`].
    pub fn best(&self) -> Result<Option<Best>, TrainError> {
        let path = self.best_folder().join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let text = read_text(&path)?;
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| TrainError::Parse {
                path,
                line: error.line(),
                reason: error.to_string(),
            })
    }

    /// Keeps `policy` in `checkpoints/best`, in place of the one before.
    ///
    /// # Errors
    /// The file that could not be written; the old one is untouched then.
    pub fn save_best(
        &self,
        best: &Best,
        policy: &Decoder,
        about: &About,
    ) -> Result<PathBuf, TrainError> {
        let folder = self.best_folder();
        let (partial, old) = (
            folder.with_extension("partial"),
            folder.with_extension("old"),
        );
        for left in [&partial, &old] {
            if left.exists() {
                fs::remove_dir_all(left).map_err(TrainError::io("remove", left))?;
            }
        }
        about.save(policy, &partial.join("policy"))?;
        let text = serde_json::to_string(best).map_err(|error| TrainError::Encode {
            what: "the best step",
            reason: error.to_string(),
        })?;
        write_atomically(&partial.join(FILE), text.as_bytes())?;
        sums::write(&partial)?;
        if folder.exists() {
            fs::rename(&folder, &old).map_err(TrainError::io("rename", &folder))?;
        }
        fs::rename(&partial, &folder).map_err(TrainError::io("write", &folder))?;
        if old.exists() {
            fs::remove_dir_all(&old).map_err(TrainError::io("remove", &old))?;
        }
        sums::sync_folder(&self.folder)?;
        Ok(folder)
    }

    fn best_folder(&self) -> PathBuf {
        self.folder.join(FOLDER)
    }
}
