//! Soft adaptive policy optimisation (Gao et al. 2025, arXiv 2511.20347).

use burn::tensor::activation;
use serde::{Deserialize, Serialize};

use super::range::Range;
use super::{LossAggregation, ObjectiveInput, PolicyObjective, TokenLoss};
use crate::error::PolicyError;

/// ℓ = −A·σ(τ(ρ − 1))·4/τ with τ = τ_pos for A > 0, else τ_neg: a smooth gate in the place of the clip. At ρ = 1 its slope
/// is that of ρ; away from 1 it falls off, faster for a larger τ. verl's policy loss `sapo`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sapo {
    /// τ of positive advantages, > 0.
    pub tau_pos: f32,
    /// τ of the others, > 0; larger than `tau_pos` damps what pushes tokens down.
    pub tau_neg: f32,
}

impl Default for Sapo {
    fn default() -> Self {
        Self {
            tau_pos: 1.0,
            tau_neg: 1.05,
        }
    }
}

impl PolicyObjective for Sapo {
    fn name(&self) -> &str {
        "sapo"
    }

    fn token_loss(&self, input: &ObjectiveInput) -> TokenLoss {
        let positive = input.advantages.clone().greater_scalar(0.0);
        let tau = input
            .advantages
            .full_like(self.tau_neg)
            .mask_fill(positive, self.tau_pos);
        let gate = activation::sigmoid(input.ratio().sub_scalar(1.0) * tau.clone()) / tau;
        let loss = input.advantages.clone().mul_scalar(-4.0) * gate;
        // The reference reports both shares for all its ratios; nothing is clipped here.
        let metric_sums = vec![
            ("actor/pg_clipfrac", 0.0),
            input.ppo_kl(),
            ("actor/pg_clipfrac_lower", 0.0),
        ];
        TokenLoss { loss, metric_sums }.weighted(input)
    }

    fn aggregation(&self) -> Option<LossAggregation> {
        Some(LossAggregation::SeqMeanTokenMean)
    }

    fn validate(&self) -> Result<(), PolicyError> {
        let range = Range("sapo");
        range.positive("tau_pos", self.tau_pos.into())?;
        range.positive("tau_neg", self.tau_neg.into())
    }
}
