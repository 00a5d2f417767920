//! Many rows of x: panels of the matrix are copied to where they are quick to read, then meet one group of rows after
//! another.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::block::{self, ROWS, VECTORS};
use super::matrix::{Matrix, Order};
use super::tasks::Part;

/// Rows of the matrix in a panel, which stays in the first-level cache.
const DEPTH: usize = 256;

/// Rows of x that meet a panel; at [`DEPTH`] elements each they stay in the second-level cache.
pub(super) const BLOCK: usize = 192;

pub(super) fn product(x: Matrix<'_>, w: Matrix<'_>, bias: Option<&[f32]>, mut part: Part<'_>) {
    part.start(bias);
    pulp::Arch::new().dispatch(Product { x, w, part });
}

struct Product<'a, 'o> {
    x: Matrix<'a>,
    w: Matrix<'a>,
    part: Part<'o>,
}

impl WithSimd for Product<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (rows, columns, depth) = (self.part.rows.len(), self.part.columns(), self.w.shape[0]);
        let width = VECTORS * S::F32_LANES;
        let mut panel = vec![0.0; DEPTH.min(depth) * width];
        let mut copy = Vec::new();
        for first in (0..rows).step_by(BLOCK) {
            let rows = first..rows.min(first + BLOCK);
            let from = self.part.first_row + first;
            for k in (0..depth).step_by(DEPTH) {
                let k = k..depth.min(k + DEPTH);
                let x = near(self.x, from..from + rows.len(), &k, &mut copy);
                let panel = &mut panel[..k.len() * width];
                for at in (0..columns).step_by(width) {
                    let at = at..columns.min(at + width);
                    let first = self.part.first_column + at.start;
                    pack::<S>(self.w, &k, first..first + at.len(), panel);
                    let (vectors, _) = S::as_simd_f32s(panel);
                    let (panel, _) = vectors.as_chunks::<VECTORS>();
                    all_groups(simd, x, panel, &mut self.part.rows[rows.clone()], &at);
                }
            }
        }
    }
}

/// The given rows of x at the depths `k`, as a matrix of its own. Lines that are far apart are copied to `copy`: a panel
/// would meet them at the same few places of the caches.
#[inline(always)]
fn near<'c, 'x: 'c>(
    x: Matrix<'x>,
    rows: Range<usize>,
    k: &Range<usize>,
    copy: &'c mut Vec<f32>,
) -> Matrix<'c> {
    let (lines, places) = match x.order {
        Order::Rows => (rows.clone(), k.clone()),
        Order::Columns => (k.clone(), rows.clone()),
    };
    let shape = [rows.len(), k.len()];
    if x.stride <= DEPTH {
        let values = x.from(lines.start, places.start);
        return Matrix::new(values, shape, x.order, x.stride);
    }
    copy.clear();
    for line in lines {
        copy.extend_from_slice(&x.line(line)[places.clone()]);
    }
    Matrix::new(copy, shape, x.order, places.len())
}

/// Copies rows `k` of the columns `at` to the panel. What a narrower last panel leaves there from before is
/// multiplied and not stored.
#[inline(always)]
fn pack<S: Simd>(w: Matrix<'_>, k: &Range<usize>, at: Range<usize>, panel: &mut [f32]) {
    let width = VECTORS * S::F32_LANES;
    match w.order {
        Order::Rows if at.len() == width => {
            for (k, to) in k.clone().zip(panel.chunks_exact_mut(width)) {
                let (from, _) = S::as_simd_f32s(&w.line(k)[at.clone()]);
                let (to, _) = S::as_mut_simd_f32s(to);
                to[..VECTORS].copy_from_slice(&from[..VECTORS]);
            }
        }
        Order::Rows => {
            for (k, to) in k.clone().zip(panel.chunks_exact_mut(width)) {
                to[..at.len()].copy_from_slice(&w.line(k)[at.clone()]);
            }
        }
        Order::Columns => {
            let columns = at.len();
            let whole = columns - columns % COLUMNS;
            for column in (0..whole).step_by(COLUMNS) {
                let mut from = [&[][..]; COLUMNS];
                for (c, from) in from.iter_mut().enumerate() {
                    *from = &w.line(at.start + column + c)[k.clone()];
                }
                for (d, to) in panel.chunks_exact_mut(width).enumerate() {
                    let to = &mut to[column..column + COLUMNS];
                    for c in 0..COLUMNS {
                        to[c] = from[c][d];
                    }
                }
            }
            for column in whole..columns {
                let from = &w.line(at.start + column)[k.clone()];
                for (to, value) in panel.chunks_exact_mut(width).zip(from) {
                    to[column] = *value;
                }
            }
        }
    }
}

/// Columns of a matrix by columns that are copied together.
const COLUMNS: usize = 8;

#[inline(always)]
fn all_groups<S: Simd>(
    simd: S,
    x: Matrix<'_>,
    panel: &[[S::f32s; VECTORS]],
    out: &mut [&mut [f32]],
    at: &Range<usize>,
) {
    let mut row = 0;
    while row < out.len() {
        let size = block::size(out.len() - row);
        let out = &mut out[row..row + size];
        match size {
            1 => group::<S, 1>(simd, x, row, panel, out, at),
            2 => group::<S, 2>(simd, x, row, panel, out, at),
            3 => group::<S, 3>(simd, x, row, panel, out, at),
            4 => group::<S, 4>(simd, x, row, panel, out, at),
            5 => group::<S, 5>(simd, x, row, panel, out, at),
            _ => group::<S, ROWS>(simd, x, row, panel, out, at),
        }
        row += size;
    }
}

/// The R rows of x from `row` on.
#[inline(always)]
fn group<S: Simd, const R: usize>(
    simd: S,
    x: Matrix<'_>,
    row: usize,
    panel: &[[S::f32s; VECTORS]],
    out: &mut [&mut [f32]],
    at: &Range<usize>,
) {
    match x.order {
        Order::Rows => {
            let mut rows = [&[][..]; R];
            for (r, to) in rows.iter_mut().enumerate() {
                *to = x.line(row + r);
            }
            block::add_rows::<S, R>(simd, rows, panel, out, at);
        }
        Order::Columns => {
            let values = x.from(0, row);
            block::add_columns::<S, R>(simd, values, x.stride, panel, out, at);
        }
    }
}
