use proptest::prelude::*;

use super::write_tests::survives;
use super::*;
use crate::data::tasks::PassMark;
use crate::error::ConfigError;

fn with(arguments: &[&str]) -> Result<Config, ConfigError> {
    let layers: Result<Vec<Layer>, _> = arguments.iter().map(|a| Layer::set(a)).collect();
    resolve(&layers?)
}

fn message(arguments: &[&str]) -> String {
    with(arguments).unwrap_err().to_string()
}

#[test]
fn later_layers_win() {
    let file = Layer::text(
        "run.toml",
        "preset = \"paper\"\n[prm]\nbeta = 0.2\nlr = 0.5",
    )
    .unwrap();
    let set = Layer::set("prm.lr=2").unwrap();
    let config = resolve(&[file, set]).unwrap();
    assert_eq!((config.prm.beta, config.prm.lr), (0.2, 2.0));
    assert!(config.filter.accuracy, "from the preset");
    assert_eq!(config.rl.steps, 40, "from the recipe");
}

#[test]
fn the_default_is_our_own() {
    let config = resolve(&[]).unwrap();
    assert_eq!(config, resolve(&[Layer::preset("prime")]).unwrap());
    assert_eq!(config.prm.reward_reference, PrmReference::Policy);
    assert_eq!(config.prm.reference, PrmReference::Frozen);
    assert!((config.advantage.process_coef * config.prm.beta - 1.0).abs() < 1e-12);
}

#[test]
fn a_preset_named_in_a_file_lies_below_the_file() {
    let file = Layer::text("f", "preset = \"recipe\"\n[advantage]\nprocess_coef = 2").unwrap();
    let config = resolve(&[file]).unwrap();
    assert_eq!(
        (config.advantage.outcome_coef, config.advantage.process_coef),
        (5.0, 2.0)
    );
}

#[test]
fn the_topmost_preset_is_used_whatever_layer_names_it() {
    let file = Layer::text("f", "preset = \"recipe\"").unwrap();
    let config = resolve(&[file, Layer::preset("rloo")]).unwrap();
    assert_eq!(
        (config.preset.as_str(), config.prm.enabled),
        ("rloo", false)
    );
    assert_eq!(
        config.advantage.process_coef, 1.0,
        "nothing of recipe is left"
    );
}

#[test]
fn unknown_keys_get_the_nearest_and_the_layer() {
    assert_eq!(
        message(&["rl.stepz=3"]),
        "--set rl.stepz=3: unknown key `rl.stepz` (did you mean `rl.steps`?)"
    );
    let file = Layer::text("my.toml", "[samplng]\ntop_p = 1.0").unwrap();
    let error = resolve(&[file]).unwrap_err().to_string();
    assert_eq!(
        error,
        "my.toml: unknown key `samplng` (did you mean `sampling`?)"
    );
    // The right key in the wrong section.
    let error = message(&["rl.process_coef=1"]);
    assert!(
        error.contains("did you mean `advantage.process_coef`?"),
        "{error}"
    );
    // Nothing alike: no guess.
    assert_eq!(message(&["zzqq=1"]), "--set zzqq=1: unknown key `zzqq`");
}

#[test]
fn wrong_types_name_key_type_and_value() {
    let error = message(&["rl.steps=many"]);
    assert!(
        error.starts_with("--set rl.steps=many: `rl.steps`: "),
        "{error}"
    );
    assert!(error.contains("string \"many\""), "{error}");
    assert!(
        error.contains("expected a whole number, 0 or more"),
        "{error}"
    );
    for (argument, parts) in [
        ("rl.steps=-1", ["`-1`", "a whole number, 0 or more"]),
        ("rl.steps=1.5", ["`1.5`", "a whole number, 0 or more"]),
        ("rl.lr=fast", ["\"fast\"", "a number"]),
        ("prm.enabled=1", ["`1`", "true or false"]),
        ("model.path=3", ["`3`", "a string"]),
        ("prm=3", ["`3`", "a table of keys"]),
        ("prm.update=never", ["`never`", "`after`, `before`, `none`"]),
        ("code.checker=fuzzy", ["\"fuzzy\"", "\"lines\""]),
        ("code.scoring=half", ["`half`", "`all_or_nothing`"]),
        ("data.pass_mark=most", ["\"most\"", "\"fraction\""]),
        ("data.pass_mark=-2", ["-2", "whole number"]),
    ] {
        let key = argument.split('=').next().unwrap();
        let error = message(&[argument]);
        assert!(error.contains(&format!(": `{key}`: ")), "{error}");
        for part in parts {
            assert!(error.contains(part), "{part} in {error}");
        }
    }
}

