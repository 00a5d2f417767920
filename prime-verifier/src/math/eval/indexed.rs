//! Sums and products over an index with whole bounds.

use dashu_ratio::RBig;

use super::{Domain, Evaluator, NoValue, Value};
use crate::math::expr::{BigKind, BigOperator, Expr};

/// Most terms.
const MAX_TERMS: i64 = 20_000;

/// From here on a sum of a polynomial is found from its first terms.
const MANY_TERMS: i64 = 64;

/// Highest degree of such a polynomial.
const MAX_DEGREE: i64 = 12;

/// The degree of a polynomial in one letter, other letters being constants.
fn degree(expr: &Expr, variable: &str) -> Option<i64> {
    if !expr.any(&mut |part| matches!(part, Expr::Symbol(name) if **name == *variable)) {
        return Some(0);
    }
    let found = match expr {
        Expr::Symbol(_) => 1,
        Expr::Neg(inner) => degree(inner, variable)?,
        Expr::Add(terms) => terms
            .iter()
            .map(|term| degree(term, variable))
            .try_fold(0, |most, degree| Some(most.max(degree?)))?,
        Expr::Mul(factors) => factors
            .iter()
            .map(|factor| degree(factor, variable))
            .try_fold(0i64, |sum, degree| sum.checked_add(degree?))?,
        Expr::Pow(base, exponent) => {
            let exponent = exponent
                .as_written_integer()
                .filter(|e| (0..=MAX_DEGREE).contains(e))?;
            degree(base, variable)?.checked_mul(exponent)?
        }
        _ => return None,
    };
    (found <= MAX_DEGREE).then_some(found)
}

impl<D: Domain> Evaluator<'_, D> {
    /// Newton's forward differences: the sum of `f(lower + j)` for `j < n` is that of `Δⁱf(lower)` times `n` over `i + 1`.
    fn polynomial_sum(
        &mut self,
        big: &BigOperator,
        lower: i64,
        upper: i64,
        degree: i64,
    ) -> Value<D::Number> {
        let mut row = vec![];
        for step in 0..=degree {
            self.integers.push((big.variable.clone(), lower + step));
            let value = self.eval(&big.body);
            self.integers.pop();
            row.push(value?);
        }
        let count = RBig::from(upper) - RBig::from(lower) + RBig::ONE;
        let mut choose = count.clone();
        let mut total = self.domain.rational(&RBig::ZERO)?;
        for step in 0..=degree {
            let Some(first) = row.first().cloned() else {
                break;
            };
            let scale = self.domain.rational(&choose)?;
            let term = self.domain.mul(&first, &scale)?;
            total = self.domain.add(&total, &term)?;
            choose = choose * (&count - RBig::from(step + 1)) / RBig::from(step + 2);
            let mut next = vec![];
            for pair in row.windows(2) {
                let [before, after] = pair else { break };
                let minus = self.domain.neg(before)?;
                next.push(self.domain.add(after, &minus)?);
            }
            row = next;
        }
        Ok(total)
    }

    pub(super) fn indexed(&mut self, big: &BigOperator) -> Value<D::Number> {
        let (Some(lower), Some(upper)) = (&big.lower, &big.upper) else {
            return Err(NoValue::NotHere);
        };
        let (lower, upper) = (self.small(lower)?, self.small(upper)?);
        if big.kind == BigKind::Sum
            && upper.saturating_sub(lower) > MANY_TERMS
            && let Some(degree) = degree(&big.body, &big.variable)
        {
            return self.polynomial_sum(big, lower, upper, degree);
        }
        if upper.saturating_sub(lower) > MAX_TERMS {
            return Err(NoValue::NotHere);
        }
        // An empty sum is 0 where it begins; further back formulas and sums part ways.
        if upper < lower.saturating_sub(1) {
            return Err(NoValue::Undefined);
        }
        let sum = big.kind == BigKind::Sum;
        let mut total = self.domain.rational(&RBig::from(i64::from(!sum)))?;
        self.integers.push((big.variable.clone(), lower));
        let mut result = Ok(());
        for index in lower..=upper {
            if let Some((_, value)) = self.integers.last_mut() {
                *value = index;
            }
            let step = self.eval(&big.body).and_then(|term| {
                if sum {
                    self.domain.add(&total, &term)
                } else {
                    self.domain.mul(&total, &term)
                }
            });
            let step = step.and_then(|value| {
                self.budget.charge(self.domain.weight(&value))?;
                Ok(value)
            });
            match step {
                Ok(value) => total = value,
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        self.integers.pop();
        result.map(|()| total)
    }
}
