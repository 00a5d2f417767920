//! One comparison from text to verdict.

use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::equal::{Comparer, Open, Stage};
use super::layout;
use super::policy::MathPolicy;
use super::prose;

/// Work that one comparison may cost unless told otherwise, in units of about 100 ns.
pub const DEFAULT_BUDGET: u64 = 60_000;

/// What a comparison came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MathVerdict {
    /// The answer says what the gold answer says.
    Equal,
    /// It says something else.
    NotEqual,
    /// There is no answer.
    NoAnswer,
    /// One of the two is not in the language of answers, and the texts differ.
    Unparsed,
    /// The budget ran out, or nothing here can tell the two apart.
    Undecided,
}

impl MathVerdict {
    /// The name that files carry.
    pub fn name(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::NotEqual => "not_equal",
            Self::NoAnswer => "no_answer",
            Self::Unparsed => "unparsed",
            Self::Undecided => "undecided",
        }
    }
}

/// A verdict with what led to it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Comparison {
    /// The verdict.
    pub verdict: MathVerdict,
    /// What decided, for [`MathVerdict::Equal`] and [`MathVerdict::NotEqual`].
    pub stage: Option<Stage>,
    /// The gold answer as it was read.
    pub gold: Answer,
    /// The answer as it was read.
    pub answer: Answer,
    /// For [`MathVerdict::Undecided`]: whether it is the gold answer that is beyond this grader, rather than the answer.
    pub gold_at_fault: bool,
}

impl Comparison {
    /// Whether the verdict is [`MathVerdict::Equal`].
    pub fn is_equal(&self) -> bool {
        self.verdict == MathVerdict::Equal
    }
}

/// Compares two bare answers.
///
/// Deterministic, symmetric, and bounded by [`DEFAULT_BUDGET`]: some milliseconds at most.
///
/// ```
/// use prime_verifier::math::{MathPolicy, MathVerdict, compare};
///
/// let policy = MathPolicy::default();
/// assert!(compare(r"\frac{\sqrt 3}{3}", "1/sqrt(3)", &policy).is_equal());
/// assert!(compare(r"x \in [2, \infty)", r"x \ge 2", &policy).is_equal());
/// assert_eq!(compare("(x+1)^2", "x^2+1", &policy).verdict, MathVerdict::NotEqual);
/// ```
pub fn compare(gold: &str, answer: &str, policy: &MathPolicy) -> Comparison {
    compare_answers(
        Answer::read(gold),
        Answer::read(answer),
        policy,
        DEFAULT_BUDGET,
    )
}

/// Compares two answers that were read before, with a budget in units of about 100 ns.
pub fn compare_answers(
    gold: Answer,
    answer: Answer,
    policy: &MathPolicy,
    budget: u64,
) -> Comparison {
    let (verdict, stage) = decide(&gold, &answer, policy, budget);
    let gold_at_fault = verdict == MathVerdict::Undecided && !decidable(&gold, policy, budget);
    Comparison {
        verdict,
        stage,
        gold,
        answer,
        gold_at_fault,
    }
}

/// Whether a gold answer can be told from others at all.
fn decidable(gold: &Answer, policy: &MathPolicy, budget: u64) -> bool {
    let Ok(tree) = &gold.tree else {
        return false;
    };
    Comparer::new(policy, [gold.text(), ""], budget).is_decidable(tree)
}

fn decide(
    gold: &Answer,
    answer: &Answer,
    policy: &MathPolicy,
    budget: u64,
) -> (MathVerdict, Option<Stage>) {
    use super::parser::SyntaxError;
    if answer.text().is_empty() || answer.syntax_error() == Some(&SyntaxError::Empty) {
        return (MathVerdict::NoAnswer, None);
    }
    if gold.text() == answer.text() {
        return (MathVerdict::Equal, Some(Stage::Text));
    }
    let (Ok(gold_tree), Ok(tree)) = (&gold.tree, &answer.tree) else {
        let opaque = gold.is_opaque() || answer.is_opaque();
        let same = layout::same_without_layout(gold.text(), answer.text())
            || opaque && prose::same_text(gold.text(), answer.text());
        return if same {
            (MathVerdict::Equal, Some(Stage::Text))
        } else if opaque
            && (gold.tree.is_ok() || gold.is_opaque())
            && (answer.tree.is_ok() || answer.is_opaque())
        {
            // Words that are not read equal the same words only.
            (MathVerdict::NotEqual, Some(Stage::Text))
        } else {
            (MathVerdict::Unparsed, None)
        };
    };
    match (&gold.condition, &answer.condition) {
        (Some(a), Some(b)) if !prose::same_condition(a, b) => {
            return (MathVerdict::NotEqual, Some(Stage::Text));
        }
        (Some(_), None) | (None, Some(_)) if !policy.drop_left_side => {
            return (MathVerdict::NotEqual, Some(Stage::Structure));
        }
        _ => {}
    }
    let mut comparer = Comparer::new(policy, [gold.text(), answer.text()], budget);
    // In one order, so that the verdict cannot depend on which of the two is the gold answer.
    let (first, second) = if gold.text() <= answer.text() {
        (gold_tree, tree)
    } else {
        (tree, gold_tree)
    };
    match comparer.compare(first, second) {
        Ok(true) => (MathVerdict::Equal, Some(comparer.stage)),
        Ok(false) => (MathVerdict::NotEqual, Some(comparer.stage)),
        Err(Open::Beyond | Open::Spent) => {
            if layout::same_without_layout(gold.text(), answer.text()) {
                (MathVerdict::Equal, Some(Stage::Text))
            } else {
                (MathVerdict::Undecided, None)
            }
        }
    }
}
