//! Rewards that do not differ: exactly +0.0, not what rounding leaves over ε.

mod common;

use common::{batch, full, group, is_plain_zero, run};
use prime_advantage::{
    Baseline, Gdpo, Gpg, Grpo, GrpoPassk, NamedReward, Opo, OptimalTokenBaseline, Prime, Reinforce,
    ReinforcePlusPlusBaseline, Response, Rloo, Term,
};

/// All-equal rewards: exactly +0.0, whatever rounding does to their mean.
#[test]
fn equal_rewards_are_exactly_zero() {
    let comparing: [Term; 9] = [
        Reinforce::default()
            .with_baseline(Baseline::GroupMean)
            .into(),
        Rloo::default().into(),
        Grpo::default().into(),
        Grpo::default().with_epsilon(0.0).into(),
        Grpo::default().with_normalize_by_std(false).into(),
        GrpoPassk::default().into(),
        Opo::default().into(),
        Gpg::default().into(),
        OptimalTokenBaseline::default().into(),
    ];
    let returning: [Term; 2] = [
        Gdpo::default().into(),
        ReinforcePlusPlusBaseline::default().into(),
    ];
    for reward in [0.0, -0.0, 1.0, 0.1, 1.0 / 3.0, -0.7, 1e-30, 3.4e38] {
        for size in [2, 3, 7] {
            let same = full(2, reward).without_process_rewards();
            let equal = batch(vec![vec![same; size]]);
            for term in &comparing {
                let found = run(term, &equal);
                let zero = found.advantages().iter().copied().all(is_plain_zero);
                assert!(zero, "{term:?}: {size} × {reward}");
            }
            for term in &returning {
                let found = run(term, &equal);
                let all = found.advantages().iter().chain(found.returns());
                assert!(
                    all.copied().all(is_plain_zero),
                    "{term:?}: {size} × {reward}"
                );
            }
        }
    }
    // Beside a group that differs, the returns are 0.0 and only whitening moves it.
    let same = full(2, 0.1).without_process_rewards();
    let other = [
        same.with_outcome_reward(1.0),
        same.with_outcome_reward(0.0),
        same,
    ];
    let beside = batch(vec![vec![same; 3], other.to_vec()]);
    for term in &comparing {
        let found = run(term, &beside);
        let own = (0..3).map(|r| found.response(0, r).expect("in range").advantages());
        assert!(own.flatten().copied().all(is_plain_zero), "{term:?}");
    }
    for term in &returning {
        let found = run(term, &beside);
        let own = (0..3).map(|r| found.response(0, r).expect("in range").returns());
        assert!(own.flatten().copied().all(is_plain_zero), "{term:?}");
    }
}

/// 0.0 and −0.0 are the same reward.
#[test]
fn the_sign_of_zero_is_no_difference() {
    let signs = batch(vec![group(&[1, 1, 1], &[0.0, -0.0, 0.0])]);
    for term in [
        Term::from(Rloo::default()),
        Grpo::default().into(),
        Opo::default().into(),
    ] {
        let found = run(&term, &signs);
        assert!(
            found.advantages().iter().copied().all(is_plain_zero),
            "{term:?}"
        );
    }
    let found = run(&Reinforce::default(), &signs);
    assert!(found.advantages().iter().copied().all(is_plain_zero));
}

/// A reward that is the same for a group adds nothing there, whatever its weight.
#[test]
fn a_constant_named_reward_adds_nothing() {
    let named = |accuracy| {
        [
            NamedReward::new("accuracy", accuracy),
            NamedReward::new("a", 0.1),
        ]
    };
    let rewards = [named(1.0), named(0.0), named(0.0)];
    let respond = |named| Response::new(2, 0.0).with_named_rewards(named);
    let both = batch(vec![rewards.iter().map(|named| respond(named)).collect()]);
    let one = batch(vec![
        rewards.iter().map(|named| respond(&named[..1])).collect(),
    ]);
    let heavy = Gdpo::default().with_weights([("a".to_owned(), 1e6)].into());
    common::assert_same_bits(&run(&heavy, &both), &run(&Gdpo::default(), &one));
}

/// Equal token means leave GRPO's process half nothing to divide by, also when they are
/// equal up to rounding only.
#[test]
fn equal_process_means_are_exactly_zero_under_grpo() {
    let (a, b) = ([1.0f32, 1e-16, 1e-16], [1e-16f32, 1e-16, 1.0]);
    let sum = |xs: [f32; 3]| xs.iter().map(|&x| f64::from(x)).sum::<f64>();
    assert_ne!(
        sum(a),
        sum(b),
        "the order of summing must show in the last bit"
    );
    let respond = |rewards| Response::new(3, 1.0).with_process_rewards(rewards);
    let prime = Prime::paper()
        .with_process(Grpo::default())
        .with_outcome(Grpo::default());
    let result = run(&prime, &batch(vec![vec![respond(&a), respond(&b)]]));
    assert!(result.advantages().iter().copied().all(is_plain_zero));
}

/// The PRM equals its reference at step 0: PRIME is then the outcome alone.
#[test]
fn process_rewards_of_exactly_zero() {
    let zeros = [0.0; 3];
    let respond = |tokens: usize, outcome| {
        Response::new(tokens, outcome).with_process_rewards(&zeros[..tokens])
    };
    let still = batch(vec![vec![
        respond(3, 1.0),
        respond(2, 0.0),
        respond(1, 0.3),
    ]]);
    let outcome = run(&Rloo::default(), &still);
    common::assert_same_bits(&run(&Prime::paper(), &still), &outcome);
    for preset in [Prime::orig(), Prime::recipe()] {
        let found = run(&preset, &still);
        assert!(
            found.advantages().iter().all(|a| a.is_finite()),
            "{preset:?}"
        );
    }
}
