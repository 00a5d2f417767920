//! `verify`: rows in, the same rows with their verdicts out.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use prime_tests::{
    Finished, Folder, assert_failed, binary, parsed, prime_train, prime_train_reading, verified,
    verify_with,
};
use serde_json::{Value, json};

fn verdicts(rows: &[Value]) -> Vec<&str> {
    rows.iter()
        .filter_map(|row| row["verdict"].as_str())
        .collect()
}

fn response(text: &str, truth: impl Into<Value>) -> Value {
    json!({"ability": "math", "response": text, "ground_truth": truth.into()})
}

fn answer(text: &str, truth: impl Into<Value>) -> Value {
    json!({"ability": "math", "answer": text, "ground_truth": truth.into()})
}

#[test]
fn rows_come_back_with_verdict_score_and_detail() {
    let rows = [
        response(r"Half of it, so $\boxed{\frac{1}{2}}$.", "0.5"),
        response("I would say 3.", 4),
        response("I do not know.", "4"),
        answer(r"\frac{2", "2"),
        answer("2", r"\frac{2"),
        answer(
            "(1,2)",
            ["7", "(2,1)", "( 1, 2 )"].map(Value::from).to_vec(),
        ),
        json!({"ability": "math", "answer": 0.50, "ground_truth": [3, 0.5]}),
    ];
    let out = verified(&[], &rows);
    let expected = [
        ("equal", json!(1.0)),
        ("not_equal", json!(0.0)),
        ("no_answer", json!(0.0)),
        ("unparsed", json!(0.0)),
        ("unparsed", json!(null)),
        ("equal", json!(1.0)),
        ("equal", json!(1.0)),
    ];
    assert_eq!(out.len(), rows.len());
    for ((row, given), (verdict, score)) in out.iter().zip(&rows).zip(expected) {
        assert_eq!(
            (&row["verdict"], &row["score"]),
            (&json!(verdict), &score),
            "{row}"
        );
        for (name, value) in given.as_object().unwrap() {
            assert_eq!(&row[name], value, "{row}");
        }
        assert_eq!(
            row.as_object().unwrap().len(),
            3 + given.as_object().unwrap().len()
        );
    }

    let detail = |index: usize| &out[index]["detail"];
    assert_eq!(detail(0)["source"], "boxed");
    assert_eq!(detail(0)["gold"], "1/2");
    assert_eq!(detail(0)["answer"], "1/2");
    assert_eq!(detail(0)["answer_text"], r"\frac{1}{2}");
    assert!(detail(0)["stage"].is_string() && detail(0)["reason"].is_null());
    assert_eq!(detail(1)["answer"], "3");
    assert_ne!(detail(1)["source"], "boxed");
    assert_eq!(
        (&detail(2)["answer"], &detail(2)["source"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(detail(2)["gold"], "4");
    assert!(detail(3)["reason"].is_string() && detail(3)["stage"].is_null());
    assert!(
        detail(4)["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("ground truth")),
        "{}",
        out[4]
    );
    assert!(
        detail(5)["source"].is_null(),
        "a bare answer is not looked for"
    );
    assert_eq!(detail(5)["gold"], "(1, 2)", "the gold answer that decided");
}

#[test]
fn other_fields_pass_through_to_the_letter_and_old_verdicts_do_not() {
    let line = r#"{"z": 1.50, "score": 9, "id": 12345678901234567890123, "ability": "math", "verdict": "?", "a": [1, {"c": 2, "b": "\u00e9"}], "detail": "old", "answer": "4", "ground_truth": 4.0}"#;
    let done = verify_with(&[], &[line.to_owned()]).expect_success();
    let start = r#"{"z":1.50,"id":12345678901234567890123,"ability":"math","a":[1, {"c": 2, "b": "\u00e9"}],"answer":"4","ground_truth":4.0,"verdict":"equal","score":1.0,"detail":{"#;
    assert!(done.stdout.starts_with(start), "{}", done.stdout);
    assert_eq!(done.stdout.matches("\"verdict\"").count(), 1);

    // What comes out can go in again.
    let again = verify_with(&[], &[done.stdout.trim_end().to_owned()]).expect_success();
    assert_eq!(again.stdout, done.stdout);
}

#[test]
fn many_rows_keep_their_order_and_are_counted() {
    let folder = Folder::new();
    let rows = 10_000;
    let lines: Vec<String> = (0..rows)
        .map(|i| {
            let mut row = answer(&(i % 3).to_string(), 0);
            row["id"] = json!(i);
            // A blank line is no row.
            format!("{row}\n{}", if i % 1000 == 0 { " \r\n" } else { "" })
        })
        .collect();
    let input = folder.write("in.jsonl", &lines.concat());
    let output = folder.argument("new/out.jsonl");
    let arguments = [
        "verify",
        "--input",
        &input.display().to_string(),
        "--output",
        &output,
    ];
    let done = prime_train(&arguments).expect_success();
    assert_eq!(done.stdout, "");
    assert_eq!(done.stderr.lines().count(), 1, "{}", done.stderr);
    for part in [
        "10000 rows: 3334 equal, 6666 not equal; mean score 0.3334 of 10000 judged",
        " rows/s",
    ] {
        assert!(done.stderr.contains(part), "{part} in {}", done.stderr);
    }

    let text = String::from_utf8(folder.read("new/out.jsonl")).unwrap();
    let out = parsed(&text);
    assert_eq!(out.len(), rows);
    for (i, row) in out.iter().enumerate() {
        let verdict = if i % 3 == 0 { "equal" } else { "not_equal" };
        assert_eq!((&row["id"], &row["verdict"]), (&json!(i), &json!(verdict)));
    }
    assert_eq!(folder.list("new"), ["out.jsonl"]);

    // Files and streams are the same to it.
    let streamed = prime_train_reading(
        &lines.concat(),
        &["verify", "--input", "-", "--output", "-"],
    );
    assert_eq!(streamed.expect_success().stdout, text);
    // And so is a file that is both.
    let input = input.display().to_string();
    prime_train(&["verify", "--input", &input, "--output", &input]).expect_success();
    assert_eq!(folder.read("in.jsonl"), text.as_bytes());
}

#[test]
fn nothing_in_is_nothing_out() {
    let done = prime_train(&["verify"]).expect_success();
    assert_eq!(done.stdout, "");
    assert!(
        done.stderr.contains("0 rows; none judged"),
        "{}",
        done.stderr
    );
}

/// Lines that are no rows, with what is said about them.
const BROKEN: [(&str, &[&str]); 14] = [
    ("{", &["field `row`", "not JSON"]),
    (
        "[1, 2]",
        &["field `row`", "expected an object, found a list"],
    ),
    ("{} {}", &["field `row`", "not JSON"]),
    ("{}", &["`response`", "is missing, and so is `answer`"]),
    (
        r#"{"ability":["math"]}"#,
        &["`ability`", "expected a string, found a list"],
    ),
    (
        r#"{"ability":"logic","answer":"1","ground_truth":"1"}"#,
        &[
            "`ability`",
            "\"logic\" is not something that can be judged",
            "`math`",
            "`code`",
        ],
    ),
    (
        r#"{"ability":"math","ground_truth":"1"}"#,
        &["`response`", "is missing, and so is `answer`"],
    ),
    (
        r#"{"ability":"math","answer":"1","response":"1","ground_truth":"1"}"#,
        &["`answer`", "beside `response`", "one of the two"],
    ),
    (
        r#"{"ability":"math","response":1,"ground_truth":"1"}"#,
        &["`response`", "expected a string, found a number"],
    ),
    (
        r#"{"ability":"math","answer":true,"ground_truth":"1"}"#,
        &["`answer`", "expected a string, found a boolean"],
    ),
    (
        r#"{"ability":"math","answer":"1"}"#,
        &["`ground_truth`", "is missing"],
    ),
    (
        r#"{"ability":"math","answer":"1","ground_truth":{}}"#,
        &["`ground_truth`", "expected an answer, found an object"],
    ),
    (
        r#"{"ability":"math","answer":"1","ground_truth":[]}"#,
        &["`ground_truth`", "is an empty list"],
    ),
    (
        r#"{"ability":"math","answer":"1","ground_truth":["1",null]}"#,
        &["`ground_truth[1]`", "is null"],
    ),
];

#[test]
fn a_broken_row_is_named_and_the_rows_before_it_are_there() {
    let good = answer("1", 1).to_string();
    for (line, parts) in BROKEN {
        let lines = [good.clone(), String::new(), line.to_owned(), good.clone()];
        let done = verify_with(&[], &lines);
        assert_failed(&done, parts);
        assert_failed(&done, &["standard input row 3,", "--skip-bad-rows"]);
        assert_eq!(verdicts(&parsed(&done.stdout)), ["equal"], "{line}");
    }
}

#[test]
fn broken_rows_are_left_out_and_counted_when_asked() {
    let mut lines: Vec<String> = BROKEN.iter().map(|(line, _)| (*line).to_owned()).collect();
    lines.insert(3, answer("1", 1).to_string());
    lines.push(answer("1", 2).to_string());
    let done = verify_with(&["--skip-bad-rows"], &lines).expect_success();
    assert_eq!(verdicts(&parsed(&done.stdout)), ["equal", "not_equal"]);
    for part in [
        "verified 2 rows: 1 equal, 1 not equal",
        "14 broken rows left out",
    ] {
        assert!(done.stderr.contains(part), "{part} in {}", done.stderr);
    }
}

#[test]
fn an_output_that_is_there_survives_a_failure() {
    let folder = Folder::new();
    // The broken row is far behind the first chunk.
    let lines = format!("{}\n", answer("1", 1)).repeat(9_000) + "{}\n";
    let input = folder.write("in.jsonl", &lines).display().to_string();
    folder.write("out.jsonl", "old\n");
    let verify =
        |input: &str, output: &str| prime_train(&["verify", "--input", input, "--output", output]);
    assert_failed(
        &verify(&input, &folder.argument("out.jsonl")),
        &["in.jsonl row 9001,", "`response`"],
    );
    assert_failed(&verify(&input, &input), &["in.jsonl row 9001,"]);
    assert_failed(
        &verify(&folder.argument("nowhere"), &folder.argument("out.jsonl")),
        &["cannot read", "nowhere"],
    );
    assert_eq!(folder.read("out.jsonl"), b"old\n");
    assert_eq!(folder.read("in.jsonl"), lines.as_bytes());
    assert_eq!(folder.list(""), ["in.jsonl", "out.jsonl"]);

    // Neither a folder nor something below a file can be written.
    let good = folder.write("good.jsonl", &answer("1", 1).to_string());
    let good = good.display().to_string();
    assert_failed(&verify(&good, &folder.argument("")), &["cannot write"]);
    assert_failed(
        &verify(&good, &folder.argument("in.jsonl/x")),
        &["cannot create"],
    );
}

#[test]
fn policies_decide_about_conventions() {
    let rows = [
        answer(r"x = 5", "5"),
        answer("2,1", "1,2"),
        answer("3.14160", "3.1416001"),
    ];
    let with = |policy: &str| {
        let out = verified(&["--policy", policy], &rows);
        let equal = |verdict: &&str| *verdict == "equal";
        verdicts(&out).iter().map(equal).collect::<Vec<bool>>()
    };
    assert_eq!(with("strict"), [false, false, false]);
    assert_eq!(with("default")[..2], [true, true]);
    assert_eq!(
        verified(&[], &rows),
        verified(&["--policy", "default"], &rows)
    );
    assert_eq!(with("math_verify_compat"), [true, true, true]);
    assert_eq!(with("prime_compat"), [true, false, true]);
}

#[test]
fn extraction_says_where_answers_are_looked_for() {
    let rows = [
        response(r"So \boxed{1}.", 1),
        response("The final answer is 1.", 1),
        response("It is **1**, not 2.", 1),
    ];
    let with = |sources: &str| {
        let out = verified(&["--extract", sources], &rows);
        let source = |row: &Value| row["detail"]["source"].as_str().map(str::to_owned);
        out.iter().map(source).collect::<Vec<_>>()
    };
    let some = |name: &str| Some(name.to_owned());
    assert_eq!(with("boxed"), [some("boxed"), None, None]);
    assert_eq!(
        with("boxed,final_answer,bold"),
        [some("boxed"), some("final_answer"), some("bold")]
    );
    assert_eq!(
        with("last_value"),
        [some("last_value"), some("last_value"), None],
        "the last number of the third is denied"
    );
    assert_eq!(
        with("anywhere"),
        [some("boxed"), some("final_answer"), some("bold")]
    );
    assert_eq!(
        verified(&[], &rows),
        verified(&["--extract", "anywhere"], &rows)
    );
    assert_eq!(
        verdicts(&verified(&["--extract", "boxed"], &rows)),
        ["equal", "no_answer", "no_answer"]
    );
}

#[test]
fn options_that_do_not_exist_are_usage_errors() {
    let cases: [(&[&str], &[&str]); 6] = [
        (
            &["--policy", "lax"],
            &[
                "'lax'",
                "--policy",
                "default, strict, math_verify_compat, prime_compat",
            ],
        ),
        (
            &["--extract", "boxed,nowhere"],
            &[
                "--extract",
                "`nowhere`",
                "boxed, final_answer, answer",
                "last_value",
                "anywhere",
            ],
        ),
        (
            &["--extract", "anywhere,boxed"],
            &["`anywhere`", "by itself"],
        ),
        (&["--extract", ""], &["--extract"]),
        (&["--inptu", "x"], &["'--inptu'", "'--input'"]),
        (&["rows.jsonl"], &["'rows.jsonl'"]),
    ];
    for (options, parts) in cases {
        let done = verify_with(options, &[answer("1", 1).to_string()]);
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

fn start(arguments: &[&str]) -> Child {
    let mut command = Command::new(binary());
    command
        .arg("verify")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().expect("the binary starts")
}

#[test]
fn a_reader_that_has_enough_ends_it_quietly() {
    let folder = Folder::new();
    let lines = format!("{}\n", answer("1", 1)).repeat(20_000);
    let input = folder.write("in.jsonl", &lines).display().to_string();
    let mut child = start(&["--input", &input]);
    let mut first = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut first).unwrap();
    assert!(first.contains("equal"), "{first}");
    drop(stdout);
    let done = Finished::from(child.wait_with_output().unwrap());
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""));
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_the_old_output_and_nothing_else() {
    let folder = Folder::new();
    folder.write("out.jsonl", "old\n");
    let output = folder.argument("out.jsonl");
    let interrupt = |child: &Child| {
        let kill = format!("kill -INT {}", child.id());
        let status = Command::new("sh").args(["-c", &kill]).status();
        assert!(status.expect("sh runs").success());
    };

    // Into a file: the rows at hand are dropped, and the unfinished file with them.
    let mut child = start(&["--output", &output]);
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{}", answer("1", 1)).unwrap();
    while folder.list("").len() == 1 {
        std::thread::sleep(std::time::Duration::from_millis(3));
    }
    interrupt(&child);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    stderr.read_line(&mut said).unwrap();
    assert!(said.contains("again to stop at once"), "{said}");
    drop(stdin);
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    assert!(
        said.contains("nothing was written to") && said.contains("out.jsonl"),
        "{said}"
    );
    assert_eq!(folder.list(""), ["out.jsonl"]);
    assert_eq!(folder.read("out.jsonl"), b"old\n");

    // Onto standard output there is nothing to wait for. A whole chunk goes in, so that something comes out.
    let mut child = start(&[]);
    let mut stdin = child.stdin.take().unwrap();
    let lines = format!("{}\n", answer("1", 1)).repeat(4096);
    stdin.write_all(lines.as_bytes()).unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    stdout.read_line(&mut first).unwrap();
    assert!(first.contains("equal"), "{first}");
    interrupt(&child);
    let done = Finished::from(child.wait_with_output().unwrap());
    assert_eq!((done.code, done.stderr.as_str()), (Some(130), ""));
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_written_to_as_it_is() {
    use std::os::unix::fs::FileTypeExt as _;

    let folder = Folder::new();
    let row = answer("1", 1).to_string();
    let input = folder.write("in.jsonl", &row).display().to_string();
    let pipe = folder.path("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo runs").success());
    // Opened for both, a pipe waits for nobody.
    let held = fs::File::options().read(true).write(true).open(&pipe);
    let mut held = BufReader::new(held.unwrap());
    let output = pipe.display().to_string();
    prime_train(&["verify", "--input", &input, "--output", &output]).expect_success();
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    let mut line = String::new();
    held.read_line(&mut line).unwrap();
    assert_eq!(verdicts(&parsed(&line)), ["equal"]);
}
