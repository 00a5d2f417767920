//! Products of a matrix of activations with a matrix of weights.
//!
//! Few rows (decoding one token at a time) are bound by reading the weights, so these are read once, in the order in
//! which they lie in memory, for all rows together ([`streams`], [`dots`]). Many rows (training) are bound by
//! arithmetic, so that the weights are copied in panels to where they are quick to read ([`panels`]). All cores share
//! the output ([`tasks`]). Every output is summed in an order that does not depend on the number of threads; for weights
//! by rows, not on the number of rows of x either.

mod block;
mod dots;
mod matrix;
mod op;
mod panels;
mod streams;
mod tasks;
#[cfg(test)]
mod tests;

pub(crate) use matrix::{Matrix, Order};
pub(crate) use op::linear;

use super::threads;

/// Multiplications below which waking another thread costs more than it saves (some 30 µs of work).
const PARALLEL: usize = 1 << 20;

/// Rows from which on computing takes longer than reading the weights.
const MANY_ROWS: usize = 24;

/// The same for weights that are in the caches anyway, and how many elements those have at most.
const SOME_ROWS: usize = 8;
const SMALL: usize = 1 << 14;

/// Elements of x that the caches hold while columns of the weights pass by.
const CACHED: usize = 1 << 18;

/// `x · w (+ bias)`, row after row. `bias` has an element for each column of `w`.
pub(crate) fn product(x: Matrix<'_>, w: Matrix<'_>, bias: Option<&[f32]>) -> Vec<f32> {
    let ([rows, depth], [_, width]) = (x.shape, w.shape);
    let mut out = vec![0.0; rows * width];
    let threads = if rows * depth * width < PARALLEL {
        1
    } else {
        threads::available()
    };
    let few = match w.order {
        Order::Rows => rows < MANY_ROWS && (rows < SOME_ROWS || w.elements() > SMALL),
        Order::Columns => rows < MANY_ROWS || x.elements() <= CACHED,
    };
    let parts = tasks::cut(&mut out, width, threads);
    threads::share(threads, parts, |next| {
        while let Some(part) = next() {
            match (x.order, w.order) {
                (Order::Rows, Order::Rows) if few => streams::product(x, w, bias, part),
                (Order::Rows, Order::Columns) if few => dots::product(x, w, bias, part),
                _ => panels::product(x, w, bias, part),
            }
        }
    });
    out
}
