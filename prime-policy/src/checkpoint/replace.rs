//! Replacing the weights of a model folder, so that a crash at any moment leaves the old model or the new one.
//!
//! Readers take `model.safetensors` if there is one, else the index. So a save is committed by one rename or removal:
//! the rename of the single file over its predecessor, the rename of the new index over the old one, or the removal of
//! the old single file once the new index is in place. Until then the new shards have names that the old model does not
//! use. What the committed model does not use is removed after.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;

use super::atomic::{PARTIAL, sync_folder, write_atomically};
use super::element::WeightDtype;
use super::index::Index;
use super::names::{self, INDEX, SINGLE, STEM};
use super::write::{NamedTensor, write_tensors};
use crate::error::PolicyError;

/// One change of the folder; each is done whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Write these tensors to a file of this name.
    Write(String, Range<usize>),
    /// Write the index of the shards whose names start with this.
    Index(String),
    /// Remove a file.
    Remove(String),
    /// Give a file a second name.
    Link(String, String),
}

/// What a folder holds before a save.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Files of the model that a reader would load; without an index, at most [`SINGLE`].
    live: BTreeSet<String>,
    /// Files that no reader would look at: what a crash or another tool left behind.
    leftovers: Vec<String>,
}

impl Found {
    /// Looks at the names in a folder.
    ///
    /// # Errors
    /// [`PolicyError::Io`] names the folder.
    pub(crate) fn in_folder(folder: &Path) -> Result<Self, PolicyError> {
        let mut all = BTreeSet::new();
        for entry in fs::read_dir(folder).map_err(PolicyError::io(folder))? {
            let name = entry.map_err(PolicyError::io(folder))?.file_name();
            all.insert(name.to_string_lossy().into_owned());
        }
        // An index that cannot be read is no model to be kept; its shards are known by their names.
        let indexed = Index::read(&folder.join(INDEX)).map(|index| index.shards());
        let mut indexed: BTreeSet<String> = indexed.unwrap_or_default();
        indexed.retain(|name| names::is_plain(name) && name.ends_with(".safetensors"));
        let is_weights = |name: &String| {
            let partial = name.starts_with(&format!(".{STEM}")) && name.ends_with(PARTIAL);
            name == INDEX || names::is_shard(name) || indexed.contains(name) || partial
        };
        let live: BTreeSet<String> = if all.contains(SINGLE) {
            BTreeSet::from([SINGLE.to_owned()])
        } else if indexed.is_empty() {
            BTreeSet::new()
        } else {
            let index = BTreeSet::from([INDEX.to_owned()]);
            index.union(&indexed).cloned().collect()
        };
        // The index first, so that it never names a file that is gone.
        let mut leftovers: Vec<String> = all.into_iter().filter(is_weights).collect();
        leftovers.retain(|name| !live.contains(name));
        leftovers.sort_by_key(|name| name != INDEX);
        Ok(Self { live, leftovers })
    }
}

/// The steps that put the new model, `shards` of the list of tensors, in the place of what was found.
pub(crate) fn plan(found: &Found, shards: &[Range<usize>]) -> Vec<Step> {
    let remove = |name: &String| Step::Remove(name.clone());
    let mut steps: Vec<Step> = found.leftovers.iter().map(remove).collect();
    let old = &found.live;
    if let [all] = shards {
        steps.push(Step::Write(SINGLE.to_owned(), all.clone()));
        let mut stale: Vec<&String> = old.iter().filter(|name| *name != SINGLE).collect();
        stale.sort_by_key(|name| *name != INDEX);
        steps.extend(stale.into_iter().map(remove));
        return steps;
    }
    let count = shards.len();
    let files = |stem: &str| -> Vec<String> {
        (1..=count)
            .map(|number| names::shard(stem, number, count))
            .collect()
    };
    // There are more stems than files, so one is free.
    let stem = names::stems()
        .find(|stem| files(stem).iter().all(|name| !old.contains(name)))
        .unwrap_or_default();
    let written = files(&stem);
    steps.extend(
        written
            .iter()
            .zip(shards)
            .map(|(name, tensors)| Step::Write(name.clone(), tensors.clone())),
    );
    steps.push(Step::Index(stem.clone()));
    steps.extend(old.iter().filter(|name| *name != INDEX).map(remove));
    if stem != STEM {
        let usual = files(STEM);
        let links = written.iter().zip(&usual);
        steps.extend(links.map(|(from, to)| Step::Link(from.clone(), to.clone())));
        steps.push(Step::Index(STEM.to_owned()));
        steps.extend(written.iter().map(remove));
    }
    steps
}

/// The tensors of a save and how they are cut into files.
pub(crate) struct NewWeights<'a> {
    pub tensors: &'a [NamedTensor<'a>],
    pub dtype: WeightDtype,
    pub shards: &'a [Range<usize>],
}

impl NewWeights<'_> {
    /// Does `steps` in `folder`, in order.
    ///
    /// # Errors
    /// [`PolicyError::Io`] or [`PolicyError::Format`] of the first step that fails; the folder then holds the old model
    /// or the new one.
    pub(crate) fn carry_out(&self, steps: &[Step], folder: &Path) -> Result<(), PolicyError> {
        for step in steps {
            match step {
                Step::Write(name, part) => {
                    let tensors = &self.tensors[part.clone()];
                    write_tensors(&folder.join(name), tensors, self.dtype)?;
                }
                Step::Index(stem) => {
                    let path = folder.join(INDEX);
                    write_atomically(&path, self.index(stem).to_json(&path)?.as_bytes())?;
                }
                Step::Remove(name) => {
                    let path = folder.join(name);
                    match fs::remove_file(&path) {
                        Err(error) if error.kind() != ErrorKind::NotFound => {
                            return Err(PolicyError::io(&path)(error));
                        }
                        _ => sync_folder(folder)?,
                    }
                }
                Step::Link(from, to) => {
                    // Some file systems have no links. The new model is complete under the names that it has.
                    if fs::hard_link(folder.join(from), folder.join(to)).is_err() {
                        return Ok(());
                    }
                    sync_folder(folder)?;
                }
            }
        }
        Ok(())
    }

    fn index(&self, stem: &str) -> Index {
        let total: usize = self.tensors.iter().map(|t| t.bytes(self.dtype)).sum();
        let count = self.shards.len();
        let weight_map = self.shards.iter().enumerate().flat_map(|(at, part)| {
            let file = names::shard(stem, at + 1, count);
            let tensors = &self.tensors[part.clone()];
            tensors.iter().map(move |t| (t.name.clone(), file.clone()))
        });
        Index::new(total as u64, weight_map.collect())
    }
}
