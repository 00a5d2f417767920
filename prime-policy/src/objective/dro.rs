//! Direct reward optimisation (Richemond et al. 2024, arXiv 2405.19107), as a policy loss.

use serde::{Deserialize, Serialize};

use super::range::Range;
use super::{ObjectiveInput, PolicyObjective, TokenLoss};
use crate::error::PolicyError;

/// ℓ = −(A·log π_θ − ½·β·(log π_θ − log π_old)²): a quadratic pull towards the old policy in the place of a ratio or a clip.
/// verl's policy loss `dro`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dro {
    /// β > 0.
    pub dro_beta: f32,
}

impl Default for Dro {
    fn default() -> Self {
        Self { dro_beta: 0.05 }
    }
}

impl PolicyObjective for Dro {
    fn name(&self) -> &str {
        "dro"
    }

    fn token_loss(&self, input: &ObjectiveInput) -> TokenLoss {
        let pull = input.log_ratio().square().mul_scalar(0.5 * self.dro_beta);
        TokenLoss {
            loss: pull - input.advantages.clone() * input.log_probs.clone(),
            metric_sums: vec![input.ppo_kl()],
        }
        .weighted(input)
    }

    fn validate(&self) -> Result<(), PolicyError> {
        Range("dro").positive("dro_beta", self.dro_beta.into())
    }
}
