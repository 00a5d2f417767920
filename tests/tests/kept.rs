//! A run cannot be lost: by a second process, a flipped bit, changed data, or a kill at any moment.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use prime_tests::{Folder, Started, binary, prime_train, recorded_text, run, sets, tiny};
use serde_json::Value;

fn train(name: &str, settings: &[&str], folder: &Folder) -> Vec<String> {
    let mut all: Vec<String> = ["train", "--name", name].map(str::to_owned).to_vec();
    all.extend(tiny());
    all.extend(sets([folder.out_dir().as_str(), "preset=prime"]));
    all.extend(sets(settings.iter().copied()));
    all
}

fn resume(folder: &Folder, name: &str, more: &[&str]) -> Vec<String> {
    let mut all = vec![
        "train".to_owned(),
        "--resume".to_owned(),
        folder.argument(&format!("runs/{name}")),
    ];
    all.extend(more.iter().map(|&part| part.to_owned()));
    all
}

fn steps(folder: &Folder, name: &str) -> usize {
    let text = fs::read_to_string(folder.path(&format!("runs/{name}/metrics.jsonl")));
    text.unwrap_or_default().lines().count().saturating_sub(1)
}

/// All files under a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, target).unwrap();
    }
}

/// What a run has to show: records without times, and the content of its transcripts and of its last checkpoint.
#[derive(Debug, PartialEq)]
struct Outcome {
    metrics: Vec<Vec<String>>,
    files: Vec<(String, u64)>,
}

fn outcome(folder: &Folder, name: &str) -> Outcome {
    let run = folder.path(&format!("runs/{name}"));
    let names = folder.list(&format!("runs/{name}/checkpoints"));
    let newest = names
        .iter()
        .rfind(|name| name.starts_with("step-") && !name.contains('.'));
    let newest = format!("checkpoints/{}", newest.expect("a checkpoint"));
    let mut all = vec![];
    for part in [newest.as_str(), "rollouts"].map(|part| run.join(part)) {
        all.extend(if part.exists() { files(&part) } else { vec![] });
    }
    // Ids of parameters are drawn anew, an adapter says where its base is, and sums are of these.
    let other = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        let ids = name.ends_with("optimizer.bin");
        !ids && name != "sums.json" && name != "adapter_config.json"
    };
    let content = |path: PathBuf| {
        let mut hasher = DefaultHasher::new();
        fs::read(&path).unwrap().hash(&mut hasher);
        let name = path.strip_prefix(&run).unwrap().display().to_string();
        (name, hasher.finish())
    };
    Outcome {
        metrics: recorded_text(&run),
        files: all.into_iter().filter(other).map(content).collect(),
    }
}

#[test]
fn a_second_process_is_told_who_has_the_run_and_changes_nothing() {
    let folder = Folder::new();
    let long = ["rl.steps=60", "run.save_every=2"];
    let mut first = Started::new(&train("a", &long, &folder));
    first.wait_until(|| steps(&folder, "a") >= 4);
    let second = prime_train(&resume(&folder, "a", &[]));
    assert_eq!(second.code, Some(2), "{}", second.stderr);
    assert!(
        second.stderr.contains("is in use by process"),
        "{}",
        second.stderr
    );
    let named = prime_train(&train("a", &long, &folder));
    assert_eq!(named.code, Some(2), "{}", named.stderr);
    assert!(first.finish().code == Some(0));

    prime_train(&train("alone", &long, &folder)).expect_success();
    assert_eq!(outcome(&folder, "a"), outcome(&folder, "alone"));
    let info: Value = serde_json::from_slice(&folder.read("runs/a/run.json")).unwrap();
    assert_eq!(info["sessions"].as_array().unwrap().len(), 1);
    assert!(info["sessions"][0]["command"][1] == "train", "{info}");
    let summary: Value = serde_json::from_slice(&folder.read("runs/a/summary.json")).unwrap();
    assert_eq!(
        summary["program"]["started"],
        info["sessions"][0]["started"]
    );
    let config = String::from_utf8(folder.read("runs/a/config.toml")).unwrap();
    assert!(config.starts_with("# prime-train "), "{config}");
}

