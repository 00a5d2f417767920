//! Complex roots, powers, exp, ln and the functions made of exp, on principal
//! branches. A ball across a branch cut is `Unresolved`, except at the branch
//! point of a root, where the modulus alone bounds the result.

#[cfg(test)]
use dashu_int::IBig;

use super::{
    complex::Complex,
    context::{Ctx, NumError},
    dyadic::Dyadic,
    real::Real,
};

impl Complex {
    pub(crate) fn sqrt(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        if self.is_exact_zero() {
            return Ok(Self::zero());
        }
        if self.contains_zero() {
            return Ok(Self::around_zero(self.mag_upper().sqrt()));
        }
        if self.is_real() {
            return Ok(if self.re.is_negative() {
                Self::new(Real::zero(), self.re.neg().sqrt(cx)?)
            } else {
                self.re.sqrt(cx)?.into()
            });
        }
        // √((|z| ± x) / 2), with the sign that does not cancel; the other part
        // follows from 2·re·im = y.
        let left = self.re.mid.is_negative();
        if left && self.im.contains_zero() {
            return Err(NumError::Unresolved);
        }
        let long = self.abs(cx)?.add(&self.re.abs(), cx)?.half(cx)?.sqrt(cx)?;
        let short = self.im.div(&long, cx)?.half(cx)?;
        Ok(match (left, self.im.mid.is_negative()) {
            (false, _) => Self::new(long, short),
            (true, false) => Self::new(short, long),
            (true, true) => Self::new(short.neg(), long.neg()),
        })
    }

    /// The real root where there is one (of a negative number for odd `n` too,
    /// as taught in school), the principal one otherwise.
    pub(crate) fn nth_root(&self, n: u32, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        match n {
            0 => return Err(NumError::Undefined),
            1 => return Ok(self.clone()),
            2 => return self.sqrt(cx),
            _ => {}
        }
        if self.is_real() && (n % 2 == 1 || self.re.is_positive() || self.is_exact_zero()) {
            return Ok(self.re.nth_root(n, cx)?.into());
        }
        if self.contains_zero() {
            let largest = Real::exact(Dyadic::from_mag(self.mag_upper()));
            return Ok(Self::around_zero(largest.nth_root(n, cx)?.mag_upper()));
        }
        let n = Self::from_i64(i64::from(n));
        self.ln(cx)?.div(&n, cx)?.exp(cx)
    }

    /// `z^w = exp(w ln z)`; integer and half-integer `w` without the logarithm,
    /// which keeps real and imaginary results exactly so.
    pub(crate) fn pow(&self, w: &Self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        if let Some(n) = w.as_integer() {
            return self.powi(&n, cx);
        }
        if w.is_real()
            && let Some(n) = w.re.mul_pow2(1, cx)?.as_integer()
            && !self.contains_zero()
        {
            return self.sqrt(cx)?.powi(&n, cx);
        }
        if self.is_real() && w.is_real() && self.re.is_positive() {
            let wide = &mut cx.raised(24);
            let power = self.re.ln(wide)?.mul(&w.re, wide)?.exp(wide)?;
            return Ok(power.rounded(cx)?.into());
        }
        if self.contains_zero() {
            return self.pow_near_zero(w, cx);
        }
        let wide = &mut cx.raised(24);
        let power = self.ln(wide)?.mul(w, wide)?.exp(wide)?;
        power.rounded(cx)
    }

    /// For real `w > 0`, `|z^w| = |z|^w` is at most what the largest `|z|` gives.
    fn pow_near_zero(&self, w: &Self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        let exactly = self.is_exact_zero();
        if w.re.is_positive() && exactly {
            return Ok(Self::zero());
        }
        if w.re.is_negative() && exactly {
            return Err(NumError::Undefined);
        }
        if !(w.re.is_positive() && w.is_real()) || exactly {
            return Err(NumError::Unresolved);
        }
        let largest = Real::exact(Dyadic::from_mag(self.mag_upper()));
        let bound = largest.ln(cx)?.mul(&w.re, cx)?.exp(cx)?;
        Ok(Self::around_zero(bound.mag_upper()))
    }

    pub(crate) fn exp(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        let size = self.re.exp(cx)?;
        if self.is_real() {
            return Ok(size.into());
        }
        let (sin, cos) = self.im.sin_cos(cx)?;
        Self::new(cos, sin).scale(&size, cx)
    }

    pub(crate) fn ln(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        if self.is_exact_zero() {
            return Err(NumError::Undefined);
        }
        if self.contains_zero() {
            return Err(NumError::Unresolved);
        }
        if self.is_real() && self.re.is_positive() {
            return Ok(self.re.ln(cx)?.into());
        }
        Ok(Self::new(self.abs(cx)?.ln(cx)?, self.arg(cx)?))
    }

    pub(crate) fn sin_cos(&self, cx: &mut Ctx<'_>) -> Result<(Self, Self), NumError> {
        let (sin, cos) = self.re.sin_cos(cx)?;
        if self.is_real() {
            return Ok((sin.into(), cos.into()));
        }
        let (sinh, cosh) = self.im.sinh_cosh(cx)?;
        let z_sin = Self::new(sin.mul(&cosh, cx)?, cos.mul(&sinh, cx)?);
        let z_cos = Self::new(cos.mul(&cosh, cx)?, sin.mul(&sinh, cx)?.neg());
        Ok((z_sin, z_cos))
    }

    pub(crate) fn sin(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        Ok(self.sin_cos(cx)?.0)
    }

    pub(crate) fn cos(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        Ok(self.sin_cos(cx)?.1)
    }

    pub(crate) fn tan(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        let (sin, cos) = self.sin_cos(cx)?;
        sin.div(&cos, cx)
    }

    /// `sinh z = −i sin iz`, `cosh z = cos iz`.
    pub(crate) fn sinh_cosh(&self, cx: &mut Ctx<'_>) -> Result<(Self, Self), NumError> {
        if self.is_real() {
            let (sinh, cosh) = self.re.sinh_cosh(cx)?;
            return Ok((sinh.into(), cosh.into()));
        }
        let (sin, cos) = self.mul_i().sin_cos(cx)?;
        Ok((sin.div_i(), cos))
    }

    pub(crate) fn sinh(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        Ok(self.sinh_cosh(cx)?.0)
    }

    pub(crate) fn cosh(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        Ok(self.sinh_cosh(cx)?.1)
    }

    pub(crate) fn tanh(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        if self.is_real() {
            return Ok(self.re.tanh(cx)?.into());
        }
        let (sinh, cosh) = self.sinh_cosh(cx)?;
        sinh.div(&cosh, cx)
    }

    /// The integer power, for callers with a machine integer.
    #[cfg(test)]
    pub(crate) fn powi_i64(&self, n: i64, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        self.powi(&IBig::from(n), cx)
    }
}
