//! A list of answers, marked position by position.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use crate::math::last_boxed;
use crate::{Detail, Judgement, Score, Verdict, Verifier, VerifierError};

/// What a list of answers has to get right for which score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mark {
    /// Score 1 from this many right answers on, else 0.
    PassMark(NonZeroUsize),
    /// Score 1 if every answer is right, else 0.
    All,
    /// The right answers' share of the ground truth's.
    Fraction,
}

/// Marks `12,07,…` against `12,07,…`, position by position.
///
/// * Answers are compared as **text**, blanks around each aside: `7` is not `07`. Lists have one spelling
///   that the task lays down, and the spelling is part of what is taught.
/// * If the last answer is nothing but a `\boxed{…}`, its content counts, so `3,7,\boxed{4}` reads `3,7,4`.
/// * A missing answer is wrong. **Too many answers score 0 under every mark**, or a response could spray
///   guesses; a separator after the last answer starts one more.
/// * [`Verdict::steps`] has one flag for each answer of the ground truth, also when the score is 0 for its
///   length.
/// * A ground truth without answers, with a blank one, or with fewer than the pass mark cannot be judged
///   against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerList {
    separator: char,
    mark: Mark,
}

impl AnswerList {
    /// A marker of lists with `separator` between answers.
    ///
    /// # Errors
    /// [`VerifierError::BadSeparator`] if `separator` can be part of an answer: a letter, a digit or one of
    /// `\ { } + - . /`.
    pub fn new(separator: char, mark: Mark) -> Result<Self, VerifierError> {
        if separator.is_alphanumeric() || r"\{}+-./".contains(separator) {
            return Err(VerifierError::BadSeparator { separator });
        }
        Ok(Self { separator, mark })
    }

    fn expected<'t>(&self, ground_truth: &'t str) -> Result<Vec<&'t str>, String> {
        if ground_truth.trim().is_empty() {
            return Err("the ground truth has no answers".to_owned());
        }
        let expected: Vec<_> = answers(ground_truth, self.separator).collect();
        let count = expected.len();
        if let Some(position) = expected.iter().position(|answer| answer.is_empty()) {
            return Err(format!(
                "answer {} of the ground truth's {count} is blank",
                position + 1
            ));
        }
        match self.mark {
            Mark::PassMark(pass_mark) if pass_mark.get() > count => Err(format!(
                "the pass mark is {pass_mark}, but the ground truth has only {count} answers"
            )),
            _ => Ok(expected),
        }
    }

    fn score(&self, right: usize, of: usize) -> Score {
        match self.mark {
            Mark::PassMark(pass_mark) => Score::from(right >= pass_mark.get()),
            Mark::All => Score::from(right == of),
            Mark::Fraction => Score::share(right, of),
        }
    }
}

impl Verifier for AnswerList {
    fn name(&self) -> &str {
        "answer_list"
    }

    fn verify(&self, response: &str, ground_truth: &str) -> Verdict {
        let expected = match self.expected(ground_truth) {
            Ok(expected) => expected,
            Err(reason) => return Verdict::CouldNotJudge { reason },
        };
        let mut steps = vec![false; expected.len()];
        if response.trim().is_empty() {
            return Verdict::Judged(Judgement {
                score: Score::ZERO,
                detail: Detail::NoAnswer,
                steps: Some(steps),
            });
        }

        let mut found = 0;
        for answer in answers(response, self.separator) {
            if let Some(expected) = expected.get(found) {
                steps[found] = answer == *expected;
            }
            found += 1;
        }

        let right = steps.iter().filter(|&&right| right).count();
        let score = if found > expected.len() {
            Score::ZERO
        } else {
            self.score(right, expected.len())
        };
        let detail = if found == expected.len() {
            Detail::Compared
        } else {
            Detail::WrongCount {
                found,
                expected: expected.len(),
            }
        };
        Verdict::Judged(Judgement {
            score,
            detail,
            steps: Some(steps),
        })
    }
}

/// The trimmed answers of a list, the last one without its box.
fn answers(list: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut pieces = list.split(separator).peekable();
    std::iter::from_fn(move || {
        let piece = pieces.next()?.trim();
        Some(if pieces.peek().is_none() {
            unboxed(piece)
        } else {
            piece
        })
    })
}

fn unboxed(answer: &str) -> &str {
    match last_boxed(answer) {
        Some(found) if found.span == (0..answer.len()) => found.content.trim(),
        _ => answer,
    }
}
