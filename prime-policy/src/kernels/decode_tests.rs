//! The kernels that decode over a cache: fused against composed, and in place.

use burn::tensor::{Device, Distribution, Tensor, TensorData, Tolerance};

use super::{AttentionShape, composed, fused};

fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), &Device::flex())
}

fn assert_close<const D: usize>(a: Tensor<D>, b: Tensor<D>) {
    let (a, b) = (a.into_data(), b.into_data());
    a.assert_approx_eq::<f32>(&b, Tolerance::absolute(2e-5));
}

/// Where the elements of a tensor are.
fn address(tensor: &Tensor<4>) -> usize {
    fused::address(tensor.clone())
}

#[test]
fn decode_attention_equals_composed_and_spares_the_other_rows() {
    Device::flex().seed(5);
    for (lengths, rows, heads, kv_heads, head_dim) in [
        (vec![0, 3, 6], 3, 4, 2, 8),
        (vec![2], 4, 3, 1, 6),
        (vec![5, 1], 3, 2, 2, 10),
    ] {
        let (batch, capacity) = (lengths.len(), 7);
        let shape = AttentionShape {
            heads,
            kv_heads,
            head_dim,
            window: None,
        };
        let qkv = [heads, kv_heads, kv_heads].map(|n| random([batch, n * head_dim]));
        let angles: Tensor<2> = random([batch, head_dim / 2]);
        let caches = || [0, 1].map(|_| random::<4>([rows, kv_heads, capacity, head_dim]));
        let [mut fused_keys, mut fused_values] = caches();
        let [mut keys, mut values] = [fused_keys.clone(), fused_values.clone()];
        let [old_keys, old_values] = [fused_keys.clone(), fused_values.clone()];
        let rope = || [angles.clone().cos(), angles.clone().sin()];
        let fused = super::decode_attention(
            shape,
            &lengths,
            qkv.clone(),
            rope(),
            [&mut fused_keys, &mut fused_values],
        );
        let plain =
            composed::decode_attention(shape, &lengths, qkv, rope(), [&mut keys, &mut values]);
        assert_close(fused, plain);
        let changed = (fused_keys.clone() - old_keys.clone()).abs().sum_dim(3);
        let changed = changed.into_data();
        for (at, &change) in changed.as_slice::<f32>().unwrap().iter().enumerate() {
            let (row, slot) = (at / (kv_heads * capacity), at % capacity);
            assert_eq!(change != 0.0, lengths.get(row) == Some(&slot));
        }
        assert_close(fused_keys, keys);
        assert_close(fused_values, values);
        drop((old_keys, old_values));
    }
}

#[test]
fn rows_are_copied_and_moved_as_composed() {
    Device::flex().seed(6);
    let source: Tensor<4> = random([2, 3, 5, 4]);
    let cache: Tensor<4> = random([4, 3, 9, 4]);
    let (mut fused, mut plain) = (cache.clone(), cache.clone());
    super::copy_row(&mut fused, 2, &source, 1, 4);
    composed::copy_row(&mut plain, 2, &source, 1, 4);
    let copied = fused.clone().slice([2..3, 0..3, 0..4, 0..4]);
    assert_same(&copied, &source.slice([1..2, 0..3, 0..4, 0..4]));
    assert_same(&fused, &plain);
    super::move_row(&mut fused, 0, 3, 7);
    composed::move_row(&mut plain, 0, 3, 7);
    let moved = fused.clone().slice([0..1, 0..3, 0..7, 0..4]);
    assert_same(&moved, &cache.slice([3..4, 0..3, 0..7, 0..4]));
    assert_same(&fused, &plain);
}

fn assert_same(a: &Tensor<4>, b: &Tensor<4>) {
    let data: [TensorData; 2] = [a.to_data(), b.to_data()];
    data[0].assert_eq(&data[1], true);
}

#[test]
fn a_cache_stays_where_it_is() {
    let shape = AttentionShape {
        heads: 2,
        kv_heads: 1,
        head_dim: 4,
        window: None,
    };
    let [mut keys, mut values] = [0, 1].map(|_| random::<4>([3, 1, 6, 4]));
    let source: Tensor<4> = random([1, 1, 3, 4]);
    let before = [address(&keys), address(&values)];
    for length in 3..6 {
        for cache in [&mut keys, &mut values] {
            super::copy_row(cache, 0, &source, 0, 3);
            super::move_row(cache, 1, 0, 3);
        }
        let qkv = [2, 1, 1].map(|n| random([2, n * 4]));
        let rope = [random([2, 2]), random([2, 2])];
        let lengths = [length; 2];
        super::decode_attention(shape, &lengths, qkv, rope, [&mut keys, &mut values]);
    }
    assert_eq!(before, [address(&keys), address(&values)]);
}
