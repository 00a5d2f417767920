//! A process that grades: right answers come through, and nothing it does wrong becomes a score.
#![cfg(all(unix, feature = "command"))]

use std::time::{Duration, Instant};

use prime_verifier::external::{CommandConfig, CommandGrader, ExternalGrader, GraderError};
use serde_json::{Map, Value, json};

fn config(command: &[&str]) -> CommandConfig {
    let mut config = CommandConfig::new(command.iter().copied());
    config.deadline = Duration::from_secs(2);
    config.startup = Duration::from_secs(10);
    config
}

fn python(body: &str) -> CommandConfig {
    let head = "import json, os, sys, time\n";
    config(&["python3", "-c", &format!("{head}{body}")])
}

fn requests(responses: &[&str]) -> Vec<Map<String, Value>> {
    responses
        .iter()
        .map(|response| match json!({ "response": response }) {
            Value::Object(request) => request,
            _ => Map::new(),
        })
        .collect()
}

/// Scores, or the reasons why there are none.
fn grade(grader: &CommandGrader, responses: &[&str]) -> Vec<Result<f32, String>> {
    let answers = grader.grade(&requests(responses));
    let score = |answer: Result<prime_verifier::external::Graded, String>| {
        answer.map(|graded| graded.score.get())
    };
    answers.into_iter().map(score).collect()
}

/// Answers with the number that the response is; some responses are orders.
const GRADER: &str = r#"
for line in sys.stdin:
    ask = json.loads(line)
    text = ask["response"]
    if text == "crash": sys.exit("out of luck")
    if text == "hang": time.sleep(60)
    if text == "rubbish": print("rubbish"); continue
    if text == "nan": print(json.dumps({"score": float("nan"), "id": ask["id"]})); continue
    if text == "null": print(json.dumps({"id": ask["id"], "score": None, "reason": "no idea"})); continue
    if text == "stranger": print(json.dumps({"id": 99999, "score": 1})); continue
    print(json.dumps({"id": ask["id"], "score": float(text), "detail": "seen"}))
"#;

#[test]
fn scores_come_back_to_their_responses_in_any_order() {
    let backwards = python(
        r#"
lines = [sys.stdin.readline() for _ in range(3)]
for line in reversed(lines):
    ask = json.loads(line)
    print(json.dumps({"score": float(ask["response"]), "id": str(ask["id"])}), flush=True)
for line in sys.stdin: pass
"#,
    );
    let grader = CommandGrader::start(backwards).unwrap();
    let scores = grade(&grader, &["0.25", "0.5", "1"]);
    assert_eq!(scores, [Ok(0.25), Ok(0.5), Ok(1.0)]);
}

#[test]
fn faults_are_reasons_and_cost_one_response_each() {
    let grader = CommandGrader::start(python(GRADER)).unwrap();
    let responses = [
        "0.5", "crash", "1", "rubbish", "nan", "null", "2", "stranger", "0",
    ];
    let answers = grade(&grader, &responses);
    for at in [0, 2, 8] {
        assert_eq!(
            answers[at],
            Ok(responses[at].parse().unwrap()),
            "{answers:?}"
        );
    }
    for (at, part) in [
        (
            1,
            "exit status: 1; its standard error ends with: out of luck",
        ),
        (3, "`rubbish`"),
        (4, "NaN"),
        (5, "no idea"),
        (6, "`score` is 2"),
        (7, "none that it was asked about"),
    ] {
        let reason = answers[at].as_ref().unwrap_err();
        assert!(reason.contains(part), "{at}: {reason}");
    }
    // And the process is as good as new.
    assert_eq!(grade(&grader, &["1"]), [Ok(1.0)]);
}

#[test]
fn a_hang_costs_the_deadline_once() {
    let mut config = python(GRADER);
    config.deadline = Duration::from_millis(700);
    let grader = CommandGrader::start(config).unwrap();
    let begun = Instant::now();
    let answers = grade(&grader, &["1", "hang", "0.5", "0"]);
    assert_eq!(answers[0], Ok(1.0));
    let reason = answers[1].as_ref().unwrap_err();
    assert!(reason.contains("no answer within 0.7 s"), "{reason}");
    assert_eq!(answers[2..], [Ok(0.5), Ok(0.0)]);
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_process_that_never_answers_is_started_a_bounded_number_of_times() {
    let folder = std::env::temp_dir().join(format!("starts-{}", std::process::id()));
    let count = folder.display().to_string();
    let mut config = python(&format!(
        "open({count:?}, 'a').write('x')\nsys.stdin.readline()\nsys.exit(3)"
    ));
    config.restarts = 2;
    let grader = CommandGrader::start(config).unwrap();
    let answers = grade(&grader, &["1"; 50]);
    assert!(answers.iter().all(Result::is_err));
    let last = answers[49].as_ref().unwrap_err();
    assert!(
        last.contains("3 times in a row") && last.contains("exit status: 3"),
        "{last}"
    );
    assert_eq!(std::fs::read_to_string(&folder).unwrap(), "xxx");
    std::fs::remove_file(folder).unwrap();
}

#[test]
fn full_pipes_stop_nobody() {
    // Reads nothing until it has written more than a pipe holds, and writes more than one to standard error.
    let config = python(
        r#"
sys.stderr.write("e" * 300000)
asks = []
for line in sys.stdin:
    ask = json.loads(line)
    print(json.dumps({"id": ask["id"], "score": 1, "detail": ask["response"]}))
"#,
    );
    let grader = CommandGrader::start(config).unwrap();
    let long = "é".repeat(100_000);
    let answers = grader.grade(&requests(&[long.as_str(); 40]));
    for answer in answers {
        assert_eq!(answer.unwrap().detail.as_deref(), Some(long.as_str()));
    }
}

#[test]
fn what_cannot_start_is_named() {
    let start = |command: &[&str]| CommandGrader::start(config(command)).unwrap_err();
    assert!(matches!(start(&[]), GraderError::NoCommand));
    let error = start(&["no-such-grader-anywhere"]).to_string();
    assert!(
        error.contains("`no-such-grader-anywhere` could not be started"),
        "{error}"
    );
    let error = start(&["sh", "-c", "echo missing module >&2; exit 4"]).to_string();
    for part in ["ended before", "exit status: 4", "missing module"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn nothing_is_left_behind() {
    // A shell with a child that ignores the end of input.
    let file = std::env::temp_dir().join(format!("pid-{}", std::process::id()));
    let script = format!(
        "sleep 300 & echo $! > {}; cat >/dev/null; wait",
        file.display()
    );
    let grader = CommandGrader::start(config(&["sh", "-c", &script])).unwrap();
    let pid = std::fs::read_to_string(&file).unwrap();
    let alive = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        stat.is_ok_and(|stat| !stat.contains(") Z"))
    };
    if cfg!(target_os = "linux") {
        assert!(alive());
    }
    drop(grader);
    let until = Instant::now() + Duration::from_secs(5);
    while alive() {
        assert!(Instant::now() < until, "process {pid} is still there");
        std::thread::sleep(Duration::from_millis(10));
    }
    std::fs::remove_file(file).unwrap();
}
