//! Definite integrals by tanh-sinh quadrature (Takahasi and Mori, 1974), in floats.

use super::{Domain, Evaluator, NoValue, Value};
use crate::math::expr::{BigOperator, Constant, Expr};

/// Halvings of the step at most; each doubles the nodes.
const LEVELS: u32 = 6;

/// Relative change between two levels at which the value counts as found.
const SETTLED: f64 = 1e-12;

impl<D: Domain> Evaluator<'_, D> {
    pub(super) fn quadrature(&mut self, big: &BigOperator) -> Value<D::Number> {
        let (Some(lower), Some(upper)) = (&big.lower, &big.upper) else {
            return Err(NoValue::NotHere);
        };
        let (lower, upper) = (self.end(lower)?, self.end(upper)?);
        if lower == upper {
            return self.domain.approximately(0.0, 0.0);
        }
        let mut step = 1.0;
        let mut before = f64::NAN;
        for _ in 0..LEVELS {
            let value = self.level(big, lower, upper, step)?;
            let change = (value - before).abs();
            if change <= SETTLED * value.abs().max(1e-3) {
                return self
                    .domain
                    .approximately(value, 1e-10 * value.abs().max(1e-3));
            }
            before = value;
            step /= 2.0;
        }
        Err(NoValue::Imprecise)
    }

    /// A bound as a float; infinities stay infinite.
    fn end(&mut self, end: &Expr) -> Value<f64> {
        match end {
            Expr::Constant(Constant::Infinity) => Ok(f64::INFINITY),
            Expr::Neg(inner) if matches!(**inner, Expr::Constant(Constant::Infinity)) => {
                Ok(f64::NEG_INFINITY)
            }
            end => {
                let value = self.eval(end)?;
                self.domain.to_float(&value).ok_or(NoValue::NotHere)
            }
        }
    }

    fn level(&mut self, big: &BigOperator, lower: f64, upper: f64, step: f64) -> Value<f64> {
        let mut sum = 0.0;
        let mut counted = 0u32;
        let nodes = (4.0 / step) as i32;
        for node in -nodes..=nodes {
            let t = f64::from(node) * step;
            let Some((x, weight)) = transformed(t, lower, upper) else {
                continue;
            };
            self.domain.bind(&big.variable, Some(x));
            let value = self
                .eval(&big.body)
                .map(|value| self.domain.to_float(&value));
            self.domain.bind(&big.variable, None);
            match value {
                Ok(Some(value)) if (value * weight).is_finite() => {
                    sum += value * weight;
                    counted += 1;
                }
                Err(NoValue::Spent) => return Err(NoValue::Spent),
                // The ends of an improper integral, where the weight is next to nothing.
                _ if weight.abs() < 1e-6 || t.abs() > 3.0 => {}
                _ => return Err(NoValue::NotHere),
            }
        }
        if counted == 0 {
            return Err(NoValue::NotHere);
        }
        Ok(sum * step)
    }
}

/// Node and weight of the double exponential rule that fits the interval.
fn transformed(t: f64, lower: f64, upper: f64) -> Option<(f64, f64)> {
    let half_pi = std::f64::consts::FRAC_PI_2;
    let s = half_pi * t.sinh();
    let ds = half_pi * t.cosh();
    let (x, weight) = match (lower.is_finite(), upper.is_finite()) {
        (true, true) => {
            let (middle, half) = (f64::midpoint(lower, upper), (upper - lower) / 2.0);
            (middle + half * s.tanh(), half * ds / (s.cosh() * s.cosh()))
        }
        (true, false) => {
            let e = s.exp();
            let sign = upper.signum();
            (lower + sign * e, sign * e * ds)
        }
        (false, true) => {
            let e = s.exp();
            let sign = -lower.signum();
            (upper - sign * e, sign * e * ds)
        }
        (false, false) => {
            let sign = upper.signum();
            (sign * s.sinh(), sign * s.cosh() * ds)
        }
    };
    let inside = x.is_finite() && weight.is_finite() && weight != 0.0;
    (inside && x != lower && x != upper).then_some((x, weight))
}
