//! KL in the reward: token rewards lowered by the distance from a reference model.

use serde::{Deserialize, Serialize};

use crate::error::{check_finite, check_not_negative};
use crate::knobs::knobs;
use crate::token_rewards::missing;
use crate::{
    AdvantageError, KlEstimator, Place, Response, ResponseField, RewardBatch, kl_shaped_rewards,
};

/// `r_t − coef · KL_t` over a batch (Ziegler et al. 2019, arXiv 1909.08593; verl
/// `apply_kl_penalty`), from [`Response::with_old_log_probs`] and
/// [`Response::with_ref_log_probs`].
///
/// ```
/// use prime_advantage::*;
///
/// let (old, reference) = ([-0.1, -0.5], [-0.3, -0.4]);
/// let response = Response::new(2, 1.0)
///     .with_old_log_probs(&old)
///     .with_ref_log_probs(&reference);
/// let batch = RewardBatch::from_responses(vec![vec![response, response]])?;
/// let shaped = KlInReward::new(KlEstimator::K1, 0.1).shape(&batch)?;
/// let advantages = ReinforcePlusPlus::default().estimate(&shaped.batch())?;
/// # assert!((shaped.mean_kl() - 0.05).abs() < 1e-6);
/// # Ok::<(), AdvantageError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct KlInReward {
    /// How the divergence is estimated. Default: k1.
    pub estimator: KlEstimator,
    /// The coefficient, finite; [`AdaptiveKl`] moves one from batch to batch. Default: 0.001.
    pub coef: f64,
    /// Which reward pays. Default: the tokens'.
    pub placement: KlPlacement,
}

/// Which reward [`KlInReward`] lowers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KlPlacement {
    /// Each token's process reward, 0 where there was none: for estimators that read
    /// token rewards, and for PRIME.
    #[default]
    Tokens,
    /// The outcome reward, by the sum over the response: for estimators that score
    /// responses, which in verl see the same sum.
    Outcome,
}

impl Default for KlInReward {
    fn default() -> Self {
        Self::new(KlEstimator::K1, 0.001)
    }
}

knobs!(KlInReward {
    with_estimator(estimator: KlEstimator);
    with_coef(coef: f64);
    with_placement(placement: KlPlacement);
});

impl KlInReward {
    /// Charged per token.
    pub fn new(estimator: KlEstimator, coef: f64) -> Self {
        Self {
            estimator,
            coef,
            placement: KlPlacement::Tokens,
        }
    }

    /// The batch with the penalty taken off. Masked tokens pay nothing; greedy
    /// responses keep their rewards.
    ///
    /// # Errors
    /// [`AdvantageError::MissingInput`] for a response without one of the
    /// log-probabilities, unless it is empty; [`AdvantageError::OutOfRange`] for the
    /// coefficient; [`AdvantageError::ResultNotFinite`] if a shaped reward does not
    /// fit an `f32`.
    pub fn shape<'a>(&self, batch: &RewardBatch<'a>) -> Result<KlShaped<'a>, AdvantageError> {
        check_finite("kl_in_reward", "coef", self.coef)?;
        let mut rewards = Vec::with_capacity(batch.response_count());
        let mut kl = 0.0;
        for (place, response) in batch.places() {
            let old = log_probs(place, response, ResponseField::OldLogProbs)?;
            let reference = log_probs(place, response, ResponseField::RefLogProbs)?;
            let own = |t: usize| response.mask().is_none_or(|mask| mask[t]);
            let penalties = (0..response.len()).filter(|&t| own(t));
            let penalties = penalties.map(|t| self.estimator.penalty(old[t], reference[t]));
            let sum: f64 = penalties.sum();
            kl += sum / response.policy_tokens().max(1) as f64;
            let zeros;
            let process = match response.process_rewards() {
                Some(rewards) => rewards,
                None => {
                    zeros = vec![0.0; response.len()];
                    &zeros
                }
            };
            rewards.push(match self.placement {
                KlPlacement::Tokens => {
                    let (mask, coef) = (response.mask(), self.coef);
                    let shaped =
                        kl_shaped_rewards(process, old, reference, mask, self.estimator, coef);
                    Shaped::Tokens(shaped.map_err(|error| at(place, error))?)
                }
                KlPlacement::Outcome => {
                    let outcome = f64::from(response.outcome_reward()) - self.coef * sum;
                    if !(outcome as f32).is_finite() {
                        return Err(not_finite(place, 0));
                    }
                    Shaped::Outcome(outcome as f32)
                }
            });
        }
        Ok(KlShaped {
            batch: batch.clone(),
            rewards,
            mean_kl: kl / batch.response_count() as f64,
        })
    }
}

