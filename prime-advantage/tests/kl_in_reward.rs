//! KL in the reward over a batch, and the coefficient that follows a target.

mod common;

use common::random::{Rows, Shape};
use common::{batch, run};
use prime_advantage::{
    AdaptiveKl, AdvantageError, KlEstimator, KlInReward, KlPlacement, Prime, PromptGroup,
    ReinforcePlusPlus, Response, ResponseField, RewardBatch,
};

const ESTIMATORS: [KlEstimator; 4] = [
    KlEstimator::K1,
    KlEstimator::Abs,
    KlEstimator::K2,
    KlEstimator::K3,
];

/// The four formulas, from `d = log π − log π_ref`.
fn by_hand(estimator: KlEstimator, d: f64) -> f64 {
    match estimator {
        KlEstimator::K1 => d,
        KlEstimator::Abs => d.abs(),
        KlEstimator::K2 => d * d / 2.0,
        _ => ((-d).exp() + d - 1.0).min(10.0),
    }
}

/// Token by token, over random batches with gaps and empty responses.
#[test]
fn every_estimator_and_placement() {
    for seed in 0..60 {
        let shape = Shape {
            least_size: 1,
            gaps: seed % 3 > 0,
            empty: seed % 3 == 2,
            process: seed % 2 == 0,
        };
        let rows = Rows::new(seed, shape);
        let (plain, _) = rows.batch();
        for estimator in ESTIMATORS {
            let (coef, mut mean_kl) = (0.3, 0.0);
            let kl = KlInReward::new(estimator, coef);
            let tokens = kl.shape(&plain).expect("finite");
            let outcomes = kl.with_placement(KlPlacement::Outcome);
            let outcomes = outcomes.shape(&plain).expect("finite");
            let (tokens_batch, outcomes_batch) = (tokens.batch(), outcomes.batch());
            let shaped = tokens_batch.responses().zip(outcomes_batch.responses());
            for (response, (by_token, by_outcome)) in plain.responses().zip(shaped) {
                let what = format!("{estimator:?}, seed {seed}");
                let own = |t: usize| response.mask().is_none_or(|mask| mask[t]);
                let (old, reference) = (response.old_log_probs(), response.ref_log_probs());
                let (old, reference) = (old.expect("given"), reference.expect("given"));
                let paid = by_token.process_rewards().expect("shaped");
                let mut sum = 0.0;
                for t in 0..response.len() {
                    let d = f64::from(old[t]) - f64::from(reference[t]);
                    let penalty = if own(t) { by_hand(estimator, d) } else { 0.0 };
                    sum += penalty;
                    let before = response.process_rewards().map_or(0.0, |r| f64::from(r[t]));
                    let expected = before - coef * penalty;
                    let error = (f64::from(paid[t]) - expected).abs();
                    assert!(error < 1e-6, "{what}: token {t}: {} {expected}", paid[t]);
                }
                let before = f64::from(response.outcome_reward());
                let found = by_outcome.outcome_reward();
                assert!(
                    (f64::from(found) - (before - coef * sum)).abs() < 1e-5,
                    "{what}"
                );
                mean_kl += sum / response.policy_tokens().max(1) as f64;

                // Each placement leaves the other reward alone.
                assert_eq!(by_token.outcome_reward(), response.outcome_reward());
                assert_eq!(by_outcome.process_rewards(), response.process_rewards());
                assert_eq!(by_token.mask(), response.mask());
                assert_eq!(by_token.named_rewards(), response.named_rewards());
            }
            mean_kl /= plain.response_count() as f64;
            for found in [tokens.mean_kl(), outcomes.mean_kl()] {
                assert!((found - mean_kl).abs() < 1e-9, "{found} {mean_kl}");
            }
            for (before, after) in plain.groups().iter().zip(tokens_batch.groups()) {
                assert_eq!(after.greedy(), before.greedy());
                assert_eq!(after.is_process_only(), before.is_process_only());
            }
        }
    }
}

/// k3 is clamped as in verl: the exponent to ±20, the estimate to ±10.
#[test]
fn far_apart_policies() {
    let table = [
        (KlEstimator::K1, -50.0, -0.5, -49.5),
        (KlEstimator::Abs, -50.0, -0.5, 49.5),
        (KlEstimator::K2, -50.0, -0.5, 0.5 * 49.5 * 49.5),
        (KlEstimator::K3, -50.0, -0.5, 10.0),
        (KlEstimator::K3, -0.5, -5.5, (-5.0f64).exp() + 4.0),
        (KlEstimator::K3, -0.5, -50.5, 10.0),
    ];
    for (estimator, log_prob, reference, expected) in table {
        let found = estimator.penalty(log_prob, reference);
        assert!(
            (found - expected).abs() < 1e-5,
            "{estimator:?}: {found} {expected}"
        );
    }
    for estimator in ESTIMATORS {
        assert_eq!(estimator.penalty(-0.7, -0.7), 0.0);
    }
}

