//! One process a run folder.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::provenance::host;
use crate::error::TrainError;
use crate::view;

const FILE: &str = "run.lock";

/// The right to write to a run folder, until the last handle is dropped or the process ends, however it does.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

static HELD: Mutex<Option<HashMap<PathBuf, Weak<RunLock>>>> = Mutex::new(None);

/// The lock of a run folder; the process that has it already gets it again.
///
/// # Errors
/// [`TrainError::RunLocked`] names the process that has it; [`TrainError::Io`].
pub fn lock(folder: &Path) -> Result<Arc<RunLock>, TrainError> {
    let path = folder.join(FILE);
    let key = std::fs::canonicalize(folder).map_err(TrainError::io("read", folder))?;
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    let held = held.get_or_insert_default();
    if let Some(lock) = held.get(&key).and_then(Weak::upgrade) {
        return Ok(lock);
    }
    let io = TrainError::io("write", &path);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // What it says helps; that it is locked is what counts.
            let _ = file.read_to_string(&mut holder);
            let holder = match holder.trim() {
                "" => "another process".to_owned(),
                holder => holder.to_owned(),
            };
            return Err(TrainError::RunLocked {
                path: folder.to_owned(),
                holder,
            });
        }
        Err(TryLockError::Error(error)) => view::say(&format!(
            "warning: {} cannot be locked ({error}): nothing keeps a second process away",
            path.display()
        )),
    }
    let holder = format!("process {} on {}\n", std::process::id(), host());
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(holder.as_bytes()))
        .map_err(TrainError::io("write", &path))?;
    let lock = Arc::new(RunLock { _file: file });
    held.retain(|_, lock| lock.strong_count() > 0);
    held.insert(key, Arc::downgrade(&lock));
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_that_has_it_gets_it_again_and_another_is_told_who_does() {
        let folder = tempfile::tempdir().unwrap();
        let first = lock(folder.path()).unwrap();
        let second = lock(folder.path()).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        let holder = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert!(holder.contains(&format!("process {} on ", std::process::id())));
        // Another description of the file is what another process has.
        let other = File::open(folder.path().join(FILE)).unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        drop((first, second));
        other.try_lock().unwrap();
        let error = lock(folder.path()).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(
            error.to_string().contains("is in use by process"),
            "{error}"
        );
    }
}
