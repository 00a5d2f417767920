//! When a decimal stands for a number near it.

use super::{Comparer, Open, Verdict};
use crate::math::expr::{Decimal, Expr};
use crate::math::policy::Rounding;

impl Comparer<'_> {
    /// Whether one of two different constants is a rounding of the other, as the policy sees it.
    pub(super) fn rounded(&mut self, a: &Expr, b: &Expr) -> Verdict {
        let (x, y) = (written(a), written(b));
        let apart = match self.policy.rounding {
            Rounding::Never => return Ok(false),
            Rounding::Relative { .. } => self.distance(a, b),
            _ if x.is_none() && y.is_none() => return Ok(false),
            _ => self.distance(a, b),
        };
        let Some((apart, size)) = apart else {
            return Ok(false);
        };
        Ok(match self.policy.rounding {
            Rounding::Never => false,
            Rounding::Absolute { tolerance } => apart <= tolerance,
            Rounding::Relative { tolerance } => apart <= tolerance * size,
            Rounding::LastDigit { significant } => {
                // The coarser of two decimals is the rounded one.
                let coarser = match (x, y) {
                    (Some(x), Some(y)) => Some(if x.exponent >= y.exponent { x } else { y }),
                    (one, other) => one.or(other),
                };
                // Seventeen digits are how a float is printed, and floats are off by a unit in the last place.
                let printed_float = [x, y]
                    .into_iter()
                    .flatten()
                    .any(|d| (15..=17).contains(&d.significant));
                let noise = printed_float && apart <= 2.0 * f64::EPSILON * size;
                // A whole number that is written out, or given exactly, needs no rounding.
                let whole = |written: &Option<Decimal>, expr: &Expr, comparer: &mut Self| {
                    written.is_none()
                        && comparer
                            .exact_value(expr)
                            .is_ok_and(|value| value.is_some_and(|v| v.is_int()))
                };
                if !noise && (whole(&x, a, self) || whole(&y, b, self)) {
                    return Ok(false);
                }
                noise
                    || coarser.is_some_and(|decimal| {
                        // A hair more than half a unit, for ties that floats cannot see.
                        let half = 0.500_000_1 * power_of_ten(decimal.exponent);
                        decimal.significant >= significant && apart <= half
                    })
            }
        })
    }

    /// |a − b| and the larger of |a| and |b|.
    fn distance(&mut self, a: &Expr, b: &Expr) -> Option<(f64, f64)> {
        let size = self.float_of(a)?.abs().max(self.float_of(b)?.abs());
        let difference = super::relation::difference(a, b);
        match self.exact_value(&difference) {
            Ok(Some(exact)) => Some((exact.to_f64_fast().abs(), size)),
            Err(Open::Spent) => None,
            _ => self
                .ball_value(&difference)
                .map(|apart| (apart.abs(), size)),
        }
    }
}

/// The precision that an expression shows, if it is a number with a decimal point.
fn written(expr: &Expr) -> Option<Decimal> {
    match expr {
        Expr::Number(number) => number.decimal,
        Expr::Neg(inner) => written(inner),
        // `2.5 × 10^{-3}`
        Expr::Mul(factors) => match factors.as_slice() {
            [mantissa, Expr::Pow(ten, exponent)] if ten.as_written_integer() == Some(10) => {
                let decimal = written(mantissa)?;
                let shift = exponent.as_written_integer()?;
                Some(Decimal {
                    exponent: decimal.exponent.checked_add(shift)?,
                    ..decimal
                })
            }
            _ => None,
        },
        _ => None,
    }
}

fn power_of_ten(exponent: i64) -> f64 {
    10f64.powi(exponent.clamp(-400, 400) as i32)
}
