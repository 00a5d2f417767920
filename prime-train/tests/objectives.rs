//! Whole steps under every objective: `rl.objective` reaches the policy update.
#![cfg(feature = "flex")]

use std::sync::OnceLock;

use prime_policy::{Decoder, Sequence, log_probs};
use prime_train::config::{Config, Layer, resolve};
use prime_train::data::problems::Problems;
use prime_train::metrics::StepMetrics;
use prime_train::run::{Start, warmed_up_model};
use prime_train::step::{Environment, Learner, step};

const ALL: [&str; 12] = [
    "ppo_clip",
    "gspo",
    "sapo",
    "cispo",
    "gmpo",
    "clip_cov",
    "kl_cov",
    "dppo_tv",
    "dppo_kl",
    "dro",
    "gpg",
    "reinforce",
];

fn tiny(preset: &str, settings: &[&str]) -> Config {
    let fixed = [
        "data.task=mod3",
        "data.pass_mark=fraction",
        "model.hidden_size=16",
        "model.intermediate_size=16",
        "model.num_hidden_layers=1",
        "model.num_attention_heads=2",
        "model.num_key_value_heads=1",
        "warmup.steps=60",
        "warmup.batch_size=16",
        "warmup.lr_warmup_steps=5",
        "rl.prompts_per_step=4",
        "rl.lr=1e-2",
        "rl.epochs_per_step=2",
        "rl.mini_batch_size=8",
        "rl.micro_batch_size=4",
    ];
    let mut layers = vec![Layer::preset(preset)];
    let sets = fixed.iter().chain(settings);
    layers.extend(sets.map(|set| Layer::set(set).unwrap()));
    resolve(&layers).unwrap()
}

/// A model that gets some answers right, so that there is something to learn from.
fn start() -> &'static Start {
    static START: OnceLock<Start> = OnceLock::new();
    START.get_or_init(|| warmed_up_model(&tiny("reinforce", &[]), false).unwrap())
}

/// Metrics of two steps, and what the policy made of them.
fn two_steps(config: &Config) -> (Vec<StepMetrics>, Learner<Decoder>) {
    let start = start();
    let mut learner = Learner::new(start.model.clone(), config).unwrap();
    let environment = Environment {
        config,
        problems: &Problems::open(config, &start.tokenizer).unwrap(),
        tokenizer: &start.tokenizer,
        estimator: &config.estimator(true),
        outcome_estimator: &config.estimator(false),
        objective: &config.objective(),
    };
    let metrics = (0..2)
        .map(|_| step(&mut learner, &environment).unwrap().metrics)
        .collect();
    (metrics, learner)
}

fn reading(learner: &Learner<Decoder>) -> Vec<f32> {
    let sequence = Sequence {
        prompt: &[1, 2],
        response: &[3, 4, 5, 6],
    };
    let policy = &learner.actor.policy;
    log_probs(policy, &[sequence], 1.0, 1, 1).unwrap().remove(0)
}

/// All but the times.
fn numbers(metrics: &[StepMetrics]) -> Vec<(String, u64)> {
    metrics
        .iter()
        .flat_map(|metrics| metrics.iter())
        .filter(|(name, _)| !name.starts_with("timing_s/"))
        .map(|(name, value)| (name.to_owned(), value.as_f64().to_bits()))
        .collect()
}

#[test]
fn every_objective_trains() {
    let mut readings: Vec<Vec<f32>> = vec![];
    for objective in ALL {
        let name = format!("rl.objective={objective}");
        let mut settings = vec![name.as_str()];
        if objective == "clip_cov" {
            // So small a batch has no covariances above the default.
            settings.push("rl.clip_cov.clip_cov_lb=-10");
        }
        let config = tiny("reinforce", &settings);
        let (metrics, learner) = two_steps(&config);
        let first = &metrics[0];
        assert!(first.get("actor/grad_norm").unwrap() > 0.0, "{objective}");
        assert!(first.get("actor/pg_loss").is_some(), "{objective}");
        let kl = first.get("actor/ppo_kl");
        assert_eq!(kl.is_some(), objective != "gpg", "{objective}");
        readings.push(reading(&learner));
    }
    // gpg and reinforce are one loss under two names; no other two are.
    for (i, one) in readings.iter().enumerate() {
        for (j, other) in readings.iter().enumerate().skip(i + 1) {
            let same = (ALL[i], ALL[j]) == ("gpg", "reinforce");
            assert_eq!(one == other, same, "{} and {}", ALL[i], ALL[j]);
        }
    }
}

