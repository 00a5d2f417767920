//! Rows on disk with an index in memory: 24 bytes a row, however long the rows are.
//!
//! Rows of JSON Lines stay in their file; those of other files are written once to an unnamed temporary file. A row is read
//! and parsed again when it is asked for.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::source::RawRow;
use crate::error::TrainError;

/// Where a row's text is.
#[derive(Debug, Clone, Copy)]
struct Slot {
    at: u64,
    length: u32,
    /// Its number in its file, counted from 1.
    number: u32,
    file: u32,
    /// Its number among all rows that could have been used.
    id: u32,
}

/// A file that rows come from.
#[derive(Debug)]
struct Origin {
    path: PathBuf,
    /// Open where its rows are read from it again.
    file: Option<Opened>,
}

#[derive(Debug)]
struct Opened {
    file: Mutex<File>,
    length: u64,
    changed: Option<SystemTime>,
}

impl Opened {
    fn open(path: &Path) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        Ok(Self {
            file: Mutex::new(file),
            length: about.len(),
            changed: about.modified().ok(),
        })
    }

    /// The bytes, and whether the file is as it was when it was opened.
    fn read(&self, at: u64, length: u32) -> std::io::Result<(Vec<u8>, bool)> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let about = file.metadata()?;
        let same = about.len() == self.length && about.modified().ok() == self.changed;
        let mut bytes = vec![0; length as usize];
        file.seek(SeekFrom::Start(at))?;
        match file.read_exact(&mut bytes) {
            Ok(()) => Ok((bytes, same)),
            // Too short by now: the change is what to speak of.
            Err(_) if !same => Ok((bytes, false)),
            Err(error) => Err(error),
        }
    }
}

/// Rows that are read again when they are asked for.
#[derive(Debug, Default)]
pub(super) struct Store {
    slots: Vec<Slot>,
    origins: Vec<Origin>,
    /// Rows that do not stand in their file as text.
    copied: Option<Opened>,
}

/// Fills a [`Store`].
#[derive(Debug, Default)]
pub(super) struct StoreWriter {
    store: Store,
    copy: Option<(BufWriter<File>, u64)>,
}

/// A row of a store.
#[derive(Debug)]
pub(super) struct StoredRow<'s> {
    /// The text of a JSON value.
    pub(super) json: Vec<u8>,
    /// Its file.
    pub(super) path: &'s Path,
    /// Its number there, counted from 1.
    pub(super) number: usize,
    /// Its number among all rows that could have been used.
    pub(super) id: u64,
}

impl StoreWriter {
    /// The rows that are put in from now on are those of this file.
    pub(super) fn begin(&mut self, path: &Path) {
        self.store.origins.push(Origin {
            path: path.to_owned(),
            file: None,
        });
    }

    /// Puts a row in.
    ///
    /// # Errors
    /// [`TrainError::Io`] if the file cannot be opened again, or the temporary file not be written; [`TrainError::DataFile`]
    /// for more rows or longer ones than can be counted.
    pub(super) fn put(&mut self, row: &RawRow, id: u64) -> Result<(), TrainError> {
        let file = self.store.origins.len().saturating_sub(1);
        let Some(origin) = self.store.origins.get_mut(file) else {
            return Ok(());
        };
        let path = origin.path.clone();
        let at = match row.offset {
            Some(offset) => {
                if origin.file.is_none() {
                    origin.file = Some(Opened::open(&path).map_err(TrainError::io("read", &path))?);
                }
                offset
            }
            None => {
                let temporary = std::env::temp_dir();
                let failed = |error| TrainError::io("keep rows in", &temporary)(error);
                if self.copy.is_none() {
                    self.copy = Some((BufWriter::new(tempfile::tempfile().map_err(failed)?), 0));
                }
                let Some((copy, end)) = &mut self.copy else {
                    return Ok(());
                };
                copy.write_all(&row.json).map_err(failed)?;
                let at = *end;
                *end += row.json.len() as u64;
                at
            }
        };
        let small = |number: usize| u32::try_from(number).ok();
        let slot = || {
            Some(Slot {
                at,
                length: small(row.json.len())?,
                number: small(row.number)?,
                file: small(file)?,
                id: u32::try_from(id).ok()?,
            })
        };
        let slot = slot().ok_or_else(|| TrainError::DataFile {
            path,
            reason: format!(
                "row {}: rows of up to 4 GiB are read, and up to 4 billion of them",
                row.number
            ),
        })?;
        self.store.slots.push(slot);
        Ok(())
    }

