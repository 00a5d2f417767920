//! The law that nothing overflows in silence.

use super::compare::Verdict;
use super::{LawBroken, Laws};
use crate::strategies::RewardKind;
use crate::{AdvantageError, AdvantageEstimator, Advantages, OwnedBatch};

/// Inputs up to this magnitude must have a result, in batches of the default shape.
///
/// A sum of ten million such numbers still fits an `f32`, a square of one does not.
pub const PROMISED_MAGNITUDE: f32 = 1e30;

/// Finite in, finite out. For any finite rewards, values, log-probs and importance
/// weights of magnitude up to [`PROMISED_MAGNITUDE`] the estimate succeeds and holds
/// neither NaN nor infinity. For any finite `f32` beyond, it does so or is the error
/// [`AdvantageError::ResultNotFinite`] (or `SliceNotFinite`, from this crate's helpers
/// for slices). It never panics.
///
/// Holds for every estimator with coefficients of order 1; a coefficient of 1e9 makes
/// the promise for rewards 1e9 times smaller.
///
/// # Errors
/// [`LawBroken`], with a counterexample.
pub fn finite(estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
    Laws::default().finite(estimator)
}

impl Laws {
    /// [`finite`](fn@finite) on these batches, with numbers of any size.
    ///
    /// # Errors
    /// [`LawBroken`].
    pub fn finite(&self, estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
        let run = |magnitude, test: fn(Result<Advantages, AdvantageError>) -> Verdict| {
            let shape = self.batches.clone();
            let shape = shape.with_rewards(RewardKind::AnyFinite { magnitude });
            self.check(
                "finite",
                estimator,
                shape,
                |_| {},
                |batch: &OwnedBatch| {
                    let batch = batch.borrow().map_err(|error| error.to_string())?;
                    test(estimator.estimate(&batch))
                },
            )
        };
        run(PROMISED_MAGNITUDE, |result| match result {
            Ok(result) => all_finite(&result),
            Err(error) => Err(format!(
                "no number is larger than {PROMISED_MAGNITUDE:?}, yet: {error}"
            )),
        })?;
        run(f32::MAX, |result| match result {
            Ok(result) => all_finite(&result),
            Err(AdvantageError::ResultNotFinite { .. } | AdvantageError::SliceNotFinite { .. }) => {
                Ok(())
            }
            Err(error) => Err(format!(
                "the error for a result that does not fit an f32 is `ResultNotFinite`, not: {error}"
            )),
        })
    }
}

fn all_finite(result: &Advantages) -> Verdict {
    for (r, response) in result.iter().enumerate() {
        for (what, numbers) in [
            ("advantage", response.advantages()),
            ("return", response.returns()),
        ] {
            if let Some(t) = numbers.iter().position(|x| !x.is_finite()) {
                let found = numbers[t];
                return Err(format!(
                    "the {what} at token {t} of response {r} of the batch is {found}"
                ));
            }
        }
    }
    Ok(())
}
