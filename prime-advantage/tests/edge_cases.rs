//! Responses and batches without policy tokens: the documented result, never NaN.

mod common;

use AdvantageError as E;
use common::{batch, every_term, full, is_plain_zero, run, with_greedy};
use prime_advantage::{
    AdvantageError, AdvantageEstimator, Advantages, EstimatorConfig, Gae, Gdpo, Grpo, Opo, Prime,
    ReinforcePlusPlus, ReinforcePlusPlusBaseline, Response, Rloo, Term,
};

/// Every estimator with its default knobs, and PRIME's presets; whether it whitens.
fn everything() -> Vec<(Box<dyn AdvantageEstimator>, bool)> {
    let whitening = [
        Term::from(ReinforcePlusPlus::default()),
        ReinforcePlusPlusBaseline::default().into(),
        Gdpo::default().into(),
    ];
    let terms = every_term().into_iter().map(|term| {
        let whitens = whitening.contains(&term);
        (term.into(), whitens)
    });
    let presets = [Prime::paper(), Prime::orig(), Prime::recipe()].map(|prime| {
        let whitens = prime.whiten;
        (
            EstimatorConfig::from(prime).build().expect("valid"),
            whitens,
        )
    });
    terms.chain(presets).collect()
}

fn advantages(result: &Advantages, response: usize) -> &[f32] {
    let own = result.response(0, response).expect("in range");
    own.advantages()
}

/// An empty response has no advantages, a masked one has zeros, and the others are
/// finite.
#[test]
fn a_response_without_policy_tokens() {
    let masked = full(2, 1.0).with_mask(&[false, false]);
    for (estimator, _) in everything() {
        let empty = with_greedy(vec![full(4, 0.0), Response::new(0, 1.0)]);
        let empty = run(&estimator, &empty);
        let masked = with_greedy(vec![full(4, 0.0), masked]);
        let masked = run(&estimator, &masked);
        assert!(advantages(&empty, 1).is_empty());
        assert!(advantages(&masked, 1).iter().copied().all(is_plain_zero));
        let own = masked.response(0, 1).expect("in range").returns();
        assert!(own.iter().copied().all(is_plain_zero));
        // Both say the same to the other response.
        assert_eq!(
            advantages(&empty, 0),
            advantages(&masked, 0),
            "{estimator:?}"
        );
        assert!(
            advantages(&empty, 0).iter().all(|a| a.is_finite()),
            "{estimator:?}"
        );
    }
}

/// It has a say in the baselines: its outcome counts, and its token mean is 0.
#[test]
fn an_empty_response_counts_in_its_group() {
    let two = batch(vec![vec![full(2, 0.0), Response::new(0, 1.0)]]);
    let first = |estimator: &dyn AdvantageEstimator| advantages(&run(estimator, &two), 0).to_vec();
    assert_eq!(first(&Rloo::default()), [-1.0, -1.0]);
    assert_eq!(
        first(&Grpo::default().with_normalize_by_std(false)),
        [-0.5, -0.5]
    );
    // Weighted by length it has none.
    assert_eq!(first(&Opo::default()), [0.0, 0.0]);
    // Rewards 0.6 and 0.0 keep their size where the other's mean is 0.
    assert_eq!(first(&Prime::paper().with_outcome_coef(0.0)), [0.6, 0.0]);
}

#[test]
fn no_policy_token_in_the_batch() {
    let mask = [false, false];
    let masked = full(2, 1.0).with_mask(&mask);
    let batches = [
        (
            with_greedy(vec![Response::new(0, 1.0), Response::new(0, 0.0)]),
            0,
        ),
        (
            with_greedy(vec![masked, masked.with_outcome_reward(0.0)]),
            4,
        ),
    ];
    for (batch, tokens) in &batches {
        for (estimator, whitens) in everything() {
            let result = estimator.estimate(batch);
            if whitens {
                assert_eq!(result, Err(E::TooFewToWhiten { found: 0 }), "{estimator:?}");
                continue;
            }
            let result = result.unwrap_or_else(|error| panic!("{estimator:?}: {error}"));
            assert_eq!(result.advantages().len(), *tokens);
            let all = result.advantages().iter().chain(result.returns());
            assert!(all.copied().all(is_plain_zero), "{estimator:?}");
        }
    }
}

#[test]
fn one_policy_token_in_the_batch() {
    let one = with_greedy(vec![full(1, 1.0), Response::new(0, 0.0)]);
    let mut refused = 0;
    for (estimator, whitens) in everything() {
        let result = estimator.estimate(&one);
        if whitens {
            assert_eq!(result, Err(E::TooFewToWhiten { found: 1 }), "{estimator:?}");
            refused += 1;
        } else {
            let result = result.unwrap_or_else(|error| panic!("{estimator:?}: {error}"));
            assert!(result.advantages()[0].is_finite());
        }
    }
    assert_eq!(refused, 3 + 2, "and two of PRIME's presets");
    let gae = Gae::default().with_whiten(true).estimate(&one);
    assert_eq!(gae, Err(E::TooFewToWhiten { found: 1 }));
}