    /// Rows so far.
    pub(super) fn len(&self) -> usize {
        self.store.slots.len()
    }

    /// Different rows of their files among those behind the first `before`: one may have been put in several times.
    pub(super) fn rows_since(&self, before: usize) -> usize {
        let slots = self.store.slots.get(before..).unwrap_or_default();
        let starts = slots
            .windows(2)
            .filter(|pair| matches!(pair, [a, b] if a.number != b.number || a.file != b.file));
        starts.count() + usize::from(!slots.is_empty())
    }

    /// The store, complete.
    ///
    /// # Errors
    /// [`TrainError::Io`] if the temporary file cannot be written.
    pub(super) fn finish(mut self) -> Result<Store, TrainError> {
        if let Some((copy, length)) = self.copy {
            let temporary = std::env::temp_dir();
            let file = copy
                .into_inner()
                .map_err(|error| TrainError::io("keep rows in", &temporary)(error.into_error()))?;
            let changed = file.metadata().ok().and_then(|about| about.modified().ok());
            self.store.copied = Some(Opened {
                file: Mutex::new(file),
                length,
                changed,
            });
        }
        self.store.slots.shrink_to_fit();
        Ok(self.store)
    }
}

impl Store {
    /// Rows.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// A row, counted from 0; `None` behind the last.
    ///
    /// # Errors
    /// [`TrainError::Io`]; [`TrainError::DataFile`] if the file has changed since its rows were counted.
    pub(super) fn row(&self, at: usize) -> Result<Option<StoredRow<'_>>, TrainError> {
        let Some(slot) = self.slots.get(at) else {
            return Ok(None);
        };
        let Some(origin) = self.origins.get(slot.file as usize) else {
            return Ok(None);
        };
        let Some(opened) = origin.file.as_ref().or(self.copied.as_ref()) else {
            return Ok(None);
        };
        let (json, same) = opened
            .read(slot.at, slot.length)
            .map_err(TrainError::io("read", &origin.path))?;
        if !same {
            return Err(TrainError::DataFile {
                path: origin.path.clone(),
                reason: "has been changed since its rows were read: a run needs its data as it was at the start".to_owned(),
            });
        }
        Ok(Some(StoredRow {
            json,
            path: &origin.path,
            number: slot.number as usize,
            id: u64::from(slot.id),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::RawRows;
    use super::*;

    fn store(path: &Path) -> Store {
        let mut writer = StoreWriter::default();
        writer.begin(path);
        for (id, row) in RawRows::open(path).unwrap().enumerate() {
            writer.put(&row.unwrap(), 10 + id as u64).unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn rows_come_back_whole_from_lines_and_from_lists() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text, numbers) in [
            ("a.jsonl", "{\"a\":1}\n\n{\"b\":\"é\"}\n", [1, 3]),
            ("a.json", "[{\"a\":1}, {\"b\":\"é\"}]", [1, 2]),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            let store = store(&path);
            assert_eq!(store.len(), 2);
            for at in [1, 0, 1] {
                let row = store.row(at).unwrap().unwrap();
                let json = std::str::from_utf8(&row.json).unwrap().trim();
                assert_eq!(json, ["{\"a\":1}", "{\"b\":\"é\"}"][at]);
                assert_eq!(
                    (row.number, row.id, row.path),
                    (numbers[at], 10 + at as u64, &*path)
                );
            }
            assert!(store.row(2).unwrap().is_none());
        }
    }

    #[test]
    fn a_file_that_changes_under_the_run_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        for (text, other) in [("{\"a\":1}\n", "{\"a\":1}\n{}"), ("{\"a\":1}\n", "")] {
            std::fs::write(&path, text).unwrap();
            let store = store(&path);
            assert!(store.row(0).unwrap().is_some());
            std::fs::write(&path, other).unwrap();
            let error = store.row(0).unwrap_err().to_string();
            assert!(error.contains("a.jsonl has been changed"), "{error}");
        }
    }
}