#[test]
fn what_is_drawn_does_not_depend_on_threads() {
    let clip_cov = [
        "rl.objective=clip_cov",
        "rl.clip_cov.clip_cov_ratio=0.1",
        "rl.clip_cov.clip_cov_lb=-10",
    ];
    let run = |more: &[&str]| {
        let (metrics, learner) = two_steps(&tiny("reinforce", &[&clip_cov, more].concat()));
        (numbers(&metrics), reading(&learner))
    };
    let one = run(&["threads=1"]);
    assert_eq!(one, run(&["threads=3"]));
    let dropped = one.0.iter().find(|(name, _)| name == "actor/pg_clipfrac");
    let share = f64::from_bits(dropped.unwrap().1);
    assert!(share > 0.0 && share <= 0.1, "{share}");
    assert_ne!(one.1, run(&["seed=1"]).1);
}

#[test]
fn importance_weights_act_once_the_policy_has_moved() {
    let reinforce = "rl.objective=reinforce";
    let run = |more: &[&str]| {
        let (metrics, learner) = two_steps(&tiny("reinforce", &[&[reinforce], more].concat()));
        (
            metrics[0].get("actor/grad_norm").unwrap(),
            reading(&learner),
        )
    };
    // One optimiser step a batch: the policy is the one that acted.
    let once = ["rl.epochs_per_step=1", "rl.mini_batch_size=0"];
    let (off, on) = (
        run(&once),
        run(&[&once[..], &["rl.reinforce.rollout_is=token"]].concat()),
    );
    assert!(
        (off.0 - on.0).abs() < 1e-4 * off.0,
        "{} and {}",
        off.0,
        on.0
    );
    let (off, token, sequence) = (
        run(&[]),
        run(&["rl.reinforce.rollout_is=token"]),
        run(&["rl.reinforce.rollout_is=sequence"]),
    );
    assert_ne!(off.1, token.1);
    assert_ne!(off.1, sequence.1);
    assert_ne!(token.1, sequence.1);
}

#[test]
fn averages_differ_by_what_they_divide_by() {
    let run = |loss_agg: &str| {
        let loss_agg = format!("rl.loss_agg={loss_agg}");
        let settings = ["rl.epochs_per_step=1", "rl.mini_batch_size=0", &loss_agg];
        let config = tiny("reinforce", &settings);
        let (metrics, _) = two_steps(&config);
        let longest = config.sampling.max_new_tokens as f64;
        let responses = metrics[0].get("rollouts").unwrap();
        let tokens = responses * metrics[0].get("response_length/mean").unwrap();
        let norm = metrics[0].get("actor/grad_norm").unwrap();
        (norm, tokens, responses, longest)
    };
    let (sum, tokens, responses, longest) = run("token_sum");
    assert!(sum > 0.0);
    let close = |name: &str, divisor: f64| {
        let (norm, ..) = run(name);
        let error = (norm * divisor / sum - 1.0).abs();
        assert!(error < 1e-4, "{name}: {norm} · {divisor} is not {sum}");
    };
    close("token_mean", tokens);
    close("seq_mean_token_sum", responses);
    close("seq_mean_token_sum_norm", responses * longest);
    assert!(run("seq_mean_token_mean").0 > 0.0);
}

#[test]
fn the_critic_reports_what_its_clip_does() {
    let (metrics, _) = two_steps(&tiny("ppo", &["critic.value_clip=1e-4", "critic.lr=0.1"]));
    let share = metrics[0].get("critic/vf_clipfrac").unwrap();
    assert!(share > 0.0 && share <= 1.0, "{share}");
}

#[test]
fn learning_rates_follow_their_schedules() {
    let two = ["rl.steps=4", "rl.lr_schedule=linear", "rl.lr_min_ratio=0.5"];
    let of_prm = [
        "prm.lr=1e-3",
        "prm.lr_warmup_steps=4",
        "filter.accuracy=false",
    ];
    let (metrics, scheduled) = two_steps(&tiny("paper", &[&two[..], &of_prm].concat()));
    let rates = |name: &str| [0, 1].map(|step: usize| metrics[step].get(name));
    assert_eq!(rates("actor/lr"), [Some(1e-2), Some(1e-2 * 0.875)]);
    assert_eq!(rates("reward_model/lr"), [Some(2.5e-4), Some(5e-4)]);
    assert_eq!(rates("critic/lr"), [None, None]);
    let (_, constant) = two_steps(&tiny("paper", &[&["rl.steps=4"], &of_prm[..]].concat()));
    assert_ne!(reading(&scheduled), reading(&constant), "the rate is used");

    let critic = ["rl.steps=4", "critic.lr_schedule=cosine", "critic.lr=1e-2"];
    let (metrics, _) = two_steps(&tiny("ppo", &critic));
    let second = 0.5e-2 * (1.0 + std::f64::consts::FRAC_PI_4.cos());
    let rates = [0, 1].map(|step: usize| metrics[step].get("critic/lr").unwrap());
    assert!(
        (rates[0] - 1e-2).abs() < 1e-15 && (rates[1] - second).abs() < 1e-15,
        "{rates:?}"
    );
}
