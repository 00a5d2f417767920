//! Complex floats with a bound on their error: fast, and enough to tell most pairs apart.

use std::f64::consts::{FRAC_PI_2, PI};

use dashu_int::IBig;
use dashu_ratio::RBig;

use super::{Domain, NoValue, Value};
use crate::math::expr::{BigOperator, Constant, Function};
use crate::math::points::Point;

/// A complex number within `error` of the true one.
#[derive(Debug, Clone, Copy)]
pub(in crate::math) struct Approx {
    pub re: f64,
    pub im: f64,
    pub error: f64,
}

const EPSILON: f64 = f64::EPSILON;

impl Approx {
    fn real(re: f64) -> Self {
        Self {
            re,
            im: 0.0,
            error: re.abs() * EPSILON,
        }
    }

    pub fn size(&self) -> f64 {
        self.re.hypot(self.im)
    }

    fn checked(self) -> Value<Self> {
        if self.re.is_finite() && self.im.is_finite() && self.error.is_finite() {
            Ok(self)
        } else {
            Err(NoValue::NotHere)
        }
    }

    /// A result of some rounding on top of an inherited error.
    fn rounded(re: f64, im: f64, inherited: f64) -> Value<Self> {
        let size = re.hypot(im);
        Self {
            re,
            im,
            error: inherited + 8.0 * EPSILON * size,
        }
        .checked()
    }

    fn times(&self, other: &Self) -> Value<Self> {
        let inherited =
            self.size() * other.error + other.size() * self.error + self.error * other.error;
        Self::rounded(
            self.re * other.re - self.im * other.im,
            self.re * other.im + self.im * other.re,
            inherited,
        )
    }

    fn plus(&self, other: &Self) -> Value<Self> {
        Self::rounded(
            self.re + other.re,
            self.im + other.im,
            self.error + other.error,
        )
    }

    fn minus(&self, other: &Self) -> Value<Self> {
        Self::rounded(
            self.re - other.re,
            self.im - other.im,
            self.error + other.error,
        )
    }

    fn inverse(&self) -> Value<Self> {
        let size = self.size();
        if size <= 2.0 * self.error {
            return Err(if size == 0.0 && self.error == 0.0 {
                NoValue::Undefined
            } else {
                NoValue::Imprecise
            });
        }
        let norm = size * size;
        Self::rounded(self.re / norm, -self.im / norm, 2.0 * self.error / norm)
    }

    fn ln(&self) -> Value<Self> {
        let size = self.size();
        if size <= 2.0 * self.error {
            return Err(NoValue::Imprecise);
        }
        // On the branch cut the sign of a rounding error decides.
        if self.re < 0.0 && self.im != 0.0 && self.im.abs() <= self.error {
            return Err(NoValue::Imprecise);
        }
        let arg = if self.im == 0.0 {
            if self.re < 0.0 { PI } else { 0.0 }
        } else {
            self.im.atan2(self.re)
        };
        let mut value = Self::rounded(size.ln(), arg, 2.0 * self.error / size)?;
        value.error += EPSILON;
        Ok(value)
    }

    fn exp(&self) -> Value<Self> {
        if self.error > 0.1 {
            return Err(NoValue::Imprecise);
        }
        let size = self.re.exp();
        let (re, im) = if self.im == 0.0 {
            (size, 0.0)
        } else {
            (size * self.im.cos(), size * self.im.sin())
        };
        Self::rounded(re, im, 2.0 * size * self.error)
    }

    fn sqrt(&self) -> Value<Self> {
        let size = self.size();
        if size == 0.0 && self.error == 0.0 {
            return Ok(*self);
        }
        if size <= 2.0 * self.error {
            return Err(NoValue::Imprecise);
        }
        if self.im == 0.0 {
            let root = size.sqrt();
            let inherited = self.error / root;
            return if self.re >= 0.0 {
                Self::rounded(root, 0.0, inherited)
            } else {
                Self::rounded(0.0, root, inherited)
            };
        }
        self.scaled_ln(0.5)
    }

    /// `self^power` by its principal logarithm.
    fn scaled_ln(&self, power: f64) -> Value<Self> {
        let ln = self.ln()?;
        Self::rounded(ln.re * power, ln.im * power, ln.error * power.abs())?.exp()
    }

    fn is_real(&self) -> bool {
        self.im == 0.0
    }

    /// A real function whose slope is at most `slope` nearby.
    fn mapped(&self, value: f64, slope: f64) -> Value<Self> {
        Self::rounded(value, 0.0, 2.0 * slope * self.error)
    }
}

/// Float arithmetic at one point.
#[derive(Debug)]
pub(in crate::math) struct Float<'p> {
    point: &'p Point,
    /// Variables of integration.
    bound: Vec<(Box<str>, f64)>,
}

impl<'p> Float<'p> {
    pub fn new(point: &'p Point) -> Self {
        Self {
            point,
            bound: vec![],
        }
    }
}