#[test]
fn the_layer_with_the_wrong_value_is_blamed() {
    let file = Layer::text("bad.toml", "[rl]\nsteps = \"x\"").unwrap();
    let error = resolve(&[file, Layer::set("rl.lr=1e-3").unwrap()]).unwrap_err();
    assert!(
        error.to_string().starts_with("bad.toml: `rl.steps`"),
        "{error}"
    );
}

#[test]
fn unknown_presets_are_listed() {
    let error = resolve(&[Layer::preset("papr")]).unwrap_err().to_string();
    assert!(error.contains("prime, anchored, paper, orig"), "{error}");
    assert!(error.contains("did you mean `paper`?"), "{error}");
    assert!(message(&["preset=7"]).contains("expected a string"));
}

#[test]
fn set_arguments_need_a_key_and_a_value() {
    for argument in ["rl.steps", "=3", "rl.=3", ".steps=3"] {
        assert!(
            matches!(Layer::set(argument), Err(ConfigError::SetSyntax { .. })),
            "{argument}"
        );
    }
    // A value with a line break cannot smuggle in a second key.
    assert!(
        with(&["data.task=exam", "model.path=1\nseed = 5"])
            .unwrap()
            .model
            .path
            .contains("seed")
    );
}

#[test]
fn syntax_errors_name_the_file() {
    let error = Layer::text("bad.toml", "[rl\nsteps = 1")
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("bad.toml is not valid TOML"), "{error}");
}

#[test]
fn aliases_and_pass_marks_are_understood() {
    let config = with(&["advantage.estimator=loo"]).unwrap();
    assert_eq!(config.advantage.estimator, Estimator::Rloo);
    let config = with(&[
        "preset=rloo",
        "advantage.estimator=ppo",
        "data.pass_mark=\"all\"",
    ])
    .unwrap();
    assert_eq!(config.advantage.estimator, Estimator::Gae);
    assert_eq!(config.data.pass_mark, Some(PassMark::All));
    assert_eq!(
        with(&["data.pass_mark=11"]).unwrap().data.pass_mark,
        Some(PassMark::AtLeast(11))
    );
    assert_eq!(with(&["data.pass_mark="]).unwrap().data.pass_mark, None);
}

