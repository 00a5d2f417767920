//! Exact dyadic rationals `man * 2^exp`: the midpoints of balls.

use std::cmp::Ordering;

use dashu_base::{BitTest, Sign, UnsignedAbs};
use dashu_int::{IBig, UBig, Word};

use super::mag::Mag;

/// `man * 2^exp`; zero is always `0 * 2^0`.
#[derive(Debug, Clone)]
pub(crate) struct Dyadic {
    man: IBig,
    exp: i64,
}

impl Dyadic {
    pub(super) fn new(man: IBig, exp: i64) -> Self {
        let exp = if man.is_zero() { 0 } else { exp };
        Self { man, exp }
    }

    pub(super) fn zero() -> Self {
        Self::new(IBig::ZERO, 0)
    }

    pub(super) fn from_mag(mag: Mag) -> Self {
        let (man, exp) = mag.parts();
        Self::new(IBig::from(man), exp)
    }

    pub(super) fn man(&self) -> &IBig {
        &self.man
    }

    pub(super) fn exp(&self) -> i64 {
        self.exp
    }

    pub(super) fn is_zero(&self) -> bool {
        self.man.is_zero()
    }

    pub(super) fn is_negative(&self) -> bool {
        self.man.sign() == Sign::Negative
    }

    /// The `t` with `2^(t-1) <= |self| < 2^t`; meaningless for zero.
    pub(super) fn top(&self) -> i64 {
        self.exp + self.man.bit_len() as i64
    }

    pub(super) fn neg(&self) -> Self {
        Self {
            man: -&self.man,
            exp: self.exp,
        }
    }

    pub(super) fn abs(&self) -> Self {
        if self.is_negative() {
            self.neg()
        } else {
            self.clone()
        }
    }

    pub(super) fn mul_pow2(&self, k: i64) -> Self {
        Self::new(self.man.clone(), self.exp + k)
    }

    pub(super) fn mul(&self, other: &Self) -> Self {
        Self::new(&self.man * &other.man, self.exp + other.exp)
    }

    /// The exact sum. The cost grows with the gap between the exponents, which
    /// callers keep bounded.
    pub(super) fn add(&self, other: &Self) -> Self {
        if self.is_zero() {
            return other.clone();
        }
        if other.is_zero() {
            return self.clone();
        }
        match self.exp.cmp(&other.exp) {
            Ordering::Equal => Self::new(&self.man + &other.man, self.exp),
            Ordering::Greater => Self::new(
                (&self.man << (self.exp - other.exp) as usize) + &other.man,
                other.exp,
            ),
            Ordering::Less => Self::new(
                (&other.man << (other.exp - self.exp) as usize) + &self.man,
                self.exp,
            ),
        }
    }

    /// Truncates to `prec` bits; the bound is zero when nothing was lost.
    pub(super) fn round(self, prec: usize) -> (Self, Mag) {
        let bits = self.man.bit_len();
        if bits <= prec {
            return (self, Mag::ZERO);
        }
        let shift = bits - prec;
        let exp = self.exp + shift as i64;
        let exact = self
            .man
            .trailing_zeros()
            .is_some_and(|zeros| zeros >= shift);
        let (sign, man) = self.man.into_parts();
        let rounded = Self::new(IBig::from_parts(sign, man >> shift), exp);
        (rounded, if exact { Mag::ZERO } else { Mag::pow2(exp) })
    }

    /// Drops trailing zero bits, so that exact results stay cheap.
    pub(super) fn compact(self) -> Self {
        match self.man.trailing_zeros() {
            Some(zeros) if zeros > 0 => Self::new(self.man >> zeros, self.exp + zeros as i64),
            _ => self,
        }
    }

    /// `floor(self * 2^w)`.
    pub(super) fn to_fixed(&self, w: usize) -> IBig {
        let shift = self.exp + w as i64;
        if shift >= 0 {
            &self.man << shift as usize
        } else {
            &self.man >> shift.unsigned_abs() as usize
        }
    }

    /// `floor(|self| * 2^w)`.
    pub(super) fn abs_fixed(&self, w: i64) -> UBig {
        let man = self.man.clone().unsigned_abs();
        let shift = self.exp + w;
        if shift >= 0 {
            man << shift as usize
        } else {
            man >> shift.unsigned_abs() as usize
        }
    }

    /// `|self|` as `(hi, exp, exact)`: `hi * 2^exp <= |self| < (hi + 1) * 2^exp`,
    /// with 63 leading bits in `hi` when there are that many.
    pub(super) fn leading(&self) -> (u64, i64, bool) {
        let (_, words) = self.man.as_sign_words();
        let word_bits = Word::BITS as i64;
        let taken = (128 / word_bits) as usize;
        let mut acc = 0u128;
        for &word in words.iter().rev().take(taken) {
            acc = (acc << (word_bits - 1) << 1) | u128::from(word);
        }
        let left_out = words.len().saturating_sub(taken) as i64;
        let bits = 128 - i64::from(acc.leading_zeros());
        let shift = (bits - 63).max(0);
        let exact = left_out == 0 && acc & ((1u128 << shift) - 1) == 0;
        (
            (acc >> shift) as u64,
            self.exp + left_out * word_bits + shift,
            exact,
        )
    }

    pub(super) fn mag_upper(&self) -> Mag {
        let (hi, exp, exact) = self.leading();
        Mag::upper(u128::from(hi) + u128::from(!exact), exp)
    }

    /// The nearest-ish `f64`, saturating at the largest finite one.
    pub(super) fn to_f64(&self) -> f64 {
        let (hi, exp, _) = self.leading();
        let magnitude = if hi == 0 || exp < -1200 {
            0.0
        } else if exp > 1000 {
            f64::MAX
        } else {
            // Two factors, because 2^exp alone may be subnormal.
            let half = (exp / 2) as i32;
            (hi as f64 * 2f64.powi(half) * 2f64.powi(exp as i32 - half)).min(f64::MAX)
        };
        if self.is_negative() {
            -magnitude
        } else {
            magnitude
        }
    }
}
