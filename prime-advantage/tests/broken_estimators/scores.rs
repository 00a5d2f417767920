//! RLOO and GRPO, each broken in one place.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::wrappers::{At, Made};
use super::{breaks_only, broken_by, laws};
use prime_advantage::*;

fn rloo(broken: Made, laws: &[&str]) {
    breaks_only(&Rloo::default(), &broken, laws);
}

fn scale(numbers: &mut [f32], by: f32) {
    numbers.iter_mut().for_each(|x| *x *= by);
}

/// Without the shape there is nothing to compare: what breaks this law breaks others.
fn has_another_shape(broken: Made) {
    laws().shape(&Rloo::default()).unwrap();
    let error = laws().shape(&broken).unwrap_err();
    assert_eq!((error.law(), error.estimator()), ("shape", broken.name()));
    for (_, error) in broken_by(&broken) {
        if error.law() != "finite" {
            assert!(error.found().contains("the batch has [["), "{error}");
        }
    }
}

#[test]
fn an_extra_group() {
    let extra = |batch: &RewardBatch<'_>| {
        let mut groups = batch.groups().to_vec();
        groups.push(groups[0].clone().process_only());
        Rloo::default().estimate(&RewardBatch::new(groups)?)
    };
    has_another_shape(Made::new("extra_group", extra));
}

#[test]
fn forgets_empty_responses() {
    let forgetful = |batch: &RewardBatch<'_>| {
        let result = Rloo::default().estimate(batch)?;
        let full = batch.groups().iter().map(|group| {
            let full = group.responses().iter().filter(|r| !r.is_empty());
            full.copied().collect::<Vec<_>>()
        });
        let full: Vec<_> = full.filter(|group| !group.is_empty()).collect();
        let mut shorter = Advantages::zeros(&RewardBatch::from_responses(full)?);
        let places = batch.places().filter(|(_, r)| !r.is_empty());
        let kept = places.filter_map(|(p, _)| result.response(p.group, p.response));
        let kept: Vec<_> = kept.collect();
        let mut rows = kept.iter();
        for group in 0..shorter.group_count() {
            let mut response = 0;
            while let Some(slots) = shorter.advantages_mut(group, response) {
                let own = rows.next().expect("as many rows");
                slots.copy_from_slice(own.advantages());
                response += 1;
            }
        }
        Ok(shorter)
    };
    has_another_shape(Made::new("forgetful", forgetful));
}

#[test]
fn counts_its_calls() {
    let calls = AtomicUsize::new(0);
    let counting = Made::after("counting", Rloo::default(), move |at, numbers| {
        if at.group == 0 && at.index == 0 {
            calls.fetch_add(1, Ordering::Relaxed);
        }
        // From call to call less than any tolerance.
        scale(numbers, 1.0 + 1e-6 * calls.load(Ordering::Relaxed) as f32);
    });
    // The two other laws that compare bits notice, too.
    rloo(counting, &["determinism", "masked_tokens", "process_only"]);
}

#[test]
fn credits_the_neighbour() {
    let neighbour = Made::new("neighbour", |batch| {
        let mut result = Rloo::default().estimate(batch)?;
        // In larger groups, since in a pair there is no telling.
        for (g, group) in batch.groups().iter().enumerate() {
            if group.len() < 3 {
                continue;
            }
            let score = |i: usize| {
                let others = (0..group.len()).filter(|j| *j != i);
                let rewards: Vec<f64> = group.outcome_rewards().collect();
                let sum: f64 = others.map(|j| rewards[j]).sum();
                (rewards[i] - sum / (rewards.len() - 1) as f64) as f32
            };
            for (i, other) in [(0, 1), (1, 0)] {
                let score = if group.is_process_only() || group.has_equal_outcomes() {
                    0.0
                } else {
                    score(other)
                };
                let mask = group.responses()[i].mask();
                let slots = result.advantages_mut(g, i).unwrap_or_default();
                for (t, slot) in slots.iter_mut().enumerate() {
                    if mask.is_none_or(|mask| mask[t]) {
                        *slot = score;
                    }
                }
            }
        }
        result.into_finite()
    });
    rloo(neighbour, &["permutation"]);
}

#[test]
fn favours_the_first_response() {
    let favourite = Made::after("favourite", Rloo::default(), |at, numbers| {
        for (t, x) in numbers.iter_mut().enumerate() {
            if at.index == 0 && at.is_own(t) {
                *x += 1e-3;
            }
        }
    });
    rloo(
        favourite,
        &[
            "permutation",
            "scale_equivariance",
            "zero_variance",
            "zero_mean",
            "pair_antisymmetry",
        ],
    );
}

