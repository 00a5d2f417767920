//! REINFORCE on the outcome reward.

use serde::{Deserialize, Serialize};

use crate::outcome::{OutcomeScores, broadcast};
use crate::{AdvantageError, AdvantageEstimator, Advantages, PromptGroup, RewardBatch};

/// `A = r − b`, the same for every policy token of a response.
///
/// With [`Baseline::GroupMean`] this is Dr. GRPO's advantage (verl `grpo` with
/// `norm_adv_by_std_in_grpo=False`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reinforce {
    /// What is subtracted from the reward. Default: nothing.
    pub baseline: Baseline,
}

/// The baseline of [`Reinforce`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Baseline {
    /// 0: the advantage is the reward (paper Eq. 8's outcome term).
    #[default]
    None,
    /// The mean reward of the batch's responses, process-only groups left out.
    BatchMean,
    /// The mean reward of the group, the response itself included.
    GroupMean,
}

impl OutcomeScores for Reinforce {
    fn scores(&self, batch: &RewardBatch<'_>) -> Result<Vec<f64>, AdvantageError> {
        let batch_mean = match self.baseline {
            Baseline::BatchMean => mean_of_outcome_groups(batch),
            Baseline::None | Baseline::GroupMean => 0.0,
        };
        let mut scores = Vec::with_capacity(batch.response_count());
        for group in batch.groups() {
            if group.is_process_only() {
                scores.resize(scores.len() + group.len(), 0.0);
                continue;
            }
            let baseline = match self.baseline {
                Baseline::GroupMean if group.has_equal_outcomes() => {
                    scores.resize(scores.len() + group.len(), 0.0);
                    continue;
                }
                Baseline::GroupMean => group.outcome_rewards().sum::<f64>() / group.len() as f64,
                Baseline::None | Baseline::BatchMean => batch_mean,
            };
            // `+ 0.0` turns a reward of −0.0 into 0.0, so that adding a zero process term changes no bit.
            scores.extend(
                group
                    .outcome_rewards()
                    .map(|reward| reward - baseline + 0.0),
            );
        }
        Ok(scores)
    }
}

fn mean_of_outcome_groups(batch: &RewardBatch<'_>) -> f64 {
    let groups = batch.groups().iter().filter(|g| !g.is_process_only());
    let count: usize = groups.clone().map(PromptGroup::len).sum();
    let sum: f64 = groups.flat_map(PromptGroup::outcome_rewards).sum();
    // Without an outcome group nobody reads the mean.
    sum / count.max(1) as f64
}

impl AdvantageEstimator for Reinforce {
    fn name(&self) -> &str {
        "reinforce"
    }

    fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
        broadcast(batch, &self.scores(batch)?)
    }
}
