//! The operations of [`super`] in terms of burn's tensor operations, for any backend.

use burn::tensor::{IndexingUpdateOp, Int, Tensor, TensorData, activation};

use super::{AttentionShape, Ragged, as_f32};

/// See [`super::linear`].
pub(crate) fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    let out = x.matmul(weight);
    match bias {
        Some(bias) => out + bias.unsqueeze(),
        None => out,
    }
}

/// See [`super::rms_norm`].
pub(crate) fn rms_norm(x: Tensor<2>, weight: Tensor<1>, eps: f64) -> Tensor<2> {
    let inverse = x
        .clone()
        .square()
        .mean_dim(1)
        .add_scalar(eps)
        .sqrt()
        .recip();
    x * inverse * weight.unsqueeze()
}

/// See [`super::swiglu`].
pub(crate) fn swiglu(gate: Tensor<2>, up: Tensor<2>) -> Tensor<2> {
    activation::silu(gate) * up
}

/// Rotates the halves of the last axis of `x` (`[batch, heads, time, head_dim]`); `cos` and `sin` are
/// broadcastable to `[batch, heads, time, head_dim/2]`.
pub(crate) fn rotate(x: Tensor<4>, cos: Tensor<4>, sin: Tensor<4>) -> Tensor<4> {
    let [lo, hi] = halves(x);
    Tensor::cat(
        vec![
            lo.clone() * cos.clone() - hi.clone() * sin.clone(),
            hi * cos + lo * sin,
        ],
        3,
    )
}

fn halves(x: Tensor<4>) -> [Tensor<4>; 2] {
    let half = x.dims()[3] / 2;
    [x.clone().narrow(3, 0, half), x.narrow(3, half, half)]
}

/// `[batch·time, heads·head_dim]` to `[batch, heads, time, head_dim]`.
pub(crate) fn split_heads(x: Tensor<2>, batch: usize, time: usize, head_dim: usize) -> Tensor<4> {
    let heads = x.dims()[1] / head_dim;
    x.reshape([batch, time, heads, head_dim]).swap_dims(1, 2)
}

/// The inverse of [`split_heads`].
pub(crate) fn merge_heads(x: Tensor<4>) -> Tensor<2> {
    let [batch, heads, time, head_dim] = x.dims();
    x.swap_dims(1, 2).reshape([batch * time, heads * head_dim])
}

/// Attention of `q` (`[batch, heads, queries, head_dim]`) over `k`, `v` (`[batch, kv_heads, keys, head_dim]`)
/// with `mask` added to the scores (broadcastable to `[batch, heads, queries, keys]`). Both products are in the operands'
/// element type, the softmax between them in f32.
pub(crate) fn attend(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    mask: Option<Tensor<4>>,
    scale: f32,
) -> Tensor<4> {
    let [batch, heads, queries, head_dim] = q.dims();
    let [_, kv_heads, keys, _] = k.dims();
    let (group, dtype) = (heads / kv_heads, v.dtype());
    let q = q.reshape([batch, kv_heads, group * queries, head_dim]);
    let mut scores = as_f32(q.matmul(k.swap_dims(2, 3)))
        .mul_scalar(scale)
        .reshape([batch, heads, queries, keys]);
    if let Some(mask) = mask {
        scores = scores + mask;
    }
    activation::softmax(scores, 3)
        .cast(dtype)
        .reshape([batch, kv_heads, group * queries, keys])
        .matmul(v)
        .reshape([batch, heads, queries, head_dim])
}

/// See [`super::causal_attention`].
///
/// Sequences of different lengths are padded for it: what follows is as if they had been so all along.
pub(crate) fn causal_attention(
    shape: AttentionShape,
    ragged: &Ragged,
    q: Tensor<2>,
    k: Tensor<2>,
    v: Tensor<2>,
    cos: Tensor<2>,
    sin: Tensor<2>,
) -> Tensor<2> {
    if !ragged.is_even() {
        let even = Ragged::even(ragged.sequences(), ragged.longest());
        let indices = |rows: Vec<i64>| {
            let length = rows.len();
            Tensor::<1, Int>::from_data(TensorData::new(rows, [length]), &q.device())
        };
        let (padded, unpadded) = (indices(ragged.padded()), indices(ragged.unpadded()));
        let [q, k, v] = [q, k, v].map(|x| x.select(0, padded.clone()));
        return causal_attention(shape, &even, q, k, v, cos, sin).select(0, unpadded);
    }
    let (batch, time, head_dim) = (ragged.sequences(), ragged.longest(), shape.head_dim);
    let device = q.device();
    let (cos, sin) = (cos.unsqueeze::<4>(), sin.unsqueeze::<4>());
    let dtype = v.dtype();
    let turned = |x: Tensor<2>| {
        let x = split_heads(as_f32(x), batch, time, head_dim);
        rotate(x, cos.clone(), sin.clone()).cast(dtype)
    };
    let (q, k) = (turned(q), turned(k));
    let v = split_heads(v, batch, time, head_dim);
    let ones = || Tensor::<2>::ones([time, time], &device);
    let mut unseen = ones().triu(1);
    if let Some(window) = shape.window.filter(|&window| window < time) {
        unseen = unseen + ones().tril(-(window as i64));
    }
    let mask = unseen.mul_scalar(-1e30).unsqueeze::<4>();
    merge_heads(attend(q, k, v, Some(mask), shape.scale()))
}

