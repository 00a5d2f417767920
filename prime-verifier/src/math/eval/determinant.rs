//! Determinants by elimination.

use dashu_ratio::RBig;

use super::{Domain, Evaluator, NoValue, Value};
use crate::math::expr::Expr;

impl<D: Domain> Evaluator<'_, D> {
    pub(super) fn determinant(&mut self, rows: &[Vec<Expr>]) -> Value<D::Number> {
        let order = rows.len();
        if order > D::MAX_ORDER || rows.iter().any(|row| row.len() != order) {
            return Err(NoValue::NotHere);
        }
        let mut matrix = rows
            .iter()
            .map(|row| self.eval_all(row))
            .collect::<Value<Vec<_>>>()?;
        let mut determinant = self.domain.rational(&RBig::ONE)?;
        for column in 0..order {
            let best = (column..order)
                .map(|row| (row, self.domain.pivot_size(&matrix[row][column])))
                .max_by(|a, b| a.1.total_cmp(&b.1));
            let Some((pivot_row, size)) = best else { break };
            if size == 0.0 {
                return self.domain.rational(&RBig::ZERO);
            }
            if pivot_row != column {
                matrix.swap(pivot_row, column);
                determinant = self.domain.neg(&determinant)?;
            }
            let pivot = matrix[column][column].clone();
            determinant = self.domain.mul(&determinant, &pivot)?;
            let inverse = self.domain.inv(&pivot)?;
            let pivot_row = matrix[column].clone();
            for row in matrix.iter_mut().skip(column + 1) {
                self.budget.charge((order - column).div_ceil(4) as u64)?;
                let factor = self.domain.mul(&row[column], &inverse)?;
                let factor = self.domain.neg(&factor)?;
                for (cell, above) in row.iter_mut().zip(&pivot_row).skip(column + 1) {
                    let change = self.domain.mul(&factor, above)?;
                    *cell = self.domain.add(cell, &change)?;
                }
            }
        }
        Ok(determinant)
    }
}
