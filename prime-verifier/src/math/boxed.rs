//! One number in a box.

use super::{Rational, last_boxed};
use crate::{Detail, Score, Verdict, Verifier};

/// Right if the last `\boxed{…}` of the response is exactly the ground truth's number.
///
/// Numbers are read by [`Rational::parse`] and compared by value, with no tolerance. The ground truth may
/// stand in a box of its own.
///
/// | response | verdict |
/// |---|---|
/// | no whole box, or a blank one | 0, [`Detail::NoAnswer`] |
/// | box holds no number, or one beyond the parser's bounds | 0, [`Detail::Unreadable`] |
/// | box holds a number | 0 or 1, [`Detail::Compared`] |
///
/// A ground truth that is not a number within those bounds is [`Verdict::CouldNotJudge`], whatever the
/// response: were only equal texts judged, the failures among them would vanish from the average.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BoxedAnswer;

impl Verifier for BoxedAnswer {
    fn name(&self) -> &str {
        "boxed_answer"
    }

    fn verify(&self, response: &str, ground_truth: &str) -> Verdict {
        let truth = last_boxed(ground_truth)
            .map_or(ground_truth, |found| found.content)
            .trim();
        let expected = match Rational::parse(truth) {
            Ok(expected) => expected,
            Err(error) => {
                return Verdict::could_not_judge(format!(
                    "the ground truth {} cannot be used: {error}",
                    quoted(truth)
                ));
            }
        };
        let answer = match last_boxed(response) {
            Some(found) if !found.content.trim().is_empty() => found.content,
            _ => return Verdict::judged(Score::ZERO, Detail::NoAnswer),
        };
        match Rational::parse(answer) {
            Ok(answer) => Verdict::compared(answer == expected),
            Err(error) => Verdict::judged(
                Score::ZERO,
                Detail::Unreadable {
                    why: error.to_string(),
                },
            ),
        }
    }
}

/// The beginning of a text, for a message.
fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
