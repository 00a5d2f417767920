//! Runs with adapters: what they leave behind, and that they go on from it exactly.

use prime_tests::{Folder, prime_train, recorded_text, sets, tiny};

/// Settings of a tiny run with adapters; the warm-up trains the fresh base before they come.
fn train(name: &str, settings: &[&str], folder: &Folder) -> Vec<String> {
    let mut all: Vec<String> = ["train", "--name", name, "--preset", "anchored"]
        .map(str::to_owned)
        .to_vec();
    all.extend(tiny());
    all.extend(sets([
        folder.out_dir().as_str(),
        "rl.steps=4",
        "run.save_every=2",
        "lora.rank=2",
        "lora.alpha=4",
        "rl.lr=1e-2",
        "prm.lr=1e-2",
    ]));
    all.extend(sets(settings.iter().copied()));
    all
}

fn adapters(folder: &Folder, run: &str, step: u32) -> [Vec<u8>; 2] {
    ["policy", "prm"].map(|model| {
        folder.read(&format!(
            "runs/{run}/checkpoints/step-{step:06}/{model}/adapter_model.safetensors"
        ))
    })
}

#[test]
fn a_run_with_adapters_leaves_adapters_and_goes_on_from_them_exactly() {
    let folder = Folder::new();
    prime_train(&train("run", &[], &folder)).expect_success();
    let policy = "runs/run/checkpoints/step-000004/policy";
    assert_eq!(
        folder.list(policy),
        [
            "adapter_config.json",
            "adapter_model.safetensors",
            "optimizer.bin"
        ],
        "no weights of the base"
    );
    let reference = "runs/run/checkpoints/reference";
    let config = String::from_utf8(folder.read(&format!("{policy}/adapter_config.json"))).unwrap();
    let config: serde_json::Value = serde_json::from_str(&config).unwrap();
    assert_eq!(config["r"], 2);
    assert_eq!(config["lora_alpha"], 4.0);
    assert_eq!(config["peft_type"], "LORA");
    let base = folder.path(reference).canonicalize().unwrap();
    assert_eq!(
        config["base_model_name_or_path"],
        base.display().to_string()
    );

    let end = adapters(&folder, "run", 4);
    let start = folder.read(&format!("{reference}/adapter/adapter_model.safetensors"));
    assert!(end.iter().all(|adapter| *adapter != start), "both learn");
    assert!(end[0] != end[1], "each learns its own");
    let unbroken = recorded_text(&folder.path("runs/run"));

    // The same run, cut off after its second step.
    std::fs::remove_dir_all(folder.path("runs/run/checkpoints/step-000004")).unwrap();
    prime_train(&["train", "--resume", &folder.argument("runs/run")]).expect_success();
    assert_eq!(recorded_text(&folder.path("runs/run")), unbroken);
    assert!(adapters(&folder, "run", 4) == end);

    // A run folder that was moved goes on from its own copy of the base.
    std::fs::remove_dir_all(folder.path("runs/run/checkpoints/step-000004")).unwrap();
    std::fs::rename(folder.path("runs/run"), folder.path("runs/moved")).unwrap();
    prime_train(&["train", "--resume", &folder.argument("runs/moved")]).expect_success();
    assert!(adapters(&folder, "moved", 4) == end);
    let moved = "runs/moved/checkpoints/step-000004/policy/adapter_config.json";
    let config = String::from_utf8(folder.read(moved)).unwrap();
    let base = folder
        .path("runs/moved/checkpoints/reference")
        .canonicalize();
    assert!(
        config.contains(&base.unwrap().display().to_string()),
        "{config}"
    );
}

