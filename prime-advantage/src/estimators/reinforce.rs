//! REINFORCE on the outcome reward.

use serde::{Deserialize, Serialize};

use crate::knobs::knobs;
use crate::{AdvantageError, Affine, ScoreEstimator, Scores};

/// `A = r − b`, the same for every policy token of a response (Williams 1992).
///
/// The baseline `b` is 0, the batch's mean or the group's mean; the latter is
/// Dr. GRPO's advantage (verl `grpo` with `norm_adv_by_std_in_grpo=False`). As
/// PRIME's process half without a baseline: paper Eq. 8.
///
/// # Edge cases
/// Groups of one are fine: with [`Baseline::GroupMean`] they get exactly `0.0`, as
/// does every group whose rewards are all equal. Without a baseline there is no such
/// rule: equal rewards are the advantages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Reinforce {
    /// What is subtracted from the reward. Default: nothing.
    pub baseline: Baseline,
}

knobs!(Reinforce {
    with_baseline(baseline: Baseline);
});

/// The baseline of [`Reinforce`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Baseline {
    /// 0: the advantage is the reward.
    #[default]
    None,
    /// The mean reward of the batch's responses, process-only groups left out.
    BatchMean,
    /// The mean reward of the group, the response itself included.
    GroupMean,
}

impl Reinforce {
    fn check(&self) -> Result<(), AdvantageError> {
        Ok(())
    }
}

score_estimator!(Reinforce, "reinforce");

impl ScoreEstimator for Reinforce {
    fn maps(&self, scores: &Scores) -> Result<Vec<Affine>, AdvantageError> {
        let batch_mean = scores.mean();
        let groups = scores.groups().iter();
        Ok(groups
            .flat_map(|group| {
                let baseline = match self.baseline {
                    Baseline::None => 0.0,
                    Baseline::BatchMean => batch_mean,
                    Baseline::GroupMean => group.mean(),
                };
                std::iter::repeat_n(Affine::less(baseline), group.len())
            })
            .collect())
    }
}
