//! Many rows of x: panels of the matrix are copied to where they are quick to read, then meet one group of rows after
//! another.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::block::{self, ROWS, VECTORS};
use super::matrix::{Matrix, Order};
use super::tasks::Part;

/// Rows of the matrix in a panel, which stays in the first-level cache.
const DEPTH: usize = 256;

/// Panels that are copied at a time; with the rows of x they stay in the second-level cache.
const PANELS: usize = 8;

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
        let panel_size = DEPTH.min(depth) * width;
        let mut panels = vec![0.0; PANELS.min(columns.div_ceil(width)) * panel_size];
        let mut copy = Vec::new();
        for first in (0..rows).step_by(BLOCK) {
            let rows = first..rows.min(first + BLOCK);
            let from = self.part.first_row + first;
            for k in (0..depth).step_by(DEPTH) {
                let k = k..depth.min(k + DEPTH);
                let x = near(self.x, from..from + rows.len(), &k, &mut copy);
                for some in (0..columns).step_by(PANELS * width) {
                    let some = some..columns.min(some + PANELS * width);
                    let first = self.part.first_column + some.start;
                    let size = k.len() * width;
                    pack::<S>(self.w, &k, first..first + some.len(), size, &mut panels);
                    let starts = some.clone().step_by(width);
                    for (at, panel) in starts.zip(panels.chunks_exact(size)) {
                        let at = at..some.end.min(at + width);
                        let (vectors, _) = S::as_simd_f32s(panel);
                        let (panel, _) = vectors.as_chunks::<VECTORS>();
                        all_groups(simd, x, panel, &mut self.part.rows[rows.clone()], &at);
                    }
                }
            }
        }
    }
}

/// Some rows of x at some depths.
#[derive(Clone, Copy)]
enum Near<'a> {
    /// Where they are.
    There(Matrix<'a>),
    /// Copied in the groups that [`all_groups`] makes: their elements at one depth together, then those at the next.
    Grouped(&'a [f32], usize),
}

/// The given rows of x at the depths `k`. Lines that are far apart are copied to `copy`: a panel would meet them at the
/// same few places of the caches.
#[inline(always)]
fn near<'c, 'x: 'c>(
    x: Matrix<'x>,
    rows: Range<usize>,
    k: &Range<usize>,
    copy: &'c mut Vec<f32>,
) -> Near<'c> {
    let shape = [rows.len(), k.len()];
    if x.stride <= DEPTH {
        let (line, place) = match x.order {
            Order::Rows => (rows.start, k.start),
            Order::Columns => (k.start, rows.start),
        };
        let values = x.from(line, place);
        return Near::There(Matrix::new(values, shape, x.order, x.stride));
    }
    copy.resize(rows.len() * k.len(), 0.0);
    let mut row = rows.start;
    while row < rows.end {
        let size = block::size(rows.end - row);
        let done = row - rows.start;
        let to = &mut copy[done * k.len()..(done + size) * k.len()];
        match size {
            1 => interleave::<1>(x, row, k, to),
            2 => interleave::<2>(x, row, k, to),
            3 => interleave::<3>(x, row, k, to),
            4 => interleave::<4>(x, row, k, to),
            5 => interleave::<5>(x, row, k, to),
            _ => interleave::<ROWS>(x, row, k, to),
        }
        row += size;
    }
    Near::Grouped(copy, k.len())
}

/// The R rows from `row` on at the depths `k`, R elements at each.
#[inline(always)]
fn interleave<const R: usize>(x: Matrix<'_>, row: usize, k: &Range<usize>, to: &mut [f32]) {
    let (to, _) = to.as_chunks_mut::<R>();
    match x.order {
        Order::Rows => {
            let mut rows = [&[][..]; R];
            for (r, from) in rows.iter_mut().enumerate() {
                *from = &x.line(row + r)[k.clone()][..to.len()];
            }
            for (d, to) in to.iter_mut().enumerate() {
                for r in 0..R {
                    to[r] = rows[r][d];
                }
            }
        }
        Order::Columns => {
            for (k, to) in k.clone().zip(to) {
                to.copy_from_slice(&x.line(k)[row..row + R]);
            }
        }
    }
}

/// Copies rows `k` of the columns `at` to panels of `size` elements. What a narrower last panel holds from before is
/// multiplied and not stored.
#[inline(always)]
fn pack<S: Simd>(
    w: Matrix<'_>,
    k: &Range<usize>,
    at: Range<usize>,
    size: usize,
    panels: &mut [f32],
) {
    let width = VECTORS * S::F32_LANES;
    match w.order {
        Order::Rows => {
            // Row by row over all panels: a row's columns are close to one another, the next row is far away.
            for (d, k) in k.clone().enumerate() {
                let from = &w.line(k)[at.clone()];
                let mut pieces = from.chunks_exact(width);
                let mut place = d * width;
                for piece in &mut pieces {
                    let (from, _) = S::as_simd_f32s(piece);
                    let (to, _) = S::as_mut_simd_f32s(&mut panels[place..place + width]);
                    to[..VECTORS].copy_from_slice(&from[..VECTORS]);
                    place += size;
                }
                let rest = pieces.remainder();
                if !rest.is_empty() {
                    panels[place..place + rest.len()].copy_from_slice(rest);
                }
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
                let panel = &mut panels[column / width * size..][..size];
                for (d, to) in panel.chunks_exact_mut(width).enumerate() {
                    let to = &mut to[column % width..][..COLUMNS];
                    for c in 0..COLUMNS {
                        to[c] = from[c][d];
                    }
                }
            }
            for column in whole..columns {
                let from = &w.line(at.start + column)[k.clone()];
                let panel = &mut panels[column / width * size..][..size];
                for (to, value) in panel.chunks_exact_mut(width).zip(from) {
                    to[column % width] = *value;
                }
            }
        }
    }
}

/// Columns of a matrix by columns that are copied together; a panel's width is a multiple.
const COLUMNS: usize = 8;

#[inline(always)]
fn all_groups<S: Simd>(
    simd: S,
    x: Near<'_>,
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
    x: Near<'_>,
    row: usize,
    panel: &[[S::f32s; VECTORS]],
    out: &mut [&mut [f32]],
    at: &Range<usize>,
) {
    match x {
        Near::Grouped(values, depth) => {
            let values = &values[row * depth..][..R * depth];
            block::add_grouped::<S, R>(simd, values, panel, out, at);
        }
        Near::There(x) if x.order == Order::Columns => {
            let values = x.from(0, row);
            block::add_columns::<S, R>(simd, values, x.stride, panel, out, at);
        }
        Near::There(x) => {
            let mut rows = [&[][..]; R];
            for (r, to) in rows.iter_mut().enumerate() {
                *to = x.line(row + r);
            }
            block::add_rows::<S, R>(simd, rows, panel, out, at);
        }
    }
}
