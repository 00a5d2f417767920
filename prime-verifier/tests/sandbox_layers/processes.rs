//! Other processes: made, executed, named, signalled, read.

use std::time::Duration;

use prime_verifier::code::CodeVerifier;
use prime_verifier::sandbox::Layer;

use crate::{PRELUDE, cases, config, only_without, probe_with, verifier};

/// Layers that keep a program from what the grader is.
const OTHERS: [Layer; 4] = [
    Layer::Seccomp,
    Layer::PidNamespace,
    Layer::UnprivilegedUser,
    Layer::Landlock,
];

fn own_pid() -> String {
    format!("{}\n", std::process::id())
}

#[test]
fn a_program_makes_no_process() {
    let program = r#"
def fork():
    if os.fork() == 0:
        os._exit(0)
attempt("fork", fork)
"#;
    only_without(&[Layer::Seccomp], "fork done", program, "");
}

#[test]
fn a_program_leaves_no_daemon() {
    let program = r#"
def daemon():
    if os.fork() == 0:
        os.setsid()
        os._exit(0)
attempt("daemon", daemon)
"#;
    only_without(&[Layer::Seccomp], "daemon done", program, "");
}

#[test]
fn no_way_of_making_a_process_is_left() {
    // Flags of `clone` without CLONE_THREAD, with new namespaces, and the old calls by their numbers.
    let program = r#"
attempt("clone", lambda: call(56, 17, 0, 0, 0, 0))
attempt("clone-vm", lambda: call(56, 0x100 | 17, 0, 0, 0, 0))
attempt("clone-thread-newuser", lambda: call(56, 0x10000 | 0x10000000, 0, 0, 0, 0))
attempt("fork", lambda: call(57))
attempt("vfork", lambda: call(58))
attempt("clone3", lambda: call(435, 0, 0))
import subprocess
attempt("subprocess", lambda: subprocess.run(["/bin/true"]))
attempt("posix_spawn", lambda: os.posix_spawn("/bin/true", ["true"], {}))
print(6)
"#;
    for prefork in [true, false] {
        let seen = probe_with(verifier(prefork, &[]), program, "");
        assert_eq!(seen.verdict, "AC", "{seen:?}");
        let refused = seen.said.lines().filter(|line| line.ends_with("ENOSYS"));
        assert_eq!(refused.count(), 8, "{seen:?}");
    }
}

#[test]
fn a_program_executes_no_other() {
    let program = r#"
sys.stdout.flush()
attempt("exec", lambda: os.execv("/bin/echo", ["echo", "exec done"]))
"#;
    let layers = [Layer::Seccomp, Layer::Landlock, Layer::MountNamespace];
    only_without(&layers, "exec done", program, "");
}

