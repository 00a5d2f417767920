//! What the test files share: small batches, comparisons, golden cases, random
//! batches, naive estimators and estimators from outside the crate.
#![allow(dead_code)] // each test binary uses its own part

pub mod golden;
pub mod naive;
pub mod own;
pub mod random;

use prime_advantage::{
    AdvantageError, AdvantageEstimator, Advantages, PromptGroup, Response, RewardBatch, Term,
};

/// Relative error 1e-5, with an absolute floor for numbers near zero.
#[track_caller]
pub fn assert_close(case: &str, what: &str, found: f32, expected: f64) {
    let error = (f64::from(found) - expected).abs();
    assert!(
        error <= 1e-5 * expected.abs() + 1e-8,
        "{case}: {what}: found {found}, expected {expected}"
    );
}

/// Advantages response by response.
pub fn advantages(result: &Advantages) -> Vec<&[f32]> {
    result.iter().map(|r| r.advantages()).collect()
}

/// Returns response by response.
pub fn returns(result: &Advantages) -> Vec<&[f32]> {
    result.iter().map(|r| r.returns()).collect()
}

/// Equality of every bit, signs of zero included.
#[track_caller]
pub fn assert_same_bits(left: &Advantages, right: &Advantages) {
    let bits = |xs: &[f32]| xs.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(left.advantages()), bits(right.advantages()));
    assert_eq!(bits(left.returns()), bits(right.returns()));
}

/// An error says all of this.
#[track_caller]
pub fn assert_words(error: &AdvantageError, words: &[&str]) {
    let message = error.to_string();
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
}

/// Whether it is 0.0 with the sign of 0.0.
pub fn is_plain_zero(x: f32) -> bool {
    x.to_bits() == 0
}

/// One group of responses of `tokens[i]` tokens with the given outcome rewards.
pub fn group<'a>(tokens: &[usize], outcomes: &[f32]) -> Vec<Response<'a>> {
    tokens
        .iter()
        .zip(outcomes)
        .map(|(&n, &reward)| Response::new(n, reward))
        .collect()
}

/// Shorthand for batches that must be valid.
#[track_caller]
pub fn batch(groups: Vec<Vec<Response<'_>>>) -> RewardBatch<'_> {
    RewardBatch::from_responses(groups).expect("valid batch")
}

/// Shorthand for estimates that must succeed.
#[track_caller]
pub fn run(estimator: &dyn AdvantageEstimator, batch: &RewardBatch<'_>) -> Advantages {
    estimator
        .estimate(batch)
        .unwrap_or_else(|error| panic!("{}: {error}", estimator.name()))
}

/// Numbers for every field that an estimator reads, cut to a response's length.
pub const REWARDS: [f32; 4] = [0.6, 0.0, -0.3, 0.2];
pub const LOG_PROBS: [f32; 4] = [-0.5, -1.0, -0.25, -2.0];
pub const SQUARES: [f32; 4] = [0.5, 0.4, 0.7, 0.3];

/// A response with all of them: up to four tokens.
pub fn full(tokens: usize, outcome: f32) -> Response<'static> {
    Response::new(tokens, outcome)
        .with_process_rewards(&REWARDS[..tokens])
        .with_values(&REWARDS[..tokens])
        .with_old_log_probs(&LOG_PROBS[..tokens])
        .with_sum_pi_squared(&SQUARES[..tokens])
}

/// One group with a greedy response, whose reward is 0.5 and whose tokens are unknown.
#[track_caller]
pub fn with_greedy(responses: Vec<Response<'_>>) -> RewardBatch<'_> {
    let group = PromptGroup::new(responses).expect("valid");
    let group = group.with_greedy(Response::new(0, 0.5)).expect("valid");
    RewardBatch::new(vec![group]).expect("valid")
}

/// Every estimator of the crate but PRIME, with its default knobs.
pub fn every_term() -> Vec<Term> {
    let mut terms: Vec<Term> = vec![];
    for name in Term::NAMES {
        let term = Term::from_name(name).expect("a listed name");
        if !terms.contains(&term) {
            terms.push(term);
        }
    }
    assert_eq!(terms.len(), 13, "each estimator once, aliases left out");
    terms
}
