//! Estimators by themselves.

use super::{check, check_universal, row};
use prime_advantage::strategies::{BatchShape, RewardKind};
use prime_advantage::*;

/// Outcome less the mean of the group's.
const LESS_THE_MEAN: &[&str] = &[
    "gaps",
    "shift_invariance",
    "scale_equivariance",
    "zero_variance",
    "zero_mean",
    "pair_antisymmetry",
];
/// The same over a standard deviation.
const NORMALISED: &[&str] = &[
    "gaps",
    "shift_invariance",
    "scale_invariance",
    "zero_variance",
    "zero_mean",
    "pair_antisymmetry",
];
/// Outcome less something else of the group's.
const GROUP_BASELINE: &[&str] = &[
    "gaps",
    "shift_invariance",
    "scale_equivariance",
    "zero_variance",
];
const ABSOLUTE: &[&str] = &["gaps", "scale_equivariance"];
const WHITENED: &[&str] = &["gaps", "scale_invariance"];
const WHITENED_GROUP_BASELINE: &[&str] = &["gaps", "shift_invariance", "scale_invariance"];

#[test]
fn outcome_estimators() {
    let baseline = |baseline| Reinforce::default().with_baseline(baseline);
    check(&[
        row(baseline(Baseline::None), ABSOLUTE),
        row(baseline(Baseline::BatchMean), ABSOLUTE),
        row(baseline(Baseline::GroupMean), LESS_THE_MEAN),
        row(Rloo::default(), LESS_THE_MEAN),
        row(
            Rloo::default().with_scaling(LooScaling::Code),
            LESS_THE_MEAN,
        ),
        row(Grpo::default(), NORMALISED),
        row(Grpo::default().with_epsilon(0.0), NORMALISED),
        row(Grpo::default().with_normalize_by_std(false), LESS_THE_MEAN),
        row(
            GrpoPassk::default(),
            &[
                "gaps",
                "shift_invariance",
                "scale_invariance",
                "zero_variance",
            ],
        ),
        row(
            GrpoPassk::default().with_normalize_by_std(false),
            GROUP_BASELINE,
        ),
        row(Opo::default(), GROUP_BASELINE),
        row(
            Gpg::default(),
            &[
                "gaps",
                "scale_equivariance",
                "zero_variance",
                "zero_mean",
                "pair_antisymmetry",
            ],
        ),
        row(
            Gpg::default().with_f_norm(-0.5),
            &[
                "gaps",
                "scale_equivariance",
                "zero_variance",
                "zero_mean",
                "pair_antisymmetry",
            ],
        ),
        row(
            ReinforcePlusPlusBaseline::default(),
            WHITENED_GROUP_BASELINE,
        ),
        row(Gdpo::default(), &["gaps", "shift_invariance"]),
        row(Gdpo::default().with_epsilon(0.0), WHITENED_GROUP_BASELINE),
        row(
            Gdpo::default()
                .with_epsilon(0.0)
                .with_weights([("format".to_owned(), -2.0)].into()),
            WHITENED_GROUP_BASELINE,
        ),
    ]);
}

#[test]
fn token_estimators() {
    check(&[
        row(Gae::default(), ABSOLUTE),
        row(Gae::new(0.9, 0.7), ABSOLUTE),
        row(Gae::new(0.0, 0.0), ABSOLUTE),
        row(Gae::new(1.0, 0.95).with_whiten(true), WHITENED),
        row(ReinforcePlusPlus::default(), WHITENED),
        row(ReinforcePlusPlus::default().with_gamma(0.9), WHITENED),
        row(Remax::default(), GROUP_BASELINE),
        row(ValueBaseline::default(), ABSOLUTE),
        row(
            OptimalTokenBaseline::default(),
            &["scale_equivariance", "zero_variance"],
        ),
        row(
            OptimalTokenBaseline::default()
                .with_epsilon(0.0)
                .with_handle_zero_tail(true),
            &["scale_equivariance"],
        ),
    ]);
}

/// So that an estimator missing above is not missing here.
#[test]
fn everything_with_a_name() {
    for name in EstimatorConfig::NAMES {
        let table = format!("{{\"estimator\": \"{name}\"}}");
        let estimator: EstimatorConfig = serde_json::from_str(&table).unwrap();
        let estimator = estimator.build().unwrap();
        check_universal(&[estimator], &BatchShape::default());
    }
}

/// Groups of one, for whoever takes them.
#[test]
fn groups_of_one() {
    let batches = BatchShape::default().with_group_size(1..=3);
    let mut estimators: Vec<Box<dyn AdvantageEstimator>> = vec![
        Box::new(Reinforce::default().with_baseline(Baseline::GroupMean)),
        Box::new(ReinforcePlusPlus::default()),
        Box::new(Gae::default()),
        Box::new(Remax::default()),
        Box::new(ValueBaseline::default()),
        Box::new(
            Prime::paper()
                .with_process(Reinforce::default())
                .with_outcome(Opo::default()),
        ),
    ];
    for singleton in [Singleton::Zero, Singleton::Raw] {
        estimators.extend([
            Box::new(Rloo::default().with_singleton(singleton)) as Box<dyn AdvantageEstimator>,
            Box::new(Grpo::default().with_singleton(singleton)),
            Box::new(Opo::default().with_singleton(singleton)),
            Box::new(Gpg::default().with_singleton(singleton)),
            Box::new(Gdpo::default().with_singleton(singleton)),
            Box::new(ReinforcePlusPlusBaseline::default().with_singleton(singleton)),
            Box::new(OptimalTokenBaseline::default().with_singleton(singleton)),
        ]);
    }
    check_universal(&estimators, &batches);
}

/// Outcomes alone, and rewards of 0 and 1, where ties are the rule.
#[test]
fn bare_batches() {
    let batches = BatchShape::bare()
        .with_rewards(RewardKind::Binary)
        .with_group_size(2..=9);
    let estimators: Vec<Box<dyn AdvantageEstimator>> = vec![
        Box::new(Rloo::default()),
        Box::new(Grpo::default().with_epsilon(0.0)),
        Box::new(GrpoPassk::default()),
        Box::new(Opo::default()),
        Box::new(Gpg::default()),
        Box::new(Gdpo::default()),
        Box::new(ReinforcePlusPlus::default()),
        Box::new(Prime::paper().with_process_coef(0.0)),
    ];
    check_universal(&estimators, &batches);
}
