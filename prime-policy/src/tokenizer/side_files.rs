//! The files of a model folder that say how its text is read and sampled: written back as they were.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::config::{CONFIG, SPECIAL_TOKENS_MAP};
use crate::chat::{TEMPLATE_FILE, additional_templates};
use crate::checkpoint::write_atomically;
use crate::error::PolicyError;
use crate::generation_config::GENERATION_CONFIG;

/// Contents by path within the folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct SideFiles(BTreeMap<PathBuf, Vec<u8>>);

impl SideFiles {
    pub(super) fn read(folder: &Path) -> Result<Self, PolicyError> {
        let names = [CONFIG, SPECIAL_TOKENS_MAP, TEMPLATE_FILE, GENERATION_CONFIG];
        let mut paths: Vec<PathBuf> = names.map(|name| folder.join(name)).into();
        paths.retain(|path| path.exists());
        paths.extend(additional_templates(folder)?);
        let mut files = BTreeMap::new();
        for path in paths {
            let bytes = fs::read(&path).map_err(|source| PolicyError::Io {
                path: path.clone(),
                source,
            })?;
            let name = path.strip_prefix(folder).unwrap_or(&path);
            files.insert(name.to_owned(), bytes);
        }
        Ok(Self(files))
    }

    /// Whether `tokenizer_config.json` is among them.
    pub(super) fn has_config(&self) -> bool {
        self.0.contains_key(Path::new(CONFIG))
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), PolicyError> {
        for (name, bytes) in &self.0 {
            let path = folder.join(name);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(|source| PolicyError::Io {
                    path: parent.to_owned(),
                    source,
                })?;
            }
            write_atomically(&path, bytes)?;
        }
        Ok(())
    }
}