#[test]
fn favours_the_first_group() {
    let first = Made::after("first_group", Rloo::default(), |at, numbers| {
        scale(numbers, if at.group == 0 { 0.5 } else { 1.0 });
    });
    rloo(first, &["group_permutation"]);
}

#[test]
fn writes_at_masked_tokens() {
    let unmasked = Made::after("unmasked", Rloo::default(), |at, numbers| {
        let own = (0..numbers.len()).find(|t| at.is_own(*t));
        if let Some(score) = own.map(|t| numbers[t]) {
            numbers.fill(score);
        }
    });
    rloo(unmasked, &["masked_tokens"]);
}

#[test]
fn reads_masked_tokens() {
    let reads = Made::before("reads_masked", Rloo::default(), |batch| {
        for response in batch.groups.iter_mut().flat_map(|g| &mut g.responses) {
            let process = response.process_rewards.iter().flatten();
            let rewarded = process.map(|&r| f64::from(r)).sum::<f64>();
            response.outcome_reward = (f64::from(response.outcome_reward) + rewarded) as f32;
        }
    });
    // As a reward for the policy's own tokens it would be a lawful estimator.
    let lawful = Made::before("own_rewards", Rloo::default(), |batch| {
        for response in batch.groups.iter_mut().flat_map(|g| &mut g.responses) {
            let process = response.process_rewards.iter().flatten().enumerate();
            let own = process.filter(|(t, _)| response.mask.as_ref().is_none_or(|m| m[*t]));
            let rewarded: f64 = own.map(|(_, &r)| f64::from(r)).sum();
            response.outcome_reward = (f64::from(response.outcome_reward) + rewarded) as f32;
        }
    });
    breaks_only(&lawful, &reads, &["masked_tokens", "padding", "gaps"]);
}

#[test]
fn pays_at_the_end_of_the_row() {
    let row_end = Made::after("row_end", Rloo::default(), |at, numbers| {
        if at
            .response
            .mask()
            .is_some_and(|mask| mask.ends_with(&[false]))
        {
            numbers.fill(0.0);
        }
    });
    rloo(row_end, &["padding"]);
}

#[test]
fn discounts_over_gaps() {
    let clock = Made::after("clock", Rloo::default(), |at, numbers| {
        let last = at.response.last_policy_token().unwrap_or_default();
        for (t, x) in numbers.iter_mut().enumerate().take(last) {
            *x *= 0.9f32.powi((last - t) as i32);
        }
    });
    rloo(clock, &["gaps"]);
}

#[test]
fn overlooks_process_only() {
    let overlooks = Made::before("overlooks", Rloo::default(), |batch| {
        batch.groups.iter_mut().for_each(|g| g.process_only = false);
    });
    rloo(overlooks, &["process_only"]);
}

#[test]
fn overflows() {
    let overflows = Made::after("overflows", Rloo::default(), |_, numbers| {
        scale(numbers, 1e10);
        scale(numbers, 1e-10);
    });
    rloo(overflows, &["finite"]);
}

#[test]
fn gives_nan() {
    let nan = Made::after("nan", Rloo::default(), |_, numbers| {
        for x in numbers {
            *x *= (*x * *x) / (*x * *x).max(f32::MIN_POSITIVE);
        }
    });
    rloo(nan, &["finite"]);
}

/// Beside infinity every difference is small, but infinity equals nothing.
#[test]
fn infinity_is_like_nothing() {
    let infinite = Made::after("infinite", Rloo::default(), |at, numbers| {
        for (t, x) in numbers.iter_mut().enumerate() {
            if at.is_own(t) && at.group == 0 {
                *x = f32::INFINITY.copysign(*x);
            }
        }
    });
    let broken = [
        laws().finite(&infinite),
        laws().group_permutation(&infinite),
        laws().shift_invariance(&infinite),
        laws().zero_mean(&infinite),
    ];
    for verdict in broken {
        assert!(verdict.unwrap_err().found().contains("inf"));
    }
}

#[test]
fn panics_on_large_rewards() {
    let panics = Made::before("panics", Rloo::default(), |batch| {
        let rewards = batch.groups.iter().flat_map(|g| &g.responses);
        assert!(
            rewards.clone().all(|r| r.outcome_reward.abs() < 1e35),
            "a reward this large"
        );
    });
    rloo(panics, &["finite"]);
}

#[test]
fn refuses_what_is_promised() {
    let refuses = Made::new("refuses", |batch| {
        let large = |r: &Response<'_>| r.outcome_reward().abs() > 1e20;
        match batch.responses().any(large) {
            true => Err(AdvantageError::ResultNotFinite {
                group: 0,
                response: 0,
                token: 0,
            }),
            false => Rloo::default().estimate(batch),
        }
    });
    // Equal rewards of that size have an advantage, too.
    rloo(refuses, &["finite", "zero_variance"]);
}

