//! REINFORCE with the greedy response's reward as the baseline.

use serde::{Deserialize, Serialize};

use crate::kernel::{Decay, Line, suffix_sums};
use crate::moments::Moments;
use crate::packed::{pack, unpack};
use crate::token_rewards::{TokenRewards, zeros};
use crate::whiten::combined;
use crate::{
    AdvantageError, AdvantageEstimator, Advantages, ProcessHalf, PromptGroup, RewardBatch, parallel,
};

/// `A_t = Σ_{s≥t} r_s − b`, with `b` the reward of the greedy response to the same
/// prompt (ReMax, arXiv 2310.10505; verl `remax`). The returns are the sums.
///
/// The token rewards are the process rewards, where the batch has them, plus the
/// outcome reward at the last policy token; `b` is the sum of the greedy response's
/// token rewards. The greedy response comes with the group
/// ([`PromptGroup::with_greedy`]).
///
/// # Edge cases
/// Groups of one are fine. A group without a greedy response is an error; so is a
/// greedy response without process rewards where the others have them, unless it has
/// no tokens. In a process-only group neither outcome reward counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Remax {}

impl Remax {
    fn baseline(
        &self,
        index: usize,
        group: &PromptGroup<'_>,
        dense: bool,
    ) -> Result<f64, AdvantageError> {
        let estimator = || self.name().to_owned();
        let Some(greedy) = group.greedy() else {
            return Err(AdvantageError::MissingGreedy {
                estimator: estimator(),
                group: index,
            });
        };
        let process = match greedy.process_rewards() {
            Some(rewards) if dense => {
                let own = pack(rewards, greedy.mask());
                own.iter().map(|&reward| f64::from(reward)).sum()
            }
            None if dense && !greedy.is_empty() => {
                return Err(AdvantageError::GreedyWithoutProcess {
                    estimator: estimator(),
                    group: index,
                });
            }
            _ => 0.0,
        };
        Ok(if group.is_process_only() {
            process
        } else {
            process + f64::from(greedy.outcome_reward())
        })
    }
}

impl AdvantageEstimator for Remax {
    fn name(&self) -> &str {
        "remax"
    }

    fn process_half(&self) -> ProcessHalf<'_> {
        ProcessHalf::Tokens
    }

    fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
        let zeros = zeros(batch);
        let rewards = TokenRewards::of_batch(self.name(), batch, &zeros)?;
        let dense = batch.responses().any(|r| r.process_rewards().is_some());
        let mut baselines = Vec::with_capacity(batch.response_count());
        for (g, group) in batch.groups().iter().enumerate() {
            let baseline = self.baseline(g, group, dense)?;
            baselines.extend(group.responses().iter().map(|_| baseline));
        }
        let responses: Vec<_> = batch.responses().collect();
        let decay = Decay::new(1.0);
        let mut result = Advantages::zeros_with_returns(batch);
        let moments = parallel::map(result.responses_mut(), |r, (advantages, returns)| {
            let line = Line::identity(rewards[r].last);
            let sums = |offset, out: &mut [f32]| {
                unpack(responses[r], out, |out| {
                    suffix_sums(&rewards[r].process, line, &decay, offset, out);
                    Moments::finite_or_not(out)
                })
            };
            // Not `-0.0`: equal rewards give +0.0 even where both are −0.0.
            sums(0.0, returns).and(sums(0.0 - baselines[r], advantages))
        });
        combined(&result, &moments)?;
        Ok(result)
    }
}
