//! What generated batches are like.

use std::cell::RefCell;

use prime_advantage::strategies::{BatchShape, RewardKind, reward_batches};
use prime_advantage::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        rng_seed: RngSeed::Fixed(0),
        failure_persistence: None,
        max_shrink_iters: 10_000,
        ..Config::default()
    })
}

/// Some batches of a shape, each of them valid.
fn some(shape: &BatchShape) -> Vec<OwnedBatch> {
    let seen = RefCell::new(vec![]);
    let verdict = runner(400).run(&reward_batches(shape.clone()), |batch| {
        batch.borrow()?;
        seen.borrow_mut().push(batch);
        Ok(())
    });
    verdict.unwrap();
    seen.into_inner()
}

fn groups(batches: &[OwnedBatch]) -> impl Iterator<Item = &OwnedGroup> + Clone {
    batches.iter().flat_map(|batch| &batch.groups)
}

fn responses(batches: &[OwnedBatch]) -> impl Iterator<Item = &OwnedResponse> + Clone {
    groups(batches).flat_map(|group| &group.responses)
}

fn policy_tokens(response: &OwnedResponse) -> usize {
    response.borrow().policy_tokens()
}

#[test]
fn by_default_everything_and_every_edge() {
    let batches = some(&BatchShape::default());
    for batch in &batches {
        let own = batch.groups.iter().flat_map(|g| &g.responses);
        assert!(own.map(policy_tokens).sum::<usize>() >= 2);
        assert!((1..=3).contains(&batch.groups.len()));
    }
    for group in groups(&batches) {
        assert!((2..=5).contains(&group.responses.len()));
        assert!(group.greedy.is_some());
    }
    for response in responses(&batches) {
        assert!(response.tokens <= 10);
        let names: Vec<&str> = response.named_rewards.iter().map(|n| &*n.name).collect();
        assert_eq!(names, ["accuracy", "format"]);
        let rewards = response.named_rewards.iter().map(|n| n.value);
        for reward in rewards.chain([response.outcome_reward]) {
            assert!((-1.0..=1.0).contains(&reward));
        }
        assert!(response.process_rewards.is_some() && response.values.is_some());
        assert!(response.ref_log_probs.is_some() && response.importance_weights.is_some());
        let (Some(own), Some(squares)) = (&response.old_log_probs, &response.sum_pi_squared) else {
            panic!("no log-probs");
        };
        for (own, squares) in own.iter().zip(squares) {
            let own = f64::from(*own).exp();
            let rest = f64::from(*squares) - own * own;
            assert!(rest >= -1e-6 && rest <= (1.0 - own).powi(2) + 1e-6);
        }
    }
    type Edge = (&'static str, fn(&OwnedResponse) -> bool);
    let edges: [Edge; 8] = [
        ("no tokens", |r| r.tokens == 0),
        ("the most tokens", |r| r.tokens == 10),
        ("no mask", |r| r.tokens > 0 && r.mask.is_none()),
        ("all masked", |r| r.tokens > 0 && policy_tokens(r) == 0),
        ("last token masked", |r| {
            r.mask.as_ref().is_some_and(|m| m.ends_with(&[false])) && policy_tokens(r) > 0
        }),
        ("a gap", |r| {
            let mask = r.mask.iter().flatten().copied().collect::<Vec<_>>();
            mask.windows(3).any(|m| m == [true, false, true])
        }),
        ("certain token", |r| {
            r.old_log_probs.iter().flatten().any(|x| *x == 0.0)
        }),
        ("weight 0", |r| {
            r.importance_weights.iter().flatten().any(|x| *x == 0.0)
        }),
    ];
    for (edge, is) in edges {
        assert!(responses(&batches).any(is), "never: {edge}");
    }
    let equal = |group: &&OwnedGroup| group.borrow().unwrap().has_equal_outcomes();
    let (tied, process_only) = (
        groups(&batches).filter(equal).count(),
        groups(&batches).filter(|g| g.process_only).count(),
    );
    let all = groups(&batches).count();
    assert!(tied > all / 100 && tied < all / 2, "{tied} of {all}");
    assert!(
        process_only > all / 20 && process_only < all / 3,
        "{process_only} of {all}"
    );
    let sizes = || batches.iter().map(|batch| batch.groups.len());
    assert_eq!((sizes().min(), sizes().max()), (Some(1), Some(3)));
}

#[test]
fn only_what_the_shape_asks_for() {
    let bare = BatchShape::bare()
        .with_groups(2..=2)
        .with_group_size(1..=1)
        .with_tokens(3..=4)
        .with_rewards(RewardKind::Binary);
    let batches = some(&bare);
    assert!(batches.iter().all(|batch| batch.groups.len() == 2));
    for group in groups(&batches) {
        let [response] = &group.responses[..] else {
            panic!("not one response");
        };
        assert!((3..=4).contains(&response.tokens));
        let expected = OwnedResponse::new(response.tokens, response.outcome_reward);
        assert_eq!(*response, expected);
        assert!(group.greedy.is_none() && !group.process_only);
        assert!([0.0, 1.0].contains(&response.outcome_reward));
    }
    let with = |change: fn(BatchShape) -> BatchShape| some(&change(bare.clone()));
    let all = |batches: &[OwnedBatch], has: fn(&OwnedResponse) -> bool| {
        assert!(responses(batches).all(has));
    };
    all(&with(|s| s.with_process_rewards(true)), |r| {
        r.process_rewards.is_some() && r.values.is_none()
    });
    all(&with(|s| s.with_values(true)), |r| r.values.is_some());
    all(&with(|s| s.with_log_probs(true)), |r| {
        r.sum_pi_squared.is_some() && r.importance_weights.is_none()
    });
    all(&with(|s| s.with_rewards(RewardKind::Fractional)), |r| {
        (0.0..=1.0).contains(&r.outcome_reward)
    });
}

#[test]
fn any_finite_number_up_to_a_magnitude() {
    for magnitude in [1.0f32, 1e30, f32::MAX] {
        let kind = RewardKind::AnyFinite { magnitude };
        let batches = some(&BatchShape::default().with_rewards(kind));
        let numbers = responses(&batches).flat_map(|r| {
            let columns = [
                &r.process_rewards,
                &r.values,
                &r.old_log_probs,
                &r.ref_log_probs,
                &r.importance_weights,
            ];
            let named = r.named_rewards.iter().map(|named| named.value);
            let numbers = columns.into_iter().flatten().flatten().copied();
            numbers
                .chain(named)
                .chain([r.outcome_reward])
                .collect::<Vec<_>>()
        });
        let numbers: Vec<f32> = numbers.collect();
        let largest = numbers.iter().fold(0.0, |most: f32, x| most.max(x.abs()));
        assert!(largest <= magnitude && largest > magnitude / 2.0);
        let least = |x: f32| x != 0.0 && x.abs() < f32::MIN_POSITIVE;
        assert!(numbers.iter().any(|&x| least(x)), "no subnormal numbers");
        assert!(numbers.iter().any(|&x| x < 0.0) && numbers.iter().any(|&x| x > 0.0));
    }
}

/// What is left of a batch with a response of three masked tokens, or of a reward.
#[test]
fn batches_shrink_to_what_matters() {
    let smallest = |fails: fn(&OwnedResponse) -> bool| {
        let verdict = runner(1_000).run(&reward_batches(BatchShape::default()), |batch| {
            let mut members = batch.groups.iter().flat_map(|g| &g.responses);
            prop_assert!(!members.any(fails));
            Ok(())
        });
        match verdict {
            Err(TestError::Fail(_, batch)) => batch,
            other => panic!("{other:?}"),
        }
    };
    let masked = smallest(|r| r.tokens - policy_tokens(r) >= 3);
    let [group] = &masked.groups[..] else {
        panic!("more than a group: {masked:?}");
    };
    assert_eq!(group.responses.len(), 2);
    let response = group.responses.iter().find(|r| r.mask.is_some()).unwrap();
    assert_eq!(response.mask, Some(vec![false; 3]));
    assert_eq!(response.values, Some(vec![0.0; 3]));
    assert_eq!(response.process_rewards, Some(vec![0.0; 3]));
    assert!(!group.process_only);

    let rewarded = smallest(|r| r.outcome_reward > 0.25);
    let outcomes = rewarded.groups[0]
        .responses
        .iter()
        .map(|r| r.outcome_reward);
    let outcomes: Vec<f32> = outcomes.collect();
    assert!(
        outcomes == [0.3, 0.0] || outcomes == [0.0, 0.3],
        "{outcomes:?}"
    );
}

#[test]
#[should_panic(expected = "at least one response")]
fn a_group_of_none_is_refused() {
    let _ = reward_batches(BatchShape::default().with_group_size(0..=3));
}
