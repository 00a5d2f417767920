//! Tiles of sums in registers, and the rows and panels that they are made from.

use std::ops::Range;

use pulp::Simd;

use super::AttentionShape;

/// Vectors side by side in a tile; with [`ROWS`], 4 · 2 sums are what it takes to keep two multipliers busy.
pub(super) const VECTORS: usize = 2;

/// Rows of a tile.
pub(super) const ROWS: usize = 4;

/// A row of a tile.
pub(super) type Vectors<S> = [<S as Simd>::f32s; VECTORS];

/// Columns of a tile.
pub(super) const fn width<S: Simd>() -> usize {
    VECTORS * S::F32_LANES
}

/// `head_dim` rounded up to whole tiles.
pub(super) fn padded<S: Simd>(head_dim: usize) -> usize {
    head_dim.next_multiple_of(width::<S>())
}

#[inline(always)]
pub(super) fn splat<S: Simd>(simd: S, value: f32) -> Vectors<S> {
    [simd.splat_f32s(value); VECTORS]
}

/// One vector of `values` from `at` on.
#[inline(always)]
pub(super) fn vector<S: Simd>(values: &[f32], at: usize) -> S::f32s {
    S::as_simd_f32s(&values[at..at + S::F32_LANES]).0[0]
}

/// The inverse of [`vector`].
#[inline(always)]
pub(super) fn store_vector<S: Simd>(values: &mut [f32], at: usize, from: S::f32s) {
    S::as_mut_simd_f32s(&mut values[at..at + S::F32_LANES]).0[0] = from;
}

/// A tile's width of `values` from `at` on.
#[inline(always)]
pub(super) fn load<S: Simd>(values: &[f32], at: usize) -> Vectors<S> {
    let (vectors, _) = S::as_simd_f32s(&values[at..at + width::<S>()]);
    vectors.as_chunks::<VECTORS>().0[0]
}

/// The inverse of [`load`].
#[inline(always)]
pub(super) fn store<S: Simd>(values: &mut [f32], at: usize, from: Vectors<S>) {
    let (vectors, _) = S::as_mut_simd_f32s(&mut values[at..at + width::<S>()]);
    vectors.as_chunks_mut::<VECTORS>().0[0] = from;
}

