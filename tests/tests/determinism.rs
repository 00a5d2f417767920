//! The same seed gives the same bytes: again, on other threads, and after an interruption.

use prime_tests::{Folder, Started, prime_train, recorded_text, sets, tiny};

fn train(name: &str, preset: &str, settings: &[&str], folder: &Folder) -> Vec<String> {
    let mut all: Vec<String> = ["train", "--name", name, "--preset", preset]
        .map(str::to_owned)
        .to_vec();
    all.extend(tiny());
    all.extend(sets([folder.out_dir().as_str(), "rl.steps=8"]));
    all.extend(sets(settings.iter().copied()));
    all
}

/// What a run has to show but for its times: the metrics, and the weights of the models that it ends with.
#[derive(Debug, PartialEq)]
struct Outcome {
    metrics: Vec<Vec<String>>,
    weights: Vec<Vec<u8>>,
}

fn outcome(folder: &Folder, run: &str) -> Outcome {
    let checkpoints = folder.list(&format!("runs/{run}/checkpoints"));
    let last = checkpoints.last().expect("a checkpoint");
    let weights = ["policy", "prm"].into_iter().filter_map(|model| {
        let file = format!("runs/{run}/checkpoints/{last}/{model}/model.safetensors");
        folder.path(&file).exists().then(|| folder.read(&file))
    });
    Outcome {
        weights: weights.collect(),
        metrics: recorded_text(&folder.path(&format!("runs/{run}"))),
    }
}

/// A run that learned something: equal bytes of runs that did nothing would prove nothing.
fn assert_moved(folder: &Folder, run: &str) {
    let start = folder.read(&format!(
        "runs/{run}/checkpoints/reference/model.safetensors"
    ));
    let end = outcome(folder, run);
    for weights in &end.weights {
        assert!(*weights != start, "{run}: a model never changed");
    }
    let acc: Vec<&String> = end
        .metrics
        .iter()
        .flatten()
        .filter(|field| field.starts_with("\"acc\""))
        .collect();
    assert!(
        acc.windows(2).any(|pair| pair[0] != pair[1]),
        "{run}: {acc:?}"
    );
}

fn last_step(folder: &Folder, run: &str) -> usize {
    let path = folder.path(&format!("runs/{run}/metrics.jsonl"));
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().count().saturating_sub(1)
}

#[test]
fn a_seed_is_a_run() {
    let folder = Folder::new();
    for (name, seed) in [("one", "seed=1"), ("again", "seed=1"), ("other", "seed=2")] {
        prime_train(&train(name, "prime", &[seed], &folder)).expect_success();
    }
    assert_moved(&folder, "one");
    let [one, again, other] = ["one", "again", "other"].map(|run| outcome(&folder, run));
    assert_eq!(one.metrics.len(), 9);
    assert_eq!(one.metrics, again.metrics);
    assert!(one.weights == again.weights);
    assert_ne!(one.metrics, other.metrics);
    assert!(one.weights != other.weights);
}

#[test]
fn threads_change_nothing() {
    let folder = Folder::new();
    for preset in ["prime", "anchored", "ppo"] {
        let [alone, shared] = ["1", "3"].map(|threads| {
            let name = format!("{preset}-{threads}");
            // Micro-batches of a few rows, so that there is something to share.
            let threads = format!("threads={threads}");
            let settings = [
                threads.as_str(),
                "rl.micro_batch_size=3",
                "prm.micro_batch_size=3",
            ];
            prime_train(&train(&name, preset, &settings, &folder)).expect_success();
            outcome(&folder, &name)
        });
        assert_moved(&folder, &format!("{preset}-1"));
        assert_eq!(alone.metrics, shared.metrics, "{preset}");
        assert!(alone.weights == shared.weights, "{preset}");
    }
}

/// Long enough to be caught in the act.
const LONG: [&str; 2] = ["rl.steps=60", "run.transcripts_every=0"];

#[test]
fn an_interrupted_run_ends_like_an_unbroken_one() {
    for preset in ["prime", "anchored", "ppo"] {
        let folder = Folder::new();
        prime_train(&train("unbroken", preset, &LONG, &folder)).expect_success();
        let mut started = Started::new(&train("broken", preset, &LONG, &folder));
        started.wait_until(|| last_step(&folder, "broken") >= 4);
        started.interrupt();
        let done = started.finish();
        assert_eq!(done.code, Some(130), "{}", done.stderr);
        assert!(
            done.stderr.contains("interrupted; the state is in"),
            "{}",
            done.stderr
        );
        let reached = last_step(&folder, "broken");
        assert!((4..60).contains(&reached), "{reached}");
        assert!(
            folder
                .list("runs/broken/checkpoints")
                .contains(&format!("step-{reached:06}"))
        );

        prime_train(&["train", "--resume", &folder.argument("runs/broken")]).expect_success();
        assert_moved(&folder, "unbroken");
        let [unbroken, resumed] = ["unbroken", "broken"].map(|run| outcome(&folder, run));
        assert_eq!(unbroken.metrics, resumed.metrics, "{preset}");
        assert!(unbroken.weights == resumed.weights, "{preset}");
        for file in ["summary.json", "report.html"] {
            assert!(!folder.read(&format!("runs/broken/{file}")).is_empty());
        }
    }
}

#[test]
fn a_run_cut_short_goes_on_from_its_last_checkpoint() {
    let folder = Folder::new();
    let settings = [&LONG[..], &["run.save_every=3"]].concat();
    prime_train(&train("unbroken", "anchored", &settings, &folder)).expect_success();
    let mut started = Started::new(&train("cut", "anchored", &settings, &folder));
    started.wait_until(|| last_step(&folder, "cut") >= 8);
    started.kill();
    assert!(!folder.path("runs/cut/summary.json").exists());
    // As a crash in the middle of a line would leave it.
    let metrics = folder.path("runs/cut/metrics.jsonl");
    let mut text = std::fs::read_to_string(&metrics).unwrap();
    text.push_str("{\"step\":99,\"ac");
    std::fs::write(&metrics, text).unwrap();

    prime_train(&["train", "--resume", &folder.argument("runs/cut")]).expect_success();
    let [unbroken, resumed] = ["unbroken", "cut"].map(|run| outcome(&folder, run));
    assert_eq!(unbroken.metrics, resumed.metrics);
    assert!(unbroken.weights == resumed.weights);
    assert_eq!(
        folder.list("runs/cut/checkpoints"),
        ["reference", "step-000057", "step-000060"],
        "run.keep_last = 2"
    );
}

#[test]
fn an_interruption_before_there_is_anything_to_save_leaves_nothing() {
    let folder = Folder::new();
    let endless = ["warmup.steps=100000"];
    let mut started = Started::new(&train("early", "rloo", &endless, &folder));
    started.wait_until(|| folder.path("runs/early").exists());
    started.interrupt();
    let done = started.finish();
    assert_eq!(done.code, Some(130), "{}", done.stderr);
    assert!(done.stderr.contains("nothing was saved"), "{}", done.stderr);
    assert_eq!(folder.list("runs"), [""; 0]);
}
