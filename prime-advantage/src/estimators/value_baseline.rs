//! The implicit PRM as a value function.

use serde::{Deserialize, Serialize};

use crate::packed::{pack, unpack};
use crate::token_rewards::required;
use crate::{
    AdvantageError, AdvantageEstimator, Advantages, ProcessHalf, ResponseField, RewardBatch,
};

/// `A_t = r_o − Σ_{s<t} r_s`: the outcome reward less what the process rewards so far
/// say it will be (arXiv 2502.01456, §5.4, where it does worse than process rewards
/// do). As PRIME's process half it contributes `−Σ_{s<t} r_s`.
///
/// # Edge cases
/// Masked tokens are skipped. Groups of one are fine. A response without process
/// rewards is an error, unless it is empty. In a process-only group `r_o` counts as 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ValueBaseline {}

impl AdvantageEstimator for ValueBaseline {
    fn name(&self) -> &str {
        "value_baseline"
    }

    fn process_half(&self) -> ProcessHalf<'_> {
        ProcessHalf::Tokens
    }

    fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
        for (place, response) in batch.places() {
            let rewards = (ResponseField::ProcessRewards, response.process_rewards());
            required(self.name(), (place, response), rewards)?;
        }
        let counted = batch.groups().iter().flat_map(|group| {
            let counts = !group.is_process_only();
            group.responses().iter().map(move |r| (r, counts))
        });
        let responses: Vec<_> = counted.collect();
        let (result, _) = Advantages::written(batch, |r, out| {
            let (response, counts) = responses[r];
            let rewards = pack(
                response.process_rewards().unwrap_or_default(),
                response.mask(),
            );
            let mut left = if counts {
                f64::from(response.outcome_reward()) + 0.0
            } else {
                0.0
            };
            unpack(response, out, |out| {
                for (slot, &reward) in out.iter_mut().zip(&*rewards) {
                    *slot = left as f32;
                    left -= f64::from(reward);
                }
            });
        });
        result.into_finite()
    }
}
