//! Queries in the columns of a tile.

use std::ops::Range;

use pulp::Simd;

use super::AttentionShape;
use super::tile::{VECTORS, Vectors, select, width};

/// 0, 1, 2, … as far as the tiles of `time` queries go.
pub(super) fn positions<S: Simd>(time: usize) -> Vec<i32> {
    (0..time.next_multiple_of(width::<S>()) as i32).collect()
}

/// The positions of a tile's columns, which are queries that follow each other.
#[derive(Clone, Copy)]
pub(super) struct Queries<S: Simd> {
    first: usize,
    positions: [S::i32s; VECTORS],
    shape: AttentionShape,
}

impl<S: Simd> Queries<S> {
    /// Those from `first` on; `positions` is what [`positions`] returns.
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
        mut values: Vectors<S>,
        hidden: f32,
    ) -> Vectors<S> {
        let hidden = simd.splat_f32s(hidden);
        let last = self.shape.end_of_queries(key, i32::MAX as usize);
        let (key, end) = (simd.splat_i32s(key as i32), simd.splat_i32s(last as i32));
        for (value, position) in values.iter_mut().zip(self.positions) {
            let before = simd.less_than_i32s(position, key);
            let within = simd.less_than_i32s(position, end);
            *value = select(simd, before, hidden, *value);
            *value = select(simd, within, *value, hidden);
        }
        values
    }
}