#[test]
fn a_flipped_bit_in_any_file_of_a_checkpoint_is_refused_by_name() {
    let folder = Folder::new();
    let settings = [
        "rl.steps=4",
        "run.save_every=2",
        "run.keep_last=3",
        "preset=ppo",
        "prm.enabled=true",
    ];
    prime_train(&train("a", &settings, &folder)).expect_success();
    let expected = outcome(&folder, "a");
    let checkpoint = folder.path("runs/a/checkpoints/step-000002");
    let all = files(&checkpoint);
    assert!(all.len() >= 8, "{all:?}");
    for (i, file) in all.iter().enumerate() {
        let before = fs::read(file).unwrap();
        let mut flipped = before.clone();
        let at = flipped.len() * (i + 1) / (all.len() + 1);
        flipped[at] ^= 1 << (i % 8);
        fs::write(file, &flipped).unwrap();
        let refused = prime_train(&resume(&folder, "a", &["--resume-from", "2"]));
        let name = file.file_name().unwrap().display().to_string();
        assert_eq!(refused.code, Some(1), "{name}: {}", refused.stderr);
        assert!(
            refused.stderr.contains("is damaged") && refused.stderr.contains(&name),
            "{name}: {}",
            refused.stderr
        );
        fs::write(file, &before).unwrap();
    }
    // Without a step the newest that is whole is gone on from, and that is said.
    let newest = folder.path("runs/a/checkpoints/step-000004/state.json");
    fs::write(&newest, "{}").unwrap();
    let done = prime_train(&resume(&folder, "a", &[])).expect_success();
    assert!(done.stderr.contains("state.json"), "{}", done.stderr);
    assert!(
        done.stderr.contains("an older checkpoint is tried"),
        "{}",
        done.stderr
    );
    assert_eq!(outcome(&folder, "a"), expected);
    let kept = folder.list("runs/a/checkpoints");
    assert!(kept.contains(&"step-000004.aside-1".to_owned()), "{kept:?}");

    let weights = folder.path("runs/a/checkpoints/reference/model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    fs::write(&weights, bytes).unwrap();
    let refused = prime_train(&resume(&folder, "a", &[]));
    assert!(
        refused
            .stderr
            .contains("model.safetensors has other content"),
        "{}",
        refused.stderr
    );
    prime_train(&resume(&folder, "a", &["--accept-changed"])).expect_success();
}

#[test]
fn a_run_gets_longer_as_if_it_had_been_so_from_the_start() {
    let folder = Folder::new();
    prime_train(&train("short", &["rl.steps=3", "eval.every=0"], &folder)).expect_success();
    let longer = ["--set", "rl.steps=6", "--set", "eval.every=2"];
    let done = prime_train(&resume(&folder, "short", &longer)).expect_success();
    assert!(
        done.stderr.contains("changed: rl.steps: 3 → 6"),
        "{}",
        done.stderr
    );
    prime_train(&train("long", &["rl.steps=6", "eval.every=0"], &folder)).expect_success();
    // The shorter run had a last step of its own, whose transcripts stay.
    fs::remove_file(folder.path("runs/short/rollouts/step-000003.jsonl")).unwrap();
    assert_eq!(
        outcome(&folder, "short").files,
        outcome(&folder, "long").files
    );
    let info: Value = serde_json::from_slice(&folder.read("runs/short/run.json")).unwrap();
    assert_eq!(info["sessions"][1]["from_step"], 3);
    let changed = info["sessions"][1]["changed"].to_string();
    assert!(changed.contains("rl.steps: 3 → 6"), "{changed}");
    let config = String::from_utf8(folder.read("runs/short/config.toml")).unwrap();
    assert!(config.contains("steps = 6"), "{config}");
    // Once changed it stays so.
    let again = prime_train(&resume(&folder, "short", &[])).expect_success();
    assert!(!again.stderr.contains("changed:"), "{}", again.stderr);

    let refused = prime_train(&resume(
        &folder,
        "short",
        &["--set", "rl.lr=1e-3", "--set", "seed=4"],
    ));
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("rl.lr") && refused.stderr.contains("seed"),
        "{}",
        refused.stderr
    );
    let none = prime_train(&resume(&folder, "short", &["--resume-from", "5"]));
    assert_eq!(none.code, Some(2));
    assert!(
        none.stderr.contains("there is no checkpoint of that step"),
        "{}",
        none.stderr
    );
}

