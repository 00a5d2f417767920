//! The critic's loss.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// ½·max((v − R)², (clip(v, v_old ± c) − R)²) per token (verl `compute_value_loss`, PPO2).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClippedValueLoss {
    /// c: how far a value may move from the one at the start of the step before the loss stops caring. Positive.
    pub value_clip: f32,
}

impl ClippedValueLoss {
    /// Per-token loss; all tensors `[rows, window]`, gradients through `values`.
    pub fn per_token(
        &self,
        values: Tensor<2>,
        old_values: Tensor<2>,
        returns: Tensor<2>,
    ) -> Tensor<2> {
        let moved = (values.clone() - old_values.clone()).clamp(-self.value_clip, self.value_clip);
        let clipped = (old_values + moved - returns.clone()).square();
        (values - returns)
            .square()
            .max_pair(clipped)
            .mul_scalar(0.5)
    }
}