/// See [`super::decode_attention`].
pub(crate) fn decode_attention(
    shape: AttentionShape,
    lengths: &[usize],
    [q, k, v]: [Tensor<2>; 3],
    [cos, sin]: [Tensor<2>; 2],
    [keys, values]: [&mut Tensor<4>; 2],
) -> Tensor<2> {
    let (batch, head_dim) = (lengths.len(), shape.head_dim);
    let device = q.device();
    let [rows, kv_heads, capacity, _] = keys.dims();
    let tables = |t: Tensor<2>| t.reshape([batch, 1, 1, head_dim / 2]);
    let (cos, sin) = (tables(cos), tables(sin));
    let dtype = v.dtype();
    let turned = |x: Tensor<2>| {
        let x = split_heads(as_f32(x), batch, 1, head_dim);
        rotate(x, cos.clone(), sin.clone()).cast(dtype)
    };
    let (q, k) = (turned(q), turned(k));
    let v = split_heads(v, batch, 1, head_dim);
    let flat = |row: usize, head: usize| ((row * kv_heads + head) * capacity + lengths[row]) as i64;
    let new: Vec<i64> = (0..batch)
        .flat_map(|row| (0..kv_heads).map(move |head| flat(row, head)))
        .collect();
    let new = Tensor::<1, Int>::from_data(TensorData::new(new, [batch * kv_heads]), &device);
    for (cache, x) in [(&mut *keys, k), (&mut *values, v)] {
        let x = x.reshape([batch * kv_heads, head_dim]);
        super::replace(cache, |cache| {
            cache
                .reshape([rows * kv_heads * capacity, head_dim])
                .select_assign(0, new.clone(), x, IndexingUpdateOp::Assign)
                .reshape([rows, kv_heads, capacity, head_dim])
        });
    }
    let longest = lengths.iter().max().map_or(0, |&length| length + 1);
    let unseen: Vec<f32> = lengths
        .iter()
        .flat_map(|&length| {
            let seen = shape.first_key(length)..=length;
            (0..longest).map(move |slot| if seen.contains(&slot) { 0.0 } else { -1e30 })
        })
        .collect();
    let mask = Tensor::<4>::from_data(TensorData::new(unseen, [batch, 1, 1, longest]), &device);
    let read = |cache: &Tensor<4>| cache.clone().narrow(0, 0, batch).narrow(2, 0, longest);
    merge_heads(attend(
        q,
        read(keys),
        read(values),
        Some(mask),
        shape.scale(),
    ))
}

/// See [`super::copy_row`].
pub(crate) fn copy_row(
    cache: &mut Tensor<4>,
    to: usize,
    source: &Tensor<4>,
    from: usize,
    length: usize,
) {
    set_row(cache, to, row(source, from, length));
}

/// See [`super::move_row`].
pub(crate) fn move_row(cache: &mut Tensor<4>, to: usize, from: usize, length: usize) {
    let row = row(cache, from, length);
    set_row(cache, to, row);
}

fn row(cache: &Tensor<4>, row: usize, length: usize) -> Tensor<4> {
    let [_, heads, _, head_dim] = cache.dims();
    cache
        .clone()
        .slice([row..row + 1, 0..heads, 0..length, 0..head_dim])
}

fn set_row(cache: &mut Tensor<4>, to: usize, row: Tensor<4>) {
    let [_, heads, length, head_dim] = row.dims();
    let place = [to..to + 1, 0..heads, 0..length, 0..head_dim];
    super::replace(cache, |cache| cache.slice_assign(place, row));
}

/// See [`super::log_prob_entropy`].
pub(crate) fn log_prob_entropy(
    logits: Tensor<2>,
    targets: Tensor<1, Int>,
    temperature: f32,
) -> Tensor<2> {
    let log_probs = activation::log_softmax(logits.div_scalar(temperature), 1);
    let chosen = log_probs.clone().gather(1, targets.unsqueeze_dim(1));
    let entropy = (log_probs.clone().exp() * log_probs).sum_dim(1).neg();
    Tensor::cat(vec![chosen, entropy], 1)
}
