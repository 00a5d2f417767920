//! What can be wrong with the way a verifier is set up.

/// A verifier or score that cannot exist as asked for.
///
/// Nothing a *response* contains ever leads here: responses are judged, and a ground truth that cannot be
/// used is a [`Verdict::CouldNotJudge`](crate::Verdict::CouldNotJudge).
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierError {
    /// A score outside 0..=1, or NaN.
    #[error("score {score} is outside 0..=1; scale it, or return `CouldNotJudge` if there is none")]
    ScoreOutOfRange {
        /// The value that was offered.
        score: f32,
    },
    /// A separator that can also be part of an answer.
    #[error(
        "separator {separator:?} can be part of an answer; choose a character that is none of: \
         letters, digits, `\\`, `{{`, `}}`, `+`, `-`, `.`, `/`"
    )]
    BadSeparator {
        /// The separator that was asked for.
        separator: char,
    },
    /// A grader of programs that cannot be set up.
    #[cfg(feature = "code")]
    #[error(transparent)]
    Code(#[from] crate::code::CodeError),
}
