//! What must hold for any batch.

mod common;

use common::{assert_same_bits, run};
use prime_advantage::*;
use proptest::prelude::*;

/// A response that owns its numbers.
#[derive(Debug, Clone)]
struct Owned {
    outcome: f32,
    process: Vec<f32>,
    values: Vec<f32>,
    mask: Vec<bool>,
}

impl Owned {
    fn borrow(&self) -> Response<'_> {
        Response::new(self.process.len(), self.outcome)
            .with_process_rewards(&self.process)
            .with_values(&self.values)
            .with_mask(&self.mask)
    }
}

type Groups = Vec<Vec<Owned>>;

fn responses() -> impl Strategy<Value = Owned> {
    let outcome = prop_oneof![
        Just(0.0f32),
        Just(-0.0),
        Just(1.0),
        0.0f32..1.0,
        -3.0f32..3.0
    ];
    let tokens = prop::collection::vec(
        (-1.0f32..1.0, -1.0f32..1.0, prop::bool::weighted(0.8)),
        0..8,
    );
    (outcome, tokens).prop_map(|(outcome, tokens)| Owned {
        outcome,
        process: tokens.iter().map(|t| t.0).collect(),
        values: tokens.iter().map(|t| t.1).collect(),
        mask: tokens.iter().map(|t| t.2).collect(),
    })
}

fn groups() -> impl Strategy<Value = Groups> {
    prop::collection::vec(prop::collection::vec(responses(), 2..6), 1..5)
}

fn borrow(groups: &Groups) -> RewardBatch<'_> {
    common::batch(
        groups
            .iter()
            .map(|g| g.iter().map(Owned::borrow).collect())
            .collect(),
    )
}

/// Every estimator, unwhitened, in several settings.
fn estimators() -> Vec<Box<dyn AdvantageEstimator>> {
    let reinforce = |baseline| Box::new(Reinforce { baseline });
    vec![
        reinforce(Baseline::None),
        reinforce(Baseline::BatchMean),
        reinforce(Baseline::GroupMean),
        Box::new(Rloo {}),
        Box::new(Grpo::default()),
        Box::new(Gae {
            gamma: 0.9,
            lam: 0.7,
            whiten: false,
        }),
        Box::new(Prime {
            process_gamma: 0.9,
            ..Prime::paper()
        }),
        Box::new(Prime {
            whiten: false,
            ..Prime::recipe()
        }),
        Box::new(Prime {
            outcome: OutcomeTerm::Grpo(Grpo::default()),
            process: ProcessTerm::Grpo,
            ..Prime::paper()
        }),
        Box::new(Prime {
            process: ProcessTerm::ValueBaseline,
            ..Prime::paper()
        }),
    ]
}

fn close(a: f32, b: f32) -> bool {
    (a - b).abs() <= 1e-4 * a.abs().max(b.abs()).max(1.0)
}

