//! What a response earns.
//!
//! **In:** a response's text, how long it is and how it ended, and the problem that it answers.
//! **Out:** a three-valued verdict on the outcome, the reward that estimators see, and what each part of it gave.
//!
//! Training, evaluation and preflight judge by the same call, [`Rewards::judge`]. Each part gives 0 to 1 or could-not-judge.
//! The first part is the *outcome*: evaluation, the accuracy filter and the labels of the PRM go by it, and it stays in 0 to 1.
//! The *reward* is the weighted sum of all parts and the overlong penalty, and may be any number. A part that could not judge
//! makes a response that could not be judged: it is dropped and counted, and never earns 0 for it.

mod data_verifier;
mod external;
pub(crate) mod extraction;
pub(crate) mod format;
mod judged;
mod length;
mod part;

use prime_advantage::OverlongPenalty;
use prime_policy::FinishReason;
use prime_verifier::math::MathVerifier;
use prime_verifier::{Verdict, Verifier};

use crate::config::{Config, RewardPart};
use crate::data::problem::PreparedProblem;
use crate::error::TrainError;

pub use data_verifier::DataVerifier;
pub use extraction::extraction;
pub use judged::Judged;
use part::{Part, PartVerdict};

/// What the overlong penalty is called among the parts.
pub(crate) const OVERLONG: &str = "overlong";
/// A name that the metric of the sum has.
pub(crate) const MEAN: &str = "mean";

/// A response to judge.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its text, up to the stop string that ended it.
    pub response: &'a str,
    /// Its tokens, the last one included.
    pub tokens: usize,
    /// How it ended.
    pub finish: FinishReason,
    /// What it answers.
    pub problem: &'a PreparedProblem,
}

/// How much is asked about responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The outcome alone, as evaluation needs it. The reward is the outcome then.
    Outcome,
    /// Everything that training learns from.
    All,
}

/// All that judges responses.
pub struct Rewards {
    data: DataVerifier,
    /// At least one.
    parts: Vec<Part>,
    overlong: Option<OverlongPenalty>,
}

impl Rewards {
    /// What `[reward]` says, with the verifier for the data. Processes are started and addresses are tried.
    ///
    /// # Errors
    /// [`TrainError::Grader`] for a command that does not start and an address where nobody listens.
    pub fn open(config: &Config, data: DataVerifier) -> Result<Self, TrainError> {
        let reward = &config.reward;
        let alone = [RewardPart::new(crate::config::RewardKind::Verifier)];
        let parts = match reward.parts.as_slice() {
            [] => &alone,
            parts => parts,
        };
        let overlong = (reward.overlong_buffer > 0)
            .then(|| {
                let most = config.sampling.max_new_tokens;
                OverlongPenalty::new(most, reward.overlong_buffer)
            })
            .transpose()?
            .map(|penalty| penalty.with_factor(reward.overlong_penalty));
        let parts = parts.iter().map(|part| Part::open(config, part));
        Ok(Self {
            data,
            parts: parts.collect::<Result<_, _>>()?,
            overlong,
        })
    }

    /// A verifier alone.
    pub fn of(verifier: Box<dyn Verifier>) -> Self {
        Self {
            data: DataVerifier::One(verifier),
            parts: vec![Part::verifier()],
            overlong: None,
        }
    }

    /// Whether the reward is the verifier's score and nothing else.
    pub fn is_plain(&self) -> bool {
        self.overlong.is_none() && matches!(&self.parts[..], [only] if only.is_plain())
    }

    /// What the numbers of [`Judged::parts`] are called.
    pub fn names(&self) -> Vec<&str> {
        let parts = self.parts.iter().map(Part::name);
        parts.chain(self.overlong.map(|_| OVERLONG)).collect()
    }

    /// Whether programs are run where nothing holds them.
    pub fn runs_unsandboxed(&self) -> bool {
        self.data.runs_unsandboxed()
    }

    /// The answer that a response to a row of maths gives, whatever judges it.
    pub(crate) fn answer(&self, response: &str, problem: &PreparedProblem) -> Option<String> {
        self.data.answer(response, problem)
    }

    /// What compares answers of maths, where there are rows.
    pub(crate) fn maths(&self) -> Option<&MathVerifier> {
        self.data.maths()
    }

    /// Judges responses, in order. Programs run on all workers at once, and graders of your own have all requests at once.
    pub fn judge(&self, asked: &[Asked<'_>], scope: Scope) -> Vec<Judged> {
        let parts = match scope {
            Scope::Outcome => self.parts.get(..1).unwrap_or_default(),
            Scope::All => &self.parts,
        };
        let graded = parts.iter().map(|part| part.grade(&self.data, asked));
        let mut columns: Vec<std::vec::IntoIter<PartVerdict>> =
            graded.map(Vec::into_iter).collect();
        let overlong = self.overlong.filter(|_| scope == Scope::All);
        let plain = self.is_plain();
        asked
            .iter()
            .map(|asked| {
                let verdicts = columns.iter_mut().zip(parts);
                let verdicts = verdicts.filter_map(|(column, part)| Some((part, column.next()?)));
                let penalty = overlong.map(|overlong| overlong.penalty(asked.tokens));
                judged::sum(verdicts.collect(), penalty, scope, plain)
            })
            .collect()
    }

    /// The verdict on one text, as if it had ended by itself.
    pub fn verify(&self, response: &str, problem: &PreparedProblem) -> Verdict {
        let asked = Asked {
            response,
            tokens: 0,
            finish: FinishReason::Stop,
            problem,
        };
        let judged = self.judge(&[asked], Scope::Outcome).pop();
        judged.map_or_else(
            || Verdict::could_not_judge("nothing was asked"),
            |judged| judged.verdict,
        )
    }
}

#[cfg(test)]
mod tests;
