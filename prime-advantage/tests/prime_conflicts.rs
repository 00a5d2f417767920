//! What PRIME's halves need, and which of them do not go together.

mod common;

use common::{assert_words, batch, every_term, naive, run};
use prime_advantage::{
    AdvantageError, AdvantageEstimator, Gae, Grpo, Prime, ReinforcePlusPlus, Remax, Response,
    ResponseField, Rloo, ValueBaseline,
};

/// Coefficient 0 switches a half off, with all that it needs.
#[test]
fn a_half_without_weight_needs_nothing() {
    let bare = batch(vec![common::group(&[2, 1], &[1.0, 0.0])]);
    let prime = Prime::paper()
        .with_process(Gae::default().with_gamma(f64::NAN))
        .with_process_coef(0.0);
    let alone = run(&Rloo::default(), &bare);
    common::assert_same_bits(&run(&prime, &bare), &alone);

    let process = [0.5f32, -0.5];
    let single = Response::new(2, 1.0).with_process_rewards(&process);
    let single = batch(vec![vec![single]]);
    let prime = Prime::paper()
        .with_process(Grpo::default())
        .with_outcome_coef(0.0);
    assert_eq!(run(&prime, &single).advantages(), [0.0, 0.0]);
}

#[test]
fn what_a_half_lacks_is_named() {
    let process = [0.5f32, -0.5];
    let full = Response::new(2, 1.0).with_process_rewards(&process);
    let dense = batch(vec![vec![full, full]]);
    let bare = batch(vec![vec![Response::new(2, 1.0); 2]]);
    let missing = |error: AdvantageError| match error {
        AdvantageError::MissingInput {
            estimator, field, ..
        } => (estimator, field),
        other => panic!("{other}"),
    };
    let with_gae = Prime::paper().with_outcome(Gae::default());
    let error = with_gae.estimate(&dense).expect_err("no values");
    assert_eq!(missing(error), ("gae".to_owned(), ResponseField::Values));
    for process in every_term() {
        let prime = Prime::paper().with_process(process);
        let error = prime.estimate(&bare).expect_err("no process rewards");
        let expected = ("prime".to_owned(), ResponseField::ProcessRewards);
        assert_eq!(missing(error), expected, "{prime:?}");
    }
    let remax = Remax::default();
    let error = Prime::paper().with_process(remax).estimate(&dense);
    let error = error.expect_err("no greedy response");
    assert!(matches!(
        error,
        AdvantageError::MissingGreedy { group: 0, .. }
    ));
}

/// A discount of PRIME's own beside an estimator that sums by itself.
#[test]
fn a_second_discount_is_a_conflict() {
    for term in every_term() {
        let sums_itself = !naive::scores_responses(&term);
        let process = Prime::paper()
            .with_process(term.clone())
            .with_process_gamma(0.9);
        let outcome = Prime::paper()
            .with_outcome(term.clone())
            .with_outcome_gamma(0.9);
        for (prime, knob) in [
            (process, "process_gamma"),
            (outcome.with_process_coef(0.0), "outcome_gamma"),
        ] {
            match prime.validate() {
                Ok(()) => assert!(!sums_itself, "{prime:?}"),
                Err(error) => {
                    assert!(sums_itself, "{prime:?}: {error}");
                    assert!(matches!(
                        error,
                        AdvantageError::Conflict { owner: "prime", .. }
                    ));
                    assert_words(&error, &[knob, term.name()]);
                }
            }
        }
    }
}

#[test]
fn two_critics_must_agree() {
    let prime = Prime::paper()
        .with_process(Gae::new(1.0, 0.95))
        .with_outcome(Gae::new(1.0, 1.0));
    let error = prime.validate().expect_err("two critics");
    assert!(matches!(
        error,
        AdvantageError::Conflict { owner: "prime", .. }
    ));
    assert_words(&error, &["`process`", "`outcome`", "0.95", "same knobs"]);
    assert_eq!(prime.with_process_coef(0.0).validate(), Ok(()));
    // A critic in one half only is no conflict.
    let one = Prime::paper()
        .with_process(ReinforcePlusPlus::default())
        .with_outcome(Gae::default());
    assert_eq!(one.validate(), Ok(()));
    let value = Prime::paper().with_process(ValueBaseline::default());
    assert_eq!(value.validate(), Ok(()));
}
