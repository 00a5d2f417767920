//! Text in, verdict out.
//!
//! **In:** the text of a response and the ground truth it is held against.
//! **Out:** a [`Verdict`]: judged, with a [`Score`] in 0..=1 and, where the task knows its steps, one
//! flag for each step; or could-not-judge, with the reason. A fault on the grader's side never becomes
//! a score of 0.
//!
//! **What this crate does not know:** tokens, tensors, prompts, data files, or what a score is used for.
//! No verifier here evaluates model output in this process, recurses over it, or takes more than linear time in its length;
//! programs run in a process of their own, in a [`sandbox`].
//!
//! ```
//! # #[cfg(feature = "math")] {
//! use prime_verifier::{Verdict, Verifier, math::MathVerifier};
//!
//! let verifier = MathVerifier::default();
//! let verdict = verifier.verify(r"Half of it, so \boxed{\frac{1}{2}}.", "0.5");
//! assert_eq!(verdict.score(), Some(1.0));
//!
//! // A ground truth that cannot be read is not the model's fault.
//! assert!(matches!(verifier.verify(r"\boxed{2}", r"\frac{2"), Verdict::CouldNotJudge { .. }));
//! # }
//! ```
//!
//! # Choosing a verifier
//! | verifier | reads | score |
//! |---|---|---|
//! | [`ExactMatch`] | the whole response, trimmed | 0 or 1 |
//! | [`MathVerifier`](math::MathVerifier) | the last `\boxed{…}`, or wherever told to look | 0 or 1, mathematical equality |
//! | [`AnswerList`] | a separated list of answers | pass mark, all, or fraction; with steps |
//! | [`CodeVerifier`](code::CodeVerifier) | the program in the last fenced block | share of tests passed, or all or nothing |
//! | [`FnVerifier`] | whatever your closure reads | yours |
//! | [`CommandGrader`](external::CommandGrader), `HttpGrader` | JSON, in a process or at an address of your own | yours |
//!
//! # Feature flags
//! * `math` (default): the verifiers that read LaTeX answers ([`MathVerifier`](math::MathVerifier),
//!   [`AnswerList`]) and the
//!   [`math`] module under them. No process, file or thread in it.
//! * `command` (default), `http`: graders of your own in the module [`external`], as a process or behind HTTP without TLS.
//! * `code` (default): programs graded by their tests, in the modules [`code`] and [`sandbox`]. Sandboxed on Linux only.

#[cfg(feature = "math")]
mod answer_list;
#[cfg(feature = "code")]
pub mod code;
mod config;
mod error;
mod exact;
#[cfg(any(feature = "command", feature = "http"))]
pub mod external;
#[cfg(feature = "math")]
pub mod math;
#[cfg(feature = "code")]
pub mod sandbox;
mod verdict;
mod verifier;

#[cfg(feature = "math")]
pub use answer_list::{AnswerList, Mark};
pub use config::VerifierConfig;
pub use error::VerifierError;
pub use exact::ExactMatch;
pub use verdict::{Detail, Judgement, Score, Verdict};
pub use verifier::{FnVerifier, Verifier};

#[cfg(all(doctest, feature = "math", feature = "code", target_os = "linux"))]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
