//! What must hold of every objective on any batch: formulas, gradients, padding, micro-batches, weights, randomness.
#![cfg(feature = "flex")]

mod batch;
mod configuration;
mod covariance;
mod importance;
mod reference;

use batch::{Batch, Outcome, matrix, outcome};
use prime_policy::objective::{
    BatchTotals, Cispo, ClipCov, ClippedValueLoss, DppoKl, DppoTv, Dro, Gmpo, Gpg, Gspo, KlCov,
    KlEstimator, LossAggregation, ObjectiveConfig, PolicyObjective, PpoClip, Reinforce, Sapo,
};
use reference::{Row, row_loss};

const SUM: LossAggregation = LossAggregation::TokenSum;

/// Every objective with its defaults, and PPO with dual clip.
fn objectives() -> Vec<ObjectiveConfig> {
    vec![
        ObjectiveConfig::PpoClip(PpoClip::default()),
        ObjectiveConfig::PpoClip(PpoClip {
            clip_ratio_c: Some(1.5),
            ..PpoClip::default()
        }),
        ObjectiveConfig::Gspo(Gspo::default()),
        ObjectiveConfig::Gspo(Gspo {
            clip_ratio_low: 0.1,
            clip_ratio_high: 0.2,
        }),
        ObjectiveConfig::Sapo(Sapo::default()),
        ObjectiveConfig::Cispo(Cispo::default()),
        ObjectiveConfig::Gmpo(Gmpo::default()),
        ObjectiveConfig::ClipCov(ClipCov::default()),
        ObjectiveConfig::KlCov(KlCov::default()),
        ObjectiveConfig::DppoTv(DppoTv::default()),
        ObjectiveConfig::DppoKl(DppoKl::default()),
        ObjectiveConfig::Dro(Dro::default()),
        ObjectiveConfig::Gpg(Gpg {}),
        ObjectiveConfig::Reinforce(Reinforce {}),
    ]
}

/// Whether the whole micro-batch decides about a token.
fn looks_at_the_micro_batch(objective: &ObjectiveConfig) -> bool {
    matches!(
        objective,
        ObjectiveConfig::ClipCov(_) | ObjectiveConfig::KlCov(_)
    )
}

fn run(objective: &ObjectiveConfig, batch: &Batch) -> Outcome {
    outcome(objective, batch.input(), SUM, batch.totals())
}

fn close(found: f32, expected: f64, about: &dyn Fn() -> String) {
    let error = (f64::from(found) - expected).abs();
    let holds = error <= 2e-5 * expected.abs().max(1.0);
    assert!(holds, "{}: {found} instead of {expected}", about());
}

#[test]
fn loss_and_gradient_are_those_of_the_formula() {
    for objective in objectives() {
        let (mut compared, mut kinks) = (0, 0);
        for seed in 0..60 {
            let batch = Batch::random(seed, 1.5);
            let found = run(&objective, &batch);
            let mut expected_loss = 0.0;
            for r in 0..batch.rows() {
                let places: Vec<usize> = (0..batch.mask[r].len())
                    .filter(|&t| batch.mask[r][t] == 1.0)
                    .collect();
                if places.is_empty() {
                    continue;
                }
                let pick = |x: &[f32]| places.iter().map(|&t| f64::from(x[t])).collect();
                let log_probs: Vec<f64> = pick(&batch.log_probs[r]);
                let row = Row {
                    old: pick(&batch.old_log_probs[r]),
                    advantages: pick(&batch.advantages[r]),
                };
                let Some(loss) = row_loss(&objective, &row, &log_probs, &log_probs) else {
                    continue;
                };
                expected_loss += loss;
                for (i, &t) in places.iter().enumerate() {
                    let at = |step: f64| {
                        let mut moved = log_probs.clone();
                        moved[i] += step;
                        row_loss(&objective, &row, &moved, &log_probs).expect("of one row")
                    };
                    let slope = |h: f64| (at(h) - at(-h)) / (2.0 * h);
                    let (expected, nearer) = (slope(1e-5), slope(1e-6));
                    if (expected - nearer).abs() > 1e-3 {
                        // A kink between the two: no derivative to compare with.
                        kinks += 1;
                        continue;
                    }
                    compared += 1;
                    let place = r * batch.mask[r].len() + t;
                    close(found.gradient[place], expected, &|| {
                        format!("{objective:?}, seed {seed}, row {r}, token {t}")
                    });
                }
            }
            if !looks_at_the_micro_batch(&objective) {
                close(found.loss as f32, expected_loss, &|| {
                    format!("{objective:?}, seed {seed}")
                });
            }
        }
        let expected = if looks_at_the_micro_batch(&objective) {
            0
        } else {
            150
        };
        assert!(compared >= expected, "{objective:?}: {compared}");
        assert!(kinks <= 2, "{objective:?}: {kinks}");
    }
}

