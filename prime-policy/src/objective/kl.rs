//! Estimators of KL(π_θ ‖ π_ref) from sampled tokens (Schulman, "Approximating KL divergence").

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// With d = log π_θ − log π_ref of the sampled token. verl's names are accepted too.
///
/// As a loss term, only k2 has the gradient of the divergence itself in expectation: that of k1 is 0, that of k3 is of
/// another divergence. The straight-through forms `k1+` and `k3+` take their value from k1 and k3 and their gradient
/// from k2. As a penalty on rewards (prime-advantage's `KlInReward`, with its fixed or adaptive coefficient) only the
/// value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KlEstimator {
    /// d: unbiased, high variance.
    #[default]
    #[serde(alias = "kl")]
    K1,
    /// |d|: never negative, biased.
    Abs,
    /// d²/2: biased, low variance.
    #[serde(alias = "mse")]
    K2,
    /// e^(−d) + d − 1: unbiased, low variance, never negative (−d clamped to ±20, result to ±10, as verl does).
    #[serde(alias = "low_var_kl")]
    K3,
    /// The value of k1, the gradient of k2.
    #[serde(rename = "k1+", alias = "kl+")]
    K1Plus,
    /// The value of k3, the gradient of k2.
    #[serde(rename = "k3+", alias = "low_var_kl+")]
    K3Plus,
}

impl KlEstimator {
    /// The estimate per token; shapes as given, gradients through `log_probs`.
    pub fn per_token(&self, log_probs: Tensor<2>, ref_log_probs: Tensor<2>) -> Tensor<2> {
        let d = log_probs - ref_log_probs;
        match self {
            Self::K1 => d,
            Self::Abs => d.abs(),
            Self::K2 => k2(d),
            Self::K3 => k3(d),
            Self::K1Plus => straight_through(d.clone(), d),
            Self::K3Plus => straight_through(k3(d.clone()), d),
        }
    }
}

fn k2(d: Tensor<2>) -> Tensor<2> {
    d.square().mul_scalar(0.5)
}

fn k3(d: Tensor<2>) -> Tensor<2> {
    let back = d.neg().clamp(-20.0, 20.0);
    (back.clone().exp() - back)
        .sub_scalar(1.0)
        .clamp(-10.0, 10.0)
}

/// The value of `value`, the gradient of k2(`d`).
fn straight_through(value: Tensor<2>, d: Tensor<2>) -> Tensor<2> {
    let gradient = k2(d);
    let nothing = gradient.clone() - gradient.detach();
    value.detach() + nothing
}
