//! What a run may use.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What one run of a program may use. Times are in seconds and sizes in bytes where they are written in files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// Processor time, all threads together; 5 s unless said.
    #[serde(with = "seconds")]
    pub cpu: Duration,
    /// Time on the clock; 7 s unless said. More than `cpu`, so that a busy machine fails no one.
    #[serde(with = "seconds")]
    pub wall: Duration,
    /// Address space; 1 GiB unless said. An interpreter takes some 20 MiB of it, a thread 8 MiB.
    pub memory: u64,
    /// What standard output, and standard error by itself, may carry; 16 MiB unless said.
    pub output: usize,
    /// Threads, the first included; 64 unless said. There are no further processes.
    pub threads: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu: Duration::from_secs(5),
            wall: Duration::from_secs(7),
            memory: 1 << 30,
            output: 16 << 20,
            threads: 64,
        }
    }
}

impl Limits {
    /// With this much processor time, and a clock that allows two seconds more.
    #[must_use]
    pub fn with_cpu(mut self, cpu: Duration) -> Self {
        self.cpu = cpu;
        self.wall = cpu.saturating_add(Duration::from_secs(2));
        self
    }

    /// With this much time on the clock.
    #[must_use]
    pub fn with_wall(mut self, wall: Duration) -> Self {
        self.wall = wall;
        self
    }

    /// With this much address space, in bytes.
    #[must_use]
    pub fn with_memory(mut self, bytes: u64) -> Self {
        self.memory = bytes;
        self
    }

    /// With this much output, in bytes.
    #[must_use]
    pub fn with_output(mut self, bytes: usize) -> Self {
        self.output = bytes;
        self
    }

    /// With this many threads.
    #[must_use]
    pub fn with_threads(mut self, threads: u32) -> Self {
        self.threads = threads;
        self
    }

    /// The first limit that leaves a program no room at all, if there is one: its name and what it must be.
    pub(crate) fn impossible(&self) -> Option<(&'static str, &'static str)> {
        if self.cpu.is_zero() {
            Some(("cpu", "must be more than 0 s"))
        } else if self.wall.is_zero() {
            Some(("wall", "must be more than 0 s"))
        } else if self.memory < 64 << 20 {
            Some((
                "memory",
                "must be at least 67108864 bytes (64 MiB), or no interpreter starts",
            ))
        } else if self.threads == 0 {
            Some(("threads", "must be at least 1"))
        } else {
            None
        }
    }
}

/// Durations as a number of seconds.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(time.as_secs_f64())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(from)?;
        Duration::try_from_secs_f64(seconds)
            .map_err(|_| D::Error::custom(format!("{seconds} is not a number of seconds")))
    }
}
