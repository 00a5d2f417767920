//! From a model and rows to what is known before the first step, and after it: preflight, held-out sets by name, `--model RUN`.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use prime_tests::{Folder, prime_train, prime_train_reading, recorded_text, records, sets, tiny};
use serde_json::Value;

/// A tiny model of the exam's vocabulary, in `runs/warm`.
static MADE: LazyLock<Folder> = LazyLock::new(|| {
    let folder = Folder::shared(env!("CARGO_TARGET_TMPDIR"), "first-look");
    let mut arguments = ["sft", "--name", "warm"].map(str::to_owned).to_vec();
    arguments.extend(tiny());
    let out = folder.out_dir();
    arguments.extend(sets([out.as_str(), "data.task=exam", "warmup.steps=6"]));
    prime_train(&arguments).expect_success();
    folder
});

fn model() -> String {
    MADE.argument("runs/warm/checkpoints/step-000000/policy")
}

fn row(source: &str, question: &str, gold: &str) -> String {
    format!(
        r#"{{"data_source":"{source}","prompt":[{{"role":"user","content":"{question}"}}],"ability":"math","reward_model":{{"style":"rule","ground_truth":"{gold}"}}}}"#
    )
}

fn rows(folder: &Folder, name: &str, sources: &[&str]) -> String {
    let rows: Vec<String> = (0..10)
        .map(|a| {
            row(
                sources[a % sources.len()],
                &format!("{a}*8="),
                &(a * 8).to_string(),
            )
        })
        .collect();
    folder.write(name, &rows.join("\n")).display().to_string()
}

