//! From log-probs to token rewards (PRIME Eq. 3; ImplicitPRM Eq. 3).

use serde::{Deserialize, Serialize};

use crate::error::RewardError;

/// Which tokens the reward of a response is given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Granularity {
    /// Every token its own: r_t = β·q_t.
    #[default]
    Token,
    /// The last token the sum, the others 0: the implicit *outcome* reward model.
    Whole,
}

/// How log-ratios become rewards.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenRewardConfig {
    /// β > 0: r_t = β·(log π_φ − log π_ref). The authors' trainer drops the factor (β = 1 here gives its numbers).
    pub beta: f32,
    /// Token or whole response.
    pub granularity: Granularity,
    /// Rewards above this are cut to it; absent = no cut. Guards against a PRM that pays for anything it has not seen.
    pub positive_clip: Option<f32>,
}

impl Default for TokenRewardConfig {
    fn default() -> Self {
        Self {
            beta: 0.05,
            granularity: Granularity::Token,
            positive_clip: None,
        }
    }
}

/// Rewards of one response's tokens: r_t = β·(log π_φ(y_t) − log π_ref(y_t)).
///
/// `prm` and `reference` hold one log-prob per token at temperature 1. The result has the same length.
///
/// # Errors
/// [`RewardError::LengthMismatch`] when the two differ in length, [`RewardError::NotFinite`] for a token whose log-ratio
/// is not a number; `rollout` is 0 in both.
///
/// ```
/// use prime_reward::{TokenRewardConfig, token_rewards};
/// let config = TokenRewardConfig { beta: 0.5, ..Default::default() };
/// let rewards = token_rewards(&[-1.0, -2.0], &[-2.0, -1.0], &config)?;
/// assert_eq!(rewards, [0.5, -0.5]);
/// # Ok::<(), prime_reward::RewardError>(())
/// ```
pub fn token_rewards(
    prm: &[f32],
    reference: &[f32],
    config: &TokenRewardConfig,
) -> Result<Vec<f32>, RewardError> {
    if prm.len() != reference.len() {
        return Err(RewardError::LengthMismatch {
            what: "reference log-probs",
            rollout: 0,
            expected: prm.len(),
            found: reference.len(),
        });
    }
    for (token, (&prm, &reference)) in prm.iter().zip(reference).enumerate() {
        let value = prm - reference;
        // `min` below would turn a NaN into the clip: the highest reward there is.
        if !value.is_finite() {
            return Err(RewardError::NotFinite {
                rollout: 0,
                token,
                value,
                prm,
                reference,
            });
        }
    }
    let clip = config.positive_clip.unwrap_or(f32::INFINITY);
    let rewards = prm
        .iter()
        .zip(reference)
        .map(|(p, r)| (config.beta * (p - r)).min(clip));
    Ok(match config.granularity {
        Granularity::Token => rewards.collect(),
        Granularity::Whole => {
            let total: f64 = prm
                .iter()
                .zip(reference)
                .map(|(p, r)| f64::from(*p) - f64::from(*r))
                .sum();
            let mut out = vec![0.0; prm.len()];
            if let Some(last) = out.last_mut() {
                *last = ((f64::from(config.beta) * total) as f32).min(clip);
            }
            out
        }
    })
}
