//! On-policy RL with the optimal reward baseline.

use serde::{Deserialize, Serialize};

use crate::knobs::knobs;
use crate::{AdvantageError, Affine, ScoreEstimator, Scores, Singleton};

/// `A_i = r_i − Σ_j L_j r_j / Σ_j L_j` within the group, with `L` the number of policy
/// tokens: the variance-optimal baseline if gradients of different tokens are
/// uncorrelated and of one size (OPO, arXiv 2505.23585; verl `opo`).
///
/// # Edge cases
/// A group whose rewards are all equal gets exactly `0.0`; a group of one is such a
/// group unless [`Opo::singleton`] says otherwise (verl: raw). Where all responses are
/// empty the plain mean stands in, and nobody reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Opo {
    /// What becomes of a group of one. Default: exactly `0.0`.
    pub singleton: Singleton,
}

impl Default for Opo {
    fn default() -> Self {
        Self {
            singleton: Singleton::Zero,
        }
    }
}

knobs!(Opo {
    with_singleton(singleton: Singleton);
});

impl Opo {
    fn check(&self) -> Result<(), AdvantageError> {
        Ok(())
    }
}

score_estimator!(Opo, "opo");

impl ScoreEstimator for Opo {
    fn maps(&self, scores: &Scores) -> Result<Vec<Affine>, AdvantageError> {
        scores.map_groups("opo", self.singleton, |group| {
            let baseline = group.weighted_mean(|i| group.lengths()[i] as f64);
            std::iter::repeat_n(Affine::less(baseline), group.len())
        })
    }
}
