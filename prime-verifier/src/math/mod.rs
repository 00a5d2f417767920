//! Maths answers: finding them ([`Extraction`]), reading them ([`Answer`]), comparing them ([`compare`]), marking them
//! ([`MathVerifier`]).
//!
//! Nothing is evaluated by an interpreter, started as a process, or bounded by a clock: a parser with bounds on length and
//! depth, and arithmetic under a counted budget.

mod answer;
mod ball;
mod budget;
mod display;
mod equal;
mod eval;
mod expr;
mod extract;
mod grade;
mod hash;
mod layout;
mod parser;
mod points;
mod policy;
mod prose;
mod units;
mod verifier;
mod vote;
mod walk;

pub use answer::{Answer, Kind};
pub use equal::Stage;
pub use extract::{Boxed, Extraction, Found, Source, last_boxed};
pub use grade::{Comparison, DEFAULT_BUDGET, MathVerdict, compare, compare_answers};
pub use parser::SyntaxError;
pub use policy::{
    BasePolicy, LogBase, MathPolicy, OrderPolicy, PercentPolicy, Rounding, UnitPolicy,
    VariablePolicy,
};
pub use verifier::{Grade, MathVerifier};
