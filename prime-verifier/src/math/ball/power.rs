//! Roots and integer powers of real balls.

use dashu_base::{BitTest, SquareRootRem, UnsignedAbs};
use dashu_int::IBig;

use super::{
    context::{Ctx, NumError},
    dyadic::Dyadic,
    mag::Mag,
    real::Real,
};

/// Exponents with more bits go through `exp(n ln x)` instead of squaring.
const SQUARING_BITS: usize = 40;

impl Real {
    pub(crate) fn sqrt(&self, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        if self.is_exact_zero() {
            return Ok(Self::zero());
        }
        if self.is_negative() {
            return Err(NumError::Undefined);
        }
        if self.contains_zero() {
            return Err(NumError::Unresolved);
        }
        cx.charge_div()?;
        let (root, error) = sqrt_mid(&self.mid, cx.prec());
        // |√x − √m| = |x − m| / (√x + √m) <= r / √m.
        let rad = match self.rad.is_zero() {
            true => Mag::ZERO,
            false => self.rad.div(
                Self {
                    mid: root.clone(),
                    rad: error,
                }
                .mag_lower(),
            )?,
        };
        Self::build(root, rad.add(error), cx)
    }

    /// The real root: of a negative number for odd `n` only.
    pub(crate) fn nth_root(&self, n: u32, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        match n {
            0 => return Err(NumError::Undefined),
            1 => return Ok(self.clone()),
            2 => return self.sqrt(cx),
            _ if self.is_exact_zero() => return Ok(Self::zero()),
            _ if self.contains_zero() && n.is_multiple_of(2) => return Err(NumError::Unresolved),
            _ => {}
        }
        if self.contains_zero() {
            // |x|^(1/n) is at most the root of the largest magnitude.
            let largest = Self::exact(Dyadic::from_mag(self.mag_upper()));
            return Ok(Self::around_zero(largest.nth_root(n, cx)?.mag_upper()));
        }
        if self.mid.is_negative() {
            if n.is_multiple_of(2) {
                return Err(NumError::Undefined);
            }
            return Ok(self.neg().nth_root(n, cx)?.neg());
        }
        let root = {
            let cx = &mut cx.raised(32);
            let log = self.ln(cx)?;
            log.div(&Self::from_i64(i64::from(n)), cx)?.exp(cx)?
        };
        if self.is_exact()
            && let Some(exact) = self.exact_root(&root, n)
        {
            return Ok(exact);
        }
        Self::build(root.mid, root.rad, cx)
    }

    /// The exact root of an exact power, so that `floor(cbrt 8)` is 2: a root
    /// has an n-th of the bits, so rounding the approximation finds it.
    fn exact_root(&self, approximation: &Self, n: u32) -> Option<Self> {
        let power = self.mid.clone().compact();
        let bits = power.man().bit_len();
        if power.exp() % i64::from(n) != 0 {
            return None;
        }
        let exp = power.exp() / i64::from(n);
        if power.man().is_one() {
            return Some(Self::exact(Dyadic::new(IBig::ONE, exp)));
        }
        let n = n as usize;
        // Adding half a unit makes the truncation round to nearest.
        let nudged = approximation.mid.add(&Dyadic::new(IBig::ONE, exp - 1));
        let candidate = nudged.mul_pow2(-exp).to_fixed(0);
        let plausible = n < bits && candidate.bit_len() <= bits / n + 1;
        (plausible && candidate.pow(n) == *power.man())
            .then(|| Self::exact(Dyadic::new(candidate, exp)))
    }

    /// `self^n`, with `x^0 = 1` for every `x`.
    pub(crate) fn powi(&self, n: &IBig, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        let negative = n.clone() < IBig::ZERO;
        if n.is_zero() {
            return Ok(Self::one());
        }
        let odd = n.bit(0);
        let count = n.clone().unsigned_abs();
        if self.is_exact_zero() {
            return if negative {
                Err(NumError::Undefined)
            } else {
                Ok(Self::zero())
            };
        }
        if self.is_exact() && self.as_integer().is_some_and(|x| x.unsigned_abs().is_one()) {
            return Ok(if odd { self.clone() } else { Self::one() });
        }
        let power = {
            let cx = &mut cx.raised(count.bit_len().min(64) + 8);
            if count.bit_len() <= SQUARING_BITS {
                self.power_by_squaring(u64::try_from(&count).unwrap_or(u64::MAX), cx)?
            } else {
                self.power_by_log(&IBig::from(count), odd, cx)?
            }
        };
        if negative {
            power.inv(cx)
        } else {
            Self::build(power.mid, power.rad, cx)
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

    fn power_by_log(&self, n: &IBig, odd: bool, cx: &mut Ctx<'_>) -> Result<Self, NumError> {
        let size = self.abs().ln(cx)?;
        let power = size.mul(&Self::from_ibig(n, cx)?, cx)?.exp(cx)?;
        Ok(if odd && self.mid.is_negative() {
            power.neg()
        } else {
            power
        })
    }
}

/// The square root of a positive `m`, to a little more than `prec` bits.
pub(super) fn sqrt_mid(m: &Dyadic, prec: usize) -> (Dyadic, Mag) {
    let bits = m.man().bit_len() as i64;
    let mut shift = 2 * (prec as i64 + 2) - bits;
    // The exponent left over must be even.
    shift += (m.exp() - shift) & 1;
    let radicand = m.abs_fixed(shift - m.exp());
    let exp = (m.exp() - shift) / 2;
    let (root, rest) = radicand.sqrt_rem();
    let exact = rest.is_zero() && shift >= 0;
    let root = Dyadic::new(IBig::from(root), exp);
    // One unit for the root, one for bits of the radicand cut off.
    if exact {
        (root.compact(), Mag::ZERO)
    } else {
        (root, Mag::pow2(exp + 1))
    }
}
