//! The unsafe part: making a process, and the system calls of that process before it becomes another program.
//!
//! Three things here need `unsafe`, and nothing else in this crate does:
//! 1. [`spawn`] makes a process with `clone`, without shared memory, as `fork` does, or with `clone3` in a control group;
//! 2. [`Child`] holds the system calls of that process, each a single `syscall` with checked arguments;
//! 3. [`wait`] collects a dead process, and [`landlock_version`] asks a question that no crate asks.
//!
//! Between `clone` and `execveat` the new process has one thread and a copy of a heap whose locks other threads may have
//! held. So what runs there must be async-signal-safe: no allocation, no lock, no `std::io`. [`Child`] can only be got
//! inside [`spawn`]'s closure and offers system calls only; everything they need was allocated before.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_long, c_ulong};
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::ptr;

use rustix::io::Errno;

type Result0 = Result<(), Errno>;

fn check(result: c_long) -> Result<c_long, Errno> {
    if result >= 0 {
        return Ok(result);
    }
    // SAFETY: the address of this thread's own errno, always valid.
    Err(Errno::from_raw_os_error(unsafe {
        *libc::__errno_location()
    }))
}

/// An argument at the width of a register: a variadic call would pass an `i32` with anything in its upper half.
trait Word {
    fn word(self) -> c_long;
}

macro_rules! word {
    ($($kind:ty),*) => {
        $(impl Word for $kind {
            fn word(self) -> c_long {
                self as c_long
            }
        })*
    };
}

word!(i32, u32, i64, u64, usize);

impl<T> Word for *const T {
    fn word(self) -> c_long {
        self as c_long
    }
}

impl<T> Word for *mut T {
    fn word(self) -> c_long {
        self as c_long
    }
}

/// A system call with up to five arguments.
macro_rules! call {
    ($number:expr $(, $argument:expr)* $(,)?) => {
        // SAFETY: every pointer among the arguments comes from a reference that outlives the call (`CStr`s, slices and
        // structures that the method borrows), with the length or the end mark that this system call expects. The call
        // changes no memory but what is passed mutably.
        check(unsafe { libc::syscall($number $(, Word::word($argument))*) })
    };
}

/// What [`spawn`] gives back: the process, as a number and as a descriptor that keeps the number from being used again.
#[derive(Debug)]
pub(super) struct Spawned {
    pub(super) pid: libc::pid_t,
    pub(super) pidfd: OwnedFd,
}

/// The arguments of `clone3`, as the kernel lays them out (version 2, Linux 5.7).
#[repr(C, align(8))]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// libc has it in a type that is too narrow.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Makes a process in new `namespaces` (`CLONE_NEW…` flags) and in a control group, and runs `body` in it.
///
/// `body` must keep to the rules of this module: what it does beyond arithmetic on what exists already goes through its [`Child`].
/// When it returns, the process ends.
///
/// # Errors
/// Those of `clone`: `EPERM` for namespaces that are not allowed, `EAGAIN` at a limit of processes, `ENOMEM`.
pub(super) fn spawn(
    namespaces: u64,
    cgroup: Option<BorrowedFd<'_>>,
    body: impl FnOnce(&Child),
) -> Result<Spawned, Errno> {
    let mut pidfd: RawFd = -1;
    let mut args = CloneArgs {
        flags: namespaces | libc::CLONE_PIDFD as u64,
        pidfd: &raw mut pidfd as u64,
        // No exit signal until the exec, which sets it to SIGCHLD: a `waitpid(-1)` elsewhere in this process could take the
        // child away from `wait`, and the run would count as our fault. So the README asks for none.
        ..CloneArgs::default()
    };
    if let Some(cgroup) = cgroup {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = cgroup.as_raw_fd() as u64;
    }
    let mut before = Signals::NONE;
    // A handler of this process must not run in the child, where it would find half of its world gone.
    set_mask(&Signals::ALL, Some(&mut before));
    // SAFETY: without CLONE_VM the child gets copies of all memory, this stack included, so parent and child return from here
    // independently; the child's copy is used by one thread, which runs `body` and nothing else. `pidfd` and `args` outlive
    // the call, and `args` has the layout that its size announces. The older `clone` is what containers allow where they do
    // not allow `clone3`; it takes no control group, stores the descriptor through its third argument, and with a null
    // stack goes on on a copy of this one.
    let pid = unsafe {
        if cgroup.is_some() {
            let size = std::mem::size_of::<CloneArgs>();
            libc::syscall(libc::SYS_clone3, &raw mut args, size)
        } else {
            let none = ptr::null_mut::<u8>();
            libc::syscall(
                libc::SYS_clone,
                args.flags,
                none,
                &raw mut pidfd,
                none,
                none,
            )
        }
    };
    if pid == 0 {
        // When this is dropped the process ends, also if `body` panics against the rules: better none than two of the parent.
        let child = Child { _alone: () };
        body(&child);
        child.exit(127);
    }
    let error = Errno::from_io_error(&std::io::Error::last_os_error());
    set_mask(&before, None);
    if pid < 0 {
        return Err(error.unwrap_or(Errno::INVAL));
    }
    // SAFETY: the kernel stored a new descriptor, which nothing else knows of, since the call succeeded with CLONE_PIDFD.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok(Spawned {
        pid: pid as libc::pid_t,
        pidfd,
    })
}

