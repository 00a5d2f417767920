//! Gaussian rationals, as long as they stay small.

use dashu_base::{BitTest, Sign, Signed, SquareRoot};
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

use super::{Domain, NoValue, Value};
use crate::math::expr::{BigOperator, Constant, Function};

/// Most bits of a numerator or denominator; beyond, another arithmetic takes over.
const MAX_BITS: usize = 1 << 15;

/// Largest factorial of a quotient that is multiplied out.
const MAX_EXACT_FACTORIAL: u64 = 3000;

/// `re + im·i`, exactly.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::math) struct Gaussian {
    pub re: RBig,
    pub im: RBig,
}

impl Gaussian {
    fn real(re: RBig) -> Self {
        Self { re, im: RBig::ZERO }
    }

    pub fn into_real(self) -> Option<RBig> {
        self.im.is_zero().then_some(self.re)
    }

    fn checked(self) -> Value<Self> {
        let fits = |q: &RBig| bits(q) <= MAX_BITS;
        if fits(&self.re) && fits(&self.im) {
            Ok(self)
        } else {
            Err(NoValue::NotHere)
        }
    }

    fn is_zero(&self) -> bool {
        self.re.is_zero() && self.im.is_zero()
    }
}

fn bits(q: &RBig) -> usize {
    q.numerator().bit_len() + q.denominator().bit_len()
}

/// Exact arithmetic without variables.
#[derive(Debug, Default)]
pub(in crate::math) struct Exact;

impl Domain for Exact {
    type Number = Gaussian;
    const GENERAL_POWERS: bool = false;
    // Rationals grow; the modular arithmetic takes larger ones.
    const MAX_ORDER: usize = 8;

    /// Products and greatest common divisors are quadratic in the number of words.
    fn weight(&self, value: &Gaussian) -> u64 {
        let words = ((bits(&value.re) + bits(&value.im)) / 64) as u64;
        words / 4 + words * words / 20
    }

    fn rational(&mut self, value: &RBig) -> Value<Gaussian> {
        Gaussian::real(value.clone()).checked()
    }

    fn constant(&mut self, constant: Constant) -> Value<Gaussian> {
        match constant {
            Constant::I => Ok(Gaussian {
                re: RBig::ZERO,
                im: RBig::ONE,
            }),
            _ => Err(NoValue::NotHere),
        }
    }

    fn symbol(&mut self, _: &str) -> Value<Gaussian> {
        Err(NoValue::NotHere)
    }

    fn add(&mut self, a: &Gaussian, b: &Gaussian) -> Value<Gaussian> {
        if a.im.is_zero() && b.im.is_zero() {
            return Gaussian::real(&a.re + &b.re).checked();
        }
        Gaussian {
            re: &a.re + &b.re,
            im: &a.im + &b.im,
        }
        .checked()
    }

    fn mul(&mut self, a: &Gaussian, b: &Gaussian) -> Value<Gaussian> {
        if a.im.is_zero() && b.im.is_zero() {
            return Gaussian::real(&a.re * &b.re).checked();
        }
        Gaussian {
            re: &a.re * &b.re - &a.im * &b.im,
            im: &a.re * &b.im + &a.im * &b.re,
        }
        .checked()
    }

    fn neg(&mut self, a: &Gaussian) -> Value<Gaussian> {
        Ok(Gaussian {
            re: -a.re.clone(),
            im: -a.im.clone(),
        })
    }

    fn inv(&mut self, a: &Gaussian) -> Value<Gaussian> {
        if a.is_zero() {
            return Err(NoValue::Undefined);
        }
        if a.im.is_zero() {
            return Ok(Gaussian::real(RBig::ONE / &a.re));
        }
        let norm = &a.re * &a.re + &a.im * &a.im;
        Gaussian {
            re: &a.re / &norm,
            im: -(&a.im / &norm),
        }
        .checked()
    }