/// What the shaped batch is for: estimators read it as any other.
#[test]
fn estimators_read_the_shaped_batch() {
    let (old, reference) = ([-0.5f32, -1.0], [-1.0f32, -0.75]);
    let response = |outcome| {
        Response::new(2, outcome)
            .with_old_log_probs(&old)
            .with_ref_log_probs(&reference)
    };
    let plain = batch(vec![vec![response(1.0), response(0.0)]]);
    let shaped = KlInReward::new(KlEstimator::K1, 0.5)
        .shape(&plain)
        .expect("finite");
    let shaped = shaped.batch();
    // Rewards −0.25 and 0.125, plus the outcome at the second token.
    let found = run(&ReinforcePlusPlus::default(), &shaped);
    assert_eq!(found.returns(), [0.875, 1.125, -0.125, 0.125]);
    // Both responses paid the same, so leave-one-out leaves only position in the sums.
    let found = run(&Prime::paper().with_outcome_coef(0.0), &shaped);
    assert_eq!(found.advantages(), [0.0, 0.1875, 0.0, 0.1875]);
}

#[test]
fn missing_log_probs_are_located() {
    let numbers = [-0.5f32];
    let full = Response::new(1, 0.0)
        .with_old_log_probs(&numbers)
        .with_ref_log_probs(&numbers);
    let bare = Response::new(1, 0.0);
    let table = [
        (bare, ResponseField::OldLogProbs, "old log-probs"),
        (
            bare.with_old_log_probs(&numbers),
            ResponseField::RefLogProbs,
            "reference log-probs",
        ),
    ];
    for (broken, field, words) in table {
        let error = KlInReward::default().shape(&batch(vec![vec![full], vec![full, broken]]));
        let error = error.expect_err(words);
        let expected = AdvantageError::MissingInput {
            estimator: "kl_in_reward".to_owned(),
            field,
            group: 1,
            response: 1,
        };
        assert_eq!(error, expected);
        assert!(error.to_string().contains(words), "{error}");
    }
    // Nobody asks an empty response for numbers.
    let empty = batch(vec![vec![full, Response::new(0, 1.0)]]);
    let shaped = KlInReward::default().shape(&empty).expect("finite");
    assert_eq!(shaped.mean_kl(), 0.0);
}

#[test]
fn a_reward_that_no_longer_fits_is_located() {
    let (old, reference) = ([-0.5f32, -0.5], [-0.5f32, -9.0]);
    let process = [f32::MIN; 2];
    let response = Response::new(2, f32::MIN)
        .with_old_log_probs(&old)
        .with_ref_log_probs(&reference)
        .with_process_rewards(&process);
    let plain = batch(vec![vec![response.with_ref_log_probs(&old), response]]);
    let kl = KlInReward::new(KlEstimator::K1, 1e38);
    let at = |token| AdvantageError::ResultNotFinite {
        group: 0,
        response: 1,
        token,
    };
    assert_eq!(kl.shape(&plain), Err(at(1)));
    let kl = kl.with_placement(KlPlacement::Outcome);
    assert_eq!(kl.shape(&plain), Err(at(0)));
    for coef in [f64::NAN, f64::INFINITY] {
        let error = kl.with_coef(coef).shape(&plain).expect_err("coef");
        assert!(matches!(
            error,
            AdvantageError::OutOfRange {
                owner: "kl_in_reward",
                knob: "coef",
                ..
            }
        ));
    }
}

