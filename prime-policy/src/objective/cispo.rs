//! Clipped importance-sampling policy optimisation (MiniMax-M1, arXiv 2506.13585).

use serde::{Deserialize, Serialize};

use super::range::Range;
use super::{ObjectiveInput, PolicyObjective, TokenLoss};
use crate::error::PolicyError;

/// ℓ = −sg[clip(ρ, 1−ε_low, 1+ε_high)]·A·log π_θ: the clip bounds the weight of a token's gradient and never drops it.
/// verl's policy loss `cispo`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cispo {
    /// ε_low ≥ 0; from 1 on there is no lower bound, as in the paper.
    pub clip_ratio_low: f32,
    /// ε_high ≥ 0.
    pub clip_ratio_high: f32,
}

impl Default for Cispo {
    fn default() -> Self {
        Self {
            clip_ratio_low: 1.0,
            clip_ratio_high: 0.2,
        }
    }
}

impl PolicyObjective for Cispo {
    fn name(&self) -> &str {
        "cispo"
    }

    fn token_loss(&self, input: &ObjectiveInput) -> TokenLoss {
        let ratio = input.ratio().detach();
        let weight = ratio
            .clone()
            .clamp(1.0 - self.clip_ratio_low, 1.0 + self.clip_ratio_high);
        let clipped = ratio.not_equal(weight.clone());
        let loss = (weight * input.advantages.clone()).neg() * input.log_probs.clone();
        let metric_sums = vec![
            ("actor/pg_clipfrac", input.masked_sum(clipped.float())),
            input.ppo_kl(),
            // The reference reports it for all its ratios; there is no dual clip here.
            ("actor/pg_clipfrac_lower", 0.0),
        ];
        TokenLoss { loss, metric_sums }.weighted(input)
    }

    fn validate(&self) -> Result<(), PolicyError> {
        let range = Range("cispo");
        range.not_negative("clip_ratio_low", self.clip_ratio_low.into())?;
        range.not_negative("clip_ratio_high", self.clip_ratio_high.into())
    }
}
