//! Losses of the policy and the critic, one file each.

mod aggregate;
mod all_actions;
mod kl;
mod ppo;
mod value;

use std::fmt::Debug;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

pub use aggregate::{BatchTotals, LossAggregation};
pub use all_actions::AllActions;
pub use kl::KlEstimator;
pub use ppo::PpoClip;
pub use value::ClippedValueLoss;

/// What an objective sees of one micro-batch. All tensors are `[rows, window]`, 0 outside the mask.
#[derive(Debug, Clone)]
pub struct ObjectiveInput {
    /// log π_θ of the sampled tokens; carries the gradient.
    pub log_probs: Tensor<2>,
    /// log π_old: the policy that the step began with.
    pub old_log_probs: Tensor<2>,
    /// One advantage per token.
    pub advantages: Tensor<2>,
    /// 1 on response tokens.
    pub mask: Tensor<2>,
}

/// A per-token loss and what to report of it.
#[derive(Debug)]
pub struct TokenLoss {
    /// `[rows, window]`, not yet masked or averaged.
    pub loss: Tensor<2>,
    /// Named sums over the mask; divided by the mini-batch's token count they are the metrics.
    pub metric_sums: Vec<(&'static str, f64)>,
}

/// A policy-gradient loss: turns log-probs and advantages into a per-token loss.
pub trait PolicyObjective: Debug + Send + Sync {
    /// The name that configurations use.
    fn name(&self) -> &str;

    /// The loss of every token; lower is better.
    fn token_loss(&self, input: &ObjectiveInput) -> TokenLoss;

    /// The aggregation that the method is defined with, when it is not the user's choice.
    fn aggregation(&self) -> Option<LossAggregation> {
        None
    }
}

/// Chooses a [`PolicyObjective`] by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "objective", rename_all = "snake_case")]
pub enum ObjectiveConfig {
    /// Clipped surrogate of PPO.
    PpoClip(PpoClip),
}

impl ObjectiveConfig {
    /// The objective.
    pub fn build(&self) -> Box<dyn PolicyObjective> {
        match self {
            Self::PpoClip(ppo) => Box::new(ppo.clone()),
        }
    }
}

/// Σ of `x` over the mask, on the host.
pub(crate) fn masked_sum(x: Tensor<2>, mask: &Tensor<2>) -> f64 {
    let (x, mask) = (x.inner().into_data(), mask.clone().inner().into_data());
    x.iter::<f32>()
        .zip(mask.iter::<f32>())
        .filter(|(_, m)| *m != 0.0)
        .map(|(x, m)| f64::from(x) * f64::from(m))
        .sum()
}

#[cfg(test)]
mod tests;