#[test]
fn names_of_estimators_and_placements() {
    let table = [
        ("k1", KlEstimator::K1),
        ("kl", KlEstimator::K1),
        ("k1+", KlEstimator::K1),
        ("abs", KlEstimator::Abs),
        ("k2", KlEstimator::K2),
        ("mse", KlEstimator::K2),
        ("k3", KlEstimator::K3),
        ("low_var_kl", KlEstimator::K3),
        ("k3+", KlEstimator::K3),
    ];
    for (name, estimator) in table {
        let text = format!("estimator = '{name}'\ncoef = 0.5\nplacement = 'outcome'");
        let found: KlInReward = toml::from_str(&text).expect("reads");
        let expected = KlInReward::new(estimator, 0.5).with_placement(KlPlacement::Outcome);
        assert_eq!(found, expected, "{name}");
        let written = toml::to_string(&found).expect("writes");
        assert_eq!(
            toml::from_str::<KlInReward>(&written).expect("reads"),
            found
        );
    }
    let default: KlInReward = toml::from_str("").expect("reads");
    assert_eq!(default, KlInReward::new(KlEstimator::K1, 0.001));
    assert_eq!(default, KlInReward::default());
    assert_eq!(default.placement, KlPlacement::Tokens);
    for wrong in ["estimator = 'k4'", "coeff = 1.0", "placement = 'token'"] {
        assert!(toml::from_str::<KlInReward>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_adaptive_coefficient_follows_its_target() {
    let mut kl = AdaptiveKl::new(0.5, 2.0, 100.0).expect("valid");
    // An error of 10 %, 20 responses of 100: 2 % more.
    kl.update(2.2, 20).expect("finite");
    assert!((kl.coef() - 0.51).abs() < 1e-12, "{kl:?}");
    // On target: no change. Far off either way: 20 % at most.
    let mut kl = AdaptiveKl::new(0.5, 2.0, 100.0).expect("valid");
    kl.update(2.0, 100).expect("finite");
    assert_eq!(kl.coef(), 0.5);
    kl.update(1e9, 100).expect("finite");
    assert!((kl.coef() - 0.6).abs() < 1e-12, "{kl:?}");
    kl.update(-1e9, 100).expect("finite");
    assert!((kl.coef() - 0.48).abs() < 1e-12, "{kl:?}");
    // A batch many times the horizon must not turn the penalty into a reward.
    kl.update(0.0, 1_000).expect("finite");
    assert_eq!(kl.coef(), 0.0);

    let text = serde_json::to_string(&kl).expect("writes");
    assert_eq!(
        serde_json::from_str::<AdaptiveKl>(&text).expect("reads"),
        kl
    );
}

#[test]
fn the_adaptive_coefficient_refuses_nonsense() {
    let table = [
        (-0.1, 1.0, 1.0, "coef"),
        (f64::NAN, 1.0, 1.0, "coef"),
        (0.1, 0.0, 1.0, "target"),
        (0.1, f64::INFINITY, 1.0, "target"),
        (0.1, 1.0, 0.0, "horizon"),
        (0.1, 1.0, f64::NAN, "horizon"),
    ];
    for (coef, target, horizon, name) in table {
        let error = AdaptiveKl::new(coef, target, horizon).expect_err(name);
        assert!(matches!(
            error,
            AdvantageError::OutOfRange { owner: "adaptive_kl", knob, .. } if knob == name
        ));
    }
    let mut kl = AdaptiveKl::new(0.1, 1.0, 1.0).expect("valid");
    for mean_kl in [f64::NAN, f64::INFINITY] {
        let error = kl.update(mean_kl, 1).expect_err("not finite");
        assert!(error.to_string().contains("mean_kl"), "{error}");
        assert_eq!(kl.coef(), 0.1);
    }
}

/// Process-only groups pay like the others.
#[test]
fn process_only_groups_pay_too() {
    let (old, reference) = ([-0.5f32], [-1.0f32]);
    let response = Response::new(1, 1.0)
        .with_old_log_probs(&old)
        .with_ref_log_probs(&reference);
    let group = PromptGroup::new(vec![response])
        .expect("valid")
        .process_only();
    let plain = RewardBatch::new(vec![group]).expect("valid");
    let shaped = KlInReward::new(KlEstimator::K1, 1.0)
        .shape(&plain)
        .expect("finite");
    let shaped = shaped.batch();
    assert!(shaped.groups()[0].is_process_only());
    let paid = shaped.responses().next().expect("one").process_rewards();
    assert_eq!(paid, Some(&[-0.5f32][..]));
}

/// A file cannot hold what `new` refuses.
#[test]
fn an_adaptive_coefficient_from_a_file_is_checked() {
    let read = |json| serde_json::from_str::<AdaptiveKl>(json);
    let fine = read(r#"{"coef": 0.2, "target": 6.0, "horizon": 10000.0}"#).expect("valid");
    assert_eq!(fine, AdaptiveKl::new(0.2, 6.0, 1e4).expect("valid"));
    for (json, word) in [
        (r#"{"coef": 0.2, "target": 0.0, "horizon": 1.0}"#, "target"),
        (r#"{"coef": 0.2, "target": 1.0, "horizon": 0.0}"#, "horizon"),
        (r#"{"coef": -1.0, "target": 1.0, "horizon": 1.0}"#, "coef"),
        (
            r#"{"coef": 0.2, "target": 1.0, "horizon": 1.0, "x": 1}"#,
            "unknown field",
        ),
    ] {
        let error = read(json).expect_err(word).to_string();
        assert!(error.contains(word), "{json}: {error}");
    }
}