/// A base from a folder stays there: the run refers to it and knows it again.
#[test]
fn a_base_from_a_folder_is_referred_to_and_known_again() {
    let folder = Folder::new();
    let whole = train("base", &["lora.rank=0", "rl.steps=0"], &folder);
    prime_train(&whole).expect_success();
    std::fs::rename(
        folder.path("runs/base/checkpoints/step-000000/policy"),
        folder.path("base"),
    )
    .unwrap();
    let base = folder.path("base").canonicalize().unwrap();
    let from = format!("model.path={}", base.display());
    prime_train(&train("run", &[&from, "warmup.steps=0"], &folder)).expect_success();
    let reference = "runs/run/checkpoints/reference";
    assert_eq!(
        folder.list(reference),
        ["adapter", "base.json", "sums.json"],
        "no copy of the base"
    );
    let policy = "runs/run/checkpoints/step-000004/policy";
    assert_eq!(
        folder.list(policy),
        [
            "adapter_config.json",
            "adapter_model.safetensors",
            "base.json",
            "optimizer.bin"
        ]
    );
    let text = |name: &str| String::from_utf8(folder.read(name)).unwrap();
    let named = base.display().to_string();
    for file in [
        format!("{reference}/base.json"),
        format!("{policy}/adapter_config.json"),
    ] {
        assert!(text(&file).contains(&format!("\"{named}\"")), "{file}");
    }
    assert!(text(&format!("{reference}/base.json")).contains("\"sha256\""));

    let end = adapters(&folder, "run", 4);
    let unbroken = recorded_text(&folder.path("runs/run"));
    let cut = || std::fs::remove_dir_all(folder.path("runs/run/checkpoints/step-000004"));
    cut().unwrap();
    let resume = || prime_train(&["train", "--resume", &folder.argument("runs/run")]);
    resume().expect_success();
    assert_eq!(recorded_text(&folder.path("runs/run")), unbroken);
    assert!(adapters(&folder, "run", 4) == end);

    // Another model in the place of the base: one byte of its weights.
    let weights = folder.path("base/model.safetensors");
    let original = std::fs::read(&weights).unwrap();
    let mut other = original.clone();
    *other.last_mut().unwrap() ^= 1;
    std::fs::write(&weights, &other).unwrap();
    cut().unwrap();
    let policy = folder.argument("runs/run/checkpoints/step-000002/policy");
    let merged = folder.argument("merged");
    let mut eval = ["eval", "--model", &policy].map(str::to_owned).to_vec();
    eval.extend(tiny());
    let merge = ["merge", "--model", &policy, "--out", &merged].map(str::to_owned);
    let refused = |parts: &[&str]| {
        for done in [resume(), prime_train(&eval), prime_train(&merge)] {
            assert_eq!(done.code, Some(1), "{}", done.stderr);
            for part in parts {
                assert!(
                    done.stderr.contains(part),
                    "{part:?} is not in {}",
                    done.stderr
                );
            }
        }
    };
    refused(&[
        &named,
        "is not the one that was trained on: model.safetensors has other content",
        "put the old files back",
    ]);
    std::fs::write(&weights, original).unwrap();

    // Gone, and then elsewhere.
    let moved = folder.path("moved");
    std::fs::rename(folder.path("base"), &moved).unwrap();
    refused(&[&named, "folder"]);
    for place in ["reference", "step-000002/policy", "step-000002/prm"] {
        for file in ["base.json", "adapter_config.json"] {
            let path = folder.path(&format!("runs/run/checkpoints/{place}/{file}"));
            if let Ok(text) = std::fs::read_to_string(&path) {
                let found = moved.canonicalize().unwrap().display().to_string();
                std::fs::write(&path, text.replace(&named, &found)).unwrap();
            }
        }
    }
    prime_train(&eval).expect_success();
    prime_train(&merge).expect_success();
    resume().expect_success();
    assert_eq!(recorded_text(&folder.path("runs/run")), unbroken);
}

/// A run from before bases were referred to has a copy of its own, and goes on from it.
#[test]
fn a_run_with_a_copy_of_its_base_still_goes_on() {
    let folder = Folder::new();
    let whole = train("base", &["lora.rank=0", "rl.steps=0"], &folder);
    prime_train(&whole).expect_success();
    let base = folder.path("runs/base/checkpoints/step-000000/policy");
    let from = format!("model.path={}", base.canonicalize().unwrap().display());
    prime_train(&train("run", &[&from, "warmup.steps=0"], &folder)).expect_success();
    let end = adapters(&folder, "run", 4);
    // As it was: the base in reference/, and no reference to another.
    let checkpoints = folder.path("runs/run/checkpoints");
    std::fs::remove_dir_all(checkpoints.join("step-000004")).unwrap();
    for file in std::fs::read_dir(&base).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_owned();
        if name != "optimizer.bin" {
            std::fs::copy(path, checkpoints.join("reference").join(name)).unwrap();
        }
    }
    for place in [
        "reference",
        "reference/adapter",
        "step-000002/policy",
        "step-000002/prm",
    ] {
        std::fs::remove_file(checkpoints.join(place).join("base.json")).unwrap();
    }
    for place in ["reference", "step-000002"] {
        std::fs::remove_file(checkpoints.join(place).join("sums.json")).unwrap();
    }
    std::fs::remove_dir_all(&base).unwrap();
    prime_train(&["train", "--resume", &folder.argument("runs/run")]).expect_success();
    assert!(adapters(&folder, "run", 4) == end);
}

