//! Calls of the kernel that no solution needs.

use prime_verifier::sandbox::Layer;

use crate::{only_without, probe_with, verifier};

/// Numbers on x86-64, with arguments that do no harm where the call is made: all ones, which is no descriptor, no address, no
/// process and no flag that exists.
const REFUSED: &str = r#"
refused = {
    "bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "io_uring_setup": 425, "io_uring_enter": 426,
    "keyctl": 250, "add_key": 248, "request_key": 249, "memfd_create": 319, "memfd_secret": 447,
    "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "open_tree": 428, "move_mount": 429, "fsopen": 430,
    "fsmount": 432, "mount_setattr": 442, "unshare": 272, "setns": 308,
    "shmat": 30, "shmctl": 31, "msgctl": 71, "msgsnd": 69, "semctl": 66, "mq_open": 240, "mq_notify": 244,
    "setuid": 105, "setgid": 106, "setreuid": 113, "setresuid": 117, "setresgid": 119, "setgroups": 116, "setfsuid": 122,
    "capset": 126, "setpriority": 141, "sched_setscheduler": 144, "sched_setparam": 142, "sched_setaffinity": 203,
    "ioprio_set": 251, "personality": 135, "setrlimit": 160, "acct": 163, "swapon": 167, "quotactl": 179,
    "init_module": 175, "finit_module": 313, "delete_module": 176, "kexec_load": 246, "kexec_file_load": 320,
    "iopl": 172, "ioperm": 173, "modify_ldt": 154, "syslog": 103, "settimeofday": 164, "clock_settime": 227, "adjtimex": 159,
    "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "pidfd_getfd": 438, "pidfd_send_signal": 424,
    "process_madvise": 440, "process_mrelease": 448, "migrate_pages": 256, "move_pages": 279, "get_mempolicy": 239,
    "open_by_handle_at": 304, "name_to_handle_at": 303, "openat2": 437, "splice": 275, "tee": 276, "vmsplice": 278,
    "sendfile": 40, "copy_file_range": 326, "inotify_init1": 294, "fanotify_init": 300, "signalfd4": 289,
    "timerfd_create": 283, "timer_create": 222, "eventfd2": 290, "io_setup": 206, "truncate": 76, "ftruncate": 77,
    "fallocate": 285, "flock": 73, "fsync": 74, "creat": 85, "mkdir": 83, "unlink": 87, "rename": 82, "link": 86,
    "symlink": 88, "chmod": 90, "chown": 92, "utimes": 235, "mlock": 149, "mlockall": 151, "mincore": 27, "msync": 26,
    "remap_file_pages": 216, "pkey_alloc": 330, "seccomp": 317, "landlock_create_ruleset": 444, "landlock_restrict_self": 446,
    "execve": 59, "tkill": 200, "setpgid": 109, "vhangup": 153, "reboot": 169, "sethostname": 170, "uselib": 134,
    "cachestat": 451, "set_mempolicy": 238, "mbind": 237, "futex_waitv": 449, "rt_tgsigqueueinfo": 297, "waitid": 247,
}
for name, number in refused.items():
    attempt(name, lambda: call(number, -1, -1, -1, -1, -1, -1))
print(6)
"#;

