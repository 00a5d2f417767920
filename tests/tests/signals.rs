//! Signals, and outputs that nobody reads: what was reached is saved in time, and nothing panics.
#![cfg(unix)]

use std::fs::File;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use prime_tests::{Folder, Started, binary, prime_train, recorded_text, sets, tiny};

/// The bound that schedulers give.
const GRACE: Duration = Duration::from_secs(10);

fn train(name: &str, settings: &[&str], folder: &Folder) -> Vec<String> {
    let mut all: Vec<String> = ["train", "--name", name].map(str::to_owned).to_vec();
    all.extend(tiny());
    all.extend(sets([folder.out_dir().as_str()]));
    all.extend(sets(settings.iter().copied()));
    all
}

fn resumed(folder: &Folder, name: &str) -> Vec<Vec<String>> {
    let run = folder.argument(&format!("runs/{name}"));
    prime_train(&["train", "--resume", &run]).expect_success();
    recorded_text(&folder.path(&format!("runs/{name}")))
}

fn lines(folder: &Folder, name: &str) -> usize {
    let path = folder.path(&format!("runs/{name}/metrics.jsonl"));
    std::fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

/// A step that takes minutes: its passes over the responses do not end.
const ENDLESS: &str = "rl.epochs_per_step=1000000";

#[test]
fn signals_of_schedulers_abandon_a_long_step_and_save_what_was_before_it() {
    for (signal, code) in [("TERM", 143), ("HUP", 129), ("USR1", 138)] {
        let folder = Folder::new();
        let mut started = Started::new(&train("a", &[ENDLESS], &folder));
        started.wait_until(|| lines(&folder, "a") == 1);
        std::thread::sleep(Duration::from_millis(300));
        let sent = Instant::now();
        started.signal(signal);
        let done = started.finish();
        assert!(sent.elapsed() < GRACE, "{signal}: {:?}", sent.elapsed());
        assert_eq!(done.code, Some(code), "{signal}: {}", done.stderr);
        assert!(
            done.stderr.contains("is abandoned; the state is in"),
            "{}",
            done.stderr
        );
    }
}

#[test]
fn a_run_ended_by_a_signal_goes_on_as_if_nothing_had_been() {
    let folder = Folder::new();
    let settings = ["rl.steps=40", "run.transcripts_every=0"];
    prime_train(&train("whole", &settings, &folder)).expect_success();
    let mut started = Started::new(&train("cut", &settings, &folder));
    started.wait_until(|| lines(&folder, "cut") >= 5);
    started.signal("TERM");
    let done = started.finish();
    assert_eq!(done.code, Some(143), "{}", done.stderr);
    let saved = folder.list("runs/cut/checkpoints");
    assert!(
        saved.iter().any(|name| name.starts_with("step-")),
        "{saved:?}"
    );
    assert_eq!(
        resumed(&folder, "cut"),
        recorded_text(&folder.path("runs/whole"))
    );
}

#[test]
fn the_second_ctrl_c_abandons_the_step_too_and_an_evaluation_is_left_by_the_first() {
    let folder = Folder::new();
    let mut started = Started::new(&train("step", &[ENDLESS], &folder));
    started.wait_until(|| lines(&folder, "step") == 1);
    std::thread::sleep(Duration::from_millis(300));
    started.interrupt();
    std::thread::sleep(Duration::from_millis(500));
    assert!(!started.has_ended(), "the first lets the step finish");
    let sent = Instant::now();
    started.interrupt();
    let done = started.finish();
    assert!(sent.elapsed() < GRACE);
    assert_eq!(done.code, Some(130), "{}", done.stderr);
    assert!(done.stderr.contains("again to abandon"), "{}", done.stderr);

    let endless = ["eval.problems=20000000"];
    let mut started = Started::new(&train("eval", &endless, &folder));
    let reference = folder.path("runs/eval/checkpoints/reference/sums.json");
    started.wait_until(|| reference.exists());
    std::thread::sleep(Duration::from_millis(500));
    let sent = Instant::now();
    started.interrupt();
    let done = started.finish();
    assert!(sent.elapsed() < GRACE);
    assert_eq!(done.code, Some(130), "{}", done.stderr);
    assert!(
        done.stderr.contains("checkpoints/reference"),
        "{}",
        done.stderr
    );
    let back = [
        "train",
        "--resume",
        &folder.argument("runs/eval"),
        "--set",
        "eval.problems=4",
    ];
    prime_train(&back).expect_success();
    assert_eq!(lines(&folder, "eval"), 4);
}

/// Standard output and standard error that nobody reads, or that are full.
#[test]
fn closed_and_full_outputs_do_not_panic() {
    let folder = Folder::new();
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Stdio::from(writer)
    };
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let to = |arguments: &[String], out: Stdio, err: Stdio| {
        let child = Command::new(binary())
            .args(arguments)
            .stdout(out)
            .stderr(err)
            .spawn();
        child.unwrap().wait_with_output().unwrap()
    };
    let config = vec!["config".to_owned(), "--markdown".to_owned()];
    let done = to(&config, closed(), Stdio::piped());
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!((done.status.code(), said.as_str()), (Some(141), ""));
    let done = to(&config, full(), Stdio::piped());
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot write standard output"), "{said}");
    // A run is no worse for it.
    for (name, out, err) in [
        ("out", closed(), Stdio::null()),
        ("full", full(), full()),
        ("err", Stdio::null(), closed()),
    ] {
        let done = to(&train(name, &[], &folder), out, err);
        assert_eq!(done.status.code(), Some(0), "{name}");
        assert!(folder.path(&format!("runs/{name}/report.html")).exists());
    }
    // Ctrl-C is heard where nothing can be said.
    let mut child = Command::new(binary())
        .args(train("quiet", &[ENDLESS], &folder))
        .stdout(closed())
        .stderr(closed())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while lines(&folder, "quiet") == 0 && begun.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(5));
    }
    for _ in 0..2 {
        let kill = format!("kill -INT {}", child.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
        std::thread::sleep(Duration::from_millis(300));
    }
    let sent = Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(sent.elapsed() < GRACE);
}
