//! Whole steps of a tiny model: rounds of sampling, the filter's reasons, and what is measured beside.

use super::*;
use prime_verifier::{FnVerifier, Verdict};

use crate::config::{Layer, resolve};
use crate::data::tasks::Split;
use crate::run::{initial_model, warmed_up_model};

const SMALL: &str = r#"
data.task = "mod3"
model.hidden_size = 16
model.intermediate_size = 24
model.num_hidden_layers = 1
model.num_attention_heads = 2
model.num_key_value_heads = 2
# Untrained models stop anywhere: responses of many lengths.
model.initializer_range = 0.4
rl.prompts_per_step = 4
rl.epochs_per_step = 1
eval.every = 0
"#;

type Taken = Vec<Result<StepMetrics, TrainError>>;

/// So many steps on problems where a response is right that holds a digit, and the learner after them.
fn steps(n: usize, own: &str, digit: char) -> (Taken, Learner<prime_policy::Decoder>) {
    let layers = [SMALL, "warmup.steps = 0", own].map(|text| Layer::text("test", text).unwrap());
    let config = resolve(&layers).unwrap();
    let start = initial_model(&config).unwrap();
    let task = Problems::open(&config, &start.tokenizer).unwrap();
    let holds = move |response: &str, _: &str| Verdict::compared(response.contains(digit));
    let prompts = (0..64).map(|index| task.get(Split::Train, index, &start.tokenizer).unwrap());
    let problems = Problems::own(prompts.collect(), Box::new(FnVerifier::new("holds", holds)));
    taken(n, &config, start, &problems)
}

fn taken(
    n: usize,
    config: &Config,
    start: crate::run::Start,
    problems: &Problems,
) -> (Taken, Learner<prime_policy::Decoder>) {
    let mut learner = Learner::new(start.model, config).unwrap();
    let env = Environment {
        config,
        problems,
        tokenizer: &start.tokenizer,
        estimator: &config.estimator(true),
        outcome_estimator: &config.estimator(false),
        objective: &config.objective(),
    };
    let all = (0..n).map(|_| step(&mut learner, &env).map(|report| report.metrics));
    (all.collect(), learner)
}

fn metrics(own: &str, digit: char) -> StepMetrics {
    steps(1, own, digit).0.remove(0).unwrap()
}

fn counts(found: &StepMetrics) -> impl Fn(&str) -> usize + '_ {
    |name| found.get(name).unwrap_or_else(|| panic!("{name}")) as usize
}

#[test]
fn prompts_are_sampled_until_enough_pass_the_filter_or_the_rounds_are_over() {
    // There is no such character.
    let (mut found, learner) = steps(1, "preset = 'rloo'\nrl.oversample_rounds = 3\n", 'x');
    let found = found.remove(0).unwrap();
    let n = counts(&found);
    assert_eq!((n("filter/rounds"), n("rollouts")), (3, 48));
    assert_eq!(learner.next_problem, 12);
    assert_eq!((n("filter/groups"), n("filter/kept_groups")), (12, 0));
    assert_eq!((n("filter/all_wrong"), n("actor/groups")), (12, 0));

    let once = metrics("preset = 'rloo'\n", 'x');
    assert_eq!(once.get("rollouts"), Some(16.0));
    assert_eq!(once.get("filter/rounds"), None);

    // Some groups pass, and rounds go on until there are enough.
    let luck = "preset = 'rloo'\nrl.prompts_per_step = 6\nrl.oversample_rounds = 100\n";
    let found = metrics(luck, '1');
    let n = counts(&found);
    let rounds = n("filter/rounds");
    assert!(rounds > 1 && rounds < 100, "{rounds}");
    assert_eq!(n("rollouts"), 24 * rounds);
    assert!(n("filter/kept_groups") >= 6, "before there are too many");
    assert_eq!(n("actor/groups"), 6);
    assert_eq!(n("filter/surplus"), n("filter/kept_groups") - 6);
    let reasons = [
        "all_right",
        "all_wrong",
        "out_of_range",
        "unjudged",
        "kept_groups",
    ];
    let all = reasons.map(|reason| n(&format!("filter/{reason}")));
    assert_eq!(all.iter().sum::<usize>(), n("filter/groups"));
}

