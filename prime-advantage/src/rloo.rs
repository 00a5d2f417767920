//! REINFORCE with a leave-one-out baseline.

use serde::{Deserialize, Serialize};

use crate::outcome::{OutcomeScores, broadcast};
use crate::{AdvantageError, AdvantageEstimator, Advantages, RewardBatch};

/// `A_i = r_i − mean_{j≠i} r_j` within the group, the same for every policy token
/// (verl `rloo`, TRL `RLOOTrainer`).
///
/// A group of one has no others to compare with and is an error
/// ([`AdvantageError::GroupTooSmall`]); verl returns the raw reward there, which
/// mixes two scales in one batch. A process-only group may be of any size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rloo {}

impl OutcomeScores for Rloo {
    fn scores(&self, batch: &RewardBatch<'_>) -> Result<Vec<f64>, AdvantageError> {
        let mut scores = Vec::with_capacity(batch.response_count());
        for (g, group) in batch.groups().iter().enumerate() {
            let size = group.len();
            if group.is_process_only() {
                scores.resize(scores.len() + size, 0.0);
                continue;
            }
            if size < 2 {
                return Err(AdvantageError::GroupTooSmall {
                    estimator: "rloo",
                    group: g,
                    size,
                    needed: 2,
                });
            }
            if group.has_equal_outcomes() {
                scores.resize(scores.len() + size, 0.0);
                continue;
            }
            let sum: f64 = group.outcome_rewards().sum();
            let others = (size - 1) as f64;
            // `+ 0.0`: see `Reinforce`.
            scores.extend(
                group
                    .outcome_rewards()
                    .map(|reward| reward - (sum - reward) / others + 0.0),
            );
        }
        Ok(scores)
    }
}

impl AdvantageEstimator for Rloo {
    fn name(&self) -> &str {
        "rloo"
    }

    fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
        broadcast(batch, &self.scores(batch)?)
    }
}
