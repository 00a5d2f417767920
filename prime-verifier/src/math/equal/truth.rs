//! Chains of equations that are not true: `x = 5 + 6 = 12`, `5 ≈ 6`.

use super::{Comparer, Open, relation};
use crate::math::expr::{Decimal, Expr, Relation};

/// Most digits of the last place by which the two sides of `=` or `≈` may differ.
const LAST_PLACE: f64 = 0.999_999;

impl Comparer<'_> {
    /// Whether a chain holds two constants for equal that are not even close to it.
    pub(super) fn is_false_chain(&mut self, expr: &Expr) -> Result<bool, Open> {
        let Expr::Relation(first, rest) = expr else {
            return Ok(false);
        };
        if rest.len() < 2 && !rest.iter().any(|(op, _)| *op == Relation::Approx) {
            return Ok(false);
        }
        for link in relation::links(first, rest) {
            let equation = matches!(link.op, Relation::Eq | Relation::Approx);
            if !equation || !constant(link.left) || !constant(link.right) {
                continue;
            }
            let (Some(x), Some(y)) = (self.float_of(link.left), self.float_of(link.right)) else {
                continue;
            };
            let place = [link.left, link.right].into_iter().filter_map(last_place);
            let place = place.fold(0.0, f64::max);
            let noise = 1e-9 * x.abs().max(y.abs());
            let decimal = link.op == Relation::Approx
                || shows_a_point(link.left)
                || shows_a_point(link.right);
            let allowed = if decimal {
                (LAST_PLACE * place).max(noise)
            } else {
                noise
            };
            if (x - y).abs() > allowed {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn constant(expr: &Expr) -> bool {
    expr.is_scalar()
        && !expr.has_unknowns()
        && !expr.any(&mut |part| matches!(part, Expr::Percent(_) | Expr::Degree(_)))
}

fn written(expr: &Expr) -> Option<&crate::math::expr::Number> {
    match expr {
        Expr::Number(number) => Some(number),
        Expr::Neg(inner) => written(inner),
        _ => None,
    }
}

fn shows_a_point(expr: &Expr) -> bool {
    written(expr).is_some_and(|number| number.decimal.is_some())
}

/// The size of the last digit that is written.
fn last_place(expr: &Expr) -> Option<f64> {
    let number = written(expr)?;
    match number.decimal {
        Some(Decimal { exponent, .. }) => Some(10f64.powi(exponent.clamp(-300, 300) as i32)),
        None if number.value.is_int() => Some(1.0),
        None => None,
    }
}
