//! Losses that train the implicit PRM.

use std::fmt::Debug;

use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

/// A loss on summed log-ratios S_i = Σ_t (log π_φ − log π_ref) and outcome labels.
pub trait PrmObjective: Debug + Send + Sync {
    /// The name that configurations use.
    fn name(&self) -> &str;

    /// One loss per response. `sums`: `[rows, 1]` with gradients; `labels`: `[rows, 1]` in [0, 1]; `beta` > 0.
    fn per_response(&self, sums: Tensor<2>, labels: Tensor<2>, beta: f32) -> Tensor<2>;
}

/// Cross-entropy of σ(β·S_i) against the label (PRIME Eq. 5): −[y·log σ(βS) + (1−y)·log σ(−βS)].
///
/// β multiplies the sum before the sigmoid; labels may be fractional. Computed from log σ, so it stays finite where
/// the reference clamps the logarithm at −100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CrossEntropy;

impl PrmObjective for CrossEntropy {
    fn name(&self) -> &str {
        "ce"
    }

    fn per_response(&self, sums: Tensor<2>, labels: Tensor<2>, beta: f32) -> Tensor<2> {
        let logits = sums.mul_scalar(beta);
        let right = activation::log_sigmoid(logits.clone()) * labels.clone();
        let wrong = activation::log_sigmoid(logits.neg()) * (labels.neg() + 1.0);
        (right + wrong).neg()
    }
}

/// Chooses a [`PrmObjective`] by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum PrmLoss {
    /// [`CrossEntropy`].
    #[default]
    Ce,
}

impl PrmLoss {
    /// The objective.
    pub fn build(self) -> Box<dyn PrmObjective> {
        match self {
            Self::Ce => Box::new(CrossEntropy),
        }
    }
}
