//! Responses with gaps: the policy's own tokens moved together and back again.
//!
//! No time passes while a tool writes, so that recursions run over the packed tokens
//! and the token before a gap is followed by the one after it.

use std::borrow::Cow;

use crate::Response;

/// The entries of the policy's own tokens.
pub(crate) fn pack<'a>(numbers: &'a [f32], mask: Option<&[bool]>) -> Cow<'a, [f32]> {
    match mask {
        None => Cow::Borrowed(numbers),
        Some(mask) => {
            let own = numbers.iter().zip(mask).filter(|&(_, &own)| own);
            Cow::Owned(own.map(|(&x, _)| x).collect())
        }
    }
}

/// Lets `write` fill one entry per policy token and puts them in their places in `out`;
/// masked tokens keep what they had.
pub(crate) fn unpack<R>(
    response: &Response<'_>,
    out: &mut [f32],
    write: impl FnOnce(&mut [f32]) -> R,
) -> R {
    let Some(mask) = response.mask() else {
        return write(out);
    };
    let mut packed = vec![0.0; response.policy_tokens()];
    let result = write(&mut packed);
    scatter(&packed, mask, out);
    result
}

pub(crate) fn scatter(packed: &[f32], mask: &[bool], out: &mut [f32]) {
    let places = out.iter_mut().zip(mask).filter(|&(_, &own)| own);
    for ((slot, _), &x) in places.zip(packed) {
        *slot = x;
    }
}
