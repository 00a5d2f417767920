//! The objectives that pick tokens by covariance.

use std::collections::BTreeSet;

use prime_policy::objective::{ClipCov, KlCov, ObjectiveConfig, PolicyObjective, PpoClip};

use crate::batch::{Batch, matrix, numbers};

/// (A − mean)(log π − mean) of the tokens inside the mask, by place.
fn covariances(batch: &Batch) -> Vec<(usize, f64)> {
    let (log_probs, advantages) = (batch.log_probs.concat(), batch.advantages.concat());
    let places: Vec<usize> = (0..log_probs.len())
        .filter(|&i| batch.mask.concat()[i] == 1.0)
        .collect();
    let n = places.len() as f64;
    let mean = |x: &[f32]| places.iter().map(|&i| f64::from(x[i])).sum::<f64>() / n;
    let (ml, ma) = (mean(&log_probs), mean(&advantages));
    places
        .iter()
        .map(|&i| {
            let value = (f64::from(advantages[i]) - ma) * (f64::from(log_probs[i]) - ml);
            (i, value)
        })
        .collect()
}

/// The places whose loss is not PPO's.
fn dropped(objective: &ClipCov, batch: &Batch, seed: u64) -> BTreeSet<usize> {
    let (input, _) = batch.input();
    let input = input.with_seed(seed);
    let token_loss = objective.token_loss(&input);
    let ppo = PpoClip {
        clip_ratio_low: objective.clip_ratio_low,
        clip_ratio_high: objective.clip_ratio_high,
        clip_ratio_c: None,
    };
    let pairs = numbers(token_loss.loss)
        .into_iter()
        .zip(numbers(ppo.token_loss(&input).loss));
    let places: BTreeSet<usize> = pairs
        .enumerate()
        .filter(|(_, (found, ppo))| found != ppo)
        .map(|(i, (found, _))| {
            assert_eq!(found, 0.0);
            i
        })
        .collect();
    let share = token_loss.metric_sums[0];
    assert_eq!(share, ("actor/pg_clipfrac", places.len() as f64));
    places
}

fn wide(seed: u64) -> Batch {
    let rows: Vec<Batch> = (0..40)
        .map(|i| Batch::random(seed * 100 + i, 0.1))
        .filter(|batch| batch.mask[0].len() == 7)
        .collect();
    let join = |f: fn(&Batch) -> &Vec<Vec<f32>>| rows.iter().flat_map(|b| f(b).clone()).collect();
    Batch {
        log_probs: join(|b| &b.log_probs),
        old_log_probs: join(|b| &b.old_log_probs),
        advantages: join(|b| &b.advantages),
        weights: join(|b| &b.weights),
        mask: join(|b| &b.mask),
    }
}

#[test]
fn clip_cov_drops_a_share_of_the_tokens_between_the_bounds() {
    for seed in 0..10 {
        let batch = wide(seed);
        let objective = ClipCov {
            clip_cov_ratio: 0.1,
            clip_cov_lb: 0.2,
            clip_cov_ub: 1.0,
            ..ClipCov::default()
        };
        let eligible: BTreeSet<usize> = covariances(&batch)
            .into_iter()
            .filter(|(_, cov)| *cov > 0.2 && *cov < 1.0)
            .map(|(i, _)| i)
            .collect();
        let found = dropped(&objective, &batch, seed);
        let n = (batch.tokens() / 10).min(eligible.len());
        assert_eq!(found.len(), n, "seed {seed}");
        assert!(found.is_subset(&eligible), "seed {seed}");
    }
}

#[test]
fn clip_cov_leaves_what_ppo_clips_already() {
    let batch = wide(3);
    let objective = ClipCov {
        clip_ratio_low: 0.0,
        clip_ratio_high: 0.0,
        clip_cov_ratio: 1.0,
        clip_cov_lb: -1e9,
        clip_cov_ub: 1e9,
    };
    let [l, old, a] =
        [&batch.log_probs, &batch.old_log_probs, &batch.advantages].map(|x| x.concat());
    let expected: BTreeSet<usize> = covariances(&batch)
        .into_iter()
        .map(|(i, _)| i)
        .filter(|&i| (l[i] - old[i]) * a[i] <= 0.0)
        .collect();
    assert!(!expected.is_empty() && expected.len() < batch.tokens());
    assert_eq!(dropped(&objective, &batch, 0), expected);
}

