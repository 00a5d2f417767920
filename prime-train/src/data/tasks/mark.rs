//! Marking a response: pieces between separators, compared with the ground truth.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{EOS, Problem, SEPARATOR};

/// What a response has to achieve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassMark {
    /// 1 with at least this many right answers, else 0.
    AtLeast(usize),
    /// 1 with every answer right, else 0.
    All,
    /// The fraction of right answers.
    Fraction,
}

impl PassMark {
    /// The outcome, in `[0, 1]`, of `right` right answers among `answers`.
    pub fn outcome(self, right: usize, answers: usize) -> f32 {
        let passed = match self {
            PassMark::AtLeast(mark) => right >= mark,
            PassMark::All => right == answers,
            PassMark::Fraction if answers > 0 => return right as f32 / answers as f32,
            PassMark::Fraction => false,
        };
        f32::from(u8::from(passed))
    }
}

impl fmt::Display for PassMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PassMark::AtLeast(mark) => write!(f, "{mark}"),
            PassMark::All => f.write_str("all"),
            PassMark::Fraction => f.write_str("fraction"),
        }
    }
}

/// A whole number, `"all"` or `"fraction"`.
impl Serialize for PassMark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            PassMark::AtLeast(mark) => serializer.serialize_u64(*mark as u64),
            _ => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for PassMark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PassMarkVisitor)
    }
}

struct PassMarkVisitor;

impl de::Visitor<'_> for PassMarkVisitor {
    type Value = PassMark;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number of right answers, \"all\" or \"fraction\"")
    }

    fn visit_u64<E: de::Error>(self, mark: u64) -> Result<PassMark, E> {
        usize::try_from(mark)
            .map(PassMark::AtLeast)
            .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(mark), &self))
    }

    fn visit_i64<E: de::Error>(self, mark: i64) -> Result<PassMark, E> {
        usize::try_from(mark)
            .map(PassMark::AtLeast)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(mark), &self))
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<PassMark, E> {
        match word {
            "all" => Ok(PassMark::All),
            "fraction" => Ok(PassMark::Fraction),
            _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
        }
    }
}

/// A marked response.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// For each answer of the problem, in order: is it right?
    pub right: Vec<bool>,
    /// The outcome reward, in `[0, 1]`.
    pub outcome: f32,
    /// Whether the response has exactly as many answers as the problem.
    pub well_formed: bool,
}

/// Token positions between separators, up to the first `<eos>`.
pub(crate) fn pieces(response: &[String]) -> Vec<Range<usize>> {
    let end = response
        .iter()
        .position(|token| token == EOS)
        .unwrap_or(response.len());
    let mut pieces = Vec::new();
    let mut start = 0;
    for (position, token) in response[..end].iter().enumerate() {
        if token == SEPARATOR {
            pieces.push(start..position);
            start = position + 1;
        }
    }
    pieces.push(start..end);
    pieces
}

pub(super) fn mark(problem: &Problem, response: &[String], pass_mark: PassMark) -> Mark {
    let written: Vec<String> = pieces(response)
        .into_iter()
        .map(|piece| response[piece].concat())
        .collect();
    let expected: Vec<&str> = problem.ground_truth.split(SEPARATOR).collect();
    let right: Vec<bool> = expected
        .iter()
        .enumerate()
        .map(|(i, expected)| written.get(i).is_some_and(|given| given == expected))
        .collect();
    let count = right.iter().filter(|&&right| right).count();
    let outcome = if written.len() > expected.len() {
        // Otherwise writing on and on would be free.
        0.0
    } else {
        pass_mark.outcome(count, expected.len())
    };
    Mark {
        well_formed: written.len() == expected.len(),
        right,
        outcome,
    }
}
