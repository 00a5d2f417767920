//! A process in the sandbox, from its start to its end.

use std::ffi::CString;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd, RawFd};

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    PidfdFlags, Resource, Signal, getpid, getrlimit, pidfd_open, pidfd_send_signal,
};
use rustix::rand::{GetRandomFlags, getrandom};

use super::Confinement;
use super::cgroup::Group;
use super::plan::{Failure, MAX_FILES, Plan, ResourceLimit, pointers};
use super::seccomp::{Filter, Role};
use super::sys::{self, Spawned, Waited};
use crate::sandbox::Limits;

/// Stack that the first thread may use, in bytes.
const STACK: u64 = 256 << 20;

/// What starting a process can fail with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum StartError {
    #[error("{what} failed: {errno}")]
    Parent { what: &'static str, errno: Errno },
    #[error("{0}")]
    Child(Failure),
}

/// A process that is ended when this is dropped.
pub(super) struct Process {
    spawned: Spawned,
    /// What went wrong before the interpreter started; silent and closed once it has.
    errors: OwnedFd,
    waited: Option<Waited>,
    group: Option<Group>,
}

impl Process {
    /// Starts the interpreter with `arguments` (its name not among them) and `files` as descriptors 0, 1, …
    pub(super) fn start(
        confinement: &Confinement,
        role: Role,
        arguments: &[CString],
        files: &[RawFd],
        limits: &Limits,
    ) -> Result<Self, StartError> {
        let at = |what| move |errno| StartError::Parent { what, errno };
        let (errors, their_errors) = pipe_with(PipeFlags::CLOEXEC).map_err(at("pipe"))?;
        fcntl_setfl(&errors, OFlags::NONBLOCK).map_err(at("fcntl"))?;
        let own = pidfd_open(getpid(), PidfdFlags::empty()).map_err(at("pidfd_open"))?;
        let group = match &confinement.cgroup {
            Some(parent) => Some(parent.make(limits).map_err(at("making a control group"))?),
            None => None,
        };
        let mut texts = vec![confinement.interpreter.clone()];
        texts.extend_from_slice(arguments);
        let limits = resource_limits(confinement, role, limits);
        let path_address = secret_address().map_err(at("getrandom"))?;
        let mut filter = confinement.filter(role).cloned();
        if let Some(filter) = &mut filter {
            filter.set_path(path_address);
        }
        let filter = filter.as_mut().map(
            |Filter {
                 instructions,
                 own_pid,
             }| { (instructions.as_mut_slice(), own_pid.as_slice()) },
        );
        let mut plan = Plan {
            parent_pidfd: own.as_raw_fd(),
            id_maps: confinement.id_maps.as_ref(),
            root: confinement.root.as_ref(),
            files,
            error_fd: their_errors.as_raw_fd(),
            interpreter: &confinement.interpreter,
            path_address,
            user: confinement.users.next(),
            limits: &limits,
            landlock: confinement.landlock.as_ref().map(|fd| fd.as_raw_fd()),
            filter,
            arguments: &pointers(&texts),
            environment: &pointers(&confinement.environment),
        };
        let into = group.as_ref().map(Group::as_fd);
        let spawned = sys::spawn(confinement.namespaces(role), into, |child| {
            plan.carry_out(child)
        })
        .map_err(at("clone"))?;
        Ok(Self {
            spawned,
            errors,
            waited: None,
            group,
        })
    }

    pub(super) fn pidfd(&self) -> BorrowedFd<'_> {
        self.spawned.pidfd.as_fd()
    }

    pub(super) fn pid(&self) -> i32 {
        self.spawned.pid
    }

    /// What the child said before it gave up, if the interpreter never started.
    pub(super) fn failure(&self) -> Option<Failure> {
        let mut message = [0; 8];
        let count = rustix::io::read(&self.errors, &mut message).ok()?;
        Failure::from_bytes(message.get(..count)?)
    }

    /// How often the kernel ended something in its control group for want of memory.
    pub(super) fn out_of_memory(&self) -> u64 {
        self.group.as_ref().map_or(0, Group::out_of_memory)
    }

    pub(super) fn kill(&self) {
        // The error is that it is gone already.
        let _ = pidfd_send_signal(self.pidfd(), Signal::KILL);
    }

    /// Waits for its end and collects it.
    pub(super) fn wait(&mut self) -> Result<Waited, Errno> {
        if let Some(waited) = self.waited {
            return Ok(waited);
        }
        let waited = sys::wait(self.spawned.pid)?;
        self.waited = Some(waited);
        Ok(waited)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.waited.is_none() {
            self.kill();
            let _ = self.wait();
        }
    }
}

/// Seconds for the kernel, which counts whole ones.
pub(super) fn cpu_seconds(limits: &Limits) -> u64 {
    limits.cpu.as_secs() + u64::from(limits.cpu.subsec_nanos() > 0)
}

/// Somewhere in the address space, between where programs and where libraries are; a byte in 2^45, or 2^37 where the space may be that small.
fn secret_address() -> Result<u64, Errno> {
    let bits = if cfg!(target_arch = "x86_64") { 45 } else { 37 };
    let mut random = [0; 8];
    let mut filled = 0;
    while filled < random.len() {
        filled += getrandom(&mut random[filled..], GetRandomFlags::empty())?;
    }
    Ok((1 << 32) + u64::from_ne_bytes(random) % (1 << bits))
}

fn resource_limits(confinement: &Confinement, role: Role, limits: &Limits) -> Vec<ResourceLimit> {
    if !confinement.resource_limits {
        return vec![];
    }
    let mut list = vec![];
    // What this process may not have itself it cannot give to another.
    let mut add = |resource: Resource, soft: u64, hard: u64| {
        let most = getrlimit(resource).maximum.unwrap_or(u64::MAX);
        list.push((resource, soft.min(most), hard.min(most)));
    };
    for (resource, most) in [
        // Not 0, which programs that the kernel pipes core dumps to would still get.
        (Resource::Core, 1),
        (Resource::Fsize, 0),
        (Resource::Memlock, 0),
        (Resource::Msgqueue, 0),
        (Resource::Nofile, MAX_FILES),
        (Resource::Stack, STACK),
    ] {
        add(resource, most, most);
    }
    if confinement.counts_threads {
        // The forker itself is one more.
        let processes = u64::from(limits.threads) + u64::from(role == Role::Forker);
        add(Resource::Nproc, processes, processes);
    }
    if role == Role::Program {
        let seconds = cpu_seconds(limits);
        add(Resource::Cpu, seconds, seconds.saturating_add(1));
        add(Resource::As, limits.memory, limits.memory);
    }
    list
}
