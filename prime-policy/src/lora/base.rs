//! Which model an adapter was trained on: where it is, and how it is known again.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::checkpoint::{Fingerprint, ModelFolder, write_atomically};
use crate::error::PolicyError;

/// A base model that stays where it is: its folder, and the fingerprint that it had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseReference {
    /// The folder.
    pub path: PathBuf,
    /// Fields of its `config.json` that were left out on request.
    #[serde(default)]
    pub ignore_config_fields: Vec<String>,
    /// What its files were. Nothing is compared where this is left out.
    #[serde(default)]
    pub files: Fingerprint,
}

impl BaseReference {
    /// The file in a folder that refers to a base.
    pub const FILE: &'static str = "base.json";

    /// A reference to the model in `path` as it is now.
    ///
    /// # Errors
    /// Those of [`Fingerprint::of`].
    pub fn to(path: &Path, ignore_config_fields: &[String]) -> Result<Self, PolicyError> {
        Ok(Self {
            path: path.to_owned(),
            ignore_config_fields: ignore_config_fields.to_owned(),
            files: Fingerprint::of(path)?,
        })
    }

    /// The reference in `folder`, if there is one.
    ///
    /// # Errors
    /// [`PolicyError::Io`]; [`PolicyError::Format`] for a file that is none.
    pub fn read(folder: &Path) -> Result<Option<Self>, PolicyError> {
        let path = folder.join(Self::FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(PolicyError::io(&path)(error)),
        };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| PolicyError::Format {
                path,
                reason: format!("is no reference to a base model: {error}"),
            })
    }

    /// Writes the reference to `folder`; the file appears whole or not at all.
    ///
    /// # Errors
    /// [`PolicyError::Io`] names the file.
    pub fn write(&self, folder: &Path) -> Result<(), PolicyError> {
        let path = folder.join(Self::FILE);
        fs::create_dir_all(folder).map_err(PolicyError::io(folder))?;
        let text = serde_json::to_string_pretty(self).map_err(|error| PolicyError::Format {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        write_atomically(&path, (text + "\n").as_bytes())
    }

    /// Reads the model that this refers to; `folder` is where the reference lies.
    ///
    /// # Errors
    /// [`PolicyError::Format`] names the base's folder, what is wrong with it and the way out, when it is not there or not
    /// what it was; those of [`ModelFolder::load`].
    pub fn load(&self, folder: &Path, device: &Device) -> Result<ModelFolder, PolicyError> {
        self.load_named(folder, "\"path\" in this file", device)
    }

    /// [`Self::load`], of a base whose path is written at `place`.
    pub(super) fn load_named(
        &self,
        folder: &Path,
        place: &str,
        device: &Device,
    ) -> Result<ModelFolder, PolicyError> {
        let file = folder.join(Self::FILE);
        let format = |reason: String| PolicyError::Format {
            path: file.clone(),
            reason,
        };
        let shown = self.path.display();
        if !self.path.is_dir() {
            return Err(format(format!(
                "the base model was in {shown}, which is no folder now; put it back, or write its new path as {place}"
            )));
        }
        // Hashing and reading want the same bytes at the same time, and neither waits for the other.
        let (now, model) = std::thread::scope(|scope| {
            let hashing =
                (!self.files.is_empty()).then(|| scope.spawn(|| Fingerprint::of(&self.path)));
            let model = ModelFolder::load_ignoring(&self.path, device, &self.ignore_config_fields);
            let now = hashing.map(|thread| match thread.join() {
                Ok(now) => now,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            (now, model)
        });
        if let Some(now) = now {
            let now = match now {
                Ok(now) => now,
                // What reading says of the same file is more.
                Err(error) => return model.and(Err(error)),
            };
            let differences = self.files.differences(&now);
            if !differences.is_empty() {
                return Err(format(format!(
                    "the base model in {shown} is not the one that was trained on: {}; put the old files back, or write the \
                     path of a folder that has them as {place} (without \"files\" in this file nothing is compared)",
                    differences.join(", ")
                )));
            }
        }
        model
    }
}