#[test]
fn products_are_in_f32_unless_said_and_by_the_names_of_torch() {
    use prime_policy::ComputeDtype;

    assert_eq!(
        with(&[]).unwrap().model.compute_dtype,
        ComputeDtype::Float32
    );
    let config = with(&["model.compute_dtype=bfloat16"]).unwrap();
    assert_eq!(config.model.compute_dtype, ComputeDtype::BFloat16);
    let text = config.to_toml().unwrap();
    assert!(text.contains("compute_dtype = \"bfloat16\""), "{text}");
    let error = message(&["model.compute_dtype=bf16"]);
    for part in ["model.compute_dtype", "bf16", "float32", "bfloat16"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn programs_are_graded_as_the_verifier_does_unless_said() {
    use prime_verifier::code::{Checker, CodeConfig, Scoring};

    assert_eq!(with(&[]).unwrap().code(), CodeConfig::default());
    let code = with(&[
        "code.time_limit=0.5",
        "code.memory_limit_mib=128",
        "code.checker=float(1e-3)",
        "code.scoring=all_or_nothing",
        "code.max_tests=3",
        "code.stop_early=true",
        "code.workers=2",
        "code.allow_unsandboxed=true",
    ])
    .unwrap()
    .code();
    let limits = (code.limits.cpu.as_millis(), code.limits.wall.as_millis());
    assert_eq!((limits, code.limits.memory), ((500, 2500), 128 << 20));
    assert_eq!(code.checker, Checker::Float { epsilon: 1e-3 });
    assert_eq!(code.scoring, Scoring::AllOrNothing);
    assert_eq!(code.max_tests.map(usize::from), Some(3));
    assert_eq!((code.workers, code.stop_early), (2, true));
    assert!(code.allow_unsandboxed);
}

#[test]
fn ranges_are_checked_with_the_key_named() {
    let cases: &[(&[&str], &str)] = &[
        (&["model.hidden_size=60"], "model.hidden_size"),
        (
            &["model.num_key_value_heads=3"],
            "model.num_key_value_heads",
        ),
        (
            &["model.num_attention_heads=0"],
            "model.num_attention_heads",
        ),
        (&["model.rope_theta=inf"], "model.rope_theta"),
        (&["model.initializer_range=0"], "model.initializer_range"),
        (&["lora.alpha=0"], "lora.alpha"),
        (&["lora.target_modules=[]"], "lora.target_modules"),
        (&["lora.dropout=0.1"], "lora.dropout"),
        (&["warmup.lr=0"], "warmup.lr"),
        (&["warmup.micro_batch_size=0"], "warmup.micro_batch_size"),
        (&["warmup.lr_warmup_steps=400"], "warmup.lr_warmup_steps"),
        (&["sampling.temperature=0"], "sampling.temperature"),
        (&["sampling.top_p=1.1"], "sampling.top_p"),
        (&["sampling.top_p=nan"], "sampling.top_p"),
        (&["sampling.min_p=1.1"], "sampling.min_p"),
        (&["sampling.min_p=nan"], "sampling.min_p"),
        (&["sampling.max_new_tokens=35"], "sampling.max_new_tokens"),
        (&["rl.group_size=1"], "rl.group_size"),
        (&["rl.beta2=1.0"], "rl.beta2"),
        (&["rl.oversample_factor=0.5"], "rl.oversample_factor"),
        (
            &["rl.ppo_clip.clip_ratio_low=1.5"],
            "rl.ppo_clip.clip_ratio_low",
        ),
        (
            &["rl.ppo_clip.clip_ratio_high=-1"],
            "rl.ppo_clip.clip_ratio_high",
        ),
        (
            &["rl.ppo_clip.clip_ratio_c=0.9"],
            "rl.ppo_clip.clip_ratio_c",
        ),
        (
            &["rl.ppo_clip.clip_ratio_c=nan"],
            "rl.ppo_clip.clip_ratio_c",
        ),
        (&["rl.ppo_clip.clip_ratio_c=-3"], "rl.ppo_clip.clip_ratio_c"),
        (&["rl.loss_scale_factor=-1"], "rl.loss_scale_factor"),
        (&["rl.loss_scale_factor=9"], "rl.loss_scale_factor"),
        (&["rl.lr_min_ratio=1.1"], "rl.lr_min_ratio"),
        (
            &["preset=ppo", "critic.lr_min_ratio=-1"],
            "critic.lr_min_ratio",
        ),
        (&["prm.lr_min_ratio=nan"], "prm.lr_min_ratio"),
        (&["rl.micro_batch_size=0"], "rl.micro_batch_size"),
        (
            &["filter.accuracy_lower_bound=0.9"],
            "filter.accuracy_lower_bound",
        ),
        (
            &["filter.accuracy_upper_bound=1.2"],
            "filter.accuracy_upper_bound",
        ),
        (
            &["preset=ppo", "advantage.gae.lam=-0.1"],
            "advantage.gae.lam",
        ),
        (&["kl.coef=0.1"], "kl.coef"),
        (&["prm.beta=0"], "prm.beta"),
        (
            &["prm.update=none", "prm.replay.steps=5"],
            "prm.replay.steps",
        ),
        (&["prm.oracle=true", "prm.enabled=false"], "prm.oracle"),
        (&["data.task=jsonl"], "data.train_file"),
        (&["data.task=jsonl", "data.train_file=x"], "model.path"),
        (&["data.chat_template="], "data.chat_template"),
        (&["data.pass_mark=13"], "data.pass_mark"),
        (&["data.pass_mark=0"], "data.pass_mark"),
        (&["data.max_prompt_tokens=37"], "data.max_prompt_tokens"),
        (&["code.time_limit=0"], "code.time_limit"),
        (&["code.time_limit=nan"], "code.time_limit"),
        (&["code.memory_limit_mib=63"], "code.memory_limit_mib"),
        (&["eval.k=0"], "eval.k"),
        (&["run.keep_last=0"], "run.keep_last"),
    ];
    for (arguments, key) in cases {
        let error = message(arguments);
        assert!(
            error.starts_with(&format!("`{key}` is ")),
            "{arguments:?}: {error}"
        );
    }
}

#[test]
fn adapters_are_off_unless_they_have_a_rank() {
    use prime_policy::{LoraConfig, TargetModules};

    assert_eq!(with(&["lora.alpha=4"]).unwrap().lora.settings(), None);
    let all = with(&["lora.rank=8"]).unwrap().lora.settings();
    assert_eq!(all, Some(LoraConfig::new(8, 32.0)));
    let chosen = "lora.target_modules=[\"q_proj\", \"v_proj\"]";
    let some = with(&["lora.rank=8", chosen]).unwrap();
    let names = ["q_proj", "v_proj"].map(str::to_owned).to_vec();
    assert_eq!(some.lora.target_modules, TargetModules::Names(names));
    let text = some.to_toml().unwrap();
    let again = resolve(&[Layer::text("copy", &text).unwrap()]).unwrap();
    assert_eq!(again, some);
    for wrong in ["lora.target_modules=q_proj", "lora.target_modules=3"] {
        let error = message(&[wrong]);
        assert!(error.contains("`lora.target_modules`"), "{error}");
        assert!(error.contains("all-linear"), "{error}");
    }
}

#[test]
fn a_group_of_one_is_fine_without_group_baselines() {
    assert!(with(&["preset=reinforce", "rl.group_size=1"]).is_ok());
    assert!(
        with(&[
            "preset=reinforce",
            "rl.group_size=1",
            "advantage.reinforce.baseline=group_mean"
        ])
        .is_err()
    );
    assert!(
        with(&[
            "preset=paper",
            "advantage.estimator=reinforce",
            "rl.group_size=1"
        ])
        .is_err()
    );
}

#[test]
fn responses_are_counted_in_whole_groups() {
    let config = with(&["rl.prompts_per_step=3", "rl.oversample_factor=1.5"]).unwrap();
    assert_eq!(config.responses_per_step(), 5 * 4);
}

proptest! {
    /// No argument brings the resolver down, and what resolves can be written and read again.
    #[test]
    fn any_argument_is_an_answer(key in "[a-z_.]{0,20}", value in "\\PC{0,12}") {
        if let Ok(config) = with(&[&format!("{key}={value}")]) {
            survives(&config);
        }
    }

    #[test]
    fn numbers_survive_exactly(lr in 1e-12f64..1e3, seed in 0i64..i64::MAX) {
        let config = with(&[&format!("rl.lr={lr:e}"), &format!("seed={seed}")]).unwrap();
        prop_assert_eq!((config.rl.lr, config.seed), (lr, seed as u64));
        survives(&config);
    }
}
