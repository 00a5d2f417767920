//! Answers in LaTeX: finding them ([`last_boxed`]), reading them ([`Rational`]), marking them
//! ([`BoxedAnswer`]).

mod boxed;
mod extract;
mod rational;

pub use boxed::BoxedAnswer;
pub use extract::{Boxed, last_boxed};
pub use rational::{MAX_BYTES, MAX_EXPONENT, NotRational, Rational};
