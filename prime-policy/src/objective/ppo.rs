//! The clipped surrogate of PPO (Schulman et al. 2017), with clip-higher and dual clip.

use serde::{Deserialize, Serialize};

use super::{ObjectiveInput, PolicyObjective, TokenLoss, masked_sum};

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
        let ObjectiveInput {
            log_probs,
            old_log_probs,
            advantages,
            mask,
        } = input;
        let log_ratio = log_probs.clone() - old_log_probs.clone();
        let ratio = log_ratio.clone().clamp(-20.0, 20.0).exp();
        let clipped = ratio
            .clone()
            .clamp(1.0 - self.clip_ratio_low, 1.0 + self.clip_ratio_high);
        let gain = advantages.clone().neg();
        let plain = gain.clone() * ratio;
        let bounded = gain.clone() * clipped;
        let is_clipped = bounded.clone().greater(plain.clone()).float();
        let mut loss = plain.max_pair(bounded);
        let mut metric_sums = vec![
            ("actor/pg_clipfrac", masked_sum(is_clipped, mask)),
            ("actor/ppo_kl", masked_sum(log_ratio.neg(), mask)),
        ];
        if let Some(c) = self.clip_ratio_c {
            let bound = gain.mul_scalar(c);
            let negative = advantages.clone().lower_scalar(0.0);
            let lower = loss
                .clone()
                .greater(bound.clone())
                .bool_and(negative.clone());
            metric_sums.push(("actor/pg_clipfrac_lower", masked_sum(lower.float(), mask)));
            loss = loss.clone().mask_where(negative, loss.min_pair(bound));
        }
        TokenLoss { loss, metric_sums }
    }
}