    fn power(&mut self, base: &Gaussian, exponent: &IBig) -> Value<Gaussian> {
        let exponent = i64::try_from(exponent).map_err(|_| NoValue::NotHere)?;
        if base.is_zero() {
            return match exponent {
                0 => Ok(Gaussian::real(RBig::ONE)),
                1.. => Ok(base.clone()),
                _ => Err(NoValue::Undefined),
            };
        }
        let size = (bits(&base.re) + bits(&base.im)) as u64;
        if size.saturating_mul(exponent.unsigned_abs()) > MAX_BITS as u64 && size > 2 + 2 {
            return Err(NoValue::NotHere);
        }
        if base.im.is_zero() {
            if base.re.is_one() {
                return Ok(base.clone());
            }
            if exponent.unsigned_abs() > MAX_BITS as u64 {
                // ±1 is all that is left that small.
                let minus_one = base.re == RBig::from(-1);
                return match (minus_one, exponent % 2 == 0) {
                    (true, true) => Ok(Gaussian::real(RBig::ONE)),
                    (true, false) => Ok(base.clone()),
                    _ => Err(NoValue::NotHere),
                };
            }
            return Gaussian::real(base.re.pow(exponent as isize)).checked();
        }
        let mut result = Gaussian::real(RBig::ONE);
        let mut square = base.clone();
        let mut left = exponent.unsigned_abs();
        while left > 0 {
            if left & 1 == 1 {
                result = self.mul(&result, &square)?;
            }
            left >>= 1;
            if left > 0 {
                square = self.mul(&square, &square)?;
            }
        }
        if exponent < 0 {
            self.inv(&result)
        } else {
            Ok(result)
        }
    }

    fn general_power(&mut self, _: &Gaussian, _: &Gaussian) -> Value<Gaussian> {
        Err(NoValue::NotHere)
    }

    fn root(&mut self, radicand: &Gaussian, index: u32) -> Value<Gaussian> {
        if !radicand.im.is_zero() {
            return Err(NoValue::NotHere);
        }
        let negative = radicand.re.is_negative();
        let (numerator, denominator) = radicand.re.clone().into_parts();
        let root = |value: UBig| whole_root(&value, index).ok_or(NoValue::NotHere);
        let value = RBig::from_parts(
            IBig::from(root(numerator.into_parts().1)?),
            root(denominator)?,
        );
        match (negative, index) {
            (false, _) => Ok(Gaussian::real(value)),
            (true, 2) => Ok(Gaussian {
                re: RBig::ZERO,
                im: value,
            }),
            (true, odd) if odd % 2 == 1 => Ok(Gaussian::real(-value)),
            _ => Err(NoValue::NotHere),
        }
    }

    fn call(&mut self, function: Function, arguments: &[Gaussian]) -> Value<Gaussian> {
        match (function, arguments) {
            (Function::Re, [z]) => Ok(Gaussian::real(z.re.clone())),
            (Function::Im, [z]) => Ok(Gaussian::real(z.im.clone())),
            (Function::Conjugate, [z]) => Ok(Gaussian {
                re: z.re.clone(),
                im: -z.im.clone(),
            }),
            (Function::Abs, [z]) => {
                let norm = Gaussian::real(&z.re * &z.re + &z.im * &z.im);
                self.root(&norm, 2)
            }
            (Function::Log, [x, base]) if x.im.is_zero() && base.im.is_zero() => {
                logarithm(&x.re, &base.re)
            }
            (Function::Ln, [x]) if x.im.is_zero() && x.re.is_one() => {
                Ok(Gaussian::real(RBig::ZERO))
            }
            (Function::Ln, [x]) if x.is_zero() => Err(NoValue::Undefined),
            _ => Err(NoValue::NotHere),
        }
    }

    fn apply(&mut self, _: &str, _: &[Gaussian]) -> Value<Gaussian> {
        Err(NoValue::NotHere)
    }

    fn opaque(&mut self, _: &BigOperator, _: &[Gaussian]) -> Value<Gaussian> {
        Err(NoValue::NotHere)
    }

