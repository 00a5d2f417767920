//! The hyperbolic functions and their inverses, by way of exp and ln. Where
//! those formulas cancel near zero they get as many guard bits as are lost, and
//! very near zero the first term of the series with a bound of the rest.

use super::{
    context::{Ctx, NumError},
    dyadic::Dyadic,
    mag::Mag,
    real::Real,
};

impl Real {
    #[cfg(test)]
    pub(crate) fn sinh(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        Ok(self.sinh_cosh(cx)?.0)
    }

    #[cfg(test)]
    pub(crate) fn cosh(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        Ok(self.sinh_cosh(cx)?.1)
    }

    pub(crate) fn sinh_cosh(&self, cx: &mut Ctx<'_>) -> Result<(Self, Self), NumError> {
        let zeros = match self.near_zero(cx) {
            NearZero::Exactly => return Ok((Self::zero(), Self::one())),
            NearZero::Linear => {
                // cosh x − 1 <= x² for |x| <= 1.
                let size = self.mag_upper();
                return Ok((self.linear(cx)?, Self::one().widened(size.mul(size))));
            }
            NearZero::Bits(zeros) => zeros,
        };
        let wide = &mut cx.raised(zeros + 8);
        let power = self.exp(wide)?;
        let inverse = power.inv(wide)?;
        let sinh = power.sub(&inverse, wide)?;
        let cosh = power.add(&inverse, wide)?;
        Ok((sinh.half(cx)?, cosh.half(cx)?))
    }

    pub(crate) fn tanh(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        // From here on 1 − |tanh x| <= 2e^(−2|x|) is below the last bit, and e^x
        // itself might be too large to hold.
        if self.mag_lower() >= Mag::upper(cx.prec() as u128, 0) {
            let sign = if self.mid.is_negative() { -1 } else { 1 };
            return Ok(Self::from_i64(sign).widened(Mag::pow2(-(cx.prec() as i64))));
        }
        let (sinh, cosh) = self.sinh_cosh(cx)?;
        sinh.div(&cosh, cx)
    }

    pub(crate) fn asinh(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        let zeros = match self.near_zero(cx) {
            NearZero::Exactly => return Ok(Self::zero()),
            NearZero::Linear => return self.linear(cx),
            NearZero::Bits(zeros) => zeros,
        };
        // Odd: with x >= 0 the sum below does not cancel.
        let negative = self.mid.is_negative();
        let x = if negative { self.neg() } else { self.clone() };
        let value = {
            let cx = &mut cx.raised(zeros + 8);
            let root = x.square(cx)?.add(&Self::one(), cx)?.sqrt(cx)?;
            x.add(&root, cx)?.ln(cx)?
        };
        let value = Self::build(value.mid, value.rad, cx)?;
        Ok(if negative { value.neg() } else { value })
    }

    pub(crate) fn acosh(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        let above = self.sub(&Self::one(), cx)?;
        if above.is_exact_zero() {
            return Ok(Self::zero());
        }
        if above.is_negative() {
            return Err(NumError::Undefined);
        }
        if above.contains_zero() {
            return Err(NumError::Unresolved);
        }
        // acosh(1 + h) is about √(2h): half the zeros of h are lost in the ln.
        let extra = (-above.mid.top()).clamp(0, cx.prec() as i64) as usize;
        let value = {
            let cx = &mut cx.raised(extra + 8);
            let below = self.add(&Self::one(), cx)?;
            let above = self.sub(&Self::one(), cx)?;
            let root = above.mul(&below, cx)?.sqrt(cx)?;
            self.add(&root, cx)?.ln(cx)?
        };
        Self::build(value.mid, value.rad, cx)
    }

    pub(crate) fn atanh(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        let room = Self::one().sub(&self.abs(), cx)?;
        if room.is_exact_zero() || room.is_negative() {
            return Err(NumError::Undefined);
        }
        if room.contains_zero() {
            return Err(NumError::Unresolved);
        }
        let zeros = match self.near_zero(cx) {
            NearZero::Exactly => return Ok(Self::zero()),
            NearZero::Linear => return self.linear(cx),
            NearZero::Bits(zeros) => zeros,
        };
        let log = {
            let cx = &mut cx.raised(zeros + 8);
            let above = Self::one().add(self, cx)?;
            let below = Self::one().sub(self, cx)?;
            above.div(&below, cx)?.ln(cx)?
        };
        log.half(cx)
    }

    /// How close the midpoint is to zero.
    pub(super) fn near_zero(&self, cx: &Ctx<'_>) -> NearZero {
        if self.is_exact_zero() {
            return NearZero::Exactly;
        }
        let top = if self.mid.is_zero() {
            i64::MIN
        } else {
            self.mid.top()
        };
        let top = top.max(self.rad.log2_upper());
        let zeros = top.min(0).unsigned_abs();
        if 2 * zeros.min(1 << 40) > cx.prec() as u64 + 8 {
            NearZero::Linear
        } else {
            NearZero::Bits(zeros as usize)
        }
    }

    /// `f(x)` for an odd `f` with `|f(x) − x| <= |x|³` on the ball.
    pub(super) fn linear(&self, cx: &Ctx<'_>) -> Result<Self, NumError> {
        let size = self.mag_upper();
        let rest = size.mul(size).mul(size);
        Self::build(self.mid.clone(), self.rad.add(rest), cx)
    }

    /// The exact midpoint, as a ball of its own.
    pub(super) fn midpoint(&self) -> Self {
        Self::exact(self.mid.clone())
    }

    /// The end of the ball away from zero.
    pub(super) fn outer_end(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        self.midpoint()
            .abs()
            .add(&Self::exact(Dyadic::from_mag(self.rad)), cx)
    }
}

pub(super) enum NearZero {
    Exactly,
    /// So close that the next term of the series lies below the last bit.
    Linear,
    /// This many zero bits after the point.
    Bits(usize),
}
