//! Groups of responses, and the batch an estimator reads.

use crate::{AdvantageError, Response};

/// The responses sampled for one prompt: at least one, all checked.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptGroup<'a> {
    responses: Vec<Response<'a>>,
    process_only: bool,
}

impl<'a> PromptGroup<'a> {
    /// Checks the responses once; estimators rely on it.
    ///
    /// # Errors
    /// [`AdvantageError::EmptyGroup`], [`AdvantageError::LengthMismatch`],
    /// [`AdvantageError::OutcomeNotFinite`] or [`AdvantageError::TokenNotFinite`],
    /// naming the response. Numbers at masked tokens must be finite too.
    pub fn new(responses: Vec<Response<'a>>) -> Result<Self, AdvantageError> {
        if responses.is_empty() {
            return Err(AdvantageError::EmptyGroup);
        }
        for (i, response) in responses.iter().enumerate() {
            response.validate(i)?;
        }
        Ok(Self {
            responses,
            process_only: false,
        })
    }

    /// Marks a group whose outcome must not move the policy, such as one that the
    /// accuracy filter dropped but whose process rewards are still of use.
    ///
    /// Its outcome term is exactly `0.0` and its outcome rewards enter no baseline
    /// of other groups.
    #[must_use]
    pub fn process_only(mut self) -> Self {
        self.process_only = true;
        self
    }

    /// Whether the group was marked by [`PromptGroup::process_only`].
    pub fn is_process_only(&self) -> bool {
        self.process_only
    }

    /// The responses, in the order given.
    pub fn responses(&self) -> &[Response<'a>] {
        &self.responses
    }

    /// The group size `K`: how many responses, at least 1.
    #[allow(clippy::len_without_is_empty)] // a group is never empty
    pub fn len(&self) -> usize {
        self.responses.len()
    }

    /// The outcome rewards, in order, widened for summing.
    pub fn outcome_rewards(&self) -> impl Iterator<Item = f64> + Clone + '_ {
        self.responses.iter().map(|r| f64::from(r.outcome_reward()))
    }

    /// Whether all outcome rewards are the same number: nothing to learn from
    /// comparing them. True of a group of one.
    pub fn has_equal_outcomes(&self) -> bool {
        let first = self.responses[0].outcome_reward();
        self.responses.iter().all(|r| r.outcome_reward() == first)
    }
}

/// What an estimator reads: at least one prompt group.
#[derive(Debug, Clone, PartialEq)]
pub struct RewardBatch<'a> {
    groups: Vec<PromptGroup<'a>>,
}

impl<'a> RewardBatch<'a> {
    /// A batch of checked groups; sizes may differ.
    ///
    /// # Errors
    /// [`AdvantageError::EmptyBatch`].
    pub fn new(groups: Vec<PromptGroup<'a>>) -> Result<Self, AdvantageError> {
        if groups.is_empty() {
            return Err(AdvantageError::EmptyBatch);
        }
        Ok(Self { groups })
    }

    /// Groups and checks in one go: one inner vector per prompt.
    ///
    /// # Errors
    /// As [`PromptGroup::new`], wrapped in [`AdvantageError::InGroup`] so that the
    /// group is named too; or [`AdvantageError::EmptyBatch`].
    pub fn from_responses(groups: Vec<Vec<Response<'a>>>) -> Result<Self, AdvantageError> {
        let groups = groups
            .into_iter()
            .enumerate()
            .map(|(group, responses)| {
                PromptGroup::new(responses).map_err(|error| AdvantageError::InGroup {
                    group,
                    error: Box::new(error),
                })
            })
            .collect::<Result<_, _>>()?;
        Self::new(groups)
    }

    /// The groups, in the order given.
    pub fn groups(&self) -> &[PromptGroup<'a>] {
        &self.groups
    }

    /// All responses, group after group.
    pub fn responses(&self) -> impl Iterator<Item = &Response<'a>> + Clone + '_ {
        self.groups.iter().flat_map(|g| g.responses())
    }

    /// Number of responses in all groups together.
    pub fn response_count(&self) -> usize {
        self.groups.iter().map(PromptGroup::len).sum()
    }

    /// Number of tokens in all responses together, masked ones included.
    pub fn token_count(&self) -> usize {
        self.responses().map(Response::len).sum()
    }
}
