//! The system calls that a program may make.
//!
//! A list of what is allowed; everything else, also what future kernels will add, fails with `ENOSYS`, as on a kernel that does
//! not have it: libraries then fall back (`clone3` to `clone`) and a program gets an `OSError` that it can catch. Calls of
//! another architecture's numbering end the process with `SIGSYS`.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use super::plan::EXEC_FD;

/// Stands in a filter for the number of the process that will install it.
pub(crate) const OWN_PID: u32 = 0x5afe_c0de;

/// Whose filter it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// An interpreter that runs one program: no new process, nothing executed but the interpreter itself, no socket, no signal but
    /// to itself.
    Program,
    /// A process that was forked to run one program: the same, and nothing executed at all.
    Forked,
    /// A process that forks those: that, and `fork`, waiting, and talking on the socket that it has. Its filter holds for what it
    /// forks too, so it cannot be narrower than theirs.
    Forker,
}

/// Stands in a filter for the address of the path of the one execution; its halves are in no other instruction.
const PATH: u64 = 0x5afe_ba5e_5afe_face;

/// A filter, and the places in it that hold [`OWN_PID`].
#[derive(Debug, Clone)]
pub(super) struct Filter {
    pub(super) instructions: Vec<libc::sock_filter>,
    pub(super) own_pid: Vec<usize>,
}

/// Allowed with any arguments.
const ANY: &[c_long] = &[
    // Files, which Landlock restricts, and pipes.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_getdents64,
    libc::SYS_getcwd,
    libc::SYS_chdir,
    libc::SYS_fchdir,
    libc::SYS_umask,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_pipe2,
    libc::SYS_fadvise64,
    // Waiting.
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_restart_syscall,
    libc::SYS_sched_yield,
    // Memory, which the address space limit restricts.
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_brk,
    // Threads and signals within the process.
    libc::SYS_futex,
    libc::SYS_set_tid_address,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_membarrier,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_rt_sigsuspend,
    libc::SYS_sigaltstack,
    libc::SYS_setitimer,
    libc::SYS_getitimer,
    // Asking.
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getresuid,
    libc::SYS_getresgid,
    libc::SYS_getgroups,
    libc::SYS_getpgid,
    libc::SYS_getsid,
    libc::SYS_getpriority,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_getrusage,
    libc::SYS_times,
    libc::SYS_getcpu,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_gettimeofday,
];

/// Calls that newer processors do without.
#[cfg(target_arch = "x86_64")]
const ANY_OF_THIS_PROCESSOR: &[c_long] = &[
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_getdents,
    libc::SYS_dup2,
    libc::SYS_pipe,
    libc::SYS_poll,
    libc::SYS_select,
    libc::SYS_epoll_create,
    libc::SYS_epoll_wait,
    libc::SYS_pause,
    libc::SYS_alarm,
    libc::SYS_time,
    libc::SYS_getpgrp,
    libc::SYS_getrlimit,
    libc::SYS_arch_prctl,
];
#[cfg(not(target_arch = "x86_64"))]
const ANY_OF_THIS_PROCESSOR: &[c_long] = &[];

/// Ways to open a file, and which argument has the flags.
#[cfg(target_arch = "x86_64")]
const OPEN: &[(c_long, u8)] = &[(libc::SYS_openat, 2), (libc::SYS_open, 1)];
#[cfg(not(target_arch = "x86_64"))]
const OPEN: &[(c_long, u8)] = &[(libc::SYS_openat, 2)];

/// Allowed to the forker besides, with any arguments. Its own code is the only one that runs under its filter.
const ANY_OF_THE_FORKER: &[c_long] = &[
    libc::SYS_wait4,
    libc::SYS_pidfd_open,
    libc::SYS_recvmsg,
    libc::SYS_recvfrom,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_seccomp,
    // It forks processes whose numbers are not known yet, and their own filters say which these are.
    libc::SYS_kill,
    libc::SYS_tgkill,
    libc::SYS_rt_sigqueueinfo,
];

/// A system call that is allowed where all of these hold for its arguments.
struct Only {
    call: c_long,
    conditions: Vec<(u8, Is)>,
}

/// What an argument has to be.
#[derive(Clone, Copy)]
enum Is {
    /// A word of 32 bits of this value.
    Word(u32),
    /// 64 bits of this value.
    Long(u64),
    /// Of the bits of the first number, those of the second and no others.
    Bits(u64, u64),
}

impl Is {
    fn condition(self, argument: u8) -> Result<SeccompCondition, seccompiler::BackendError> {
        use SeccompCmpArgLen::{Dword, Qword};
        let (width, operator, value) = match self {
            Is::Word(value) => (Dword, SeccompCmpOp::Eq, value.into()),
            Is::Long(value) => (Qword, SeccompCmpOp::Eq, value),
            Is::Bits(mask, value) => (Qword, SeccompCmpOp::MaskedEq(mask), value),
        };
        SeccompCondition::new(argument, width, operator, value)
    }
}

fn only(call: c_long, argument: u8, is: Is) -> Only {
    Only {
        call,
        conditions: vec![(argument, is)],
    }
}

const CLONE_NEW: u64 = 0x7e02_0080;
const PR_SET_VMA: u32 = 0x5356_4d41;

