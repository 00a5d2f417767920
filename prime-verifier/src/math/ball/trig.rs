//! Sine, cosine and tangent: reduction by π/2, then one fixed-point evaluation.

use std::f64::consts::FRAC_2_PI;

use dashu_base::{BitTest, DivEuclid, Signed, UnsignedAbs};
use dashu_int::{IBig, UBig};

use super::{
    constants,
    context::{Ctx, NumError},
    dyadic::Dyadic,
    fixed,
    hyperbolic::NearZero,
    mag::Mag,
    real::{Real, fixed_ball},
};

/// Reduction needs as many bits of π as the argument has.
const LARGEST_ARGUMENT: i64 = 1 << 14;

impl Real {
    pub(crate) fn pi(cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        cx.charge_add()?;
        let w = cx.prec() + 8;
        fixed_ball(constants::pi(w)?, false, -(w as i64), Mag::upper(2, 0), cx)
    }

    #[cfg(test)]
    pub(crate) fn sin(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        Ok(self.sin_cos(cx)?.0)
    }

    #[cfg(test)]
    pub(crate) fn cos(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        Ok(self.sin_cos(cx)?.1)
    }

    #[cfg(test)]
    pub(crate) fn tan(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        let (sin, cos) = self.sin_cos(cx)?;
        sin.div(&cos, cx)
    }

    pub(crate) fn sin_cos(&self, cx: &mut Ctx<'_>) -> Result<(Self, Self), NumError> {
        if !self.rad.le_pow2(1) {
            return Ok((Self::around_zero(Mag::ONE), Self::around_zero(Mag::ONE)));
        }
        match self.near_zero(cx) {
            NearZero::Exactly => return Ok((Self::zero(), Self::one())),
            NearZero::Linear => {
                let size = self.mag_upper();
                return Ok((self.linear(cx)?, Self::one().widened(size.mul(size))));
            }
            NearZero::Bits(_) => {}
        }
        let top = if self.mid.is_zero() {
            0
        } else {
            self.mid.top()
        };
        if top > LARGEST_ARGUMENT {
            return Err(NumError::TooLarge);
        }
        cx.charge_series()?;
        cx.charge_reduction(top.max(0) as usize)?;
        let (sin, cos) = sin_cos_mid(&self.mid, cx)?;
        // Both derivatives stay within [-1, 1].
        Ok((sin.widened(self.rad), cos.widened(self.rad)))
    }
}

fn sin_cos_mid(m: &Dyadic, cx: &Ctx<'_>) -> Result<(Real, Real), NumError> {
    if m.is_zero() {
        return Ok((Real::zero(), Real::one()));
    }
    let base = cx.prec() + 2 * fixed::cos_halvings(cx.prec()) + fixed::GUARD;
    let mut extra = extra_bits(-m.top(), cx.prec());
    let (mut quadrant, mut r) = reduce(m, base + extra)?;
    // A multiple of π/2 nearby costs bits that only show now.
    let needed = extra_bits((base + extra) as i64 - r.bit_len() as i64, cx.prec());
    if needed > extra {
        extra = needed;
        (quadrant, r) = reduce(m, base + extra)?;
    }
    let w = base + extra;
    let exp = -(w as i64);
    let negative = r.is_negative();
    let (sin, cos, units) = fixed::sin_cos(&r.unsigned_abs(), w)?;
    // The reduced argument is off by at most 4 units.
    let units = units.add(Mag::upper(4, 0));
    let sin = fixed_ball(sin, negative, exp, units, cx)?;
    let cos = fixed_ball(cos, false, exp, units, cx)?;
    Ok(match quadrant {
        0 => (sin, cos),
        1 => (cos, sin.neg()),
        2 => (sin.neg(), cos.neg()),
        _ => (cos.neg(), sin),
    })
}

/// Bits beyond the precision for an argument with so many zeros after the
/// point: the series loses that many, and its square root as many again.
pub(super) fn extra_bits(zeros: i64, prec: usize) -> usize {
    let zeros = zeros.max(0) as usize;
    if zeros < 66 {
        2 * zeros
    } else {
        zeros.min(prec)
    }
}

/// `m = n·π/2 + r·2^-w`: `n` modulo 4, and `r` at most about π/4.
fn reduce(m: &Dyadic, w: usize) -> Result<(u8, IBig), NumError> {
    if m.top() < 0 {
        return Ok((0, m.to_fixed(w)));
    }
    // n has about `top` bits, and multiplies the error of π/2.
    let q = w + m.top() as usize + 2;
    let half_pi: UBig = constants::pi(q)? >> 1;
    let fixed = m.to_fixed(q);
    let n = if m.top() < 40 {
        IBig::from((m.to_f64() * FRAC_2_PI).round() as i64)
    } else {
        (&fixed + IBig::from(&half_pi >> 1)).div_euclid(IBig::from(half_pi.clone()))
    };
    let r: IBig = (fixed - &n * IBig::from(half_pi)) >> (q - w);
    let quadrant = u8::from(n.bit(0)) + 2 * u8::from(n.bit(1));
    Ok((quadrant, r))
}