#[test]
fn an_adapter_folder_is_evaluated_merged_and_trained_further() {
    let folder = Folder::new();
    prime_train(&train("run", &[], &folder)).expect_success();
    let policy = folder.argument("runs/run/checkpoints/step-000004/policy");
    let merged = folder.argument("merged");
    prime_train(&["merge", "--model", &policy, "--out", &merged]).expect_success();
    assert!(folder.path("merged/model.safetensors").exists());
    assert!(!folder.path("merged/adapter_config.json").exists());
    let evaluated = ["merged", "runs/run/checkpoints/step-000004/policy"].map(|model| {
        let mut arguments = ["eval", "--model", &folder.argument(model)]
            .map(str::to_owned)
            .to_vec();
        arguments.extend(tiny());
        // The adapter's run says how long its responses may be, the merged model has no run.
        arguments.extend(sets(["sampling.max_new_tokens=40"]));
        prime_train(&arguments).expect_success().stdout
    });
    assert_eq!(evaluated[0], evaluated[1]);

    // Again: what is merged into nothing, and what exists.
    for (model, part) in [(&merged, "nothing to merge"), (&policy, "exists already")] {
        let done = prime_train(&["merge", "--model", model, "--out", &merged]);
        assert_eq!(done.code, Some(2), "{}", done.stderr);
        assert!(done.stderr.contains(part), "{}", done.stderr);
    }

    let from = format!("model.path={policy}");
    let further = train("further", &[&from, "warmup.steps=0"], &folder);
    prime_train(&further).expect_success();
    let start = folder.read("runs/further/checkpoints/reference/adapter/adapter_model.safetensors");
    assert!(
        start == folder.read("runs/run/checkpoints/step-000004/policy/adapter_model.safetensors")
    );
    assert!(adapters(&folder, "further", 4)[0] != start);

    // Dropout would have to act in training; merged, the adapter is what it is.
    let settings = "runs/run/checkpoints/step-000004/policy/adapter_config.json";
    let as_it_was = String::from_utf8(folder.read(settings)).unwrap();
    let dropped = as_it_was.replace("\"lora_dropout\": 0.0", "\"lora_dropout\": 0.1");
    assert_ne!(dropped, as_it_was);
    std::fs::write(folder.path(settings), &dropped).unwrap();
    let done = prime_train(&train("dropped", &[&from, "warmup.steps=0"], &folder));
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    for part in ["adapter_config.json", "lora_dropout is 0.1", "set it to 0"] {
        assert!(done.stderr.contains(part), "{}", done.stderr);
    }
    let again = folder.argument("again");
    prime_train(&["merge", "--model", &policy, "--out", &again]).expect_success();
    assert!(folder.read("again/model.safetensors") == folder.read("merged/model.safetensors"));
    std::fs::write(folder.path(settings), as_it_was).unwrap();

    let other = train("other", &[&from, "warmup.steps=0", "lora.rank=3"], &folder);
    let done = prime_train(&other);
    assert_eq!(done.code, Some(2), "{}", done.stderr);
    assert!(done.stderr.contains("lora.rank=2"), "{}", done.stderr);
    let whole = train("whole", &[&from, "warmup.steps=0", "lora.rank=0"], &folder);
    prime_train(&whole).expect_success();
    let weights = "checkpoints/step-000004/policy/model.safetensors";
    let merged = folder.read("merged/model.safetensors");
    assert!(folder.read("runs/whole/checkpoints/reference/model.safetensors") == merged);
    assert!(
        folder.read(&format!("runs/whole/{weights}")) != merged,
        "it trains"
    );
}

#[test]
fn a_target_that_is_no_layer_is_refused_before_anything_is_made() {
    let folder = Folder::new();
    let from_scratch = train("run", &["lora.target_modules=[\"query\"]"], &folder);
    let done = prime_train(&from_scratch);
    assert_ne!(done.code, Some(0));
    assert!(done.stderr.contains("\"query\""), "{}", done.stderr);
    assert!(done.stderr.contains("q_proj"), "{}", done.stderr);
    assert_eq!(folder.list("runs"), [""; 0]);
}

#[test]
fn the_dry_run_says_what_memory_is_for() {
    let mut arguments = ["train", "--dry-run"].map(str::to_owned).to_vec();
    arguments.extend(tiny());
    let peak = |rank: &str| {
        let mut arguments = arguments.clone();
        arguments.extend(sets([rank]));
        let out = prime_train(&arguments).expect_success().stdout;
        for part in [
            "weights",
            "gradients",
            "optimiser moments",
            "key/value cache",
            "activations",
        ] {
            assert!(out.contains(part), "{part} in {out}");
        }
        let line = out
            .lines()
            .find(|line| line.starts_with("#   peak"))
            .unwrap();
        let number = line.split_whitespace().nth(2).unwrap();
        number.parse::<f64>().unwrap()
    };
    assert!(peak("lora.rank=1") < peak("lora.rank=0"));
}

#[test]
fn a_device_is_named_on_the_command_line() {
    for command in [
        &["train", "--dry-run"][..],
        &["sft"],
        &["eval", "--model", "x"],
    ] {
        let mut arguments = command.to_vec();
        arguments.extend(["--device", "cuda:0"]);
        let done = prime_train(&arguments);
        assert_eq!(done.code, Some(2), "{}", done.stderr);
        assert!(done.stderr.contains("--features cuda"), "{}", done.stderr);
    }
    let done = prime_train(&["train", "--dry-run", "--device", "flex:0"]).expect_success();
    assert!(
        done.stdout.contains("device = \"flex:0\""),
        "{}",
        done.stdout
    );
}
