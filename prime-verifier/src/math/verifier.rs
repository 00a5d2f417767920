//! Maths answers, graded.

use super::answer::Answer;
use super::extract::{Extraction, Source};
use super::grade::{Comparison, DEFAULT_BUDGET, MathVerdict, compare_answers};
use super::layout;
use super::policy::MathPolicy;
use super::prose;
use crate::{Detail, Score, Verdict, Verifier};

/// Right if the answer in the response equals the ground truth, as mathematics and the policy see it.
///
/// ```
/// use prime_verifier::{Verifier, math::MathVerifier};
///
/// let verifier = MathVerifier::default();
/// let verdict = verifier.verify(r"Half of it, so \boxed{\frac{1}{2}}.", "0.5");
/// assert_eq!(verdict.score(), Some(1.0));
/// ```
///
/// | comparison | verdict |
/// |---|---|
/// | [`MathVerdict::Equal`] | score 1, [`Detail::Compared`] |
/// | [`MathVerdict::NotEqual`] | score 0, [`Detail::Compared`] |
/// | [`MathVerdict::NoAnswer`] | score 0, [`Detail::NoAnswer`] |
/// | [`MathVerdict::Unparsed`], the answer's fault | score 0, [`Detail::Unreadable`] |
/// | [`MathVerdict::Unparsed`], the ground truth's fault | [`Verdict::CouldNotJudge`] |
/// | [`MathVerdict::Undecided`], the answer's fault | score 0, [`Detail::Undecided`] |
/// | [`MathVerdict::Undecided`], the ground truth's fault | [`Verdict::CouldNotJudge`] |
///
/// [`Self::default`] reads boxed answers only and is lenient about writing ([`MathPolicy::default`]). No text makes it
/// panic, recurse without bound or work longer than [`Self::with_budget`] allows; the same pair always gets the same
/// verdict, on any thread.
#[derive(Debug, Clone)]
pub struct MathVerifier {
    extraction: Extraction,
    policy: MathPolicy,
    budget: u64,
}

/// A comparison with the place that the answer was found in.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Grade {
    /// The verdict and both sides. If no answer was found its text is empty.
    pub comparison: Comparison,
    /// Where the answer stood, if it was looked for.
    pub source: Option<Source>,
}

impl Default for MathVerifier {
    fn default() -> Self {
        Self::new(Extraction::boxed(), MathPolicy::default())
    }
}

impl MathVerifier {
    /// A grader that looks for answers as `extraction` says and compares them as `policy` says.
    pub fn new(extraction: Extraction, policy: MathPolicy) -> Self {
        Self {
            extraction,
            policy,
            budget: DEFAULT_BUDGET,
        }
    }

    /// Lets a comparison cost this much, in units of about 100 ns of one core.
    #[must_use]
    pub fn with_budget(mut self, units: u64) -> Self {
        self.budget = units;
        self
    }

    pub(super) fn policy(&self) -> &MathPolicy {
        &self.policy
    }

    pub(super) fn budget(&self) -> u64 {
        self.budget
    }

    /// Grades the answer in a response against any of several gold answers: the first that equals it, or else the first
    /// that is not simply different, or else the first.
    ///
    /// A gold answer may be bare, or stand in a text of its own.
    pub fn grade(&self, response: &str, golds: &[&str]) -> Grade {
        self.best(golds, |gold| {
            let gold = self.gold(gold);
            let found = self.extraction.find_for(response, gold.is_choice_letter());
            match found {
                Some(found) => (gold, Answer::read(&found.text), Some(found.source)),
                None => (gold, Answer::read(""), None),
            }
        })
    }

    /// Grades a bare answer. A box around it, or around its end, comes off.
    pub fn grade_answer(&self, answer: &str, golds: &[&str]) -> Grade {
        let mut read = Answer::read(answer);
        if read.tree.is_err()
            && let Some(found) = Extraction::boxed().find(answer)
        {
            read = Answer::read(&found.text);
        }
        self.best(golds, |gold| (self.gold(gold), read.clone(), None))
    }

