//! Group-relative advantages.

use serde::{Deserialize, Serialize};

use crate::outcome::{OutcomeScores, broadcast};
use crate::{AdvantageError, AdvantageEstimator, Advantages, RewardBatch};

/// `A_i = (r_i − mean) / (std + ε)` within the group, the same for every policy
/// token (verl `grpo`, TRL `GRPOTrainer`); without the division, Dr. GRPO.
///
/// A group whose rewards are all equal, a group of one included, gets exactly
/// `0.0`. (verl gives a group of one its raw reward.)
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grpo {
    /// Divide by the group's unbiased standard deviation. Default: yes.
    pub normalize_by_std: bool,
    /// Added to the standard deviation; finite, at least 0. Default: 1e-6.
    pub epsilon: f64,
}

impl Default for Grpo {
    fn default() -> Self {
        Self {
            normalize_by_std: true,
            epsilon: 1e-6,
        }
    }
}

impl Grpo {
    pub(crate) fn validate(&self) -> Result<(), AdvantageError> {
        if self.epsilon.is_finite() && self.epsilon >= 0.0 {
            return Ok(());
        }
        Err(AdvantageError::OutOfRange {
            owner: "grpo",
            knob: "epsilon",
            value: self.epsilon,
            range: "finite and at least 0",
        })
    }
}

impl OutcomeScores for Grpo {
    fn scores(&self, batch: &RewardBatch<'_>) -> Result<Vec<f64>, AdvantageError> {
        self.validate()?;
        let mut scores = Vec::with_capacity(batch.response_count());
        for group in batch.groups() {
            let size = group.len();
            if group.is_process_only() || group.has_equal_outcomes() {
                scores.resize(scores.len() + size, 0.0);
                continue;
            }
            let mean = group.outcome_rewards().sum::<f64>() / size as f64;
            let divisor = if self.normalize_by_std {
                // Unequal rewards: at least two of them.
                let squares: f64 = group
                    .outcome_rewards()
                    .map(|reward| (reward - mean).powi(2))
                    .sum();
                (squares / (size - 1) as f64).sqrt() + self.epsilon
            } else {
                1.0
            };
            // `+ 0.0`: see `Reinforce`.
            scores.extend(
                group
                    .outcome_rewards()
                    .map(|reward| (reward - mean) / divisor + 0.0),
            );
        }
        Ok(scores)
    }
}

impl AdvantageEstimator for Grpo {
    fn name(&self) -> &str {
        "grpo"
    }

    fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
        broadcast(batch, &self.scores(batch)?)
    }
}
