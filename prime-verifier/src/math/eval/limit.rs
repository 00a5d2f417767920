//! Limits: by putting the point in where that has a value, by extrapolation where it has none.

use super::{Domain, Evaluator, NoValue, Value};
use crate::math::expr::{BigOperator, Constant, Expr, Function};

/// Halvings of the distance to the point.
const STEPS: usize = 12;

/// Largest share of the value by which the last two extrapolations may differ.
const SETTLED: f64 = 1e-9;

impl<D: Domain> Evaluator<'_, D> {
    pub(super) fn limit(&mut self, big: &BigOperator) -> Value<D::Number> {
        let point = big.lower.as_ref().ok_or(NoValue::NotHere)?;
        let infinite = matches!(point, Expr::Constant(Constant::Infinity) | Expr::Neg(_))
            && point.any(&mut |part| *part == Expr::Constant(Constant::Infinity));
        if !holds(&big.body, &big.variable) {
            return self.eval(&big.body);
        }
        if !infinite && !has_steps(&big.body) {
            self.budget.charge(big.body.size() as u64)?;
            let there = big.body.rewritten(&mut |part| match part {
                Expr::Symbol(name) if *name == big.variable => Some(point.clone()),
                _ => None,
            });
            match self.eval(&there) {
                Err(NoValue::Undefined | NoValue::Imprecise | NoValue::NotHere) => {}
                other => return other,
            }
        }
        if D::QUADRATURE {
            return self.extrapolated(big, point, infinite);
        }
        Err(NoValue::NotHere)
    }

    /// Richardson's extrapolation of values ever closer to the point.
    fn extrapolated(
        &mut self,
        big: &BigOperator,
        point: &Expr,
        infinite: bool,
    ) -> Value<D::Number> {
        let side = big.upper.as_ref().and_then(Expr::as_written_integer);
        let negative = matches!(point, Expr::Neg(_));
        let at = if infinite {
            0.0
        } else {
            let value = self.eval(point)?;
            self.domain.to_float(&value).ok_or(NoValue::NotHere)?
        };
        let mut row: Vec<f64> = vec![];
        let mut best = (f64::NAN, f64::INFINITY);
        for step in 0..STEPS {
            let h = 0.25 / f64::from(1u32 << step);
            let value = if infinite {
                self.body_at(big, if negative { -1.0 / h } else { 1.0 / h })?
            } else {
                match side {
                    Some(1) => self.body_at(big, at + h)?,
                    Some(_) => self.body_at(big, at - h)?,
                    // Both sides have to agree; their mean loses the odd powers of h.
                    None => {
                        let (left, right) =
                            (self.body_at(big, at - h)?, self.body_at(big, at + h)?);
                        if step + 1 == STEPS
                            && (left - right).abs() > 1e-2 * left.abs().max(right.abs()).max(1e-2)
                        {
                            return Err(NoValue::Undefined);
                        }
                        f64::midpoint(left, right)
                    }
                }
            };
            let ratio: f64 = if !infinite && side.is_none() {
                4.0
            } else {
                2.0
            };
            let mut next = vec![value];
            let mut factor = ratio;
            for before in &row {
                let last = next.last().copied().unwrap_or(value);
                next.push(last + (last - before) / (factor - 1.0));
                factor *= ratio;
            }
            if let (Some(now), Some(then)) = (next.last(), row.last()) {
                let change = (now - then).abs();
                if change < best.1 {
                    best = (*now, change);
                }
            }
            row = next;
        }
        let (value, change) = best;
        if change <= SETTLED * value.abs().max(1e-3) {
            self.domain
                .approximately(value, 1e-8 * value.abs().max(1e-3))
        } else {
            Err(NoValue::Imprecise)
        }
    }

    fn body_at(&mut self, big: &BigOperator, x: f64) -> Value<f64> {
        self.domain.bind(&big.variable, Some(x));
        let value = self.eval(&big.body);
        self.domain.bind(&big.variable, None);
        self.domain.to_float(&value?).ok_or(NoValue::NotHere)
    }
}

fn holds(expr: &Expr, variable: &str) -> bool {
    expr.any(&mut |part| matches!(part, Expr::Symbol(name) if **name == *variable))
}

/// Functions that jump, whose value at a point need not be their limit there.
fn has_steps(expr: &Expr) -> bool {
    expr.any(&mut |part| {
        matches!(
            part,
            Expr::Call(
                Function::Floor | Function::Ceil | Function::Sign | Function::Mod,
                _
            ) | Expr::Apply(..)
        )
    })
}