impl Domain for Float<'_> {
    type Number = Approx;
    const QUADRATURE: bool = true;

    fn rational(&mut self, value: &RBig) -> Value<Approx> {
        Approx::real(value.to_f64_fast()).checked()
    }

    fn constant(&mut self, constant: Constant) -> Value<Approx> {
        match constant {
            Constant::Pi => Ok(Approx::real(PI)),
            Constant::E => Ok(Approx::real(std::f64::consts::E)),
            Constant::I => Ok(Approx {
                re: 0.0,
                im: 1.0,
                error: 0.0,
            }),
            Constant::Infinity => Err(NoValue::NotHere),
        }
    }

    fn symbol(&mut self, name: &str) -> Value<Approx> {
        if let Some((_, value)) = self.bound.iter().rev().find(|(bound, _)| &**bound == name) {
            return Approx::real(*value).checked();
        }
        self.rational(&self.point.value(name))
    }

    fn add(&mut self, a: &Approx, b: &Approx) -> Value<Approx> {
        a.plus(b)
    }

    fn mul(&mut self, a: &Approx, b: &Approx) -> Value<Approx> {
        a.times(b)
    }

    fn neg(&mut self, a: &Approx) -> Value<Approx> {
        Ok(Approx {
            re: -a.re,
            im: -a.im,
            error: a.error,
        })
    }

    fn inv(&mut self, a: &Approx) -> Value<Approx> {
        a.inverse()
    }

    fn power(&mut self, base: &Approx, exponent: &IBig) -> Value<Approx> {
        let exponent = i64::try_from(exponent).map_err(|_| NoValue::NotHere)?;
        let mut result = Approx {
            re: 1.0,
            im: 0.0,
            error: 0.0,
        };
        let mut square = *base;
        let mut left = exponent.unsigned_abs();
        while left > 0 {
            if left & 1 == 1 {
                result = result.times(&square)?;
            }
            left >>= 1;
            if left > 0 {
                square = square.times(&square)?;
            }
        }
        if exponent < 0 {
            result.inverse()
        } else {
            Ok(result)
        }
    }

    fn general_power(&mut self, base: &Approx, exponent: &Approx) -> Value<Approx> {
        base.ln()?.times(exponent)?.exp()
    }

    fn root(&mut self, radicand: &Approx, index: u32) -> Value<Approx> {
        if index == 2 {
            return radicand.sqrt();
        }
        if radicand.size() == 0.0 && radicand.error == 0.0 {
            return Ok(*radicand);
        }
        if radicand.is_real() && radicand.re < 0.0 && index % 2 == 1 {
            let positive = self.neg(radicand)?;
            let root = positive.scaled_ln(1.0 / f64::from(index))?;
            return self.neg(&root);
        }
        radicand.scaled_ln(1.0 / f64::from(index))
    }

    fn call(&mut self, function: Function, arguments: &[Approx]) -> Value<Approx> {
        use Function::*;
        match (function, arguments) {
            (Exp, [x]) => x.exp(),
            (Ln, [x]) => x.ln(),
            (Log, [x, base]) => x.ln()?.times(&base.ln()?.inverse()?),
            (Abs, [z]) => Approx::rounded(z.size(), 0.0, z.error),
            (Re, [z]) => Approx::rounded(z.re, 0.0, z.error),
            (Im, [z]) => Approx::rounded(z.im, 0.0, z.error),
            (Conjugate, [z]) => Ok(Approx { im: -z.im, ..*z }),
            (Max | Min, numbers) => ordered(function, numbers),
            (_, [x]) if x.is_real() => real(function, x),
            (_, [z]) => complex(function, z),
            _ => Err(NoValue::NotHere),
        }
    }

    /// `a_k` with a whole `k` is a number of its own.
    fn apply(&mut self, name: &str, arguments: &[Approx]) -> Value<Approx> {
        let mut key = name.to_owned();
        // `a_k` at `k = 3` is `a_3`.
        let gap = if name.ends_with('_') && arguments.len() == 1 {
            ""
        } else {
            " "
        };
        for argument in arguments {
            if !argument.is_real() || argument.re.fract() != 0.0 || argument.error > 0.25 {
                return Err(NoValue::NotHere);
            }
            key.push_str(&format!("{gap}{}", argument.re));
        }
        self.rational(&self.point.value(&key))
    }

    fn opaque(&mut self, _: &BigOperator, _: &[Approx]) -> Value<Approx> {
        Err(NoValue::NotHere)
    }

    fn large_factorial(&mut self, _: u64) -> Value<Approx> {
        Err(NoValue::NotHere)
    }

    fn pivot_size(&self, value: &Approx) -> f64 {
        value.size()
    }

    fn bind(&mut self, name: &str, value: Option<f64>) {
        match value {
            Some(value) => self.bound.push((name.into(), value)),
            None => {
                self.bound.pop();
            }
        }
    }

    fn approximately(&mut self, value: f64, error: f64) -> Value<Approx> {
        Approx {
            re: value,
            im: 0.0,
            error,
        }
        .checked()
    }

    fn to_float(&self, value: &Approx) -> Option<f64> {
        value.is_real().then_some(value.re)
    }
}

