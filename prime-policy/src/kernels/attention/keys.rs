//! Keys and values of one head in one sequence, where tiles read them.

use std::ops::Range;

use pulp::Simd;

use super::AttentionShape;
use super::rotary::Rotary;
use super::tile;

/// Keys, rotated, and values: each `[longest + ROWS, stride]`, so that a tile may begin with any of them, and zeros where
/// there is none.
pub(super) struct KeyValues {
    pub(super) keys: Vec<f32>,
    pub(super) values: Vec<f32>,
    /// head_dim rounded up to whole tiles.
    pub(super) stride: usize,
    shape: AttentionShape,
}

impl KeyValues {
    pub(super) fn new<S: Simd>(shape: AttentionShape, longest: usize) -> Self {
        let stride = tile::padded::<S>(shape.head_dim);
        let room = || vec![0.0; (longest + tile::ROWS) * stride];
        Self {
            keys: room(),
            values: room(),
            stride,
            shape,
        }
    }

    /// Reads those of head `kv_head` in `rows` of the projections.
    #[inline(always)]
    pub(super) fn read<S: Simd>(
        &mut self,
        simd: S,
        [k, v]: [&[f32]; 2],
        rotary: Rotary<'_>,
        rows: &Range<usize>,
        kv_head: usize,
    ) {
        let AttentionShape {
            kv_heads, head_dim, ..
        } = self.shape;
        for t in 0..rows.len() {
            let from = ((rows.start + t) * kv_heads + kv_head) * head_dim;
            let from = from..from + head_dim;
            let to = t * self.stride..t * self.stride + head_dim;
            rotary.rotate(simd, t, 1.0, &k[from.clone()], &mut self.keys[to.clone()]);
            tile::copy(simd, &v[from], &mut self.values[to]);
        }
        // A longer sequence may have been here before.
        let beyond = rows.len() * self.stride..(rows.len() + tile::ROWS) * self.stride;
        self.keys[beyond.clone()].fill(0.0);
        self.values[beyond].fill(0.0);
    }
}
