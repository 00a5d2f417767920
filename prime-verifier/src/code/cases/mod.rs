//! Tests as data sets write them.

mod error;
mod read;

use std::num::NonZeroUsize;

use super::value::JsonValue;

pub use error::CasesError;

/// The tests of one problem.
///
/// A ground truth is a JSON object `{"inputs": […], "outputs": […], "fn_name": "…"}`, or a JSON string that
/// holds the text of one; fields besides those three are passed over. This is what Eurus-2-RL-Data, APPS,
/// TACO and CodeContests have.
///
/// **Without `fn_name`** (missing, `null` or empty) a program reads standard input. An input or output is a
/// string, or a list of strings: its lines, joined by `\n`. Numbers are refused, as nothing says how they
/// would be spelled.
///
/// **With `fn_name`** that function is called. An input is the list of arguments, or a string with one
/// argument a line, each in JSON; blank lines are skipped. An output is the expected value itself, or a
/// string with its JSON; a string that is not JSON is itself the expected value.
///
/// ```
/// use prime_verifier::code::TestCases;
///
/// let cases = TestCases::parse(r#"{"inputs": ["6\n3"], "outputs": ["2"], "fn_name": "divide"}"#)?;
/// let TestCases::Call { fn_name, cases } = cases else { panic!("it has a function") };
/// assert_eq!((fn_name.as_str(), cases[0].arguments.as_str()), ("divide", "[6,3]"));
/// # Ok::<(), prime_verifier::code::CasesError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum TestCases {
    /// A program that reads standard input and writes standard output.
    Stdin(Vec<StdinCase>),
    /// A function that is called.
    Call {
        /// Its name: an ASCII identifier of Python.
        fn_name: String,
        /// The calls.
        cases: Vec<CallCase>,
    },
}

/// One run of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StdinCase {
    /// What it reads.
    pub input: String,
    /// What it should print.
    pub output: String,
}

/// One call of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct CallCase {
    /// The arguments: a JSON list on one line, its numbers spelled as in the ground truth.
    pub arguments: String,
    /// What the function should return.
    pub expected: JsonValue,
}

impl TestCases {
    /// Reads a ground truth; there is at least one test in it.
    ///
    /// # Errors
    /// [`CasesError`] if it does not have the form above.
    pub fn parse(ground_truth: &str) -> Result<Self, CasesError> {
        read::cases(ground_truth)
    }

    /// How many tests there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Stdin(cases) => cases.len(),
            Self::Call { cases, .. } => cases.len(),
        }
    }

    /// Whether there are none; never so for parsed tests.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps the first `count` tests.
    pub fn truncate(&mut self, count: NonZeroUsize) {
        match self {
            Self::Stdin(cases) => cases.truncate(count.get()),
            Self::Call { cases, .. } => cases.truncate(count.get()),
        }
    }
}
