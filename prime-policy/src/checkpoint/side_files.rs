//! The files of a model folder that are written back as they were.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::atomic::write_atomically;
use crate::error::PolicyError;

/// Files of a folder, byte by byte. Cloning is cheap.
///
/// A [`ModelFolder`](crate::ModelFolder) has those that this crate hands on unread: what other readers of the folder build
/// its tokenizer from. Those that it reads itself are kept by the [`Tokenizer`](crate::Tokenizer), so that a tokenizer can
/// be saved without a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SideFiles(BTreeMap<PathBuf, Arc<[u8]>>);

impl SideFiles {
    /// The names that are looked for.
    pub const NAMES: [&'static str; 5] = [
        "added_tokens.json",
        "chat_template.json",
        "merges.txt",
        "tokenizer.model",
        "vocab.json",
    ];

    /// Reads those of [`Self::NAMES`] that `folder` has.
    ///
    /// # Errors
    /// [`PolicyError::Io`] names a file that is there but cannot be read.
    pub fn read(folder: &Path) -> Result<Self, PolicyError> {
        Self::of(folder, Self::NAMES.map(PathBuf::from))
    }

    /// Reads those of `names`, paths within `folder`, that are there.
    ///
    /// # Errors
    /// [`PolicyError::Io`] names a file that is there but cannot be read.
    pub(crate) fn of(
        folder: &Path,
        names: impl IntoIterator<Item = PathBuf>,
    ) -> Result<Self, PolicyError> {
        let mut files = BTreeMap::new();
        for name in names {
            let path = folder.join(&name);
            match fs::read(&path) {
                Ok(bytes) => {
                    files.insert(name, bytes.into());
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(PolicyError::io(&path)(error)),
            }
        }
        Ok(Self(files))
    }

    /// The content of a file, if the folder had it.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.get(Path::new(name)).map(|bytes| &**bytes)
    }

    /// Writes the files to `folder`; each appears whole or not at all. Others that are there stay.
    ///
    /// # Errors
    /// [`PolicyError::Io`] names the file.
    pub fn write(&self, folder: &Path) -> Result<(), PolicyError> {
        for (name, bytes) in &self.0 {
            let path = folder.join(name);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(PolicyError::io(parent))?;
            }
            write_atomically(&path, bytes)?;
        }
        Ok(())
    }
}
