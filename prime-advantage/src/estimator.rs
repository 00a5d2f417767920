//! The trait that users swap.

use std::fmt::Debug;

use crate::{AdvantageError, Advantages, RewardBatch};

/// Turns the rewards of a batch into one advantage per response token.
///
/// Implement it outside this crate by filling an [`Advantages::zeros`]:
///
/// ```
/// use prime_advantage::*;
///
/// /// Credits only the first token of a right answer.
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
///         for (g, group) in batch.groups().iter().enumerate() {
///             for (i, response) in group.responses().iter().enumerate() {
///                 if let Some([first, ..]) = result.advantages_mut(g, i) {
///                     *first = response.outcome_reward();
///                 }
///             }
///         }
///         Ok(result)
///     }
/// }
/// ```
///
/// A result depends on the batch and the estimator's own knobs only, never on
/// earlier calls, and is the same on every call.
pub trait AdvantageEstimator: Debug + Send + Sync {
    /// The name in config files and error messages, in `snake_case`.
    fn name(&self) -> &str;

    /// One advantage and one return per token, in the batch's shape.
    ///
    /// # Errors
    /// If a knob is out of range, the batch lacks an input the estimator needs, a
    /// group is too small to compare, or the result would not be finite.
    fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError>;
}
