//! Infinite sums: term by term where they settle soon, by acceleration where they do not.

use super::{Domain, Evaluator, NoValue, Value};
use crate::math::expr::BigOperator;

/// Most terms that are added one by one.
const MAX_TERMS: usize = 512;

/// Terms in a row that have to be too small to matter.
const SMALL_IN_A_ROW: usize = 6;

/// Terms that an alternating series is summed from (Cohen, Rodriguez Villegas, Zagier 2000).
const ALTERNATING: usize = 28;

/// Terms before the first partial sum that is extrapolated from.
const FIRST: usize = 8;

/// Largest share of the value by which the last two extrapolations may differ.
const SETTLED: f64 = 1e-9;

impl<D: Domain> Evaluator<'_, D> {
    /// `\sum_{k=lower}^\infty`, to about nine digits.
    pub(super) fn series(&mut self, big: &BigOperator) -> Value<D::Number> {
        let lower = big.lower.as_ref().ok_or(NoValue::NotHere)?;
        let lower = self.small(lower)?;
        let first: Vec<f64> = (0..ALTERNATING)
            .map(|at| self.term(big, lower + at as i64))
            .collect::<Value<_>>()?;
        let scale = first.iter().fold(0.0f64, |most, term| most.max(term.abs()));
        if scale == 0.0 {
            return Err(NoValue::NotHere);
        }
        let falls = first
            .windows(2)
            .skip(4)
            .all(|pair| pair[1].abs() <= pair[0].abs());
        if falls && first.windows(2).all(|pair| pair[0] * pair[1] < 0.0) {
            return self.settled_at(alternating(&first), scale);
        }
        let (mut total, mut small) = (0.0f64, 0);
        let mut row: Vec<f64> = vec![];
        let mut best = (f64::NAN, f64::INFINITY);
        let mut next = FIRST;
        for count in 1..=MAX_TERMS {
            let term = match first.get(count - 1) {
                Some(term) => *term,
                None => self.term(big, lower + count as i64 - 1)?,
            };
            total += term;
            small = if term.abs() <= 1e-17 * total.abs() {
                small + 1
            } else {
                0
            };
            if small >= SMALL_IN_A_ROW {
                return self.settled_at(total, scale);
            }
            if !total.is_finite() {
                return Err(NoValue::NotHere);
            }
            if count == next {
                next *= 2;
                // What is left of a sum of fractions is a series in 1 over the number of terms.
                let mut line = vec![total];
                let mut factor = 2.0;
                for before in &row {
                    let last = line.last().copied().unwrap_or(total);
                    line.push(last + (last - before) / (factor - 1.0));
                    factor *= 2.0;
                }
                if let (Some(now), Some(then)) = (line.last(), row.last()) {
                    let change = (now - then).abs();
                    if change < best.1 {
                        best = (*now, change);
                    }
                }
                row = line;
            }
        }
        let (value, change) = best;
        if change <= SETTLED * value.abs().max(1e-3) {
            self.settled_at(value, scale)
        } else {
            Err(NoValue::Imprecise)
        }
    }

    fn settled_at(&mut self, value: f64, scale: f64) -> Value<D::Number> {
        self.domain
            .approximately(value, 1e-9 * value.abs().max(1e-3 * scale))
    }

    fn term(&mut self, big: &BigOperator, index: i64) -> Value<f64> {
        self.integers.push((big.variable.clone(), index));
        let value = self.eval(&big.body);
        self.integers.pop();
        self.domain.to_float(&value?).ok_or(NoValue::NotHere)
    }
}

/// The sum of an alternating series from its first terms.
fn alternating(terms: &[f64]) -> f64 {
    let n = terms.len() as f64;
    let power = (3.0 + 8f64.sqrt()).powf(n);
    let d = f64::midpoint(power, 1.0 / power);
    let (mut b, mut c, mut sum) = (-1.0, -d, 0.0);
    for (k, term) in terms.iter().enumerate() {
        let k = k as f64;
        c = b - c;
        sum += c * term.abs();
        b *= (k + n) * (k - n) / ((k + 0.5) * (k + 1.0));
    }
    let value = sum / d;
    if terms.first().is_some_and(|term| *term < 0.0) {
        -value
    } else {
        value
    }
}
