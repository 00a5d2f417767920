//! Group sequence policy optimisation (Zheng et al. 2025, arXiv 2507.18071).

use serde::{Deserialize, Serialize};

use super::range::Range;
use super::surrogate::clipped;
use super::{LossAggregation, ObjectiveInput, PolicyObjective, TokenLoss};
use crate::error::PolicyError;

/// PPO's surrogate with the ratio of the whole response, s = exp(mean_t (log π_θ − log π_old)), at each of its tokens.
///
/// This is the token form (GSPO-token, Eq. 13; verl's policy loss `gspo`): log s_t = sg[log s] + log π_θ − sg[log π_θ],
/// at most 10, so that every token has the value of the response's ratio and a gradient of its own. With one advantage a
/// response its gradient is that of the sequence form. Tokens of a response must share a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gspo {
    /// ε_low in [0, 1]. The mean of log-ratios moves little, so the paper's is 3·10⁻⁴.
    pub clip_ratio_low: f32,
    /// ε_high ≥ 0; the paper's is 4·10⁻⁴.
    pub clip_ratio_high: f32,
}

impl Default for Gspo {
    fn default() -> Self {
        Self {
            clip_ratio_low: 3e-4,
            clip_ratio_high: 4e-4,
        }
    }
}

impl PolicyObjective for Gspo {
    fn name(&self) -> &str {
        "gspo"
    }

    fn token_loss(&self, input: &ObjectiveInput) -> TokenLoss {
        let lengths = input.mask.clone().sum_dim(1).clamp_min(1.0);
        let mean = input.log_ratio().detach().sum_dim(1) / lengths;
        let gradient = input.log_probs.clone() - input.log_probs.clone().detach();
        let ratio = (gradient + mean).clamp_max(10.0).exp();
        let (loss, active) = clipped(
            &input.advantages,
            ratio,
            self.clip_ratio_low,
            self.clip_ratio_high,
        );
        let metric_sums = vec![
            ("actor/pg_clipfrac", input.masked_sum(active.float())),
            input.ppo_kl(),
            // The reference reports it for all its ratios; there is no dual clip here.
            ("actor/pg_clipfrac_lower", 0.0),
        ];
        TokenLoss { loss, metric_sums }.weighted(input)
    }

    fn aggregation(&self) -> Option<LossAggregation> {
        Some(LossAggregation::SeqMeanTokenMean)
    }

    fn validate(&self) -> Result<(), PolicyError> {
        Range("gspo").clip(self.clip_ratio_low, self.clip_ratio_high)
    }
}
