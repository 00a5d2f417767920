//! Written configurations: short for readers, whole for later, and neither changes what is read.

use proptest::prelude::*;
use proptest::sample::subsequence;

use super::*;

#[test]
fn every_preset_resolves_and_survives_a_round_trip() {
    for name in preset_names() {
        let config = of_preset(name);
        assert_eq!(config.preset, name);
        survives(&config);
    }
}

/// A preset, with what it needs.
fn of_preset(name: &str) -> Config {
    let mut layers = vec![Layer::preset(name)];
    if MODEL_PRESETS.contains(&name) {
        layers.push(Layer::text("f", "model.path = 'm'\ndata.train_file = 'd'").unwrap());
    }
    resolve(&layers).unwrap()
}

/// Both texts of a configuration give it back.
pub(super) fn survives(config: &Config) {
    for text in [config.to_toml().unwrap(), config.to_full_toml().unwrap()] {
        let again = resolve(&[Layer::text("copy", &text).unwrap()]).expect(&text);
        assert_eq!(&again, config, "{text}");
    }
    let short = config.to_toml().unwrap();
    let again = resolve(&[Layer::text("copy", &short).unwrap()]).unwrap();
    assert_eq!(again.to_toml().unwrap(), short);
}

#[test]
fn what_a_preset_sets_and_a_layer_takes_back_is_written() {
    for taken_back in ["rl.entropy_coef=0.0", "advantage.outcome_coef=1.0"] {
        let config = resolve(&sets(&["preset=recipe", taken_back])).unwrap();
        survives(&config);
        let line = taken_back.split_once('.').unwrap().1.replace('=', " = ");
        assert!(config.to_toml().unwrap().contains(&line), "{line}");
    }
}

#[test]
fn the_full_text_has_every_key_that_is_read_and_no_other() {
    let text = resolve(&[]).unwrap().to_full_toml().unwrap();
    for key in [
        "pass_mark = \"\"",
        "path = \"\"",
        "seed",
        "positive_clip",
        "beta1",
        "stop_early",
    ] {
        assert!(text.contains(key), "{key} in\n{text}");
    }
    for key in [
        "vf_coef",
        "[rl.gspo]",
        "alpha",
        "[advantage.grpo]",
        "accuracy_lower_bound",
    ] {
        assert!(!text.contains(key), "{key} in\n{text}");
    }
}

/// Keys of a text.
fn keys_in(text: &str) -> usize {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter(|line| line.contains(" = ")).count()
}

#[test]
fn a_newcomer_sees_fewer_than_sixty_keys() {
    for name in preset_names() {
        let text = of_preset(name).to_toml().unwrap();
        assert!(keys_in(&text) < 60, "{name}: {}\n{text}", keys_in(&text));
    }
}

#[test]
fn the_file_of_the_readme_has_fewer_than_sixty_keys() {
    for preset in MODEL_PRESETS {
        let given = [
            "model.path=m",
            "data.train_file=d.jsonl",
            "data.eval_file=e.jsonl",
        ];
        let preset = format!("preset={preset}");
        let config = resolve(&sets(&[&given[..], &[&preset]].concat())).unwrap();
        let text = config.to_toml().unwrap();
        assert!(keys_in(&text) < 60, "{}\n{text}", keys_in(&text));
        for absent in [
            "[warmup]\nsteps = 0\nbatch_size",
            "hidden_size",
            "[code]",
            "[critic]",
            "[rl.gspo]",
        ] {
            assert!(!text.contains(absent), "{absent} in\n{text}");
        }
        survives(&config);
    }
}

fn sets(arguments: &[&str]) -> Vec<Layer> {
    let layers = arguments
        .iter()
        .map(|argument| Layer::set(argument).unwrap());
    layers.collect()
}

/// What a run folder keeps, read by a program whose presets have other values: with another preset's in their place.
fn survives_other_defaults(config: &Config) {
    let full = config.to_full_toml().unwrap();
    for other in preset_names() {
        let line = format!("preset = \"{}\"", config.preset);
        let text = full.replacen(&line, &format!("preset = \"{other}\""), 1);
        let mut again = resolve(&[Layer::text("later", &text).unwrap()]).expect(&text);
        assert_eq!(again.preset, other);
        again.preset.clone_from(&config.preset);
        assert_eq!(&again, config, "{other} over\n{text}");
    }
}

#[test]
fn a_run_folder_reads_the_same_when_presets_have_changed() {
    for name in preset_names() {
        survives_other_defaults(&of_preset(name));
    }
}

#[test]
fn a_run_folder_is_its_full_file_and_the_short_one_over_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let config = of_preset("recipe");
    let read = || resolve(&Layer::of_run(folder.path()).unwrap()).unwrap();
    write("config.toml", &config.to_toml().unwrap());
    assert_eq!(read(), config);
    // Only the full file says this; it is as if the default were another.
    let full = config.to_full_toml().unwrap();
    assert!(full.contains("keep_last = 2"));
    write(
        "config.full.toml",
        &full.replace("keep_last = 2", "keep_last = 9"),
    );
    assert_eq!(read().run.keep_last, 9);
    // What a person changes in the short one counts.
    let short = config.to_toml().unwrap();
    write("config.toml", &short.replace("steps = 40", "steps = 41"));
    assert_eq!(read().rl.steps, 41);
    std::fs::remove_file(folder.path().join("config.toml")).unwrap();
    let error = Layer::of_run(folder.path()).unwrap_err().to_string();
    assert!(error.contains("config.toml"), "{error}");
}

/// Settings that decide what is read, and some that are read then.
const SETTINGS: [&str; 47] = [
    "preset=paper",
    "preset=recipe",
    "preset=ppo",
    "preset=rloo_full",
    "preset=prime_lora",
    "model.path=m",
    "model.hidden_size=32",
    "data.train_file=d.jsonl",
    "data.eval_file=e.jsonl",
    "data.task=mod3",
    "lora.rank=4",
    "lora.alpha=3",
    "lora.target_modules=[\"q_proj\"]",
    "warmup.steps=0",
    "warmup.steps=40",
    "warmup.lr=1e-3",
    "sampling.max_new_tokens=200",
    "rl.objective=gspo",
    "rl.gspo.clip_ratio_low=0.1",
    "rl.objective=clip_cov",
    "rl.objective=reinforce",
    "rl.reinforce.rollout_is=token",
    "rl.loss_agg=seq_mean_token_sum_norm",
    "rl.loss_scale_factor=7",
    "rl.lr_schedule=cosine",
    "rl.beta1=0.5",
    "filter.accuracy=true",
    "filter.accuracy=false",
    "filter.accuracy_lower_bound=0.3",
    "advantage.estimator=gae",
    "advantage.gae.lam=0.9",
    "advantage.estimator=grpo",
    "advantage.grpo.normalize_by_std=false",
    "advantage.process_estimator=rloo",
    "advantage.rloo.loo_scaling=code",
    "critic.lr=1e-4",
    "kl.placement=reward",
    "kl.placement=loss",
    "kl.coef=0.1",
    "prm.enabled=false",
    "prm.oracle=true",
    "prm.update=none",
    "prm.replay.steps=3",
    "prm.replay.steps=0",
    "prm.process_credit=sampled",
    "eval.every=0",
    "eval.every_problems=7",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// What resolves is written and read again unchanged, whatever was set and whatever presets are later.
    #[test]
    fn any_settings_survive(chosen in subsequence(SETTINGS.to_vec(), 0..10).prop_shuffle()) {
        if let Ok(config) = resolve(&sets(&chosen)) {
            survives(&config);
            survives_other_defaults(&config);
        }
    }
}