// Of types that differ from one libc to another.
#[allow(clippy::unnecessary_cast)]
fn only_of(role: Role) -> Vec<Only> {
    let own = Is::Word(OWN_PID);
    let thread = (libc::CLONE_THREAD
        | libc::CLONE_VM
        | libc::CLONE_FS
        | libc::CLONE_FILES
        | libc::CLONE_SIGHAND) as u64;
    let mut rules = vec![
        // Threads, which have everything in common: descriptors of its own would give each as many pipes as the process may have.
        only(libc::SYS_clone, 0, Is::Bits(thread | CLONE_NEW, thread)),
        // Limits can be asked for.
        only(libc::SYS_prlimit64, 2, Is::Long(0)),
        only(libc::SYS_prctl, 0, Is::Word(libc::PR_SET_NAME as u32)),
        only(libc::SYS_prctl, 0, Is::Word(PR_SET_VMA)),
    ];
    for request in [
        libc::TCGETS as u32,
        libc::FIONREAD as u32,
        libc::FIOCLEX as u32,
        libc::FIONCLEX as u32,
        libc::FIONBIO as u32,
        libc::TIOCGWINSZ as u32,
    ] {
        rules.push(only(libc::SYS_ioctl, 1, Is::Word(request)));
    }
    for command in [
        libc::F_DUPFD,
        libc::F_DUPFD_CLOEXEC,
        libc::F_GETFD,
        libc::F_SETFD,
        libc::F_GETFL,
        libc::F_SETFL,
        libc::F_GETPIPE_SZ,
    ] {
        rules.push(only(libc::SYS_fcntl, 1, Is::Word(command as u32)));
    }
    // Landlock before its version 3 lets a file be emptied by whoever may read it.
    let (truncate, mode) = (libc::O_TRUNC as u64, libc::O_ACCMODE as u64);
    for (call, flags) in OPEN {
        rules.push(only(*call, *flags, Is::Bits(truncate, 0)));
        rules.push(only(*call, *flags, Is::Bits(mode, libc::O_WRONLY as u64)));
        rules.push(only(*call, *flags, Is::Bits(mode, libc::O_RDWR as u64)));
    }
    if role != Role::Forked {
        // The start of the interpreter. The descriptor alone does not do: a path from the root makes it count for nothing. But this
        // path is empty, and a program would have to guess where in its address space to put another.
        rules.push(Only {
            call: libc::SYS_execveat,
            conditions: vec![
                (0, Is::Word(EXEC_FD as u32)),
                (1, Is::Long(PATH)),
                (4, Is::Word(libc::AT_EMPTY_PATH as u32)),
            ],
        });
    }
    if role == Role::Forker {
        let bits = 0xff | libc::CLONE_VM as u64 | CLONE_NEW;
        rules.push(only(
            libc::SYS_clone,
            0,
            Is::Bits(bits, libc::SIGCHLD as u64),
        ));
        rules.push(only(libc::SYS_prlimit64, 0, Is::Word(0)));
        for option in [
            libc::PR_SET_PDEATHSIG,
            libc::PR_SET_DUMPABLE,
            libc::PR_SET_SECCOMP,
        ] {
            rules.push(only(libc::SYS_prctl, 0, Is::Word(option as u32)));
        }
    } else {
        // To itself: `abort` and `raise` do what they should.
        for call in [libc::SYS_kill, libc::SYS_tgkill, libc::SYS_rt_sigqueueinfo] {
            rules.push(only(call, 0, own));
        }
    }
    rules
}

impl Filter {
    /// The filter of a role.
    ///
    /// # Errors
    /// On a processor that filters cannot be made for, naming it.
    pub(super) fn of(role: Role) -> Result<Self, seccompiler::BackendError> {
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
        let forker = match role {
            Role::Program | Role::Forked => &[],
            Role::Forker => ANY_OF_THE_FORKER,
        };
        let any = [ANY, ANY_OF_THIS_PROCESSOR, forker].concat();
        rules.extend(any.into_iter().map(|call| (call, vec![])));
        for Only { call, conditions } in only_of(role) {
            let conditions = conditions.into_iter();
            let conditions = conditions.map(|(argument, is)| is.condition(argument));
            let rule = SeccompRule::new(conditions.collect::<Result<_, _>>()?)?;
            rules.entry(call).or_default().push(rule);
        }
        let filter = SeccompFilter::new(
            rules,
            SeccompAction::Errno(libc::ENOSYS as u32),
            SeccompAction::Allow,
            std::env::consts::ARCH.try_into()?,
        )?;
        let program: BpfProgram = filter.try_into()?;
        let instructions: Vec<libc::sock_filter> = program
            .iter()
            .map(|instruction| libc::sock_filter {
                code: instruction.code,
                jt: instruction.jt,
                jf: instruction.jf,
                k: instruction.k,
            })
            .collect();
        let places = instructions.iter().enumerate();
        let own_pid = places
            .filter(|(_, instruction)| instruction.k == OWN_PID)
            .map(|(at, _)| at)
            .collect();
        Ok(Self {
            instructions,
            own_pid,
        })
    }

    /// Lets the path of the one execution stand at `address`, which nobody else is to know.
    pub(super) fn set_path(&mut self, address: u64) {
        for instruction in &mut self.instructions {
            if instruction.k == PATH as u32 {
                instruction.k = address as u32;
            } else if instruction.k == (PATH >> 32) as u32 {
                instruction.k = (address >> 32) as u32;
            }
        }
    }

    /// The filter as bytes, as the kernel has them in memory.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.instructions.len() * 8);
        for instruction in &self.instructions {
            bytes.extend(instruction.code.to_ne_bytes());
            bytes.extend([instruction.jt, instruction.jf]);
            bytes.extend(instruction.k.to_ne_bytes());
        }
        bytes
    }
}
