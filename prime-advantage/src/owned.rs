//! The same input with numbers of its own: to read from a file, to build piece by
//! piece, to generate in a test.

use serde::{Deserialize, Serialize};

use crate::{AdvantageError, NamedReward, PromptGroup, Response, RewardBatch};

/// A [`Response`] that owns its numbers. Unchecked until it is borrowed into a batch.
///
/// ```
/// # use prime_advantage::{OwnedBatch, OwnedGroup, OwnedResponse};
/// let right = OwnedResponse::new(2, 1.0).with_process_rewards(vec![0.3, -0.1]);
/// let mut batch = OwnedBatch::default();
/// batch.groups.push(OwnedGroup::new(vec![right, OwnedResponse::new(3, 0.0)]));
/// assert_eq!(batch.borrow()?.token_count(), 5);
/// # Ok::<(), prime_advantage::AdvantageError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OwnedResponse {
    /// See [`Response::new`].
    pub tokens: usize,
    /// See [`Response::new`].
    pub outcome_reward: f32,
    /// See [`Response::with_named_rewards`]; empty for none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named_rewards: Vec<NamedReward<'static>>,
    /// See [`Response::with_process_rewards`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_rewards: Option<Vec<f32>>,
    /// See [`Response::with_values`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<f32>>,
    /// See [`Response::with_old_log_probs`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_log_probs: Option<Vec<f32>>,
    /// See [`Response::with_ref_log_probs`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_log_probs: Option<Vec<f32>>,
    /// See [`Response::with_sum_pi_squared`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum_pi_squared: Option<Vec<f32>>,
    /// See [`Response::with_importance_weights`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub importance_weights: Option<Vec<f32>>,
    /// See [`Response::with_mask`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<Vec<bool>>,
    /// See [`Response::with_truncated`].
    #[serde(default)]
    pub truncated: bool,
}

macro_rules! builder {
    ($($setter:ident($field:ident: $kind:ty);)*) => {
        impl OwnedResponse {
            $(
                #[doc = concat!("See [`Response::", stringify!($setter), "`].")]
                #[must_use]
                pub fn $setter(mut self, $field: $kind) -> Self {
                    self.$field = Some($field);
                    self
                }
            )*
        }
    };
}

builder! {
    with_process_rewards(process_rewards: Vec<f32>);
    with_values(values: Vec<f32>);
    with_old_log_probs(old_log_probs: Vec<f32>);
    with_ref_log_probs(ref_log_probs: Vec<f32>);
    with_sum_pi_squared(sum_pi_squared: Vec<f32>);
    with_importance_weights(importance_weights: Vec<f32>);
    with_mask(mask: Vec<bool>);
}

impl OwnedResponse {
    /// See [`Response::with_named_rewards`].
    #[must_use]
    pub fn with_named_rewards(mut self, named_rewards: Vec<NamedReward<'static>>) -> Self {
        self.named_rewards = named_rewards;
        self
    }

    /// See [`Response::with_truncated`].
    #[must_use]
    pub fn with_truncated(mut self, truncated: bool) -> Self {
        self.truncated = truncated;
        self
    }

    /// A response of `tokens` tokens and the reward of its outcome; set the other
    /// fields as needed.
    pub fn new(tokens: usize, outcome_reward: f32) -> Self {
        Self {
            tokens,
            outcome_reward,
            ..Self::default()
        }
    }

    /// The response as estimators read it.
    pub fn borrow(&self) -> Response<'_> {
        let mut response = Response::new(self.tokens, self.outcome_reward)
            .with_named_rewards(&self.named_rewards)
            .with_truncated(self.truncated);
        if let Some(rewards) = &self.process_rewards {
            response = response.with_process_rewards(rewards);
        }
        if let Some(values) = &self.values {
            response = response.with_values(values);
        }
        if let Some(log_probs) = &self.old_log_probs {
            response = response.with_old_log_probs(log_probs);
        }
        if let Some(log_probs) = &self.ref_log_probs {
            response = response.with_ref_log_probs(log_probs);
        }
        if let Some(sums) = &self.sum_pi_squared {
            response = response.with_sum_pi_squared(sums);
        }
        if let Some(weights) = &self.importance_weights {
            response = response.with_importance_weights(weights);
        }
        match &self.mask {
            Some(mask) => response.with_mask(mask),
            None => response,
        }
    }
}

/// A [`PromptGroup`] that owns its responses.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OwnedGroup {
    /// The responses to one prompt.
    pub responses: Vec<OwnedResponse>,
    /// See [`PromptGroup::with_greedy`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greedy: Option<OwnedResponse>,
    /// See [`PromptGroup::process_only`].
    #[serde(default)]
    pub process_only: bool,
}

impl OwnedGroup {
    /// A group of these responses; set the other fields as needed.
    pub fn new(responses: Vec<OwnedResponse>) -> Self {
        Self {
            responses,
            ..Self::default()
        }
    }

    /// Checks the group and lends it out.
    ///
    /// # Errors
    /// As [`PromptGroup::new`] and [`PromptGroup::with_greedy`].
    pub fn borrow(&self) -> Result<PromptGroup<'_>, AdvantageError> {
        let responses = self.responses.iter().map(OwnedResponse::borrow).collect();
        let mut group = PromptGroup::new(responses)?;
        if let Some(greedy) = &self.greedy {
            group = group.with_greedy(greedy.borrow())?;
        }
        Ok(if self.process_only {
            group.process_only()
        } else {
            group
        })
    }
}

/// A [`RewardBatch`] that owns its groups.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OwnedBatch {
    /// One group per prompt.
    pub groups: Vec<OwnedGroup>,
}

impl OwnedBatch {
    /// A batch of these groups.
    pub fn new(groups: Vec<OwnedGroup>) -> Self {
        Self { groups }
    }

    /// Checks the batch and lends it out.
    ///
    /// # Errors
    /// As [`RewardBatch::from_responses`] and [`PromptGroup::with_greedy`].
    pub fn borrow(&self) -> Result<RewardBatch<'_>, AdvantageError> {
        let groups = self.groups.iter().enumerate().map(|(g, group)| {
            group.borrow().map_err(|error| AdvantageError::InGroup {
                group: g,
                error: Box::new(error),
            })
        });
        RewardBatch::new(groups.collect::<Result<_, _>>()?)
    }
}
