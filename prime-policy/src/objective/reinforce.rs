//! The plain policy gradient, under its two names.

use serde::{Deserialize, Serialize};

use super::{ObjectiveInput, PolicyObjective, TokenLoss};

/// ℓ = −A·log π_θ (Williams 1992; verl's `compute_policy_loss_reinforce`).
///
/// Without a ratio it is right only for tokens of the policy being trained. With several optimiser steps on the same
/// rollouts give it [`ImportanceWeights`](super::ImportanceWeights) of π_θ / π_old.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reinforce {}

impl PolicyObjective for Reinforce {
    fn name(&self) -> &str {
        "reinforce"
    }

    fn token_loss(&self, input: &ObjectiveInput) -> TokenLoss {
        TokenLoss {
            metric_sums: vec![input.ppo_kl()],
            ..policy_gradient(input)
        }
    }
}

/// Group policy gradient (Chu et al. 2025, arXiv 2504.02546; verl's policy loss `gpg`): the loss of [`Reinforce`]. What is
/// new in the method is its advantage, `Gpg` in prime-advantage. It reports no metrics.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gpg {}

impl PolicyObjective for Gpg {
    fn name(&self) -> &str {
        "gpg"
    }

    fn token_loss(&self, input: &ObjectiveInput) -> TokenLoss {
        policy_gradient(input)
    }
}

fn policy_gradient(input: &ObjectiveInput) -> TokenLoss {
    TokenLoss {
        loss: input.advantages.clone().neg() * input.log_probs.clone(),
        metric_sums: vec![],
    }
    .weighted(input)
}
