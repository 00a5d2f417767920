//! Matrices and vectors.

use super::{Comparer, Verdict};
use crate::math::expr::Expr;

/// Largest product that is multiplied out, in nodes of its entries.
const MAX_NODES: usize = 4096;

impl Comparer<'_> {
    pub(super) fn matrices(&mut self, a: &[Vec<Expr>], b: &[Vec<Expr>]) -> Verdict {
        let shape = |rows: &[Vec<Expr>]| (rows.len(), rows.first().map_or(0, Vec::len));
        if shape(a) != shape(b) {
            return Ok(false);
        }
        self.in_order(&a.concat(), &b.concat())
    }

    /// A row or column against a tuple, a matrix against a tuple of its rows.
    pub(super) fn matrix_against_sequence(
        &mut self,
        rows: &[Vec<Expr>],
        items: &[Expr],
    ) -> Verdict {
        let nested = items
            .iter()
            .map(|item| match item {
                Expr::Sequence { items, .. } => Some(items.clone()),
                _ => None,
            })
            .collect::<Option<Vec<_>>>();
        if let Some(nested) = nested {
            return self.matrices(rows, &nested);
        }
        let vector = rows.len() == 1 || rows.iter().all(|row| row.len() == 1);
        if !self.policy.loose_brackets || !vector {
            return Ok(false);
        }
        self.in_order(&rows.concat(), items)
    }
}

/// Whether this is arithmetic with matrices that was too much, or too unusual, to carry out.
pub(super) fn is_unfinished(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Add(_) | Expr::Mul(_) | Expr::Neg(_) | Expr::Inv(_) | Expr::Pow(..)
    ) && expr.any(&mut |part| matches!(part, Expr::Matrix(_)))
}

/// Sums, products, multiples and small powers of matrices, written out.
pub(super) fn simplified(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::Add(terms) => {
            let mut total = as_matrix(terms.first()?)?;
            for term in terms.get(1..)? {
                let other = as_matrix(term)?;
                let same = total.len() == other.len()
                    && total.iter().zip(&other).all(|(a, b)| a.len() == b.len());
                if !same {
                    return None;
                }
                for (row, others) in total.iter_mut().zip(other) {
                    for (cell, other) in row.iter_mut().zip(others) {
                        *cell = Expr::Add(vec![cell.clone(), other]);
                    }
                }
            }
            Some(Expr::Matrix(total))
        }
        Expr::Mul(factors) => {
            let mut scale = vec![];
            let mut product: Option<Vec<Vec<Expr>>> = None;
            for factor in factors {
                match as_matrix(factor) {
                    Some(matrix) => {
                        product = Some(match product {
                            Some(left) => multiplied(&left, &matrix)?,
                            None => matrix,
                        });
                    }
                    None if factor.is_scalar() => scale.push(factor.clone()),
                    None => return None,
                }
            }
            let product = product?;
            Some(Expr::Matrix(scaled(&product, &scale)))
        }
        Expr::Pow(base, exponent) => {
            let base = as_matrix(base)?;
            let exponent = exponent
                .as_written_integer()
                .filter(|n| (1..=8).contains(n))?;
            let mut power = base.clone();
            for _ in 1..exponent {
                power = multiplied(&power, &base)?;
            }
            Some(Expr::Matrix(power))
        }
        Expr::Neg(inner) => Some(Expr::Matrix(scaled(
            &as_matrix(inner)?,
            &[Expr::integer(-1)],
        ))),
        _ => None,
    }
}

fn as_matrix(expr: &Expr) -> Option<Vec<Vec<Expr>>> {
    match expr {
        Expr::Matrix(rows) => Some(rows.clone()),
        Expr::Neg(_) | Expr::Mul(_) | Expr::Add(_) | Expr::Pow(..) => match simplified(expr)? {
            Expr::Matrix(rows) => Some(rows),
            _ => None,
        },
        _ => None,
    }
}

fn scaled(rows: &[Vec<Expr>], scale: &[Expr]) -> Vec<Vec<Expr>> {
    if scale.is_empty() {
        return rows.to_vec();
    }
    rows.iter()
        .map(|row| {
            row.iter()
                .map(|cell| {
                    let mut factors = scale.to_vec();
                    factors.push(cell.clone());
                    Expr::Mul(factors)
                })
                .collect()
        })
        .collect()
}

fn multiplied(a: &[Vec<Expr>], b: &[Vec<Expr>]) -> Option<Vec<Vec<Expr>>> {
    let inner = b.len();
    let width = b.first()?.len();
    let nodes = |rows: &[Vec<Expr>]| rows.iter().flatten().map(Expr::size).sum::<usize>();
    // Entries are written out, so a product is as large as its factors times each other's sides.
    let size = nodes(a) * width + nodes(b) * a.len();
    if a.iter().any(|row| row.len() != inner) || size > MAX_NODES {
        return None;
    }
    Some(
        a.iter()
            .map(|row| {
                (0..width)
                    .map(|column| {
                        Expr::Add(
                            row.iter()
                                .zip(b)
                                .filter_map(|(x, other)| {
                                    Some(Expr::Mul(vec![x.clone(), other.get(column)?.clone()]))
                                })
                                .collect(),
                        )
                    })
                    .collect()
            })
            .collect(),
    )
}
