//! Whether what a program printed is what it should have printed.

mod decimal;
mod text;

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use decimal::Decimal;
use text::{lines, tokens};

pub(super) use decimal::within;

/// How a program's output is held against the expected output.
///
/// A configuration file names it with a string: `"default"`, `"exact"`, `"lines"`, `"float(1e-4)"`,
/// `"unordered"`. No checker takes more than linear time, and none reads an output on after the first
/// difference.
///
/// Lines end with `\n`; blanks are the other ASCII white space, `\r` among it; a token is what stands between
/// blanks. A *decimal* is a token of ASCII digits with at most one point and one exponent, such as `-2`, `+.5`
/// or `1e-7`; `nan`, `inf`, `0x10`, `1_000` and digits of other scripts are words.
///
/// ```
/// use prime_verifier::code::Checker;
///
/// let checker = Checker::default();
/// assert!(checker.accepts(b"1 2.50 \r\n\n", b"1 2.5"));
/// assert!(!checker.accepts(b"1\n2.5", b"1 2.5"));
/// assert!("float(1e-4)".parse::<Checker>()?.accepts(b"3.1416", b"3.14159"));
/// # Ok::<(), prime_verifier::code::CheckerError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Checker {
    /// Line by line, token by token.
    ///
    /// Blanks around tokens and blank lines *at the end* do not count; all other blank lines do, at the
    /// beginning too. Tokens are equal if their bytes are, or if both are decimals, at least one of them with a
    /// point or an exponent, that differ by no more than 1e-6 (relative to the expected one where that is
    /// beyond ±1). So `2.0` is `2`, but of two whole numbers every digit counts. Numbers too large for a
    /// double are words.
    #[default]
    Default,
    /// Byte by byte.
    Exact,
    /// Line by line, byte by byte, but for blanks at the end of a line and blank lines at the end.
    Lines,
    /// Like [`Checker::Default`] with another tolerance, and all decimals are doubles, whole numbers too
    /// (testlib's `rcmp4`, `rcmp6` and `rcmp9`, except that lines count).
    Float {
        /// The largest difference, relative to the expected number where that is beyond ±1.
        epsilon: f64,
    },
    /// Lines in any order, each as often as expected; blank lines do not count.
    ///
    /// Tokens are words, except that a decimal with a point or an exponent equals every other spelling of
    /// exactly that number: `2.0`, `2.00`, `2e0` and `2`. There is no tolerance: "close to" pairs lines up
    /// in more than one way.
    Unordered,
}

/// A checker that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckerError {
    /// No checker has this name.
    #[error(
        "unknown checker {name:?}; known are \"default\", \"exact\", \"lines\", \"unordered\" and \
         \"float(…)\" with a tolerance, such as \"float(1e-4)\""
    )]
    UnknownName {
        /// The name that was asked for.
        name: String,
    },
    /// A tolerance that is none.
    #[error(
        "tolerance {epsilon:?} of checker \"float(…)\" is not a decimal number between 0 and 1"
    )]
    BadEpsilon {
        /// What stands between the parentheses.
        epsilon: String,
    },
}

impl Checker {
    /// Whether `output` is right where `expected` is.
    pub fn accepts(&self, output: &[u8], expected: &[u8]) -> bool {
        if output == expected {
            return true;
        }
        match self {
            Self::Default => same(tokens(output), tokens(expected), default_equal),
            Self::Exact => false,
            Self::Lines => same(lines(output), lines(expected), |line, expected| {
                line == expected
            }),
            Self::Float { epsilon } => same(tokens(output), tokens(expected), |token, expected| {
                float_equal(token, expected, *epsilon)
            }),
            Self::Unordered => same_lines(output, expected),
        }
    }
}

