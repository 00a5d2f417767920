//! Processor time, memory, threads, descriptors, output: each in the amount that is allowed, and ended beyond it.

use std::time::Duration;

use prime_verifier::code::{CodeConfig, CodeVerifier, TestResult};
use prime_verifier::sandbox::Layer;

use crate::{PRELUDE, cases, config, only_without, probe_with, verifier};

/// Runs a program under limits that `change` makes.
fn under(
    prefork: bool,
    without: &[Layer],
    change: impl FnOnce(&mut CodeConfig),
    program: &str,
) -> TestResult {
    let mut config = config(prefork, without);
    change(&mut config);
    let verifier = CodeVerifier::new(&config).unwrap();
    let tests = serde_json::json!({"inputs": ["3\n"], "outputs": ["6\n"]});
    let mut grade = verifier.grade(format!("{PRELUDE}\n{program}"), cases(tests));
    grade.tests.remove(0)
}

#[test]
fn processor_time_is_limited_to_the_fraction_of_a_second() {
    for prefork in [true, false] {
        let half = |config: &mut CodeConfig| {
            config.limits = config.limits.clone().with_cpu(Duration::from_millis(500));
            config.limits = config.limits.clone().with_wall(Duration::from_secs(9));
        };
        let test = under(prefork, &[], half, "while True: pass");
        assert_eq!(test.verdict.code(), "TLE", "{test:?}");
        assert!(test.message.contains("0.5 s of processor time"), "{test:?}");
        assert!((0.5..0.8).contains(&test.cpu), "{test:?}");
        // Less than 1.6 s where the machine does nothing else, as it does while tests run side by side.
        assert!(test.wall < 6.0, "{test:?}");
    }
}

#[test]
fn either_the_kernel_or_the_grader_ends_a_program_that_is_out_of_time() {
    let second = |config: &mut CodeConfig| {
        config.limits = config.limits.clone().with_cpu(Duration::from_secs(1));
        config.limits = config.limits.clone().with_wall(Duration::from_secs(9));
    };
    // A single instruction of the interpreter that takes for ever; handlers of the signals that would end it.
    let program = r#"
import signal
for number in (signal.SIGXCPU, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
    signal.signal(number, lambda *_: None)
print(len(str(9 ** 9 ** 9)))
"#;
    for without in [&[][..], &[Layer::ResourceLimits]] {
        let test = under(false, without, second, program);
        assert_eq!(test.verdict.code(), "TLE", "{test:?}");
        assert!(test.cpu < 2.3, "{test:?}");
    }
}

#[test]
fn time_on_the_clock_is_limited_however_little_a_program_does() {
    let second = |config: &mut CodeConfig| {
        config.limits = config.limits.clone().with_wall(Duration::from_millis(700));
    };
    for program in [
        "import time\ntime.sleep(1000)",
        "import signal\nsignal.pause()",
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\nsignal.pause()",
        "os.read(0, 10)\nos.read(os.pipe()[0], 1)",
        "import threading\nthreading.Thread(target=threading.Event().wait).start()\nprint(6)",
        "import atexit, time\natexit.register(time.sleep, 1000)\nprint(6)",
        "import threading\nthreading.Lock().acquire()\nlock = threading.Lock()\nlock.acquire(); lock.acquire()",
    ] {
        let test = under(true, &[], second, program);
        assert_eq!(test.verdict.code(), "TLE", "{program}: {test:?}");
        assert!(test.message.contains("on the clock"), "{program}: {test:?}");
        assert!(
            test.wall < 2.7 && test.cpu < 0.5,
            "no more than the limit: {test:?}"
        );
    }
}

#[test]
fn memory_is_limited_though_a_program_goes_on_after_the_error() {
    // Address space that nothing is written to, so that it does no harm where it is to be had.
    let program = r#"
import mmap
kept = []
try:
    for _ in range(40):
        kept.append(mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE))
except (MemoryError, OSError):
    note("memory", len(kept) * 64)
else:
    note("memory done")
kept.clear()
"#;
    only_without(&[Layer::ResourceLimits], "memory done", program, "");
    for prefork in [true, false] {
        let seen = probe_with(verifier(prefork, &[]), &format!("{program}\nprint(6)"), "");
        let reached = seen
            .said
            .lines()
            .find_map(|line| line.strip_prefix("memory "));
        let reached: u32 = reached.unwrap().parse().unwrap();
        assert!((256..=512).contains(&reached), "of 512 MiB: {seen:?}");
    }
}

