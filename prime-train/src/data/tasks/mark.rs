//! Marking a response: pieces between separators, compared with the ground truth.

use std::fmt;
use std::num::NonZeroUsize;
use std::ops::Range;

use prime_verifier::math::last_boxed;
use prime_verifier::{AnswerList, Verifier};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{EOS, SEPARATOR};
use crate::error::ConfigError;

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

/// The list that a response gives, as the verifier reads it: blanks around answers and a box around the last one aside. `None`
/// for a blank response.
pub(crate) fn listed(response: &str) -> Option<String> {
    if response.trim().is_empty() {
        return None;
    }
    let mut answers: Vec<&str> = response.split(SEPARATOR).map(str::trim).collect();
    if let Some(last) = answers.last_mut()
        && let Some(found) = last_boxed(last).filter(|found| found.span == (0..last.len()))
    {
        *last = found.content.trim();
    }
    Some(answers.join(SEPARATOR))
}

/// The verifier that applies `pass_mark` to lists of `answers` answers.
pub(super) fn verifier(
    pass_mark: PassMark,
    answers: usize,
) -> Result<Box<dyn Verifier>, ConfigError> {
    let range = |given: usize| ConfigError::Range {
        key: "data.pass_mark",
        given: given.to_string(),
        need: format!("from 1 to {answers}, the task's number of answers"),
    };
    let mark = match pass_mark {
        PassMark::AtLeast(mark) if mark > answers => return Err(range(mark)),
        PassMark::AtLeast(mark) => {
            prime_verifier::Mark::PassMark(NonZeroUsize::new(mark).ok_or_else(|| range(mark))?)
        }
        PassMark::All => prime_verifier::Mark::All,
        PassMark::Fraction => prime_verifier::Mark::Fraction,
    };
    match AnswerList::new(char::from(SEPARATOR.as_bytes()[0]), mark) {
        Ok(list) => Ok(Box::new(list)),
        Err(error) => Err(ConfigError::Encode {
            reason: error.to_string(),
        }),
    }
}