fn ordered(function: Function, numbers: &[Approx]) -> Value<Approx> {
    let mut best = *numbers.first().ok_or(NoValue::NotHere)?;
    let mut error = best.error;
    for number in numbers {
        if !number.is_real() {
            return Err(NoValue::NotHere);
        }
        error = error.max(number.error);
        let better = match function {
            Function::Max => number.re > best.re,
            _ => number.re < best.re,
        };
        if better {
            best = *number;
        }
    }
    Ok(Approx { error, ..best })
}

fn real(function: Function, x: &Approx) -> Value<Approx> {
    use Function::*;
    if x.error > 0.1 {
        return Err(NoValue::Imprecise);
    }
    let v = x.re;
    // Slopes bound the error near the argument; near a pole or an end of the domain more digits have to tell.
    let away = |distance: f64| {
        if distance <= 4.0 * x.error {
            Err(NoValue::Imprecise)
        } else {
            Ok(distance)
        }
    };
    match function {
        Sin => x.mapped(v.sin(), 1.0),
        Cos => x.mapped(v.cos(), 1.0),
        Tan | Sec => {
            let c = away(v.cos().abs())?;
            let value = if function == Tan {
                v.tan()
            } else {
                1.0 / v.cos()
            };
            x.mapped(value, 4.0 / (c * c)).map(|r| pole(r, v, c))
        }
        Cot | Csc => {
            let s = away(v.sin().abs())?;
            let value = if function == Cot {
                v.cos() / v.sin()
            } else {
                1.0 / v.sin()
            };
            x.mapped(value, 4.0 / (s * s)).map(|r| pole(r, v, s))
        }
        Asin | Acos => {
            if v.abs() > 1.0 + x.error {
                return Err(NoValue::NotHere);
            }
            let edge = away(1.0 - v.abs())?;
            let value = if function == Asin { v.asin() } else { v.acos() };
            x.mapped(value, 2.0 / edge.sqrt())
        }
        Atan => x.mapped(v.atan(), 1.0),
        Acot => x.mapped(FRAC_PI_2 - v.atan(), 1.0),
        Asec | Acsc => {
            away(v.abs() - 1.0)?;
            let inner = Approx::rounded(1.0 / v, 0.0, 2.0 * x.error)?;
            real(if function == Asec { Acos } else { Asin }, &inner)
        }
        Sinh => x.mapped(v.sinh(), 2.0 * v.cosh()),
        Cosh => x.mapped(v.cosh(), 2.0 * v.cosh()),
        Tanh => x.mapped(v.tanh(), 1.0),
        Coth => {
            away(v.abs())?;
            x.mapped(1.0 / v.tanh(), 4.0 / (v * v))
        }
        Sech => x.mapped(1.0 / v.cosh(), 1.0),
        Csch => {
            away(v.abs())?;
            x.mapped(1.0 / v.sinh(), 4.0 / (v * v))
        }
        Asinh => x.mapped(v.asinh(), 1.0),
        Acosh => {
            let edge = away(v - 1.0)?;
            x.mapped(v.acosh(), 2.0 / edge.sqrt())
        }
        Atanh => {
            let edge = away(1.0 - v.abs())?;
            x.mapped(v.atanh(), 4.0 / edge)
        }
        Floor | Ceil => {
            away((v - v.round()).abs())?;
            Ok(Approx {
                re: if function == Floor {
                    v.floor()
                } else {
                    v.ceil()
                },
                im: 0.0,
                error: 0.0,
            })
        }
        Sign => {
            away(v.abs())?;
            Ok(Approx {
                re: v.signum(),
                im: 0.0,
                error: 0.0,
            })
        }
        _ => Err(NoValue::NotHere),
    }
}

/// The rounding of a large argument counts near a pole.
fn pole(result: Approx, argument: f64, distance: f64) -> Approx {
    Approx {
        error: result.error + 8.0 * EPSILON * argument.abs().max(1.0) / (distance * distance),
        ..result
    }
}

fn complex(function: Function, z: &Approx) -> Value<Approx> {
    use Function::*;
    let i = Approx {
        re: 0.0,
        im: 1.0,
        error: 0.0,
    };
    let half = Approx::real(0.5);
    let rotated = i.times(z)?;
    let back = Approx {
        re: -rotated.re,
        im: -rotated.im,
        error: rotated.error,
    };
    let minus = |a: &Approx| Approx {
        re: -a.re,
        im: -a.im,
        error: a.error,
    };
    match function {
        Sin => rotated
            .exp()?
            .minus(&back.exp()?)?
            .times(&half)?
            .times(&minus(&i)),
        Cos => rotated.exp()?.plus(&back.exp()?)?.times(&half),
        Tan => complex(Sin, z)?.times(&complex(Cos, z)?.inverse()?),
        Sinh => z.exp()?.minus(&minus(z).exp()?)?.times(&half),
        Cosh => z.exp()?.plus(&minus(z).exp()?)?.times(&half),
        Tanh => complex(Sinh, z)?.times(&complex(Cosh, z)?.inverse()?),
        _ => Err(NoValue::NotHere),
    }
}
