//! The trait that users swap.

use std::fmt::Debug;

use crate::{AdvantageError, Advantages, RewardBatch, ScoreEstimator};

/// Turns the rewards of a batch into one advantage per response token.
///
/// Implement it outside this crate by filling an [`Advantages::zeros`]:
///
/// ```
/// use prime_advantage::*;
///
/// /// Credits only the first token that the policy wrote.
/// #[derive(Debug)]
/// struct FirstToken;
///
/// impl AdvantageEstimator for FirstToken {
///     fn name(&self) -> &str {
///         "first_token"
///     }
///
///     fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
///         let mut result = Advantages::zeros(batch);
///         for (place, response) in batch.places() {
///             let counts = !batch.groups()[place.group].is_process_only();
///             let own = |t: &usize| response.mask().is_none_or(|mask| mask[*t]);
///             let first = (0..response.len()).find(own);
///             let slots = result.advantages_mut(place.group, place.response);
///             if let (Some(slots), Some(first), true) = (slots, first, counts) {
///                 slots[first] = response.outcome_reward();
///             }
///         }
///         Ok(result)
///     }
/// }
///
/// // On its own, or as the outcome half of PRIME.
/// let prime = Prime::paper().with_outcome(FirstToken);
/// # assert_eq!(prime.name(), "prime");
/// ```
///
/// One that gives whole responses a score is shorter to write as a
/// [`ScoreEstimator`]. [`Registry`](crate::Registry) selects either by name from a
/// configuration, and the module `laws` (feature `proptest`) property-tests it.
///
/// A result depends on the batch and the estimator's own knobs only, never on
/// earlier calls, and is the same on every call.
pub trait AdvantageEstimator: Debug + Send + Sync {
    /// The name in config files and error messages, in `snake_case`.
    fn name(&self) -> &str;

    /// One advantage and one return per token, in the batch's shape: `0.0` at masked
    /// tokens, and nothing for the outcome of a process-only group.
    ///
    /// # Errors
    /// If a knob is out of range, the batch lacks an input the estimator needs, a
    /// group is too small to compare, or the result would not be finite.
    fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError>;

    /// Checks the knobs, so that a mistake shows before the first batch.
    ///
    /// # Errors
    /// [`AdvantageError::OutOfRange`] or [`AdvantageError::Conflict`], naming the knob.
    fn validate(&self) -> Result<(), AdvantageError> {
        Ok(())
    }

    /// How [`Prime`](crate::Prime) lets the estimator work on process rewards.
    /// Default: not at all.
    fn process_half(&self) -> ProcessHalf<'_> {
        ProcessHalf::Unsupported
    }

    /// The estimator as a [`ScoreEstimator`], if [`AdvantageEstimator::estimate`] is its
    /// [`ScoreEstimator::estimate_scores`]. A shortcut for [`Prime`](crate::Prime), which
    /// then adds the outcome in the same pass over memory. Default: `None`.
    fn as_scores(&self) -> Option<&dyn ScoreEstimator> {
        None
    }

    /// Whether it reads a critic's values; its returns are then the critic's targets.
    /// Default: no.
    fn uses_values(&self) -> bool {
        false
    }
}

/// How an estimator works on process rewards; see [`AdvantageEstimator::process_half`].
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum ProcessHalf<'e> {
    /// It reads outcome rewards only: an error in [`Prime`](crate::Prime).
    Unsupported,
    /// Its map is made from each response's mean process reward and applied to every
    /// token's; then PRIME sums to the end with its own discount.
    Scores(&'e dyn ScoreEstimator),
    /// [`AdvantageEstimator::estimate`] reads process rewards as the rewards of tokens:
    /// it is called on the batch with all outcome rewards 0. It has its own discount.
    Tokens,
}

macro_rules! delegate {
    ($($pointer:ty),*) => {
        $(
            impl<E: AdvantageEstimator + ?Sized> AdvantageEstimator for $pointer {
                fn name(&self) -> &str {
                    (**self).name()
                }

                fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
                    (**self).estimate(batch)
                }

                fn validate(&self) -> Result<(), AdvantageError> {
                    (**self).validate()
                }

                fn process_half(&self) -> ProcessHalf<'_> {
                    (**self).process_half()
                }

                fn as_scores(&self) -> Option<&dyn ScoreEstimator> {
                    (**self).as_scores()
                }

                fn uses_values(&self) -> bool {
                    (**self).uses_values()
                }
            }
        )*
    };
}

delegate!(Box<E>, &E, std::sync::Arc<E>);
