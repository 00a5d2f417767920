//! REINFORCE with a leave-one-out baseline.

use serde::{Deserialize, Serialize};

use crate::knobs::knobs;
use crate::{AdvantageError, Affine, ScoreEstimator, Scores, Singleton};

/// `A_i = r_i − mean_{j≠i} r_j` within the group, the same for every policy token
/// (Ahmadian et al. 2024, arXiv 2402.14740; verl `rloo` and `rloo_vectorized`, TRL
/// `RLOOTrainer`). As PRIME's process half: paper Eq. 5.
///
/// # Edge cases
/// A group whose rewards are all equal gets exactly `0.0`. A group of one has no
/// others to compare with and is an error unless [`Rloo::singleton`] says otherwise:
/// `raw` is what verl's `rloo` does, `zero` its `rloo_vectorized`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Rloo {
    /// Which formula for process rewards; for outcome rewards both are the same.
    pub scaling: LooScaling,
    /// What becomes of a group of one. Default: an error.
    pub singleton: Singleton,
}

/// The two leave-one-out formulas for process rewards, in groups of `K`, with `m_j`
/// the mean process reward of response `j`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LooScaling {
    /// `x_t = r_t − mean_{j≠i} m_j`.
    #[default]
    Paper,
    /// `x_t = r_t · K/(K−1) − Σ_j m_j / (K−1)`, own response included in the sum:
    /// what both reference trainers compute. Returns differ from `Paper` inside a
    /// response, not at its first token (γ = 1).
    Code,
}

impl Default for Rloo {
    fn default() -> Self {
        Self {
            scaling: LooScaling::Paper,
            singleton: Singleton::Error,
        }
    }
}

knobs!(Rloo {
    with_scaling(scaling: LooScaling);
    with_singleton(singleton: Singleton);
});

impl Rloo {
    fn check(&self) -> Result<(), AdvantageError> {
        Ok(())
    }
}

score_estimator!(Rloo, "rloo");

impl ScoreEstimator for Rloo {
    fn maps(&self, scores: &Scores) -> Result<Vec<Affine>, AdvantageError> {
        scores.map_groups("rloo", self.singleton, |group| {
            let size = group.len() as f64;
            let map = |i| match self.scaling {
                LooScaling::Paper => Affine::less(group.mean_of_others(i)),
                // The formula above, with K/(K−1) taken out.
                LooScaling::Code => Affine {
                    baseline: group.mean(),
                    scale: size / (size - 1.0),
                },
            };
            (0..group.len()).map(map).collect::<Vec<_>>()
        })
    }
}
