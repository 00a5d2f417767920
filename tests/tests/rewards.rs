//! Graders of one's own, as a user has them: a file, a setting, a run.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use prime_tests::{Folder, prime_train, records, sets, tiny};

/// Leaves its number behind when it starts, and a file when its input has ended.
const GRADER: &str = r#"
import json, os, sys
open(sys.argv[1] + "/pid", "w").write(str(os.getpid()))
for line in sys.stdin:
    ask = json.loads(line)
    if sys.argv[2] == "none":
        print(json.dumps({"id": ask["id"], "score": None, "reason": "out of order"}))
    else:
        print(json.dumps({"id": ask["id"], "score": min(1, len(ask["response"]) / 40)}))
open(sys.argv[1] + "/ended", "w").write("yes")
"#;

/// `train` in `folder` with a grader that gives scores, or none.
fn train(folder: &Folder, kind: &str, more: &[&str]) -> Vec<String> {
    fs::write(folder.path("grade.py"), GRADER).unwrap();
    let parts = format!(
        "reward.parts=[{{kind=\"command\",name=\"mine\",command=[\"python3\",\"{}\",\"{}\",\"{kind}\"]}}]",
        folder.argument("grade.py"),
        folder.argument("")
    );
    let mut arguments: Vec<String> = ["train", "--name", "run"].map(str::to_owned).to_vec();
    arguments.extend(tiny());
    arguments.extend(sets([folder.out_dir().as_str(), parts.as_str()]));
    arguments.extend(sets(more.iter().copied()));
    arguments
}

fn eventually(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_run_is_rewarded_by_a_script_which_ends_with_it() {
    let folder = Folder::new();
    prime_train(&train(&folder, "scores", &[])).expect_success();
    let last = records(&folder.path("runs/run")).pop().unwrap();
    let mean = last["reward/mine/mean"].as_f64().unwrap();
    assert!(mean > 0.0 && last["eval/pass@1"].as_f64().unwrap() > 0.0);
    assert!(folder.path("ended").exists());
}

#[test]
fn a_script_without_an_opinion_costs_no_run_and_is_said_once() {
    let folder = Folder::new();
    let done = prime_train(&train(&folder, "none", &[])).expect_success();
    let said = done.stderr.matches("responses could not be judged").count();
    assert_eq!(said, 1, "{}", done.stderr);
    assert!(done.stderr.contains("out of order"), "{}", done.stderr);
    for record in records(&folder.path("runs/run")) {
        assert!(
            !record.contains_key("eval/pass@1") && !record.contains_key("acc"),
            "{record:?}"
        );
    }
    let rollouts = folder.read("runs/run/rollouts/step-000003.jsonl");
    let rollouts = String::from_utf8(rollouts).unwrap();
    assert_eq!(rollouts.lines().count(), 16, "{rollouts}");
    assert!(
        rollouts.lines().all(|line| line.contains("out of order")),
        "why each could not be judged: {rollouts}"
    );
}

#[test]
fn a_script_that_is_not_there_ends_the_command_before_any_work() {
    let folder = Folder::new();
    let mut arguments = train(&folder, "scores", &[]);
    arguments.extend(sets([
        r#"reward.parts=[{kind="command",command=["python3","missing.py"]}]"#,
    ]));
    let done = prime_train(&arguments);
    assert_eq!(done.code, Some(2), "{}", done.stderr);
    for part in ["reward `command`", "missing.py", "exit status: 2"] {
        assert!(done.stderr.contains(part), "{}", done.stderr);
    }
    assert!(!folder.path("runs").exists());
}

#[test]
fn a_script_ends_also_when_the_run_is_killed() {
    let folder = Folder::new();
    let arguments = train(&folder, "scores", &["rl.steps=100000"]);
    let mut run = std::process::Command::new(prime_tests::binary())
        .args(&arguments)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let metrics = folder.path("runs/run/metrics.jsonl");
    let steps = |path: &Path| fs::read_to_string(path).map_or(0, |text| text.lines().count());
    eventually("the run takes steps", || steps(&metrics) > 2);
    // Those of the command's own look at the data have ended by now.
    let _ = fs::remove_file(folder.path("ended"));
    run.kill().unwrap();
    run.wait().unwrap();
    eventually("the grader ends", || folder.path("ended").exists());
}
