//! Many rows of x: panels of the matrix are copied to where they are quick to read, then used for one group of rows
//! after another.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::{Part, Weights};

/// Rows of x, and vectors of columns, in registers: 6 · 2 sums, 2 weights and 1 factor fit AVX2's sixteen.
const ROWS: usize = 6;
const VECTORS: usize = 2;

/// Rows of the matrix in a panel, which stays in the first-level cache.
const DEPTH: usize = 256;

/// Rows of x that meet a panel; at [`DEPTH`] elements each they stay in the second-level cache.
const BLOCK: usize = 192;

/// The rows of x in groups of at most [`ROWS`], of about the same size; in each, the elements at one depth lie
/// together.
pub(super) struct Grouped {
    values: Vec<f32>,
    rows: usize,
    depth: usize,
}

impl Grouped {
    pub(super) fn new(x: &[f32], depth: usize) -> Self {
        let mut grouped = Self {
            values: vec![0.0; x.len()],
            rows: x.len() / depth,
            depth,
        };
        let mut row = 0;
        while row < grouped.rows {
            let size = grouped.size(row);
            let place = row * depth..(row + size) * depth;
            let (group, to) = (&x[place.clone()], &mut grouped.values[place]);
            match size {
                1 => interleave::<1>(group, depth, to),
                2 => interleave::<2>(group, depth, to),
                3 => interleave::<3>(group, depth, to),
                4 => interleave::<4>(group, depth, to),
                5 => interleave::<5>(group, depth, to),
                _ => interleave::<ROWS>(group, depth, to),
            }
            row += size;
        }
        grouped
    }

    /// How many rows the group that starts with `row` has.
    fn size(&self, row: usize) -> usize {
        let left = self.rows - row;
        left.div_ceil(left.div_ceil(ROWS))
    }

    /// The elements at the depths `k` of the `size` rows from `row` on.
    #[inline(always)]
    fn group(&self, row: usize, size: usize, k: &Range<usize>) -> &[f32] {
        &self.values[row * self.depth..][k.start * size..k.end * size]
    }
}

/// R rows of `depth` elements to `depth` columns of R elements.
fn interleave<const R: usize>(rows: &[f32], depth: usize, to: &mut [f32]) {
    let rows: [&[f32]; R] = std::array::from_fn(|r| &rows[r * depth..][..depth]);
    let (columns, _) = to.as_chunks_mut::<R>();
    for (d, column) in columns.iter_mut().enumerate() {
        *column = rows.map(|row| row[d]);
    }
}

pub(super) fn product(
    x: &Grouped,
    w: Weights<'_>,
    width: usize,
    bias: Option<&[f32]>,
    mut part: Part<'_>,
) {
    part.start(bias);
    pulp::Arch::new().dispatch(Product { x, w, width, part });
}

struct Product<'a, 'o> {
    x: &'a Grouped,
    w: Weights<'a>,
    width: usize,
    part: Part<'o>,
}

impl WithSimd for Product<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (rows, columns) = (self.part.rows.len(), self.part.columns());
        let width = VECTORS * S::F32_LANES;
        let mut panel = vec![0.0; DEPTH * width];
        let mut row = 0;
        while row < rows {
            let mut end = row;
            while end < rows && end - row < BLOCK {
                end += self.x.size(end);
            }
            for k in (0..self.x.depth).step_by(DEPTH) {
                let k = k..self.x.depth.min(k + DEPTH);
                for at in (0..columns).step_by(width) {
                    let at = at..columns.min(at + width);
                    self.pack::<S>(&k, &at, &mut panel);
                    self.add(simd, row..end, &k, &panel[..k.len() * width], &at);
                }
            }
            row = end;
        }
    }
}

