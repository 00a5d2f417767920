//! REINFORCE with the reward to go, whitened over the batch.

use serde::{Deserialize, Serialize};

use crate::error::check_unit;
use crate::kernel::{Decay, Line, suffix_sums};
use crate::knobs::knobs;
use crate::moments::Moments;
use crate::packed::unpack;
use crate::token_rewards::{TokenRewards, zeros};
use crate::whiten::{Before, combined, whiten_batch};
use crate::{AdvantageError, AdvantageEstimator, Advantages, ProcessHalf, RewardBatch, parallel};

/// `G_t = r_t + γ G_{t+1}` over the token rewards, whitened over the batch's policy
/// tokens (REINFORCE++, arXiv 2501.03262; verl `reinforce_plus_plus`). The returns
/// are `G`.
///
/// The token rewards are the process rewards, where the batch has them (KL in the
/// reward is one, see [`KlInReward`](crate::KlInReward)), plus the outcome reward at
/// the last policy token.
///
/// # Edge cases
/// Masked tokens are skipped and take no time. There is no group baseline: groups of
/// one are fine, and equal rewards are not 0. Fewer than two policy tokens in the
/// batch cannot be whitened: an error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ReinforcePlusPlus {
    /// The discount γ per policy token, in `[0, 1]`. Default: 1.
    pub gamma: f64,
}

impl Default for ReinforcePlusPlus {
    fn default() -> Self {
        Self { gamma: 1.0 }
    }
}

knobs!(ReinforcePlusPlus {
    with_gamma(gamma: f64);
});

impl AdvantageEstimator for ReinforcePlusPlus {
    fn name(&self) -> &str {
        "reinforce_plus_plus"
    }

    fn validate(&self) -> Result<(), AdvantageError> {
        check_unit("reinforce_plus_plus", "gamma", self.gamma)
    }

    fn process_half(&self) -> ProcessHalf<'_> {
        ProcessHalf::Tokens
    }

    fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
        self.validate()?;
        let zeros = zeros(batch);
        let rewards = TokenRewards::of_batch(self.name(), batch, &zeros)?;
        let responses: Vec<_> = batch.responses().collect();
        let decay = Decay::new(self.gamma);
        let mut result = Advantages::zeros_with_returns(batch);
        let moments = parallel::map(result.responses_mut(), |r, (_, returns)| {
            let line = Line::identity(rewards[r].last);
            unpack(responses[r], returns, |out| {
                suffix_sums(&rewards[r].process, line, &decay, 0.0, out);
                Moments::of(out)
            })
        });
        let moments = combined(&result, &moments)?;
        whiten_batch(&mut result, batch, Before::Returns, moments)?;
        Ok(result)
    }
}
