//! KL estimates per token, and rewards lowered by them.

use serde::{Deserialize, Serialize};

use crate::AdvantageError;
use crate::error::check_finite;

/// A per-token estimate of KL(policy ‖ reference) from the sampled token's
/// log-probabilities, with `d = log π − log π_ref` (Schulman's names; verl's as
/// aliases). verl's `k1+` and `k3+` have the values of `k1` and `k3` and differ in the
/// gradient, which a reward does not have; they are read as aliases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KlEstimator {
    /// `d`: unbiased, any sign (verl `kl`).
    #[default]
    #[serde(alias = "kl", alias = "k1+")]
    K1,
    /// `|d|`.
    Abs,
    /// `½ d²`: never negative, biased (verl `mse`).
    #[serde(alias = "mse")]
    K2,
    /// `e^{−d} + d − 1`: never negative, unbiased (verl `low_var_kl`). `−d` is
    /// clamped to ±20 and the result to ±10, as in verl.
    #[serde(alias = "low_var_kl", alias = "k3+")]
    K3,
}

impl KlEstimator {
    /// The estimate for one token, in nats.
    pub fn penalty(self, log_prob: f32, ref_log_prob: f32) -> f64 {
        let d = f64::from(log_prob) - f64::from(ref_log_prob);
        match self {
            Self::K1 => d,
            Self::Abs => d.abs(),
            Self::K2 => 0.5 * d * d,
            Self::K3 => {
                let minus_d = (-d).clamp(-20.0, 20.0);
                (minus_d.exp() - minus_d - 1.0).clamp(-10.0, 10.0)
            }
        }
    }

    /// The estimate for each token of a response.
    ///
    /// # Errors
    /// [`AdvantageError::SliceLength`] if the lengths differ,
    /// [`AdvantageError::SliceNotFinite`] for a log-probability that is not finite
    /// or an estimate that does not fit an `f32`.
    pub fn penalties(
        self,
        log_probs: &[f32],
        ref_log_probs: &[f32],
    ) -> Result<Vec<f32>, AdvantageError> {
        check_same_length("ref_log_probs", ref_log_probs.len(), log_probs.len())?;
        let pairs = log_probs.iter().zip(ref_log_probs).enumerate();
        pairs
            .map(|(index, (&log_prob, &ref_log_prob))| {
                for (name, x) in [("log_probs", log_prob), ("ref_log_probs", ref_log_prob)] {
                    check_number(name, index, x.into())?;
                }
                check_number("penalties", index, self.penalty(log_prob, ref_log_prob))
            })
            .collect()
    }
}

/// `r_t − coef · KL_t` at the policy's own tokens, `r_t` at the others: KL in the
/// reward (verl `apply_kl_penalty`). `mask: None` means all tokens.
///
/// # Errors
/// As [`KlEstimator::penalties`], for all the slices; [`AdvantageError::OutOfRange`]
/// for a `coef` that is not finite.
pub fn kl_shaped_rewards(
    rewards: &[f32],
    log_probs: &[f32],
    ref_log_probs: &[f32],
    mask: Option<&[bool]>,
    estimator: KlEstimator,
    coef: f64,
) -> Result<Vec<f32>, AdvantageError> {
    check_finite("kl_shaped_rewards", "coef", coef)?;
    check_same_length("log_probs", log_probs.len(), rewards.len())?;
    check_same_length(
        "mask",
        mask.map_or(rewards.len(), <[bool]>::len),
        rewards.len(),
    )?;
    let penalties = estimator.penalties(log_probs, ref_log_probs)?;
    let pairs = rewards.iter().zip(&penalties).enumerate();
    pairs
        .map(|(t, (&reward, &penalty))| {
            let own = mask.is_none_or(|m| m[t]);
            let paid = if own { coef * f64::from(penalty) } else { 0.0 };
            check_number("rewards", t, f64::from(reward) - paid)
        })
        .collect()
}

fn check_same_length(
    name: &'static str,
    found: usize,
    expected: usize,
) -> Result<(), AdvantageError> {
    if found == expected {
        return Ok(());
    }
    Err(AdvantageError::SliceLength {
        name,
        found,
        expected,
    })
}

fn check_number(name: &'static str, index: usize, value: f64) -> Result<f32, AdvantageError> {
    let narrow = value as f32;
    if narrow.is_finite() {
        return Ok(narrow);
    }
    Err(AdvantageError::SliceNotFinite { name, index, value })
}
