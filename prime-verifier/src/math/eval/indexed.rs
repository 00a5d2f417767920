//! Sums and products over an index with whole bounds.

use dashu_ratio::RBig;

use super::{Domain, Evaluator, NoValue, Value};
use crate::math::expr::{BigKind, BigOperator};

/// Most terms.
const MAX_TERMS: i64 = 20_000;

impl<D: Domain> Evaluator<'_, D> {
    pub(super) fn indexed(&mut self, big: &BigOperator) -> Value<D::Number> {
        let (Some(lower), Some(upper)) = (&big.lower, &big.upper) else {
            return Err(NoValue::NotHere);
        };
        let (lower, upper) = (self.small(lower)?, self.small(upper)?);
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
