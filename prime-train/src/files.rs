//! Writing files so that a reader never sees half of one.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

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
    let beside = neighbour(path, "tmp");
    let file = File::create(&beside).map_err(TrainError::io("write", path))?;
    let mut new = NewFile::open(path.to_path_buf(), beside, file);
    new.write_all(bytes)
        .map_err(TrainError::io("write", path))?;
    new.finish()
}

/// A file that is written bit by bit and takes its place when it is whole. Until then the old file stays, and if it never
/// is finished, it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct NewFile {
    out: BufWriter<File>,
    beside: PathBuf,
    path: PathBuf,
    finished: bool,
}

impl NewFile {
    /// Starts the file that is to stand at `path`, creating its folder. Where `path` is a link, what it points to is replaced.
    pub(crate) fn create(path: &Path) -> Result<Self, TrainError> {
        create_parent(path)?;
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let (beside, file) = fresh_neighbour(&path).map_err(TrainError::io("write", &path))?;
        let new = Self::open(path, beside, file);
        if let Ok(old) = fs::metadata(&new.path) {
            new.out
                .get_ref()
                .set_permissions(old.permissions())
                .map_err(TrainError::io("write", &new.path))?;
        }
        Ok(new)
    }

    fn open(path: PathBuf, beside: PathBuf, file: File) -> Self {
        Self {
            out: BufWriter::new(file),
            beside,
            path,
            finished: false,
        }
    }

    /// Puts the file in its place.
    pub(crate) fn finish(mut self) -> Result<(), TrainError> {
        self.out
            .flush()
            .and_then(|()| self.out.get_ref().sync_all())
            .and_then(|()| fs::rename(&self.beside, &self.path))
            .map_err(TrainError::io("write", &self.path))?;
        self.finished = true;
        Ok(())
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.finished {
            // Half a file is of no use to anybody; the error that led here is what counts.
            let _ = fs::remove_file(&self.beside);
        }
    }
}

/// A file that did not exist, beside `path`: whatever else is in the folder, it is not ours to overwrite.
fn fresh_neighbour(path: &Path) -> io::Result<(PathBuf, File)> {
    let mut attempt = 0;
    loop {
        let beside = neighbour(path, &format!("{}-{attempt}.tmp", std::process::id()));
        match File::create_new(&beside) {
            Ok(file) => return Ok((beside, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

fn neighbour(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(extension);
    path.with_file_name(name)
}

/// Reads a whole text file.
pub(crate) fn read_text(path: &Path) -> Result<String, TrainError> {
    fs::read_to_string(path).map_err(TrainError::io("read", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_takes_its_place_when_it_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/rows.jsonl");
        let names = || fs::read_dir(path.parent().unwrap()).unwrap().count();
        let write = |text: &str| {
            let mut new = NewFile::create(&path).unwrap();
            new.write_all(text.as_bytes()).unwrap();
            new
        };
        write("one").finish().unwrap();
        assert_eq!((read_text(&path).unwrap().as_str(), names()), ("one", 1));

        let (left, right) = (write("two"), write("three"));
        assert_eq!((read_text(&path).unwrap().as_str(), names()), ("one", 3));
        drop(left);
        right.finish().unwrap();
        assert_eq!((read_text(&path).unwrap().as_str(), names()), ("three", 1));
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_outlive_a_new_file() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("private");
        let link = folder.path().join("link");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&path, &link).unwrap();

        let mut new = NewFile::create(&link).unwrap();
        new.write_all(b"new").unwrap();
        new.finish().unwrap();
        assert_eq!(read_text(&path).unwrap(), "new");
        assert!(link.is_symlink());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
