//! Keys and values of the tokens already read, for decoding one token at a time.

use burn::tensor::Tensor;

use crate::kernels::{self, AttentionShape, composed};

/// Rotated keys and values of one layer, each `[rows, kv_heads, capacity, head_dim]`.
#[derive(Debug, Clone)]
pub(crate) struct LayerCache {
    keys: Tensor<4>,
    values: Tensor<4>,
}

impl LayerCache {
    /// An empty cache of this shape and the place and element type of `like`.
    pub(crate) fn empty(
        [rows, kv_heads, capacity, head_dim]: [usize; 4],
        like: &Tensor<1>,
    ) -> Self {
        let room = || {
            let options = (&like.device(), like.dtype());
            Tensor::zeros([rows, kv_heads, capacity, head_dim], options)
        };
        Self {
            keys: room(),
            values: room(),
        }
    }

    /// A cache of `capacity` tokens a row that starts with the given projections of whole sequences.
    pub(crate) fn fill(
        shape: AttentionShape,
        capacity: usize,
        k: Tensor<2>,
        v: Tensor<2>,
        cos: Tensor<2>,
        sin: Tensor<2>,
    ) -> Self {
        let AttentionShape {
            batch,
            time,
            kv_heads,
            head_dim,
            ..
        } = shape;
        let k = composed::split_heads(k, batch, time, head_dim);
        let k = composed::rotate(k, cos.unsqueeze::<4>(), sin.unsqueeze::<4>());
        let v = composed::split_heads(v, batch, time, head_dim);
        let room = |x: Tensor<4>| {
            let device = x.device();
            Tensor::zeros([batch, kv_heads, capacity, head_dim], &device)
                .slice_assign([0..batch, 0..kv_heads, 0..time, 0..head_dim], x)
        };
        Self {
            keys: room(k),
            values: room(v),
        }
    }

    /// Appends one token per row at slot `lengths[row]` and attends over what each row then holds.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn attend(
        &mut self,
        shape: AttentionShape,
        lengths: &[usize],
        q: Tensor<2>,
        k: Tensor<2>,
        v: Tensor<2>,
        cos: Tensor<2>,
        sin: Tensor<2>,
    ) -> Tensor<2> {
        kernels::decode_attention(
            shape,
            lengths,
            [q, k, v],
            [cos, sin],
            [&mut self.keys, &mut self.values],
        )
    }

    fn copy_row(&mut self, to: usize, source: &Self, from: usize, length: usize) {
        kernels::copy_row(&mut self.keys, to, &source.keys, from, length);
        kernels::copy_row(&mut self.values, to, &source.values, from, length);
    }

    fn move_row(&mut self, to: usize, from: usize, length: usize) {
        kernels::move_row(&mut self.keys, to, from, length);
        kernels::move_row(&mut self.values, to, from, length);
    }
}

/// The key/value cache of a [`Decoder`](super::Decoder): rows of different lengths that share one capacity.
#[derive(Debug, Clone)]
pub struct DecoderCache {
    pub(super) layers: Vec<LayerCache>,
    pub(super) lengths: Vec<usize>,
    pub(super) capacity: usize,
}

impl crate::lm::KvCache for DecoderCache {
    fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    fn capacity(&self) -> usize {
        self.capacity
    }

    fn copy_row(&mut self, to: usize, source: &Self, from: usize) {
        let length = source.lengths[from];
        for (layer, source) in self.layers.iter_mut().zip(&source.layers) {
            layer.copy_row(to, source, from, length);
        }
        self.lengths[to] = length;
    }

    fn move_row(&mut self, to: usize, from: usize) {
        let length = self.lengths[from];
        for layer in &mut self.layers {
            layer.move_row(to, from, length);
        }
        self.lengths[to] = length;
    }
}
