//! Ground truths that hold no tests.

use crate::code::value::JsonError;

/// A ground truth that cannot be used. Never the model's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CasesError {
    /// Not JSON at all.
    #[error(
        "the test cases are not JSON ({why}); write an object {{\"inputs\": […], \"outputs\": […]}} \
         with `json.dumps`"
    )]
    NotJson {
        /// What the parser says.
        why: String,
    },
    /// JSON, but not an object.
    #[error(
        "the test cases are {found}; they should be an object {{\"inputs\": […], \"outputs\": […]}}"
    )]
    NotAnObject {
        /// What they are.
        found: &'static str,
    },
    /// A field is missing or null.
    #[error("the test cases have no `{field}`; it is a list with one entry for each test")]
    Missing {
        /// Which.
        field: &'static str,
    },
    /// A field that should be a list is not.
    #[error("`{field}` is {found}; it should be a list with one entry for each test")]
    NotAList {
        /// Which.
        field: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// More inputs than outputs, or fewer.
    #[error("{inputs} `inputs`, but {outputs} `outputs`; each test has one of both")]
    UnequalLengths {
        /// Number of inputs.
        inputs: usize,
        /// Number of outputs.
        outputs: usize,
    },
    /// Two empty lists.
    #[error(
        "`inputs` and `outputs` are empty; a program without tests cannot be judged, leave the problem out"
    )]
    NoTests,
    /// The function's name is not a name.
    #[error(
        "`fn_name` {name:?} is not the name of a function: ASCII letters, digits and `_`, no keyword, no \
         dots (a method of `class Solution` goes by its own name); leave it out for a program that reads \
         standard input"
    )]
    BadFnName {
        /// What it is.
        name: String,
    },
    /// An input or output of the wrong type.
    #[error("`{field}[{index}]` has {found} where {wanted} should be")]
    Unusable {
        /// The list it is in.
        field: &'static str,
        /// Its place there, from 0.
        index: usize,
        /// What it is.
        found: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// A line of an input that is not one argument.
    #[error(
        "`inputs[{index}]`, line {line}: {why}; with `fn_name`, each line is one argument in JSON \
         (strings in quotes), or the input is a list of the arguments"
    )]
    BadArgument {
        /// The input's place, from 0.
        index: usize,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: JsonError,
    },
    /// A value this crate cannot hold.
    #[error("`{field}[{index}]`: {why}")]
    BadValue {
        /// The list it is in.
        field: &'static str,
        /// Its place there, from 0.
        index: usize,
        /// What is wrong with it.
        why: JsonError,
    },
}

pub(super) const TEXT: &str =
    "text (a string, or a list of strings, its lines; `fn_name` is needed for other values)";
pub(super) const CALL_INPUT: &str =
    "a list of arguments, or a string with one argument in JSON a line,";
