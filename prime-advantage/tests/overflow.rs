//! Finite inputs whose result does not fit an `f32`: an error that names the token.

mod common;

use AdvantageError as E;
use common::{LOG_PROBS, SQUARES, assert_words, batch, group, run};
use prime_advantage::{
    AdvantageError, AdvantageEstimator, Gae, Gpg, OptimalTokenBaseline, Prime, PromptGroup,
    Reinforce, ReinforcePlusPlus, Remax, Response, RewardBatch, Rloo, Term, ValueBaseline,
};

/// Finite inputs whose result does not fit: an error that names the first such token.
#[test]
fn overflow_names_the_token() {
    let large = [0.0, f32::MAX, f32::MAX];
    let negative = large.map(|x| -x);
    let at = |group, response, token| E::ResultNotFinite {
        group,
        response,
        token,
    };
    let fine = Response::new(2, 0.0)
        .with_process_rewards(&[0.0, 0.0])
        .with_values(&[0.0, 0.0])
        .with_old_log_probs(&LOG_PROBS[..2])
        .with_sum_pi_squared(&SQUARES[..2]);
    let bad = Response::new(3, 0.0)
        .with_process_rewards(&large)
        .with_values(&[0.0; 3])
        .with_old_log_probs(&LOG_PROBS[..3])
        .with_sum_pi_squared(&SQUARES[..3]);
    let dense = |bad| {
        let group = PromptGroup::new(vec![fine, fine]).expect("valid");
        let first = group.with_greedy(Response::new(0, 0.0)).expect("valid");
        let group = PromptGroup::new(vec![fine, bad]).expect("valid");
        let second = group.with_greedy(Response::new(0, 0.0)).expect("valid");
        RewardBatch::new(vec![first, second]).expect("valid")
    };
    let process: [Term; 5] = [
        ReinforcePlusPlus::default().into(),
        Gae::default().into(),
        Gae::default().with_whiten(true).into(),
        Remax::default().into(),
        OptimalTokenBaseline::default().into(),
    ];
    for term in process {
        let error = term.estimate(&dense(bad)).expect_err("overflow");
        assert_eq!(error, at(1, 1, 0), "{term:?}");
        assert_words(
            &error,
            &[
                "token 0 of response 1 in group 1",
                "f32",
                "scale the rewards down",
            ],
        );
    }
    // The value before a token leaves its own reward out.
    let value_baseline = ValueBaseline::default();
    let fits = run(&value_baseline, &dense(bad.with_process_rewards(&negative)));
    let own = fits.response(1, 1).expect("in range").advantages();
    assert_eq!(own, [0.0, 0.0, f32::MAX]);
    let three = [f32::MAX; 3];
    let error = value_baseline.estimate(&dense(bad.with_process_rewards(&three)));
    assert_eq!(error, Err(at(1, 1, 2)));
    let prime = Prime::paper().with_process(Reinforce::default());
    assert_eq!(prime.estimate(&dense(bad)), Err(at(1, 1, 0)));
    assert_eq!(
        prime.with_whiten(true).estimate(&dense(bad)),
        Err(at(1, 1, 0))
    );
    // An advantage may fit where its critic's target does not.
    let process = [f32::MAX, f32::MAX / 2.0];
    let target = Response::new(2, 0.0)
        .with_process_rewards(&process)
        .with_values(&process);
    let gae = Gae::default().estimate(&batch(vec![vec![target]]));
    assert_eq!(gae, Err(at(0, 0, 0)));

    let outcomes = [f32::MAX, f32::MIN];
    let wide = batch(vec![
        vec![Response::new(0, 0.0); 2],
        group(&[1, 1], &outcomes),
    ]);
    assert_eq!(Rloo::default().estimate(&wide), Err(at(1, 0, 0)));
    let gpg = Gpg::default().with_f_norm(1e-3);
    assert_eq!(gpg.estimate(&wide), Err(at(1, 0, 0)));
    let weights = Prime::paper().with_process_coef(0.0).with_outcome_coef(1e3);
    assert_eq!(weights.estimate(&wide), Err(at(1, 0, 0)));
    // Nobody reads the advantage of an empty response.
    let unread = batch(vec![group(&[0, 0], &outcomes)]);
    assert!(Rloo::default().estimate(&unread).is_ok());
}
