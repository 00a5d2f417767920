//! Inverse trigonometric and hyperbolic functions of complex balls, on the
//! branches of Abramowitz and Stegun; real inside the real domain.

use super::{
    complex::Complex,
    context::{Ctx, NumError},
    mag::Mag,
    real::Real,
};

impl Complex {
    /// `−i ln(iz + √(1 − z²))`.
    pub(crate) fn asin(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        if self.is_within_unit(cx)? {
            return Ok(self.re.asin(cx)?.into());
        }
        // Odd, on the cuts as well; on this side the sum would cancel.
        if self.im.is_positive() || self.is_real() && self.re.mid.is_negative() {
            return Ok(self.neg().asin(cx)?.neg());
        }
        let root = Self::one().sub(&self.square(cx)?, cx)?.sqrt(cx)?;
        Ok(self.mul_i().add(&root, cx)?.ln(cx)?.div_i())
    }

    /// `π/2 − asin z`.
    pub(crate) fn acos(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        if self.is_within_unit(cx)? {
            return Ok(self.re.acos(cx)?.into());
        }
        let quarter = Self::from(Real::pi(cx)?.half(cx)?);
        quarter.sub(&self.asin(cx)?, cx)
    }

    /// `(i/2)(ln(1 − iz) − ln(1 + iz))`.
    pub(crate) fn atan(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        if self.is_real() {
            return Ok(self.re.atan(cx)?.into());
        }
        let turned = self.mul_i();
        let below = Self::one().sub(&turned, cx)?.ln(cx)?;
        let above = Self::one().add(&turned, cx)?.ln(cx)?;
        below.sub(&above, cx)?.mul_i().half(cx)
    }

    /// `asinh z = −i asin iz`, the cuts included.
    pub(crate) fn asinh(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        if self.is_real() {
            return Ok(self.re.asinh(cx)?.into());
        }
        Ok(self.mul_i().asin(cx)?.div_i())
    }

    /// `ln(z + √(z + 1)·√(z − 1))`.
    pub(crate) fn acosh(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        let above = self.sub(&Self::one(), cx)?;
        if self.is_real() && (above.re.is_positive() || above.is_exact_zero()) {
            return Ok(self.re.acosh(cx)?.into());
        }
        let below = self.add(&Self::one(), cx)?;
        let root = below.sqrt(cx)?.mul(&above.sqrt(cx)?, cx)?;
        self.add(&root, cx)?.ln(cx)
    }

    /// `½(ln(1 + z) − ln(1 − z))`.
    pub(crate) fn atanh(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        if self.is_real() && self.re.mag_upper() < Mag::ONE {
            return Ok(self.re.atanh(cx)?.into());
        }
        let above = Self::one().add(self, cx)?.ln(cx)?;
        let below = Self::one().sub(self, cx)?.ln(cx)?;
        above.sub(&below, cx)?.half(cx)
    }

    /// Certainly real and in [−1, 1].
    fn is_within_unit(&self, cx: &mut Ctx<'_>) -> Result<bool, NumError> {
        if !self.is_real() {
            return Ok(false);
        }
        let room = Real::one().sub(&self.re.abs(), cx)?;
        Ok(room.is_positive() || room.is_exact_zero())
    }
}
