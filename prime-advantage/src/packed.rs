//! Responses with gaps: the policy's own tokens moved together and back again.
//!
//! No time passes while a tool writes, so that recursions run over the packed tokens
//! and the token before a gap is followed by the one after it.

use std::borrow::Cow;

use crate::Response;

/// Gaps are many tokens long: most stretches of this length are all the policy's or all a tool's.
const STRETCH: usize = 16;

/// The entries of the policy's own tokens.
pub(crate) fn pack<'a>(numbers: &'a [f32], mask: Option<&[bool]>) -> Cow<'a, [f32]> {
    let Some(mask) = mask else {
        return Cow::Borrowed(numbers);
    };
    let mut packed = Vec::with_capacity(numbers.len());
    for (numbers, mask) in numbers.chunks(STRETCH).zip(mask.chunks(STRETCH)) {
        match count(mask) {
            0 => {}
            own if own == mask.len() => packed.extend_from_slice(numbers),
            _ => {
                let own = numbers.iter().zip(mask).filter(|&(_, &own)| own);
                packed.extend(own.map(|(&x, _)| x));
            }
        }
    }
    Cow::Owned(packed)
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

/// Puts packed entries in their places; masked tokens keep what they had.
pub(crate) fn scatter(packed: &[f32], mask: &[bool], out: &mut [f32]) {
    let mut rest = packed;
    for (out, mask) in out.chunks_mut(STRETCH).zip(mask.chunks(STRETCH)) {
        let (own, behind) = rest.split_at(count(mask));
        rest = behind;
        if own.len() == out.len() {
            out.copy_from_slice(own);
        } else {
            let places = out.iter_mut().zip(mask).filter(|&(_, &own)| own);
            for ((slot, _), &x) in places.zip(own) {
                *slot = x;
            }
        }
    }
}

fn count(mask: &[bool]) -> usize {
    mask.iter().filter(|&&own| own).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gaps of every length at every place around a stretch, against one token at a time.
    #[test]
    fn gaps_of_every_length() {
        let numbers: Vec<f32> = (1..=3 * STRETCH as u16 + 5).map(f32::from).collect();
        for start in 0..numbers.len() {
            for end in start..=numbers.len() {
                let mask: Vec<bool> = (0..numbers.len()).map(|t| t < start || t >= end).collect();
                let own: Vec<f32> = [&numbers[..start], &numbers[end..]].concat();
                let packed = pack(&numbers, Some(&mask));
                assert_eq!(*packed, own, "{start}..{end}");
                let mut out = vec![-1.0; numbers.len()];
                scatter(&packed, &mask, &mut out);
                let mut expected = numbers.clone();
                expected[start..end].fill(-1.0);
                assert_eq!(out, expected, "{start}..{end}");
            }
        }
    }
}
