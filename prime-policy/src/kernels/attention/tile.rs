//! Tiles of sums in registers, and the rows and panels that they are made from.

use std::ops::Range;

use pulp::Simd;

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
pub(super) fn select<S: Simd>(simd: S, mask: S::m32s, yes: S::f32s, no: S::f32s) -> S::f32s {
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
