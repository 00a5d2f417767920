//! Settings of the implicit PRM.

use prime_policy::OptimizerConfig;
use serde::{Deserialize, Serialize};

use crate::error::RewardError;
use crate::implicit::TokenRewardConfig;
use crate::objective::PrmLoss;

/// When the PRM learns from a batch, relative to scoring it (verl `reward_model.model.update`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum UpdateOrder {
    /// Single forward (the paper's default): scores come from the forward passes of the update itself, so mini-batch k
    /// is scored by a PRM that has been updated k − 1 times on this batch.
    #[default]
    After,
    /// Double forward: learn first, then score everything with the updated PRM.
    Before,
    /// Never learn: an offline PRM.
    None,
}

/// Which model's log-probs a log-ratio is measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// The model that the PRM started from, never changed.
    #[default]
    Frozen,
    /// The policy that sampled the responses: its log-probs come with the rollouts.
    Policy,
}

/// What the PRM's loss takes for granted before it looks at a response.
///
/// The published loss is CE of σ(β·S): at S = 0 it says ½. Where most responses are wrong, the first thing it learns is
/// to push *every* sampled token down, right ones included, just to say "usually wrong"; and being a normalised model,
/// it can only do that by pushing what was not sampled up. A prior takes that constant off its hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum LabelPrior {
    /// σ(β·S), as published.
    #[default]
    None,
    /// σ(β·S + b) with b the log-odds of the mean label among the rollouts of the same step (plus one of each label).
    BatchMean,
    /// σ(β·S + b) with b the log-odds of the mean label among the rollouts of the same prompt and step. What right and wrong
    /// responses to a prompt share then carries neither blame nor praise, and neither does how hard the prompt is: at
    /// φ = ref the gradient with respect to a log-prob that they all have is exactly 0. A prompt whose labels are all alike
    /// says nothing about what makes the difference and is not learned from.
    GroupMean,
}

/// Training on rollouts of earlier steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayConfig {
    /// Steps kept, the current one included; at least 1.
    pub steps: usize,
    /// Mini-batches (optimiser steps) per training step; at least 1.
    pub mini_batches: usize,
    /// Rollouts per mini-batch; at least 1.
    pub batch_size: usize,
}

/// Settings of [`ImplicitPrm`](crate::ImplicitPrm).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrmConfig {
    /// β, granularity and clip of the token rewards. β is also the loss's.
    pub reward: TokenRewardConfig,
    /// The training loss.
    pub loss: PrmLoss,
    /// The loss's constant term.
    pub prior: LabelPrior,
    /// Whether to learn where all labels are alike, those of the replay included, as published. From one class alone the loss
    /// only learns to call everything right, or everything wrong.
    pub one_class: bool,
    /// Order of learning and scoring.
    pub update: UpdateOrder,
    /// The loss's reference.
    pub reference: Reference,
    /// The token reward's reference. `policy` is this project's anchoring: the reward then is the log-ratio to the
    /// policy that acted, as if a KL penalty of exactly β were added to the implicit reward.
    pub reward_reference: Reference,
    /// Learning rate; positive unless `update` is `none`.
    pub lr: f64,
    /// AdamW and clipping.
    pub optimizer: OptimizerConfig,
    /// Rollouts per optimiser step over the current batch; 0 = all.
    pub mini_batch_size: usize,
    /// Rollouts per forward pass; at least 1.
    pub micro_batch_size: usize,
    /// Tokens per forward pass (prompts and padding included) in place of `micro_batch_size`: rollouts are sorted by
    /// length and cut by [`prime_policy::micro_batches`]. 0 = `micro_batch_size` rollouts.
    pub micro_batch_tokens: usize,
    /// Passes over the current batch per step (without replay); at least 1.
    pub passes: usize,
    /// Learn from a buffer of recent rollouts instead of the current batch alone.
    pub replay: Option<ReplayConfig>,
    /// Seed of the replay's draws.
    pub seed: u64,
    /// Threads for forward and backward passes; results do not depend on it.
    pub threads: usize,
}

impl Default for PrmConfig {
    fn default() -> Self {
        Self {
            reward: TokenRewardConfig::default(),
            loss: PrmLoss::Ce,
            prior: LabelPrior::None,
            one_class: true,
            update: UpdateOrder::After,
            reference: Reference::Frozen,
            reward_reference: Reference::Frozen,
            lr: 1e-6,
            optimizer: OptimizerConfig {
                grad_clip: 10.0,
                ..OptimizerConfig::default()
            },
            mini_batch_size: 0,
            micro_batch_size: 8,
            micro_batch_tokens: 0,
            passes: 1,
            replay: None,
            seed: 0,
            threads: 1,
        }
    }
}

impl PrmConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`RewardError::Config`] names the setting.
    pub fn validate(&self) -> Result<(), RewardError> {
        let fail = |name, value: String, accepted| {
            Err(RewardError::Config {
                name,
                value,
                accepted,
            })
        };
        let positive = |x: f32| x.is_finite() && x > 0.0;
        if !positive(self.reward.beta) {
            return fail("beta", self.reward.beta.to_string(), "a positive number");
        }
        if let Some(clip) = self.reward.positive_clip
            && !positive(clip)
        {
            return fail("positive_clip", clip.to_string(), "a positive number");
        }
        if !(self.lr.is_finite() && self.lr >= 0.0) {
            return fail("lr", self.lr.to_string(), "a number ≥ 0");
        }
        if self.lr == 0.0 && self.update != UpdateOrder::None {
            return fail(
                "lr",
                "0".to_owned(),
                "a positive number; update = \"none\" for a PRM that does not learn",
            );
        }
        let OptimizerConfig {
            beta1,
            beta2,
            eps,
            weight_decay,
            grad_clip,
        } = self.optimizer;
        for (name, value) in [("beta1", beta1), ("beta2", beta2)] {
            if !(0.0..1.0).contains(&value) {
                return fail(name, value.to_string(), "a number in [0, 1)");
            }
        }
        if !positive(eps) {
            return fail("eps", eps.to_string(), "a positive number");
        }
        if !(weight_decay.is_finite() && weight_decay >= 0.0) {
            return fail("weight_decay", weight_decay.to_string(), "a number ≥ 0");
        }
        if !(grad_clip.is_finite() && grad_clip >= 0.0) {
            return fail(
                "grad_clip",
                grad_clip.to_string(),
                "a number ≥ 0; 0 = no clipping",
            );
        }
        if self.micro_batch_size == 0 {
            return fail("micro_batch_size", "0".to_owned(), "at least 1");
        }
        if self.passes == 0 {
            return fail("passes", "0".to_owned(), "at least 1");
        }
        if let Some(replay) = self.replay {
            for (name, value) in [
                ("replay_steps", replay.steps),
                ("replay_mini_batches", replay.mini_batches),
                ("replay_batch_size", replay.batch_size),
            ] {
                if value == 0 {
                    return fail(name, "0".to_owned(), "at least 1");
                }
            }
        }
        Ok(())
    }
}