#[test]
fn a_run_killed_before_its_first_checkpoint_goes_on_from_the_warm_up() {
    let folder = Folder::new();
    let long = ["rl.steps=60", "run.transcripts_every=30"];
    prime_train(&train("unbroken", &long, &folder)).expect_success();
    let mut started = Started::new(&train("cut", &long, &folder));
    started.wait_until(|| steps(&folder, "cut") >= 3);
    started.kill();
    prime_train(&resume(&folder, "cut", &[])).expect_success();
    assert_eq!(outcome(&folder, "cut"), outcome(&folder, "unbroken"));
    // Before even the record of step 0.
    fs::remove_file(folder.path("runs/cut/metrics.jsonl")).unwrap();
    prime_train(&resume(&folder, "cut", &["--resume-from", "0"])).expect_success();
    assert_eq!(
        outcome(&folder, "cut").files,
        outcome(&folder, "unbroken").files
    );
    assert_eq!(steps(&folder, "cut"), 60);
}

#[test]
fn a_name_is_free_again_after_a_kill_in_the_warm_up() {
    let folder = Folder::new();
    let endless = ["warmup.steps=100000"];
    let mut started = Started::new(&train("early", &endless, &folder));
    started.wait_until(|| folder.path("runs/early/run.lock").exists());
    started.kill();
    assert!(folder.path("runs/early").exists());
    prime_train(&train("early", &[], &folder)).expect_success();
    let taken = prime_train(&train("early", &[], &folder));
    assert_eq!(taken.code, Some(2), "{}", taken.stderr);
    assert!(taken.stderr.contains("exists already"), "{}", taken.stderr);
}

#[test]
fn the_best_policy_is_kept_and_a_run_without_gain_ends() {
    let folder = Folder::new();
    let settings = [
        "rl.steps=40",
        "rl.lr=1e-9",
        "prm.enabled=false",
        "eval.every=2",
        "run.save_best=eval/pass@1",
        "run.stop_after=3",
    ];
    let done = prime_train(&train("a", &settings, &folder)).expect_success();
    assert!(
        done.stderr.contains("the run ends (run.stop_after)"),
        "{}",
        done.stderr
    );
    assert!((6..40).contains(&steps(&folder, "a")));
    let best: Value =
        serde_json::from_slice(&folder.read("runs/a/checkpoints/best/best.json")).unwrap();
    assert_eq!(best["metric"], "eval/pass@1");
    let model = folder.argument("runs/a/checkpoints/best/policy");
    prime_train(&["eval", "--model", &model, "--set", "eval.problems=4"]).expect_success();
    for (set, word) in [
        ("run.stop_after=2", "run.save_best"),
        ("run.save_best=acc", "eval/pass@1"),
        ("run.save_best=eval/pass1", "there are eval/answers"),
    ] {
        let refused = prime_train(&train("b", &[set], &folder));
        assert_eq!(refused.code, Some(2));
        assert!(refused.stderr.contains(word), "{}", refused.stderr);
    }
}

