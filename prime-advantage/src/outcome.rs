//! What estimators of one number per response share.

use crate::{AdvantageError, Advantages, Response, RewardBatch};

/// An estimator that scores a response as a whole.
pub(crate) trait OutcomeScores {
    /// One `f64` per response, group after group; `+0.0` for every response of a
    /// process-only group.
    fn scores(&self, batch: &RewardBatch<'_>) -> Result<Vec<f64>, AdvantageError>;
}

/// Gives every policy token of a response the response's score.
pub(crate) fn broadcast(
    batch: &RewardBatch<'_>,
    scores: &[f64],
) -> Result<Advantages, AdvantageError> {
    let mut result = Advantages::zeros(batch);
    for (r, (response, &score)) in batch.responses().zip(scores).enumerate() {
        fill(response, score as f32, result.flat_mut(r));
    }
    result.into_finite()
}

fn fill(response: &Response<'_>, score: f32, out: &mut [f32]) {
    match response.mask() {
        None => out.fill(score),
        Some(mask) => {
            for (slot, &own) in out.iter_mut().zip(mask) {
                *slot = if own { score } else { 0.0 };
            }
        }
    }
}
