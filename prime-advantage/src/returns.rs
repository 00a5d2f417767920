//! Sums to the end of a response.

use crate::AdvantageError;
use crate::error::check_unit;

/// `G_t = r_t + γ G_{t+1}`: the discounted sum of the rewards from each token on.
///
/// # Errors
/// [`AdvantageError::OutOfRange`] for a `gamma` outside `[0, 1]`;
/// [`AdvantageError::SliceNotFinite`] if a reward is not finite or a return does
/// not fit an `f32`.
pub fn returns_to_go(rewards: &[f32], gamma: f64) -> Result<Vec<f32>, AdvantageError> {
    check_unit("returns_to_go", "gamma", gamma)?;
    let mut returns = vec![0.0; rewards.len()];
    let mut running = 0.0;
    for (index, (slot, &reward)) in returns.iter_mut().zip(rewards).enumerate().rev() {
        running = f64::from(reward) + gamma * running;
        *slot = running as f32;
        if !slot.is_finite() {
            return Err(AdvantageError::SliceNotFinite {
                name: "rewards",
                index,
                value: running,
            });
        }
    }
    Ok(returns)
}
