//! Few rows of x, weights by rows: rows of the matrix are added to the outputs as they stream by.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::matrix::Matrix;
use super::tasks::Part;

/// Rows of the matrix that are added while a panel of outputs stays in registers. They are read as so many
/// streams; many more would be more than the processor prefetches.
const DEPTH: usize = 16;

/// Output columns that are finished before the next ones, so that they stay in the first-level cache.
const COLUMNS: usize = 480;

/// Rows of x and vectors of columns in registers: 4 · 2 sums are what it takes to keep two multipliers busy.
const ROWS: usize = 4;
const VECTORS: usize = 2;

/// Both by rows.
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
        let (columns, panel) = (self.part.columns(), VECTORS * S::F32_LANES);
        let depth = self.w.shape[0];
        for start in (0..columns).step_by(COLUMNS) {
            let end = columns.min(start + COLUMNS);
            let whole = end - (end - start) % panel;
            for k in (0..depth).step_by(DEPTH) {
                let k = k..depth.min(k + DEPTH);
                for at in (start..whole).step_by(panel) {
                    self.panel(simd, &k, at..at + panel);
                }
                for at in (whole..end).step_by(S::F32_LANES) {
                    self.tail(simd, &k, at..end.min(at + S::F32_LANES));
                }
            }
        }
    }
}

impl Product<'_, '_> {
    /// Adds the rows `k` of the matrix to the columns `at`, which fill [`VECTORS`] vectors.
    #[inline(always)]
    fn panel<S: Simd>(&mut self, simd: S, k: &Range<usize>, at: Range<usize>) {
        let rows = self.part.rows.len();
        let mut row = 0;
        while row < rows {
            // Two groups of about the same size rather than a full one and a single row.
            let size = match rows - row {
                left @ ..=ROWS => left,
                5..=6 => 3,
                _ => ROWS,
            };
            match size {
                1 => self.group::<S, 1>(simd, row, k, &at),
                2 => self.group::<S, 2>(simd, row, k, &at),
                3 => self.group::<S, 3>(simd, row, k, &at),
                _ => self.group::<S, ROWS>(simd, row, k, &at),
            }
            row += size;
        }
    }

    #[inline(always)]
    fn group<S: Simd, const R: usize>(
        &mut self,
        simd: S,
        row: usize,
        k: &Range<usize>,
        at: &Range<usize>,
    ) {
        let mut x = [&[][..]; R];
        for (r, x) in x.iter_mut().enumerate() {
            *x = &self.x.line(self.part.first_row + row + r)[k.clone()];
        }
        let w = self.w.from(k.start, self.part.first_column + at.start);
        let out = &mut self.part.rows[row..row + R];
        block::<S, R>(simd, x, w, self.w.stride, out, at);
    }

    /// Adds the rows `k` of the matrix to the columns `at`, which are one vector or less.
    #[inline(always)]
    fn tail<S: Simd>(&mut self, simd: S, k: &Range<usize>, at: Range<usize>) {
        let w = self.w.from(k.start, self.part.first_column + at.start);
        for (row, out) in (self.part.first_row..).zip(&mut self.part.rows) {
            let x = self.x.line(row);
            let out = &mut out[at.clone()];
            let mut sum = simd.partial_load_f32s(out);
            for (factor, row) in x[k.clone()].iter().zip(w.chunks(self.w.stride)) {
                let weights = simd.partial_load_f32s(&row[..at.len()]);
                sum = simd.mul_add_e_f32s(simd.splat_f32s(*factor), weights, sum);
            }
            simd.partial_store_f32s(out, sum);
        }
    }
}

#[inline(always)]
fn block<S: Simd, const R: usize>(
    simd: S,
    mut x: [&[f32]; R],
    w: &[f32],
    stride: usize,
    out: &mut [&mut [f32]],
    at: &Range<usize>,
) {
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; R];
    for r in 0..R {
        let (vectors, _) = S::as_simd_f32s(&out[r][at.clone()]);
        sums[r].copy_from_slice(&vectors[..VECTORS]);
    }
    let deep = x[0].len();
    // A loop, because a closure would not be compiled for the processor's vectors.
    for row in &mut x {
        *row = &row[..deep];
    }
    for (d, row) in w.chunks(stride).take(deep).enumerate() {
        let (weights, _) = S::as_simd_f32s(&row[..VECTORS * S::F32_LANES]);
        for r in 0..R {
            let factor = simd.splat_f32s(x[r][d]);
            for v in 0..VECTORS {
                sums[r][v] = simd.mul_add_e_f32s(factor, weights[v], sums[r][v]);
            }
        }
    }
    for r in 0..R {
        let (vectors, _) = S::as_mut_simd_f32s(&mut out[r][at.clone()]);
        vectors[..VECTORS].copy_from_slice(&sums[r]);
    }
}