    fn large_factorial(&mut self, n: u64) -> Value<Gaussian> {
        if n > MAX_EXACT_FACTORIAL {
            return Err(NoValue::NotHere);
        }
        Gaussian::real(RBig::from(super::whole::factorial(n, 1))).checked()
    }

    fn pivot_size(&self, value: &Gaussian) -> f64 {
        if value.is_zero() { 0.0 } else { 1.0 }
    }
}

/// `log_base x`, if it is a fraction of small numbers.
fn logarithm(x: &RBig, base: &RBig) -> Value<Gaussian> {
    if x.sign() == Sign::Negative
        || x.is_zero()
        || base.sign() == Sign::Negative
        || base.is_zero()
        || base.is_one()
    {
        return Err(NoValue::Undefined);
    }
    if x.is_one() {
        return Ok(Gaussian::real(RBig::ZERO));
    }
    let ln = |q: &RBig| {
        let part = |n: f64, bits: usize| {
            if n.is_finite() && n > 0.0 {
                n.ln()
            } else {
                bits as f64 * std::f64::consts::LN_2
            }
        };
        let numerator = q.numerator().clone().into_parts().1;
        part(numerator.to_f64().value(), numerator.bit_len())
            - part(q.denominator().to_f64().value(), q.denominator().bit_len())
    };
    let quotient = ln(x) / ln(base);
    for denominator in 1..=12u32 {
        let numerator = (quotient * f64::from(denominator)).round();
        if (quotient * f64::from(denominator) - numerator).abs() > 1e-6 || numerator.abs() > 4096.0
        {
            continue;
        }
        // base^(p/q) = x exactly if base^p = x^q.
        if bits(base) as f64 * numerator.abs() > MAX_BITS as f64 {
            continue;
        }
        if base.pow(numerator as isize) == x.pow(denominator as isize) {
            let value = RBig::from_parts(IBig::from(numerator as i64), UBig::from(denominator));
            return Ok(Gaussian::real(value));
        }
    }
    Err(NoValue::NotHere)
}

/// The root of a perfect power.
fn whole_root(value: &UBig, index: u32) -> Option<UBig> {
    let index = index as usize;
    let bits = value.bit_len();
    let perfect = |root: UBig| (root.pow(index) == *value).then_some(root);
    if bits <= 1 {
        return Some(value.clone());
    }
    // A root of few digits is next to its estimate in floats, however large the power.
    let root_bits = bits / index + 1;
    if root_bits <= 40 {
        let top = bits.saturating_sub(60);
        let leading = (value >> top).to_f64().value();
        let estimate = ((leading.log2() + top as f64) / index as f64)
            .exp2()
            .round();
        return [-1.0, 0.0, 1.0]
            .into_iter()
            .map(|step| estimate + step)
            .filter(|candidate| (1.0..=2e12).contains(candidate))
            .find_map(|candidate| perfect(UBig::from(candidate as u64)));
    }
    // Newton's iteration of the big-number library is quick for small indices only.
    match index {
        2 => perfect(value.sqrt()),
        3..=8 if bits <= 4096 => perfect(value.nth_root(index)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_found_exactly_where_they_exist() {
        for index in 2..=60u32 {
            for base in [
                2u64,
                3,
                7,
                10,
                99,
                1000,
                65_537,
                999_999_937,
                1 << 40,
                (1 << 45) + 7,
            ] {
                let power = UBig::from(base).pow(index as usize);
                let found = whole_root(&power, index);
                let small = power.bit_len() / (index as usize) < 40 || index == 2;
                let medium = index <= 8 && power.bit_len() <= 4096;
                if small || medium {
                    assert_eq!(found, Some(UBig::from(base)), "{base}^{index}");
                }
                assert_eq!(
                    whole_root(&(power + UBig::ONE), index),
                    None,
                    "{base}^{index} + 1"
                );
            }
        }
    }
}
