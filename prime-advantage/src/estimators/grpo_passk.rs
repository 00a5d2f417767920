//! Credit for the best of a group only.

use serde::{Deserialize, Serialize};

use crate::error::check_not_negative;
use crate::knobs::knobs;
use crate::{AdvantageError, Affine, ScoreEstimator, Scores};

/// The best response of a group gets `(r_1st − r_2nd) / (std + ε)`, the others `0.0`
/// (verl `grpo_passk`; pass@k training, arXiv 2503.19595).
///
/// # Edge cases
/// Where two responses share the best reward, everything is `0.0`. A group of one has
/// no second and is an error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct GrpoPassk {
    /// Divide by the group's unbiased standard deviation. Default: yes.
    pub normalize_by_std: bool,
    /// Added to the standard deviation; finite, at least 0. Default: 1e-6.
    pub epsilon: f64,
}

impl Default for GrpoPassk {
    fn default() -> Self {
        Self {
            normalize_by_std: true,
            epsilon: 1e-6,
        }
    }
}

knobs!(GrpoPassk {
    with_normalize_by_std(normalize_by_std: bool);
    with_epsilon(epsilon: f64);
});

impl GrpoPassk {
    fn check(&self) -> Result<(), AdvantageError> {
        check_not_negative("grpo_passk", "epsilon", self.epsilon)
    }
}

score_estimator!(GrpoPassk, "grpo_passk");

impl ScoreEstimator for GrpoPassk {
    fn maps(&self, scores: &Scores) -> Result<Vec<Affine>, AdvantageError> {
        scores.map_groups("grpo_passk", crate::Singleton::Error, |group| {
            let mut maps = vec![Affine::ZERO; group.len()];
            if group.is_tied() {
                return maps;
            }
            let mut order: Vec<usize> = (0..group.len()).collect();
            order.sort_by(|&i, &j| group.scores()[j].total_cmp(&group.scores()[i]));
            let divisor = if self.normalize_by_std {
                group.std() + self.epsilon
            } else {
                1.0
            };
            maps[order[0]] = Affine {
                baseline: group.scores()[order[1]],
                scale: divisor.recip(),
            };
            maps
        })
    }
}