#[test]
#[cfg(target_arch = "x86_64")]
fn calls_that_no_solution_needs_are_not_there() {
    let refused = |said: &str| {
        let lines = said.lines().filter(|line| line.contains(' '));
        lines
            .filter(|line| line.ends_with("ENOSYS"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut all = 0;
    for prefork in [true, false] {
        let seen = probe_with(verifier(prefork, &[]), REFUSED, "");
        assert_eq!(seen.verdict, "AC", "{seen:?}");
        let lines = seen.said.lines().filter(|line| line.contains(' '));
        let made: Vec<&str> = lines.filter(|line| !line.ends_with("ENOSYS")).collect();
        assert!(made.is_empty(), "{made:?}");
        all = refused(&seen.said).len();
    }
    assert!(all > 100, "{all}");
    // Without the filter the kernel itself answers, which has most of them.
    let seen = probe_with(verifier(false, &[Layer::Seccomp]), REFUSED, "");
    let missing = refused(&seen.said);
    assert!(
        missing.len() < all / 3 && !seen.said.is_empty(),
        "{missing:?} {seen:?}"
    );
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_same_calls_by_other_numbers_are_not_there_either() {
    // The numbering for 32-bit pointers: `getpid`, `fork`, `socket`, `execve` and `ptrace` of it.
    let program = r#"
X32 = 0x40000000
for number in (39, 57, 41, 520, 521, 59):
    attempt("x32", lambda: call(X32 | number, -1, -1, -1))
for number in (-1, 1 << 31, 0x40000000, 1000, 100000):
    attempt("none", lambda: call(number, -1, -1, -1))
print(6)
"#;
    for prefork in [true, false] {
        let seen = probe_with(verifier(prefork, &[]), program, "");
        assert_eq!(seen.verdict, "AC", "{seen:?}");
        let refused = seen.said.lines().filter(|line| line.ends_with("ENOSYS"));
        assert_eq!(refused.count(), 11, "{seen:?}");
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn calls_of_another_architecture_end_the_program() {
    // `mov eax, 20; int 0x80; ret`: getpid of the 32-bit table, where 20 is something else than in ours.
    let program = r#"
import mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
code = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
note("returned", code() > 0)
print(6)
"#;
    for prefork in [true, false] {
        let seen = probe_with(verifier(prefork, &[]), program, "");
        assert_eq!(
            (seen.verdict, seen.message.as_str()),
            ("SV", "ended by SIGSYS")
        );
    }
    let seen = probe_with(verifier(false, &[Layer::Seccomp]), program, "");
    assert_ne!(seen.verdict, "SV", "{seen:?}");
}

#[test]
#[cfg(target_arch = "x86_64")]
fn calls_that_are_allowed_are_so_for_harmless_arguments_only() {
    // Input to a terminal, an owner that signals go to, a larger pipe, a lease; a process that outlives its parent, that can be
    // read, other filters, other limits; each is refused by the filter and possible, or wrong in another way, without it.
    let program = r#"
import struct
for name, action in (
    ("ioctl", lambda: call(16, 0, 0x5412, b"x")),
    ("ioctl-high", lambda: call(16, 0, (1 << 32) | 0x5412, b"x")),
    ("fioasync", lambda: call(16, 0, 0x5452, b"\1\0\0\0")),
    ("setown", lambda: call(72, 0, 8, os.getpid())),
    ("pipe-size", lambda: call(72, 0, 1031, 1 << 20)),
    ("lease", lambda: call(72, 0, 1024, 0)),
    ("notify", lambda: call(72, 0, 1026, 0)),
    ("death-signal", lambda: call(157, 1, 0, 0, 0, 0)),
    ("dumpable", lambda: call(157, 4, 1, 0, 0, 0)),
    ("subreaper", lambda: call(157, 36, 0, 0, 0, 0)),
    ("mm", lambda: call(157, 35, 0, 0, 0, 0)),
    ("limit", lambda: call(302, 0, 0, struct.pack("QQ", 1, 1), 0)),
):
    attempt(name, action)
print(6)
"#;
    for prefork in [true, false] {
        let seen = probe_with(verifier(prefork, &[]), program, "");
        assert_eq!(seen.verdict, "AC", "{seen:?}");
        let refused = seen.said.lines().filter(|line| line.ends_with("ENOSYS"));
        assert_eq!(refused.count(), 12, "{seen:?}");
    }
    let without_filter = probe_with(verifier(false, &[Layer::Seccomp]), program, "");
    assert!(
        !without_filter.said.contains("ENOSYS"),
        "{without_filter:?}"
    );
}

#[test]
fn a_program_changes_no_limit() {
    let program = r#"
import resource
def change():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
attempt("limit", change)
"#;
    only_without(&[Layer::Seccomp], "limit done", program, "");
}

#[test]
fn a_program_is_nobody() {
    let program =
        r#"note("root", "done" if 0 in (os.getuid(), os.geteuid(), os.getgid()) else "no")"#;
    let is_root = verifier(false, &[]).sandbox().has(Layer::UnprivilegedUser);
    match is_root {
        true => only_without(&[Layer::UnprivilegedUser], "root done", program, ""),
        false => {
            let seen = probe_with(verifier(false, &[]), &format!("{program}\nprint(6)"), "");
            assert!(seen.says("root no"), "{seen:?}");
        }
    }
}

#[test]
fn a_program_has_no_memory_that_outlives_it() {
    let program = r#"
attempt("memfd", lambda: os.memfd_create("x"))
"#;
    only_without(&[Layer::Seccomp], "memfd done", program, "");
}
