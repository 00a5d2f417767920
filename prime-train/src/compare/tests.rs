//! Comparisons of tiny arms.

use super::*;
use crate::metrics::read_metrics;

const SMALL: &str = r#"
data.task = "mod3"
model.hidden_size = 16
model.intermediate_size = 24
model.num_hidden_layers = 1
model.num_attention_heads = 2
model.num_key_value_heads = 2
warmup.steps = 1
warmup.lr_warmup_steps = 0
rl.steps = 2
rl.prompts_per_step = 2
eval.problems = 4
eval.every_problems = 4
run.preflight = false
"#;

fn options(out: &Path, arms: &[&str], own: &str) -> CompareOptions {
    let settings = format!("{SMALL}run.out_dir = '{}'", out.display());
    CompareOptions {
        seeds: vec![1],
        arms: arms.iter().map(|arm| (*arm).to_owned()).collect(),
        layers: [settings, own.to_owned()]
            .map(|text| Layer::text("test", &text).unwrap())
            .into(),
        name: Some("c".to_owned()),
    }
}

fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

/// What a run measured, without what a clock says.
fn measured(run: &Path) -> Vec<Vec<(String, f64)>> {
    let records = read_metrics(&run.join("metrics.jsonl")).unwrap();
    let values = |record: &crate::metrics::StepMetrics| {
        let all = record.iter().filter(|(name, _)| {
            !name.starts_with("timing_s/") && !name.starts_with("perf/") && !name.contains("memory")
        });
        all.map(|(name, value)| (name.to_owned(), value.as_f64()))
            .collect()
    };
    records.iter().map(values).collect()
}

#[test]
fn arms_with_another_model_start_from_one_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let arms = [
        "rloo",
        "grpo",
        "rloo+model.hidden_size=32",
        "rloo+warmup.steps=2",
        "rloo+lora.rank=2",
    ];
    run(&options(folder.path(), &arms, "rl.steps = 1\n")).unwrap();
    let weights = |arm: &str| {
        bytes(
            &folder
                .path()
                .join("c")
                .join(arm)
                .join("checkpoints/reference/model.safetensors"),
        )
    };
    let plain = weights("rloo-1");
    assert_eq!(weights("grpo-1"), plain);
    assert!(weights("rloo-model-hidden-size-32-1").len() > plain.len());
    assert_ne!(weights("rloo-warmup-steps-2-1"), plain);
    let lora = folder.path().join("c/rloo-lora-rank-2-1");
    assert!(lora.join("checkpoints/reference/adapter").is_dir());
}

#[test]
fn clashing_arms_are_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let error = run(&options(folder.path(), &["rloo", "RLOO"], "")).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(!folder.path().join("c").exists());
}

#[test]
fn an_interrupted_comparison_goes_on_with_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(
        folder.path(),
        &["rloo", "grpo", "anchored"],
        "run.save_every = 1\n",
    );
    run(&options).unwrap();
    let at = |name: &str| folder.path().join("c").join(name);
    let whole: Vec<_> = ["rloo-1", "grpo-1", "anchored-1"]
        .map(|arm| measured(&at(arm)))
        .into();

    // One is done, one was cut off after its first step, one never began.
    let kept = fs::metadata(at("rloo-1/metrics.jsonl"))
        .unwrap()
        .modified()
        .unwrap();
    fs::remove_file(at("grpo-1/summary.json")).unwrap();
    fs::remove_dir_all(at("grpo-1/checkpoints/step-000002")).unwrap();
    fs::remove_dir_all(at("anchored-1")).unwrap();
    fs::remove_file(at("compare.md")).unwrap();
    run(&options).unwrap();
    for (arm, before) in ["rloo-1", "grpo-1", "anchored-1"].iter().zip(&whole) {
        assert_eq!(&measured(&at(arm)), before, "{arm}");
    }
    let still = fs::metadata(at("rloo-1/metrics.jsonl"))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(still, kept, "what is done is not done again");
    assert!(at("compare.md").exists());

    let mut other = options.clone();
    other.layers.push(Layer::set("rl.lr=0.5").unwrap());
    let error = run(&other).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("rl.lr was"), "{error}");
}

#[test]
fn a_comparison_without_a_name_goes_on_with_its_like() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path(), &["rloo"], "rl.steps = 1\n");
    options.name = None;
    run(&options).unwrap();
    fs::remove_file(folder.path().join("compare-001/compare.md")).unwrap();
    run(&options).unwrap();
    assert!(folder.path().join("compare-001/compare.md").exists());
    assert!(!folder.path().join("compare-002").exists());
    run(&options).unwrap();
    assert!(
        folder.path().join("compare-002").exists(),
        "the first one is done"
    );
}

#[test]
fn runs_that_are_there_are_compared_and_those_of_one_arm_are_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path(), &["rloo", "grpo"], "rl.steps = 1\n");
    options.seeds = vec![1, 2];
    run(&options).unwrap();
    let at = |name: &str| folder.path().join("c").join(name);
    let out = [Layer::text(
        "test",
        &format!("run.out_dir = '{}'", folder.path().display()),
    )
    .unwrap()];
    let runs = [at("rloo-1"), at("grpo-1"), at("rloo-2")];
    existing_runs(&runs, &out, Some("d")).unwrap();
    let table = fs::read_to_string(folder.path().join("d/compare.md")).unwrap();
    assert_eq!(
        table
            .lines()
            .filter(|line| line.starts_with("| rloo |"))
            .count(),
        1,
        "{table}"
    );
    assert!(table.contains("| grpo |"), "{table}");
    let page = fs::read_to_string(folder.path().join("d/compare.html")).unwrap();
    for link in [
        "../c/rloo-1/report.html",
        "../c/rloo-2/report.html",
        "../c/grpo-1/report.html",
    ] {
        assert!(page.contains(link), "{link}");
    }
    existing_runs(&[folder.path().join("c")], &out, Some("e")).unwrap();
    let whole = fs::read_to_string(folder.path().join("c/compare.md")).unwrap();
    assert_eq!(
        fs::read_to_string(folder.path().join("e/compare.md"))
            .unwrap()
            .lines()
            .count(),
        whole.lines().count()
    );

    let none = folder.path().join("none");
    fs::create_dir(&none).unwrap();
    let error = existing_runs(&[none], &out, Some("f")).unwrap_err();
    assert!(error.to_string().contains("none"), "{error}");
    assert!(!folder.path().join("f").exists());
    let twice = existing_runs(&[at("rloo-1"), at("rloo-1")], &out, None).unwrap_err();
    assert!(twice.to_string().contains("twice"), "{twice}");
}

#[test]
fn seeds_that_are_none_are_refused() {
    assert_eq!(seeds(101, 3).unwrap(), [101, 102, 103]);
    assert_eq!(seeds(u64::MAX, 1).unwrap(), [u64::MAX]);
    for (first, count) in [(1, 0), (1, u64::MAX), (u64::MAX, 2)] {
        assert!(seeds(first, count).is_err(), "{first} {count}");
    }
}
