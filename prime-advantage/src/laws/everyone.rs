//! The laws that every estimator obeys, at once.

use super::{LawBroken, Laws, LawsBroken};
use crate::AdvantageEstimator;

/// All laws that every estimator obeys: [`shape`](super::shape),
/// [`determinism`](super::determinism), [`permutation`](super::permutation),
/// [`group_permutation`](super::group_permutation),
/// [`masked_tokens`](super::masked_tokens), [`padding`](super::padding),
/// [`process_only`](super::process_only) and [`finite`](super::finite).
///
/// # Errors
/// [`LawsBroken`], with every law that is broken, not only the first.
pub fn universal(estimator: &dyn AdvantageEstimator) -> Result<(), LawsBroken> {
    Laws::default().universal(estimator)
}

impl Laws {
    /// [`universal`](fn@universal) on these batches.
    ///
    /// # Errors
    /// [`LawsBroken`].
    pub fn universal(&self, estimator: &dyn AdvantageEstimator) -> Result<(), LawsBroken> {
        type Law = fn(&Laws, &dyn AdvantageEstimator) -> Result<(), LawBroken>;
        let laws: [Law; 8] = [
            Self::shape,
            Self::determinism,
            Self::permutation,
            Self::group_permutation,
            Self::masked_tokens,
            Self::padding,
            Self::process_only,
            Self::finite,
        ];
        let verdicts = laws.iter().map(|law| law(self, estimator));
        let all: Vec<LawBroken> = verdicts.filter_map(Result::err).collect();
        if all.is_empty() {
            Ok(())
        } else {
            Err(LawsBroken { all })
        }
    }
}
