//! What a new process does before it becomes the interpreter: prepared by the parent, carried out by the child.
//!
//! The order of the steps is the point. Mounts need capabilities, so they come before the change of user; the rules of
//! Landlock forbid mounts, so they come after; the filter forbids most of the other steps, so it comes last.

use std::ffi::{CStr, CString, c_int};
use std::os::fd::RawFd;

use rustix::io::Errno;
use rustix::process::Resource;

use super::namespaces::IdMaps;
use super::root::Root;
use super::sys::{Child, Pointers};

/// Where the interpreter is open until it is executed. Above the limit of descriptors, so that after the exec, which
/// closes it, no program can have a descriptor of this number; and the filter allows the execution of no other, without a path.
pub(super) const EXEC_FD: RawFd = 65;
/// Where a failed step is written to; closed by the exec.
const ERROR_FD: RawFd = 64;
/// Descriptors that are in use while the others are put in their places start here.
const SPARE_FD: RawFd = 66;
/// Descriptors a program may have; all have lower numbers than this.
pub(super) const MAX_FILES: u64 = 64;

/// The steps, for the message about one that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Step {
    Session,
    IdMaps,
    Root,
    Files,
    Interpreter,
    User,
    Limits,
    NoNewPrivileges,
    DeathSignal,
    Landlock,
    Seccomp,
    Exec,
}

impl Step {
    const ALL: [Step; 12] = [
        Step::Session,
        Step::IdMaps,
        Step::Root,
        Step::Files,
        Step::Interpreter,
        Step::User,
        Step::Limits,
        Step::NoNewPrivileges,
        Step::DeathSignal,
        Step::Landlock,
        Step::Seccomp,
        Step::Exec,
    ];

    fn name(self) -> &'static str {
        match self {
            Step::Session => "setsid",
            Step::IdMaps => "writing the id maps of the new user namespace",
            Step::Root => "mounting the file system of the new mount namespace",
            Step::Files => "putting the descriptors in their places",
            Step::Interpreter => "opening the interpreter",
            Step::User => "changing to an unused user",
            Step::Limits => "setting the resource limits",
            Step::NoNewPrivileges => "prctl(PR_SET_NO_NEW_PRIVS)",
            Step::DeathSignal => "prctl(PR_SET_PDEATHSIG)",
            Step::Landlock => "landlock_restrict_self",
            Step::Seccomp => "seccomp(SECCOMP_SET_MODE_FILTER)",
            Step::Exec => "executing the interpreter",
        }
    }
}

/// A step that failed in the child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) step: Step,
    pub(super) errno: Errno,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} failed: {}", self.step.name(), self.errno)
    }
}

impl Failure {
    /// What the child wrote before it gave up, if it did.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let [step, errno @ ..] = bytes else {
            return None;
        };
        let step = *Step::ALL.get(usize::from(*step))?;
        let errno = i32::from_le_bytes(errno.try_into().ok()?);
        Some(Self {
            step,
            errno: Errno::from_raw_os_error(errno),
        })
    }
}

/// A limit of `setrlimit`, soft and hard.
pub(super) type ResourceLimit = (Resource, u64, u64);

/// Everything that the child will need, in memory before it exists.
pub(super) struct Plan<'p> {
    /// The process that this one must not outlive.
    pub(super) parent_pidfd: RawFd,
    pub(super) id_maps: Option<&'p IdMaps>,
    pub(super) root: Option<&'p Root>,
    /// What becomes descriptor 0, 1, 2, and 3 if there are four.
    pub(super) files: &'p [RawFd],
    pub(super) error_fd: RawFd,
    pub(super) interpreter: &'p CStr,
    /// Where the empty path of the execution is put.
    pub(super) path_address: u64,
    pub(super) user: Option<u32>,
    pub(super) limits: &'p [ResourceLimit],
    pub(super) landlock: Option<RawFd>,
    pub(super) filter: Option<(&'p mut [libc::sock_filter], &'p [usize])>,
    pub(super) arguments: &'p Pointers<'p>,
    pub(super) environment: &'p Pointers<'p>,
}

