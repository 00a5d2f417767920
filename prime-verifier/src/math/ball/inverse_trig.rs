//! atan, atan2, asin and acos. As with ln, a 53-bit guess is corrected by a
//! short series; the other three reduce to atan.

use dashu_base::{Signed, UnsignedAbs};
use dashu_int::{IBig, UBig};

use super::{
    constants,
    context::{Ctx, NumError},
    dyadic::Dyadic,
    fixed,
    hyperbolic::NearZero,
    mag::Mag,
    real::{Real, fixed_ball},
    trig::extra_bits,
};

/// Below 2^-20 the arctangent is summed without a guess.
const SMALL: usize = 20;

impl Real {
    pub(crate) fn atan(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        match self.near_zero(cx) {
            NearZero::Exactly => return Ok(Self::zero()),
            NearZero::Linear => return self.linear(cx),
            NearZero::Bits(_) => {}
        }
        cx.charge_series()?;
        cx.charge_div()?;
        let value = atan_mid(&self.mid, cx)?;
        if self.is_exact() {
            return Ok(value);
        }
        // The derivative is below 1, and below 1/x² further out.
        let lower = self.mag_lower();
        let rad = if lower > Mag::ONE {
            self.rad.div(lower.mul_lower(lower))?
        } else {
            self.rad
        };
        Ok(value.widened(rad))
    }

    /// The angle of the point `(x, y)` in (−π, π], with `self` as `y`.
    pub(crate) fn atan2(&self, x: &Self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        if self.is_exact_zero() && x.is_exact_zero() {
            return Err(NumError::Undefined);
        }
        let steep = self.mag_lower() > x.mag_lower();
        if steep {
            // Nearer to the vertical axis: ±π/2 less the angle from there.
            let quarter = Self::pi(cx)?.half(cx)?;
            let quarter = if self.mid.is_negative() {
                quarter.neg()
            } else {
                quarter
            };
            return quarter.sub(&x.div(self, cx)?.atan(cx)?, cx);
        }
        if x.contains_zero() {
            return Err(NumError::Unresolved);
        }
        if !x.mid.is_negative() {
            return self.div(x, cx)?.atan(cx);
        }
        if self.contains_zero() && !self.is_exact_zero() {
            return Err(NumError::Unresolved);
        }
        let half_turn = Self::pi(cx)?;
        let half_turn = if self.mid.is_negative() {
            half_turn.neg()
        } else {
            half_turn
        };
        self.div(x, cx)?.atan(cx)?.add(&half_turn, cx)
    }

    pub(crate) fn asin(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        if self.is_exact_zero() {
            return Ok(Self::zero());
        }
        let spread = self.arc_spread(cx)?;
        let (x, y) = self.arc_point(cx)?;
        Ok(x.atan2(&y, cx)?.widened(spread))
    }

    pub(crate) fn acos(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        let spread = self.arc_spread(cx)?;
        let (x, y) = self.arc_point(cx)?;
        Ok(y.atan2(&x, cx)?.widened(spread))
    }

    /// `m` and `√(1 − m²)` for the midpoint: exact before the root, so that
    /// nothing cancels near ±1.
    fn arc_point(&self, cx: &mut Ctx<'_>) -> Result<(Self, Self), NumError> {
        cx.charge_mul()?;
        let one = Dyadic::new(IBig::ONE, 0);
        let m = self.midpoint();
        let y = match m.near_zero(cx) {
            NearZero::Exactly | NearZero::Bits(_) => {
                let (above, below) = (one.add(&m.mid), one.add(&m.mid.neg()));
                Self::exact(above.mul(&below)).sqrt(cx)?
            }
            NearZero::Linear => {
                let size = m.mid.mag_upper();
                Self::one().widened(size.mul(size))
            }
        };
        Ok((m, y))
    }

    /// How far asin and acos can move over the ball: their derivative is
    /// `1/√(1 − x²)`, and `1 − x² >= 1 − |x|`.
    fn arc_spread(&self, cx: &mut Ctx<'_>) -> Result<Mag, NumError> {
        let lower = self.mag_lower();
        if lower > Mag::ONE {
            return Err(NumError::Undefined);
        }
        let room = Self::one().sub(&self.outer_end(cx)?, cx)?;
        if self.is_exact() {
            return if room.is_negative() {
                Err(NumError::Undefined)
            } else {
                Ok(Mag::ZERO)
            };
        }
        if !room.is_positive() {
            return Err(NumError::Unresolved);
        }
        Ok(self.rad.mul(Mag::ONE.div(room.mag_lower())?.sqrt()))
    }
}

fn atan_mid(m: &Dyadic, cx: &Ctx<'_>) -> Result<Real, NumError> {
    if m.is_zero() {
        return Ok(Real::zero());
    }
    let zeros = (-m.top()).clamp(0, cx.prec() as i64) as usize;
    let base = cx.prec() + 2 * fixed::cos_halvings(cx.prec()) + fixed::GUARD;
    let w = base + extra_bits(m.top().abs().min(SMALL as i64), cx.prec()) + zeros;
    let exp = -(w as i64);
    let negative = m.is_negative();
    if m.top() <= 0 {
        let (value, units) = small_atan(&m.abs_fixed(w as i64), w)?;
        return fixed_ball(value, negative, exp, units, cx);
    }
    // atan x = π/2 − atan(1/x); an x this large only shows in the bound.
    let half_pi: UBig = constants::pi(w)? >> 1;
    if m.top() > w as i64 {
        return fixed_ball(half_pi, negative, exp, Mag::upper(8, 0), cx);
    }
    // |m| = man·2^e, so 1/|m| in fixed point is 2^(w − e) / man.
    let shift = w as i64 - m.exp();
    let inverse = if shift < 0 {
        UBig::ZERO
    } else {
        (UBig::ONE << shift as usize) / m.man().clone().unsigned_abs()
    };
    let (value, units) = small_atan(&inverse, w)?;
    fixed_ball(
        half_pi - value,
        negative,
        exp,
        units.add(Mag::upper(8, 0)),
        cx,
    )
}

/// The arctangent of `0 <= x <= 1` in fixed point, `x` being off by one unit.
fn small_atan(x: &UBig, w: usize) -> Result<(UBig, Mag), NumError> {
    let one = UBig::ONE << w;
    if (x >> (w - SMALL)).is_zero() {
        let (value, units) = fixed::arc_series(x, w, true)?;
        return Ok((value, units.add(Mag::upper(2, 0))));
    }
    let guess = Dyadic::new(IBig::from(x.clone()), -(w as i64))
        .to_f64()
        .atan();
    let guess = fixed::from_f64(guess, w);
    let (sin, cos, direction_error) = fixed::sin_cos(&guess, w)?;
    // atan x is the angle of (cos, sin), which is the guess up to the errors of
    // those two, and the small angle between that point and (1, x).
    let across = IBig::from((x * &cos) >> w) - IBig::from(sin.clone());
    let along = IBig::from(cos + ((x * sin) >> w));
    if along < IBig::from(one >> 1) {
        return Err(NumError::Unresolved);
    }
    let u = (across << w) / along;
    let negative = u.is_negative();
    let (rest, units) = fixed::arc_series(&u.unsigned_abs(), w, true)?;
    let value = IBig::from(guess) + fixed::signed(rest, negative);
    let units = units.add(direction_error.mul_pow2(2)).add(Mag::upper(8, 0));
    Ok((value.unsigned_abs(), units))
}
