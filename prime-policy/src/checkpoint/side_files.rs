//! The files of a model folder that this crate hands on unread.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::atomic::write_atomically;
use crate::error::PolicyError;

/// Files that other readers of a folder build its tokenizer from. They are kept byte by byte; so are those that this crate
/// reads itself, by [`Tokenizer`](crate::Tokenizer). Cloning is cheap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SideFiles(BTreeMap<&'static str, Arc<[u8]>>);

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
        let mut files = BTreeMap::new();
        for name in Self::NAMES {
            let path = folder.join(name);
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
        self.0.get(name).map(|bytes| &**bytes)
    }

    /// Writes the files to `folder`; each appears whole or not at all. Others that are there stay.
    ///
    /// # Errors
    /// [`PolicyError::Io`] names the file.
    pub fn write(&self, folder: &Path) -> Result<(), PolicyError> {
        for (name, bytes) in &self.0 {
            write_atomically(&folder.join(name), bytes)?;
        }
        Ok(())
    }
}
