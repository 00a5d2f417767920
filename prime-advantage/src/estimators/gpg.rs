//! Group policy gradient.

use serde::{Deserialize, Serialize};

use crate::error::check_finite;
use crate::knobs::knobs;
use crate::{AdvantageError, Affine, ScoreEstimator, Scores, Singleton};

/// `A_i = α (r_i − mean) / f_norm` within the group, with `α` the number of responses
/// in the batch over the number of those whose reward is not 0: it makes up for
/// responses that teach nothing (GPG, arXiv 2504.02546; verl `gpg`).
///
/// # Edge cases
/// Process-only groups do not count in `α`; without any reward `α` divides by 1. A
/// group whose rewards are all equal gets exactly `0.0`; a group of one is such a
/// group unless [`Gpg::singleton`] says otherwise (verl: raw, times `α / f_norm`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Gpg {
    /// What advantages are divided by; finite, not 0. Default: 1.
    pub f_norm: f64,
    /// What becomes of a group of one. Default: exactly `0.0`.
    pub singleton: Singleton,
}

impl Default for Gpg {
    fn default() -> Self {
        Self {
            f_norm: 1.0,
            singleton: Singleton::Zero,
        }
    }
}

knobs!(Gpg {
    with_f_norm(f_norm: f64);
    with_singleton(singleton: Singleton);
});

impl Gpg {
    fn check(&self) -> Result<(), AdvantageError> {
        check_finite("gpg", "f_norm", self.f_norm)?;
        if self.f_norm == 0.0 {
            return Err(AdvantageError::OutOfRange {
                owner: "gpg",
                knob: "f_norm",
                value: self.f_norm,
                range: "finite and not 0",
            });
        }
        Ok(())
    }
}

score_estimator!(Gpg, "gpg");

impl ScoreEstimator for Gpg {
    fn maps(&self, scores: &Scores) -> Result<Vec<Affine>, AdvantageError> {
        let responses = scores.iter().count() as f64;
        let rewarded = scores.iter().filter(|score| *score != 0.0).count();
        let scale = responses / rewarded.max(1) as f64 / self.f_norm;
        let centred = scores.map_groups("gpg", self.singleton, |group| {
            std::iter::repeat_n(Affine::less(group.mean()), group.len())
        })?;
        let scaled = centred.into_iter().map(|map| Affine {
            scale: map.scale * scale,
            ..map
        });
        Ok(scaled.collect())
    }
}
