//! Every estimator against its formula in plain `f64`, on random ragged batches.

mod common;

use common::naive::{Padded, assert_near, estimate};
use common::random::{Rows, Shape};
use common::run;
use prime_advantage::{
    Baseline, Gae, Gdpo, Gpg, Grpo, GrpoPassk, LooScaling, Opo, OptimalTokenBaseline, Reinforce,
    ReinforcePlusPlus, ReinforcePlusPlusBaseline, Remax, Rloo, Singleton, Term, ValueBaseline,
};

const SEEDS: u64 = 120;

/// What reads process rewards gets them in every second batch.
fn shapes(least_size: usize, process: bool) -> impl Iterator<Item = (u64, Shape)> {
    (0..SEEDS).map(move |seed| {
        let shape = Shape {
            least_size,
            gaps: seed % 4 != 1,
            empty: seed % 4 == 3,
            process: process && seed % 2 == 0,
        };
        (seed, shape)
    })
}

#[track_caller]
fn check(term: &Term, seed: u64, shape: Shape) {
    let rows = Rows::new(seed, shape);
    let padded = Padded::of(&rows);
    let (batch, places) = rows.batch();
    let what = format!("{term:?}, seed {seed}, {shape:?}");
    let expected = estimate(term, &padded);
    assert_near(&what, &run(term, &batch), &places, &padded, &expected);
}

#[track_caller]
fn check_shapes(terms: impl IntoIterator<Item = Term>, least_size: usize, process: bool) {
    for term in terms {
        for (seed, shape) in shapes(least_size, process) {
            check(&term, seed, shape);
        }
    }
}

/// One estimator with each treatment of a group of one that has a result.
fn singletons<T: Into<Term>>(with: impl Fn(Singleton) -> T) -> Vec<Term> {
    [Singleton::Zero, Singleton::Raw]
        .map(|singleton| with(singleton).into())
        .to_vec()
}

#[test]
fn reinforce() {
    let baselines = [Baseline::None, Baseline::BatchMean, Baseline::GroupMean];
    let terms = baselines.map(|b| Reinforce::default().with_baseline(b).into());
    check_shapes(terms, 1, false);
}

#[test]
fn rloo() {
    for scaling in [LooScaling::Paper, LooScaling::Code] {
        let rloo = Rloo::default().with_scaling(scaling);
        check_shapes([rloo.into()], 2, false);
        check_shapes(singletons(|s| rloo.with_singleton(s)), 1, false);
    }
}

/// Ours gives a group of equal rewards exactly 0.0 where the reference divides what
/// rounding left of their distance from the mean by ε.
#[test]
fn grpo() {
    for std in [true, false] {
        let grpo = Grpo::default()
            .with_normalize_by_std(std)
            .with_epsilon(1e-3);
        check_shapes([grpo.into()], 2, false);
        check_shapes(singletons(|s| grpo.with_singleton(s)), 1, false);
    }
    check_shapes([Grpo::default().into()], 2, false);
}

#[test]
fn grpo_passk() {
    let plain = GrpoPassk::default().with_normalize_by_std(false);
    check_shapes([GrpoPassk::default().into(), plain.into()], 2, false);
}

#[test]
fn opo() {
    check_shapes(singletons(|s| Opo::default().with_singleton(s)), 1, false);
}

#[test]
fn gpg() {
    let gpg = Gpg::default().with_f_norm(0.7);
    check_shapes(singletons(|s| gpg.with_singleton(s)), 1, false);
}

#[test]
fn gdpo_of_three_rewards() {
    let weights = [("accuracy", 2.0), ("length", -0.5)].map(|(k, w)| (k.to_owned(), w));
    let gdpo = Gdpo::default().with_weights(weights.into());
    check_shapes([gdpo.clone().into()], 2, false);
    check_shapes(singletons(|s| gdpo.clone().with_singleton(s)), 1, false);
}

#[test]
fn gdpo_of_the_one_outcome() {
    for (seed, shape) in shapes(2, false) {
        let mut rows = Rows::new(seed, shape);
        rows.rows
            .iter_mut()
            .for_each(|row| row.response.named_rewards.clear());
        let padded = Padded::of(&rows);
        let (batch, places) = rows.batch();
        let term = Term::from(Gdpo::default());
        let expected = estimate(&term, &padded);
        let found = run(&term, &batch);
        assert_near(&format!("seed {seed}"), &found, &places, &padded, &expected);
    }
}

#[test]
fn reinforce_plus_plus() {
    let terms = [1.0, 0.9, 0.0].map(|gamma| ReinforcePlusPlus::default().with_gamma(gamma).into());
    check_shapes(terms, 1, true);
}

#[test]
fn reinforce_plus_plus_baseline() {
    let with = |s| ReinforcePlusPlusBaseline::default().with_singleton(s);
    check_shapes(singletons(with), 1, false);
}

#[test]
fn remax() {
    check_shapes([Remax::default().into()], 1, true);
}

#[test]
fn gae_with_gaps() {
    for (gamma, lam) in [(1.0, 1.0), (0.99, 0.95), (0.9, 0.0), (0.0, 1.0)] {
        let gae = Gae::new(gamma, lam);
        check_shapes([gae.into(), gae.with_whiten(true).into()], 1, true);
    }
}

#[test]
fn optimal_token_baseline() {
    for tail in [false, true] {
        let otb = OptimalTokenBaseline::default().with_handle_zero_tail(tail);
        check_shapes([otb.into()], 2, true);
        check_shapes(singletons(|s| otb.with_singleton(s)), 1, true);
    }
}

#[test]
fn value_baseline() {
    for seed in 0..SEEDS {
        let shape = Shape {
            gaps: true,
            empty: seed % 2 == 0,
            process: true,
            least_size: 1,
        };
        check(&ValueBaseline::default().into(), seed, shape);
    }
}