impl Product<'_, '_> {
    /// Copies rows `k` of the columns `at` to the panel. What a narrower last panel leaves there from before is
    /// multiplied and not stored.
    #[inline(always)]
    fn pack<S: Simd>(&self, k: &Range<usize>, at: &Range<usize>, panel: &mut [f32]) {
        let width = VECTORS * S::F32_LANES;
        let first = self.part.first + at.start;
        match self.w {
            Weights::ByDepth(w) if at.len() == width => {
                for (k, to) in k.clone().zip(panel.chunks_exact_mut(width)) {
                    let (from, _) = S::as_simd_f32s(&w[k * self.width + first..][..width]);
                    let (to, _) = S::as_mut_simd_f32s(to);
                    to[..VECTORS].copy_from_slice(&from[..VECTORS]);
                }
            }
            Weights::ByDepth(w) => {
                for (k, to) in k.clone().zip(panel.chunks_exact_mut(width)) {
                    to[..at.len()].copy_from_slice(&w[k * self.width + first..][..at.len()]);
                }
            }
            Weights::ByWidth(w) => {
                for column in 0..at.len() {
                    let from = &w[(first + column) * self.x.depth..][k.clone()];
                    for (to, value) in panel.chunks_exact_mut(width).zip(from) {
                        to[column] = *value;
                    }
                }
            }
        }
    }

    /// Adds the panel to the columns `at` of `rows`.
    #[inline(always)]
    fn add<S: Simd>(
        &mut self,
        simd: S,
        rows: Range<usize>,
        k: &Range<usize>,
        panel: &[f32],
        at: &Range<usize>,
    ) {
        let (vectors, _) = S::as_simd_f32s(panel);
        let (panel, _) = vectors.as_chunks::<VECTORS>();
        let mut row = rows.start;
        while row < rows.end {
            let size = self.x.size(row);
            let x = self.x.group(row, size, k);
            let out = &mut self.part.rows[row..row + size];
            match size {
                1 => block::<S, 1>(simd, x, panel, out, at),
                2 => block::<S, 2>(simd, x, panel, out, at),
                3 => block::<S, 3>(simd, x, panel, out, at),
                4 => block::<S, 4>(simd, x, panel, out, at),
                5 => block::<S, 5>(simd, x, panel, out, at),
                _ => block::<S, ROWS>(simd, x, panel, out, at),
            }
            row += size;
        }
    }
}

#[inline(always)]
fn block<S: Simd, const R: usize>(
    simd: S,
    x: &[f32],
    panel: &[[S::f32s; VECTORS]],
    out: &mut [&mut [f32]],
    at: &Range<usize>,
) {
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; R];
    for r in 0..R {
        sums[r] = load(simd, &out[r][at.clone()]);
    }
    for (factors, weights) in x.as_chunks::<R>().0.iter().zip(panel) {
        for r in 0..R {
            let factor = simd.splat_f32s(factors[r]);
            for v in 0..VECTORS {
                sums[r][v] = simd.mul_add_e_f32s(factor, weights[v], sums[r][v]);
            }
        }
    }
    for r in 0..R {
        store(simd, sums[r], &mut out[r][at.clone()]);
    }
}

/// Up to [`VECTORS`] vectors of elements, zeros beyond them.
#[inline(always)]
fn load<S: Simd>(simd: S, from: &[f32]) -> [S::f32s; VECTORS] {
    let (whole, rest) = S::as_simd_f32s(from);
    if let Ok(all) = whole.try_into() {
        return all;
    }
    let mut out = [simd.splat_f32s(0.0); VECTORS];
    for (to, from) in out.iter_mut().zip(whole) {
        *to = *from;
    }
    if !rest.is_empty() {
        out[whole.len()] = simd.partial_load_f32s(rest);
    }
    out
}

/// The inverse of [`load`].
#[inline(always)]
fn store<S: Simd>(simd: S, from: [S::f32s; VECTORS], to: &mut [f32]) {
    let (whole, rest) = S::as_mut_simd_f32s(to);
    if let Ok(all) = <&mut [S::f32s; VECTORS]>::try_from(&mut *whole) {
        *all = from;
        return;
    }
    for (to, from) in whole.iter_mut().zip(from) {
        *to = from;
    }
    if !rest.is_empty() {
        simd.partial_store_f32s(rest, from[whole.len()]);
    }
}
