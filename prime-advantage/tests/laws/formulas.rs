//! What must hold for any batch, of one estimator or helper each.

use prime_advantage::strategies::{BatchShape, RewardKind, reward_batches};
use prime_advantage::*;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn run(estimator: &dyn AdvantageEstimator, batch: &OwnedBatch) -> Advantages {
    let batch = batch.borrow().expect("a valid batch");
    estimator
        .estimate(&batch)
        .unwrap_or_else(|error| panic!("{estimator:?}: {error}"))
}

fn batches() -> impl Strategy<Value = OwnedBatch> {
    reward_batches(BatchShape::default())
}

fn close(a: f32, b: f32) -> bool {
    (a - b).abs() <= 1e-4 * a.abs().max(b.abs()).max(1.0)
}

fn own(response: &OwnedResponse) -> impl Iterator<Item = usize> + '_ {
    let own = |t: &usize| response.mask.as_ref().is_none_or(|mask| mask[*t]);
    (0..response.tokens).filter(own)
}

/// What the policy wrote of one column.
fn packed(response: &OwnedResponse, column: &[f32]) -> Vec<f32> {
    own(response).map(|t| column[t]).collect()
}

fn responses(batch: &OwnedBatch) -> impl Iterator<Item = &OwnedResponse> + Clone {
    batch.groups.iter().flat_map(|group| &group.responses)
}

fn scale_process(batch: &OwnedBatch, by: f64) -> OwnedBatch {
    let mut scaled = batch.clone();
    let responses = scaled.groups.iter_mut().flat_map(|group| {
        let members = group.responses.iter_mut();
        members.chain(&mut group.greedy)
    });
    for x in responses.flat_map(|r| &mut r.process_rewards).flatten() {
        *x = (f64::from(*x) * by) as f32;
    }
    scaled
}

