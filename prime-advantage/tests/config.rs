//! Estimators as config files write them, and the shape of results.

mod common;

use common::{batch, group, run};
use prime_advantage::*;

fn parse(text: &str) -> EstimatorConfig {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn names_select_estimators() {
    let table = [
        ("reinforce", "reinforce"),
        ("rloo", "rloo"),
        ("loo", "rloo"),
        ("grpo", "grpo"),
        ("gae", "gae"),
        ("ppo", "gae"),
        ("prime", "prime"),
    ];
    for (written, name) in table {
        let config = parse(&format!("estimator = '{written}'"));
        assert_eq!(
            config.build().expect("default knobs are valid").name(),
            name
        );
        if written != "prime" {
            let prime = parse(&format!(
                "estimator = 'prime'\nprocess_coef = 0\noutcome = '{written}'"
            ));
            let table = parse(&format!(
                "estimator = 'prime'\nprocess_coef = 0\noutcome.estimator = '{written}'"
            ));
            assert_eq!(prime, table);
            assert!(prime.build().is_ok());
        }
    }
    assert_eq!(parse("estimator = 'prime'"), EstimatorConfig::default());
    assert_eq!(
        EstimatorConfig::default(),
        EstimatorConfig::Prime(Prime::paper())
    );
}

#[test]
fn knobs_are_read_whole_numbers_included() {
    let config = parse(
        "estimator = 'prime'\nprocess = 'grpo'\nprocess_norm = 'batch_norm'\nloo_scaling = 'code'\n\
         process_gamma = 0\nwhiten_advantages = true\n[outcome]\nestimator = 'grpo'\nepsilon = 1",
    );
    let expected = Prime {
        process: ProcessTerm::Grpo,
        process_norm: ProcessNorm::BatchNorm,
        loo_scaling: LooScaling::Code,
        process_gamma: 0.0,
        whiten: true,
        outcome: OutcomeTerm::Grpo(Grpo {
            epsilon: 1.0,
            ..Grpo::default()
        }),
        ..Prime::paper()
    };
    assert_eq!(config, EstimatorConfig::Prime(expected));
    let config = parse("estimator = 'reinforce'\nbaseline = 'batch_mean'");
    assert_eq!(
        config,
        EstimatorConfig::Reinforce(Reinforce {
            baseline: Baseline::BatchMean
        })
    );
}

#[test]
fn unknown_names_and_knobs_are_errors() {
    let table = [
        ("estimator = 'rlo'", "rlo"),
        ("estimator = 'rloo'\ngamma = 1.0", "gamma"),
        ("estimator = 'gae'\nlambda = 1.0", "lambda"),
        ("estimator = 'prime'\nproces = 'rloo'", "proces"),
        ("estimator = 'prime'\noutcome = 'grp'", "grp"),
        (
            "estimator = 'prime'\noutcome = { estimator = 'grpo', eps = 1.0 }",
            "eps",
        ),
        ("gamma = 1.0", "estimator"),
    ];
    for (text, culprit) in table {
        let error = toml::from_str::<EstimatorConfig>(text)
            .expect_err(text)
            .to_string();
        assert!(error.contains(culprit), "{text}: {error}");
    }
}

#[test]
fn a_resolved_config_reads_back() {
    let configs = [
        EstimatorConfig::Reinforce(Reinforce {
            baseline: Baseline::GroupMean,
        }),
        EstimatorConfig::Rloo(Rloo {}),
        EstimatorConfig::Grpo(Grpo {
            normalize_by_std: false,
            epsilon: 0.5,
        }),
        EstimatorConfig::Gae(Gae {
            gamma: 0.99,
            lam: 0.95,
            whiten: true,
        }),
        EstimatorConfig::Prime(Prime::orig()),
        EstimatorConfig::Prime(Prime::recipe()),
        EstimatorConfig::Prime(Prime {
            outcome: OutcomeTerm::Gae(Gae::default()),
            ..Prime::paper()
        }),
    ];
    for config in configs {
        let text = toml::to_string(&config).expect("writes");
        assert_eq!(parse(&text), config, "{text}");
        let json = serde_json::to_string(&config).expect("writes");
        assert_eq!(
            serde_json::from_str::<EstimatorConfig>(&json).expect("reads"),
            config
        );
    }
    let filter = PromptFilter {
        filter_truncated: true,
        ..PromptFilter::default()
    };
    let text = toml::to_string(&filter).expect("writes");
    assert_eq!(
        toml::from_str::<PromptFilter>(&text).expect("reads"),
        filter
    );
    for (name, kl) in [
        ("kl", KlEstimator::K1),
        ("mse", KlEstimator::K2),
        ("low_var_kl", KlEstimator::K3),
    ] {
        assert_eq!(
            serde_json::from_str::<KlEstimator>(&format!("\"{name}\"")).expect("reads"),
            kl
        );
    }
}

/// Results keep the batch's shape; asking past it gives `None`, never a panic.
#[test]
fn results_are_ragged_like_the_batch() {
    let shape = batch(vec![
        group(&[2, 0, 1], &[1.0, 0.0, 0.0]),
        group(&[3, 1], &[1.0, 0.0]),
    ]);
    let result = run(&Rloo {}, &shape);
    assert_eq!((result.group_count(), result.response_count()), (2, 5));
    let lens: Vec<_> = result.iter().map(|r| r.advantages().len()).collect();
    assert_eq!(lens, [2, 0, 1, 3, 1]);
    let by_group: Vec<Vec<_>> = result
        .groups()
        .map(|g| g.iter().map(|r| r.advantages().len()).collect())
        .collect();
    assert_eq!(by_group, [vec![2, 0, 1], vec![3, 1]]);
    let second = result.group(1).expect("two groups");
    assert_eq!(second.len(), 2);
    assert_eq!(second.response(0), result.response(1, 0));
    assert_eq!(second.response(0).expect("in range").advantages(), [1.0; 3]);
    assert_eq!(result.advantages(), result.returns());

    assert!(result.group(2).is_none() && result.group(usize::MAX).is_none());
    assert!(second.response(2).is_none() && second.response(usize::MAX).is_none());
    // Response 3 of group 0 would be response 0 of group 1 in a flat table.
    assert!(result.response(0, 3).is_none() && result.response(2, 0).is_none());
    assert!(result.response(usize::MAX, 0).is_none() && result.response(1, usize::MAX).is_none());

    let mut own = Advantages::zeros_with_returns(&shape);
    own.advantages_mut(1, 1).expect("in range")[0] = 2.0;
    own.returns_mut(0, 2).expect("in range")[0] = 3.0;
    assert_eq!(own.advantages(), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0]);
    assert_eq!(own.returns(), [0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0]);
    assert!(Advantages::zeros(&shape).returns_mut(0, 0).is_none());
}
