//! Rectangular complex balls and their arithmetic. A number whose imaginary part
//! is exactly zero is real and stays so wherever the result is.

use dashu_base::{BitTest, UnsignedAbs};
use dashu_int::IBig;

use super::{
    context::{Ctx, NumError},
    mag::Mag,
    real::Real,
};

/// Larger integer exponents go through exp and ln.
const SQUARING_BITS: usize = 40;

#[derive(Debug, Clone)]
pub(crate) struct Complex {
    pub(crate) re: Real,
    pub(crate) im: Real,
}

impl From<Real> for Complex {
    fn from(re: Real) -> Self {
        Self {
            re,
            im: Real::zero(),
        }
    }
}

impl Complex {
    pub(crate) fn new(re: Real, im: Real) -> Self {
        Self { re, im }
    }

    pub(crate) fn zero() -> Self {
        Self::from_i64(0)
    }

    pub(crate) fn one() -> Self {
        Self::from_i64(1)
    }

    pub(crate) fn i() -> Self {
        Self::new(Real::zero(), Real::one())
    }

    pub(crate) fn from_i64(value: i64) -> Self {
        Real::from_i64(value).into()
    }

    /// Whether the imaginary part is exactly zero.
    pub(crate) fn is_real(&self) -> bool {
        self.im.is_exact_zero()
    }

    pub(crate) fn is_exact_zero(&self) -> bool {
        self.re.is_exact_zero() && self.im.is_exact_zero()
    }

    pub(crate) fn contains_zero(&self) -> bool {
        self.re.contains_zero() && self.im.contains_zero()
    }

    /// An upper bound of the modulus.
    pub(crate) fn mag_upper(&self) -> Mag {
        match (self.re.mag_upper(), self.im.mag_upper()) {
            (re, im) if im.is_zero() => re,
            (re, im) if re.is_zero() => im,
            (re, im) => re.mul(re).add(im.mul(im)).sqrt(),
        }
    }

    pub(crate) fn mag_upper_log2(&self) -> i64 {
        self.mag_upper().log2_upper()
    }

    /// The larger of the two radii, as `Real::radius_log2`.
    #[cfg(test)]
    pub(crate) fn radius_log2(&self) -> i64 {
        self.re.radius_log2().max(self.im.radius_log2())
    }

    pub(crate) fn to_f64(&self) -> (f64, f64) {
        (self.re.to_f64(), self.im.to_f64())
    }

    /// The integer that this certainly is.
    pub(crate) fn as_integer(&self) -> Option<IBig> {
        if self.is_real() {
            self.re.as_integer()
        } else {
            None
        }
    }

    /// All numbers of modulus at most `bound`, in a square.
    pub(super) fn around_zero(bound: Mag) -> Self {
        Self::new(Real::around_zero(bound), Real::around_zero(bound))
    }

    pub(crate) fn neg(&self) -> Self {
        Self::new(self.re.neg(), self.im.neg())
    }

    pub(crate) fn conj(&self) -> Self {
        Self::new(self.re.clone(), self.im.neg())
    }

    pub(super) fn mul_i(&self) -> Self {
        Self::new(self.im.neg(), self.re.clone())
    }

    pub(super) fn div_i(&self) -> Self {
        Self::new(self.im.clone(), self.re.neg())
    }

    pub(crate) fn half(&self, cx: &Ctx<'_>) -> Result<Self, NumError> {
        Ok(Self::new(self.re.half(cx)?, self.im.half(cx)?))
    }

    pub(crate) fn add(&self, other: &Self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        Ok(Self::new(
            self.re.add(&other.re, cx)?,
            self.im.add(&other.im, cx)?,
        ))
    }

    pub(crate) fn sub(&self, other: &Self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        self.add(&other.neg(), cx)
    }

    pub(crate) fn mul(&self, other: &Self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        match (self.is_real(), other.is_real()) {
            (true, _) => other.scale(&self.re, cx),
            (_, true) => self.scale(&other.re, cx),
            _ => {
                let re = self
                    .re
                    .mul(&other.re, cx)?
                    .sub(&self.im.mul(&other.im, cx)?, cx)?;
                let im = self
                    .re
                    .mul(&other.im, cx)?
                    .add(&self.im.mul(&other.re, cx)?, cx)?;
                Ok(Self::new(re, im))
            }
        }
    }

