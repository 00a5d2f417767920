//! The verifier for the data: the task's, or by what a row asks the maths grader or the grader of programs.

use std::collections::VecDeque;

use prime_verifier::code::{CodeVerifier, Ticket, last_code_block};
use prime_verifier::math::{Extraction, MathPolicy, MathVerifier};
use prime_verifier::{Verdict, Verifier};

use super::Asked;
use super::extraction::{AUTO, asked, extraction};
use super::part::PartVerdict;
use crate::config::Config;
use crate::data::answer_place::AnswerPlace;
use crate::data::problem::PreparedProblem;
use crate::error::TrainError;

/// Programs for each worker that are handed over before the first of them has its verdict: their tests and what they printed
/// are kept until then.
const PROGRAMS_AHEAD: usize = 16;

/// What judges responses by the data alone.
pub enum DataVerifier {
    /// One for all problems.
    One(Box<dyn Verifier>),
    /// By what a row asks.
    Rows {
        /// For maths.
        maths: Box<Maths>,
        /// For code; there if a row needs it.
        code: Option<Box<CodeVerifier>>,
    },
}

/// The maths grader, looking where it is told to or where a row's prompt asks for the answer.
pub struct Maths {
    fixed: Option<MathVerifier>,
    by_place: Vec<(Option<AnswerPlace>, MathVerifier)>,
}

impl Maths {
    /// As `data.extract` says.
    ///
    /// # Errors
    /// [`TrainError::Usage`] for a name that is none.
    pub fn new(extract: &str) -> Result<Self, TrainError> {
        let verifier = |extraction| MathVerifier::new(extraction, MathPolicy::default());
        let fixed = match extract {
            AUTO => None,
            names => {
                let found: Extraction = extraction(names)
                    .map_err(|error| TrainError::Usage(format!("data.extract: {error}")))?;
                Some(verifier(found))
            }
        };
        let places = [
            None,
            Some(AnswerPlace::Boxed),
            Some(AnswerPlace::Hashes),
            Some(AnswerPlace::AnswerLine),
            Some(AnswerPlace::AnswerTags),
        ];
        Ok(Self {
            fixed,
            by_place: places
                .into_iter()
                .map(|place| (place, verifier(asked(place))))
                .collect(),
        })
    }

    fn of(&self, place: Option<AnswerPlace>) -> Option<&MathVerifier> {
        let found = self.by_place.iter().find(|(known, _)| *known == place);
        self.fixed.as_ref().or(found.map(|(_, verifier)| verifier))
    }

    /// The answer that a response to a row gives, whatever it is judged by.
    fn answer(&self, response: &str, problem: &PreparedProblem) -> Option<String> {
        let row = problem.row.as_ref()?;
        let golds: Vec<&str> = row.golds.iter().map(String::as_str).collect();
        let grade = self.of(row.extract)?.grade(response, &golds);
        let answer = grade.comparison.answer.text();
        (!answer.is_empty()).then(|| answer.to_owned())
    }

    fn verify(&self, response: &str, problem: &PreparedProblem) -> PartVerdict {
        let place = problem.row.as_ref().and_then(|row| row.extract);
        let golds: Vec<&str> = match &problem.row {
            Some(row) => row.golds.iter().map(String::as_str).collect(),
            None => vec![&problem.ground_truth],
        };
        let Some(verifier) = self.of(place).filter(|_| !golds.is_empty()) else {
            return Verdict::could_not_judge("the row has no gold answer").into();
        };
        let grade = verifier.grade(response, &golds);
        let answer = Some(grade.comparison.answer.text()).filter(|answer| !answer.is_empty());
        PartVerdict {
            verdict: verifier.verdict(&grade),
            answer: answer.map(str::to_owned),
            detail: None,
        }
    }
}

impl DataVerifier {
    /// For rows; `code` says that some of them are of code.
    ///
    /// # Errors
    /// [`TrainError::Code`] if programs cannot be run, and the reward asks for it.
    pub fn rows(config: &Config, code: bool) -> Result<Self, TrainError> {
        let runs = code && config.reward.asks_verifier();
        let code = runs.then(|| CodeVerifier::new(&config.code()).map(Box::new));
        Ok(Self::Rows {
            maths: Box::new(Maths::new(&config.data.extract)?),
            code: code.transpose().map_err(TrainError::code_by_config)?,
        })
    }

    /// The answer that a response gives, where it is one of maths.
    pub(super) fn answer(&self, response: &str, problem: &PreparedProblem) -> Option<String> {
        match self {
            Self::Rows { maths, .. } if !problem.is_code => maths.answer(response, problem),
            _ => None,
        }
    }

    /// What compares answers of maths: all places share one policy.
    pub(super) fn maths(&self) -> Option<&MathVerifier> {
        match self {
            Self::Rows { maths, .. } => maths.of(None),
            Self::One(_) => None,
        }
    }

    pub(super) fn runs_unsandboxed(&self) -> bool {
        match self {
            Self::Rows {
                code: Some(code), ..
            } => !code.sandbox().is_sandboxed(),
            _ => false,
        }
    }

    /// Programs run on all workers at once.
    pub(super) fn verify_all(&self, all: &[Asked<'_>]) -> Vec<PartVerdict> {
        let ahead = match self {
            Self::Rows {
                code: Some(code), ..
            } => PROGRAMS_AHEAD * code.workers(),
            _ => 0,
        };
        let mut begun = VecDeque::new();
        let mut verdicts = Vec::with_capacity(all.len());
        for asked in all {
            begun.push_back(self.begin(asked));
            if begun.len() > ahead {
                verdicts.extend(begun.pop_front().map(Begun::finish));
            }
        }
        verdicts.extend(begun.into_iter().map(Begun::finish));
        verdicts
    }

    fn begin(&self, asked: &Asked<'_>) -> Begun {
        let (response, problem) = (asked.response, asked.problem);
        let truth = &problem.ground_truth;
        match self {
            Self::One(verifier) => Begun::Done(verifier.verify(response, truth).into()),
            Self::Rows { maths, .. } if !problem.is_code => {
                Begun::Done(maths.verify(response, problem))
            }
            Self::Rows {
                code: Some(code), ..
            } => match code.submit_response(response, truth) {
                Ok(ticket) => Begun::Running {
                    ticket,
                    answer: last_code_block(response).map(String::from),
                },
                Err(verdict) => Begun::Done(verdict.into()),
            },
            Self::Rows { .. } => {
                Begun::Done(Verdict::could_not_judge("none of the rows was of code").into())
            }
        }
    }
}

/// A verdict, or what has to run for it.
enum Begun {
    Done(PartVerdict),
    Running {
        ticket: Ticket,
        answer: Option<String>,
    },
}

impl Begun {
    fn finish(self) -> PartVerdict {
        match self {
            Begun::Done(verdict) => verdict,
            Begun::Running { ticket, answer } => PartVerdict {
                verdict: ticket.wait().to_verdict(),
                answer,
                detail: None,
            },
        }
    }
}