#[test]
fn on_the_policy_that_acted_every_objective_is_the_policy_gradient() {
    for objective in objectives() {
        for seed in 0..30 {
            let batch = Batch::on_policy(seed).with_one_advantage_a_response();
            for weighted in [false, true] {
                let input = match weighted {
                    true => batch.weighted_input(),
                    false => batch.input(),
                };
                let found = outcome(&objective, input, SUM, batch.totals());
                for (i, &g) in found.gradient.iter().enumerate() {
                    let (r, t) = (i / batch.mask[0].len(), i % batch.mask[0].len());
                    let weight = match (&objective, weighted) {
                        (_, false) => 1.0,
                        // Its weight is the geometric mean of the response's.
                        (ObjectiveConfig::Gmpo(_), true) => continue,
                        (_, true) => f64::from(batch.weights[r][t]),
                    };
                    let expected = -f64::from(batch.advantages[r][t]) * weight;
                    if matches!(objective, ObjectiveConfig::ClipCov(_)) && g == 0.0 {
                        continue;
                    }
                    close(g, expected, &|| format!("{objective:?}, seed {seed}, {i}"));
                }
            }
        }
    }
}

#[test]
fn an_inactive_clip_leaves_the_gradient_of_reinforce() {
    let wide = PpoClip {
        clip_ratio_low: 1.0,
        clip_ratio_high: 1e9,
        clip_ratio_c: None,
    };
    for seed in 0..30 {
        let batch = Batch::on_policy(seed);
        let ppo = outcome(&wide, batch.input(), SUM, batch.totals());
        let reinforce = outcome(&Reinforce {}, batch.input(), SUM, batch.totals());
        for (p, r) in ppo.gradient.iter().zip(&reinforce.gradient) {
            close(*p, (*r).into(), &|| format!("seed {seed}"));
        }
        assert!(ppo.metrics.contains(&("actor/pg_clipfrac", 0.0)));
    }
}

#[test]
fn of_one_token_gspo_is_ppo() {
    let (low, high) = (0.1, 0.2);
    let ppo = ObjectiveConfig::PpoClip(PpoClip {
        clip_ratio_low: low,
        clip_ratio_high: high,
        clip_ratio_c: None,
    });
    let gspo = ObjectiveConfig::Gspo(Gspo {
        clip_ratio_low: low,
        clip_ratio_high: high,
    });
    let mut clipped = 0.0;
    for seed in 0..60 {
        let mut batch = Batch::random(seed, 1.0);
        for row in 0..batch.rows() {
            let Some(first) = batch.mask[row].iter().position(|&m| m == 1.0) else {
                continue;
            };
            for t in first + 1..batch.mask[row].len() {
                batch.mask[row][t] = 0.0;
            }
        }
        let (ppo, gspo) = (run(&ppo, &batch), run(&gspo, &batch));
        close(gspo.loss as f32, ppo.loss, &|| format!("seed {seed}"));
        for (g, p) in gspo.gradient.iter().zip(&ppo.gradient) {
            close(*g, (*p).into(), &|| format!("seed {seed}"));
        }
        assert_eq!(gspo.metrics[0], ppo.metrics[0]);
        clipped += ppo.metrics[0].1;
    }
    assert!(clipped > 10.0, "the clip must be reached");
}