    pub(super) fn scale(&self, by: &Real, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        Ok(Self::new(self.re.mul(by, cx)?, self.im.mul(by, cx)?))
    }

    pub(crate) fn square(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        if self.is_real() {
            return Ok(self.re.square(cx)?.into());
        }
        let re = self.re.square(cx)?.sub(&self.im.square(cx)?, cx)?;
        let im = self.re.mul(&self.im, cx)?.mul_pow2(1, cx)?;
        Ok(Self::new(re, im))
    }

    pub(crate) fn div(&self, other: &Self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        if other.is_exact_zero() {
            return Err(NumError::Undefined);
        }
        if other.is_real() {
            return Ok(Self::new(
                self.re.div(&other.re, cx)?,
                self.im.div(&other.re, cx)?,
            ));
        }
        if other.re.is_exact_zero() {
            let turned = self.div_i();
            return Ok(Self::new(
                turned.re.div(&other.im, cx)?,
                turned.im.div(&other.im, cx)?,
            ));
        }
        let norm = other.norm(cx)?;
        let product = self.mul(&other.conj(), cx)?;
        Ok(Self::new(
            product.re.div(&norm, cx)?,
            product.im.div(&norm, cx)?,
        ))
    }

    pub(crate) fn inv(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        Self::one().div(self, cx)
    }

    /// `|z|²`.
    pub(crate) fn norm(&self, cx: &mut Ctx<'_>) -> Result<Real, NumError> {
        self.re.square(cx)?.add(&self.im.square(cx)?, cx)
    }

    pub(crate) fn abs(&self, cx: &mut Ctx<'_>) -> Result<Real, NumError> {
        if self.is_real() {
            return Ok(self.re.abs());
        }
        if self.re.is_exact_zero() {
            return Ok(self.im.abs());
        }
        // ||z| − |m|| <= |z − m|, so the midpoint alone needs a square root.
        let middle = Self::new(self.re.midpoint(), self.im.midpoint());
        let modulus = middle.norm(cx)?.sqrt(cx)?;
        Ok(modulus.widened(self.re.rad.add(self.im.rad)))
    }

    /// The argument in (−π, π]; of zero it is undefined.
    pub(crate) fn arg(&self, cx: &mut Ctx<'_>) -> Result<Real, NumError> {
        self.im.atan2(&self.re, cx)
    }

    /// `self^n`, with `z^0 = 1` for every `z`.
    pub(crate) fn powi(&self, n: &IBig, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        if self.is_real() {
            return Ok(self.re.powi(n, cx)?.into());
        }
        if n.is_zero() {
            return Ok(Self::one());
        }
        let count = n.clone().unsigned_abs();
        let power = {
            let cx = &mut cx.raised(count.bit_len().min(64) + 8);
            match u64::try_from(&count) {
                Ok(count) if count.ilog2() < SQUARING_BITS as u32 => {
                    self.power_by_squaring(count, cx)?
                }
                _ => {
                    let count = Real::from_ibig(&IBig::from(count), cx)?;
                    self.ln(cx)?.scale(&count, cx)?.exp(cx)?
                }
            }
        };
        if *n < IBig::ZERO {
            power.inv(cx)
        } else {
            power.rounded(cx)
        }
    }

    fn power_by_squaring(&self, n: u64, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        let mut result = self.clone();
        for bit in (0..n.ilog2()).rev() {
            result = result.square(cx)?;
            if n >> bit & 1 == 1 {
                result = result.mul(self, cx)?;
            }
        }
        Ok(result)
    }

    /// Down to the working precision, after work with guard bits.
    pub(super) fn rounded(self, cx: &Ctx<'_>) -> Result<Self, NumError> {
        Ok(Self::new(self.re.rounded(cx)?, self.im.rounded(cx)?))
    }
}