/// A tiny model of the exam's vocabulary, in `model`.
fn model(folder: &Folder) -> String {
    let mut arguments = ["sft", "--name", "warm"].map(str::to_owned).to_vec();
    arguments.extend(tiny());
    let out = folder.out_dir();
    arguments.extend(sets([out.as_str(), "data.task=exam", "warmup.steps=6"]));
    prime_train(&arguments).expect_success();
    let policy = folder.path("runs/warm/checkpoints/step-000000/policy");
    fs::rename(policy, folder.path("model")).unwrap();
    folder.argument("model")
}

/// Rows beside the tests, named by a relative path, from another working directory, and changed.
#[test]
fn data_files_are_found_from_elsewhere_and_known_again() {
    let folder = Folder::new();
    model(&folder);
    let rows: String = (2..10)
        .map(|a| format!("{{\"question\":\"{a}*8=\",\"answer\":\"{}\"}}\n", a * 8))
        .collect();
    folder.write("rows.jsonl", &rows);
    let mut arguments = ["train", "--name", "a"].map(str::to_owned).to_vec();
    arguments.extend(tiny());
    arguments.extend(sets([
        "run.out_dir=runs",
        "preset=rloo",
        "data.task=rows",
        "data.pass_mark=",
        "data.extract=whole",
        "data.max_prompt_tokens=16",
        "warmup.steps=0",
        "run.save_every=1",
        "run.keep_last=9",
        "model.path=model",
        "data.train_file=rows.jsonl",
    ]));
    let there = |arguments: &[String], place: &Path| {
        let output = std::process::Command::new(binary())
            .args(arguments)
            .current_dir(place)
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (code, stderr) = there(&arguments, &folder.path(""));
    assert_eq!(code, Some(0), "{stderr}");
    let expected = outcome(&folder, "a");
    let elsewhere = Folder::new();
    let back = resume(&folder, "a", &["--resume-from", "1"]);
    let (code, stderr) = there(&back, &elsewhere.path(""));
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(outcome(&folder, "a"), expected);

    folder.write("rows.jsonl", &rows.replace("72", "73"));
    let refused = prime_train(&resume(&folder, "a", &["--resume-from", "1"]));
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("rows.jsonl has other content")
            && refused.stderr.contains("--accept-changed"),
        "{}",
        refused.stderr
    );
    prime_train(&resume(
        &folder,
        "a",
        &["--resume-from", "1", "--accept-changed"],
    ))
    .expect_success();
}

/// Kills at moments that a seed draws; each run goes on until it is done and is the unbroken one to the byte.
fn killed_again_and_again(kills: u64, seed: u64) {
    let folder = Folder::new();
    let model = model(&folder);
    let rows: String = (2..10)
        .map(|a| format!("{{\"prompt\":[{{\"role\":\"user\",\"content\":\"{a}*8=\"}}],\"ability\":\"code\",\"reward_model\":{{\"ground_truth\":\"{{\\\"inputs\\\":[\\\"1\\\"],\\\"outputs\\\":[\\\"{a}\\\"]}}\"}}}}\n"))
        .collect();
    let rows = folder.write("rows.jsonl", &rows).display().to_string();
    let (path, file) = (
        format!("model.path={model}"),
        format!("data.train_file={rows}"),
    );
    let kinds: [(&str, Vec<&str>); 4] = [
        ("full", vec![]),
        ("lora", vec!["lora.rank=2", "lora.alpha=4"]),
        ("ppo", vec!["preset=ppo"]),
        (
            "code",
            vec![
                "preset=paper",
                "filter.accuracy=false",
                "data.task=rows",
                "data.pass_mark=",
                "data.max_prompt_tokens=16",
                "warmup.steps=0",
                &path,
                &file,
            ],
        ),
    ];
    let mut state = seed;
    for (kind, settings) in kinds {
        let common = [
            "warmup.steps=10",
            "rl.steps=30",
            "run.save_every=2",
            "run.transcripts_every=10",
            "eval.every=10",
        ];
        let settings = [&common[..], &settings].concat();
        let whole = format!("{kind}-whole");
        let begun = std::time::Instant::now();
        prime_train(&train(&whole, &settings, &folder)).expect_success();
        let length = begun.elapsed().as_millis() as u64;
        let expected = outcome(&folder, &whole);
        let name = format!("{kind}-cut");
        let mut done = 0;
        while done < kills {
            let has_start = folder
                .path(&format!("runs/{name}/checkpoints/reference/sums.json"))
                .exists();
            let arguments = match has_start {
                true => resume(&folder, &name, &[]),
                false => train(&name, &settings, &folder),
            };
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let wait = (state >> 33) % length.max(2);
            let mut started = Started::new(&arguments);
            std::thread::sleep(std::time::Duration::from_millis(wait));
            if started.has_ended() {
                // Too late for this one: back to the start.
                started.finish().expect_success();
                assert_eq!(
                    outcome(&folder, &name),
                    expected,
                    "{kind} after {done} kills"
                );
                fs::remove_dir_all(folder.path(&format!("runs/{name}"))).unwrap();
                continue;
            }
            started.kill();
            done += 1;
        }
        let finished = match folder
            .path(&format!("runs/{name}/checkpoints/reference/sums.json"))
            .exists()
        {
            true => prime_train(&resume(&folder, &name, &[])),
            false => prime_train(&train(&name, &settings, &folder)),
        };
        finished.expect_success();
        assert_eq!(outcome(&folder, &name), expected, "{kind}");
    }
}

