//! What a program says it is, and what it is.

use prime_verifier::code::CodeGrade;

use crate::{cases, codes, doubling, doubling_call, verifier};

fn call(prefork: bool, program: &str) -> CodeGrade {
    verifier(prefork, &[]).grade(program, doubling_call())
}

fn print(prefork: bool, program: &str) -> CodeGrade {
    verifier(prefork, &[]).grade(program, doubling())
}

#[test]
fn an_object_that_equals_everything_equals_nothing_here() {
    for program in [
        "class Any:\n    def __eq__(self, other): return True\ndef solve(n): return Any()",
        "class Any(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\ndef solve(n): return Any(1)",
        "class Any(list):\n    def __eq__(self, other): return True\ndef solve(n): return Any()",
        "class Any(str):\n    def __eq__(self, other): return True\ndef solve(n): return Any('x')",
        "class Any(float):\n    def __eq__(self, other): return True\ndef solve(n): return Any(0.5)",
        "class Any(dict):\n    def __eq__(self, other): return True\ndef solve(n): return Any()",
        "def solve(n): return True",
        "def solve(n): return None",
        "def solve(n): return float('nan')",
        "def solve(n): return float('inf')",
        "def solve(n): return {n: 2 * n}",
        "def solve(n): yield 2 * n",
        "def solve(n): return lambda: 2 * n",
        "def solve(n): return [[2 * n]]",
        "def solve(n): return str(2 * n) + '0'",
    ] {
        for prefork in [true, false] {
            let grade = call(prefork, program);
            assert_eq!(codes(&grade), ["WA", "WA"], "{program}: {grade:?}");
            assert_eq!(grade.score, Some(0.0));
        }
    }
}

#[test]
fn a_harness_that_was_changed_returns_bytes_like_any_other() {
    // Whatever is replaced, the best that comes of it is a constant, which is right for one of the two tests.
    for program in [
        "import json\njson.dumps = lambda *_, **__: '6'\ndef solve(n): return 0",
        "import json.encoder\njson.encoder.JSONEncoder.encode = lambda *_: '6'\ndef solve(n): return 0",
        "import builtins\nbuiltins.isinstance = lambda *_: True\nbuiltins.len = lambda *_: 1\ndef solve(n): return 6",
        "import sys\nsys.modules['json'] = None\nsys.modules['posix'] = None\ndef solve(n): return 6",
        "import sys\nfor frame in (sys._getframe(1), sys._getframe(2)):\n    for name in list(frame.f_globals):\n        if callable(frame.f_globals[name]) and not name.startswith('__'):\n            frame.f_globals[name] = lambda *_, **__: True\ndef solve(n): return True",
        "import posix\nposix.write = lambda *_: 10 ** 9\ndef solve(n): return 6",
        "import posix\nposix._exit = lambda *_: None\ndef solve(n): return 6",
        "import sys\nsys.excepthook = lambda *_: print(6)\nraise ValueError",
        "import builtins\nbuiltins.print = lambda *_: None\ndef solve(n): print(2 * n)",
        "def solve(n): print(2 * n)",
        "import os\ndef solve(n):\n    os.write(1, b'6')\n    os._exit(0)",
    ] {
        for prefork in [true, false] {
            let grade = call(prefork, program);
            let score = grade
                .score
                .expect("a program cannot keep the grader from judging it");
            assert!(score <= 0.5, "{program}: {grade:?}");
        }
    }
}