/// The same batches every time.
fn fixed() -> ProptestConfig {
    ProptestConfig {
        rng_seed: RngSeed::Fixed(0),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(fixed())]

    /// The definition, term by term: reward less the mean of the others.
    #[test]
    fn rloo_by_brute_force(outcomes in prop::collection::vec(-2.0f32..2.0, 2..9)) {
        let group = outcomes.iter().map(|&reward| OwnedResponse::new(1, reward)).collect();
        let result = run(&Rloo::default(), &OwnedBatch::new(vec![OwnedGroup::new(group)]));
        for (i, &found) in result.advantages().iter().enumerate() {
            let others = outcomes.iter().enumerate().filter(|(j, _)| *j != i);
            let mean = others.map(|(_, &r)| f64::from(r)).sum::<f64>() / (outcomes.len() - 1) as f64;
            prop_assert!(close(found, (f64::from(outcomes[i]) - mean) as f32));
        }
    }

    /// Equal rewards teach nothing, in groups of any size: exactly 0.0.
    #[test]
    fn zero_variance_in_large_groups(
        outcome in any::<f32>().prop_filter("finite", |x| x.is_finite()),
        size in 2usize..40,
    ) {
        let group = (0..size).map(|_| OwnedResponse::new(2, outcome)).collect();
        let batch = OwnedBatch::new(vec![OwnedGroup::new(group)]);
        let estimators: [&dyn AdvantageEstimator; 7] = [
            &Rloo::default(),
            &Rloo::default().with_scaling(LooScaling::Code),
            &Grpo::default(),
            &Grpo::default().with_epsilon(0.0),
            &Opo::default(),
            &Gpg::default(),
            &Reinforce::default().with_baseline(Baseline::GroupMean),
        ];
        for estimator in estimators {
            for advantage in run(estimator, &batch).advantages() {
                prop_assert_eq!(advantage.to_bits(), 0, "{:?}", estimator);
            }
        }
    }

    /// A process-only group gets what it would get if all its outcomes were 0.0, and
    /// changes no other group.
    #[test]
    fn process_only_groups_have_no_outcome(batch in batches()) {
        let mut marked = batch.clone();
        let last = marked.groups.len() - 1;
        marked.groups[last].process_only = true;
        let alone = OwnedBatch::new(vec![marked.groups[last].clone()]);
        let mut worthless = alone.clone();
        worthless.groups[0].process_only = false;
        worthless.groups[0].responses.iter_mut().for_each(|r| r.outcome_reward = 0.0);
        let without = OwnedBatch::new(marked.groups[..last].to_vec());
        let halves: [Term; 5] = [
            Reinforce::default().with_baseline(Baseline::BatchMean).into(),
            Rloo::default().into(),
            Grpo::default().into(),
            Gpg::default().into(),
            Gae::default().into(),
        ];
        for outcome in halves {
            let prime = Prime::paper().with_outcome(outcome.clone());
            for estimator in [&outcome as &dyn AdvantageEstimator, &prime] {
                let (found, expected) = (run(estimator, &alone), run(estimator, &worthless));
                prop_assert_eq!(found.advantages(), expected.advantages(), "{:?}", estimator);
                if last > 0 {
                    let (with, without) = (run(estimator, &marked), run(estimator, &without));
                    let others = without.advantages();
                    prop_assert_eq!(&with.advantages()[..others.len()], others, "{:?}", estimator);
                }
            }
        }
    }

    /// Batch norm is a rescaling of the rewards, whatever is done with them afterwards.
    #[test]
    fn batch_norm_equals_rewards_scaled_by_hand(
        // With weights of 0 the optimal token baseline depends on whether sums are equal to
        // the bit, which scaling changes.
        batch in reward_batches(BatchShape::default().with_importance_weights(false)),
        coef in 0.5..5.0f64,
    ) {
        let peaks = responses(&batch).flat_map(|response| {
            let rewards = packed(response, response.process_rewards.as_ref().unwrap());
            let sums = rewards.into_iter().rev().scan(0.0, |sum, x| {
                *sum += f64::from(x);
                Some(f64::abs(*sum))
            });
            sums.collect::<Vec<_>>()
        });
        // Small on purpose: the 1e-6 beside the standard deviation must meet scaled rewards.
        let shrink = 1e-4;
        let peak = shrink * peaks.fold(0.0, f64::max);
        prop_assume!(peak > 1e-6);
        // Means that differ in the last bit of an f32 are divided by that bit.
        let spread = |group: &OwnedGroup| {
            let means = group.responses.iter().map(|response| {
                let rewards = packed(response, response.process_rewards.as_ref().unwrap());
                let count = rewards.len().max(1) as f64;
                rewards.into_iter().map(f64::from).sum::<f64>() / count
            });
            let (low, high) = (f64::INFINITY, f64::NEG_INFINITY);
            let ends = means.fold((low, high), |(low, high), m| (low.min(m), high.max(m)));
            ends.1 - ends.0
        };
        prop_assume!(batch.groups.iter().all(|group| spread(group) == 0.0 || spread(group) > 1e-4));
        let (raw, by_hand) = (
            scale_process(&batch, shrink),
            scale_process(&batch, shrink / (peak + 1e-6)),
        );
        let processes: [Term; 7] = [
            Reinforce::default().into(),
            Rloo::default().into(),
            Grpo::default().into(),
            Remax::default().into(),
            Gdpo::default().into(),
            OptimalTokenBaseline::default().into(),
            ValueBaseline::default().into(),
        ];
        for process in processes {
            let plain = Prime::paper().with_process(process).with_process_coef(coef);
            let normed = plain.clone().with_process_norm(ProcessNorm::BatchNorm);
            let (found, expected) = (run(&normed, &raw), run(&plain, &by_hand));
            for (x, y) in found.advantages().iter().zip(expected.advantages()) {
                prop_assert!((x - y).abs() <= 1e-3 * y.abs().max(1.0), "{plain:?}: {x} and {y}");
            }
        }
    }

    /// Whitening leaves mean 0 and unbiased variance 1 over the policy tokens.
    #[test]
    fn whitened_moments(batch in batches()) {
        let estimators: [&dyn AdvantageEstimator; 6] = [
            &Prime::orig(),
            &Prime::recipe(),
            &Gae::default().with_whiten(true),
            &ReinforcePlusPlus::default(),
            &ReinforcePlusPlusBaseline::default(),
            &Gdpo::default(),
        ];
        for estimator in estimators {
            let result = run(estimator, &batch);
            let moments = |column: Vec<&[f32]>| {
                let rows = responses(&batch).zip(column);
                let all = rows.flat_map(|(response, row)| packed(response, row));
                let all: Vec<f64> = all.map(f64::from).collect();
                let mean = all.iter().sum::<f64>() / all.len() as f64;
                let squares: f64 = all.iter().map(|x| (x - mean).powi(2)).sum();
                (mean, squares / (all.len() - 1) as f64)
            };
            let (mean, after) = moments(result.iter().map(|r| r.advantages()).collect());
            prop_assert!(mean.abs() < 1e-4, "{estimator:?}: mean {mean}");
            // GAE's returns are the critic's targets, not the numbers from before.
            let expected = if estimator.uses_values() {
                let unwhitened = run(&Gae::default(), &batch);
                moments(unwhitened.iter().map(|r| r.advantages()).collect()).1
            } else {
                moments(result.iter().map(|r| r.returns()).collect()).1
            };
            let expected = expected / (expected + 1e-8);
            prop_assert!((after - expected).abs() < 1e-3, "{estimator:?}: {after}, not {expected}");
        }
    }

    /// γ = 1: the two leave-one-out formulas agree at the first token.
    #[test]
    fn loo_scalings_agree_on_the_whole_response(batch in batches()) {
        let code = Prime::paper().with_process(Rloo::default().with_scaling(LooScaling::Code));
        let (paper, code) = (run(&Prime::paper(), &batch), run(&code, &batch));
        for ((p, c), response) in paper.iter().zip(code.iter()).zip(responses(&batch)) {
            if let Some(first) = own(response).next() {
                prop_assert!(close(p.advantages()[first], c.advantages()[first]));
            }
        }
    }

    /// A gap takes no time to the last bit, not only up to rounding as the law asks.
    #[test]
    fn gaps_change_no_bit(batch in batches()) {
        let mut cut = batch.clone();
        for response in cut.groups.iter_mut().flat_map(|group| {
            let members = group.responses.iter_mut();
            members.chain(&mut group.greedy)
        }) {
            let whole = response.clone();
            for column in [
                &mut response.process_rewards,
                &mut response.values,
                &mut response.old_log_probs,
                &mut response.ref_log_probs,
                &mut response.sum_pi_squared,
                &mut response.importance_weights,
            ] {
                *column = column.as_ref().map(|column| packed(&whole, column));
            }
            response.tokens = own(&whole).count();
            response.mask = None;
        }
        for name in Term::NAMES.iter().filter(|name| **name != "optimal_token_baseline") {
            let estimator = Term::from_name(name).unwrap();
            let (gaps, dense) = (run(&estimator, &batch), run(&estimator, &cut));
            for ((gaps, dense), response) in gaps.iter().zip(dense.iter()).zip(responses(&batch)) {
                let bits = |xs: &[f32]| xs.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                let (a, r) = (packed(response, gaps.advantages()), packed(response, gaps.returns()));
                prop_assert_eq!(bits(&a), bits(dense.advantages()), "{}", name);
                prop_assert_eq!(bits(&r), bits(dense.returns()), "{}", name);
            }
        }
    }

    /// With binary rewards, pass@k credits exactly a lone right answer.
    #[test]
    fn passk_credits_a_lone_winner(
        batch in reward_batches(BatchShape::default().with_rewards(RewardKind::Binary)),
    ) {
        let result = run(&GrpoPassk::default().with_normalize_by_std(false), &batch);
        for (group, found) in batch.groups.iter().zip(result.groups()) {
            let right = group.responses.iter().filter(|r| r.outcome_reward == 1.0).count();
            for (response, found) in group.responses.iter().zip(found.iter()) {
                let wins = right == 1 && response.outcome_reward == 1.0 && !group.process_only;
                for x in packed(response, found.advantages()) {
                    prop_assert_eq!(x, if wins { 1.0 } else { 0.0 });
                }
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
        assert!((f64::from(found) - expected).abs() < 1e-6, "{t}");
    }
    assert!(returns_to_go(&[], 1.0).unwrap().is_empty());
}
