//! Transforms of per-token numbers that estimators share.

use crate::error::check_unit;
use crate::{AdvantageError, Advantages, RewardBatch};

/// Added to the variance before its inverse root, as verl and the authors' trainer do.
const VARIANCE_EPSILON: f64 = 1e-8;

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

/// Brings the entries under the mask to mean 0 and variance 1, in place.
///
/// `(x − mean) / sqrt(var + 1e-8)` with the unbiased variance (verl
/// `masked_whiten`; the 1e-8 verl adds to the mask count is left out, as in the
/// authors' trainer). `mask: None` means all entries; entries outside the mask
/// stay as they are. With `shift_mean` false the mean is added back. Equal
/// entries become exactly `0.0` (or stay, without the shift).
///
/// # Errors
/// [`AdvantageError::SliceLength`] for a mask of another length,
/// [`AdvantageError::SliceNotFinite`] for NaN or infinity under the mask,
/// [`AdvantageError::TooFewToWhiten`] for fewer than two entries.
pub fn masked_whiten(
    values: &mut [f32],
    mask: Option<&[bool]>,
    shift_mean: bool,
) -> Result<(), AdvantageError> {
    if let Some(mask) = mask.filter(|m| m.len() != values.len()) {
        return Err(AdvantageError::SliceLength {
            name: "mask",
            found: mask.len(),
            expected: values.len(),
        });
    }
    for (index, &x) in values.iter().enumerate() {
        if !x.is_finite() && mask.is_none_or(|m| m[index]) {
            return Err(AdvantageError::SliceNotFinite {
                name: "values",
                index,
                value: x.into(),
            });
        }
    }
    let moments = Moments::of([(&*values, mask)].into_iter())?;
    let add_back = if shift_mean { 0.0 } else { moments.mean };
    moments.whiten(values, mask, add_back);
    Ok(())
}

/// Whitens the advantages over all policy tokens of the batch; the returns keep
/// the numbers from before.
pub(crate) fn whiten_batch(
    result: &mut Advantages,
    batch: &RewardBatch<'_>,
) -> Result<(), AdvantageError> {
    result.freeze_returns();
    let masks = batch.responses().map(|response| response.mask());
    let moments = Moments::of(result.iter().map(|r| r.advantages()).zip(masks))?;
    for (r, response) in batch.responses().enumerate() {
        moments.whiten(result.flat_mut(r), response.mask(), 0.0);
    }
    Ok(())
}

struct Moments {
    mean: f64,
    scale: f64,
}

impl Moments {
    /// Two passes: the variance is summed around the mean, not as a difference of large squares.
    fn of<'s>(
        chunks: impl Iterator<Item = (&'s [f32], Option<&'s [bool]>)> + Clone,
    ) -> Result<Self, AdvantageError> {
        let (mut count, mut sum) = (0usize, 0.0);
        for (values, mask) in chunks.clone() {
            for_policy_tokens(values.len(), mask, |t| {
                count += 1;
                sum += f64::from(values[t]);
            });
        }
        if count < 2 {
            return Err(AdvantageError::TooFewToWhiten { found: count });
        }
        // Exact when all entries are equal: n·x fits an f64 for any f32 x and n < 2^29.
        let mean = sum / count as f64;
        let mut squares = 0.0;
        for (values, mask) in chunks {
            for_policy_tokens(values.len(), mask, |t| {
                let distance = f64::from(values[t]) - mean;
                squares += distance * distance;
            });
        }
        let variance = squares / (count - 1) as f64;
        Ok(Self {
            mean,
            scale: (variance + VARIANCE_EPSILON).sqrt().recip(),
        })
    }

    fn whiten(&self, values: &mut [f32], mask: Option<&[bool]>, add_back: f64) {
        for_policy_tokens(values.len(), mask, |t| {
            // `+ add_back` also turns −0.0 into 0.0.
            values[t] = ((f64::from(values[t]) - self.mean) * self.scale + add_back) as f32;
        });
    }
}

/// Visits the positions of the policy's own tokens, first to last.
pub(crate) fn for_policy_tokens(len: usize, mask: Option<&[bool]>, mut visit: impl FnMut(usize)) {
    match mask {
        None => (0..len).for_each(visit),
        Some(mask) => {
            for (t, _) in mask[..len].iter().enumerate().filter(|&(_, &own)| own) {
                visit(t);
            }
        }
    }
}

/// Visits the positions of the policy's own tokens, last to first.
///
/// Recursions over it carry their state unchanged across masked gaps: no time
/// passes while a tool writes.
pub(crate) fn for_policy_tokens_rev(
    len: usize,
    mask: Option<&[bool]>,
    mut visit: impl FnMut(usize),
) {
    match mask {
        None => (0..len).rev().for_each(visit),
        Some(mask) => {
            for (t, _) in mask[..len]
                .iter()
                .enumerate()
                .rev()
                .filter(|&(_, &own)| own)
            {
                visit(t);
            }
        }
    }
}
