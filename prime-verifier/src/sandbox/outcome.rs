//! What came of a run.

use std::time::Duration;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// By itself, with this exit status.
    Exited(i32),
    /// By a signal that no limit sent: a crash, `abort`, or a violation of the filter (`SIGSYS`).
    Signaled(i32),
    /// It used up its processor time.
    CpuLimit,
    /// It used up its time on the clock.
    WallLimit,
    /// It wrote more than it may.
    OutputLimit,
    /// It had more threads than it may.
    ThreadLimit,
    /// The kernel ended it at the memory limit of its control group.
    MemoryLimit,
    /// It was stopped from outside.
    Cancelled,
}

/// A run that is over: nothing of it is left but this.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// What it wrote to standard output, at most [`Limits::output`](super::Limits::output) bytes of it.
    pub stdout: Vec<u8>,
    /// The end of what it wrote to standard error, at most 64 KiB.
    pub stderr: Vec<u8>,
    /// Processor time.
    pub cpu: Duration,
    /// Time on the clock.
    pub wall: Duration,
    /// The largest resident set, in bytes; 0 where it is not known.
    pub peak_memory: u64,
}
