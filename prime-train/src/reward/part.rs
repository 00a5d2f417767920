//! One of the rewards that are added up.

use prime_verifier::external::ExternalGrader;
use prime_verifier::{Detail, Score, Verdict};

use super::format::Format;
use super::length::Length;
use super::{Asked, DataVerifier, external};
use crate::config::{Config, RewardKind, RewardPart};
use crate::error::TrainError;

/// A reward with its weight.
pub(super) struct Part {
    name: String,
    weight: f64,
    grader: Grader,
}

enum Grader {
    /// The verifier for the data.
    Data,
    Format(Format),
    Length(Length),
    Own(Box<dyn ExternalGrader>),
}

/// What a part says about a response.
pub(super) struct PartVerdict {
    pub(super) verdict: Verdict,
    pub(super) answer: Option<String>,
    pub(super) detail: Option<String>,
}

impl From<Verdict> for PartVerdict {
    fn from(verdict: Verdict) -> Self {
        Self {
            verdict,
            answer: None,
            detail: None,
        }
    }
}

impl Part {
    pub(super) fn open(config: &Config, part: &RewardPart) -> Result<Self, TrainError> {
        let grader = match part.kind {
            RewardKind::Verifier => Grader::Data,
            RewardKind::Format => {
                Grader::Format(Format::new(&part.pattern, &part.tags).map_err(TrainError::Usage)?)
            }
            RewardKind::Length => {
                let limit = match part.limit_tokens {
                    0 => config.sampling.max_new_tokens,
                    limit => limit,
                };
                Grader::Length(Length::new(part.target_tokens, limit))
            }
            RewardKind::Command | RewardKind::Http => {
                let opened = external::open(part);
                Grader::Own(opened.map_err(|source| TrainError::Grader {
                    name: part.name().to_owned(),
                    source,
                })?)
            }
        };
        Ok(Self {
            name: part.name().to_owned(),
            weight: part.weight,
            grader,
        })
    }

    /// The verifier for the data, with weight 1.
    pub(super) fn verifier() -> Self {
        Self {
            name: RewardKind::Verifier.as_str().to_owned(),
            weight: 1.0,
            grader: Grader::Data,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn weight(&self) -> f64 {
        self.weight
    }

    /// Whether it is the verifier with weight 1.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.grader, Grader::Data) && self.weight == 1.0
    }

    pub(super) fn grade(&self, data: &DataVerifier, asked: &[Asked<'_>]) -> Vec<PartVerdict> {
        let scores = |score: &dyn Fn(&Asked<'_>) -> Score| {
            let verdict = |asked| Verdict::judged(score(asked), Detail::Compared).into();
            asked.iter().map(verdict).collect()
        };
        match &self.grader {
            Grader::Data => data.verify_all(asked),
            Grader::Format(format) => scores(&|asked| Score::from(format.fits(asked.response))),
            Grader::Length(length) => scores(&|asked| length.score(asked.tokens)),
            Grader::Own(grader) => external::grade(grader.as_ref(), asked),
        }
    }
}
