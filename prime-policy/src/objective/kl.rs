//! Estimators of KL(π_θ ‖ π_ref) from sampled tokens (Schulman, "Approximating KL divergence").

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// With d = log π_θ − log π_ref of the sampled token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum KlEstimator {
    /// d: unbiased, high variance.
    #[default]
    K1,
    /// d²/2: biased, low variance.
    K2,
    /// e^(−d) + d − 1: unbiased, low variance, never negative (−d clamped to ±20, result to ±10, as verl does).
    K3,
}

impl KlEstimator {
    /// The estimate per token; shapes as given, gradients through `log_probs`.
    pub fn per_token(&self, log_probs: Tensor<2>, ref_log_probs: Tensor<2>) -> Tensor<2> {
        let d = log_probs - ref_log_probs;
        match self {
            Self::K1 => d,
            Self::K2 => d.square().mul_scalar(0.5),
            Self::K3 => {
                let back = d.neg().clamp(-20.0, 20.0);
                (back.clone().exp() - back)
                    .sub_scalar(1.0)
                    .clamp(-10.0, 10.0)
            }
        }
    }
}