/// The version of the kernel's Landlock, or why there is none.
pub(super) fn landlock_version() -> Result<u32, Errno> {
    const VERSION: u32 = 1;
    let none = ptr::null::<u8>();
    let version = call!(libc::SYS_landlock_create_ruleset, none, 0, VERSION)?;
    Ok(version as u32)
}

/// A set of signals as the kernel has it.
#[derive(Clone, Copy)]
struct Signals(u64);

impl Signals {
    const ALL: Self = Self(u64::MAX);
    const NONE: Self = Self(0);
}

fn set_mask(mask: &Signals, before: Option<&mut Signals>) {
    let before = before.map_or(ptr::null_mut(), |before| &raw mut before.0);
    // SAFETY: both pointers are valid for the 8 bytes that the last argument announces, or null where null is allowed. The
    // raw call blocks what glibc's wrapper spares (the signals of its own threads); only this thread is affected, and briefly.
    unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &raw const mask.0,
            before,
            8usize,
        );
    }
}

/// How a process ended and what it used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waited {
    /// As `wait4` gives it.
    pub(super) status: c_int,
    pub(super) cpu_micros: u64,
    pub(super) peak_kib: u64,
}

/// Collects a child that was made by [`spawn`]; waits for it to end.
pub(super) fn wait(pid: libc::pid_t) -> Result<Waited, Errno> {
    let mut status: c_int = 0;
    loop {
        // SAFETY: `rusage` is a plain structure for which zeros are a value; both pointers are valid for the call.
        let (waited, usage) = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            let waited = libc::wait4(pid, &raw mut status, libc::__WALL, &raw mut usage);
            (waited, usage)
        };
        if waited == pid {
            let micros = |time: libc::timeval| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64;
            return Ok(Waited {
                status,
                cpu_micros: micros(usage.ru_utime) + micros(usage.ru_stime),
                peak_kib: usage.ru_maxrss as u64,
            });
        }
        let error = Errno::from_io_error(&std::io::Error::last_os_error());
        if error != Some(Errno::INTR) {
            return Err(error.unwrap_or(Errno::CHILD));
        }
    }
}

/// System calls of a process that [`spawn`] has just made. Each is one `syscall` (libc's is assembly that touches nothing but
/// `errno`, which is this process's own); none allocates or locks.
pub(super) struct Child {
    _alone: (),
}

impl Drop for Child {
    fn drop(&mut self) {
        self.exit(127);
    }
}

impl Child {
    pub(super) fn pid(&self) -> u32 {
        call!(libc::SYS_getpid).unwrap_or(0) as u32
    }

    pub(super) fn exit(&self, status: c_int) -> ! {
        loop {
            let _ = call!(libc::SYS_exit_group, status);
        }
    }

