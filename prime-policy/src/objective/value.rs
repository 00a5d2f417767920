//! The critic's loss.

use burn::tensor::{Bool, Tensor};
use serde::{Deserialize, Serialize};

use super::TokenLoss;
use super::input::masked_sum;

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
        self.loss_and_clipped(values, old_values, returns).0
    }

    /// As [`Self::per_token`], with the metric `critic/vf_clipfrac`: the share of tokens whose loss is the clipped error.
    pub fn token_loss(
        &self,
        values: Tensor<2>,
        old_values: Tensor<2>,
        returns: Tensor<2>,
        mask: &Tensor<2>,
    ) -> TokenLoss {
        let (loss, clipped) = self.loss_and_clipped(values, old_values, returns);
        TokenLoss {
            loss,
            metric_sums: vec![("critic/vf_clipfrac", masked_sum(clipped.float(), mask))],
        }
    }

    fn loss_and_clipped(
        &self,
        values: Tensor<2>,
        old_values: Tensor<2>,
        returns: Tensor<2>,
    ) -> (Tensor<2>, Tensor<2, Bool>) {
        let change = values.clone() - old_values.clone();
        let moved = change.clone().clamp(-self.value_clip, self.value_clip);
        let far = change.not_equal(moved.clone());
        let clipped = (old_values + moved - returns.clone()).square();
        let plain = (values - returns).square();
        // Where nothing was clipped the two errors differ by rounding only.
        let larger = clipped.clone().greater(plain.clone()).bool_and(far);
        (plain.max_pair(clipped).mul_scalar(0.5), larger)
    }
}
