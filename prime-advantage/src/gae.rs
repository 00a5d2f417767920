//! Generalised advantage estimation.

use serde::{Deserialize, Serialize};

use crate::error::check_unit;
use crate::transform::{for_policy_tokens_rev, whiten_batch};
use crate::{AdvantageError, AdvantageEstimator, Advantages, Response, ResponseField, RewardBatch};

/// `δ_t = r_t + γ V_{t+1} − V_t`, `A_t = δ_t + γλ A_{t+1}` (verl `gae`, TRL
/// `PPOTrainer`); returns are `A_t + V_t` from before whitening.
///
/// The token rewards are the process rewards, where the batch has them, plus the
/// outcome reward at the last policy token (nothing there for a process-only
/// group). `V` past the end is 0. Masked tokens are skipped: the token before a
/// gap sees the value and advantage of the token after it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gae {
    /// The discount γ per policy token, in `[0, 1]`. Default: 1.
    pub gamma: f64,
    /// GAE's λ, in `[0, 1]`: 0 is the TD error, 1 return minus value. Default: 1.
    pub lam: f64,
    /// Whiten the advantages over the batch, as verl always does. Default: no.
    #[serde(alias = "whiten_advantages")]
    pub whiten: bool,
}

impl Default for Gae {
    fn default() -> Self {
        Self {
            gamma: 1.0,
            lam: 1.0,
            whiten: false,
        }
    }
}

impl Gae {
    pub(crate) fn validate(&self) -> Result<(), AdvantageError> {
        check_unit("gae", "gamma", self.gamma)?;
        check_unit("gae", "lam", self.lam)
    }

    /// Writes one response's advantages and returns; `reward` is asked once for
    /// each policy token.
    pub(crate) fn write(
        &self,
        values: &[f32],
        mask: Option<&[bool]>,
        mut reward: impl FnMut(usize) -> f64,
        (advantages, returns): (&mut [f32], &mut [f32]),
    ) {
        let decay = self.gamma * self.lam;
        let (mut next_value, mut running) = (0.0, 0.0);
        for_policy_tokens_rev(values.len(), mask, |t| {
            let value = f64::from(values[t]);
            let delta = reward(t) + self.gamma * next_value - value;
            running = delta + decay * running;
            next_value = value;
            advantages[t] = running as f32;
            returns[t] = (running + value) as f32;
        });
    }
}

/// The values of a response, or the error that names it; an empty response needs none.
pub(crate) fn values_of<'a>(
    response: &Response<'a>,
    group: usize,
    index: usize,
) -> Result<&'a [f32], AdvantageError> {
    match response.values() {
        Some(values) => Ok(values),
        None if response.is_empty() => Ok(&[]),
        None => Err(AdvantageError::MissingInput {
            estimator: "gae",
            field: ResponseField::Values,
            group,
            response: index,
        }),
    }
}

impl AdvantageEstimator for Gae {
    fn name(&self) -> &str {
        "gae"
    }

    fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
        self.validate()?;
        let dense = batch
            .responses()
            .any(|response| response.process_rewards().is_some());
        let mut result = Advantages::zeros_with_returns(batch);
        let mut flat = 0;
        for (g, group) in batch.groups().iter().enumerate() {
            for (i, response) in group.responses().iter().enumerate() {
                let values = values_of(response, g, i)?;
                let process = response.process_rewards();
                if dense && process.is_none() && !response.is_empty() {
                    // Some responses with process rewards and some without: a lost input, not a choice.
                    return Err(AdvantageError::MissingInput {
                        estimator: "gae",
                        field: ResponseField::ProcessRewards,
                        group: g,
                        response: i,
                    });
                }
                let outcome = if group.is_process_only() {
                    0.0
                } else {
                    f64::from(response.outcome_reward())
                };
                let last = response.last_policy_token();
                let reward = |t: usize| {
                    let paid = if Some(t) == last { outcome } else { 0.0 };
                    process.map_or(0.0, |rewards| f64::from(rewards[t])) + paid
                };
                self.write(values, response.mask(), reward, result.flat_pair_mut(flat));
                flat += 1;
            }
        }
        let mut result = result.into_finite()?;
        if self.whiten {
            whiten_batch(&mut result, batch)?;
        }
        Ok(result)
    }
}