#[test]
fn junk_on_the_channel_of_results_is_an_error() {
    for program in [
        // From a thread, while the program ends.
        "import os, threading\ndef solve(n):\n    def write():\n        for fd in range(64):\n            try: os.write(fd, b'6\\n')\n            except OSError: pass\n    threading.Thread(target=write).start()\n    os._exit(0)",
        // Before and after the real one.
        "import os\ndef solve(n):\n    for fd in range(3, 64):\n        try: os.write(fd, b'x')\n        except OSError: pass\n    return 2 * n",
        "import atexit, os\ndef late():\n    for fd in range(3, 64):\n        try: os.write(fd, b'x')\n        except OSError: pass\natexit.register(late)\ndef solve(n): return 2 * n",
        // Nothing at all.
        "import os\ndef solve(n): os._exit(0)",
        "raise SystemExit",
        "def solve(n): raise SystemExit",
        "import os\nos.closerange(0, 64)\ndef solve(n): return 2 * n",
        "x = 1",
    ] {
        for prefork in [true, false] {
            let grade = call(prefork, program);
            assert_eq!(codes(&grade), ["RE", "RE"], "{program}: {grade:?}");
        }
    }
}

/// Finds what marks words of the harness, and writes some of its own.
const FORGE: &str = r#"
import os, sys
def frame(kind, text):
    at = sys._getframe()
    while at and "nonce" not in at.f_locals:
        at = at.f_back
    nonce = at.f_locals["nonce"]
    return b"%s %s %d\n%s\n" % (nonce, kind, len(text), text)
def channels():
    for fd in range(64):
        try:
            os.fstat(fd)
        except OSError:
            continue
        if fd not in (0, 1, 2):
            yield fd
"#;

#[test]
fn a_forged_result_is_worth_what_it_says_and_a_second_one_nothing() {
    for (body, verdicts) in [
        // A constant, like any other way to return it.
        (
            "for fd in channels(): os.write(fd, frame(b'R', b'6'))\n    os._exit(0)",
            ["AC", "WA"],
        ),
        (
            "for fd in channels(): os.write(fd, frame(b'R', b'6'))\n    return 2 * n",
            ["RE", "RE"],
        ),
        (
            "for fd in channels(): os.write(fd, frame(b'R', b'6') * 2)\n    os._exit(0)",
            ["RE", "RE"],
        ),
        (
            "for fd in channels(): os.write(fd, frame(b'R', b'6')[:-1])\n    os._exit(0)",
            ["RE", "RE"],
        ),
        (
            "for fd in channels(): os.write(fd, frame(b'X', b'6'))\n    os._exit(0)",
            ["RE", "RE"],
        ),
        (
            "for fd in channels(): os.write(fd, frame(b'R', b'6'))\n    os._exit(1)",
            ["RE", "RE"],
        ),
        (
            "for fd in channels(): os.write(fd, frame(b'R', b'[' * 100000))\n    os._exit(0)",
            ["WA", "WA"],
        ),
        (
            "for fd in channels(): os.write(fd, frame(b'R', b'6 6'))\n    os._exit(0)",
            ["WA", "WA"],
        ),
        (
            "for fd in channels(): os.write(fd, frame(b'R', b'\\xff'))\n    os._exit(0)",
            ["WA", "WA"],
        ),
        (
            "for fd in channels(): os.write(fd, frame(b'R', b'9' * 1000000))\n    os._exit(0)",
            ["WA", "WA"],
        ),
    ] {
        for prefork in [true, false] {
            let program = format!("{FORGE}\ndef solve(n):\n    {body}\n");
            let grade = call(prefork, &program);
            assert_eq!(codes(&grade), verdicts, "{body}: {grade:?}");
        }
    }
}

#[test]
fn a_program_that_says_it_does_not_compile_loses_by_it() {
    for prefork in [true, false] {
        let program = format!("{FORGE}\nos.write(1, frame(b'C', b'no'))\nos._exit(0)");
        let grade = print(prefork, &program);
        assert_eq!(grade.score, Some(0.0), "{grade:?}");
        // And one that says it returned something prints what nobody asked for.
        let program = format!("{FORGE}\nos.write(1, frame(b'R', b'6'))\nos._exit(0)");
        assert_eq!(codes(&print(prefork, &program)), ["WA", "WA"]);
    }
}