/// The command with the tiny model on rows, and further settings.
fn on_rows(command: &[&str], folder: &Folder, settings: &[&str]) -> Vec<String> {
    let mut arguments: Vec<String> = command.iter().map(|part| (*part).to_owned()).collect();
    arguments.extend(tiny());
    let train = rows(folder, "rows.jsonl", &["a", "b"]);
    arguments.extend(sets([
        folder.out_dir().as_str(),
        "preset=prime",
        "data.task=rows",
        "data.pass_mark=",
        "data.extract=whole",
        "data.max_prompt_tokens=16",
        "warmup.steps=0",
        &format!("model.path={}", model()),
        &format!("data.train_file={train}"),
    ]));
    arguments.extend(sets(settings.iter().copied()));
    arguments
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_run_on_rows_begins_with_sixteen_samples_and_is_the_same_without() {
    let folder = Folder::new();
    let with = prime_train(&on_rows(&["train", "--name", "with"], &folder, &[])).expect_success();
    let off = ["run.preflight=false"];
    let without = prime_train(&on_rows(&["train", "--name", "without"], &folder, &off));
    let without = without.expect_success();
    for line in [
        "run  ",
        "model  ",
        "data  ",
        "preset  ",
        "device  ",
        "warm-up none",
    ] {
        assert!(with.stderr.contains(line), "{line}: {}", with.stderr);
    }
    for part in [
        "10 rows of",
        "sources: a, b",
        "sample 1",
        "gold: ",
        "pass rate",
        "an answer found",
        "cut at max_new_tokens",
        "seconds a step, estimated",
        "memory of such a step",
    ] {
        assert!(with.stderr.contains(part), "{part}: {}", with.stderr);
    }
    assert!(!without.stderr.contains("preflight:"), "{}", without.stderr);
    assert!(with.stdout.contains("before training"), "{}", with.stdout);

    let found = read_json(&folder.path("runs/with/preflight.json"));
    let samples = found["samples"].as_array().unwrap();
    assert_eq!(samples.len(), 16);
    assert!(
        samples[0]["prompt"].as_str().unwrap().contains("*8="),
        "{}",
        samples[0]
    );
    assert_eq!(found["facts"]["responses"], 16);
    assert!(found["seconds_per_step"]["step"].as_f64().unwrap() > 0.0);
    assert!(!folder.path("runs/without/preflight.json").exists());

    assert_eq!(
        recorded_text(&folder.path("runs/with")),
        recorded_text(&folder.path("runs/without")),
        "preflight draws from a stream of its own and learns on a copy"
    );
    let weights = "checkpoints/step-000003/policy/model.safetensors";
    assert_eq!(
        folder.read(&format!("runs/with/{weights}")),
        folder.read(&format!("runs/without/{weights}"))
    );
}

#[test]
fn preflight_alone_says_the_same_twice_and_makes_no_folder() {
    let folder = Folder::new();
    let settings = ["data.extract=boxed", "sampling.max_new_tokens=4"];
    let say = || {
        prime_train(&on_rows(&["preflight"], &folder, &settings))
            .expect_success()
            .stdout
    };
    let said = say();
    for part in [
        "responses has an answer where data.extract = boxed looks",
        "peak",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let timeless = |text: &str| -> Vec<String> {
        let lines = text
            .lines()
            .filter(|line| !line.contains("second") && !line.contains("sampling"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(timeless(&said), timeless(&say()));
    assert!(!folder.path("runs").exists());
}

#[cfg(unix)]
#[test]
fn a_run_of_which_nothing_can_be_judged_does_not_begin() {
    let folder = Folder::new();
    let script = "import json, sys\nfor line in sys.stdin:\n    print(json.dumps({'id': json.loads(line)['id'], 'score': None, 'reason': 'out of order'}))\n";
    let script = folder.write("grade.py", script);
    let grader = format!(
        "reward.parts=[{{kind=\"command\",command=[\"python3\",\"{}\"]}}]",
        script.display()
    );
    let done = prime_train(&on_rows(&["train", "--name", "none"], &folder, &[&grader]));
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    for part in [
        "none of 16 responses could be judged",
        "run.preflight=false",
    ] {
        assert!(done.stderr.contains(part), "{}", done.stderr);
    }
    assert!(!folder.path("runs/none").exists(), "the name is free");
}

#[test]
fn held_out_sets_have_names_sources_errors_and_pass_at_k() {
    let folder = Folder::new();
    let one = rows(&folder, "one.jsonl", &["x", "y"]);
    let two = rows(&folder, "two.jsonl", &["z"]);
    let settings = [
        format!("data.eval_file={one}"),
        format!("data.eval_sets={{ second = \"{two}\", third = [\"{one}\", \"{two}\"] }}"),
        "eval.k=4".to_owned(),
        "run.preflight=false".to_owned(),
    ];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    prime_train(&on_rows(&["train", "--name", "sets"], &folder, &settings)).expect_success();
    let first = &records(&folder.path("runs/sets"))[0];
    for (name, n) in [("eval/n", 10), ("eval/second/n", 10), ("eval/third/n", 16)] {
        assert_eq!(first[name].as_u64(), Some(n), "{name}");
    }
    for name in [
        "eval/pass@1",
        "eval/pass@2",
        "eval/pass@4",
        "eval/second/pass@4",
        "eval/x/pass@1",
        "eval/third/z/pass@1",
    ] {
        assert!(first[name].is_number(), "{name}: {first:?}");
    }
    assert!(first["eval/pass@1_stderr"].is_number());

    // The same by hand: the run stands for its newest checkpoint, its data and its lengths.
    let run = folder.argument("runs/sets");
    let found = prime_train(&["eval", "--model", &run]).expect_success();
    let found: Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!(found["k"], 4);
    assert_eq!(found["sets"]["third"]["n"], 16);
    let last = records(&folder.path("runs/sets")).pop().unwrap();
    assert_eq!(found["avg_at_k"], last["eval/pass@1"]);
    assert_eq!(
        found["sets"]["second"]["avg_at_k"],
        last["eval/second/pass@1"]
    );

    let row = ["generate", "--model", &run, "--row", "3", "--show-prompt"];
    let done = prime_train(&row).expect_success();
    assert!(done.stderr.contains("2*8="), "{}", done.stderr);
    let done = prime_train(&["generate", "--model", &run, "--row", "11"]);
    assert!(
        done.code != Some(0) && done.stderr.contains("10 rows"),
        "{}",
        done.stderr
    );

    let taken = format!("data.eval_sets.x={two}");
    let done = prime_train(&on_rows(&["train"], &folder, &[settings[0], &taken]));
    assert_eq!(done.code, Some(2), "{}", done.stderr);
    assert!(done.stderr.contains("data.eval_sets.x"), "{}", done.stderr);
}

#[test]
fn a_strangers_model_is_measured_and_asked_without_anything_to_train_on() {
    let folder = Folder::new();
    let stranger = folder.path("stranger");
    fs::create_dir_all(&stranger).unwrap();
    for entry in fs::read_dir(model()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, stranger.join(path.file_name().unwrap())).unwrap();
    }
    let template = "{% for m in messages %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}={% endif %}";
    fs::write(stranger.join("chat_template.jinja"), template).unwrap();
    let model = stranger.display().to_string();
    let held_out = rows(&folder, "held-out.jsonl", &["a"]);
    let config = folder
        .write("mine.toml", "[data]\ntask = \"rows\"\n")
        .display()
        .to_string();
    let file = format!("data.eval_file={held_out}");
    let eval = [
        "eval",
        "--model",
        &model,
        "--config",
        &config,
        "--set",
        &file,
        "--set",
        "sampling.max_new_tokens=4",
    ];
    let done = prime_train(&eval).expect_success();
    assert!(
        done.stderr.contains("evaluating 10 held-out problems"),
        "{}",
        done.stderr
    );

    let chat = [
        "generate",
        "--model",
        &model,
        "--config",
        &config,
        "--show-prompt",
        "--messages",
        "-",
    ];
    let turns = r#"[{"role":"user","content":"1"},{"role":"assistant","content":"2"}]"#;
    let mut arguments = chat.to_vec();
    arguments.extend(["--system", "9", "--prompt", "3"]);
    let done = prime_train_reading(turns, &arguments).expect_success();
    assert!(done.stderr.contains("9123="), "{}", done.stderr);
    let done = prime_train_reading(turns, &chat);
    assert_eq!(done.code, Some(2), "{}", done.stderr);
    assert!(
        done.stderr
            .contains("standard input ends with the assistant's turn"),
        "{}",
        done.stderr
    );

    // What is no model is said before anything else is asked for.
    let empty = folder.path("empty");
    fs::create_dir_all(&empty).unwrap();
    let done = prime_train(&["eval", "--model", &empty.display().to_string()]);
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    assert!(done.stderr.contains("config.json"), "{}", done.stderr);
}
