//! Group-relative advantages.

use serde::{Deserialize, Serialize};

use crate::error::check_not_negative;
use crate::knobs::knobs;
use crate::{AdvantageError, Affine, ScoreEstimator, Scores, Singleton};

/// `A_i = (r_i − mean) / (std + ε)` within the group, the same for every policy
/// token (DeepSeekMath, arXiv 2402.03300; verl `grpo` and `grpo_vectorized`, TRL
/// `GRPOTrainer`); without the division, Dr. GRPO (arXiv 2503.20783). As PRIME's
/// process half: paper Eq. 7.
///
/// # Edge cases
/// A group whose rewards are all equal gets exactly `0.0` (process rewards: if their
/// means are equal up to rounding and would be divided by that rounding). A group of
/// one is such a group unless [`Grpo::singleton`] says otherwise; verl gives it its
/// raw reward.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Grpo {
    /// Divide by the group's unbiased standard deviation. Default: yes.
    pub normalize_by_std: bool,
    /// Added to the standard deviation; finite, at least 0. Default: 1e-6.
    pub epsilon: f64,
    /// What becomes of a group of one. Default: exactly `0.0`.
    pub singleton: Singleton,
}

impl Default for Grpo {
    fn default() -> Self {
        Self {
            normalize_by_std: true,
            epsilon: 1e-6,
            singleton: Singleton::Zero,
        }
    }
}

knobs!(Grpo {
    with_normalize_by_std(normalize_by_std: bool);
    with_epsilon(epsilon: f64);
    with_singleton(singleton: Singleton);
});

impl Grpo {
    fn check(&self) -> Result<(), AdvantageError> {
        check_not_negative("grpo", "epsilon", self.epsilon)
    }
}

score_estimator!(Grpo, "grpo");

impl ScoreEstimator for Grpo {
    fn maps(&self, scores: &Scores) -> Result<Vec<Affine>, AdvantageError> {
        scores.map_groups("grpo", self.singleton, |group| {
            let map = if self.normalize_by_std {
                group.standardised(self.epsilon)
            } else {
                Affine::less(group.mean())
            };
            std::iter::repeat_n(map, group.len())
        })
    }
}
