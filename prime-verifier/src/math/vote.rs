//! Whether two answers to one problem are the same vote.

use super::answer::Answer;
use super::grade::{MathVerdict, compare_answers};
use super::verifier::MathVerifier;

impl MathVerifier {
    /// Whether two answers say the same, as this grader compares an answer with a gold one. Two that are beyond its budget or
    /// its methods are not the same, and neither are two empty ones.
    ///
    /// Where a convention of writing is lenient, `5\%` is the same as `5` and as `0.05`, which are not the same: whoever groups
    /// answers compares with one of each group.
    ///
    /// ```
    /// use prime_verifier::math::{Answer, MathVerifier};
    ///
    /// let grader = MathVerifier::default();
    /// assert!(grader.same_answer(&Answer::read(r"\frac12"), &Answer::read("0.5")));
    /// assert!(!grader.same_answer(&Answer::read("1"), &Answer::read("2")));
    /// ```
    pub fn same_answer(&self, one: &Answer, other: &Answer) -> bool {
        let compared = compare_answers(one.clone(), other.clone(), self.policy(), self.budget());
        compared.verdict == MathVerdict::Equal
    }
}
