//! Clip-Cov (Cui et al. 2025, arXiv 2505.22617): no gradient for a few tokens of high covariance.

use serde::{Deserialize, Serialize};

use super::covariance::{count, covariances, selection};
use super::range::Range;
use super::surrogate::clipped;
use super::{ObjectiveInput, PolicyObjective, TokenLoss};
use crate::error::PolicyError;
use crate::sampling::SampleKey;

/// PPO's clipped surrogate, times 0 at a few tokens whose covariance of log-prob and advantage lies between two bounds
/// (verl's policy loss `clip_cov`). Those tokens would lower the entropy most.
///
/// Of N tokens in the micro-batch, ⌊`clip_cov_ratio`·N⌋ are dropped, at least one, drawn from those between the bounds
/// that PPO's own clip leaves alone. **Covariances, N and the draw are those of one micro-batch**, as in the reference:
/// how a mini-batch is cut changes the result. The draw is a function of [`ObjectiveInput::seed`] and the tokens' places.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClipCov {
    /// ε_low of PPO's clip, in [0, 1]; the authors' scripts set 1, which is no bound.
    pub clip_ratio_low: f32,
    /// ε_high of PPO's clip, ≥ 0; the authors' scripts set 1.
    pub clip_ratio_high: f32,
    /// The share of tokens to drop, from 0 to 1.
    pub clip_cov_ratio: f64,
    /// Only covariances above this.
    pub clip_cov_lb: f64,
    /// Only covariances below this; above `clip_cov_lb`.
    pub clip_cov_ub: f64,
}

impl Default for ClipCov {
    fn default() -> Self {
        Self {
            clip_ratio_low: 0.2,
            clip_ratio_high: 0.2,
            clip_cov_ratio: 2e-4,
            clip_cov_lb: 1.0,
            clip_cov_ub: 5.0,
        }
    }
}

impl PolicyObjective for ClipCov {
    fn name(&self) -> &str {
        "clip_cov"
    }

    fn token_loss(&self, input: &ObjectiveInput) -> TokenLoss {
        let (loss, active) = clipped(
            &input.advantages,
            input.ratio(),
            self.clip_ratio_low,
            self.clip_ratio_high,
        );
        let active: Vec<f32> = active.float().inner().into_data().iter().collect();
        let mut tokens = covariances(input);
        let n = count(self.clip_cov_ratio, tokens.len());
        tokens.retain(|token| {
            let between = token.value > self.clip_cov_lb && token.value < self.clip_cov_ub;
            between && active[token.position] == 0.0
        });
        // The tokens with the smallest of independent uniform numbers: every subset is as likely.
        let key = SampleKey::new(input.seed, 0, 0, 0);
        tokens.sort_by(|a, b| {
            let draw = |position: usize| key.uniform(position as u64);
            draw(a.position)
                .total_cmp(&draw(b.position))
                .then(a.position.cmp(&b.position))
        });
        tokens.truncate(n);
        let kept = selection(input, &tokens).neg().add_scalar(1.0);
        let metric_sums = vec![("actor/pg_clipfrac", tokens.len() as f64), input.ppo_kl()];
        TokenLoss {
            loss: loss * kept,
            metric_sums,
        }
        .weighted(input)
    }

    fn validate(&self) -> Result<(), PolicyError> {
        let range = Range("clip_cov");
        range.clip(self.clip_ratio_low, self.clip_ratio_high)?;
        range.fraction("clip_cov_ratio", self.clip_cov_ratio)?;
        range.ensure(
            self.clip_cov_lb.is_finite(),
            "clip_cov_lb",
            self.clip_cov_lb,
            "a finite number",
        )?;
        range.ensure(
            self.clip_cov_ub > self.clip_cov_lb,
            "clip_cov_ub",
            self.clip_cov_ub,
            "a number above clip_cov_lb",
        )
    }
}
