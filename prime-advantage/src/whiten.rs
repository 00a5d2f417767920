//! Bringing advantages to mean 0 and variance 1.

use crate::moments::Moments;
use crate::{AdvantageError, Advantages, RewardBatch, parallel};

/// The moments of all responses together, in order; an error if one of them holds a
/// number that is not finite.
pub(crate) fn combined(
    result: &Advantages,
    responses: &[Moments],
) -> Result<Moments, AdvantageError> {
    match responses.iter().position(|moments| !moments.all_finite()) {
        Some(flat) => Err(result.not_finite(flat)),
        None => Ok(responses
            .iter()
            .copied()
            .fold(Moments::default(), Moments::and)),
    }
}

/// What [`whiten_batch`] whitens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// The returns, which stay.
    Returns,
    /// The advantages, which the result replaces; the returns are something else.
    Advantages,
}

/// Whitens numbers whose moments are given over all policy tokens of the batch, into
/// the advantages.
pub(crate) fn whiten_batch(
    result: &mut Advantages,
    batch: &RewardBatch<'_>,
    before: Before,
    moments: Moments,
) -> Result<(), AdvantageError> {
    let whitening = moments.whitening()?;
    let masks: Vec<_> = batch.responses().map(|response| response.mask()).collect();
    parallel::map(result.responses_mut(), |r, (advantages, returns)| {
        let Some(mask) = masks[r] else {
            match before {
                Before::Returns => {
                    for (out, &x) in advantages.iter_mut().zip(returns.iter()) {
                        *out = whitening.of(x, 0.0);
                    }
                }
                Before::Advantages => {
                    for x in advantages.iter_mut() {
                        *x = whitening.of(*x, 0.0);
                    }
                }
            }
            return;
        };
        for (t, _) in mask.iter().enumerate().filter(|&(_, &own)| own) {
            let x = match before {
                Before::Returns => returns[t],
                Before::Advantages => advantages[t],
            };
            advantages[t] = whitening.of(x, 0.0);
        }
    });
    Ok(())
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
    let moments = Moments::of(&crate::packed::pack(values, mask));
    let whitening = moments.whitening()?;
    let add_back = if shift_mean { 0.0 } else { whitening.mean };
    for (t, x) in values.iter_mut().enumerate() {
        if mask.is_none_or(|m| m[t]) {
            *x = whitening.of(*x, add_back);
        }
    }
    Ok(())
}