fn log_probs<'a>(
    place: Place,
    response: &Response<'a>,
    field: ResponseField,
) -> Result<&'a [f32], AdvantageError> {
    let given = match field {
        ResponseField::OldLogProbs => response.old_log_probs(),
        _ => response.ref_log_probs(),
    };
    match given {
        None if response.is_empty() => Ok(&[]),
        None => Err(missing("kl_in_reward", field, place)),
        Some(log_probs) => Ok(log_probs),
    }
}

fn at(place: Place, error: AdvantageError) -> AdvantageError {
    match error {
        AdvantageError::SliceNotFinite { index, .. } => not_finite(place, index),
        other => other,
    }
}

fn not_finite(place: Place, token: usize) -> AdvantageError {
    AdvantageError::ResultNotFinite {
        group: place.group,
        response: place.response,
        token,
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Shaped {
    Tokens(Vec<f32>),
    Outcome(f32),
}

/// A batch whose rewards have paid for their KL, to be lent to an estimator.
#[derive(Debug, Clone, PartialEq)]
pub struct KlShaped<'a> {
    batch: RewardBatch<'a>,
    rewards: Vec<Shaped>,
    mean_kl: f64,
}

impl KlShaped<'_> {
    /// The batch as an estimator reads it.
    pub fn batch(&self) -> RewardBatch<'_> {
        self.batch.map(
            |index, response| match &self.rewards[index] {
                Shaped::Tokens(shaped) => response.with_process_rewards(shaped),
                Shaped::Outcome(shaped) => response.with_outcome_reward(*shaped),
            },
            |greedy| *greedy,
        )
    }

    /// The estimated divergence: the mean over policy tokens, averaged over responses
    /// (verl `current_kl`), in nats. Feeds [`AdaptiveKl::update`].
    pub fn mean_kl(&self) -> f64 {
        self.mean_kl
    }
}

/// A KL coefficient that follows a target (Ziegler et al. 2019; verl
/// `AdaptiveKLController`): `coef ← coef · (1 + clip(KL/target − 1, ±0.2) · n/horizon)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "AdaptiveKlKnobs")]
pub struct AdaptiveKl {
    coef: f64,
    target: f64,
    horizon: f64,
}

/// As it stands in a file, unchecked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdaptiveKlKnobs {
    coef: f64,
    target: f64,
    horizon: f64,
}

impl TryFrom<AdaptiveKlKnobs> for AdaptiveKl {
    type Error = AdvantageError;

    fn try_from(knobs: AdaptiveKlKnobs) -> Result<Self, AdvantageError> {
        Self::new(knobs.coef, knobs.target, knobs.horizon)
    }
}

impl AdaptiveKl {
    /// Starts at `coef`; `target` in nats, `horizon` in responses (verl: whatever its
    /// `n_steps` counts).
    ///
    /// # Errors
    /// [`AdvantageError::OutOfRange`] for a negative coefficient or a target or horizon
    /// that is not positive.
    pub fn new(coef: f64, target: f64, horizon: f64) -> Result<Self, AdvantageError> {
        check_not_negative("adaptive_kl", "coef", coef)?;
        for (knob, value) in [("target", target), ("horizon", horizon)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(AdvantageError::OutOfRange {
                    owner: "adaptive_kl",
                    knob,
                    value,
                    range: "finite and greater than 0",
                });
            }
        }
        Ok(Self {
            coef,
            target,
            horizon,
        })
    }

    /// The coefficient for the next batch.
    pub fn coef(&self) -> f64 {
        self.coef
    }

    /// Moves the coefficient by what the last batch of `n` responses measured
    /// ([`KlShaped::mean_kl`]). Never below 0.
    ///
    /// # Errors
    /// [`AdvantageError::OutOfRange`] for a divergence that is not finite; the
    /// coefficient stays.
    pub fn update(&mut self, mean_kl: f64, n: usize) -> Result<(), AdvantageError> {
        check_finite("adaptive_kl", "mean_kl", mean_kl)?;
        let error = (mean_kl / self.target - 1.0).clamp(-0.2, 0.2);
        self.coef *= (1.0 + error * n as f64 / self.horizon).max(0.0);
        Ok(())
    }
}
