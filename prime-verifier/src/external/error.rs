//! What can be wrong with the way a grader of your own is set up.

use std::io;

/// A grader that cannot be asked at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraderError {
    /// There is no program in the command.
    #[error("the command is empty; name a program and its arguments")]
    NoCommand,
    /// The program could not be started.
    #[error("`{program}` could not be started: {source}")]
    Start {
        /// The program.
        program: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The program ended before it was asked anything.
    #[error(
        "`{program}` ended before it was asked anything ({how}); it has to read requests from its standard input until that ends"
    )]
    Ended {
        /// The program.
        program: String,
        /// How it ended, with what it wrote to its standard error.
        how: String,
    },
    /// The address is none.
    #[error("`{url}` is no address of a grader: {reason}")]
    Url {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Nobody listens there.
    #[error("nobody answers at {url}: {source}; start the grader first")]
    Unreachable {
        /// The address.
        url: String,
        /// What the operating system said.
        source: io::Error,
    },
}