#[test]
fn the_draw_is_a_function_of_the_seed() {
    let batch = wide(1);
    let objective = ClipCov {
        clip_cov_ratio: 0.2,
        clip_cov_lb: -0.5,
        clip_cov_ub: 2.0,
        ..ClipCov::default()
    };
    let draws: Vec<BTreeSet<usize>> = (0..20)
        .map(|seed| dropped(&objective, &batch, seed))
        .collect();
    for (seed, draw) in draws.iter().enumerate() {
        let elsewhere = std::thread::scope(|scope| {
            let again = scope.spawn(|| dropped(&objective, &batch, seed as u64));
            again.join().expect("no panic")
        });
        assert_eq!(&elsewhere, draw);
    }
    let different: BTreeSet<&BTreeSet<usize>> = draws.iter().collect();
    assert!(different.len() > 15, "{different:?}");
    // Every eligible token has its turn.
    let union: BTreeSet<usize> = (0..400)
        .flat_map(|seed| dropped(&objective, &batch, seed))
        .collect();
    let eligible = covariances(&batch)
        .iter()
        .filter(|(_, cov)| *cov > -0.5 && *cov < 2.0)
        .count();
    assert_eq!(union.len(), eligible);
}

#[test]
fn kl_cov_penalises_the_highest_covariances() {
    for seed in 0..10 {
        let batch = wide(seed);
        let objective = KlCov {
            kl_cov_ratio: 0.1,
            ppo_kl_coef: 0.5,
        };
        let n = batch.tokens() / 10;
        let mut order = covariances(&batch);
        order.sort_by(|a, b| b.1.total_cmp(&a.1));
        let chosen: BTreeSet<usize> = order[..n].iter().map(|(i, _)| *i).collect();
        let [l, old, a] =
            [&batch.log_probs, &batch.old_log_probs, &batch.advantages].map(|x| x.concat());
        let (input, _) = batch.input();
        let loss = numbers(objective.token_loss(&input).loss);
        for (i, _) in order {
            let d = f64::from(l[i]) - f64::from(old[i]);
            let penalty = if chosen.contains(&i) {
                0.5 * d.abs()
            } else {
                0.0
            };
            let expected = penalty - f64::from(a[i]) * d.exp();
            assert!((f64::from(loss[i]) - expected).abs() < 1e-5, "token {i}");
        }
    }
}

#[test]
fn one_token_at_least_is_chosen() {
    let batch = Batch {
        log_probs: vec![vec![-0.1, -1.0, -2.0]],
        old_log_probs: vec![vec![-0.3, -1.2, -2.2]],
        advantages: vec![vec![2.0, 0.0, -2.0]],
        weights: vec![vec![1.0; 3]],
        mask: vec![vec![1.0; 3]],
    };
    let (input, _) = batch.input();
    let plain = numbers(input.ratio() * matrix(&batch.advantages).neg());
    let penalised = numbers(KlCov::default().token_loss(&input).loss);
    let changed = plain.iter().zip(&penalised).filter(|(a, b)| a != b);
    assert_eq!(changed.count(), 1);
    let clip_cov = ClipCov {
        clip_ratio_high: 1.0,
        ..ClipCov::default()
    };
    assert_eq!(dropped(&clip_cov, &batch, 0).len(), 1);
}

/// What the documentation warns of: statistics are those of the tensors handed over.
#[test]
fn the_cut_into_micro_batches_matters_for_them() {
    let batch = wide(2);
    for objective in [
        ObjectiveConfig::KlCov(KlCov::default()),
        ObjectiveConfig::ClipCov(ClipCov {
            clip_cov_lb: 0.1,
            ..ClipCov::default()
        }),
    ] {
        let whole = numbers(objective.token_loss(&batch.input().0).loss);
        let parts: Vec<f32> = (0..batch.rows())
            .flat_map(|r| numbers(objective.token_loss(&batch.row(r).input().0).loss))
            .collect();
        assert_ne!(whole, parts, "{objective:?}");
    }
}
