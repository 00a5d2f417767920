use proptest::prelude::*;

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
fn survives(config: &Config) {
    for text in [config.to_toml().unwrap(), config.to_full_toml().unwrap()] {
        let again = resolve(&[Layer::text("copy", &text).unwrap()]).expect(&text);
        assert_eq!(&again, config, "{text}");
    }
    let short = config.to_toml().unwrap();
    let again = resolve(&[Layer::text("copy", &short).unwrap()]).unwrap();
    assert_eq!(again.to_toml().unwrap(), short);
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
        (&["prm.update=none"], "prm.replay.steps"),
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
fn every_key_has_a_meaning_and_every_word_is_taken() {
    let base = write::encode(&Config::base()).unwrap();
    let known: Vec<&str> = docs::keys().map(|key| key.key.as_str()).collect();
    for (key, _) in tables::leaves(&base) {
        assert!(known.contains(&key.as_str()), "{key} is not documented");
    }
    for key in docs::keys() {
        assert!(!key.about.is_empty(), "{}", key.key);
        for (word, about) in &key.words {
            assert!(!about.is_empty(), "{} {word}", key.key);
            let error = with(&[&format!("{}={word}", key.key)]).err();
            let refused = matches!(error, Some(ConfigError::WrongType { .. }));
            assert!(!refused, "{} = {word}: {error:?}", key.key);
        }
    }
    for section in docs::sections() {
        assert!(!section.about.is_empty(), "[{}]", section.name);
    }
}

#[test]
fn a_model_folder_never_has_the_rates_of_the_demo_unsaid() {
    let rows = ["model.path=m", "data.train_file=d.jsonl"];
    let config = with(&rows).unwrap();
    assert_eq!(
        (config.preset.as_str(), config.lora.rank),
        ("prime_lora", 16)
    );
    assert_eq!(config.warmup.steps, 0);
    assert_eq!(config.data.task, DataTask::Rows);
    let full = with(&[&rows[..], &["lora.rank=0"]].concat()).unwrap();
    assert_eq!((full.preset.as_str(), full.rl.lr), ("prime_full", 1e-6));

    let notes = |arguments: &[&str]| {
        let layers: Vec<Layer> = arguments.iter().map(|a| Layer::set(a).unwrap()).collect();
        resolve_for(&layers, Purpose::Training).unwrap().notes
    };
    let said = notes(&rows);
    assert_eq!(said.len(), 1);
    assert!(
        said[0].starts_with("preset prime_lora, since model.path is set"),
        "{said:?}"
    );
    assert!(said[0].contains("rloo_full"), "{said:?}");
    assert!(notes(&[&rows[..], &["preset=rloo_lora"]].concat()).is_empty());
    let demo = notes(&[&rows[..], &["preset=paper"]].concat()).join("\n");
    assert!(demo.contains("preset paper has the rates"), "{demo}");
    assert!(demo.contains("no warm-up: model.path is set"), "{demo}");
    assert!(notes(&[]).is_empty());
    assert!(notes(&["critic.lr=1"])[0].contains("nothing reads `critic.lr` here"));
    let task = [&rows[..], &["preset=rloo_full", "data.task=exam"]].concat();
    assert!(notes(&task)[0].contains("data.train_file is not read"));
}

#[test]
fn the_task_is_decided_by_what_is_given() {
    assert_eq!(with(&[]).unwrap().data.task, DataTask::Exam);
    assert_eq!(
        message(&["model.path=m"]),
        "`data.task` is auto, but must be \"exam\" or another built-in task, or data.train_file given: model.path does not \
         say what there is to learn"
    );
    let named = with(&["model.path=m", "data.task=mod3"]).unwrap();
    assert_eq!((named.data.task, named.warmup.steps), (DataTask::Mod3, 0));
    let asked = with(&["model.path=m", "data.task=mod3", "warmup.steps=50"]).unwrap();
    assert_eq!(asked.warmup.steps, 50);
    let old = with(&["model.path=m", "data.train_file=x", "data.task=jsonl"]).unwrap();
    assert_eq!(old.data.task, DataTask::Rows);
    assert!(old.to_toml().unwrap().contains("task = \"rows\""));
    // A file says what it is for, also without a model; then the model is missing.
    assert!(message(&["data.train_file=x"]).starts_with("`model.path` is \"\""));
}

#[test]
fn measuring_and_sampling_need_no_data_to_train_on() {
    let with = |purpose, arguments: &[&str]| {
        let layers: Vec<Layer> = arguments.iter().map(|a| Layer::set(a).unwrap()).collect();
        resolve_for(&layers, purpose).map(|resolved| resolved.config)
    };
    let sampled = with(Purpose::Sampling, &["model.path=m"]).unwrap();
    assert_eq!(
        (sampled.lora.rank, sampled.sampling.max_new_tokens),
        (0, 512)
    );
    let measured = with(Purpose::Measuring, &["model.path=m", "data.eval_file=e"]).unwrap();
    assert_eq!(
        (measured.data.task, measured.lora.rank),
        (DataTask::Rows, 0)
    );
    assert!(with(Purpose::Measuring, &["model.path=m"]).is_err());
    assert!(with(Purpose::Training, &["model.path=m", "data.eval_file=e"]).is_err());
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
        let config = with(&[&given[..], &[&preset]].concat()).unwrap();
        let text = config.to_toml().unwrap();
        assert!(keys_in(&text) < 60, "{}\n{text}", keys_in(&text));
        survives(&config);
    }
}

