//! The decoder's non-matmul operations.
//!
//! On the CPU backend each is one fused kernel with a hand-written gradient; everywhere else it is composed
//! of burn's tensor operations ([`composed`]), which are also what the tests hold the kernels against.

#[cfg(feature = "flex")]
mod attention;
pub(crate) mod composed;
#[cfg(feature = "flex")]
mod fused;
pub(crate) mod head;
pub(crate) mod math;
#[cfg(feature = "flex")]
mod matmul;
pub(crate) mod ragged;
#[cfg(feature = "flex")]
mod rows;
pub(crate) mod threads;

use burn::tensor::{FloatDType, Int, Tensor};

pub(crate) use ragged::Ragged;

/// Sizes of a causal self-attention.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttentionShape {
    pub heads: usize,
    pub kv_heads: usize,
    pub head_dim: usize,
    /// How many tokens a query looks at, its own included; `None`: all before it.
    pub window: Option<usize>,
}

impl AttentionShape {
    /// The first position that a query at `position` looks at.
    pub(crate) fn first_key(&self, position: usize) -> usize {
        match self.window {
            Some(window) => (position + 1).saturating_sub(window),
            None => 0,
        }
    }

    /// 1/√head_dim.
    pub(crate) fn scale(&self) -> f32 {
        (self.head_dim as f32).powf(-0.5)
    }
}

macro_rules! dispatch {
    ($probe:expr, $name:ident($($arg:expr),* $(,)?)) => {{
        #[cfg(feature = "flex")]
        match fused::placement(&$probe) {
            fused::Placement::Inference => return fused::inference::$name($($arg),*),
            fused::Placement::Autodiff => return fused::autodiff::$name($($arg),*),
            fused::Placement::Elsewhere => {}
        }
        composed::$name($($arg),*)
    }};
}

/// `x` in f32: what softmax, norms and sums are computed in, whatever products are.
pub(crate) fn as_f32<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.cast(FloatDType::F32)
}

/// `x / rms(x) · weight` over the last axis. `x`: `[rows, width]`.
pub(crate) fn rms_norm(x: Tensor<2>, weight: Tensor<1>, eps: f64) -> Tensor<2> {
    dispatch!(x, rms_norm(x, weight, eps))
}

/// `silu(gate) · up`. Both `[rows, width]`.
pub(crate) fn swiglu(gate: Tensor<2>, up: Tensor<2>) -> Tensor<2> {
    dispatch!(gate, swiglu(gate, up))
}

/// `x · weight (+ bias)`: `[rows, in]`, `[in, out]` and `[out]` to `[rows, out]`. Transposed and narrowed views
/// are not copied on the CPU.
pub(crate) fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    #[cfg(feature = "flex")]
    return matmul::linear(x, weight, bias);
    #[cfg(not(feature = "flex"))]
    composed::linear(x, weight, bias)
}

/// Causal attention of each sequence over itself, within the shape's window, with rotary positions from 0. `q`:
/// `[tokens, heads·head_dim]`, `k` and `v`: `[tokens, kv_heads·head_dim]`, where `ragged` says which rows are one sequence;
/// `cos` and `sin`: `[longest, head_dim/2]`. Returns q's shape.
///
/// The two products are in the element type of `v`, and so is what comes out; `q`, `k`, `cos` and `sin`, the rotation and
/// the softmax are f32.
pub(crate) fn causal_attention(
    shape: AttentionShape,
    ragged: &Ragged,
    q: Tensor<2>,
    k: Tensor<2>,
    v: Tensor<2>,
    cos: Tensor<2>,
    sin: Tensor<2>,
) -> Tensor<2> {
    dispatch!(v, causal_attention(shape, ragged, q, k, v, cos, sin))
}

/// Log-prob of `targets` (`[rows]`) and entropy of each row of `logits / temperature` (`[rows, vocab]`):
/// `[rows, 2]`.
pub(crate) fn log_prob_entropy(
    logits: Tensor<2>,
    targets: Tensor<1, Int>,
    temperature: f32,
) -> Tensor<2> {
    dispatch!(logits, log_prob_entropy(logits, targets, temperature))
}

/// Attention of one new token per row over a key/value cache, within the shape's window.
///
/// `q`, `k`, `v`: the token's projections, `[rows, heads·head_dim]` and twice `[rows, kv_heads·head_dim]`;
/// `cos`, `sin`: `[rows, head_dim/2]` at each row's position. The rotated key and the value are written to slot
/// `lengths[row]` of `keys` and `values` (`[≥ rows, kv_heads, capacity, head_dim]`) first; cache rows beyond those
/// of q are left alone. Returns q's shape. Element types are those of [`causal_attention`]; the cache has v's.
pub(crate) fn decode_attention(
    shape: AttentionShape,
    lengths: &[usize],
    qkv: [Tensor<2>; 3],
    rope: [Tensor<2>; 2],
    cache: [&mut Tensor<4>; 2],
) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if let fused::Placement::Inference = fused::placement(&qkv[2]) {
        return fused::inference::decode_attention(shape, lengths, qkv, rope, cache);
    }
    composed::decode_attention(shape, lengths, qkv, rope, cache)
}

/// Copies the first `length` slots of row `from` of `source` to row `to` of `cache`; both are
/// `[rows, kv_heads, capacity, head_dim]` and may differ in rows and capacity.
pub(crate) fn copy_row(
    cache: &mut Tensor<4>,
    to: usize,
    source: &Tensor<4>,
    from: usize,
    length: usize,
) {
    #[cfg(feature = "flex")]
    if let fused::Placement::Inference = fused::placement(cache) {
        return fused::inference::copy_row(cache, to, source, from, length);
    }
    composed::copy_row(cache, to, source, from, length)
}

/// [`copy_row`] inside one cache.
pub(crate) fn move_row(cache: &mut Tensor<4>, to: usize, from: usize, length: usize) {
    #[cfg(feature = "flex")]
    if let fused::Placement::Inference = fused::placement(cache) {
        return fused::inference::move_row(cache, to, from, length);
    }
    composed::move_row(cache, to, from, length)
}

/// Replaces a tensor by a function of itself without keeping a second handle, so that it can be updated in place.
pub(crate) fn replace<const D: usize>(
    slot: &mut Tensor<D>,
    f: impl FnOnce(Tensor<D>) -> Tensor<D>,
) {
    let placeholder = Tensor::empty([0; D], &slot.device());
    let owned = std::mem::replace(slot, placeholder);
    *slot = f(owned);
}

#[cfg(all(test, feature = "flex"))]
mod decode_tests;
#[cfg(all(test, feature = "flex"))]
mod rounding_tests;
#[cfg(all(test, feature = "flex"))]
mod tests;