#[test]
fn memory_that_is_shared_counts_like_any_other() {
    let program = r#"
import mmap
kept = []
try:
    for _ in range(40):
        kept.append(mmap.mmap(-1, 64 << 20))
except (MemoryError, OSError):
    pass
else:
    note("memory done")
kept.clear()
"#;
    only_without(&[Layer::ResourceLimits], "memory done", program, "");
}

#[test]
fn a_program_that_dies_of_want_of_memory_gets_that_verdict() {
    for prefork in [true, false] {
        for program in ["kept = bytearray(2 << 30)", "kept = [0] * (1 << 28)"] {
            let seen = probe_with(verifier(prefork, &[]), program, "");
            assert_eq!(seen.verdict, "MLE", "{seen:?}");
        }
    }
}

#[test]
fn buffers_of_pipes_hold_little_beside_the_memory_limit() {
    let program = r#"
made = 0
try:
    while True:
        _, end = os.pipe()
        os.set_blocking(end, False)
        made += os.write(end, bytes(1 << 20))
except OSError as error:
    note("pipes", errno.errorcode[error.errno])
note("bytes", "done" if made > 8 << 20 else "few")
"#;
    let seen = probe_with(
        verifier(true, &[]),
        &format!("{program}\nos._exit(0)"),
        "3\n",
    );
    assert!(
        seen.says("pipes EMFILE") && seen.says("bytes few"),
        "{seen:?}"
    );
}

#[test]
fn descriptors_are_limited() {
    let program = r#"
try:
    kept = [os.open("/dev/null", os.O_RDONLY) for _ in range(200)]
except OSError as error:
    note("files", errno.errorcode[error.errno])
else:
    note("files done")
    os.closerange(3, 1000)
"#;
    only_without(&[Layer::ResourceLimits], "files done", program, "");
}

/// Starts threads, at most 300, with little stack each, and says how many there were.
const THREADS: &str = r#"
import threading
threading.stack_size(64 << 10)
stop = threading.Event()
started = 0
try:
    for _ in range(300):
        threading.Thread(target=stop.wait).start()
        started += 1
except RuntimeError:
    pass
note("threads", started)
stop.set()
print(6)
"#;

#[test]
fn threads_are_limited_by_the_kernel_or_else_by_the_grader() {
    for prefork in [true, false] {
        let seen = probe_with(verifier(prefork, &[]), THREADS, "");
        assert_eq!(seen.verdict, "AC", "{seen:?}");
        let started = seen
            .said
            .lines()
            .find_map(|line| line.strip_prefix("threads "));
        let started: u32 = started.unwrap().parse().unwrap();
        assert!(
            (40..64).contains(&started),
            "of 64 with the first: {seen:?}"
        );
    }
    // The grader looks every 10 ms, so they have to be there for a while; a name that is no text does not keep it from looking.
    let slow = THREADS.replace("stop.set()", "import time\ntime.sleep(0.2)\nstop.set()");
    let slow = format!("libc.prctl(15, b'\\xff', 0, 0, 0)\n{slow}");
    let seen = probe_with(verifier(false, &[Layer::ResourceLimits]), &slow, "");
    assert_eq!(seen.verdict, "RE", "{seen:?}");
    assert_eq!(seen.message, "more than 64 threads");
    // A limit that allows them shows that nothing else stops them.
    let test = under(
        false,
        &[],
        |config| config.limits = config.limits.clone().with_threads(400),
        THREADS,
    );
    assert!(test.stderr.contains("threads 300"), "{test:?}");
}

#[test]
fn output_is_limited_on_both_streams() {
    let little = |config: &mut CodeConfig| {
        config.limits = config.limits.clone().with_output(100_000);
    };
    for prefork in [true, false] {
        for program in [
            "while True: os.write(1, bytes(1 << 16))",
            "while True: os.write(2, bytes(1 << 16))",
            "while True: print('x' * 1000)",
            "os.write(1, bytes(100_001))",
        ] {
            let test = under(prefork, &[], little, program);
            assert_eq!(test.verdict.code(), "OLE", "{program}: {test:?}");
            assert!(test.wall < 3.0, "{test:?}");
        }
        // As much as is allowed is no offence.
        let test = under(prefork, &[], little, "os.write(1, bytes(100_000))");
        assert_eq!(test.verdict.code(), "WA", "{test:?}");
    }
}