#[test]
fn what_is_expected_is_nowhere_in_reach() {
    // Everything that the collector knows, with all that it refers to, and every frame; what was read is found, which shows
    // that the search finds things.
    let program = r#"
import gc, os, sys
def reachable():
    frame, todo = sys._getframe(), []
    while frame:
        todo += [frame.f_locals, frame.f_globals, frame.f_builtins]
        frame = frame.f_back
    todo += gc.get_objects()
    todo += [sys.argv, sys.orig_argv, dict(os.environ), sys.modules, sys._current_frames()]
    seen = set()
    while todo:
        thing = todo.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        yield thing
        todo += gc.get_referents(thing)
text = input()
input_word, output_word = ["".join(["marked", "-", end]) for end in ("in", "out")]
found = set()
for thing in reachable():
    if isinstance(thing, (str, bytes, bytearray)) and thing is not input_word and thing is not output_word:
        data = thing if isinstance(thing, str) else bytes(thing).decode("latin1")
        for word in (input_word, output_word):
            if word + "-" in data:
                found.add(word)
print(*sorted(found))
"#;
    for prefork in [true, false] {
        let tests = serde_json::json!({"inputs": ["marked-in-1\n"], "outputs": ["marked-out-1\n"]});
        let grade = verifier(prefork, &[]).grade(program, cases(tests));
        let test = &grade.tests[0];
        assert_eq!(
            (test.verdict.code(), test.stdout.as_str()),
            ("WA", "marked-in\n"),
            "{test:?}"
        );
    }
}

#[test]
fn a_test_leaves_nothing_behind_for_the_next() {
    let program = r#"
import builtins, json, random, sys
marks = [hasattr(place, "pv_mark") for place in (builtins, json, sys, random)]
for place in (builtins, json, sys, random):
    place.pv_mark = True
sys.stderr.write(repr(random.random()) + "\n")
print(2 * int(input()) if not any(marks) else "marked")
builtins.int = str
"#;
    for prefork in [true, false] {
        let tests =
            serde_json::json!({"inputs": ["3", "4", "5", "6"], "outputs": ["6", "8", "10", "12"]});
        let grade = verifier(prefork, &[]).grade(program, cases(tests));
        assert_eq!(codes(&grade), ["AC"; 4], "{grade:?}");
        let mut numbers: Vec<&str> = grade.tests.iter().map(|test| &*test.stderr).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(
            numbers.len(),
            4,
            "chance is not the same for all: {numbers:?}"
        );
    }
}

#[test]
fn output_is_bytes_and_only_the_right_ones_are_right() {
    for program in [
        r#"import sys; sys.stdout.buffer.write(b"\xef\xbb\xbf6\n")"#,
        r#"import sys; sys.stdout.buffer.write("6\n".encode("utf-16"))"#,
        r#"import sys; sys.stdout.buffer.write(b"6\x00\n")"#,
        r#"import sys; sys.stdout.buffer.write(b"\xff6\n")"#,
        r#"print("\uff16")"#,
        r#"print("\u0666")"#,
        r#"print("\u200b6")"#,
        "print('inf')",
        "print('nan')",
        "print('1e400')",
        "print('6_0')",
        "print('0x6')",
        "print('6 20')",
        "print('6\\n20')",
        "print()",
        "pass",
    ] {
        for prefork in [true, false] {
            let grade = print(prefork, program);
            assert_eq!(grade.score, Some(0.0), "{program}: {grade:?}");
        }
    }
    let huge = serde_json::json!({"inputs": [""], "outputs": ["1e308\n"]});
    for said in ["1e400", "inf", "1e309", "Infinity"] {
        let grade = verifier(true, &[]).grade(format!("print('{said}')"), cases(huge.clone()));
        assert_eq!(codes(&grade), ["WA"], "{said}");
    }
    let grade = print(true, r#"print("\ud800")"#);
    assert_eq!(codes(&grade), ["RE", "RE"], "{grade:?}");
}
