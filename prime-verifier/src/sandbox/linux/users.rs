//! Users that nobody is, for runs of a grader that is root.

use std::sync::atomic::{AtomicU32, Ordering};

/// Where numbers start that neither systems nor containers hand out.
const FIRST: u32 = 0x7a00_0000;
/// Numbers for one grader.
const EACH: u32 = 4096;
/// Where numbers that high do not exist, as in a user namespace that maps 65,536.
const NOBODY: u32 = 65534;

/// The users that runs get.
#[derive(Debug)]
pub(super) enum Users {
    /// That of the grader.
    Same,
    /// Each run another.
    Unused { next: AtomicU32 },
    /// All the same, which others may be too.
    Nobody,
}

impl Users {
    pub(super) fn unused() -> Self {
        Self::Unused {
            next: AtomicU32::new(0),
        }
    }

    /// The user of the next run, if it is to be another.
    pub(super) fn next(&self) -> Option<u32> {
        match self {
            Self::Same => None,
            Self::Nobody => Some(NOBODY),
            Self::Unused { next } => {
                let grader = FIRST + std::process::id() % EACH * EACH;
                Some(grader + next.fetch_add(1, Ordering::Relaxed) % EACH)
            }
        }
    }
}