#[test]
fn what_stands_outside_the_mask_changes_nothing() {
    for objective in objectives() {
        for seed in 0..20 {
            let batch = Batch::random(seed, 1.0);
            let clean = outcome(&objective, batch.weighted_input(), SUM, batch.totals());
            for junk in [7.0, -1e30, f32::MAX, f32::NAN, f32::INFINITY] {
                let mut dirty = batch.clone();
                for (row, mask) in batch.mask.iter().enumerate() {
                    for (t, _) in mask.iter().enumerate().filter(|(_, m)| **m == 0.0) {
                        dirty.log_probs[row][t] = junk;
                        dirty.old_log_probs[row][t] = -junk;
                        dirty.advantages[row][t] = junk;
                        dirty.weights[row][t] = junk;
                    }
                }
                let found = outcome(&objective, dirty.weighted_input(), SUM, batch.totals());
                let about = format!("{objective:?}, seed {seed}, {junk}");
                assert_eq!(found.loss, clean.loss, "{about}");
                assert_eq!(found.gradient, clean.gradient, "{about}");
                assert_eq!(found.metrics, clean.metrics, "{about}");
                for (g, m) in found.gradient.iter().zip(batch.mask.concat()) {
                    assert!(g.is_finite() && (m == 1.0 || *g == 0.0), "{about}");
                }
            }
        }
    }
}

#[test]
fn ratios_beyond_any_bound_stay_finite() {
    for objective in objectives() {
        for difference in [-1000.0f32, -50.0, 50.0, 1000.0] {
            for advantage in [-1.0f32, 1.0] {
                let log_probs = vec![-1001.0 + difference.max(0.0); 2];
                let batch = Batch {
                    old_log_probs: vec![log_probs.iter().map(|l| l - difference).collect()],
                    log_probs: vec![log_probs],
                    advantages: vec![vec![advantage; 2]],
                    weights: vec![vec![1.0; 2]],
                    mask: vec![vec![1.0; 2]],
                };
                let found = run(&objective, &batch);
                let numbers = found.token_loss.iter().chain(&found.gradient);
                for x in numbers {
                    assert!(x.is_finite(), "{objective:?} at {difference}: {x}");
                }
            }
        }
    }
}

#[test]
fn parts_of_a_mini_batch_add_up() {
    let aggregations = [
        LossAggregation::TokenMean,
        LossAggregation::TokenSum,
        LossAggregation::SeqMeanTokenMean,
        LossAggregation::SeqMeanTokenSum,
        LossAggregation::SeqMeanTokenSumNorm { scale: 7.0 },
    ];
    for objective in objectives() {
        if looks_at_the_micro_batch(&objective) {
            continue;
        }
        for seed in 0..20 {
            let batch = Batch::random(seed, 1.0);
            let totals = batch.totals();
            for aggregation in aggregations {
                let run = |batch: &Batch| {
                    outcome(&objective, batch.weighted_input(), aggregation, totals)
                };
                let whole = run(&batch);
                let parts: Vec<Outcome> = (0..batch.rows()).map(|r| run(&batch.row(r))).collect();
                let about = || format!("{objective:?}, {aggregation:?}, seed {seed}");
                let sum: f64 = parts.iter().map(|part| part.loss).sum();
                close(whole.loss as f32, sum, &about);
                let gradients = parts.iter().flat_map(|part| &part.gradient);
                for (w, p) in whole.gradient.iter().zip(gradients) {
                    close(*w, (*p).into(), &about);
                }
                for (i, (name, sum)) in whole.metrics.iter().enumerate() {
                    let parts: f64 = parts.iter().map(|part| part.metrics[i].1).sum();
                    assert!((sum - parts).abs() < 1e-4, "{name}: {}", about());
                }
            }
        }
    }
}

#[test]
fn an_empty_mini_batch_is_worth_nothing() {
    let batch = Batch {
        mask: vec![vec![0.0; 3]; 2],
        ..Batch::random(0, 1.0)
    };
    let zeros = vec![vec![0.0; 3]; 2];
    let batch = Batch {
        log_probs: zeros.clone(),
        old_log_probs: zeros.clone(),
        advantages: zeros.clone(),
        weights: zeros,
        ..batch
    };
    for objective in objectives() {
        let aggregation = objective.aggregation().unwrap_or_default();
        let found = outcome(
            &objective,
            batch.input(),
            aggregation,
            BatchTotals::default(),
        );
        assert_eq!(found.loss, 0.0, "{objective:?}");
        assert!(found.gradient.iter().all(|&g| g == 0.0), "{objective:?}");
    }
}

