//! A look at 16 samples before the first step: what the model reads, what it answers, what that earns, and what a step takes.
//!
//! **In:** the learner before its first step, the data, the configuration.
//! **Out:** two samples in full, shares over all, the seconds that a step is likely to take, and advice in words.
//!
//! It is a function of the seed but for the seconds, works on copies and draws from a stream of its own: a run is the same with
//! it and without.

mod advice;
mod estimate;
mod sample;
mod text;

use std::path::Path;

use prime_policy::{CausalLm, DecoderConfig, Tokenizer};
use serde::Serialize;

use crate::config::Config;
use crate::data::problems::Problems;
use crate::error::TrainError;
use crate::files::write_atomically;
use crate::memory::MemoryPlan;
use crate::step::{Environment, Learner};

pub use advice::Facts;
pub use estimate::Seconds;
pub use sample::Sample;

/// What 16 samples show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preflight {
    /// The samples, those of one prompt side by side.
    pub samples: Vec<Sample>,
    /// Shares and counts over them.
    pub facts: Facts,
    /// What a step is likely to take; `None` if no response could be judged.
    pub seconds_per_step: Option<Seconds>,
    /// The memory that a step takes if no response is longer than the samples, in bytes; what it may take at most is in the plan.
    pub memory: Option<u64>,
    /// What to change, in words; may be empty.
    pub advice: Vec<String>,
    /// Why no run can come of it, if none can.
    pub stop: Option<String>,
}

impl Preflight {
    /// The same with the memory of a step at the lengths of the samples, for a model of this shape and prompts of up to
    /// `prompt_tokens`.
    ///
    /// # Errors
    /// Those of [`MemoryPlan::for_lengths`].
    pub fn with_memory(
        mut self,
        config: &Config,
        shape: &DecoderConfig,
        prompt_tokens: usize,
    ) -> Result<Self, TrainError> {
        let longest = self.facts.longest_response;
        self.memory = Some(MemoryPlan::for_lengths(config, shape, prompt_tokens, longest)?.peak);
        Ok(self)
    }

    /// Writes it as JSON.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), TrainError> {
        let text = serde_json::to_string_pretty(self).map_err(|error| TrainError::Encode {
            what: "the preflight",
            reason: error.to_string(),
        })?;
        write_atomically(path, text.as_bytes())
    }

    /// Whether a run can come of it.
    ///
    /// # Errors
    /// [`TrainError::Preflight`] says why not.
    pub fn usable(&self) -> Result<(), TrainError> {
        match &self.stop {
            None => Ok(()),
            Some(reason) => Err(TrainError::Preflight {
                reason: reason.clone(),
            }),
        }
    }
}

/// Samples 16 responses to the first prompts, judges them, and learns from them on a copy of the learner to time it.
///
/// # Errors
/// Those of sampling and of a step.
pub fn preflight<M: CausalLm>(
    learner: &Learner<M>,
    config: &Config,
    problems: &Problems,
    tokenizer: &Tokenizer,
) -> Result<Preflight, TrainError> {
    let (estimator, outcome_estimator) = (config.estimator(true), config.estimator(false));
    let objective = config.objective();
    let env = Environment {
        config,
        problems,
        tokenizer,
        estimator: &estimator,
        outcome_estimator: &outcome_estimator,
        objective: &objective,
    };
    let taken = sample::take(learner, &env)?;
    let facts = Facts::of(&taken.samples, config, problems, tokenizer);
    let seconds_per_step = match taken.groups.is_empty() {
        true => None,
        false => Some(estimate::seconds(learner, &env, &taken)?),
    };
    let (advice, stop) = (facts.advice(), facts.stop());
    Ok(Preflight {
        samples: taken.samples,
        facts,
        seconds_per_step,
        memory: None,
        advice,
        stop,
    })
}
