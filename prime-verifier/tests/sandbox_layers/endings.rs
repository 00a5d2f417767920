//! Ways to end, and ways not to.

use crate::{cases, probe_with, verifier};

#[test]
fn an_exit_status_other_than_0_is_an_error_whatever_was_printed() {
    for (program, verdict) in [
        ("print(6)", "AC"),
        ("print(6); raise SystemExit", "AC"),
        ("print(6); sys.exit()", "AC"),
        ("print(6); sys.exit(0)", "AC"),
        ("print(6); sys.exit(None)", "AC"),
        ("print(6); sys.exit(False)", "AC"),
        ("print(6); sys.exit(3)", "RE"),
        ("print(6); sys.exit('why')", "RE"),
        ("print(6); raise ValueError", "RE"),
        ("print(6); raise KeyboardInterrupt", "RE"),
        ("print(6, flush=True); os._exit(0)", "AC"),
        ("print(6, flush=True); os._exit(1)", "RE"),
        ("print(6, flush=True); os.abort()", "RE"),
        ("print(6, flush=True); ctypes.string_at(8)", "RE"),
        ("print(6", "CE"),
        ("print(6)\n\tx", "CE"),
        ("import no_such_module", "RE"),
    ] {
        for prefork in [true, false] {
            let seen = probe_with(verifier(prefork, &[]), program, "3\n");
            assert_eq!(
                seen.verdict, verdict,
                "{program}, forked {prefork}: {seen:?}"
            );
        }
    }
}

#[test]
fn the_last_words_of_an_error_are_its_message() {
    let program = r#"
class Long(Exception):
    pass
def deep(count):
    if count == 0:
        raise Long("x" * 100000 + "end")
    deep(count - 1)
deep(400)
"#;
    for prefork in [true, false] {
        let seen = probe_with(verifier(prefork, &[]), program, "");
        assert_eq!(seen.verdict, "RE", "{}", seen.message);
        assert!(seen.message.len() <= 1200, "{}", seen.message.len());
        let seen = probe_with(verifier(prefork, &[]), "raise Exception('why')", "");
        assert_eq!(seen.message, "Exception: why");
    }
}

#[test]
fn endless_recursion_is_an_error_of_the_program() {
    for program in [
        "def deeper(): deeper()\ndeeper()",
        "sys.setrecursionlimit(10 ** 9)\nclass Deep:\n    def __repr__(self): return repr(self)\nrepr(Deep())",
    ] {
        for prefork in [true, false] {
            let seen = probe_with(verifier(prefork, &[]), program, "");
            assert!(
                ["RE", "MLE"].contains(&seen.verdict),
                "{program}: {} {}",
                seen.verdict,
                seen.message
            );
        }
    }
}

#[test]
fn a_stream_that_is_closed_is_nothing_to_wait_for() {
    for (program, verdicts) in [
        ("os.close(1)", &["WA"][..]),
        ("os.close(1); print(6)", &["RE"]),
        ("sys.stdout.close()", &["WA"]),
        ("os.close(0); print(6)", &["AC"]),
        ("os.close(2); print(6)", &["AC"]),
        ("os.closerange(0, 64); os._exit(0)", &["WA"]),
        (
            "print(6); sys.stdout.flush(); os.closerange(0, 3)",
            &["AC", "RE"],
        ),
        ("os.dup2(2, 1); print(6)", &["WA"]),
        ("sys.stdout = None", &["WA"]),
        ("sys.stderr = None; print(6)", &["AC"]),
        ("sys.stdin = None; print(6)", &["AC"]),
        ("import io; sys.stdout = io.StringIO(); print(6)", &["WA"]),
        (
            "out = os.fdopen(1, 'w'); sys.stdout = out; print(6)",
            &["AC"],
        ),
    ] {
        for prefork in [true, false] {
            let seen = probe_with(verifier(prefork, &[]), program, &"3\n".repeat(100_000));
            assert!(verdicts.contains(&seen.verdict), "{program}: {seen:?}");
        }
    }
}

#[test]
fn what_a_file_object_of_the_program_still_holds_is_written_when_it_ends() {
    // As an interpreter does it: such objects are closed with everything else.
    for program in [
        "out = open(1, 'w')\nout.write('6')",
        "out = os.fdopen(1, 'wb')\nout.write(b'6')",
    ] {
        for prefork in [true, false] {
            let seen = probe_with(verifier(prefork, &[]), program, "");
            assert_eq!(seen.verdict, "AC", "{program}, forked {prefork}: {seen:?}");
        }
    }
}

#[test]
fn more_than_a_pipe_holds_goes_both_ways() {
    let line = "0123456789abcde\n";
    let text = line.repeat((8 << 20) / line.len());
    let tests = serde_json::json!({"inputs": [text, text, text], "outputs": [text, "6\n", "6\n"]});
    for prefork in [true, false] {
        // All of it back; a part of it read; none of it read.
        for (program, at) in [
            (
                "import sys\nfor line in sys.stdin: sys.stdout.write(line)",
                0,
            ),
            ("import sys\nsys.stdin.readline()\nprint(6)", 1),
            ("print(6)", 2),
            (
                "import os\nwhile True:\n    data = os.read(0, 1 << 16)\n    if not data: break\n    os.write(1, data)",
                0,
            ),
        ] {
            let grade = verifier(prefork, &[]).grade(program, cases(tests.clone()));
            let test = &grade.tests[at];
            assert_eq!(test.verdict.code(), "AC", "{program}: {test:?}");
        }
    }
}

#[test]
fn flags_of_the_streams_change_nothing_for_the_grader() {
    // Without waiting, in packets, with signals: all of these belong to the program's ends of the pipes.
    let program = r#"
import fcntl
for number in (0, 1, 2):
    for flags in (os.O_NONBLOCK, os.O_DIRECT, os.O_NONBLOCK | os.O_DIRECT, 0x2000, 0):
        attempt("flags", lambda: fcntl.fcntl(number, fcntl.F_SETFL, flags))
fcntl.fcntl(1, fcntl.F_SETFL, os.O_DIRECT | 0x2000)
for _ in range(2000):
    os.write(1, b" ")
    os.write(2, b"")
print(6)
"#;
    for prefork in [true, false] {
        let seen = probe_with(verifier(prefork, &[]), program, &"3\n".repeat(50_000));
        assert_eq!(seen.verdict, "AC", "{seen:?}");
    }
}
