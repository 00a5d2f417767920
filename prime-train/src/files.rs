//! Writing files so that a reader never sees half of one.

use std::fs;
use std::path::Path;

use crate::error::TrainError;

/// Creates the folder that is to hold `path`, with its parents.
pub(crate) fn create_parent(path: &Path) -> Result<(), TrainError> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            fs::create_dir_all(folder).map_err(TrainError::io("create", folder))
        }
        _ => Ok(()),
    }
}

/// Writes beside `path`, then renames: the old file or the new one, never a mixture.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    create_parent(path)?;
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".tmp");
    let beside = path.with_file_name(name);
    let written = (|| {
        let mut file = fs::File::create(&beside)?;
        std::io::Write::write_all(&mut file, bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    })();
    written.map_err(|source| {
        // The half-written neighbour is of no use to anybody; the write error is what counts.
        let _ = fs::remove_file(&beside);
        TrainError::Io {
            action: "write",
            path: path.to_path_buf(),
            source,
        }
    })
}

/// Reads a whole text file.
pub(crate) fn read_text(path: &Path) -> Result<String, TrainError> {
    fs::read_to_string(path).map_err(TrainError::io("read", path))
}
