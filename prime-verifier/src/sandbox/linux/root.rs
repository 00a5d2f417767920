//! A file system with the interpreter and its libraries, and nothing else.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::sys::Child;

/// Where the new file system is put together before it becomes the root. Each is in every system; the first that is not above a
/// folder to be shown is taken, since what is under it can't be seen any more then.
const PLACES: [&str; 4] = ["/tmp", "/var", "/proc", "/sys"];

/// A plan for a root: an empty, read-only file system with some folders and files of the host mounted into it.
#[derive(Debug)]
pub(super) struct Root {
    place: CString,
    old: CString,
    /// Empty folders, parents first.
    folders: Vec<CString>,
    /// Empty files.
    files: Vec<CString>,
    /// From the host, to the new file system.
    mounts: Vec<(CString, CString)>,
}

impl Root {
    /// A root that shows `paths` and what is under them. `None` if there is no place to build it.
    pub(super) fn showing(paths: &[PathBuf]) -> Option<Self> {
        let is_above = |place: &Path| paths.iter().any(|path| path.starts_with(place));
        let place = PLACES.map(Path::new);
        let place = place
            .into_iter()
            .find(|place| place.is_dir() && !is_above(place))?;
        let text = |path: &Path| CString::new(path.as_os_str().as_bytes()).ok();
        let inside = |path: &Path| place.join(path.strip_prefix("/").unwrap_or(path));

        let old = place.join(".host");
        let mut folders = BTreeSet::from([old.clone()]);
        let mut files = BTreeSet::new();
        let mut mounts = vec![];
        for path in paths {
            let target = inside(path);
            let parents = target.ancestors().skip(1);
            let parents = parents.take_while(|parent| *parent != place);
            folders.extend(parents.map(Path::to_path_buf));
            if path.is_dir() {
                folders.insert(target.clone());
            } else {
                files.insert(target.clone());
            }
            mounts.push((text(path)?, text(&target)?));
        }
        let texts = |paths: BTreeSet<PathBuf>| -> Option<Vec<CString>> {
            paths.iter().map(|path| text(path)).collect()
        };
        Some(Self {
            place: text(place)?,
            old: text(&old)?,
            folders: texts(folders)?,
            files: texts(files)?,
            mounts,
        })
    }

    /// In the child, in a mount namespace of its own: builds the root and makes it `/`.
    pub(super) fn enter(&self, child: &Child) -> Result<(), Errno> {
        // Nothing that happens here is to reach the host.
        let private = libc::MS_REC | libc::MS_PRIVATE;
        child.mount(None, c"/", None, private, None)?;
        let flags = libc::MS_NOSUID | libc::MS_NODEV;
        let tmpfs = Some(c"tmpfs");
        let options = Some(c"size=1m,nr_inodes=4096,mode=755");
        child.mount(tmpfs, &self.place, tmpfs, flags, options)?;
        for folder in &self.folders {
            child.mkdir(folder)?;
        }
        for file in &self.files {
            child.create(file)?;
        }
        for (from, to) in &self.mounts {
            child.mount(Some(from), to, None, libc::MS_BIND | libc::MS_REC, None)?;
        }
        child.pivot_root(&self.place, &self.old)?;
        child.chdir(c"/")?;
        child.detach(c"/.host")?;
        child.protect_mounts(c"/", libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID)
    }
}
