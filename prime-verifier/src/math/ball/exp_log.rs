//! exp and ln. The logarithm is one exp of a 53-bit guess and a short atanh
//! series for what the guess misses, so the guess itself needs no error bound.

use std::f64::consts::{LN_2, LOG2_E};

use dashu_base::{Signed, UnsignedAbs};
use dashu_int::{IBig, UBig};

use super::{
    constants,
    context::{Ctx, MAX_LOG2, NumError},
    dyadic::Dyadic,
    fixed,
    mag::Mag,
    real::{Real, fixed_ball},
};

/// `e^(2^20)` is beyond `MAX_LOG2`.
const LARGEST_EXPONENT: i64 = 20;

/// Closer to 1 than this, ln is summed without a guess: 2^-20.
const NEAR_ONE: i64 = -20;

impl Real {
    pub(crate) fn e(cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        Self::one().exp(cx)
    }

    pub(crate) fn exp(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        if self.is_exact_zero() {
            return Ok(Self::one());
        }
        if !self.mag_lower().le_pow2(LARGEST_EXPONENT) {
            return Err(NumError::TooLarge);
        }
        if !self.rad.le_pow2(6) {
            return Err(NumError::Unresolved);
        }
        cx.charge_series()?;
        let value = exp_mid(&self.mid, cx)?;
        Ok(if self.is_exact() {
            value
        } else {
            let spread = value.mag_upper().mul(expm1_upper(self.rad));
            value.widened(spread)
        })
    }

    pub(crate) fn ln(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        if self.is_exact_zero() || self.is_negative() {
            return Err(NumError::Undefined);
        }
        let lower = self.mag_lower();
        if lower.is_zero() {
            return Err(NumError::Unresolved);
        }
        cx.charge_series()?;
        cx.charge_div()?;
        let value = ln_mid(&self.mid, cx)?;
        // |ln x − ln m| <= |x − m| / min(x, m).
        Ok(if self.is_exact() {
            value
        } else {
            value.widened(self.rad.div(lower)?)
        })
    }
}

/// `e^r − 1` from above, for `r <= 2^6`.
fn expm1_upper(r: Mag) -> Mag {
    if r.le_pow2(0) {
        // e^r − 1 <= r + r² up to r = 1.
        return r.add(r.mul(r));
    }
    // e < 3 < 2^1.6, and r is at most 64 here.
    Mag::pow2(r.units_upper(0).unwrap_or(64) as i64 * 8 / 5 + 1)
}

fn exp_mid(m: &Dyadic, cx: &Ctx<'_>) -> Result<Real, NumError> {
    if m.is_zero() {
        return Ok(Real::one());
    }
    if m.top() > LARGEST_EXPONENT + 1 {
        return Err(NumError::TooLarge);
    }
    // 24 more bits pay for multiplying ln 2 by n.
    let halvings = fixed::exp_halvings(cx.prec());
    let w = cx.prec() + halvings + fixed::GUARD;
    let ln2 = IBig::from(constants::ln2(w + 24)?);
    let mut n = (m.to_f64() * LOG2_E).floor() as i64;
    let mut r = m.to_fixed(w + 24) - &ln2 * n;
    if r.is_negative() {
        n -= 1;
        r += &ln2;
    } else if r >= ln2 {
        n += 1;
        r -= &ln2;
    }
    if r.is_negative() || r >= ln2 || n.abs() > MAX_LOG2 {
        return Err(NumError::TooLarge);
    }
    let (value, units) = fixed::exp(&(r.unsigned_abs() >> 24), w, halvings);
    fixed_ball(value, false, n - w as i64, units, cx)
}

fn ln_mid(m: &Dyadic, cx: &Ctx<'_>) -> Result<Real, NumError> {
    if (0..=1).contains(&m.top()) {
        let distance = m.add(&Dyadic::new(IBig::NEG_ONE, 0));
        if distance.is_zero() {
            return Ok(Real::zero());
        }
        if distance.top() <= NEAR_ONE {
            return ln_near_one(&distance, cx);
        }
    }
    // m = f·2^n with f in [1, 2), except that just below 1 the guard bits pay
    // for the cancellation between ln f and ln 2.
    let n = m.top() - 1;
    let halvings = fixed::exp_halvings(cx.prec());
    let w = cx.prec() + halvings + fixed::GUARD + NEAR_ONE.unsigned_abs() as usize;
    let f = m.mul_pow2(-n).abs_fixed(w as i64);
    let guess = (Dyadic::new(IBig::from(f.clone()), -(w as i64))
        .to_f64()
        .ln())
    .clamp(0.0, LN_2);
    let guess = fixed::from_f64(guess, w);
    let (power, power_error) = fixed::exp(&guess, w, halvings);
    // ln f = ln p + 2 atanh((f − p)/(f + p)) for any p; for p near e^guess,
    // ln p is the guess up to the relative error of p.
    let u = ((IBig::from(f.clone()) - IBig::from(power.clone())) << w) / IBig::from(&f + &power);
    let negative = u.is_negative();
    let (rest, units) = fixed::arc_series(&u.unsigned_abs(), w, false)?;
    let value = IBig::from(guess) + (fixed::signed(rest, negative) << 1);
    // ln 2 is off by 2 units, f by one, and u by one before doubling.
    let ln2_error = Mag::upper(2 * u128::from(n.unsigned_abs()) + 8, 0);
    let units = units
        .mul_pow2(1)
        .add(power_error.mul_pow2(1))
        .add(ln2_error);
    let total = value + IBig::from(constants::ln2(w)?) * n;
    let exp = -(w as i64);
    Real::build(Dyadic::new(total, exp), units.mul_pow2(exp), cx)
}

/// ln(1 + d) = 2 atanh(d / (2 + d)) with relative precision.
fn ln_near_one(d: &Dyadic, cx: &Ctx<'_>) -> Result<Real, NumError> {
    let zeros = -d.top();
    let w = cx.prec() as i64 + zeros + fixed::GUARD as i64;
    if zeros > cx.prec() as i64 + 8 {
        // |ln(1 + d) − d| <= d².
        let size = d.mag_upper();
        return Real::build(d.clone(), size.mul(size), cx);
    }
    let negative = d.is_negative();
    let numerator = d.abs_fixed(w);
    let two = UBig::ONE << (w as usize + 1);
    let denominator = if negative {
        two - &numerator
    } else {
        two + &numerator
    };
    let u = (numerator << w as usize) / denominator;
    let (value, units) = fixed::arc_series(&u, w as usize, false)?;
    let units = units.add(Mag::upper(4, 0)).mul_pow2(1);
    fixed_ball(value, negative, 1 - w, units, cx)
}
