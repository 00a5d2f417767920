//! What holds for all answers: comparisons are symmetric, reflexive, blind to layout, and right about algebra.
#![cfg(feature = "math")]

mod algebra;
mod answers;
mod collections;
mod equivalence;
mod layout;
mod numbers;
mod signs;

use prime_verifier::math::{MathPolicy, MathVerdict, compare};
use proptest::prelude::*;

fn strict(gold: &str, answer: &str) -> MathVerdict {
    compare(gold, answer, &MathPolicy::strict()).verdict
}

fn lenient(gold: &str, answer: &str) -> MathVerdict {
    compare(gold, answer, &MathPolicy::default()).verdict
}

/// Equal as mathematics: to the strictest reader, and so to any.
fn same(gold: &str, answer: &str) -> Result<(), TestCaseError> {
    both(gold, answer, MathVerdict::Equal)
}

/// Different as mathematics, and no convention makes up for it.
fn different(gold: &str, answer: &str) -> Result<(), TestCaseError> {
    both(gold, answer, MathVerdict::NotEqual)
}

fn both(gold: &str, answer: &str, expected: MathVerdict) -> Result<(), TestCaseError> {
    let found = [strict(gold, answer), lenient(gold, answer)];
    prop_assert_eq!(
        found,
        [expected; 2],
        "{} ~ {}, strict and default",
        gold,
        answer
    );
    Ok(())
}
