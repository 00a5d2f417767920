//! What can keep programs from being graded at all.

use std::path::PathBuf;

use crate::sandbox::SandboxError;

/// A grader of programs that cannot be set up. What a *program* does never leads here.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// An interpreter that will not do.
    #[error("{}: {reason}", .path.display())]
    Python {
        /// What was to be executed.
        path: PathBuf,
        /// What is the matter with it.
        reason: String,
    },
    /// No interpreter will do.
    #[error(
        "no Python 3.9 or newer runs here; install one (on Debian and Ubuntu `apt install python3`), or name one as \
         `python`. Tried: {}", if .tried.is_empty() { "nothing, PATH leads to no python3" } else { tried }
    )]
    NoPython {
        /// Each that was tried, and what is the matter with it.
        tried: String,
    },
    /// A limit that leaves a program no room at all.
    #[error("limit `{limit}` {must}")]
    Limit {
        /// Its name.
        limit: &'static str,
        /// What it has to be.
        must: &'static str,
    },
    /// The preamble does not run.
    #[error("the preamble does not run: {reason}")]
    Preamble {
        /// What the interpreter said.
        reason: String,
    },
    /// There is no sandbox.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The threads that run tests cannot be started.
    #[error("a thread for running tests does not start: {reason}")]
    Thread {
        /// What the system said.
        reason: String,
    },
}
