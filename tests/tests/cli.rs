//! The commands with input as it should be.

use prime_tests::{Folder, Record, prime_train, records, sets, tiny};

fn arguments(parts: &[&[&str]], folder: &Folder) -> Vec<String> {
    let mut all: Vec<String> = parts
        .iter()
        .flat_map(|part| part.iter().map(|argument| (*argument).to_owned()))
        .collect();
    all.extend(tiny());
    all.extend(sets([folder.out_dir().as_str()]));
    all
}

fn json(bytes: &[u8]) -> Record {
    serde_json::from_slice(bytes).expect("an object")
}

fn assert_model_folder(folder: &Folder, name: &str) {
    for file in [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ] {
        assert!(
            !folder.read(&format!("{name}/{file}")).is_empty(),
            "{name}/{file}"
        );
    }
}

#[test]
fn a_run_leaves_everything_behind_and_its_model_can_be_used() {
    let folder = Folder::new();
    let train = ["train", "--preset", "anchored", "--name", "first"];
    let done = prime_train(&arguments(&[&train], &folder)).expect_success();
    assert!(done.stdout.contains("report.html"), "{}", done.stdout);
    assert!(done.stdout.contains("pass@1 (n = 16)"), "{}", done.stdout);
    assert!(
        done.stderr.contains("4 kept × 4 responses = 16"),
        "{}",
        done.stderr
    );
    assert!(
        !done.stderr.contains('\r') && !done.stderr.contains('\u{1b}'),
        "plain lines in a log"
    );

    let config = String::from_utf8(folder.read("runs/first/config.toml")).unwrap();
    assert!(config.contains("hidden_size = 16") && config.contains("preset = \"anchored\""));
    assert!(!config.contains("beta1"), "seldom changed, at its default");
    let full = String::from_utf8(folder.read("runs/first/config.full.toml")).unwrap();
    assert!(full.contains("beta1 = 0.9"), "{full}");
    let summary = json(&folder.read("runs/first/summary.json"));
    for key in [
        "warmup_pass_at_1",
        "final_pass_at_1",
        "n",
        "steps",
        "seconds",
    ] {
        assert!(summary[key].is_number(), "{key}: {summary:?}");
    }
    assert_eq!(
        (summary["n"].as_u64(), summary["steps"].as_u64()),
        (Some(16), Some(3))
    );
    let phases = summary["seconds_by_phase"].as_object().unwrap();
    for phase in ["warmup", "rollout", "verify", "prm", "policy", "eval"] {
        assert!(
            phases[phase].as_f64().is_some_and(|seconds| seconds >= 0.0),
            "{phase}: {phases:?}"
        );
    }

    let records = records(&folder.path("runs/first"));
    let steps: Vec<_> = records.iter().filter_map(|r| r["step"].as_u64()).collect();
    assert_eq!(steps, [0, 1, 2, 3]);
    let evaluated: Vec<_> = records
        .iter()
        .filter_map(|r| r.get("eval/n")?.as_u64())
        .collect();
    assert_eq!(
        evaluated,
        [16, 8, 16],
        "before the first, every second, after the last"
    );
    for name in [
        "acc",
        "actor/pg_loss",
        "actor/grad_norm",
        "reward_model/prm_loss",
        "response_length/mean",
    ] {
        assert!(
            records[1..].iter().all(|record| record.contains_key(name)),
            "{name}"
        );
    }
    assert!(
        records[3]["actor/grad_norm"]
            .as_f64()
            .is_some_and(|norm| norm > 0.0)
    );

    let page = String::from_utf8(folder.read("runs/first/report.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("Sampled responses"));
    assert_eq!(folder.list("runs/first/rollouts"), ["step-000003.jsonl"]);
    assert_eq!(
        folder.list("runs/first/checkpoints"),
        ["reference", "step-000003"]
    );
    for name in ["reference", "step-000003/policy", "step-000003/prm"] {
        assert_model_folder(&folder, &format!("runs/first/checkpoints/{name}"));
    }

    let policy = folder.argument("runs/first/checkpoints/step-000003/policy");
    let eval = prime_train(&arguments(&[&["eval", "--model", &policy]], &folder)).expect_success();
    let measured = json(eval.stdout.as_bytes());
    assert_eq!(measured["n"].as_u64(), Some(16));
    assert_eq!(
        measured["avg_at_k"], summary["final_pass_at_1"],
        "the model that was measured was saved"
    );

    let generate = |seed: &str| {
        let command = ["generate", "--model", &policy, "--prompt", "12345="];
        let rest = ["-n", "3", "--set", seed];
        prime_train(&arguments(&[&command, &rest], &folder))
            .expect_success()
            .stdout
    };
    let responses = generate("seed=5");
    assert_eq!(responses.lines().count(), 3, "{responses}");
    assert_eq!(responses, generate("seed=5"), "a seed is a response");
    assert_ne!(responses, generate("seed=6"));

    assert_samples_as_the_makers_say(&folder, "runs/first/checkpoints/step-000003/policy");

    std::fs::remove_file(folder.path("runs/first/report.html")).unwrap();
    let report = prime_train(&["report", &folder.argument("runs/first")]).expect_success();
    assert!(report.stdout.trim_end().ends_with("report.html"));
    assert_eq!(
        page.len(),
        folder.read("runs/first/report.html").len(),
        "a report is a function of the run"
    );
}

/// `generate` takes a model's `generation_config.json`, and what is given beside it comes first.
fn assert_samples_as_the_makers_say(folder: &Folder, model: &str) {
    let path = folder.path(model).join("generation_config.json");
    assert!(!path.exists());
    let sampled = |config: &str, rest: &[&str]| {
        std::fs::write(&path, config).unwrap();
        let command = [
            "generate",
            "--model",
            &folder.argument(model),
            "--prompt",
            "12345=",
            "-n",
            "4",
        ];
        let mut command = command.map(str::to_owned).to_vec();
        command.extend(rest.iter().map(|&argument| argument.to_owned()));
        prime_train(&command)
    };
    let greedy = r#"{"eos_token_id": 2, "max_new_tokens": 5, "temperature": 0.3}"#;
    let done = sampled(greedy, &[]).expect_success();
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert!(
        lines
            .iter()
            .all(|line| *line == lines[0] && line.len() <= 5),
        "{lines:?}"
    );
    for part in [
        "temperature 0,",
        "top_k 50",
        "max_new_tokens 5",
        "generation_config.json",
    ] {
        assert!(done.stderr.contains(part), "{}", done.stderr);
    }

    let drawn = r#"{"eos_token_id": [2], "do_sample": true, "temperature": 0.5, "top_k": 3, "top_p": 0.75, "min_p": 0.25}"#;
    let given = [
        "--set",
        "sampling.top_k=0",
        "--set",
        "sampling.max_new_tokens=41",
    ];
    let done = sampled(drawn, &given).expect_success();
    let used = "temperature 0.5, top_k 0, top_p 0.75, min_p 0.25, max_new_tokens 41,";
    assert!(done.stderr.contains(used), "{}", done.stderr);

    // Another id ends a response, and so does a text.
    let first = lines[0].chars().next().unwrap();
    let tokenizer = json(&std::fs::read(path.with_file_name("tokenizer.json")).unwrap());
    let id = &tokenizer["model"]["vocab"][first.to_string()];
    assert!(id.is_u64(), "{tokenizer:?}");
    let stopped = format!(r#"{{"eos_token_id": [2, {id}]}}"#);
    let done = sampled(&stopped, &[]).expect_success();
    assert_eq!(done.stdout, "\n".repeat(4), "{lines:?}");
    let stopped = format!(r#"{{"eos_token_id": 2, "stop_strings": "{first}"}}"#);
    let done = sampled(&stopped, &[]).expect_success();
    assert_eq!(done.stdout, format!("{first}\n").repeat(4));

    let penalty = r#"{"eos_token_id": 2, "repetition_penalty": 1.1}"#;
    let done = sampled(penalty, &[]);
    assert_eq!(done.code, Some(2), "{}", done.stderr);
    for part in ["repetition_penalty is 1.1", "--ignore-generation-config"] {
        assert!(done.stderr.contains(part), "{}", done.stderr);
    }
    let done = sampled(penalty, &["--ignore-generation-config"]).expect_success();
    assert!(done.stderr.contains("temperature 1,"), "{}", done.stderr);
    assert!(done.stderr.contains("(from [sampling])"), "{}", done.stderr);
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_warm_up_alone_saves_a_model_that_training_can_start_from() {
    let folder = Folder::new();
    let warm = ["sft", "--name", "warm"];
    prime_train(&arguments(&[&warm], &folder)).expect_success();
    let summary = json(&folder.read("runs/warm/summary.json"));
    assert_eq!(summary["steps"].as_u64(), Some(0));
    assert_eq!(summary["warmup_pass_at_1"], summary["final_pass_at_1"]);
    assert_model_folder(&folder, "runs/warm/checkpoints/step-000000/policy");

    let model = format!(
        "model.path={}",
        folder.argument("runs/warm/checkpoints/step-000000/policy")
    );
    let train = [
        "train",
        "--preset",
        "prime",
        "--name",
        "on",
        "--set",
        &model,
        "--set",
        "warmup.steps=0",
    ];
    let mut all = arguments(&[], &folder);
    all.splice(0..0, train.map(str::to_owned));
    all.extend(sets(["warmup.steps=0"]));
    prime_train(&all).expect_success();
    let first = |run: &str| records(&folder.path(run))[0]["eval/pass@1"].clone();
    assert_eq!(first("runs/on"), first("runs/warm"));
}

#[test]
fn settings_come_from_files_too_and_runs_are_numbered() {
    let folder = Folder::new();
    let file = folder.write(
        "my.toml",
        "preset = \"rloo\"\n[rl]\nsteps = 1\n[eval]\nproblems = 4\nevery = 0\n",
    );
    let file = file.display().to_string();
    for expected in ["mod3-rloo-001", "mod3-rloo-002"] {
        // Arguments win over the file.
        let mut all = vec!["train".to_owned(), "--config".to_owned(), file.clone()];
        all.extend(tiny());
        all.extend(sets([
            folder.out_dir().as_str(),
            "rl.steps=2",
            "eval.problems=5",
        ]));
        prime_train(&all).expect_success();
        assert!(folder.list("runs").contains(&expected.to_owned()));
        let records = records(&folder.path(&format!("runs/{expected}")));
        assert_eq!((records.len(), records[0]["eval/n"].as_u64()), (3, Some(5)));
    }
    assert_eq!(folder.list("runs").len(), 2);
}

#[test]
fn a_dry_run_shows_the_plan_and_writes_nothing() {
    let folder = Folder::new();
    let plan = prime_train(&arguments(&[&["train", "--dry-run"]], &folder)).expect_success();
    for part in [
        "[rl]",
        "steps = 3",
        "memory plan",
        "optimiser moments",
        "4 prompts sampled",
    ] {
        assert!(plan.stdout.contains(part), "{part} in\n{}", plan.stdout);
    }
    assert!(!folder.path("runs").exists());

    // What it prints is a configuration file.
    let file = folder.write("resolved.toml", &plan.stdout);
    let again = [
        "train",
        "--dry-run",
        "--config",
        &file.display().to_string(),
    ]
    .map(str::to_owned);
    assert_eq!(prime_train(&again).expect_success().stdout, plan.stdout);
}

#[test]
fn a_comparison_draws_its_arms() {
    let folder = Folder::new();
    let compare = ["compare", "--name", "c", "--seeds", "1", "--arms"];
    let arms = ["rloo,anchored+prm.beta=0.5"];
    let done = prime_train(&arguments(&[&compare, &arms], &folder)).expect_success();
    let table = String::from_utf8(folder.read("runs/c/compare.md")).unwrap();
    for part in [
        "| rloo |",
        "| anchored+prm.beta=0.5 |",
        "steps to 0.8",
        "final pass@1",
    ] {
        assert!(
            table.contains(part) && done.stdout.contains(part),
            "{part} in\n{table}"
        );
    }
    assert!(folder.read("runs/c/compare.svg").starts_with(b"<svg"));
    assert!(
        String::from_utf8(folder.read("runs/c/compare.html"))
            .unwrap()
            .contains("<table")
    );
    let starts: Vec<_> = ["rloo-101", "anchored-prm-beta-0-5-101"]
        .iter()
        .map(|run| records(&folder.path(&format!("runs/c/{run}")))[0]["eval/pass@1"].clone())
        .collect();
    assert_eq!(starts[0], starts[1], "arms of a seed start from one model");
}

#[test]
fn help_and_version_are_answers_not_errors() {
    for argument in ["--help", "--version"] {
        let done = prime_train(&[argument]).expect_success();
        assert!(done.stderr.is_empty() && done.stdout.contains("prime-train"));
    }
    let help = prime_train(&["--help"]).stdout;
    for command in [
        "train", "sft", "eval", "generate", "compare", "report", "verify",
    ] {
        assert!(help.contains(command), "{command}");
    }
}

#[test]
fn the_configuration_explains_itself() {
    let one = prime_train(&["config", "--explain", "rl.lr"]).expect_success();
    for part in ["rl.lr", "default", "presets"] {
        assert!(one.stdout.contains(part), "{}", one.stdout);
    }
    let all = prime_train(&["config"]).expect_success().stdout;
    assert_eq!(
        all,
        prime_train(&["config", "--list"]).expect_success().stdout
    );
    assert!(all.lines().count() > 100 && all.contains("rl.gspo.clip_ratio_low = "));
    let page = prime_train(&["config", "--markdown"])
        .expect_success()
        .stdout;
    assert!(page.starts_with("# Every key"), "{page}");
    let unknown = prime_train(&["config", "--explain", "num_generations"]);
    assert_eq!(unknown.code, Some(2));
    assert!(
        unknown.stderr.contains("`rl.group_size`"),
        "{}",
        unknown.stderr
    );
}
