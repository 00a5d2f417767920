//! Laws about what an estimate is a function of.

use super::compare::{Estimate, same_bits};
use super::edit::{map_outcomes, members};
use super::{LawBroken, Laws};
use crate::{AdvantageEstimator, OwnedBatch};

/// The result has as many groups as the batch, with as many responses, with one
/// advantage and one return per token.
///
/// Holds for every estimator. A result in another shape breaks every other law as well.
///
/// # Errors
/// [`LawBroken`], with a counterexample.
pub fn shape(estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
    Laws::default().shape(estimator)
}

/// The same batch gives the same bits, whatever was estimated in between.
///
/// Holds for every estimator: one that learns from batch to batch needs a method of its
/// own for that.
///
/// # Errors
/// [`LawBroken`], with a counterexample.
pub fn determinism(estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
    Laws::default().determinism(estimator)
}

/// In a group marked [`process_only`](crate::PromptGroup::process_only), outcome rewards
/// have no say: others in their place change no bit, of no group.
///
/// Holds for every estimator. One that goes by
/// [`Scores`](crate::Scores) gets it for nothing, since those leave such groups out.
///
/// # Errors
/// [`LawBroken`], with a counterexample.
pub fn process_only(estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
    Laws::default().process_only(estimator)
}

impl Laws {
    /// [`shape`](fn@shape) on these batches.
    ///
    /// # Errors
    /// [`LawBroken`].
    pub fn shape(&self, estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
        self.check(
            "shape",
            estimator,
            self.batches.clone(),
            |_| {},
            |batch| Estimate::of(estimator, batch).map(drop),
        )
    }

    /// [`determinism`](fn@determinism) on these batches.
    ///
    /// # Errors
    /// [`LawBroken`].
    pub fn determinism(&self, estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
        self.check(
            "determinism",
            estimator,
            self.batches.clone(),
            |_| {},
            |batch| {
                let first = Estimate::of(estimator, batch)?;
                // Another batch in between; too small for some, so that it may fail.
                let other = OwnedBatch::new(batch.groups[..1].to_vec());
                let _ = Estimate::of(estimator, &other);
                let again = Estimate::of(estimator, batch)?;
                same_bits(&again, &first, "estimated once more")
            },
        )
    }

    /// [`process_only`](fn@process_only) on these batches, every other group marked.
    ///
    /// # Errors
    /// [`LawBroken`].
    pub fn process_only(&self, estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
        self.check(
            "process_only",
            estimator,
            self.batches.clone(),
            |batch| {
                for group in batch.groups.iter_mut().step_by(2) {
                    group.process_only = true;
                }
            },
            |batch| {
                let before = Estimate::of(estimator, batch)?;
                let mut other = batch.clone();
                let marked = other.groups.iter_mut().filter(|group| group.process_only);
                for response in marked.flat_map(members) {
                    map_outcomes(response, |reward| 1.0 - reward);
                }
                let after = Estimate::of(estimator, &other)?;
                let when =
                    "with each outcome reward r of the process-only groups replaced by 1 − r";
                same_bits(&after, &before, when)
            },
        )
    }
}