#[test]
fn the_page_of_all_keys_is_what_the_program_says() {
    let written = include_str!("../../CONFIG.md");
    let page = page().unwrap();
    assert!(
        page == written,
        "prime-train/CONFIG.md is out of date: cargo xtask config --markdown > prime-train/CONFIG.md"
    );
}

#[test]
fn a_key_or_a_section_is_explained() {
    let lr = explain("rl.lr").unwrap();
    for part in [
        "Policy learning rate",
        "a number",
        "1e-4",
        "prime 3e-4",
        "prime_full 1e-6",
    ] {
        assert!(lr.contains(part), "{part} in\n{lr}");
    }
    let estimator = explain("advantage.estimator").unwrap();
    assert!(
        estimator.contains("reinforce_plus_plus_baseline"),
        "{estimator}"
    );
    assert!(
        explain("rl.gspo.clip_ratio_low")
            .unwrap()
            .contains("read with rl.objective = \"gspo\" only")
    );
    for section in ["rl", "[prm]", "rl.gspo"] {
        assert!(explain(section).unwrap().contains("default"), "{section}");
    }
    let slip = explain("rl.lrr").unwrap_err().to_string();
    assert!(slip.contains("did you mean `rl.lr`?"), "{slip}");
    let all = list().unwrap();
    assert_eq!(all.lines().count(), docs::keys().count());
    assert!(
        all.lines()
            .all(|line| line.contains(" = ") && line.contains("# "))
    );
}

#[test]
fn names_of_other_programs_are_translated() {
    for (given, ours) in [
        ("num_generations=8", "here it is `rl.group_size = 8`"),
        ("rl.num_generations=8", "here it is `rl.group_size = 8`"),
        (
            "max_completion_length=512",
            "`sampling.max_new_tokens = 512`",
        ),
        ("max-prompt-length=512", "`data.max_prompt_tokens = 512`"),
        ("lr_scheduler_type=cosine", "`rl.lr_schedule = \"cosine\"`"),
        (
            "scale_rewards=false",
            "`advantage.grpo.normalize_by_std = false`",
        ),
        (
            "loss_type=dr_grpo",
            "`rl.loss_agg = \"seq_mean_token_sum_norm\"`",
        ),
        ("beta=0.04", "`kl.coef`"),
        ("rl.beta=0.04", "`kl.coef`"),
        ("epsilon=0.2", "`rl.ppo_clip.clip_ratio_low`"),
        ("actor_rollout_ref.rollout.n=16", "`rl.group_size = 16`"),
        ("actor_rollout_ref.actor.optim.lr=1e-6", "`rl.lr = 1e-6`"),
        ("critic.optim.lr=1e-5", "`critic.lr = 1e-5`"),
        (
            "actor_rollout_ref.actor.use_kl_loss=true",
            "`kl.placement = \"loss\"`",
        ),
        (
            "actor_rollout_ref.actor.loss_agg_mode=seq-mean-token-sum",
            "\"seq_mean_token_sum\"`",
        ),
        (
            "algorithm.adv_estimator=gae",
            "`advantage.estimator = \"gae\"`",
        ),
        ("algorithm.lam=0.95", "`advantage.gae.lam`"),
        ("algorithm.gamma=1", "`advantage.gamma = 1`"),
        ("data.train_batch_size=64", "`rl.prompts_per_step = 64`"),
        ("reward_model.model.beta_train=0.05", "`prm.beta = 0.05`"),
        ("trainer.total_epochs=3", "`rl.steps`"),
        ("trainer.save_freq=10", "`run.save_every = 10`"),
        ("init_kl_coef=0.01", "`kl.placement = \"reward\"`"),
        (
            "advantage_estimator=group_norm",
            "`advantage.estimator = \"grpo\"`",
        ),
    ] {
        let error = message(&[given]);
        assert!(
            error.starts_with(&format!("--set {given}: unknown key")),
            "{error}"
        );
        assert!(error.contains(ours), "{ours} in {error}");
    }
    // A file of another program gets one answer about all of it.
    let file = "[trainer]\nsave_freq = 5\ntest_freq = 5\n[actor_rollout_ref.rollout]\nn = 4\nname = 'vllm'";
    let error = resolve(&[Layer::text("verl.toml", file).unwrap()])
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("verl.toml: 4 unknown keys:\n"), "{error}");
    for part in [
        "`eval.every = 5`",
        "`rl.group_size = 4`",
        "`actor_rollout_ref.rollout.name`",
    ] {
        assert!(error.contains(part), "{part} in {error}");
    }
}

#[test]
fn a_wrong_word_gets_the_one_that_was_meant() {
    for (given, meant) in [
        ("rl.objective=gpso", "(did you mean `gspo`?)"),
        (
            "rl.objective=grpo",
            "(here it is `advantage.estimator = \"grpo\"`)",
        ),
        ("rl.loss_agg=token-mean", "`rl.loss_agg = \"token_mean\"`"),
        ("rl.lr_schedule=cosin", "(did you mean `cosine`?)"),
        (
            "rl.lr_schedule=constant_with_warmup",
            "`rl.lr_schedule = \"constant\" with rl.lr_warmup_steps`",
        ),
        (
            "advantage.estimator=dr_grpo",
            "advantage.grpo.normalize_by_std = false",
        ),
        (
            "advantage.estimator=RLOO",
            "`advantage.estimator = \"rloo\"`",
        ),
        ("prm.update=befor", "(did you mean `before`?)"),
        (
            "prm.process_credit=all-actions",
            "(did you mean `all_actions`?)",
        ),
        ("kl.placement=true", "expected"),
        ("data.task=exams", "(did you mean `exam`?)"),
    ] {
        let error = message(&[given]);
        assert!(error.contains(meant), "{meant} in {error}");
    }
}
