//! The four operations on real balls: an exact or correctly truncated midpoint,
//! and a radius that adds what the operands' radii can do to what was cut off.

use dashu_base::{BitTest, DivRem};

use super::{
    context::{Ctx, MAX_LOG2, NumError},
    dyadic::Dyadic,
    mag::Mag,
    real::Real,
};

impl Real {
    pub(crate) fn neg(&self) -> Self {
        Self {
            mid: self.mid.neg(),
            rad: self.rad,
        }
    }

    /// `||x| − |mid|| <= |x − mid|`, so this holds across zero as well.
    pub(crate) fn abs(&self) -> Self {
        Self {
            mid: self.mid.abs(),
            rad: self.rad,
        }
    }

    pub(crate) fn mul_pow2(&self, k: i64, cx: &Ctx<'_>) -> Result<Self, NumError> {
        if k.unsigned_abs() > 2 * MAX_LOG2 as u64 {
            return Err(NumError::TooLarge);
        }
        Self::build(self.mid.mul_pow2(k), self.rad.mul_pow2(k), cx)
    }

    pub(crate) fn half(&self, cx: &Ctx<'_>) -> Result<Self, NumError> {
        self.mul_pow2(-1, cx)
    }

    pub(crate) fn add(&self, other: &Self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        cx.charge_add()?;
        let (mid, error) = sum(&self.mid, &other.mid, cx.prec());
        Self::build(mid, error.add(self.rad).add(other.rad), cx)
    }

    pub(crate) fn sub(&self, other: &Self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        self.add(&other.neg(), cx)
    }

    pub(crate) fn mul(&self, other: &Self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        if self.is_exact_zero() || other.is_exact_zero() {
            return Ok(Self::zero());
        }
        cx.charge_mul()?;
        let mut rad = Mag::ZERO;
        if !other.rad.is_zero() {
            rad = self.mid.mag_upper().add(self.rad).mul(other.rad);
        }
        if !self.rad.is_zero() {
            rad = rad.add(other.mid.mag_upper().mul(self.rad));
        }
        Self::build(self.mid.mul(&other.mid), rad, cx)
    }

    pub(crate) fn square(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        self.mul(self, cx)
    }

    pub(crate) fn div(&self, other: &Self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        if other.is_exact_zero() {
            return Err(NumError::Undefined);
        }
        let divisor = other.mag_lower();
        if divisor.is_zero() {
            return Err(NumError::Unresolved);
        }
        if self.is_exact_zero() {
            return Ok(Self::zero());
        }
        cx.charge_div()?;
        let (mid, error) = quotient(&self.mid, &other.mid, cx.prec())?;
        // |x/y − q| = |(x − m) + q(n − y)| / |y| for q = m/n.
        let slack = self.rad.add(mid.mag_upper().add(error).mul(other.rad));
        Self::build(mid, slack.div(divisor)?.add(error), cx)
    }

    pub(crate) fn inv(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        Self::one().div(self, cx)
    }
}

/// `a + b`, leaving out as error whatever lies far below the last bit kept.
pub(super) fn sum(a: &Dyadic, b: &Dyadic, prec: usize) -> (Dyadic, Mag) {
    if !a.is_zero() && !b.is_zero() {
        let (big, small) = if a.top() >= b.top() { (a, b) } else { (b, a) };
        let kept = big.exp().min(big.top() - prec as i64);
        if small.top() < kept - 8 {
            return (big.clone(), Mag::pow2(small.top()));
        }
    }
    (a.add(b), Mag::ZERO)
}

/// `a / b` truncated to at least `prec` bits.
fn quotient(a: &Dyadic, b: &Dyadic, prec: usize) -> Result<(Dyadic, Mag), NumError> {
    if b.is_zero() {
        return Err(NumError::Undefined);
    }
    let bits = |x: &Dyadic| x.man().bit_len();
    let shift = (prec + 2 + bits(b)).saturating_sub(bits(a));
    let exp = a.exp() - b.exp() - shift as i64;
    let (man, rest) = (a.man() << shift).div_rem(b.man());
    let mid = Dyadic::new(man, exp);
    Ok(if rest.is_zero() {
        (mid.compact(), Mag::ZERO)
    } else {
        (mid, Mag::pow2(exp))
    })
}
