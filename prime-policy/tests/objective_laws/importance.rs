//! Importance weights: their formula, and what each objective makes of them.

use prime_policy::objective::{
    ImportanceLevel, ImportanceWeights, ObjectiveConfig, PolicyObjective,
};

use crate::batch::{Batch, matrix, numbers};
use crate::objectives;

fn weights(batch: &Batch, level: ImportanceLevel, cap: f32) -> Vec<f32> {
    let [new, old, mask] = [&batch.log_probs, &batch.old_log_probs, &batch.mask].map(|x| matrix(x));
    numbers(ImportanceWeights { level, cap }.per_token(new, old, mask))
}

#[test]
fn weights_are_capped_ratios() {
    let mut capped = 0;
    for seed in 0..40 {
        let batch = Batch::random(seed, 1.0);
        let window = batch.mask[0].len();
        let token = weights(&batch, ImportanceLevel::Token, 2.0);
        let sequence = weights(&batch, ImportanceLevel::Sequence, 1.5);
        for r in 0..batch.rows() {
            let difference = |t: usize| {
                let d = f64::from(batch.log_probs[r][t]) - f64::from(batch.old_log_probs[r][t]);
                d * f64::from(batch.mask[r][t])
            };
            let product: f64 = (0..window).map(difference).sum::<f64>().exp();
            capped += usize::from(product > 1.5);
            for t in 0..window {
                let (one, whole) = (token[r * window + t], sequence[r * window + t]);
                let (expected_one, expected_whole) = match batch.mask[r][t] {
                    1.0 => (difference(t).exp().min(2.0), product.min(1.5)),
                    _ => (0.0, 0.0),
                };
                assert!((f64::from(one) - expected_one).abs() < 1e-5);
                assert!((f64::from(whole) - expected_whole).abs() < 1e-5);
            }
        }
    }
    assert!(capped > 10, "the cap must be reached");
}

#[test]
fn of_one_policy_all_weights_are_one() {
    for level in [ImportanceLevel::Token, ImportanceLevel::Sequence] {
        let batch = Batch::on_policy(4);
        assert_eq!(weights(&batch, level, 2.0), batch.mask.concat());
    }
}

#[test]
fn weights_carry_no_gradient_and_padding_none_at_all() {
    let batch = Batch::random(8, 1.0);
    let (input, leaf) = batch.input();
    let weights = ImportanceWeights::default().per_token(
        leaf.clone() * 1.0,
        input.old_log_probs.clone(),
        input.mask.clone(),
    );
    let input = input.with_importance_weights(weights.clone());
    let loss = ObjectiveConfig::Reinforce(Default::default())
        .token_loss(&input)
        .loss
        .sum();
    let gradient = numbers(leaf.grad(&loss.backward()).expect("it reads them"));
    let expected = numbers(weights * matrix(&batch.advantages).neg());
    for (g, e) in gradient.iter().zip(&expected) {
        assert!((g - e).abs() < 1e-6, "{g} instead of {e}");
    }
}

#[test]
fn every_loss_is_multiplied_by_its_weight() {
    for objective in objectives() {
        for seed in 0..20 {
            let batch = Batch::random(seed, 1.0);
            let plain = numbers(objective.token_loss(&batch.input().0).loss);
            let weighted = numbers(objective.token_loss(&batch.weighted_input().0).loss);
            let window = batch.mask[0].len();
            for (i, (p, w)) in plain.iter().zip(&weighted).enumerate() {
                let (r, t) = (i / window, i % window);
                if batch.mask[r][t] == 0.0 {
                    continue;
                }
                let factor = match objective {
                    ObjectiveConfig::Gmpo(_) => {
                        let row = batch.weights[r].iter().zip(&batch.mask[r]);
                        let logs: Vec<f64> = row
                            .filter(|(_, m)| **m == 1.0)
                            .map(|(w, _)| f64::from(*w).ln())
                            .collect();
                        (logs.iter().sum::<f64>() / logs.len() as f64).exp()
                    }
                    _ => f64::from(batch.weights[r][t]),
                };
                let expected = f64::from(*p) * factor;
                let holds = (f64::from(*w) - expected).abs() <= 1e-5 * expected.abs().max(1.0);
                assert!(holds, "{objective:?}: {w} instead of {expected}");
            }
        }
    }
}

#[test]
fn a_cap_must_be_positive() {
    for cap in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let weights = ImportanceWeights {
            cap,
            ..ImportanceWeights::default()
        };
        let error = weights.validate().unwrap_err().to_string();
        assert!(
            error.starts_with("objective importance_weights: cap is "),
            "{error}"
        );
    }
    assert!(ImportanceWeights::default().validate().is_ok());
}

#[test]
fn weights_that_carry_a_gradient_give_none() {
    let batch = Batch::random(8, 1.0);
    let (input, leaf) = batch.input();
    let weights = leaf.clone().exp();
    let plain = numbers(weights.clone().detach() * input.mask.clone());
    let loss = ObjectiveConfig::Reinforce(Default::default())
        .token_loss(&input.with_importance_weights(weights))
        .loss
        .sum();
    let gradient = numbers(leaf.grad(&loss.backward()).expect("it reads them"));
    for ((g, w), a) in gradient.iter().zip(&plain).zip(batch.advantages.concat()) {
        let expected = -w * a;
        assert!((g - expected).abs() < 1e-6, "{g} instead of {expected}");
    }
}

/// Beyond e^±20 (verl's bounds) a weight stays where it is.
#[test]
fn log_weights_are_bounded_on_both_sides() {
    for (difference, expected) in [(-50.0f32, (-20.0f32).exp()), (50.0, 20.0f32.exp())] {
        for level in [ImportanceLevel::Token, ImportanceLevel::Sequence] {
            let rule = ImportanceWeights { level, cap: 1e30 };
            let [new, old, mask] = [-60.0 + difference, -60.0, 1.0].map(|x| matrix(&[vec![x]]));
            let found = numbers(rule.per_token(new, old, mask))[0];
            assert!(
                (found / expected - 1.0).abs() < 1e-4,
                "{found} instead of {expected}"
            );
        }
    }
}
