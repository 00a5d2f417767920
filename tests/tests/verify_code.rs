//! `verify` of rows of code, and `doctor`.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use prime_tests::{Folder, Started, assert_failed, parsed, prime_train, verified, verify_with};
use serde_json::{Value, json};

fn code(program: &str, truth: Value) -> Value {
    json!({"ability": "code", "answer": program, "ground_truth": truth})
}

/// Twice the number.
fn doubles() -> Value {
    json!({"inputs": ["1\n", "2\n", "3\n"], "outputs": ["2\n", "4\n", "6\n"]})
}

const DOUBLE: &str = "print(2 * int(input()))";

/// Verdict, score and tests of each row.
fn graded(rows: &[Value]) -> Vec<(&str, Option<f64>, String)> {
    let of = |row: &Value| {
        let tests = row["tests"].as_array().expect("tests").iter();
        let tests: Vec<&str> = tests.filter_map(Value::as_str).collect();
        tests.join(" ")
    };
    rows.iter()
        .map(|row| {
            (
                row["verdict"].as_str().unwrap(),
                row["score"].as_f64(),
                of(row),
            )
        })
        .collect()
}

#[test]
fn programs_are_run_against_their_tests() {
    let fenced =
        format!("Try:\n```python\nprint(0)\n```\nBetter:\n```python\n{DOUBLE}\n```\nDone.");
    let text = json!(doubles().to_string());
    let response = |text: &str| {
        let mut row = code("", doubles());
        row["answer"] = Value::Null;
        row["response"] = text.into();
        row
    };
    let third = "n = int(input())\nprint(2 * n if n < 3 else 0)";
    let raises = "n = int(input())\nprint(2 * n)\nif n > 1: raise ValueError('too large')";
    let rows = [
        code(DOUBLE, doubles()),
        code(DOUBLE, text),
        response(&fenced),
        response("```c\nint main() {}\n```"),
        code(" \n", doubles()),
        code(third, doubles()),
        code(raises, doubles()),
        code("print(", doubles()),
        code(
            "class Solution:\n    def add(self, a, b):\n        return a + b",
            json!({"inputs": ["1\n2", [3, 4]], "outputs": [3, "8"], "fn_name": "add"}),
        ),
    ];
    let out = verified(&["--workers", "2"], &rows);
    let zero = Some(0.0);
    let expected = [
        ("accepted", Some(1.0), "AC AC AC"),
        ("accepted", Some(1.0), "AC AC AC"),
        ("accepted", Some(1.0), "AC AC AC"),
        ("no_answer", zero, ""),
        ("no_answer", zero, ""),
        ("wrong_answer", Some(2.0 / 3.0), "AC AC WA"),
        ("runtime_error", Some(1.0 / 3.0), "AC RE RE"),
        ("compilation_error", zero, "CE CE CE"),
        ("wrong_answer", Some(0.5), "AC WA"),
    ];
    for (row, (found, wanted)) in out.iter().zip(graded(&out).iter().zip(expected)) {
        let (verdict, score, tests) = found;
        assert_eq!((*verdict, tests.as_str()), (wanted.0, wanted.2), "{row}");
        let near = |wanted: f64| score.is_some_and(|score| (score - wanted).abs() < 1e-6);
        assert!(wanted.1.is_some_and(near), "{row}");
    }
    assert_eq!(out.len(), expected.len());
    assert_eq!(out[0]["detail"], json!({"passed": 3, "of": 3}));
    assert_eq!(out[3]["detail"], json!({"passed": 0, "of": 0}));
    let raised = &out[6]["detail"];
    assert_eq!((&raised["passed"], &raised["of"]), (&json!(1), &json!(3)));
    let message = raised["message"].as_str().unwrap();
    assert!(message.contains("ValueError: too large"), "{message}");
    assert!(
        out[7]["detail"]["message"]
            .as_str()
            .unwrap()
            .contains("SyntaxError")
    );
}