    fn best(
        &self,
        golds: &[&str],
        pair: impl Fn(&str) -> (Answer, Answer, Option<Source>),
    ) -> Grade {
        let mut best: Option<Grade> = None;
        for text in golds {
            let (mut gold, answer, source) = pair(text);
            // Whatever becomes of a gold answer in reading, it equals itself.
            if gold.text() != text.trim() && answer.text() == text.trim() {
                gold = Answer::read(text);
            }
            let grade = Grade {
                comparison: compare_answers(gold, answer, &self.policy, self.budget),
                source,
            };
            match grade.comparison.verdict {
                MathVerdict::Equal => return grade,
                MathVerdict::Undecided | MathVerdict::Unparsed
                    if best
                        .as_ref()
                        .is_none_or(|best| best.comparison.verdict == MathVerdict::NotEqual) =>
                {
                    best = Some(grade);
                }
                _ => {
                    best.get_or_insert(grade);
                }
            }
        }
        best.unwrap_or_else(|| {
            let (gold, answer, source) = pair("");
            Grade {
                comparison: compare_answers(gold, answer, &self.policy, self.budget),
                source,
            }
        })
    }

    /// A gold answer: the text if it is an answer, else the answer that it holds.
    fn gold(&self, text: &str) -> Answer {
        // A box inside a text is the answer, also where the text around it happens to parse.
        if let Some(found) = Extraction::boxed().find(text) {
            return Answer::read(&found.text);
        }
        let bare = Answer::read(text);
        let in_prose = bare.tree.is_err() && layout::has_math_marks(text);
        if !in_prose {
            return bare;
        }
        // A text that says where its answer stands. What it says beside that is no answer, but of any other text no part
        // may stand for the whole.
        let places = [Source::FinalAnswer, Source::Answer];
        let stated = Extraction::anywhere().with_sources(places).find(text);
        let passage = stated
            .as_ref()
            .map(|found| &*found.text)
            .or_else(|| prose::only_passage(text));
        match passage.map(Answer::read) {
            Some(read) if read.tree.is_ok() => read,
            _ => bare,
        }
    }

    /// The verdict on a grade, with the reason where there is no score.
    pub fn verdict(&self, grade: &Grade) -> Verdict {
        let comparison = &grade.comparison;
        match comparison.verdict {
            MathVerdict::Equal => Verdict::compared(true),
            // Words that equal no answer: wrong, and why.
            MathVerdict::NotEqual
                if !comparison.gold.is_opaque() && comparison.answer.syntax_error().is_some() =>
            {
                Verdict::judged(Score::ZERO, unreadable(&comparison.answer))
            }
            MathVerdict::NotEqual => Verdict::compared(false),
            MathVerdict::NoAnswer => Verdict::judged(Score::ZERO, Detail::NoAnswer),
            MathVerdict::Unparsed => match comparison.gold.syntax_error() {
                Some(error) => Verdict::could_not_judge(format!(
                    "the ground truth {} cannot be read: {error}",
                    layout::quoted(comparison.gold.text())
                )),
                None => Verdict::judged(Score::ZERO, unreadable(&comparison.answer)),
            },
            MathVerdict::Undecided if !comparison.gold_at_fault => Verdict::judged(
                Score::ZERO,
                Detail::Undecided {
                    why: format!(
                        "whether the answer {} equals the ground truth is beyond the budget or the methods of this grader",
                        layout::quoted(comparison.answer.text())
                    ),
                },
            ),
            MathVerdict::Undecided => Verdict::could_not_judge(format!(
                "whether {} equals the ground truth {} is beyond the budget or the methods of this grader",
                layout::quoted(comparison.answer.text()),
                layout::quoted(comparison.gold.text())
            )),
        }
    }
}

fn unreadable(answer: &Answer) -> Detail {
    let why = answer
        .syntax_error()
        .map_or_else(String::new, ToString::to_string);
    Detail::Unreadable { why }
}

impl Verifier for MathVerifier {
    fn name(&self) -> &str {
        "math"
    }

    fn verify(&self, response: &str, ground_truth: &str) -> Verdict {
        self.verdict(&self.grade(response, &[ground_truth]))
    }
}