proptest! {
    /// The order of responses in a group, and of groups, names nothing.
    #[test]
    fn permutation_equivariance(groups in groups()) {
        let mut turned = groups.clone();
        turned.reverse();
        turned.iter_mut().for_each(|g| g.rotate_left(1));
        for estimator in estimators() {
            let (here, there) = (run(&*estimator, &borrow(&groups)), run(&*estimator, &borrow(&turned)));
            for (g, group) in groups.iter().enumerate() {
                for i in 0..group.len() {
                    let moved = (i + group.len() - 1) % group.len();
                    let a = here.response(g, i).unwrap();
                    let b = there.response(groups.len() - 1 - g, moved).unwrap();
                    for (x, y) in a.advantages().iter().zip(b.advantages()) {
                        prop_assert!(close(*x, *y), "{estimator:?}: {x} and {y}");
                    }
                }
            }
        }
    }

    /// Masked tokens get 0.0, and what stands there has no say.
    #[test]
    fn masked_tokens_do_not_count(groups in groups(), noise in -9.0f32..9.0) {
        let mut noisy = groups.clone();
        for response in noisy.iter_mut().flatten() {
            for t in 0..response.mask.len() {
                if !response.mask[t] {
                    response.process[t] += noise;
                    response.values[t] -= noise;
                }
            }
        }
        for estimator in estimators() {
            let result = run(&*estimator, &borrow(&groups));
            assert_same_bits(&result, &run(&*estimator, &borrow(&noisy)));
            for (response, owned) in result.iter().zip(groups.iter().flatten()) {
                prop_assert_eq!(response.advantages().len(), owned.mask.len());
                for t in (0..owned.mask.len()).filter(|&t| !owned.mask[t]) {
                    prop_assert_eq!((response.advantages()[t], response.returns()[t]), (0.0, 0.0));
                }
            }
        }
    }

    /// A mask shortens time: cutting the masked tokens out changes nothing else.
    #[test]
    fn a_gap_takes_no_time(groups in groups()) {
        let mut cut = groups.clone();
        for response in cut.iter_mut().flatten() {
            let keep = response.mask.clone();
            let own = |xs: &[f32]| xs.iter().zip(&keep).filter(|(_, k)| **k).map(|(x, _)| *x).collect();
            (response.process, response.values) = (own(&response.process), own(&response.values));
            response.mask.retain(|&k| k);
        }
        for estimator in estimators() {
            let (with_gaps, without) = (run(&*estimator, &borrow(&groups)), run(&*estimator, &borrow(&cut)));
            let owned = groups.iter().flatten();
            for ((gaps, dense), owned) in with_gaps.iter().zip(without.iter()).zip(owned) {
                let kept = gaps.advantages().iter().zip(&owned.mask).filter(|(_, k)| **k);
                prop_assert!(kept.map(|(a, _)| *a).eq(dense.advantages().iter().copied()), "{estimator:?}");
            }
        }
    }

    #[test]
    fn rloo_sums_to_zero_in_a_group(groups in groups()) {
        // One token each, so that an advantage is a response's.
        let single = |g: &Vec<Owned>| g.iter().map(|r| Response::new(1, r.outcome)).collect();
        let batch = common::batch(groups.iter().map(single).collect());
        for group in run(&Rloo {}, &batch).groups() {
            let sum: f64 = group.iter().map(|r| f64::from(r.advantages()[0])).sum();
            prop_assert!(sum.abs() < 1e-5, "{sum}");
        }
    }

    /// The definition, term by term: reward less the mean of the others.
    #[test]
    fn rloo_by_brute_force(outcomes in prop::collection::vec(-2.0f32..2.0, 2..9)) {
        let tokens = vec![1; outcomes.len()];
        let result = run(&Rloo {}, &common::batch(vec![common::group(&tokens, &outcomes)]));
        for (i, &found) in result.advantages().iter().enumerate() {
            let others = outcomes.iter().enumerate().filter(|(j, _)| *j != i);
            let mean = others.map(|(_, &r)| f64::from(r)).sum::<f64>() / (outcomes.len() - 1) as f64;
            prop_assert!(close(found, (f64::from(outcomes[i]) - mean) as f32));
        }
    }

    /// λ = γ = 1: the advantage is the return minus the value.
    #[test]
    fn gae_with_lam_one_is_return_minus_value(mut response in responses()) {
        response.mask.fill(true);
        let n = response.process.len();
        let result = run(&Gae::default(), &common::batch(vec![vec![response.borrow()]]));
        for t in 0..n {
            let rest: f32 = response.process[t..].iter().sum();
            let expected = rest + response.outcome - response.values[t];
            prop_assert!(close(result.advantages()[t], expected));
            prop_assert!(close(result.returns()[t], rest + response.outcome));
        }
    }

    /// λ = 0: the advantage is the TD error.
    #[test]
    fn gae_with_lam_zero_is_the_td_error(mut response in responses(), gamma in 0.0..1.0f64) {
        response.mask.fill(true);
        let n = response.process.len();
        let gae = Gae { gamma, lam: 0.0, whiten: false };
        let result = run(&gae, &common::batch(vec![vec![response.borrow()]]));
        for t in 0..n {
            let paid = if t + 1 == n { response.outcome } else { 0.0 };
            let next = response.values.get(t + 1).copied().unwrap_or(0.0);
            let expected = response.process[t] + paid + gamma as f32 * next - response.values[t];
            prop_assert!(close(result.advantages()[t], expected));
        }
    }

    /// Zero process rewards, of either sign, or a zero weight: the outcome estimator alone, bit for bit.
    #[test]
    fn prime_without_process_is_the_outcome_estimator(groups in groups(), negative in any::<bool>()) {
        let mut silent = groups.clone();
        for response in silent.iter_mut().flatten() {
            response.process.fill(if negative { -0.0 } else { 0.0 });
        }
        let reinforce = |baseline| Reinforce { baseline };
        let (none, batch_mean) = (reinforce(Baseline::None), reinforce(Baseline::BatchMean));
        let (group_mean, gae) = (reinforce(Baseline::GroupMean), Gae { gamma: 0.9, lam: 0.7, whiten: false });
        let pairs: [(OutcomeTerm, &dyn AdvantageEstimator); 6] = [
            (OutcomeTerm::Rloo(Rloo {}), &Rloo {}),
            (OutcomeTerm::Grpo(Grpo::default()), &Grpo::default()),
            (OutcomeTerm::Reinforce(none), &none),
            (OutcomeTerm::Reinforce(batch_mean), &batch_mean),
            (OutcomeTerm::Reinforce(group_mean), &group_mean),
            (OutcomeTerm::Gae(gae), &gae),
        ];
        let processes =
            [ProcessTerm::Reinforce, ProcessTerm::Rloo, ProcessTerm::Grpo, ProcessTerm::ValueBaseline];
        for (outcome, alone) in pairs {
            let expected = run(alone, &borrow(&silent));
            for process in processes {
                for loo_scaling in [LooScaling::Paper, LooScaling::Code] {
                    let mut prime = Prime { outcome, process, loo_scaling, ..Prime::paper() };
                    if prime.validate().is_ok() {
                        assert_same_bits(&run(&prime, &borrow(&silent)), &expected);
                        prime.process_norm = ProcessNorm::BatchNorm;
                        assert_same_bits(&run(&prime, &borrow(&silent)), &expected);
                    }
                    prime.process_coef = 0.0;
                    assert_same_bits(&run(&prime, &borrow(&groups)), &run(&prime, &borrow(&silent)));
                    assert_same_bits(&run(&prime, &borrow(&silent)), &expected);
                }
            }
        }
    }

    /// Equal rewards teach nothing: exactly 0.0, whatever the number.
    #[test]
    fn zero_variance_is_exactly_zero(outcome in any::<f32>().prop_filter("finite", |x| x.is_finite()), size in 2usize..40) {
        let batch = common::batch(vec![common::group(&vec![2; size], &vec![outcome; size])]);
        let group_mean = Reinforce { baseline: Baseline::GroupMean };
        let plain = Grpo { normalize_by_std: false, ..Grpo::default() };
        let estimators: [&dyn AdvantageEstimator; 4] = [&Rloo {}, &Grpo::default(), &plain, &group_mean];
        for estimator in estimators {
            for advantage in run(estimator, &batch).advantages() {
                prop_assert_eq!(advantage.to_bits(), 0.0f32.to_bits(), "{:?}", estimator);
            }
        }
    }

    /// A process-only group gets what it would get if all its outcomes were 0.0, and
    /// changes no other group.
    #[test]
    fn process_only_groups_have_no_outcome(groups in groups(), extra in prop::collection::vec(responses(), 2..5)) {
        let marked = || PromptGroup::new(extra.iter().map(Owned::borrow).collect()).unwrap().process_only();
        let base = borrow(&groups);
        let longer = RewardBatch::new(base.groups().iter().cloned().chain([marked()]).collect()).unwrap();
        let alone = RewardBatch::new(vec![marked()]).unwrap();
        let worthless = vec![extra.iter().cloned().map(|r| Owned { outcome: 0.0, ..r }).collect()];
        let gae = OutcomeTerm::Gae(Gae::default());
        let prime_gae = Prime { outcome: gae, process: ProcessTerm::Reinforce, ..Prime::paper() };
        for estimator in estimators().into_iter().chain([Box::new(prime_gae) as _]) {
            assert_same_bits(&run(&*estimator, &alone), &run(&*estimator, &borrow(&worthless)));
            // Batch norm is one number for all groups, so there the others do change.
            if !format!("{estimator:?}").contains("BatchNorm") {
                let (with, without) = (run(&*estimator, &longer), run(&*estimator, &base));
                prop_assert_eq!(&with.advantages()[..base.token_count()], without.advantages());
            }
        }
    }

    /// Batch norm is a rescaling of the rewards, whatever is done with them afterwards.
    #[test]
    fn batch_norm_equals_rewards_scaled_by_hand(groups in groups(), coef in 0.5..5.0f64) {
        let largest = groups.iter().flatten().map(|r| {
            let own = r.process.iter().zip(&r.mask).rev().filter(|(_, k)| **k);
            let sums = own.scan(0.0, |sum, (x, _)| { *sum += f64::from(*x); Some(*sum) });
            sums.fold(0.0, |high, sum| f64::max(high, sum.abs()))
        });
        // Small on purpose: the 1e-6 beside the standard deviation must meet scaled rewards.
        let shrink = 1e-4;
        let largest = shrink * largest.fold(0.0, f64::max);
        prop_assume!(largest > 1e-6);
        let scaled = |by: f64| {
            let mut scaled = groups.clone();
            let process = scaled.iter_mut().flatten().flat_map(|r| &mut r.process);
            process.for_each(|x| *x = (f64::from(*x) * by) as f32);
            scaled
        };
        let (raw, by_hand) = (scaled(shrink), scaled(shrink / (largest + 1e-6)));
        let settings = [
            (OutcomeTerm::default(), ProcessTerm::Reinforce),
            (OutcomeTerm::default(), ProcessTerm::Rloo),
            (OutcomeTerm::default(), ProcessTerm::Grpo),
            (OutcomeTerm::default(), ProcessTerm::ValueBaseline),
            (OutcomeTerm::Gae(Gae::default()), ProcessTerm::Reinforce),
        ];
        for (outcome, process) in settings {
            let plain = Prime { outcome, process, process_coef: coef, ..Prime::paper() };
            let normed = Prime { process_norm: ProcessNorm::BatchNorm, ..plain };
            let (found, expected) = (run(&normed, &borrow(&raw)), run(&plain, &borrow(&by_hand)));
            for (x, y) in found.advantages().iter().zip(expected.advantages()) {
                prop_assert!((x - y).abs() <= 1e-3 * y.abs().max(1.0), "{plain:?}: {x} and {y}");
            }
        }
    }

    /// Whitening leaves mean 0 and unbiased variance 1 over the policy tokens.
    #[test]
    fn whitened_moments(groups in groups()) {
        let batch = borrow(&groups);
        let own: usize = batch.responses().map(Response::policy_tokens).sum();
        let result = Prime::orig().estimate(&batch);
        if own < 2 {
            prop_assert_eq!(result, Err(AdvantageError::TooFewToWhiten { found: own }));
            return Ok(());
        }
        let result = result.unwrap();
        let masks = groups.iter().flatten().flat_map(|r| &r.mask);
        let kept = |xs: &[f32]| -> Vec<f64> {
            xs.iter().zip(masks.clone()).filter(|(_, k)| **k).map(|(x, _)| f64::from(*x)).collect()
        };
        let variance = |xs: &[f64]| {
            let mean = xs.iter().sum::<f64>() / own as f64;
            (mean, xs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (own - 1) as f64)
        };
        let (mean, after) = variance(&kept(result.advantages()));
        let (_, before) = variance(&kept(result.returns()));
        prop_assert!(mean.abs() < 1e-4, "mean {mean}");
        prop_assert!((after - before / (before + 1e-8)).abs() < 1e-3, "variance {after}, was {before}");
    }

    /// γ = 1: the two leave-one-out formulas agree at the first token.
    #[test]
    fn loo_scalings_agree_on_the_whole_response(groups in groups()) {
        let code = Prime { loo_scaling: LooScaling::Code, ..Prime::paper() };
        let (paper, code) = (run(&Prime::paper(), &borrow(&groups)), run(&code, &borrow(&groups)));
        for ((p, c), owned) in paper.iter().zip(code.iter()).zip(groups.iter().flatten()) {
            if let Some(first) = owned.mask.iter().position(|&own| own) {
                prop_assert!(close(p.advantages()[first], c.advantages()[first]));
            }
        }
    }
}

/// `returns_to_go` against its definition as a double sum.
#[test]
fn returns_to_go_is_a_discounted_suffix_sum() {
    let rewards = [0.5f32, -1.0, 2.0, 0.25];
    let found = returns_to_go(&rewards, 0.9).unwrap();
    for (t, &found) in found.iter().enumerate() {
        let expected: f64 = (t..rewards.len())
            .map(|s| 0.9f64.powi((s - t) as i32) * f64::from(rewards[s]))
            .sum();
        common::assert_close("returns_to_go", &format!("{t}"), found, expected);
    }
    assert!(returns_to_go(&[], 1.0).unwrap().is_empty());
}