#[test]
fn options_say_how_programs_are_graded() {
    let near = json!({"inputs": ["", ""], "outputs": ["0.5", "a"]});
    let verdicts = |options: &[&str], program: &str, truth: &Value| {
        let out = verified(options, &[code(program, truth.clone())]);
        let (verdict, score, tests) = graded(&out).remove(0);
        (verdict.to_owned(), score.unwrap(), tests)
    };
    let half = "print(0.50004)";
    let float = ["--checker", "float(1e-3)"];
    assert_eq!(verdicts(&[], half, &near).2, "WA WA");
    assert_eq!(verdicts(&float, half, &near).2, "AC WA");
    assert_eq!(
        verdicts(&["--checker=exact"], "print(0.5)", &near).2,
        "WA WA"
    );
    let all = ["--checker=float(1e-3)", "--scoring", "all-or-nothing"];
    assert_eq!(verdicts(&all, half, &near).1, 0.0);
    assert_eq!(verdicts(&["--max-tests=1"], "print(0.5)", &near).1, 1.0);
    let early = ["--stop-early", "--workers=2"];
    assert_eq!(verdicts(&early, half, &near).2, "WA SK");
    let one = json!({"inputs": [""], "outputs": ["1"]});
    let large = "x = bytearray(200 << 20)\nprint(1)";
    assert_eq!(verdicts(&[], large, &one).0, "accepted");
    let small = ["--memory-limit", "128"];
    assert_eq!(verdicts(&small, large, &one).0, "memory_limit_exceeded");

    let begun = Instant::now();
    let endless = verdicts(&["--time-limit=1"], "while True: pass", &one);
    assert_eq!(endless.0, "time_limit_exceeded");
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "not the 5 s of the default"
    );
}

#[test]
fn rows_of_both_kinds_keep_their_order() {
    let folder = Folder::new();
    let rows: Vec<Value> = (0..200)
        .map(|id| {
            let truth = json!({"inputs": [id.to_string()], "outputs": [(2 * id).to_string()]});
            let mut row = match id % 3 {
                0 => json!({"ability": "math", "answer": id % 2, "ground_truth": 0, "tests": id}),
                1 => code(DOUBLE, truth),
                // The first of them is behind the others for a while.
                _ => code(
                    &format!(
                        "import time; time.sleep({})",
                        f64::from(u8::from(id == 2)) / 3.0
                    ),
                    truth,
                ),
            };
            row["id"] = id.into();
            row
        })
        .collect();
    let text: Vec<String> = rows.iter().map(Value::to_string).collect();
    let input = folder
        .write("in.jsonl", &text.join("\n"))
        .display()
        .to_string();
    let output = folder.argument("out.jsonl");
    let done = prime_train(&["verify", "--input", &input, "--output", &output]).expect_success();
    let out = parsed(&String::from_utf8(folder.read("out.jsonl")).unwrap());
    assert_eq!(out.len(), rows.len());
    for (id, row) in out.iter().enumerate() {
        let expected = match (id % 3, id % 2) {
            (0, 0) => ("equal", json!(id)),
            (0, _) => ("not_equal", json!(id)),
            (1, _) => ("accepted", json!(["AC"])),
            _ => ("wrong_answer", json!(["WA"])),
        };
        assert_eq!(
            (row["id"].as_u64(), row["verdict"].as_str()),
            (Some(id as u64), Some(expected.0))
        );
        assert_eq!(
            row["tests"], expected.1,
            "of a row of maths it is the row's own"
        );
    }
    let counts = "200 rows: 34 equal, 33 not equal, 67 accepted, 66 wrong answer; mean score 0.5050 of 200 judged";
    assert!(done.stderr.contains(counts), "{}", done.stderr);

    // What comes out can go in again, and old verdicts are replaced.
    let lines: Vec<String> = out[..6].iter().map(Value::to_string).collect();
    assert_eq!(
        parsed(&verify_with(&[], &lines).expect_success().stdout),
        out[..6]
    );
}

#[test]
fn tests_that_are_none_make_a_broken_row() {
    let good = code(DOUBLE, doubles()).to_string();
    for (truth, parts) in [
        (json!([]), &["the test cases are a list"][..]),
        (json!(7), &["the test cases are a number"]),
        (json!("tests"), &["the test cases are not JSON"]),
        (json!({"inputs": [""]}), &["no `outputs`"]),
        (json!({"inputs": [], "outputs": []}), &["are empty"]),
        (
            json!({"inputs": ["", ""], "outputs": [""]}),
            &["2 `inputs`, but 1 `outputs`"],
        ),
        (
            json!({"inputs": [1], "outputs": [""]}),
            &["`inputs[0]` has a number"],
        ),
        (
            json!({"inputs": ["1"], "outputs": ["1"], "fn_name": "a b"}),
            &["`fn_name`", "a b"],
        ),
    ] {
        let lines = [
            good.clone(),
            String::new(),
            code(DOUBLE, truth).to_string(),
            good.clone(),
        ];
        let done = verify_with(&[], &lines);
        assert_failed(&done, parts);
        assert_failed(
            &done,
            &[
                "standard input row 3, field `ground_truth`: ",
                "--skip-bad-rows",
            ],
        );
        assert_eq!(graded(&parsed(&done.stdout)).len(), 1, "the row before");

        let done = verify_with(&["--skip-bad-rows"], &lines).expect_success();
        assert!(
            done.stderr.contains("1 broken row left out"),
            "{}",
            done.stderr
        );
        assert_eq!(graded(&parsed(&done.stdout)).len(), 2);
    }
}

