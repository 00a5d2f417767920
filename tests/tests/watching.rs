//! What a run shows of itself, and what can be read of it elsewhere.

use std::collections::BTreeSet;

use prime_tests::{Folder, Record, prime_train, records, sets, tiny};

fn train(name: &str, more: &[&str], settings: &[&str], folder: &Folder) -> Vec<String> {
    let mut all: Vec<String> = ["train", "--name", name].map(str::to_owned).to_vec();
    all.extend(more.iter().map(|argument| (*argument).to_owned()));
    all.extend(tiny());
    all.extend(sets([folder.out_dir().as_str()]));
    all.extend(sets(settings.iter().copied()));
    all
}

fn event_files(folder: &Folder, run: &str) -> Vec<String> {
    let mut names = folder.list(&format!("runs/{run}"));
    names.retain(|name| name.contains("tfevents"));
    names
}

/// How often a step's events are in a file: each holds the name of every metric once.
fn mentions(folder: &Folder, run: &str, metric: &str) -> usize {
    let name = &event_files(folder, run)[0];
    let bytes = folder.read(&format!("runs/{run}/{name}"));
    // A field of that length with that text.
    let mut field = vec![0x0a, metric.len() as u8];
    field.extend(metric.bytes());
    bytes
        .windows(field.len())
        .filter(|window| *window == field)
        .count()
}

#[test]
fn tensorboard_has_every_step_once_after_a_resume_too() {
    let folder = Folder::new();
    let settings = ["rl.steps=4", "run.save_every=2"];
    prime_train(&train("one", &[], &settings, &folder)).expect_success();
    assert_eq!(event_files(&folder, "one").len(), 1);
    assert_eq!(mentions(&folder, "one", "acc"), 4);
    assert_eq!(mentions(&folder, "one", "timing_s/startup"), 1);

    // As if it had been killed after step 2, with two more steps on record.
    std::fs::remove_dir_all(folder.path("runs/one/checkpoints/step-000004")).expect("ours");
    let before = event_files(&folder, "one");
    let run = folder.path("runs/one").display().to_string();
    prime_train(&["train", "--resume", &run].map(str::to_owned)).expect_success();
    let after = event_files(&folder, "one");
    assert_eq!(after.len(), 1);
    assert_ne!(before, after);
    assert_eq!(mentions(&folder, "one", "acc"), 4);

    prime_train(&train("off", &[], &["run.tensorboard=false"], &folder)).expect_success();
    assert!(event_files(&folder, "off").is_empty());
}

#[test]
fn records_and_transcripts_say_what_was_done_and_how_long_it_took() {
    let folder = Folder::new();
    let settings = ["rl.steps=4", "run.save_every=2", "run.transcripts_every=2"];
    prime_train(&train("one", &[], &settings, &folder)).expect_success();
    let records = records(&folder.path("runs/one"));
    let has = |at: usize, name: &str| records[at].get(name).is_some();
    assert!(has(0, "timing_s/startup") && !has(1, "timing_s/startup"));
    assert!(has(3, "timing_s/save"), "the step after a checkpoint");
    assert!((1..=4).all(|at| has(at, "perf/tokens_per_s")));
    let summary: Record =
        serde_json::from_slice(&folder.read("runs/one/summary.json")).expect("an object");
    assert!(
        summary["seconds_by_phase"]["save"].as_f64() > Some(0.0),
        "{summary:?}"
    );

    let text = folder.read("runs/one/rollouts/step-000002.jsonl");
    let text = String::from_utf8(text).expect("text");
    let first: Record = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    let length = |name: &str| first[name].as_array().map(Vec::len);
    assert_eq!(length("token_ids"), length("tokens"));
    assert_eq!(length("log_probs"), length("tokens"));
    let names: BTreeSet<&str> = first.keys().map(String::as_str).collect();
    for name in ["finish", "detail", "reward", "outcome", "advantages"] {
        assert!(names.contains(name), "{name} in {names:?}");
    }
}

#[test]
fn progress_is_plain_in_a_log_and_can_be_left_out() {
    let folder = Folder::new();
    for (name, how) in [("a", "auto"), ("b", "live"), ("c", "plain")] {
        let done = prime_train(&train(name, &["--progress", how], &[], &folder)).expect_success();
        let said = done.stderr;
        assert!(said.contains("training 3/3 acc"), "{how}: {said}");
        assert!(
            !said.contains('\u{1b}') && !said.contains('\r'),
            "{how}: {said}"
        );
        let folder_at = said.find("run     ").expect("the folder is named");
        assert!(
            folder_at < said.find("warm-up ").expect("a warm-up"),
            "{said}"
        );
    }
    let done = prime_train(&train("d", &["--progress", "none"], &[], &folder)).expect_success();
    assert!(!done.stderr.contains("training"), "{}", done.stderr);
    let wrong = prime_train(&train("e", &["--progress", "loud"], &[], &folder));
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("plain"), "{}", wrong.stderr);
}