    pub(super) fn write(&self, to: RawFd, bytes: &[u8]) -> Result<usize, Errno> {
        Ok(call!(libc::SYS_write, to, bytes.as_ptr(), bytes.len())? as usize)
    }

    /// Opens an existing file; `flags` are those of `open`.
    pub(super) fn open(&self, path: &CStr, flags: c_int) -> Result<RawFd, Errno> {
        let flags = flags | libc::O_CLOEXEC;
        let fd = call!(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), flags, 0)?;
        Ok(fd as RawFd)
    }

    /// Makes an empty file to mount something on.
    pub(super) fn create(&self, path: &CStr) -> Result0 {
        let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_CLOEXEC;
        let fd = call!(
            libc::SYS_openat,
            libc::AT_FDCWD,
            path.as_ptr(),
            flags,
            0o444
        )?;
        self.close(fd as RawFd)
    }

    pub(super) fn close(&self, fd: RawFd) -> Result0 {
        call!(libc::SYS_close, fd).map(drop)
    }

    pub(super) fn close_range(&self, first: u32, last: u32) -> Result0 {
        if first > last {
            return Ok(());
        }
        call!(libc::SYS_close_range, first, last, 0).map(drop)
    }

    /// A copy of `fd` numbered `least` or more, closed on exec.
    pub(super) fn move_up(&self, fd: RawFd, least: RawFd) -> Result<RawFd, Errno> {
        Ok(call!(libc::SYS_fcntl, fd, libc::F_DUPFD_CLOEXEC, least)? as RawFd)
    }

    /// A copy of `fd` numbered `target`; `flags` is 0 or `O_CLOEXEC`.
    pub(super) fn dup_to(&self, fd: RawFd, target: RawFd, flags: c_int) -> Result0 {
        call!(libc::SYS_dup3, fd, target, flags).map(drop)
    }

    pub(super) fn prctl(&self, option: c_int, value: c_ulong) -> Result0 {
        call!(libc::SYS_prctl, option, value, 0, 0, 0).map(drop)
    }

    pub(super) fn setsid(&self) -> Result0 {
        call!(libc::SYS_setsid).map(drop)
    }

    /// Whether the process behind `pidfd` has ended.
    pub(super) fn has_ended(&self, pidfd: RawFd) -> bool {
        let mut poll = libc::pollfd {
            fd: pidfd,
            events: libc::POLLIN,
            revents: 0,
        };
        let now = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let none = ptr::null::<u8>();
        let ready = call!(
            libc::SYS_ppoll,
            &raw mut poll,
            1,
            &raw const now,
            none,
            8usize
        );
        ready.is_ok_and(|ready| ready > 0)
    }

    /// Gives up all groups but `id`, and then the user; all capabilities go with it.
    pub(super) fn become_user(&self, id: u32) -> Result0 {
        call!(libc::SYS_setgroups, 0, ptr::null::<libc::gid_t>())?;
        call!(libc::SYS_setresgid, id, id, id)?;
        call!(libc::SYS_setresuid, id, id, id).map(drop)
    }

    pub(super) fn set_limit(&self, resource: c_int, soft: u64, hard: u64) -> Result0 {
        let limit: [u64; 2] = [soft, hard];
        let old = ptr::null_mut::<u64>();
        call!(libc::SYS_prlimit64, 0, resource, limit.as_ptr(), old).map(drop)
    }

    pub(super) fn mount(
        &self,
        source: Option<&CStr>,
        target: &CStr,
        kind: Option<&CStr>,
        flags: c_ulong,
        data: Option<&CStr>,
    ) -> Result0 {
        let text = |text: Option<&CStr>| text.map_or(ptr::null::<c_char>(), CStr::as_ptr);
        let (source, kind, data) = (text(source), text(kind), text(data));
        call!(libc::SYS_mount, source, target.as_ptr(), kind, flags, data).map(drop)
    }

    /// Sets flags on a mount and all that are under it; mounts that have more keep them.
    pub(super) fn protect_mounts(&self, path: &CStr, attributes: u64) -> Result0 {
        #[repr(C)]
        struct MountAttr {
            set: u64,
            clear: u64,
            propagation: u64,
            userns: u64,
        }
        let attr = MountAttr {
            set: attributes,
            clear: 0,
            propagation: 0,
            userns: 0,
        };
        call!(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            libc::AT_RECURSIVE,
            &raw const attr,
            std::mem::size_of::<MountAttr>(),
        )
        .map(drop)
    }

    pub(super) fn mkdir(&self, path: &CStr) -> Result0 {
        call!(libc::SYS_mkdirat, libc::AT_FDCWD, path.as_ptr(), 0o755).map(drop)
    }

    pub(super) fn chdir(&self, path: &CStr) -> Result0 {
        call!(libc::SYS_chdir, path.as_ptr()).map(drop)
    }

    pub(super) fn pivot_root(&self, new: &CStr, old: &CStr) -> Result0 {
        call!(libc::SYS_pivot_root, new.as_ptr(), old.as_ptr()).map(drop)
    }

    pub(super) fn detach(&self, path: &CStr) -> Result0 {
        call!(libc::SYS_umount2, path.as_ptr(), libc::MNT_DETACH).map(drop)
    }

    pub(super) fn landlock(&self, ruleset: RawFd) -> Result0 {
        call!(libc::SYS_landlock_restrict_self, ruleset, 0).map(drop)
    }

    pub(super) fn seccomp(&self, filter: &[libc::sock_filter]) -> Result0 {
        let program = libc::sock_fprog {
            len: filter.len() as u16,
            filter: filter.as_ptr().cast_mut(),
        };
        let mode = libc::SECCOMP_SET_MODE_FILTER;
        call!(libc::SYS_seccomp, mode, 0, &raw const program).map(drop)
    }

    /// Every signal does what it does by default, and none is blocked.
    pub(super) fn reset_signals(&self) {
        // The kernel's structure: a handler, flags, and on some processors a restorer, then the mask; all zeros is the default.
        let default = [0u64; 4];
        for signal in 1..=64 {
            let old = ptr::null_mut::<u8>();
            let _ = call!(
                libc::SYS_rt_sigaction,
                signal,
                default.as_ptr(),
                old,
                8usize
            );
        }
        set_mask(&Signals::NONE, None);
    }

    /// Puts a page of zeros where `address` is, and nothing else.
    pub(super) fn map_zero_page(&self, address: u64) -> Result0 {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
        // SAFETY: with MAP_FIXED_NOREPLACE no mapping is replaced, so no memory that anything refers to changes.
        let mapped = check(unsafe {
            libc::syscall(
                libc::SYS_mmap,
                (address & !0xfff).word(),
                4096u64.word(),
                libc::PROT_READ.word(),
                flags.word(),
                (-1i32).word(),
                0u64.word(),
            )
        });
        mapped.map(drop)
    }

    /// Becomes the program that `fd` was opened from; returns only on failure. There must be a zero at `empty_path`.
    pub(super) fn exec(
        &self,
        fd: RawFd,
        empty_path: u64,
        arguments: &Pointers<'_>,
        environment: &Pointers<'_>,
    ) -> Errno {
        let (arguments, environment) = (arguments.pointers.as_ptr(), environment.pointers.as_ptr());
        let flags = libc::AT_EMPTY_PATH;
        let failed = call!(
            libc::SYS_execveat,
            fd,
            empty_path,
            arguments,
            environment,
            flags
        );
        failed.err().unwrap_or(Errno::NOEXEC)
    }
}

/// A list of texts as `exec` wants it: pointers, and null at the end.
pub(super) struct Pointers<'t> {
    pointers: Vec<*const c_char>,
    texts: std::marker::PhantomData<&'t CStr>,
}

impl<'t> Pointers<'t> {
    pub(super) fn new(texts: impl IntoIterator<Item = &'t CStr>) -> Self {
        let pointers = texts.into_iter().map(CStr::as_ptr);
        Self {
            pointers: pointers.chain([ptr::null()]).collect(),
            texts: std::marker::PhantomData,
        }
    }
}
