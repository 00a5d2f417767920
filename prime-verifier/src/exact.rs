//! The whole response, to the letter.

use crate::{Detail, Score, Verdict, Verifier};

/// Right if the response equals the ground truth, blanks around either aside.
///
/// A blank response has no answer (score 0); a blank ground truth cannot be judged against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExactMatch;

impl Verifier for ExactMatch {
    fn name(&self) -> &str {
        "exact_match"
    }

    fn verify(&self, response: &str, ground_truth: &str) -> Verdict {
        let (answer, expected) = (response.trim(), ground_truth.trim());
        if expected.is_empty() {
            Verdict::could_not_judge("the ground truth is empty")
        } else if answer.is_empty() {
            Verdict::judged(Score::ZERO, Detail::NoAnswer)
        } else {
            Verdict::compared(answer == expected)
        }
    }
}
