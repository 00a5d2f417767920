//! Grading of programs by their tests.
//!
//! A program that nobody trusts yields bytes and nothing else: it runs in the [sandbox](crate::sandbox), gets the input of a
//! test, and what it prints or returns is compared out here. The expected output never enters its process, its files, its
//! arguments or its environment.

mod cases;
mod checker;
mod config;
mod error;
mod extract;
mod grade;
mod judge;
mod pool;
mod program;
mod python;
mod runner;
mod value;
mod verifier;

pub use cases::{CallCase, CasesError, StdinCase, TestCases};
pub use checker::{Checker, CheckerError};
pub use config::{CodeConfig, Scoring};
pub use error::CodeError;
pub use extract::last_code_block;
pub use grade::{CodeGrade, TestResult, TestVerdict};
pub use pool::Ticket;
pub use program::DEFAULT_PREAMBLE;
pub use python::Python;
pub use value::{JsonError, JsonValue};
pub use verifier::CodeVerifier;
