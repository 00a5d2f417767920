//! The weights of one model on disk: a file, or an index with its shards.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::index::Index;
use super::lacking;
use super::names::{self, INDEX, SINGLE};
use super::tensor_file::{StoredTensor, TensorFile};
use crate::error::PolicyError;

/// Open weight files and where each tensor is.
#[derive(Debug)]
pub(crate) struct StoredWeights {
    /// The file or index, for messages.
    pub path: PathBuf,
    files: Vec<TensorFile>,
    place: BTreeMap<String, usize>,
}

impl StoredWeights {
    /// Opens a `safetensors` file, an index (a name in `.json`), or the one of the two that a model folder has; where a
    /// folder has both, the file, as `transformers` does. Only headers are read.
    ///
    /// # Errors
    /// [`PolicyError::Io`], or one [`PolicyError::Format`] with everything that is wrong with the index and its shards.
    pub(crate) fn open(path: &Path) -> Result<Self, PolicyError> {
        if path.is_dir() {
            let (single, index) = (path.join(SINGLE), path.join(INDEX));
            return match (single.exists(), index.exists()) {
                (true, _) => Self::open_file(&single),
                (false, true) => Self::open_index(&index),
                (false, false) => Err(lacking::no_weights(path)),
            };
        }
        match path.extension().is_some_and(|ending| ending == "json") {
            true => Self::open_index(path),
            false => Self::open_file(path),
        }
    }

    fn open_file(path: &Path) -> Result<Self, PolicyError> {
        let file = TensorFile::open(path)?;
        Ok(Self {
            path: path.to_owned(),
            place: file.names().map(|name| (name.to_owned(), 0)).collect(),
            files: vec![file],
        })
    }

    fn open_index(path: &Path) -> Result<Self, PolicyError> {
        let index = Index::read(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut problems = vec![];
        let mut shards: Vec<String> = vec![];
        let mut files: Vec<TensorFile> = vec![];
        for shard in index.shards() {
            if !names::is_plain(&shard) {
                problems.push(format!(
                    "names the shard {shard:?}, which is not a file of the same folder"
                ));
                continue;
            }
            match TensorFile::open(&folder.join(&shard)) {
                Ok(file) => {
                    shards.push(shard);
                    files.push(file);
                }
                Err(PolicyError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                    problems.push(format!("shard {shard} is missing; download or copy it too"));
                }
                Err(PolicyError::Io { source, .. }) => {
                    problems.push(format!("shard {shard} cannot be read: {source}"));
                }
                Err(PolicyError::Format { reason, .. }) => {
                    problems.push(format!("shard {shard} {reason}"));
                }
                Err(other) => return Err(other),
            }
        }
        let mut place: BTreeMap<String, usize> = BTreeMap::new();
        for (at, file) in files.iter().enumerate() {
            for name in file.names() {
                if let Some(first) = place.insert(name.to_owned(), at) {
                    let (first, second) = (&shards[first], &shards[at]);
                    problems.push(format!("tensor {name} is in both {first} and {second}"));
                }
            }
        }
        for (name, shard) in &index.weight_map {
            let promised = shards.iter().position(|open| open == shard);
            if promised.is_some_and(|at| files[at].get(name).is_none()) {
                problems.push(format!("tensor {name} is not in {shard}, as promised"));
            }
        }
        if files.is_empty() && problems.is_empty() {
            problems.push("names no shard".to_owned());
        }
        if problems.is_empty() {
            return Ok(Self {
                path: path.to_owned(),
                files,
                place,
            });
        }
        Err(PolicyError::Format {
            path: path.to_owned(),
            reason: problems.join("; "),
        })
    }

    /// All tensors, by name.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.place.keys().map(String::as_str)
    }

    /// A tensor and the file that holds it.
    pub(crate) fn get(&self, name: &str) -> Option<(&StoredTensor, &TensorFile)> {
        let file = &self.files[*self.place.get(name)?];
        Some((file.get(name)?, file))
    }
}
