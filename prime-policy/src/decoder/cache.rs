//! Keys and values of the tokens already read, for decoding one token at a time.

use burn::tensor::{DType, Device, Tensor};

use crate::compute::ComputeDtype;
use crate::kernels::{self, AttentionShape, composed};

/// Rotated keys and values of one layer, each `[rows, kv_heads, capacity, head_dim]`.
#[derive(Debug, Clone)]
pub(crate) struct LayerCache {
    keys: Tensor<4>,
    values: Tensor<4>,
}

impl LayerCache {
    /// An empty cache of this shape (`[rows, kv_heads, capacity, head_dim]`), for keys and values of this type.
    pub(crate) fn empty(shape: [usize; 4], dtype: ComputeDtype, device: &Device) -> Self {
        let room = || Tensor::zeros(shape, (device, DType::from(dtype.float())));
        Self {
            keys: room(),
            values: room(),
        }
    }

    /// A cache of `capacity` tokens a row that starts with the given projections of whole sequences.
    pub(crate) fn fill(
        shape: AttentionShape,
        [batch, time]: [usize; 2],
        capacity: usize,
        k: Tensor<2>,
        v: Tensor<2>,
        cos: Tensor<2>,
        sin: Tensor<2>,
    ) -> Self {
        let AttentionShape {
            kv_heads, head_dim, ..
        } = shape;
        let dtype = v.dtype();
        let k = composed::split_heads(kernels::as_f32(k), batch, time, head_dim);
        let k = composed::rotate(k, cos.unsqueeze::<4>(), sin.unsqueeze::<4>()).cast(dtype);
        let v = composed::split_heads(v, batch, time, head_dim);
        let room = |x: Tensor<4>| {
            let options = (&x.device(), dtype);
            Tensor::zeros([batch, kv_heads, capacity, head_dim], options)
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

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::config::DecoderConfig;
    use crate::lm::{CausalLm, KvCache};

    #[test]
    fn keys_and_values_are_kept_in_the_type_that_is_computed_in() {
        let device = Device::flex();
        let config = DecoderConfig::new(11, 8, 12, 2, 2);
        for (compute, dtype) in [
            (ComputeDtype::Float32, DType::F32),
            (ComputeDtype::BFloat16, DType::BF16),
        ] {
            let fresh = config.init(&device).expect("a shape");
            let model = fresh.with_compute_dtype(compute).expect("the CPU has both");
            let assert_types = |cache: &DecoderCache| {
                for layer in &cache.layers {
                    assert_eq!(layer.keys.dtype(), dtype);
                    assert_eq!(layer.values.dtype(), dtype);
                }
            };
            let prompt = Tensor::from_data([[1, 5, 3]], &device);
            let (_, read) = model.prefill(prompt, &[3], 4);
            assert_types(&read);
            let mut cache = model.cache(2, 5);
            assert_types(&cache);
            cache.copy_row(1, &read, 0);
            cache.move_row(0, 1);
            model.decode(Tensor::from_data([7, 2], &device), &mut cache);
            assert_types(&cache);
            assert_eq!(cache.lengths(), [4, 4]);
        }
    }
}
