//! Truncated importance weights for rollouts that another policy sampled.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::input::inside;
use super::range::Range;
use crate::error::PolicyError;

/// What one weight is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum ImportanceLevel {
    /// Of each token: π / π_rollout of that token. Biased, low variance.
    #[default]
    Token,
    /// Of the whole response, at each of its tokens: the product of its tokens' ratios. Unbiased but for the cap, high
    /// variance.
    Sequence,
}

/// min(π / π_rollout, cap), without gradient: how much more likely the trained policy is to sample what was sampled (verl
/// `rollout_correction.rollout_is`, "truncated importance sampling").
///
/// Which policy stands above the line is the caller's choice. With an inference engine of its own log-probs it is π_old as
/// the trainer computes it, and the objective's ratio does the rest (verl's decoupled mode). Where the sampler's log-probs
/// *are* π_old, as with [`generate`](crate::generate), it is π_θ, for an objective without a ratio (verl's bypass mode
/// with `loss_type: reinforce`).
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use prime_policy::objective::ImportanceWeights;
///
/// let row = |values: [f32; 3]| Tensor::<2>::from_data([values], &Device::flex());
/// let weights = ImportanceWeights::default().per_token(
///     row([-1.0, -1.0, 9.0]),
///     row([-1.0, -3.0, 0.0]),
///     row([1.0, 1.0, 0.0]),
/// );
/// assert_eq!(weights.into_data().iter::<f32>().collect::<Vec<_>>(), [1.0, 2.0, 0.0]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportanceWeights {
    /// What one weight is of.
    pub level: ImportanceLevel,
    /// The largest weight, > 0 (verl `rollout_is_threshold`).
    pub cap: f32,
}

impl Default for ImportanceWeights {
    fn default() -> Self {
        Self {
            level: ImportanceLevel::Token,
            cap: 2.0,
        }
    }
}

impl ImportanceWeights {
    /// The weights, 0 outside the mask; all tensors `[rows, window]`, one response a row. The log of a weight is clamped to
    /// ±20 before it is capped.
    pub fn per_token(
        &self,
        log_probs: Tensor<2>,
        rollout_log_probs: Tensor<2>,
        mask: Tensor<2>,
    ) -> Tensor<2> {
        let log_ratio = inside(log_probs.detach() - rollout_log_probs.detach(), &mask);
        let log_weight = match self.level {
            ImportanceLevel::Token => log_ratio,
            ImportanceLevel::Sequence => log_ratio.sum_dim(1).expand(mask.dims()),
        };
        let weight = log_weight.clamp(-20.0, 20.0).exp().clamp_max(self.cap);
        inside(weight, &mask)
    }

    /// Checks the cap.
    ///
    /// # Errors
    /// [`PolicyError::Objective`] for a cap that is not a finite number above 0.
    pub fn validate(&self) -> Result<(), PolicyError> {
        Range("importance_weights").positive("cap", self.cap.into())
    }
}
