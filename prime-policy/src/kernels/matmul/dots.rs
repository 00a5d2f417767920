//! Weights by columns: every output is a dot product of two contiguous rows.

use pulp::{Simd, WithSimd};

use super::matrix::Matrix;
use super::tasks::Part;

/// Rows of x and rows of the matrix whose products are summed together: 4 · 3 sums, 3 weights and 1 factor are
/// AVX2's sixteen registers.
const ROWS: usize = 4;
const COLUMNS: usize = 3;

/// x by rows, `w` by columns.
pub(super) fn product(x: Matrix<'_>, w: Matrix<'_>, bias: Option<&[f32]>, part: Part<'_>) {
    pulp::Arch::new().dispatch(Product { x, w, bias, part });
}

struct Product<'a, 'o> {
    x: Matrix<'a>,
    w: Matrix<'a>,
    bias: Option<&'a [f32]>,
    part: Part<'o>,
}

impl WithSimd for Product<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let columns = self.part.columns();
        let whole = columns - columns % COLUMNS;
        for at in (0..whole).step_by(COLUMNS) {
            self.panel::<S, COLUMNS>(simd, at);
        }
        for at in whole..columns {
            self.panel::<S, 1>(simd, at);
        }
    }
}

impl Product<'_, '_> {
    /// The columns `at..at + C` of every row.
    #[inline(always)]
    fn panel<S: Simd, const C: usize>(&mut self, simd: S, at: usize) {
        let first = self.part.first_column + at;
        let (mut w, mut bias) = ([&[][..]; C], [0.0; C]);
        for c in 0..C {
            w[c] = self.w.line(first + c);
            bias[c] = self.bias.map_or(0.0, |bias| bias[first + c]);
        }
        let mut row = self.part.first_row;
        let mut groups = self.part.rows.chunks_exact_mut(ROWS);
        for group in &mut groups {
            let mut x = [&[][..]; ROWS];
            for (r, x) in x.iter_mut().enumerate() {
                *x = self.x.line(row + r);
            }
            block::<S, ROWS, C>(simd, x, w, bias, group, at);
            row += ROWS;
        }
        for rest in groups.into_remainder().chunks_exact_mut(1) {
            block::<S, 1, C>(simd, [self.x.line(row)], w, bias, rest, at);
            row += 1;
        }
    }
}

#[inline(always)]
fn block<S: Simd, const R: usize, const C: usize>(
    simd: S,
    x: [&[f32]; R],
    w: [&[f32]; C],
    bias: [f32; C],
    out: &mut [&mut [f32]],
    at: usize,
) {
    let x = x.map(|row| S::as_simd_f32s(row));
    let w = w.map(|row| S::as_simd_f32s(row));
    let mut sums = [[simd.splat_f32s(0.0); C]; R];
    let vectors = w[0].0.len();
    for i in 0..vectors {
        let weights: [S::f32s; C] = std::array::from_fn(|c| w[c].0[i]);
        for r in 0..R {
            let factor = x[r].0[i];
            for c in 0..C {
                sums[r][c] = simd.mul_add_e_f32s(factor, weights[c], sums[r][c]);
            }
        }
    }
    if !w[0].1.is_empty() {
        let weights: [S::f32s; C] = std::array::from_fn(|c| simd.partial_load_f32s(w[c].1));
        for r in 0..R {
            let factor = simd.partial_load_f32s(x[r].1);
            for c in 0..C {
                sums[r][c] = simd.mul_add_e_f32s(factor, weights[c], sums[r][c]);
            }
        }
    }
    for r in 0..R {
        for c in 0..C {
            out[r][at + c] = simd.reduce_sum_f32s(sums[r][c]) + bias[c];
        }
    }
}
