//! The sandbox on Linux.

mod cgroup;
mod forker;
mod landlock;
mod namespaces;
mod plan;
mod probe;
mod process;
mod root;
mod seccomp;
mod supervise;
mod sys;
mod usage;
mod users;

use std::ffi::CString;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;

use namespaces::IdMaps;
use process::{Process, StartError};
use root::Root;
pub(crate) use seccomp::OWN_PID;
use seccomp::{Filter, Role};
use supervise::{Pipes, Supervised, TheirEnds, Watched, supervise};
use sys::Waited;
use users::Users;

use super::{Cancel, End, Limits, Outcome, SandboxError};

/// Everything that is the same for all runs of an interpreter.
#[derive(Debug)]
pub(crate) struct Confinement {
    interpreter: CString,
    environment: Vec<CString>,
    namespaces: u64,
    id_maps: Option<IdMaps>,
    root: Option<Root>,
    users: Users,
    landlock: Option<OwnedFd>,
    filters: Option<Filters>,
    resource_limits: bool,
    /// Whether the kernel's limit of processes counts those of one run only.
    counts_threads: bool,
    cgroup: Option<cgroup::Parent>,
}

/// A run of which nothing is known.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("{what} failed: {errno}")]
    Watch { what: &'static str, errno: Errno },
}

#[derive(Debug)]
struct Filters {
    program: Filter,
    forked: Filter,
    forker: Filter,
}

impl Confinement {
    /// A network namespace takes longer to make than all others together. An interpreter that forks is worth it; a program
    /// that has an interpreter of its own does without, since its filter gives it no socket to use any network with.
    fn namespaces(&self, role: Role) -> u64 {
        match role {
            Role::Program if self.filters.is_some() => {
                self.namespaces & !(libc::CLONE_NEWNET as u64)
            }
            _ => self.namespaces,
        }
    }

    fn filter(&self, role: Role) -> Option<&Filter> {
        self.filters.as_ref().map(|filters| match role {
            Role::Program => &filters.program,
            Role::Forked => &filters.forked,
            Role::Forker => &filters.forker,
        })
    }

    /// Runs the interpreter once with `arguments` and `input`; when this returns, nothing of it is left.
    pub(crate) fn run(
        &self,
        arguments: &[CString],
        input: &[&[u8]],
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<Outcome, SandboxError> {
        let ran = self.try_run(arguments, input, limits, cancel);
        ran.map_err(|error| SandboxError::Failed {
            reason: error.to_string(),
        })
    }

    fn try_run(
        &self,
        arguments: &[CString],
        input: &[&[u8]],
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<Outcome, RunError> {
        let at = |what| move |errno| RunError::Watch { what, errno };
        let (pipes, TheirEnds(theirs)) = Pipes::new().map_err(at("pipe"))?;
        let files = [0, 1, 2].map(|at: usize| theirs[at].as_raw_fd());
        let mut process = Process::start(self, Role::Program, arguments, &files, limits)?;
        drop(theirs);
        let watched = Watched {
            pidfd: process.pidfd(),
            pid: Some(process.pid()),
            input,
            limits,
            cancel,
        };
        let supervised = supervise(pipes, &watched);
        if supervised.is_err() {
            process.kill();
        }
        let waited = process.wait();
        let supervised = supervised.map_err(at("watching"))?;
        let waited = waited.map_err(at("waiting"))?;
        if let Some(failure) = process.failure() {
            return Err(StartError::Child(failure).into());
        }
        let out_of_memory = process.out_of_memory() > 0;
        Ok(outcome(supervised, waited, limits, out_of_memory))
    }

    /// Starts an interpreter that forks a process for each run; see [`Forker`].
    pub(crate) fn forker(
        &self,
        arguments: &[CString],
        preamble: &str,
        limits: &Limits,
    ) -> Result<Forker, SandboxError> {
        let started = forker::Forker::start(self, arguments, preamble, limits);
        let inner = started.map_err(|error| SandboxError::Failed {
            reason: error.to_string(),
        })?;
        Ok(Forker { inner })
    }
}

/// An interpreter with everything imported, which forks a process for each run.
pub(crate) struct Forker {
    inner: forker::Forker,
}

impl Forker {
    /// Runs a program that is the first thing on its standard input. After an error this forker is of no use any more.
    pub(crate) fn run(
        &self,
        input: &[&[u8]],
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<Outcome, SandboxError> {
        let before = self.inner.out_of_memory();
        let ran = self.inner.run(input, limits, cancel);
        let (supervised, waited) = ran.map_err(|error| SandboxError::Failed {
            reason: error.to_string(),
        })?;
        let out_of_memory = self.inner.out_of_memory() > before;
        Ok(outcome(supervised, waited, limits, out_of_memory))
    }
}

fn outcome(
    supervised: Supervised,
    waited: Waited,
    limits: &Limits,
    out_of_memory: bool,
) -> Outcome {
    let cpu = Duration::from_micros(waited.cpu_micros);
    let status = waited.status;
    let end = if let Some(end) = supervised.ended {
        end
    } else if out_of_memory {
        End::MemoryLimit
    } else if cpu > limits.cpu {
        End::CpuLimit
    } else if libc::WIFSIGNALED(status) {
        End::Signaled(libc::WTERMSIG(status))
    } else {
        End::Exited(libc::WEXITSTATUS(status))
    };
    Outcome {
        end,
        stdout: supervised.stdout,
        stderr: supervised.stderr,
        cpu,
        wall: supervised.wall,
        peak_memory: waited.peak_kib * 1024,
    }
}
