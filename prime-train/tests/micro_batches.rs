//! A step whose micro-batches are cut by tokens against one whose micro-batches are cut by responses.

use prime_train::config::{Config, Layer, resolve};
use prime_train::data::problems::Problems;
use prime_train::metrics::StepMetrics;
use prime_train::run::initial_model;
use prime_train::step::{Environment, Learner, step};

fn config(own: &[&str]) -> Config {
    let small = [
        "model.hidden_size=16",
        "model.intermediate_size=24",
        "model.num_hidden_layers=1",
        "model.num_attention_heads=2",
        "model.num_key_value_heads=2",
        "rl.prompts_per_step=3",
        "rl.entropy_coef=0.01",
        "filter.accuracy=false",
        "prm.process_groups=all",
        "prm.process_warmup_steps=0",
        // Untrained models stop anywhere: responses of many lengths.
        "model.initializer_range=0.4",
        "threads=2",
    ];
    let mut layers = vec![Layer::preset("prime")];
    for setting in small.iter().chain(own) {
        layers.push(Layer::set(setting).unwrap());
    }
    resolve(&layers).unwrap()
}

fn run(own: &[&str]) -> StepMetrics {
    let config = config(own);
    let start = initial_model(&config).unwrap();
    let mut learner = Learner::new(start.model, &config).unwrap();
    let environment = Environment {
        config: &config,
        problems: &Problems::open(&config, &start.tokenizer).unwrap(),
        tokenizer: &start.tokenizer,
        estimator: &config.estimator(true),
        outcome_estimator: &config.estimator(false),
        objective: &config.objective(),
    };
    step(&mut learner, &environment).unwrap().metrics
}

#[test]
fn the_cut_by_tokens_changes_rounding_only() {
    for own in [
        &["prm.process_credit=all_actions"][..],
        &[
            "prm.process_credit=sampled",
            "rl.loss_agg=seq_mean_token_mean",
        ],
        // A critic and a reference: every pass over the responses that there is.
        &[
            "prm.process_credit=sampled",
            "advantage.estimator=gae",
            "kl.placement=loss",
            "kl.coef=0.1",
        ],
    ] {
        // Outcomes of an untrained model are all alike, and every pass is to be taken.
        let learns = &["prm.trust=always", "prm.prior=none"][..];
        let with = |more: &[&str]| run(&[own, learns, more].concat());
        let by_responses = with(&["rl.micro_batch_size=4", "prm.micro_batch_size=4"]);
        let by_tokens = with(&["rl.micro_batch_tokens=200", "prm.micro_batch_tokens=150"]);
        let longest = by_responses.get("response_length/max").unwrap();
        let mean = by_responses.get("response_length/mean").unwrap();
        assert!(longest > mean + 2.0, "lengths spread: {mean} to {longest}");
        for name in [
            "actor/pg_loss",
            "actor/grad_norm",
            "actor/entropy",
            "actor/ppo_kl",
            "critic/advantages/mean",
            "critic/advantages/max",
            "reward_model/prm_loss",
            "reward_model/grad_norm",
            "reward_model/raw_reward",
        ] {
            let [a, b] = [&by_responses, &by_tokens].map(|m| m.get(name).unwrap());
            let close = (a - b).abs() < 1e-4 * a.abs().max(1.0);
            assert!(close, "{own:?}, {name}: {a} and {b}");
        }
        for name in ["perf/padding_waste", "perf/prm_padding_waste"] {
            let [a, b] = [&by_responses, &by_tokens].map(|m| m.get(name).unwrap());
            assert!(b < 0.1 && b < a, "{own:?}, {name}: {a}, then {b}");
        }
    }
}

#[test]
fn a_budget_that_is_no_number_of_tokens_is_refused() {
    for setting in ["rl.micro_batch_tokens=-1", "prm.micro_batch_tokens=1.5"] {
        let layers = [Layer::preset("prime"), Layer::set(setting).unwrap()];
        let error = resolve(&layers).unwrap_err().to_string();
        assert!(error.contains("micro_batch_tokens"), "{error}");
    }
}
