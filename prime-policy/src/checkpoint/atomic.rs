//! Files that appear whole or not at all.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::error::PolicyError;

/// The ending of a file that is still being written; a crash can leave one behind.
pub(crate) const PARTIAL: &str = ".partial";

/// Writes `bytes` to `path` so that a crash leaves either the old file or the new one.
///
/// # Errors
/// [`PolicyError::Io`] names the path.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), PolicyError> {
    replace_file(path, |out| {
        out.write_all(bytes).map_err(PolicyError::io(path))
    })
}

/// Lets `fill` write a file beside `path`, brings it to the disk and renames it to `path`.
///
/// # Errors
/// [`PolicyError::Io`] names the path; `fill`'s own errors. The old file, if any, is untouched then.
pub(crate) fn replace_file(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> Result<(), PolicyError>,
) -> Result<(), PolicyError> {
    let io = PolicyError::io(path);
    let folder = folder_of(path);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!(".{name}.");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(PARTIAL);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // What `File::create` asks for: the umask decides who may read a model, as for any other file.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let file = builder.tempfile_in(folder).map_err(&io)?;
    let mut out = BufWriter::new(file.as_file());
    fill(&mut out)?;
    out.flush().map_err(&io)?;
    drop(out);
    file.as_file().sync_all().map_err(&io)?;
    file.persist(path).map_err(|error| io(error.error))?;
    sync_folder(folder)
}

/// Brings renames and removals in `folder` to the disk, in the order in which they were made.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), PolicyError> {
    // Windows has no handle of a folder to flush; its renames are ordered by the journal.
    #[cfg(unix)]
    File::open(folder)
        .and_then(|handle| handle.sync_all())
        .map_err(PolicyError::io(folder))?;
    let _ = folder;
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_atomically(&path, b"old").unwrap();
        let error = replace_file(&path, |out| {
            out.write_all(b"half").map_err(PolicyError::io(&path))?;
            Err(PolicyError::Tokenizer("no".to_owned()))
        });
        assert!(matches!(error, Err(PolicyError::Tokenizer(_))));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        write_atomically(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_has_the_permissions_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
        write_atomically(&ours, b"x").unwrap();
        fs::write(&plain, b"x").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }
}
