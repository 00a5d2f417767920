//! From per-token losses to one number (verl `agg_loss`).

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::input::inside;

/// How per-token losses are averaged. L_i is the length of response i.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum LossAggregation {
    /// Σ_i Σ_t / Σ_i L_i: every token weighs the same (DAPO, verl's default).
    #[default]
    TokenMean,
    /// Σ_i Σ_t: no average; the step grows with the batch.
    TokenSum,
    /// mean_i (Σ_t / L_i): every response weighs the same (GRPO).
    SeqMeanTokenMean,
    /// mean_i Σ_t: long responses weigh more (REINFORCE as a sequence objective).
    SeqMeanTokenSum,
    /// mean_i Σ_t / scale, with one scale for all responses (Dr. GRPO).
    SeqMeanTokenSumNorm {
        /// The divisor, usually the maximum response length. Positive.
        scale: f64,
    },
}

/// Sizes of the whole mini-batch that its micro-batches are averaged over together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BatchTotals {
    /// Response tokens.
    pub tokens: usize,
    /// Responses with at least one token.
    pub responses: usize,
}

impl BatchTotals {
    /// Totals of responses with these lengths.
    pub fn of(lengths: impl IntoIterator<Item = usize>) -> Self {
        lengths
            .into_iter()
            .fold(Self::default(), |totals, length| Self {
                tokens: totals.tokens + length,
                responses: totals.responses + usize::from(length > 0),
            })
    }
}

impl LossAggregation {
    /// This micro-batch's part of the mini-batch's loss: the parts of all micro-batches sum to the aggregated loss.
    ///
    /// `loss` and `mask`: `[rows, window]`. What stands outside the mask does not count, even NaN. A batch without any
    /// token gives 0.
    pub fn aggregate(&self, loss: Tensor<2>, mask: Tensor<2>, totals: BatchTotals) -> Tensor<1> {
        let tokens = totals.tokens.max(1) as f64;
        let responses = totals.responses.max(1) as f64;
        let masked = inside(loss, &mask);
        match *self {
            Self::TokenMean => masked.sum().div_scalar(tokens),
            Self::TokenSum => masked.sum(),
            Self::SeqMeanTokenSum => masked.sum().div_scalar(responses),
            Self::SeqMeanTokenSumNorm { scale } => masked.sum().div_scalar(responses * scale),
            Self::SeqMeanTokenMean => {
                let lengths = mask.sum_dim(1).add_scalar(1e-8);
                (masked.sum_dim(1) / lengths).sum().div_scalar(responses)
            }
        }
    }

    /// As [`Self::aggregate`], times the number of data-parallel `ranks`, each of which holds some of the mini-batch's
    /// micro-batches: for gradients that are *averaged* over ranks afterwards, as DDP and FSDP do (verl `dp_size`).
    ///
    /// `totals` are those of the mini-batch on all ranks together (verl `batch_num_tokens`, `global_batch_size`).
    pub fn aggregate_on_rank(
        &self,
        loss: Tensor<2>,
        mask: Tensor<2>,
        totals: BatchTotals,
        ranks: usize,
    ) -> Tensor<1> {
        self.aggregate(loss, mask, totals).mul_scalar(ranks as f64)
    }
}