#[test]
fn a_program_does_not_start_its_interpreter_again() {
    // Through the number of the descriptor that the interpreter was executed from: with a path from the root the descriptor
    // itself does not matter. A process that is executed by a thread would outlive the grader.
    let program = r#"
path = os.fsencode(sys.executable or input())
arguments = (ctypes.c_char_p * 5)(path, b"-S", b"-c", b"import posix; posix.write(2, b'exec done\\n')", None)
environment = (ctypes.c_char_p * 1)(None)
def execute(path, flags):
    words = [ctypes.c_long(322), ctypes.c_long(65), ctypes.c_char_p(path), arguments, environment, ctypes.c_long(flags)]
    if libc.syscall(*words) == -1:
        raise OSError(ctypes.get_errno(), "")
for flags in (0, 0x1000):
    attempt("exec", lambda: execute(path, flags))
print(6)
"#;
    for prefork in [true, false] {
        let verifier = verifier(prefork, &[]);
        let path = format!("{}\n", verifier.python().path.display());
        let program = program.replace("sys.executable or input()", "input()");
        let seen = probe_with(verifier, &program, &path);
        assert!(!seen.says("exec done"), "forked {prefork}: {seen:?}");
        assert_eq!(seen.verdict, "AC", "forked {prefork}: {seen:?}");
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn no_memory_of_a_program_becomes_the_path_of_an_execution() {
    // Ways to have something at a low address though `mmap` is not asked for it: a mapping that grows down to it, and one that is
    // moved with the address as a mere wish.
    let program = r#"
import ctypes
path = os.fsencode(input()) + b"\0"
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.syscall.restype = ctypes.c_long
def execute(address):
    arguments = (ctypes.c_char_p * 5)(path, b"-S", b"-c", b"import posix; posix.write(2, b'exec done\\n')", None)
    environment = (ctypes.c_char_p * 1)(None)
    words = [ctypes.c_long(word) for word in (322, 65, address)]
    libc.syscall(*words, arguments, environment, ctypes.c_long(0x1000))
def move():
    page = libc.mmap(None, 4096, 3, 0x22, -1, 0)
    ctypes.memmove(page, path, len(path))
    moved = libc.syscall(*[ctypes.c_long(word) for word in (25, page, 4096, 4096, 5, 0x100000)])
    if moved > 0:
        execute(moved)
def grow():
    if libc.mmap(0x400000, 4096, 3, 0x132, -1, 0) == 0x400000:
        ctypes.memmove(0x100000, path, len(path))
        execute(0x100000)
"#;
    for prefork in [true, false] {
        let verifier = verifier(prefork, &[]);
        let path = format!("{}\n", verifier.python().path.display());
        for way in ["move", "grow"] {
            // Where nothing can be there, writing to it is the end of the program.
            let seen = probe_with(verifier, &format!("{program}\n{way}()\nprint(6)"), &path);
            assert!(!seen.says("exec done"), "{way}, forked {prefork}: {seen:?}");
        }
    }
}

#[test]
fn a_program_signals_nobody_but_itself() {
    let program = r#"attempt("kill", lambda: os.kill(int(input()), 0))"#;
    only_without(&OTHERS, "kill done", program, &own_pid());
    // All of these are refused without a look at who it is for; only the last is for itself.
    let program = r#"
for pid in (-1, 0, os.getppid(), -os.getpid()):
    attempt("kill", lambda: os.kill(pid, 0))
attempt("tkill", lambda: call(200, 1, 0))
attempt("sigqueue", lambda: call(129, os.getppid(), 0, b"\0" * 128))
attempt("pidfd", lambda: call(434, 1, 0))
attempt("itself", lambda: os.kill(os.getpid(), 0))
print(6)
"#;
    for prefork in [true, false] {
        let seen = probe_with(verifier(prefork, &[]), program, "");
        assert!(seen.says("itself done"), "{seen:?}");
        let done = seen.said.lines().filter(|line| line.ends_with("done"));
        // In a namespace of its own the parent is outside and has the number 0, of nobody.
        assert_eq!(done.count(), 1, "{seen:?}");
    }
}

#[test]
fn a_program_reads_no_other_memory() {
    // A wrong address in the grader: the error shows that the right to read was checked before, and was there.
    let program = r#"
import struct
buffer = ctypes.create_string_buffer(8)
ours = struct.pack("QQ", ctypes.addressof(buffer), 8)
theirs = struct.pack("QQ", 8, 8)
def read(pid):
    words = [ctypes.c_long(word) for word in (310, pid)]
    if libc.syscall(*words, ours, ctypes.c_long(1), theirs, ctypes.c_long(1), ctypes.c_long(0)) == -1:
        raise OSError(ctypes.get_errno(), "")
attempt("read", lambda: read(int(input())))
"#;
    let layers = [&OTHERS[..], &[Layer::UserNamespace]].concat();
    only_without(&layers, "read EFAULT", program, &own_pid());
}

#[test]
fn a_program_traces_nobody() {
    // Asking to be traced does no harm.
    let program = r#"attempt("ptrace", lambda: call(101, 0, 0, 0, 0))"#;
    only_without(&[Layer::Seccomp], "ptrace done", program, "");
}

#[test]
fn a_program_sees_no_other_process() {
    let layers = [Layer::Landlock, Layer::MountNamespace];
    let program = r#"attempt("proc", lambda: os.listdir("/proc"))"#;
    only_without(&layers, "proc done", program, "");
    let program = r#"attempt("cmdline", lambda: open(f"/proc/{input()}/cmdline").read())"#;
    only_without(&layers, "cmdline done", program, &own_pid());
}

#[test]
fn a_program_has_none_of_the_environment() {
    let program =
        r#"note("variable", "done" if "CARGO_MANIFEST_DIR" in os.environ else "missing")"#;
    assert!(
        std::env::var_os("CARGO_MANIFEST_DIR").is_some(),
        "cargo sets it for tests"
    );
    only_without(&[Layer::Environment], "variable done", program, "");
    let program = "note(*sorted(os.environ))\nprint(6)";
    for prefork in [true, false] {
        let seen = probe_with(verifier(prefork, &[]), program, "");
        let all = "HOME LANG MALLOC_ARENA_MAX PATH PYTHONHASHSEED PYTHONSAFEPATH TZ";
        assert!(seen.says(all), "{seen:?}");
    }
}

#[test]
fn a_program_has_its_three_streams_and_no_other_descriptor() {
    let program = r#"
def is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
note(*[number for number in range(4096) if is_open(number)])
print(6)
"#;
    for prefork in [true, false] {
        let seen = probe_with(verifier(prefork, &[]), program, "");
        assert!(seen.says("0 1 2"), "{seen:?}");
    }
}

#[test]
fn a_process_that_hides_behind_its_name_is_still_watched() {
    // What a process is called stands between the figures about it; 0.5 s is a limit that only the grader keeps.
    let mut config = config(false, &[]);
    config.limits = config
        .limits
        .with_cpu(Duration::from_millis(500))
        .with_wall(Duration::from_secs(20));
    let verifier = CodeVerifier::new(&config).unwrap();
    for name in [r"\xff\xfe", ") R 1 1 1", "(a", r"\n"] {
        let program = format!(
            r#"
import signal
libc.prctl(15, b"{name}", 0, 0, 0)
signal.signal(signal.SIGXCPU, signal.SIG_IGN)
while True: pass
"#
        );
        let tests = serde_json::json!({"inputs": [""], "outputs": ["6\n"]});
        let grade = verifier.grade(format!("{}{program}", PRELUDE), cases(tests));
        let test = &grade.tests[0];
        assert_eq!(test.verdict.code(), "TLE", "{name}: {test:?}");
        assert!(test.cpu < 0.9, "{name}: {test:?}");
    }
}
