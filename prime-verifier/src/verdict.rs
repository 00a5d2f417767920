//! What a verifier says about one response.

use serde::{Deserialize, Serialize};

use crate::VerifierError;

/// A score in 0..=1; never NaN.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f32", into = "f32")]
pub struct Score(f32);

impl Score {
    /// Wrong: 0.
    pub const ZERO: Self = Self(0.0);
    /// Right: 1.
    pub const ONE: Self = Self(1.0);

    /// A score from a number.
    ///
    /// # Errors
    /// [`VerifierError::ScoreOutOfRange`] if `score` is not in 0..=1.
    pub fn new(score: f32) -> Result<Self, VerifierError> {
        if (0.0..=1.0).contains(&score) {
            Ok(Self(score))
        } else {
            Err(VerifierError::ScoreOutOfRange { score })
        }
    }

    /// `part` of `whole`, at most 1; 0 of 0 is 0.
    #[cfg(feature = "math")]
    pub(crate) fn share(part: usize, whole: usize) -> Self {
        Self((part.min(whole) as f64 / whole.max(1) as f64) as f32)
    }

    /// The score as a number in 0..=1.
    pub fn get(self) -> f32 {
        self.0
    }
}

impl From<bool> for Score {
    fn from(right: bool) -> Self {
        if right { Self::ONE } else { Self::ZERO }
    }
}

impl TryFrom<f32> for Score {
    type Error = VerifierError;

    fn try_from(score: f32) -> Result<Self, VerifierError> {
        Self::new(score)
    }
}

impl From<Score> for f32 {
    fn from(score: Score) -> Self {
        score.0
    }
}

/// How a score came about: tells a wrong answer from one that was never given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Detail {
    /// An answer was read and held against the ground truth.
    Compared,
    /// The response contains nothing that could be an answer.
    NoAnswer,
    /// There is an answer, but not one this verifier can read.
    Unreadable {
        /// What is the matter with it.
        why: String,
    },
    /// There is an answer, but one that this verifier cannot tell from the ground truth or from anything else.
    Undecided {
        /// What could not be decided.
        why: String,
    },
    /// A list with more or fewer answers than the ground truth.
    WrongCount {
        /// Answers in the response.
        found: usize,
        /// Answers in the ground truth.
        expected: usize,
    },
}

/// A response that was judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The outcome.
    pub score: Score,
    /// How it came about.
    pub detail: Detail,
    /// For tasks that know their steps: whether each is right, one flag for each step of the *ground
    /// truth*, in order. The score need not be their mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<bool>>,
}

/// What a verifier says about one response: judged (with a score) or could-not-judge.
///
/// A response without an answer *is* judged, with score 0: the model wrote nothing that earns a point.
/// `CouldNotJudge` is for faults that are not the model's, such as a ground truth that cannot be read;
/// whoever asked should drop and count the response rather than reward or punish it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The response has a score.
    Judged(Judgement),
    /// There is no score, and 0 would be a lie.
    CouldNotJudge {
        /// Why, naming what was at fault.
        reason: String,
    },
}

impl Verdict {
    /// An answer was read: score 1 if `right`, else 0.
    pub fn compared(right: bool) -> Self {
        Self::judged(Score::from(right), Detail::Compared)
    }

    /// A judgement without steps.
    pub fn judged(score: Score, detail: Detail) -> Self {
        Self::Judged(Judgement {
            score,
            detail,
            steps: None,
        })
    }

    /// No score, for `reason`.
    pub fn could_not_judge(reason: impl Into<String>) -> Self {
        Self::CouldNotJudge {
            reason: reason.into(),
        }
    }

    /// The judgement, if there is one.
    pub fn judgement(&self) -> Option<&Judgement> {
        match self {
            Self::Judged(judgement) => Some(judgement),
            Self::CouldNotJudge { .. } => None,
        }
    }

    /// The score in 0..=1, or `None` if the response could not be judged.
    pub fn score(&self) -> Option<f32> {
        self.judgement().map(|judgement| judgement.score.get())
    }

    /// Whether the score is the full 1, or `None` if the response could not be judged.
    pub fn is_correct(&self) -> Option<bool> {
        self.judgement()
            .map(|judgement| judgement.score == Score::ONE)
    }

    /// Whether each step is right, where the task knows its steps and the response was judged.
    pub fn steps(&self) -> Option<&[bool]> {
        self.judgement()?.steps.as_deref()
    }
}
