//! The series behind the elementary functions, on fixed-point integers: `x`
//! stands for `x / 2^w`. Each returns a bound of its error in units of `2^-w`,
//! counted from the truncations made. A truncated term is off by at most 3
//! units (its own division and shift, plus the decaying share inherited), and
//! the tail after a term that truncates to zero is below 8.

use dashu_base::{BitTest, SquareRoot};
use dashu_int::{IBig, UBig};

use super::{context::NumError, mag::Mag};

/// From this many leading zero bits on, sine is summed directly: a square root
/// would cost as many extra bits.
const DIRECT_SINE: usize = 64;

/// Guard bits that cover counted errors of the direct series.
pub(super) const GUARD: usize = 24;

/// How often to halve the argument of exp: the halvings undone by squaring cost
/// about as much as the terms they save.
pub(super) fn exp_halvings(w: usize) -> usize {
    w.isqrt()
}

/// The same for cosine, where a halving saves two bits a term.
pub(super) fn cos_halvings(w: usize) -> usize {
    w.isqrt() / 2
}

/// e^r for `0 <= r < 1`, using `halvings` bits of the guard.
pub(super) fn exp(r: &UBig, w: usize, halvings: usize) -> (UBig, Mag) {
    let t = r >> halvings;
    let mut term = t.clone();
    let mut value = (UBig::ONE << w) + &t;
    let mut terms = 2u32;
    loop {
        term = ((&term * &t) >> w) / terms;
        if term.is_zero() {
            break;
        }
        value += &term;
        terms += 1;
    }
    for _ in 0..halvings {
        value = value.sqr() >> w;
    }
    // All values lie in [1, e), so errors here are relative ones: a squaring
    // takes e to at most 2e + 2, and the last factor turns relative to absolute.
    let relative = 3 * u128::from(terms) + 16;
    (value, Mag::upper(relative, halvings as i64 + 2))
}

/// Sine and cosine of `0 <= r <= 1`, with one error bound for both.
pub(super) fn sin_cos(r: &UBig, w: usize) -> Result<(UBig, UBig, Mag), NumError> {
    let one = UBig::ONE << w;
    if *r > one {
        return Err(NumError::Unresolved);
    }
    let zeros = (w + 1).saturating_sub(r.bit_len());
    if zeros >= DIRECT_SINE {
        let square = r.sqr() >> w;
        let (sin, sin_terms) = alternating(r.clone(), &square, w, 2);
        let (versine, cos_terms) = alternating(&square >> 1, &square, w, 3);
        let units = 3 * u128::from(sin_terms.max(cos_terms)) + 16;
        return Ok((sin, one - versine, Mag::upper(units, 0)));
    }
    let halvings = cos_halvings(w).saturating_sub(zeros);
    let t = r >> halvings;
    let square = t.sqr() >> w;
    let (mut versine, terms) = alternating(&square >> 1, &square, w, 3);
    for _ in 0..halvings {
        // 1 − cos 2t = 4v − 2v²: the error e becomes at most 4e + 2.
        let twice_square = versine.sqr() >> (w - 1);
        versine = (versine << 2) - twice_square;
    }
    let sin = (&versine * ((UBig::ONE << (w + 1)) - &versine)).sqrt();
    let cos_error = Mag::upper(3 * u128::from(terms) + 20, 2 * halvings as i64);
    // The square is off by 2e, and dividing by sin r >= 2^-(zeros + 1) makes
    // that the error of the root.
    let sin_error = cos_error.mul_pow2(zeros as i64 + 3).add(Mag::ONE);
    Ok((sin, one - versine, sin_error))
}

/// `first − first·x/(n(n+1)) + first·x²/(n(n+1)(n+2)(n+3)) − …` and its length.
/// Terms decrease, so the partial sums never go below zero.
fn alternating(first: UBig, square: &UBig, w: usize, n: u32) -> (UBig, u32) {
    let mut plus = first.clone();
    let mut minus = UBig::ZERO;
    let mut term = first;
    let mut terms = 0;
    loop {
        let n = n + 2 * terms;
        term = ((term * square) >> w) / (u64::from(n) * u64::from(n + 1));
        if term.is_zero() {
            break;
        }
        if terms % 2 == 0 {
            minus += &term;
        } else {
            plus += &term;
        }
        terms += 1;
    }
    (plus - minus, terms)
}

/// atanh u, or atan u when `alternating`, for `|u| < 2^-8`.
pub(super) fn arc_series(u: &UBig, w: usize, alternating: bool) -> Result<(UBig, Mag), NumError> {
    if u.bit_len() + 8 > w {
        return Err(NumError::Unresolved);
    }
    let square = u.sqr() >> w;
    let mut power = u.clone();
    let mut plus = u.clone();
    let mut minus = UBig::ZERO;
    let mut odd = 3u32;
    loop {
        power = (power * &square) >> w;
        if power.is_zero() {
            break;
        }
        let term = &power / odd;
        if alternating && odd % 4 == 3 {
            minus += term;
        } else {
            plus += term;
        }
        odd += 2;
    }
    Ok((plus - minus, Mag::upper(2 * u128::from(odd) + 16, 0)))
}

/// A non-negative `f64` in fixed point, rounded down.
pub(super) fn from_f64(value: f64, w: usize) -> UBig {
    // 2^62 keeps every bit that matters and fits the integer cast, which saturates.
    let scaled = UBig::from((value * 2f64.powi(62)) as u64);
    if w >= 62 {
        scaled << (w - 62)
    } else {
        scaled >> (62 - w)
    }
}

/// The signed fixed-point number as a sign and a magnitude.
pub(super) fn signed(magnitude: UBig, negative: bool) -> IBig {
    let value = IBig::from(magnitude);
    if negative { -value } else { value }
}
