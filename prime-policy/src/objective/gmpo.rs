//! Geometric-mean policy optimisation (Zhao et al. 2025, arXiv 2507.20673).

use serde::{Deserialize, Serialize};

use super::range::Range;
use super::{LossAggregation, ObjectiveInput, PolicyObjective, TokenLoss};
use crate::error::PolicyError;

/// The loss of a response is −Ā·ρ with ρ the geometric mean of its tokens' clipped ratios and Ā the mean of its
/// advantages (verl's policy loss `geo_mean`).
///
/// With d = log π_θ − log π_old, a token counts as sgn(A)·min(sgn(A)·d, sgn(A)·clip(d, −ε_low, ε_high)): the clip is of the
/// log-ratio, and works on the side where it lowers the gain. The log of ρ is clamped to ±20 so that it stays finite.
///
/// Each token of a response carries the response's loss, and the aggregation is the mean over responses; the reference
/// averages over rows, which differs only if some rows are empty. Importance weights enter as their geometric mean over
/// the response. Tokens of a response must share a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gmpo {
    /// ε_low ≥ 0, of the log-ratio.
    pub clip_ratio_low: f32,
    /// ε_high ≥ 0, of the log-ratio.
    pub clip_ratio_high: f32,
}

impl Default for Gmpo {
    fn default() -> Self {
        Self {
            clip_ratio_low: 0.4,
            clip_ratio_high: 0.4,
        }
    }
}

impl PolicyObjective for Gmpo {
    fn name(&self) -> &str {
        "gmpo"
    }

    fn token_loss(&self, input: &ObjectiveInput) -> TokenLoss {
        let log_ratio = input.log_ratio();
        let bounded = log_ratio
            .clone()
            .clamp(-self.clip_ratio_low, self.clip_ratio_high);
        let outside = log_ratio.clone().not_equal(bounded.clone());
        let clipped = |side| input.masked_sum(outside.clone().bool_and(side).float());
        let metric_sums = vec![
            (
                "actor/pg_clipfrac",
                clipped(input.advantages.clone().greater_scalar(0.0)),
            ),
            input.ppo_kl(),
            (
                "actor/pg_clipfrac_lower",
                clipped(input.advantages.clone().lower_scalar(0.0)),
            ),
        ];

        let sign = input.advantages.clone().sign();
        let used = (sign.clone() * log_ratio).min_pair(sign.clone() * bounded) * sign;
        let lengths = input.mask.clone().sum_dim(1).clamp_min(1.0);
        let ratio = (used.sum_dim(1) / lengths.clone()).clamp(-20.0, 20.0).exp();
        let advantage = input.advantages.clone().sum_dim(1) / lengths.clone();
        let mut loss = advantage.neg() * ratio;
        if let Some(weights) = &input.importance_weights {
            // The reference's ε: a weight of 0 must not make the mean −∞.
            let logs = weights.clone().add_scalar(1e-10).log() * input.mask.clone();
            loss = loss * (logs.sum_dim(1) / lengths).exp();
        }
        TokenLoss {
            loss: loss.expand(input.mask.dims()),
            metric_sums,
        }
    }

    fn aggregation(&self) -> Option<LossAggregation> {
        Some(LossAggregation::SeqMeanTokenMean)
    }

    fn validate(&self) -> Result<(), PolicyError> {
        let range = Range("gmpo");
        range.not_negative("clip_ratio_low", self.clip_ratio_low.into())?;
        range.not_negative("clip_ratio_high", self.clip_ratio_high.into())
    }
}