#[test]
fn a_round_samples_other_responses_than_the_one_before() {
    let layers = [
        SMALL,
        "preset = 'rloo'\ndata.pass_mark = 'all'\nrl.oversample_rounds = 2\n",
    ];
    let config = resolve(&layers.map(|text| Layer::text("test", text).unwrap())).unwrap();
    let start = initial_model(&config).unwrap();
    let learner = Learner::new(start.model, &config).unwrap();
    let problems = Problems::open(&config, &start.tokenizer).unwrap();
    let env = Environment {
        config: &config,
        problems: &problems,
        tokenizer: &start.tokenizer,
        estimator: &config.estimator(true),
        outcome_estimator: &config.estimator(false),
        objective: &config.objective(),
    };
    let prompts = rollout::next_prompts(&mut learner.clone(), &env).unwrap();
    let sampled = |before| {
        let sampled = rollout::sample(&learner, &env, 1, before, &prompts).unwrap();
        let tokens = |r: prime_policy::Response| r.tokens;
        sampled
            .into_iter()
            .flatten()
            .map(tokens)
            .collect::<Vec<_>>()
    };
    assert_ne!(sampled(0), sampled(4));
    assert_eq!(sampled(0), sampled(0));
}

#[test]
fn the_distance_to_the_reference_is_measured_where_it_is_at_hand() {
    let kl = |own: &str| -> Vec<Option<f64>> {
        let own = format!("{own}filter.accuracy = false\nrl.lr = 1e-2\n");
        let taken = steps(3, &own, '1').0.into_iter();
        taken
            .map(|found| found.unwrap().get("actor/ref_kl"))
            .collect()
    };
    for free in [
        // The PRM's own reference is the policy before the first step.
        "preset = 'prime'\nprm.reference = 'frozen'\n",
        "preset = 'rloo'\nkl.placement = 'loss'\nkl.coef = 0.1\n",
        "preset = 'rloo'\nkl.placement = 'reward'\nkl.coef = 0.1\n",
    ] {
        let found = kl(free);
        assert!(found[0].unwrap() < 1e-6, "{free} {found:?}");
        assert!(found[2].unwrap() > 1e-5, "{free} {found:?}");
    }
    let found = kl("preset = 'rloo'\nrl.steps = 3\n");
    assert_eq!(found[..2], [None, None]);
    assert!(found[2].unwrap() > 1e-5, "the last step evaluates");
}

#[test]
fn answers_are_ranked_once_the_reward_model_knows_something() {
    let own = "preset = 'prime'\ndata.pass_mark = 'fraction'\nwarmup.steps = 150\nwarmup.lr_warmup_steps = 0\n";
    let config = resolve(&[SMALL, own].map(|text| Layer::text("test", text).unwrap()));
    let config = config.unwrap();
    let start = warmed_up_model(&config, false).unwrap();
    let problems = Problems::open(&config, &start.tokenizer).unwrap();
    let auc: Vec<Option<f64>> = taken(4, &config, start, &problems)
        .0
        .into_iter()
        .map(|found| found.unwrap().get("reward_model/step_auc"))
        .collect();
    assert_eq!(auc[0], None, "a fresh reward model equals its reference");
    assert!(auc[3].is_some(), "{auc:?}");
}

#[test]
fn numbers_that_are_none_come_with_the_way_out() {
    let own = "preset = 'rloo'\nfilter.accuracy = false\nrl.lr = 1e30\n";
    let taken = steps(3, own, '1').0;
    let error = taken.into_iter().find_map(Result::err).unwrap();
    for part in ["not finite", "rl.lr", "rl.grad_clip"] {
        assert!(error.to_string().contains(part), "{part} in {error}");
    }
}