#[test]
fn kills_at_any_moment_change_nothing() {
    killed_again_and_again(4, 11);
}

/// `cargo test -p prime-tests --test kept -- --ignored`: minutes.
#[test]
#[ignore = "takes minutes"]
fn kills_at_a_hundred_moments_change_nothing() {
    killed_again_and_again(34, 12);
}

#[test]
fn a_copy_of_a_run_goes_on_by_itself() {
    let folder = Folder::new();
    prime_train(&train(
        "a",
        &["rl.steps=4", "run.save_every=2", "run.keep_last=4"],
        &folder,
    ))
    .expect_success();
    copy(&folder.path("runs/a"), &folder.path("runs/b"));
    prime_train(&resume(&folder, "b", &["--resume-from", "2"])).expect_success();
    assert_eq!(outcome(&folder, "a"), outcome(&folder, "b"));
    let listed = run(
        binary(),
        &[
            "eval",
            "--model",
            &folder.argument("runs/b"),
            "--set",
            "eval.problems=4",
        ],
    );
    listed.expect_success();
}

#[test]
fn a_step_is_taken_again_and_is_the_one_that_was_recorded() {
    let folder = Folder::new();
    let settings = ["rl.steps=5", "run.save_every=2", "run.keep_last=5"];
    prime_train(&train("a", &settings, &folder)).expect_success();
    let before = outcome(&folder, "a");
    let run = folder.argument("runs/a");
    for step in ["1", "4", "5"] {
        let done = prime_train(&["replay", &run, "--step", step]).expect_success();
        assert!(
            done.stdout.contains("the step that was recorded: "),
            "{}",
            done.stdout
        );
        let name = format!("runs/a/replay/rollouts/step-00000{step}.jsonl");
        let text = String::from_utf8(folder.read(&name)).unwrap();
        assert_eq!(text.lines().count(), 16, "every response");
        assert!(text.contains("\"log_probs\":["), "{text}");
    }
    assert_eq!(outcome(&folder, "a"), before);
    // A record that is not of this step is told.
    let path = folder.path("runs/a/metrics.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replace("\"step\":5,", "\"step\":9,")
            .replace("\"step\":3,", "\"step\":5,"),
    )
    .unwrap();
    let done = prime_train(&["replay", &run, "--step", "5"]).expect_success();
    assert!(
        done.stdout.contains("NOT the step that was recorded"),
        "{}",
        done.stdout
    );
    let none = prime_train(&["replay", &run, "--step", "0"]);
    assert_eq!(none.code, Some(2), "{}", none.stderr);
}
