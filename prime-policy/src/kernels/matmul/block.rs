//! Outputs that stay in registers while the terms of their sums pass by.

use std::ops::Range;

use pulp::Simd;

/// Rows of x, and vectors of columns, in registers: 6 · 2 sums, 2 weights and 1 factor fit AVX2's sixteen.
pub(super) const ROWS: usize = 6;
pub(super) const VECTORS: usize = 2;

/// How many of `left` rows the next block takes, at most [`ROWS`]: two blocks of about the same size rather than a full
/// one and a single row.
#[inline(always)]
pub(super) fn size(left: usize) -> usize {
    match left {
        ..=ROWS => left,
        7..=10 => left.div_ceil(2),
        13..=15 => 5,
        _ => ROWS,
    }
}

/// Adds the products of R rows of x (as long as the panel is deep) with a panel of weights, one pair of vectors for each
/// depth, to the columns `at` of R rows.
#[inline(always)]
pub(super) fn add_rows<S: Simd, const R: usize>(
    simd: S,
    mut rows: [&[f32]; R],
    panel: &[[S::f32s; VECTORS]],
    out: &mut [&mut [f32]],
    at: &Range<usize>,
) {
    // Loops, because closures would not be compiled for the processor's vectors.
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; R];
    for r in 0..R {
        rows[r] = &rows[r][..panel.len()];
        sums[r] = load(simd, &out[r][at.clone()]);
    }
    for (d, weights) in panel.iter().enumerate() {
        for r in 0..R {
            let factor = simd.splat_f32s(rows[r][d]);
            for v in 0..VECTORS {
                sums[r][v] = simd.mul_add_e_f32s(factor, weights[v], sums[r][v]);
            }
        }
    }
    for r in 0..R {
        store(simd, sums[r], &mut out[r][at.clone()]);
    }
}

/// [`add_rows`] for x by columns: its R elements at the first depth lie together at the start of `x`, those at the next
/// depth `stride` elements later.
#[inline(always)]
pub(super) fn add_columns<S: Simd, const R: usize>(
    simd: S,
    x: &[f32],
    stride: usize,
    panel: &[[S::f32s; VECTORS]],
    out: &mut [&mut [f32]],
    at: &Range<usize>,
) {
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; R];
    for r in 0..R {
        sums[r] = load(simd, &out[r][at.clone()]);
    }
    for (factors, weights) in x.chunks(stride).zip(panel) {
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

/// [`add_columns`] for x whose elements at one depth follow those at the one before.
#[inline(always)]
pub(super) fn add_grouped<S: Simd, const R: usize>(
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
