//! Graders of your own: a process, or an HTTP endpoint. JSON in, JSON out, three-valued.
//!
//! **In:** one JSON object for each response, with whatever fields the caller has; an `id` is added to it.
//! **Out:** an object with that `id`, a `score` from 0 to 1, and perhaps a `detail`. `"score": null` with a `reason` says that
//! there is no score. A grader that crashes, hangs, answers with something else or with a score out of range has not judged:
//! that is a reason too, and never a score of 0.
//!
//! These graders run with your rights and outside any sandbox: they are yours. A program that a *model* wrote goes to
//! [`CodeVerifier`](crate::code::CodeVerifier).

mod answer;
#[cfg(feature = "command")]
mod command;
mod error;
#[cfg(feature = "http")]
mod http;

use serde_json::{Map, Value};

use crate::Score;

#[cfg(feature = "command")]
pub use command::{CommandConfig, CommandGrader};
pub use error::GraderError;
#[cfg(feature = "http")]
pub use http::{HttpConfig, HttpGrader};

/// A score from a grader of your own.
#[derive(Debug, Clone, PartialEq)]
pub struct Graded {
    /// The score.
    pub score: Score,
    /// What the grader has to say about it: text as it is, anything else as JSON.
    pub detail: Option<String>,
}

/// Asked about many responses at once.
pub trait ExternalGrader: Send + Sync {
    /// What the grader says about each request, in order; an error is the reason why there is no score.
    fn grade(&self, requests: &[Map<String, Value>]) -> Vec<Result<Graded, String>>;
}
