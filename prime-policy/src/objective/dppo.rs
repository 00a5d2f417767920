//! Divergence proximal policy optimisation (arXiv 2602.04879): a trust region in probability instead of ratio.

use burn::tensor::{Bool, Tensor};
use serde::{Deserialize, Serialize};

use super::range::Range;
use super::{ObjectiveInput, PolicyObjective, TokenLoss};
use crate::error::PolicyError;

/// ℓ = −A·sg[min(ρ, c)]·log π_θ while the token's probability has not left the trust region in the direction that A pushes
/// it: π_θ − π_old ≤ ε_high for A > 0, ≥ −ε_low otherwise; else 0. The difference is the total variation of the two-way
/// distribution (this token, any other). verl's policy loss `dppo_tv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DppoTv {
    /// ε_low ≥ 0, a difference of probabilities.
    pub clip_ratio_low: f32,
    /// ε_high ≥ 0, a difference of probabilities.
    pub clip_ratio_high: f32,
    /// c > 1: the largest importance weight.
    pub clip_ratio_c: f32,
}

impl Default for DppoTv {
    fn default() -> Self {
        Self {
            clip_ratio_low: 0.15,
            clip_ratio_high: 0.15,
            clip_ratio_c: 20.0,
        }
    }
}

impl PolicyObjective for DppoTv {
    fn name(&self) -> &str {
        "dppo_tv"
    }

    fn token_loss(&self, input: &ObjectiveInput) -> TokenLoss {
        let (new, old) = probabilities(input);
        let moved = new - old;
        let up = moved.clone().lower_equal_scalar(self.clip_ratio_high);
        let down = moved.greater_equal_scalar(-self.clip_ratio_low);
        token_loss(input, up, down, self.clip_ratio_c)
    }

    fn validate(&self) -> Result<(), PolicyError> {
        let bounds = [self.clip_ratio_low, self.clip_ratio_high];
        validate("dppo_tv", bounds, self.clip_ratio_c)
    }
}

/// As [`DppoTv`], with the trust region in KL(π_old ‖ π_θ) of the two-way distribution (this token, any other): a token
/// counts while that is at most ε, or while its probability is on the other side of π_old than where A pushes it.
/// verl's policy loss `dppo_kl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DppoKl {
    /// ε for A ≤ 0, in nats, ≥ 0.
    pub clip_ratio_low: f32,
    /// ε for A > 0, in nats, ≥ 0.
    pub clip_ratio_high: f32,
    /// c > 1: the largest importance weight.
    pub clip_ratio_c: f32,
}

impl Default for DppoKl {
    fn default() -> Self {
        Self {
            clip_ratio_low: 0.05,
            clip_ratio_high: 0.05,
            clip_ratio_c: 20.0,
        }
    }
}

impl PolicyObjective for DppoKl {
    fn name(&self) -> &str {
        "dppo_kl"
    }

    fn token_loss(&self, input: &ObjectiveInput) -> TokenLoss {
        // 1e-8 as in the reference; in f32 it only keeps the logarithm of 0 finite.
        let rest = |p: Tensor<2>| p.neg().add_scalar(1.0).clamp_min(0.0).add_scalar(1e-8);
        let (new, old) = probabilities(input);
        let others = rest(old.clone()).log() - rest(new.clone()).log();
        let kl = old.clone() * input.log_ratio().detach().neg()
            + old.clone().neg().add_scalar(1.0) * others;
        let up = kl
            .clone()
            .lower_equal_scalar(self.clip_ratio_high)
            .bool_or(new.clone().lower_equal(old.clone()));
        let down = kl
            .lower_equal_scalar(self.clip_ratio_low)
            .bool_or(new.greater_equal(old));
        token_loss(input, up, down, self.clip_ratio_c)
    }

    fn validate(&self) -> Result<(), PolicyError> {
        let bounds = [self.clip_ratio_low, self.clip_ratio_high];
        validate("dppo_kl", bounds, self.clip_ratio_c)
    }
}

/// π_θ and π_old of the sampled tokens, without gradient.
fn probabilities(input: &ObjectiveInput) -> (Tensor<2>, Tensor<2>) {
    let new = input.log_probs.clone().detach().exp();
    (new, input.old_log_probs.clone().exp())
}

/// `up` and `down`: whether a token is inside the trust region if A > 0, and if not.
fn token_loss(
    input: &ObjectiveInput,
    up: Tensor<2, Bool>,
    down: Tensor<2, Bool>,
    cap: f32,
) -> TokenLoss {
    let positive = input.advantages.clone().greater_scalar(0.0);
    let valid = down.mask_where(positive, up);
    let ratio = input.ratio().detach();
    let capped = ratio.clone().greater_scalar(cap).bool_and(valid.clone());
    let metric_sums = vec![
        (
            "actor/pg_clipfrac",
            input.masked_sum(valid.clone().bool_not().float()),
        ),
        input.ppo_kl(),
        ("actor/pg_clipfrac_lower", input.masked_sum(capped.float())),
    ];
    let weight = ratio.clamp_max(cap) * valid.float();
    TokenLoss {
        loss: (weight * input.advantages.clone()).neg() * input.log_probs.clone(),
        metric_sums,
    }
    .weighted(input)
}

fn validate(objective: &'static str, [low, high]: [f32; 2], cap: f32) -> Result<(), PolicyError> {
    let range = Range(objective);
    range.not_negative("clip_ratio_low", low.into())?;
    range.not_negative("clip_ratio_high", high.into())?;
    let holds = cap.is_finite() && cap > 1.0;
    range.ensure(holds, "clip_ratio_c", cap, "a finite number above 1")
}