#[test]
fn a_python_that_is_none_ends_it_before_anything_is_written() {
    let folder = Folder::new();
    folder.write("out.jsonl", "old\n");
    let math = json!({"ability": "math", "answer": 1, "ground_truth": 1}).to_string();
    let program = code(DOUBLE, doubles()).to_string();
    let both = folder.write("both.jsonl", &format!("{math}\n{program}"));
    let verify = |input: &str, python: &str| {
        let output = folder.argument("out.jsonl");
        prime_train(&[
            "verify", "--input", input, "--output", &output, "--python", python,
        ])
    };
    for (python, why) in [
        ("/bin/true", "does not answer like a Python"),
        ("/no/python", "/no/python"),
    ] {
        let done = verify(&both.display().to_string(), python);
        assert_failed(&done, &["programs cannot be run", python, why, "--python"]);
        assert_eq!(folder.read("out.jsonl"), b"old\n");
        assert_eq!(folder.list(""), ["both.jsonl", "out.jsonl"]);
    }
    let done = verify_with(&["--python=/bin/true"], &[math.clone(), program]);
    assert_failed(&done, &["/bin/true"]);
    assert_eq!(done.stdout, "");
    // Who has no programs needs no Python.
    let maths = folder.write("maths.jsonl", &math).display().to_string();
    verify(&maths, "/bin/true").expect_success();
}

#[test]
fn values_that_make_no_sense_are_usage_errors() {
    for (option, parts) in [
        ("--time-limit=0", &["--time-limit", "above 0"][..]),
        ("--time-limit=-1", &["--time-limit"]),
        ("--time-limit=nan", &["--time-limit"]),
        ("--time-limit=1e9", &["--time-limit", "86400"]),
        (
            "--time-limit=soon",
            &["--time-limit", "not a number of seconds"],
        ),
        ("--memory-limit=63", &["--memory-limit", "64"]),
        ("--checker=fuzzy", &["--checker", "\"fuzzy\"", "\"lines\""]),
        ("--checker=float(2)", &["--checker", "between 0 and 1"]),
        ("--scoring=half", &["--scoring", "fraction, all-or-nothing"]),
        ("--max-tests=0", &["--max-tests"]),
        ("--workers=0", &["--workers"]),
    ] {
        let done = verify_with(&[option], &[code(DOUBLE, doubles()).to_string()]);
        assert_eq!(
            (done.code, done.stdout.as_str()),
            (Some(2), ""),
            "{}",
            done.stderr
        );
        for part in parts {
            assert!(
                done.stderr.contains(part),
                "{part:?} is not in\n{}",
                done.stderr
            );
        }
    }
}

#[test]
fn ctrl_c_stops_programs_that_run() {
    let folder = Folder::new();
    folder.write("out.jsonl", "old\n");
    let sleeps = code("import time; time.sleep(100)", doubles()).to_string();
    let input = folder.write("in.jsonl", &format!("{sleeps}\n").repeat(50));
    let output = folder.argument("out.jsonl");
    let input = input.display().to_string();
    let mut started = Started::new(&[
        "verify",
        "--input",
        &input,
        "--output",
        &output,
        "--time-limit=60",
    ]);
    started.wait_until(|| folder.list("").len() == 3);
    std::thread::sleep(Duration::from_millis(700));
    started.interrupt();
    let begun = Instant::now();
    let done = started.finish();
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(done.code, Some(130), "{}", done.stderr);
    assert!(
        done.stderr.contains("nothing was written to"),
        "{}",
        done.stderr
    );
    assert_eq!(folder.read("out.jsonl"), b"old\n");
    assert_eq!(folder.list(""), ["in.jsonl", "out.jsonl"]);
}

#[test]
fn doctor_says_what_programs_would_run_in() {
    let done = prime_train(&[
        "doctor",
        "--time-limit=2",
        "--memory-limit=256",
        "--workers=2",
    ])
    .expect_success();
    for part in [
        "  on   seccomp filter",
        "  on   Landlock",
        "  on   resource limits",
        "programs are sandboxed\n",
        "python   /",
        "(3.",
        "tests    each",
        "2 s of processor time, 4 s on the clock, 256 MiB,",
        "workers  2\n",
        "trial    accepted in ",
    ] {
        assert!(
            done.stdout.contains(part),
            "{part:?} is not in\n{}",
            done.stdout
        );
    }
    assert_eq!(done.stderr, "");

    let done = prime_train(&["doctor", "--python", "/bin/true"]);
    assert_failed(&done, &["programs cannot be run", "/bin/true", "--python"]);
    assert_eq!(
        prime_train(&["doctor", "--stop-early"]).code,
        Some(2),
        "nothing to do with it"
    );
}
