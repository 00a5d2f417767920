//! REINFORCE++ with a group baseline.

use serde::{Deserialize, Serialize};

use crate::knobs::knobs;
use crate::{AdvantageError, Affine, ScoreEstimator, Scores, Singleton};

/// `r_i − mean` within the group, given to every policy token and whitened over the
/// batch's tokens (REINFORCE++, arXiv 2501.03262; verl `reinforce_plus_plus_baseline`).
/// The returns are the numbers from before whitening.
///
/// # Edge cases
/// Whitening shifts everything by the batch's token mean, so that a group whose
/// rewards are all equal gets a return of exactly `0.0`, not an advantage. A group of
/// one is such a group unless [`ReinforcePlusPlusBaseline::singleton`] says otherwise
/// (verl: raw). Fewer than two policy tokens cannot be whitened: an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ReinforcePlusPlusBaseline {
    /// What becomes of a group of one. Default: a return of exactly `0.0`.
    pub singleton: Singleton,
}

impl Default for ReinforcePlusPlusBaseline {
    fn default() -> Self {
        Self {
            singleton: Singleton::Zero,
        }
    }
}

knobs!(ReinforcePlusPlusBaseline {
    with_singleton(singleton: Singleton);
});

impl ReinforcePlusPlusBaseline {
    fn check(&self) -> Result<(), AdvantageError> {
        Ok(())
    }
}

score_estimator!(ReinforcePlusPlusBaseline, "reinforce_plus_plus_baseline");

impl ScoreEstimator for ReinforcePlusPlusBaseline {
    fn maps(&self, scores: &Scores) -> Result<Vec<Affine>, AdvantageError> {
        scores.map_groups("reinforce_plus_plus_baseline", self.singleton, |group| {
            std::iter::repeat_n(Affine::less(group.mean()), group.len())
        })
    }

    fn whitens(&self) -> bool {
        true
    }
}
