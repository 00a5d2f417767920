//! The trait behind every grader.

use std::fmt;

use crate::Verdict;

/// Holds a response against its ground truth.
///
/// Implementations must answer for *any* text: model output is hostile input. They say
/// [`Verdict::CouldNotJudge`] when the fault is not the model's.
pub trait Verifier: Send + Sync {
    /// A short name for logs and metrics.
    fn name(&self) -> &str;

    /// The verdict on `response`, given the row's `ground_truth`.
    fn verify(&self, response: &str, ground_truth: &str) -> Verdict;
}

impl<V: Verifier + ?Sized> Verifier for Box<V> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn verify(&self, response: &str, ground_truth: &str) -> Verdict {
        (**self).verify(response, ground_truth)
    }
}

/// A closure as a [`Verifier`].
///
/// ```
/// use prime_verifier::{FnVerifier, Verdict, Verifier};
///
/// let polite = FnVerifier::new("polite", |response: &str, _ground_truth: &str| {
///     Verdict::compared(response.contains("please"))
/// });
/// assert_eq!(polite.verify("please wait", "").is_correct(), Some(true));
/// ```
pub struct FnVerifier<F> {
    name: String,
    verify: F,
}

impl<F: Fn(&str, &str) -> Verdict + Send + Sync> FnVerifier<F> {
    /// A verifier called `name` that asks `verify(response, ground_truth)`.
    pub fn new(name: impl Into<String>, verify: F) -> Self {
        Self {
            name: name.into(),
            verify,
        }
    }
}

impl<F: Fn(&str, &str) -> Verdict + Send + Sync> Verifier for FnVerifier<F> {
    fn name(&self) -> &str {
        &self.name
    }

    fn verify(&self, response: &str, ground_truth: &str) -> Verdict {
        (self.verify)(response, ground_truth)
    }
}

impl<F> fmt::Debug for FnVerifier<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnVerifier")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
