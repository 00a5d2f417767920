//! A place where a program that nobody trusts can run and reach nothing.
//!
//! [`SandboxReport`] says which layers hold it on this machine. Only Linux has what it takes; see the crate's README for what is
//! promised where.

#[cfg(any(test, not(target_os = "linux")))]
mod elsewhere;
mod limits;
#[cfg(target_os = "linux")]
mod linux;
mod outcome;
mod report;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use limits::Limits;
pub use outcome::{End, Outcome};
pub use report::{Layer, LayerState, SandboxReport};

#[cfg(target_os = "linux")]
pub(crate) use linux::{Confinement, Forker, OWN_PID};

#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::{Confinement, Forker, OWN_PID};

/// How a sandbox is set up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SandboxOptions {
    /// Run programs also where the filter of system calls or the rules for files are missing. Every result is then marked.
    pub allow_unsandboxed: bool,
    /// A folder of a control group (version 2) that is ours to divide, with `memory` and `pids` in its `cgroup.subtree_control`;
    /// that of this process unless said.
    pub cgroup: Option<PathBuf>,
    /// Layers that are left out, to see what each is for. Leaving out [`Layer::Seccomp`] or [`Layer::Landlock`] needs
    /// `allow_unsandboxed`.
    pub without: Vec<Layer>,
}

/// A program that runs others, and what it has to read for that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interpreter {
    pub(crate) path: PathBuf,
    /// Folders with all that is under them, and files.
    pub(crate) readable: Vec<PathBuf>,
    /// The loader of its libraries.
    pub(crate) loader: Option<PathBuf>,
}

/// A sandbox that cannot be had.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// This system lacks what keeps a program in. Nothing was run, and nothing was scored.
    #[error(
        "no sandbox: {} missing. {how_to_fix} Or set `allow_unsandboxed = true` to run programs that nobody \
         has checked with your own rights; every result is then marked", .missing.join("; ")
    )]
    SandboxUnavailable {
        /// What is missing, and what the system said.
        missing: Vec<String>,
        /// What to do about it.
        how_to_fix: String,
    },
    /// The interpreter does not run in the sandbox.
    #[error("{} does not run in the sandbox: {reason}", .interpreter.display())]
    Interpreter {
        /// The interpreter.
        interpreter: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// A run could not be started, watched or collected: nothing is known about the program.
    #[error("the sandbox failed: {reason}")]
    Failed {
        /// What went wrong.
        reason: String,
    },
}

/// Stops runs from outside. Clones stop the same runs.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Stops everything that has this.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether [`cancel`](Self::cancel) was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