#[test]
fn the_value_loss_is_its_formula() {
    let loss = ClippedValueLoss { value_clip: 0.4 };
    let mut clipped = 0.0;
    for seed in 0..40 {
        let batch = Batch::random(seed, 1.0);
        let leaf = burn::tensor::Tensor::from_inner(matrix(&batch.log_probs)).require_grad();
        let mask = matrix(&batch.mask);
        let token_loss = loss.token_loss(
            leaf.clone(),
            matrix(&batch.old_log_probs),
            matrix(&batch.advantages),
            &mask,
        );
        let sum = SUM.aggregate(token_loss.loss, mask, batch.totals());
        let gradient = batch::numbers(leaf.grad(&sum.backward()).expect("it reads the values"));
        let (mut expected_clips, mut i) = (0.0, 0);
        for r in 0..batch.rows() {
            for t in 0..batch.mask[r].len() {
                if batch.mask[r][t] == 1.0 {
                    let [v, old, target] =
                        [&batch.log_probs, &batch.old_log_probs, &batch.advantages]
                            .map(|x| f64::from(x[r][t]));
                    let near = old + (v - old).clamp(-0.4, 0.4);
                    let (plain, far) = (v - target, near - target);
                    let active = (v - old).abs() > 0.4 && far * far > plain * plain;
                    expected_clips += f64::from(u8::from(active));
                    let expected = if active { 0.0 } else { plain };
                    close(gradient[i], expected, &|| format!("seed {seed}, {i}"));
                }
                i += 1;
            }
        }
        assert_eq!(
            token_loss.metric_sums,
            [("critic/vf_clipfrac", expected_clips)]
        );
        clipped += expected_clips;
    }
    assert!(clipped > 10.0, "the clip must be reached");
}

fn one_token(new: f32, old: f32, advantage: f32) -> Batch {
    Batch {
        log_probs: vec![vec![new]],
        old_log_probs: vec![vec![old]],
        advantages: vec![vec![advantage]],
        weights: vec![vec![1.0]],
        mask: vec![vec![1.0]],
    }
}

/// A rare token may become many times likelier without moving the total variation: the cap holds its ratio.
#[test]
fn dppo_caps_the_ratio_of_rare_tokens() {
    let cap = DppoTv::default().clip_ratio_c;
    for objective in [
        ObjectiveConfig::DppoTv(DppoTv::default()),
        ObjectiveConfig::DppoKl(DppoKl::default()),
    ] {
        for (new, ratio) in [(-10.0, 2.0f32.exp()), (-8.0, cap)] {
            let found = run(&objective, &one_token(new, -12.0, 0.5));
            let about = || format!("{objective:?} at {new}");
            close(found.gradient[0], f64::from(-0.5 * ratio), &about);
        }
    }
}

/// verl bounds log-ratios to ±20.
#[test]
fn log_ratios_are_bounded() {
    for (difference, expected) in [(30.0f32, 20.0f32.exp()), (-30.0, (-20.0f32).exp())] {
        let (input, _) = one_token(-40.0 + difference, -40.0, 1.0).input();
        let found = batch::numbers(input.ratio())[0];
        assert!(
            (found / expected - 1.0).abs() < 1e-4,
            "{found} instead of {expected}"
        );
    }
}

/// The k3 estimate is bounded to ±10, and its argument to ±20.
#[test]
fn the_k3_estimate_is_bounded() {
    for (difference, expected) in [
        (-1.0f32, 1f32.exp() - 2.0),
        (-3.0, 10.0),
        (-90.0, 10.0),
        (5.0, (-5f32).exp() + 4.0),
    ] {
        let [new, old] = [-100.0 + difference, -100.0].map(|x| matrix(&[vec![x]]));
        let found = batch::numbers(KlEstimator::K3.per_token(new, old))[0];
        assert!(
            (found - expected).abs() < 1e-4,
            "{found} instead of {expected}"
        );
    }
}
