//! π and ln 2 in fixed point, computed once for each power-of-two size.

use std::sync::OnceLock;

use dashu_int::UBig;

use super::context::NumError;

/// Sizes are `2^(SMALLEST + i)` bits; the largest takes some tens of ms, once.
const SMALLEST: u32 = 9;
const SIZES: usize = 7;
const GUARD: usize = 64;

type Table = [OnceLock<UBig>; SIZES];

static PI: Table = [const { OnceLock::new() }; SIZES];
static LN2: Table = [const { OnceLock::new() }; SIZES];

/// `floor`-like π·2^w, at most 2 below the true value.
pub(super) fn pi(w: usize) -> Result<UBig, NumError> {
    // Machin: π = 16 atan(1/5) − 4 atan(1/239).
    lookup(&PI, w, |bits| {
        (inverse_arctangent(5, bits, true) << 4) - (inverse_arctangent(239, bits, true) << 2)
    })
}

/// ln 2·2^w, at most 2 away from the true value.
pub(super) fn ln2(w: usize) -> Result<UBig, NumError> {
    lookup(&LN2, w, |bits| {
        inverse_arctangent(26, bits, false) * 18u8 - (inverse_arctangent(4801, bits, false) << 1)
            + (inverse_arctangent(8749, bits, false) << 3)
    })
}

fn lookup(table: &Table, w: usize, compute: impl Fn(usize) -> UBig) -> Result<UBig, NumError> {
    for (i, slot) in table.iter().enumerate() {
        let bits = 1usize << (SMALLEST + i as u32);
        if w <= bits {
            let value = slot.get_or_init(|| compute(bits + GUARD));
            return Ok(value >> (bits + GUARD - w));
        }
    }
    Err(NumError::TooLarge)
}

/// atan(1/n) or atanh(1/n), times 2^w: each term is truncated, so the error is
/// below two units a term, far inside `GUARD` bits.
fn inverse_arctangent(n: u32, w: usize, alternating: bool) -> UBig {
    let mut power = (UBig::ONE << w) / n;
    let mut plus = power.clone();
    let mut minus = UBig::ZERO;
    let square = n * n;
    for odd in (3u32..).step_by(2) {
        power /= square;
        if power.is_zero() {
            break;
        }
        let term = &power / odd;
        if alternating && odd % 4 == 3 {
            minus += term;
        } else {
            plus += term;
        }
    }
    plus - minus
}