/// Whether two texts have equal pieces with equally many line breaks before each.
fn same<'t>(
    mut output: impl Iterator<Item = (usize, &'t [u8])>,
    mut expected: impl Iterator<Item = (usize, &'t [u8])>,
    equal: impl Fn(&[u8], &[u8]) -> bool,
) -> bool {
    loop {
        // The expected text first: a long output behind its end is not even looked at but for blanks.
        match (expected.next(), output.next()) {
            (None, None) => return true,
            (Some((breaks, expected)), Some((found, piece)))
                if breaks == found && equal(piece, expected) => {}
            _ => return false,
        }
    }
}

const DEFAULT_EPSILON: f64 = 1e-6;

fn default_equal(token: &[u8], expected: &[u8]) -> bool {
    token == expected
        || match (Decimal::read(token), Decimal::read(expected)) {
            (Some(token), Some(expected)) if !(token.is_whole() && expected.is_whole()) => {
                within(token.value(), expected.value(), DEFAULT_EPSILON)
            }
            _ => false,
        }
}

fn float_equal(token: &[u8], expected: &[u8], epsilon: f64) -> bool {
    token == expected
        || match (Decimal::read(token), Decimal::read(expected)) {
            (Some(token), Some(expected)) => within(token.value(), expected.value(), epsilon),
            _ => false,
        }
}

fn same_lines(output: &[u8], expected: &[u8]) -> bool {
    let mut wanted = HashMap::<Vec<u8>, usize>::new();
    let mut longest = 0;
    let mut missing = 0;
    each_line(expected, usize::MAX, |line| {
        longest = longest.max(line.len());
        missing += 1;
        match wanted.get_mut(line) {
            Some(count) => *count += 1,
            None => drop(wanted.insert(line.to_vec(), 1)),
        }
        true
    });
    let all_wanted = each_line(output, longest, |line| match wanted.get_mut(line) {
        Some(count @ 1..) => {
            *count -= 1;
            missing -= 1;
            true
        }
        _ => false,
    });
    all_wanted && missing == 0
}

/// Calls `take` with each line that is not blank, spelled so that equal lines are the same bytes, until it or
/// a line longer than `longest` says no.
fn each_line(text: &[u8], longest: usize, mut take: impl FnMut(&[u8]) -> bool) -> bool {
    let mut line = vec![];
    for (breaks, token) in tokens(text) {
        if breaks > 0 && !line.is_empty() {
            if !take(&line) {
                return false;
            }
            line.clear();
        }
        decimal::spell(token, &mut line);
        if line.len() > longest {
            return false;
        }
    }
    line.is_empty() || take(&line)
}

impl fmt::Display for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Exact => f.write_str("exact"),
            Self::Lines => f.write_str("lines"),
            Self::Float { epsilon } => write!(f, "float({epsilon:e})"),
            Self::Unordered => f.write_str("unordered"),
        }
    }
}

impl FromStr for Checker {
    type Err = CheckerError;

    fn from_str(name: &str) -> Result<Self, CheckerError> {
        Ok(match name {
            "default" => Self::Default,
            "exact" => Self::Exact,
            "lines" => Self::Lines,
            "unordered" => Self::Unordered,
            _ => {
                let text = name
                    .strip_prefix("float(")
                    .and_then(|rest| rest.strip_suffix(')'))
                    .ok_or_else(|| CheckerError::UnknownName {
                        name: name.to_owned(),
                    })?;
                let epsilon = Decimal::read(text.as_bytes())
                    .map(|epsilon| epsilon.value())
                    .filter(|epsilon| *epsilon > 0.0 && *epsilon < 1.0)
                    .ok_or_else(|| CheckerError::BadEpsilon {
                        epsilon: text.to_owned(),
                    })?;
                Self::Float { epsilon }
            }
        })
    }
}

impl TryFrom<String> for Checker {
    type Error = CheckerError;

    fn try_from(name: String) -> Result<Self, CheckerError> {
        name.parse()
    }
}

impl From<Checker> for String {
    fn from(checker: Checker) -> Self {
        checker.to_string()
    }
}