/// Stores as many elements as `to` has, a tile's width at most.
#[inline(always)]
pub(super) fn store_part<S: Simd>(simd: S, to: &mut [f32], from: Vectors<S>) {
    let (whole, rest) = S::as_mut_simd_f32s(to);
    if let Ok(all) = <&mut Vectors<S>>::try_from(&mut *whole) {
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

/// As pulp's, which is not inlined.
#[inline(always)]
fn select<S: Simd>(simd: S, mask: S::m32s, yes: S::f32s, no: S::f32s) -> S::f32s {
    let (yes, no) = (simd.transmute_u32s_f32s(yes), simd.transmute_u32s_f32s(no));
    simd.transmute_f32s_u32s(simd.select_u32s(mask, yes, no))
}

/// `tile[r] += factors[r] · row`.
#[inline(always)]
pub(super) fn add<S: Simd, const R: usize>(
    simd: S,
    tile: &mut [Vectors<S>; R],
    factors: &[f32; R],
    row: Vectors<S>,
) {
    for r in 0..R {
        let factor = simd.splat_f32s(factors[r]);
        for v in 0..VECTORS {
            tile[r][v] = simd.mul_add_e_f32s(factor, row[v], tile[r][v]);
        }
    }
}

/// `sum + factor · row`.
#[inline(always)]
pub(super) fn add_row<S: Simd>(
    simd: S,
    mut sum: Vectors<S>,
    factor: f32,
    row: Vectors<S>,
) -> Vectors<S> {
    let factor = simd.splat_f32s(factor);
    for v in 0..VECTORS {
        sum[v] = simd.mul_add_e_f32s(factor, row[v], sum[v]);
    }
    sum
}

/// The elements `columns` of R rows from `first` on, of rows that are `stride` apart.
#[inline(always)]
pub(super) fn rows<const R: usize>(
    values: &[f32],
    stride: usize,
    first: usize,
    columns: Range<usize>,
) -> [&[f32]; R] {
    let mut rows = [&values[..0]; R];
    for (r, row) in rows.iter_mut().enumerate() {
        *row = &values[(first + r) * stride..][columns.clone()];
    }
    rows
}

/// The products of some rows with a panel: `[depth, width]`, one tile wide.
#[inline(always)]
pub(super) fn product<S: Simd, const R: usize>(
    simd: S,
    rows: [&[f32]; R],
    panel: &[f32],
) -> [Vectors<S>; R] {
    let mut tile = [splat(simd, 0.0); R];
    let panel = S::as_simd_f32s(panel).0.as_chunks::<VECTORS>().0;
    let mut rows = rows;
    for row in &mut rows {
        *row = &row[..panel.len()];
    }
    for (d, column) in panel.iter().enumerate() {
        for r in 0..R {
            let factor = simd.splat_f32s(rows[r][d]);
            for v in 0..VECTORS {
                tile[r][v] = simd.mul_add_e_f32s(factor, column[v], tile[r][v]);
            }
        }
    }
    tile
}

/// Copies a row: for few elements, what a call of the library would take.
#[inline(always)]
pub(super) fn copy<S: Simd>(simd: S, from: &[f32], to: &mut [f32]) {
    let (from, to) = (S::as_simd_f32s(from), S::as_mut_simd_f32s(to));
    for (from, to) in from.0.iter().zip(to.0) {
        *to = *from;
    }
    if !from.1.is_empty() {
        simd.partial_store_f32s(to.1, simd.partial_load_f32s(from.1));
    }
}

/// `Σ a_i·b_i`.
#[inline(always)]
pub(super) fn dot<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let (a, b) = (S::as_simd_f32s(a), S::as_simd_f32s(b));
    let mut sum = simd.mul_f32s(simd.partial_load_f32s(a.1), simd.partial_load_f32s(b.1));
    for (a, b) in a.0.iter().zip(b.0) {
        sum = simd.mul_add_e_f32s(*a, *b, sum);
    }
    simd.reduce_sum_f32s(sum)
}

/// Puts a row into column `column` of a panel.
#[inline(always)]
pub(super) fn put_column<S: Simd>(panel: &mut [f32], column: usize, row: &[f32]) {
    for (to, value) in panel.chunks_exact_mut(width::<S>()).zip(row) {
        to[column] = *value;
    }
}

/// The steps that each row of a tile takes part in: row r those from `first[r]` to `end[r]`, both ascending in r.
///
/// A row must not see the other steps even with a factor 0, which NaN and infinities would come through.
#[derive(Clone, Copy)]
pub(super) struct Steps<const R: usize> {
    first: [usize; R],
    end: [usize; R],
}

impl<const R: usize> Steps<R> {
    #[inline(always)]
    pub(super) fn new(of_row: impl Fn(usize) -> Range<usize>) -> Self {
        let (mut first, mut end) = ([0; R], [0; R]);
        for r in 0..R {
            let steps = of_row(r);
            (first[r], end[r]) = (steps.start, steps.end);
        }
        Self { first, end }
    }

    /// From the first step of any row to the last.
    #[inline(always)]
    pub(super) fn all(&self) -> Range<usize> {
        self.first[0]..self.end[R - 1].max(self.first[0])
    }

    /// The steps that every row takes part in.
    #[inline(always)]
    pub(super) fn common(&self) -> Range<usize> {
        let Range { start, end } = self.all();
        let start = self.first[R - 1].clamp(start, end);
        start..self.end[0].clamp(start, end)
    }

    /// The other steps of row `r`: those before the common ones, and those after them.
    #[inline(always)]
    pub(super) fn others(&self, r: usize) -> [Range<usize>; 2] {
        let common = self.common();
        let before = self.first[r]..self.end[r].min(common.start);
        let after = self.first[r].max(common.end)..self.end[r];
        [
            before.start..before.end.max(before.start),
            after.start..after.end.max(after.start),
        ]
    }
}

/// The positions of a tile's columns, which are queries that follow each other.
#[derive(Clone, Copy)]
pub(super) struct Queries<S: Simd> {
    first: usize,
    positions: [S::i32s; VECTORS],
    shape: AttentionShape,
}

impl<S: Simd> Queries<S> {
    /// `positions` counts from 0 and goes as far as the tile.
    #[inline(always)]
    pub(super) fn new(positions: &[i32], first: usize, shape: AttentionShape) -> Self {
        let (vectors, _) = S::as_simd_i32s(&positions[first..first + width::<S>()]);
        Self {
            first,
            positions: vectors.as_chunks::<VECTORS>().0[0],
            shape,
        }
    }

    /// Whether all of them look at all of `keys`.
    #[inline(always)]
    pub(super) fn see(&self, keys: Range<usize>) -> bool {
        let end = self.first + width::<S>();
        keys.end <= self.first + 1 && self.shape.end_of_queries(keys.start, end) == end
    }

    /// `values` where the query looks at `key`, `hidden` elsewhere.
    #[inline(always)]
    pub(super) fn visible(
        &self,
        simd: S,
        key: usize,
        values: Vectors<S>,
        hidden: f32,
    ) -> Vectors<S> {
        let hidden = simd.splat_f32s(hidden);
        let last = self.shape.end_of_queries(key, i32::MAX as usize);
        let (key, end) = (simd.splat_i32s(key as i32), simd.splat_i32s(last as i32));
        let mut values = values;
        for v in 0..VECTORS {
            let before = simd.less_than_i32s(self.positions[v], key);
            let value = select(simd, before, hidden, values[v]);
            let within = simd.less_than_i32s(self.positions[v], end);
            values[v] = select(simd, within, value, hidden);
        }
        values
    }
}

/// `e^x` as [`exp`](crate::kernels::math::exp) has it, for x that is not above 88, −∞ or NaN.
#[inline(always)]
pub(super) fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    const ROUND: f32 = 12_582_912.0;
    let splat = |value| simd.splat_f32s(value);
    let shifted = simd.mul_add_e_f32s(x, splat(std::f32::consts::LOG2_E), splat(ROUND));
    let n = simd.sub_f32s(shifted, splat(ROUND));
    let r = simd.negate_mul_add_e_f32s(n, splat(0.693_359_4), x);
    let r = simd.negate_mul_add_e_f32s(n, splat(-2.121_944_4e-4), r);
    let mut p = splat(1.987_569_2e-4);
    for coefficient in [
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_6e-1,
        0.5,
        1.0,
        1.0,
    ] {
        p = simd.mul_add_e_f32s(p, r, splat(coefficient));
    }
    let bias = simd.splat_u32s(ROUND.to_bits().wrapping_sub(127));
    let exponent = simd.sub_u32s(simd.transmute_u32s_f32s(shifted), bias);
    let scale = simd.wrapping_dyn_shl_u32s(exponent, simd.splat_u32s(23));
    let value = simd.mul_f32s(p, simd.transmute_f32s_u32s(scale));
    let vanishes = simd.less_than_f32s(x, splat(-87.3));
    select(simd, vanishes, splat(0.0), value)
}
