//! Runs whose products are in bfloat16: they learn, go on exactly, and leave f32 weights.

use prime_tests::{Folder, prime_train, recorded_text, sets, tiny};

const LORA: [&str; 3] = [
    "lora.rank=2",
    "lora.alpha=4",
    "lora.target_modules=all-linear",
];

fn train(name: &str, settings: &[&str], folder: &Folder) -> Vec<String> {
    let mut all: Vec<String> = ["train", "--name", name, "--preset", "anchored"]
        .map(str::to_owned)
        .to_vec();
    all.extend(tiny());
    all.extend(sets([
        folder.out_dir().as_str(),
        "rl.steps=4",
        "run.save_every=2",
        "rl.lr=1e-2",
        "prm.lr=1e-2",
    ]));
    all.extend(sets(settings.iter().copied()));
    all
}

/// The element types that a safetensors file's header names.
fn element_types(file: &[u8]) -> Vec<String> {
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&file[8..8 + length]).unwrap();
    let tensors = header.as_object().unwrap().iter();
    let tensors = tensors.filter(|(name, _)| *name != "__metadata__");
    let mut types: Vec<String> = tensors
        .map(|(_, tensor)| tensor["dtype"].as_str().unwrap().to_owned())
        .collect();
    types.sort();
    types.dedup();
    types
}

#[test]
fn a_run_in_bfloat16_goes_on_exactly_and_keeps_f32_weights() {
    for (adapters, file) in [
        (&[][..], "model.safetensors"),
        (&LORA[..], "adapter_model.safetensors"),
    ] {
        let folder = Folder::new();
        let ends = |run: &str| {
            ["policy", "prm"].map(|model| {
                folder.read(&format!(
                    "runs/{run}/checkpoints/step-000004/{model}/{file}"
                ))
            })
        };
        let rounded = [&["model.compute_dtype=bfloat16"], adapters].concat();
        prime_train(&train("rounded", &rounded, &folder)).expect_success();
        prime_train(&train("exact", adapters, &folder)).expect_success();
        let unbroken = recorded_text(&folder.path("runs/rounded"));
        let end = ends("rounded");
        assert_ne!(unbroken, recorded_text(&folder.path("runs/exact")));
        assert!(end != ends("exact"), "the setting is not ignored");
        assert!(end[0] != end[1]);
        for file in &end {
            assert_eq!(element_types(file), ["F32"]);
        }
        let config = folder.read("runs/rounded/config.toml");
        let config = String::from_utf8(config).unwrap();
        assert!(config.contains("compute_dtype = \"bfloat16\""), "{config}");

        // The same run, cut off after its second step.
        let last = folder.path("runs/rounded/checkpoints/step-000004");
        std::fs::remove_dir_all(last).unwrap();
        prime_train(&["train", "--resume", &folder.argument("runs/rounded")]).expect_success();
        assert_eq!(recorded_text(&folder.path("runs/rounded")), unbroken);
        assert!(ends("rounded") == end);
    }
}

#[test]
fn a_model_folder_is_sampled_and_evaluated_in_bfloat16() {
    let folder = Folder::new();
    prime_train(&train("run", &[], &folder)).expect_success();
    let policy = folder.argument("runs/run/checkpoints/step-000004/policy");
    let out = |command: &[&str], dtype: &str| {
        let mut arguments: Vec<String> = command.iter().map(|&part| part.to_owned()).collect();
        arguments.extend(["--model".to_owned(), policy.clone()]);
        arguments.extend(tiny());
        let dtype = format!("model.compute_dtype={dtype}");
        arguments.extend(sets([dtype.as_str(), "sampling.temperature=1.5"]));
        prime_train(&arguments).expect_success().stdout
    };
    for command in [
        &["eval"][..],
        &["generate", "--prompt", "1", "--samples", "64"],
    ] {
        let rounded = out(command, "bfloat16");
        assert_eq!(rounded, out(command, "bfloat16"));
        assert!(!rounded.trim().is_empty());
    }
    let generate = ["generate", "--prompt", "1", "--samples", "64"];
    assert_ne!(out(&generate, "bfloat16"), out(&generate, "float32"));
}

#[test]
fn the_dry_run_plans_what_is_cast() {
    let mut arguments = ["train", "--dry-run"].map(str::to_owned).to_vec();
    arguments.extend(tiny());
    arguments.extend(sets(["model.compute_dtype=bfloat16"]));
    let out = prime_train(&arguments).expect_success().stdout;
    for part in ["products in bfloat16", "cast weights"] {
        assert!(out.contains(part), "{part} in {out}");
    }
    arguments.extend(sets(["model.compute_dtype=fp16"]));
    let done = prime_train(&arguments);
    assert_eq!(done.code, Some(2), "{}", done.stderr);
    assert!(done.stderr.contains("bfloat16"), "{}", done.stderr);
}
