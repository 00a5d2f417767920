//! PPO's surrogate for any ratio: what the clipped objectives share.

use burn::tensor::{Bool, Tensor};

/// ℓ = max(−A·ρ, −A·clip(ρ, 1−`low`, 1+`high`)) and where the second is the larger, that is, where the clip is active.
pub(super) fn clipped(
    advantages: &Tensor<2>,
    ratio: Tensor<2>,
    low: f32,
    high: f32,
) -> (Tensor<2>, Tensor<2, Bool>) {
    let gain = advantages.clone().neg();
    let bounded = gain.clone() * ratio.clone().clamp(1.0 - low, 1.0 + high);
    let plain = gain * ratio;
    let active = bounded.clone().greater(plain.clone());
    (plain.max_pair(bounded), active)
}
