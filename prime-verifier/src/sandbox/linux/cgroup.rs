//! Control groups (version 2), where a part of the tree is ours to divide.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::io::Errno;

use crate::sandbox::Limits;

/// Names of the groups made here start with this and the number of the process that made them.
const PREFIX: &str = "prime-verifier";
/// Memory that a group may use beyond the address space of its program: what the kernel itself needs for it.
const OVERHEAD: u64 = 64 << 20;

/// A group under which groups can be made that limit memory and processes.
#[derive(Debug)]
pub(super) struct Parent {
    folder: PathBuf,
}

impl Parent {
    /// The group `folder`, or else the one that this process is in.
    ///
    /// # Errors
    /// A sentence that says what is missing.
    pub(super) fn open(folder: Option<&Path>) -> Result<Self, String> {
        let folder = match folder {
            Some(folder) => folder.to_path_buf(),
            None => own_group()?,
        };
        let offered = fs::read_to_string(folder.join("cgroup.subtree_control"))
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        for controller in ["memory", "pids"] {
            if !offered
                .split_ascii_whitespace()
                .any(|name| name == controller)
            {
                return Err(format!(
                    "the controller `{controller}` is not in {}/cgroup.subtree_control",
                    folder.display()
                ));
            }
        }
        let parent = Self { folder };
        parent.sweep();
        let trial = parent.make(&Limits::default());
        trial.map_err(|errno| format!("making a group in {}: {errno}", parent.folder.display()))?;
        Ok(parent)
    }

    /// A new group with these limits.
    pub(super) fn make(&self, limits: &Limits) -> Result<Group, Errno> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}-{}-{number}", std::process::id());
        let folder = self.folder.join(name);
        let errno = |error: io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
        fs::create_dir(&folder).map_err(errno)?;
        let opened = File::open(&folder).map_err(errno);
        let group = match opened {
            Ok(directory) => Group { folder, directory },
            Err(error) => {
                let _ = fs::remove_dir(&folder);
                return Err(error);
            }
        };
        let memory = limits.memory.saturating_add(OVERHEAD);
        let set = |file: &str, value: u64| fs::write(group.folder.join(file), value.to_string());
        set("memory.max", memory).map_err(errno)?;
        // Not on every kernel, and nothing is swapped where it is not.
        let _ = set("memory.swap.max", 0);
        set("pids.max", u64::from(limits.threads) + 1).map_err(errno)?;
        Ok(group)
    }

    /// Removes what an earlier process left behind when it was killed: empty groups.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let maker = name.to_str().and_then(|name| {
                name.strip_prefix(PREFIX)?
                    .strip_prefix('-')?
                    .split('-')
                    .next()
            });
            if let Some(maker) = maker
                && !Path::new("/proc").join(maker).exists()
            {
                let _ = fs::remove_dir(entry.path());
            }
        }
    }
}

/// A group for one process; removed when this is dropped, with all that is in it.
#[derive(Debug)]
pub(super) struct Group {
    folder: PathBuf,
    directory: File,
}

impl Group {
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// How often the kernel ended a process in it for want of memory.
    pub(super) fn out_of_memory(&self) -> u64 {
        let events = fs::read_to_string(self.folder.join("memory.events")).unwrap_or_default();
        let mut kills = events
            .lines()
            .filter_map(|line| line.strip_prefix("oom_kill "));
        kills
            .next()
            .and_then(|count| count.parse().ok())
            .unwrap_or(0)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::write(self.folder.join("cgroup.kill"), "1");
        // The kernel takes a moment to take processes out of the group.
        for _ in 0..200 {
            match fs::remove_dir(&self.folder) {
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }
                _ => break,
            }
        }
    }
}

/// The folder of the group of version 2 that this process is in.
fn own_group() -> Result<PathBuf, String> {
    let of = |path: &str| fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
    let groups = of("/proc/self/cgroup")?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::"));
    let group = group.ok_or("this process is in no control group of version 2")?;
    let mounts = of("/proc/self/mountinfo")?;
    let mount = mounts.lines().find_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let folder = place.split(' ').nth(4)?;
        kind.starts_with("cgroup2 ").then_some(folder)
    });
    let mount = mount.ok_or("control groups of version 2 are not mounted")?;
    Ok(Path::new(mount).join(group.trim_start_matches('/')))
}
