//! Few rows of x, weights stored by depth: rows of the matrix are added to the outputs as they stream by.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::Part;

/// Rows of the matrix that are added while a panel of outputs stays in registers. They are read as so many
/// streams; many more would be more than the processor prefetches.
const DEPTH: usize = 16;

/// Output columns that are finished before the next ones, so that they stay in the first-level cache.
const COLUMNS: usize = 480;

/// Rows of x and vectors of columns in registers: 4 · 2 sums are what it takes to keep two multipliers busy.
const ROWS: usize = 4;
const VECTORS: usize = 2;

/// `w` is `[depth, width]`.
pub(super) fn product(
    x: &[f32],
    depth: usize,
    w: &[f32],
    width: usize,
    bias: Option<&[f32]>,
    mut part: Part<'_>,
) {
    part.start(bias);
    pulp::Arch::new().dispatch(Product {
        x,
        depth,
        w,
        width,
        part,
    });
}

struct Product<'a, 'o> {
    x: &'a [f32],
    depth: usize,
    w: &'a [f32],
    width: usize,
    part: Part<'o>,
}

impl WithSimd for Product<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (columns, panel) = (self.part.columns(), VECTORS * S::F32_LANES);
        for start in (0..columns).step_by(COLUMNS) {
            let end = columns.min(start + COLUMNS);
            let whole = end - (end - start) % panel;
            for k in (0..self.depth).step_by(DEPTH) {
                let k = k..self.depth.min(k + DEPTH);
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
        let w = &self.w[k.start * self.width + self.part.first + at.start..];
        let mut row = 0;
        let mut groups = self.part.rows.chunks_exact_mut(ROWS);
        for group in &mut groups {
            let x = |r: usize| &self.x[(row + r) * self.depth..][k.clone()];
            block::<S, ROWS>(simd, std::array::from_fn(x), w, self.width, group, &at);
            row += ROWS;
        }
        for rest in groups.into_remainder().chunks_exact_mut(1) {
            let x = [&self.x[row * self.depth..][k.clone()]];
            block::<S, 1>(simd, x, w, self.width, rest, &at);
            row += 1;
        }
    }

    /// Adds the rows `k` of the matrix to the columns `at`, which are one vector or less.
    #[inline(always)]
    fn tail<S: Simd>(&mut self, simd: S, k: &Range<usize>, at: Range<usize>) {
        let w = &self.w[k.start * self.width + self.part.first + at.start..];
        let x = self.x.chunks_exact(self.depth);
        for (out, x) in self.part.rows.iter_mut().zip(x) {
            let out = &mut out[at.clone()];
            let mut sum = simd.partial_load_f32s(out);
            for (factor, row) in x[k.clone()].iter().zip(w.chunks(self.width)) {
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
    x: [&[f32]; R],
    w: &[f32],
    width: usize,
    out: &mut [&mut [f32]],
    at: &Range<usize>,
) {
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; R];
    for r in 0..R {
        let (vectors, _) = S::as_simd_f32s(&out[r][at.clone()]);
        sums[r].copy_from_slice(&vectors[..VECTORS]);
    }
    let deep = x[0].len();
    let x = x.map(|row| &row[..deep]);
    for (d, row) in w.chunks(width).take(deep).enumerate() {
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
