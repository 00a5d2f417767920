//! The page "your own model" says what the program does: its TOML resolves, and its rows load.
#![cfg(feature = "flex")]

use prime_policy::Tokenizer;
use prime_train::config::{Config, Layer, resolve};
use prime_train::data::problems::Problems;
use prime_train::data::tasks::Split;

const PAGE: &str = include_str!("../OWN_MODEL.md");

/// The fenced blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    PAGE.split("```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| block.strip_prefix(&format!("{language}\n")))
        .collect()
}

fn settings(also: &[String]) -> Config {
    let [text] = blocks("toml")[..] else {
        panic!("one block of settings");
    };
    let also = also.iter().map(|set| Layer::set(set).unwrap());
    let layers: Vec<Layer> = [Layer::text("sums.toml", text).unwrap()]
        .into_iter()
        .chain(also)
        .collect();
    resolve(&layers).unwrap()
}

#[test]
fn the_settings_resolve_and_few_keys_are_shown() {
    let config = settings(&[]);
    assert_eq!(
        (config.preset.as_str(), config.lora.rank),
        ("prime_lora", 16)
    );
    let shown = config.to_toml().unwrap();
    let keys = shown.lines().filter(|line| line.contains(" = ")).count();
    assert!(keys < 60, "{keys} keys:\n{shown}");
    // The other presets that the page names fit the same file, but for the reward model's rate.
    for preset in ["rloo_lora", "rloo_full", "prime_full"] {
        assert_eq!(settings(&[format!("preset={preset}")]).preset, preset);
    }
}

#[test]
fn the_file_beside_the_examples_is_the_one_on_the_page() {
    assert_eq!(blocks("toml"), [include_str!("../examples/sums.toml")]);
}

#[test]
fn the_rows_load_and_are_judged_where_the_page_says() {
    let [rows] = blocks("jsonl")[..] else {
        panic!("one block of rows");
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.jsonl");
    std::fs::write(&path, rows).unwrap();
    let file = |key: &str| format!("data.{key}={}", path.display());
    let config = settings(&[file("train_file"), file("eval_file")]);
    let characters = (' '..='~').chain(['\n']);
    let tokenizer = Tokenizer::characters(characters).unwrap();
    let problems = Problems::open(&config, &tokenizer).unwrap();
    assert_eq!(
        (problems.held_out()[0].limit, problems.skipped()),
        (Some(2), 0)
    );
    let problem = problems.get(Split::Eval, 0, &tokenizer).unwrap();
    assert!(
        problem.prompt.starts_with("Answer with a number."),
        "{}",
        problem.prompt
    );
    for (response, score) in [
        ("4 + 13 = 17.", 1.0),
        ("17", 1.0),
        ("What is 4 + 13?", 0.0),
        ("16", 0.0),
    ] {
        assert_eq!(
            problems.verify(response, &problem).score(),
            Some(score),
            "{response}"
        );
    }
}

#[test]
fn every_key_and_command_that_the_page_names_is_there() {
    let help = |word: &str| PAGE.contains(&format!("cargo xtask {word} "));
    assert!(
        ["sums", "preflight", "train", "eval", "generate", "merge"]
            .into_iter()
            .all(help)
    );
    for key in [
        "data.extract",
        "data.system_prompt",
        "data.prompt_template",
        "data.example_turns",
        "reward.parts",
    ] {
        assert!(PAGE.contains(key), "{key}");
        let (section, name) = key.split_once('.').unwrap();
        let config = include_str!("../CONFIG.md");
        let (_, of_section) = config.split_once(&format!("## `[{section}]`")).unwrap();
        let of_section = of_section.split("\n## ").next().unwrap();
        assert!(of_section.contains(&format!("| `{name}` |")), "{key}");
    }
}
