//! Complex balls of any precision.

use dashu_int::IBig;
use dashu_ratio::RBig;

use super::{Domain, NoValue, Value};
use crate::math::ball::{Complex, Ctx, NumError, Real};
use crate::math::budget::Budget;
use crate::math::expr::{BigOperator, Constant, Function};
use crate::math::points::Point;

/// Largest factorial that is multiplied out.
const MAX_FACTORIAL: u64 = 50_000;

/// Ball arithmetic at one point.
pub(in crate::math) struct Balls<'p, 'b> {
    point: &'p Point,
    cx: Ctx<'b>,
    /// The largest power of two, up or down, that a value was met with: differences may hide that far down.
    pub spread: i64,
}

impl<'p, 'b> Balls<'p, 'b> {
    pub fn new(point: &'p Point, precision: usize, budget: &'b mut Budget) -> Self {
        Self {
            point,
            cx: Ctx::new(precision, budget),
            spread: 0,
        }
    }

    /// Takes note of the size of a value that is certainly not zero.
    fn noted(&mut self, value: Complex) -> Complex {
        if !value.contains_zero() {
            self.spread = self.spread.max(value.mag_upper_log2().saturating_abs());
        }
        value
    }
}

impl From<NumError> for NoValue {
    fn from(error: NumError) -> Self {
        match error {
            NumError::Undefined => Self::Undefined,
            NumError::Unresolved => Self::Imprecise,
            NumError::TooLarge => Self::NotHere,
            NumError::OutOfBudget => Self::Spent,
        }
    }
}

impl Domain for Balls<'_, '_> {
    type Number = Complex;

    fn rational(&mut self, value: &RBig) -> Value<Complex> {
        let value = Complex::from(Real::from_rbig(value, &mut self.cx)?);
        Ok(self.noted(value))
    }

    fn constant(&mut self, constant: Constant) -> Value<Complex> {
        Ok(match constant {
            Constant::Pi => Real::pi(&mut self.cx)?.into(),
            Constant::E => Real::e(&mut self.cx)?.into(),
            Constant::I => Complex::i(),
            Constant::Infinity => return Err(NoValue::NotHere),
        })
    }

    fn symbol(&mut self, name: &str) -> Value<Complex> {
        let value = self.point.value(name);
        self.rational(&value)
    }

    fn add(&mut self, a: &Complex, b: &Complex) -> Value<Complex> {
        Ok(a.add(b, &mut self.cx)?)
    }

    fn mul(&mut self, a: &Complex, b: &Complex) -> Value<Complex> {
        Ok(a.mul(b, &mut self.cx)?)
    }

    fn neg(&mut self, a: &Complex) -> Value<Complex> {
        Ok(a.neg())
    }

    fn inv(&mut self, a: &Complex) -> Value<Complex> {
        Ok(a.inv(&mut self.cx)?)
    }

    fn power(&mut self, base: &Complex, exponent: &IBig) -> Value<Complex> {
        let value = base.powi(exponent, &mut self.cx)?;
        Ok(self.noted(value))
    }

    fn general_power(&mut self, base: &Complex, exponent: &Complex) -> Value<Complex> {
        let value = base.pow(exponent, &mut self.cx)?;
        Ok(self.noted(value))
    }

    fn root(&mut self, radicand: &Complex, index: u32) -> Value<Complex> {
        Ok(radicand.nth_root(index, &mut self.cx)?)
    }

