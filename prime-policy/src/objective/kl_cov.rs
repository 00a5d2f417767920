//! KL-Cov (Cui et al. 2025, arXiv 2505.22617): a penalty on the tokens of highest covariance.

use serde::{Deserialize, Serialize};

use super::covariance::{count, covariances, selection};
use super::range::Range;
use super::{ObjectiveInput, PolicyObjective, TokenLoss};
use crate::error::PolicyError;

/// ℓ = −A·ρ without any clip, plus `ppo_kl_coef`·|log π_θ − log π_old| on the tokens with the highest covariance of
/// log-prob and advantage (verl's policy loss `kl_cov`).
///
/// Of N tokens in the micro-batch, ⌊`kl_cov_ratio`·N⌋ are penalised, at least one; of equal ones the earlier.
/// **Covariances, N and the choice are those of one micro-batch**, as in the reference: how a mini-batch is cut changes
/// the result. The metric `actor/ppo_kl` is the mean of |log π_θ − log π_old|.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KlCov {
    /// The share of tokens to penalise, from 0 to 1; the authors' script for a 7B model sets 2·10⁻³.
    pub kl_cov_ratio: f64,
    /// Weight of the penalty, ≥ 0; the authors' scripts set 1.
    pub ppo_kl_coef: f32,
}

impl Default for KlCov {
    fn default() -> Self {
        Self {
            kl_cov_ratio: 2e-4,
            ppo_kl_coef: 0.1,
        }
    }
}

impl PolicyObjective for KlCov {
    fn name(&self) -> &str {
        "kl_cov"
    }

    fn token_loss(&self, input: &ObjectiveInput) -> TokenLoss {
        let mut tokens = covariances(input);
        let n = count(self.kl_cov_ratio, tokens.len());
        tokens.sort_by(|a, b| {
            b.value
                .total_cmp(&a.value)
                .then(a.position.cmp(&b.position))
        });
        tokens.truncate(n);
        let distance = input.log_ratio().abs();
        let metric_sums = vec![("actor/ppo_kl", input.masked_sum(distance.clone()))];
        let penalty = distance.mul_scalar(self.ppo_kl_coef) * selection(input, &tokens);
        TokenLoss {
            loss: penalty - input.advantages.clone() * input.ratio(),
            metric_sums,
        }
        .weighted(input)
    }

    fn validate(&self) -> Result<(), PolicyError> {
        let range = Range("kl_cov");
        range.fraction("kl_cov_ratio", self.kl_cov_ratio)?;
        range.not_negative("ppo_kl_coef", self.ppo_kl_coef.into())
    }
}