#[test]
fn weighs_by_how_much_is_rewarded() {
    let weighs = Made::after("weighs", Rloo::default(), |at, numbers| {
        let rewards = at.rewards();
        let some = rewards.iter().filter(|r| **r != 0.0).count().max(1);
        scale(numbers, rewards.len() as f32 / some as f32);
    });
    // Where the result just fits an f32 this one does not: a lawful error takes care.
    let weighs = Made::new("weighs", move |batch| weighs.estimate(batch)?.into_finite());
    rloo(weighs, &["shift_invariance"]);
    // The published estimator that does so.
    breaks_only(
        &Reinforce::default().with_baseline(Baseline::GroupMean),
        &Gpg::default(),
        &["shift_invariance"],
    );
}

#[test]
fn squashes() {
    let squash = |at: &At<'_, '_>, numbers: &mut [f32]| {
        let spread = at.spread();
        if spread.is_finite() {
            scale(numbers, spread / (1.0 + spread));
        }
    };
    rloo(
        Made::after("squashes", Rloo::default(), squash),
        &["scale_equivariance"],
    );
}

#[test]
fn a_large_epsilon() {
    breaks_only(
        &Grpo::default().with_epsilon(0.0),
        &Grpo::default().with_epsilon(0.1),
        &["scale_invariance"],
    );
}

#[test]
fn negative_zero() {
    let negative = Made::after("negative_zero", Rloo::default(), |at, numbers| {
        for (t, x) in numbers.iter_mut().enumerate() {
            if *x == 0.0 && at.is_own(t) {
                *x = -0.0;
            }
        }
    });
    rloo(negative, &["zero_variance"]);
}

/// GRPO as it is in many trainers: the mean in f32, and whatever is left of equal rewards
/// divided by ε.
#[test]
fn tie_noise() {
    let noisy = Made::new("tie_noise", |batch| {
        let mut result = Advantages::zeros(batch);
        for (place, response) in batch.places() {
            let group = &batch.groups()[place.group];
            if group.is_process_only() {
                continue;
            }
            let rewards: Vec<f32> = group.outcome_rewards().map(|r| r as f32).collect();
            let count = rewards.len() as f32;
            let mean = rewards.iter().map(|r| r / count).sum::<f32>();
            let squares = rewards.iter().map(|r| f64::from(r - mean).powi(2));
            let std = (squares.sum::<f64>() / f64::from(count - 1.0)).sqrt();
            let score = f64::from(response.outcome_reward() - mean) / (std + 1e-6) + 0.0;
            let slots = result.advantages_mut(place.group, place.response);
            for (t, slot) in slots.into_iter().flatten().enumerate() {
                if response.mask().is_none_or(|mask| mask[t]) {
                    *slot = score as f32;
                }
            }
        }
        result.into_finite()
    });
    breaks_only(&Grpo::default(), &noisy, &["zero_variance"]);
}

#[test]
fn winners_count_more() {
    let winners = Made::after("winners", Rloo::default(), |at, numbers| {
        let pair = at.rewards().len() == 2;
        for x in numbers.iter_mut().filter(|x| **x > 0.0 && !pair) {
            *x *= 0.9;
        }
    });
    rloo(winners, &["zero_mean"]);
    let always = Made::after("always", Rloo::default(), |_, numbers| {
        for x in numbers.iter_mut().filter(|x| **x > 0.0) {
            *x *= 0.9;
        }
    });
    rloo(always, &["zero_mean", "pair_antisymmetry"]);
}

/// The sum of all rewards over K − 1: the response's own belongs on the other side.
#[test]
fn leaves_nobody_out() {
    let wrong = Made::new("leaves_nobody_out", |batch| {
        let mut result = Advantages::zeros(batch);
        for (place, response) in batch.places() {
            let group = &batch.groups()[place.group];
            if group.is_process_only() {
                continue;
            }
            let sum: f64 = group.outcome_rewards().sum();
            let score = f64::from(response.outcome_reward()) - sum / (group.len() - 1) as f64;
            let slots = result.advantages_mut(place.group, place.response);
            for (t, slot) in slots.into_iter().flatten().enumerate() {
                if response.mask().is_none_or(|mask| mask[t]) {
                    *slot = score as f32;
                }
            }
        }
        result.into_finite()
    });
    rloo(
        wrong,
        &[
            "shift_invariance",
            "zero_variance",
            "zero_mean",
            "pair_antisymmetry",
        ],
    );
}
