//! The real ball: how it is made, and what it says for certain.

use std::cmp::Ordering;

use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

use super::{
    arithmetic::sum,
    context::{Ctx, MAX_LOG2, NumError},
    dyadic::Dyadic,
    mag::Mag,
};

/// Radii below this are rounded up to it: exponents stay small integers.
const MIN_RADIUS_LOG2: i64 = -4 * MAX_LOG2;

/// Every real within `rad` of `mid`.
#[derive(Debug, Clone)]
pub(crate) struct Real {
    pub(super) mid: Dyadic,
    pub(super) rad: Mag,
}

impl Real {
    pub(crate) fn zero() -> Self {
        Self::from_i64(0)
    }

    pub(crate) fn one() -> Self {
        Self::from_i64(1)
    }

    pub(crate) fn from_i64(value: i64) -> Self {
        Self {
            mid: Dyadic::new(IBig::from(value), 0),
            rad: Mag::ZERO,
        }
    }

    pub(crate) fn from_ibig(value: &IBig, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        cx.charge_add()?;
        Self::build(Dyadic::new(value.clone(), 0), Mag::ZERO, cx)
    }

    pub(crate) fn from_rbig(value: &RBig, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        if value.is_int() {
            return Self::from_ibig(value.numerator(), cx);
        }
        // Rounding first keeps the division short however long the fraction is.
        let quotient = {
            let cx = &mut cx.raised(8);
            let numerator = Self::from_ibig(value.numerator(), cx)?;
            let denominator = IBig::from(value.denominator().clone());
            numerator.div(&Self::from_ibig(&denominator, cx)?, cx)?
        };
        quotient.rounded(cx)
    }

    /// The ball rounded to the working precision, if its size is allowed.
    pub(super) fn build(mid: Dyadic, rad: Mag, cx: &Ctx<'_>) -> Result<Self, NumError> {
        let (mid, error) = mid.round(cx.prec());
        let rad = rad.add(error);
        if !mid.is_zero() && mid.top().abs() > MAX_LOG2 || !rad.le_pow2(MAX_LOG2) {
            return Err(NumError::TooLarge);
        }
        let rad = if rad.is_zero() {
            rad
        } else {
            rad.max(Mag::pow2(MIN_RADIUS_LOG2))
        };
        Ok(Self { mid, rad })
    }

    pub(super) fn exact(mid: Dyadic) -> Self {
        Self {
            mid,
            rad: Mag::ZERO,
        }
    }

    /// All reals of magnitude at most `bound`.
    pub(super) fn around_zero(bound: Mag) -> Self {
        Self {
            mid: Dyadic::zero(),
            rad: bound,
        }
    }

    pub(super) fn widened(mut self, by: Mag) -> Self {
        self.rad = self.rad.add(by);
        self
    }

    /// Down to the working precision, after work with guard bits.
    pub(super) fn rounded(self, cx: &Ctx<'_>) -> Result<Self, NumError> {
        Self::build(self.mid, self.rad, cx)
    }

    pub(crate) fn is_exact(&self) -> bool {
        self.rad.is_zero()
    }

    pub(crate) fn is_exact_zero(&self) -> bool {
        self.rad.is_zero() && self.mid.is_zero()
    }

    /// Whether zero cannot be excluded (up to one part in 2^62 of the radius).
    pub(crate) fn contains_zero(&self) -> bool {
        self.mag_lower().is_zero()
    }

    pub(crate) fn is_positive(&self) -> bool {
        !self.mid.is_negative() && !self.contains_zero()
    }

    pub(crate) fn is_negative(&self) -> bool {
        self.mid.is_negative() && !self.contains_zero()
    }

    pub(crate) fn mag_upper(&self) -> Mag {
        self.mid.mag_upper().add(self.rad)
    }

    /// A lower bound of the magnitude; zero when the ball may contain zero.
    pub(crate) fn mag_lower(&self) -> Mag {
        let (hi, exp, _) = self.mid.leading();
        match self.rad.units_upper(exp) {
            Some(units) if hi > units => Mag::lower(u128::from(hi - units), exp),
            _ => Mag::ZERO,
        }
    }

    /// The least `k`, or one more, with the whole ball inside `±2^k`.
    #[cfg(test)]
    pub(crate) fn mag_upper_log2(&self) -> i64 {
        self.mag_upper().log2_upper()
    }

    /// The radius as a power of two, rounded up; `i64::MIN` when exact.
    #[cfg(test)]
    pub(crate) fn radius_log2(&self) -> i64 {
        self.rad.log2_upper()
    }

    pub(crate) fn to_f64(&self) -> f64 {
        self.mid.to_f64()
    }

    /// The integer that this certainly is.
    pub(crate) fn as_integer(&self) -> Option<IBig> {
        let exp = self.mid.exp();
        let zeros = self.mid.man().trailing_zeros().unwrap_or(0) as i64;
        (self.is_exact() && zeros + exp >= 0).then(|| self.mid.to_fixed(0))
    }

    pub(crate) fn floor(&self) -> Result<IBig, NumError> {
        if self.is_exact() {
            return Ok(self.mid.to_fixed(0));
        }
        // A radius below this is as good as this one, and keeps the sums short.
        let rad = Dyadic::from_mag(self.rad.max(Mag::pow2(-MAX_LOG2)));
        let low = self.mid.add(&rad.neg()).to_fixed(0);
        if low == self.mid.add(&rad).to_fixed(0) {
            Ok(low)
        } else {
            Err(NumError::Unresolved)
        }
    }

    /// The order, where it is certain.
    pub(crate) fn cmp(&self, other: &Self) -> Option<Ordering> {
        let (mid, error) = sum(&self.mid, &other.mid.neg(), 128);
        let difference = Self {
            mid,
            rad: error.add(self.rad).add(other.rad),
        };
        if difference.is_exact_zero() {
            Some(Ordering::Equal)
        } else if difference.contains_zero() {
            None
        } else if difference.mid.is_negative() {
            Some(Ordering::Less)
        } else {
            Some(Ordering::Greater)
        }
    }
}

/// The ball around a non-negative fixed-point number.
pub(super) fn fixed_ball(
    value: UBig,
    negative: bool,
    exp: i64,
    units: Mag,
    cx: &Ctx<'_>,
) -> Result<Real, NumError> {
    let value = IBig::from(value);
    let value = if negative { -value } else { value };
    Real::build(Dyadic::new(value, exp), units.mul_pow2(exp), cx)
}
