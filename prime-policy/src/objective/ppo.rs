//! The clipped surrogate of PPO (Schulman et al. 2017), with clip-higher and dual clip.

use serde::{Deserialize, Serialize};

use super::range::Range;
use super::surrogate::clipped;
use super::{ObjectiveInput, PolicyObjective, TokenLoss};
use crate::error::PolicyError;

/// ρ = exp(clamp(log π_θ − log π_old, ±20)); ℓ = max(−A·ρ, −A·clip(ρ, 1−ε_low, 1+ε_high)), and for A < 0 with dual
/// clip min(ℓ, −A·c). verl's policy loss `vanilla`; the paper's Eq. 6 with ε = 0.2 and no dual clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PpoClip {
    /// ε_low in [0, 1].
    pub clip_ratio_low: f32,
    /// ε_high ≥ 0; larger than ε_low is DAPO's clip-higher.
    pub clip_ratio_high: f32,
    /// The dual clip's c > 1 (Ye et al. 2020); absent = off.
    pub clip_ratio_c: Option<f32>,
}

impl Default for PpoClip {
    fn default() -> Self {
        Self {
            clip_ratio_low: 0.2,
            clip_ratio_high: 0.2,
            clip_ratio_c: None,
        }
    }
}

impl PolicyObjective for PpoClip {
    fn name(&self) -> &str {
        "ppo_clip"
    }

    fn token_loss(&self, input: &ObjectiveInput) -> TokenLoss {
        let (mut loss, active) = clipped(
            &input.advantages,
            input.ratio(),
            self.clip_ratio_low,
            self.clip_ratio_high,
        );
        let mut metric_sums = vec![
            ("actor/pg_clipfrac", input.masked_sum(active.float())),
            input.ppo_kl(),
        ];
        if let Some(c) = self.clip_ratio_c {
            let bound = input.advantages.clone().neg().mul_scalar(c);
            let negative = input.advantages.clone().lower_scalar(0.0);
            let lower = loss
                .clone()
                .greater(bound.clone())
                .bool_and(negative.clone());
            metric_sums.push(("actor/pg_clipfrac_lower", input.masked_sum(lower.float())));
            loss = loss.clone().mask_where(negative, loss.min_pair(bound));
        }
        TokenLoss { loss, metric_sums }.weighted(input)
    }

    fn validate(&self) -> Result<(), PolicyError> {
        let range = Range("ppo_clip");
        range.clip(self.clip_ratio_low, self.clip_ratio_high)?;
        match self.clip_ratio_c {
            Some(c) => {
                let holds = c.is_finite() && c > 1.0;
                range.ensure(holds, "clip_ratio_c", c, "a finite number above 1, or none")
            }
            None => Ok(()),
        }
    }
}