    fn call(&mut self, function: Function, arguments: &[Complex]) -> Value<Complex> {
        use Function::*;
        // What these differ from their limits by is exponentially small in the argument.
        if let (Exp | Sinh | Cosh | Tanh | Coth | Sech | Csch, [z]) = (function, arguments) {
            let (re, im) = z.to_f64();
            self.spread = self.spread.max((3.0 * re.hypot(im)).min(1e9) as i64);
        }
        let cx = &mut self.cx;
        let value = match (function, arguments) {
            (Exp, [z]) => z.exp(cx)?,
            (Ln, [z]) => z.ln(cx)?,
            (Log, [z, base]) => z.ln(cx)?.div(&base.ln(cx)?, cx)?,
            (Sin, [z]) => z.sin(cx)?,
            (Cos, [z]) => z.cos(cx)?,
            (Tan, [z]) => z.tan(cx)?,
            (Cot, [z]) => z.cos(cx)?.div(&z.sin(cx)?, cx)?,
            (Sec, [z]) => z.cos(cx)?.inv(cx)?,
            (Csc, [z]) => z.sin(cx)?.inv(cx)?,
            (Asin, [z]) => z.asin(cx)?,
            (Acos, [z]) => z.acos(cx)?,
            (Atan, [z]) => z.atan(cx)?,
            (Acot, [z]) => {
                let right_angle = Complex::from(Real::pi(cx)?.half(cx)?);
                right_angle.sub(&z.atan(cx)?, cx)?
            }
            (Asec, [z]) => z.inv(cx)?.acos(cx)?,
            (Acsc, [z]) => z.inv(cx)?.asin(cx)?,
            (Sinh, [z]) => z.sinh(cx)?,
            (Cosh, [z]) => z.cosh(cx)?,
            (Tanh, [z]) => z.tanh(cx)?,
            (Coth, [z]) => z.tanh(cx)?.inv(cx)?,
            (Sech, [z]) => z.cosh(cx)?.inv(cx)?,
            (Csch, [z]) => z.sinh(cx)?.inv(cx)?,
            (Asinh, [z]) => z.asinh(cx)?,
            (Acosh, [z]) => z.acosh(cx)?,
            (Atanh, [z]) => z.atanh(cx)?,
            (Abs, [z]) => z.abs(cx)?.into(),
            (Re, [z]) => z.re.clone().into(),
            (Im, [z]) => z.im.clone().into(),
            (Conjugate, [z]) => z.conj(),
            (Floor | Ceil | Sign, [z]) if z.is_real() => real_step(function, &z.re)?,
            (Max | Min, numbers) => extreme(function, numbers)?,
            _ => return Err(NoValue::NotHere),
        };
        Ok(self.noted(value))
    }

    fn apply(&mut self, name: &str, arguments: &[Complex]) -> Value<Complex> {
        let mut key = name.to_owned();
        let gap = if name.ends_with('_') && arguments.len() == 1 {
            ""
        } else {
            " "
        };
        for argument in arguments {
            let (re, _) = argument.to_f64();
            if !argument.is_real() || re.fract() != 0.0 {
                return Err(NoValue::NotHere);
            }
            key.push_str(&format!("{gap}{re}"));
        }
        let value = self.point.value(&key);
        self.rational(&value)
    }

    fn opaque(&mut self, _: &BigOperator, _: &[Complex]) -> Value<Complex> {
        Err(NoValue::NotHere)
    }

    fn large_factorial(&mut self, n: u64) -> Value<Complex> {
        if n > MAX_FACTORIAL {
            return Err(NoValue::NotHere);
        }
        let mut product = Complex::from_i64(1);
        let mut chunk = 1i64;
        for factor in 2..=n as i64 {
            chunk = match chunk.checked_mul(factor) {
                Some(chunk) => chunk,
                None => {
                    product = product.mul(&Complex::from_i64(chunk), &mut self.cx)?;
                    factor
                }
            };
        }
        let value = product.mul(&Complex::from_i64(chunk), &mut self.cx)?;
        Ok(self.noted(value))
    }

    fn pivot_size(&self, value: &Complex) -> f64 {
        if value.contains_zero() {
            return 0.0;
        }
        let (re, im) = value.to_f64();
        re.hypot(im).max(f64::MIN_POSITIVE)
    }
}

fn real_step(function: Function, x: &Real) -> Value<Complex> {
    let whole = match function {
        Function::Floor => x.floor()?,
        Function::Ceil => -x.neg().floor()?,
        _ if x.is_positive() => IBig::ONE,
        _ if x.is_negative() => IBig::NEG_ONE,
        _ if x.is_exact_zero() => IBig::ZERO,
        _ => return Err(NoValue::Imprecise),
    };
    let small = i64::try_from(&whole).map_err(|_| NoValue::NotHere)?;
    Ok(Complex::from_i64(small))
}

fn extreme(function: Function, numbers: &[Complex]) -> Value<Complex> {
    let mut best: Option<&Complex> = None;
    for number in numbers {
        if !number.is_real() {
            return Err(NoValue::NotHere);
        }
        best = Some(match best {
            None => number,
            Some(before) => {
                let order = number.re.cmp(&before.re).ok_or(NoValue::Imprecise)?;
                let better = match function {
                    Function::Max => order.is_gt(),
                    _ => order.is_lt(),
                };
                if better { number } else { before }
            }
        });
    }
    best.cloned().ok_or(NoValue::NotHere)
}
