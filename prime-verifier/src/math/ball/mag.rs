//! Upper (and, where named so, lower) bounds of non-negative reals: a 32-bit
//! mantissa and an exponent. Integers, not `f64`, so that there is no NaN or
//! infinity and every rounding direction is explicit.

use std::cmp::Ordering;

use super::context::NumError;

/// Mantissa width: `2^31 <= man < 2^32` for every non-zero `Mag`.
const BITS: i64 = 32;

/// A non-negative real `man * 2^exp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mag {
    man: u64,
    exp: i64,
}

impl Mag {
    pub(crate) const ZERO: Self = Self { man: 0, exp: 0 };
    pub(crate) const ONE: Self = Self::pow2(0);

    pub(crate) const fn pow2(k: i64) -> Self {
        Self {
            man: 1 << (BITS - 1),
            exp: k - (BITS - 1),
        }
    }

    /// The least `Mag` not below `man * 2^exp`.
    pub(crate) fn upper(man: u128, exp: i64) -> Self {
        let shift = excess_bits(man);
        let lower = Self::lower(man, exp);
        let dropped = shift > 0 && man & ((1u128 << shift) - 1) != 0;
        if dropped { lower.next() } else { lower }
    }

    /// The greatest `Mag` not above `man * 2^exp`.
    pub(crate) fn lower(man: u128, exp: i64) -> Self {
        if man == 0 {
            return Self::ZERO;
        }
        let shift = excess_bits(man);
        let man = if shift >= 0 {
            man >> shift
        } else {
            man << -shift
        };
        Self {
            man: man as u64,
            exp: exp + shift,
        }
    }

    fn next(self) -> Self {
        if self.man + 1 == 1 << BITS {
            Self {
                man: 1 << (BITS - 1),
                exp: self.exp + 1,
            }
        } else {
            Self {
                man: self.man + 1,
                exp: self.exp,
            }
        }
    }

    pub(crate) fn is_zero(self) -> bool {
        self.man == 0
    }

    /// Mantissa and exponent, for exact conversions.
    pub(super) fn parts(self) -> (u64, i64) {
        (self.man, self.exp)
    }

    pub(crate) fn add(self, other: Self) -> Self {
        if self.is_zero() {
            return other;
        }
        if other.is_zero() {
            return self;
        }
        let (big, small) = if self.exp >= other.exp {
            (self, other)
        } else {
            (other, self)
        };
        let gap = big.exp - small.exp;
        if gap >= 64 {
            return big.next();
        }
        Self::upper(
            (u128::from(big.man) << gap) + u128::from(small.man),
            small.exp,
        )
    }

    pub(crate) fn mul(self, other: Self) -> Self {
        Self::upper(
            u128::from(self.man) * u128::from(other.man),
            self.exp + other.exp,
        )
    }

    /// The product rounded down, for lower bounds.
    pub(crate) fn mul_lower(self, other: Self) -> Self {
        Self::lower(
            u128::from(self.man) * u128::from(other.man),
            self.exp + other.exp,
        )
    }

    /// An upper bound of `self / divisor`, `divisor` being a lower bound.
    pub(crate) fn div(self, divisor: Self) -> Result<Self, NumError> {
        let numerator = u128::from(self.man) << 64;
        let quotient = numerator
            .checked_div(u128::from(divisor.man))
            .ok_or(NumError::Unresolved)?;
        let exact = quotient * u128::from(divisor.man) == numerator;
        Ok(Self::upper(
            quotient + u128::from(!exact),
            self.exp - 64 - divisor.exp,
        ))
    }

    pub(crate) fn sqrt(self) -> Self {
        let odd = self.exp & 1;
        let radicand = u128::from(self.man) << (32 + odd);
        let root = radicand.isqrt();
        let exact = root * root == radicand;
        Self::upper(root + u128::from(!exact), (self.exp - 32 - odd) / 2)
    }

    pub(crate) fn mul_pow2(self, k: i64) -> Self {
        if self.is_zero() {
            self
        } else {
            Self {
                man: self.man,
                exp: self.exp + k,
            }
        }
    }

    pub(crate) fn max(self, other: Self) -> Self {
        if self.cmp(&other) == Ordering::Less {
            other
        } else {
            self
        }
    }

    /// The least `k` with `self <= 2^k`; `i64::MIN` for zero.
    pub(crate) fn log2_upper(self) -> i64 {
        match self.man {
            0 => i64::MIN,
            man if man == 1 << (BITS - 1) => self.exp + BITS - 1,
            _ => self.exp + BITS,
        }
    }

    pub(crate) fn le_pow2(self, k: i64) -> bool {
        self.log2_upper() <= k
    }

    /// The least multiple of `2^exp` not below `self`, in those units; `None`
    /// when it would not fit.
    pub(super) fn units_upper(self, exp: i64) -> Option<u64> {
        let shift = self.exp - exp;
        match shift {
            _ if self.is_zero() => Some(0),
            0..=31 => Some(self.man << shift),
            32.. => None,
            -31..=-1 => Some((self.man >> -shift) + 1),
            _ => Some(1),
        }
    }
}

impl PartialOrd for Mag {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Mag {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => (self.exp, self.man).cmp(&(other.exp, other.man)),
        }
    }
}

/// How far `man` must move right to have exactly `BITS` bits.
fn excess_bits(man: u128) -> i64 {
    128 - i64::from(man.leading_zeros()) - BITS
}