impl Plan<'_> {
    /// Runs in the child: becomes the interpreter, or says why not and ends.
    pub(super) fn carry_out(&mut self, child: &Child) {
        let mut error_fd = self.error_fd;
        let (step, errno) = self.steps(child, &mut error_fd);
        let mut message = [step as u8, 0, 0, 0, 0];
        message[1..].copy_from_slice(&errno.raw_os_error().to_le_bytes());
        let _ = child.write(error_fd, &message);
    }

    fn steps(&mut self, child: &Child, error_fd: &mut RawFd) -> (Step, Errno) {
        match self.prepare(child, error_fd) {
            Ok(()) => {
                let errno =
                    child.exec(EXEC_FD, self.path_address, self.arguments, self.environment);
                (Step::Exec, errno)
            }
            Err(failed) => failed,
        }
    }

    fn prepare(&mut self, child: &Child, error_fd: &mut RawFd) -> Result<(), (Step, Errno)> {
        let at = |step: Step| move |errno: Errno| (step, errno);
        child.setsid().map_err(at(Step::Session))?;
        if let Some(maps) = self.id_maps {
            maps.write(child).map_err(at(Step::IdMaps))?;
        }
        let (parent, ruleset) = self.place_files(child, error_fd).map_err(at(Step::Files))?;
        if let Some(root) = self.root {
            root.enter(child).map_err(at(Step::Root))?;
        }
        child.chdir(c"/").map_err(at(Step::Root))?;
        let interpreter = child
            .open(self.interpreter, libc::O_PATH)
            .map_err(at(Step::Interpreter))?;
        // Where the grader has every number below open, it is there already, and `dup3` refuses that.
        if interpreter != EXEC_FD {
            child
                .dup_to(interpreter, EXEC_FD, libc::O_CLOEXEC)
                .map_err(at(Step::Interpreter))?;
        }
        // Before the limit of address space, which this process may be over already.
        child
            .map_zero_page(self.path_address)
            .map_err(at(Step::Interpreter))?;
        if let Some(user) = self.user {
            child.become_user(user).map_err(at(Step::User))?;
        }
        for &(resource, soft, hard) in self.limits {
            let set = child.set_limit(resource as c_int, soft, hard);
            set.map_err(at(Step::Limits))?;
        }
        let no_new_privileges = child.prctl(libc::PR_SET_NO_NEW_PRIVS, 1);
        no_new_privileges.map_err(at(Step::NoNewPrivileges))?;
        // A change of user clears this, so it comes after; and the parent may have died before it.
        let death_signal = child.prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as _);
        death_signal.map_err(at(Step::DeathSignal))?;
        if child.has_ended(parent) {
            child.exit(126);
        }
        if let Some(ruleset) = ruleset {
            child.landlock(ruleset).map_err(at(Step::Landlock))?;
        }
        self.close_others(child).map_err(at(Step::Files))?;
        child.reset_signals();
        if let Some((filter, own_pid)) = &mut self.filter {
            // The filter lets a process send signals to itself, and only now is it known who that is.
            let pid = child.pid();
            for &at in own_pid.iter() {
                if let Some(instruction) = filter.get_mut(at) {
                    instruction.k = pid;
                }
            }
            child.seccomp(filter).map_err(at(Step::Seccomp))?;
        }
        Ok(())
    }

    /// Standard streams at 0 to 2 and so on. First all of them upwards: a place may be where another one is.
    fn place_files(
        &self,
        child: &Child,
        error_fd: &mut RawFd,
    ) -> Result<(RawFd, Option<RawFd>), Errno> {
        let parent = child.move_up(self.parent_pidfd, SPARE_FD)?;
        let ruleset = match self.landlock {
            Some(ruleset) => Some(child.move_up(ruleset, SPARE_FD)?),
            None => None,
        };
        let moved_error = child.move_up(*error_fd, SPARE_FD)?;
        let mut moved = [-1; 4];
        for (to, from) in moved.iter_mut().zip(self.files) {
            *to = child.move_up(*from, SPARE_FD)?;
        }
        child.dup_to(moved_error, ERROR_FD, libc::O_CLOEXEC)?;
        *error_fd = ERROR_FD;
        for (target, from) in (0..).zip(moved).take(self.files.len()) {
            child.dup_to(from, target, 0)?;
        }
        Ok((parent, ruleset))
    }

    fn close_others(&self, child: &Child) -> Result<(), Errno> {
        let first = self.files.len() as u32;
        child.close_range(first, ERROR_FD as u32 - 1)?;
        child.close_range(EXEC_FD as u32 + 1, u32::MAX)
    }
}

/// Texts for [`Pointers`], which borrows them.
pub(super) fn pointers(texts: &[CString]) -> Pointers<'_> {
    Pointers::new(texts.iter().map(CString::as_c_str))
}
