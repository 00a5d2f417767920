//! New namespaces for a run, where the system gives them.

use std::ffi::CString;

use rustix::io::Errno;
use rustix::process::{getegid, geteuid};

use super::sys::Child;
use crate::sandbox::Layer;

/// Every kind that is tried.
pub(super) const KINDS: [(u64, Layer); 6] = [
    (libc::CLONE_NEWUSER as u64, Layer::UserNamespace),
    (libc::CLONE_NEWPID as u64, Layer::PidNamespace),
    (libc::CLONE_NEWNS as u64, Layer::MountNamespace),
    (libc::CLONE_NEWNET as u64, Layer::NetNamespace),
    (libc::CLONE_NEWIPC as u64, Layer::IpcNamespace),
    (libc::CLONE_NEWUTS as u64, Layer::UtsNamespace),
];

/// Who the one user of a user namespace is in it: nobody, so that an exec leaves it no capability.
const INSIDE: u32 = 65534;

/// The maps of a user namespace with one user.
#[derive(Debug)]
pub(super) struct IdMaps {
    users: CString,
    groups: CString,
}

impl IdMaps {
    pub(super) fn own() -> Self {
        let map = |id: u32| CString::new(format!("{INSIDE} {id} 1\n")).unwrap_or_default();
        Self {
            users: map(geteuid().as_raw()),
            groups: map(getegid().as_raw()),
        }
    }

    /// In the child. Groups can be mapped without privileges only where `setgroups` is given up first.
    pub(super) fn write(&self, child: &Child) -> Result<(), Errno> {
        let put = |path, bytes: &[u8]| {
            let file = child.open(path, libc::O_WRONLY)?;
            child.write(file, bytes)?;
            child.close(file)
        };
        put(c"/proc/self/setgroups", b"deny")?;
        put(c"/proc/self/gid_map", self.groups.to_bytes())?;
        put(c"/proc/self/uid_map", self.users.to_bytes())
    }
}
