//! Linear layers of the decoder, with or without a low-rank adapter.

use burn::nn::Linear;
use burn::tensor::Tensor;

use crate::kernels;

/// `x · W (+ b)`: `[n, in]` to `[n, out]`.
///
/// A layer with an adapter is `x · W₀ (+ b) + ((x · A) · scale) · B` (Hu et al. 2021, eq. 3), which is what burn's
/// `x · (W₀ + scale · A · B)` is too. Taken apart like this, no dense weight is composed or kept for the backward pass,
/// and none gets a dense gradient: W₀ is frozen, so that autodiff sees a constant.
pub(crate) fn project(layer: &Linear, x: Tensor<2>) -> Tensor<2> {
    let bias = layer.bias.as_ref().map(|bias| bias.val());
    let Some(adapter) = layer.weight.adapter() else {
        return kernels::linear(x, layer.weight.val(), bias);
    };
    let low = kernels::linear(x.clone(), adapter.a.val(), None).mul_scalar(adapter.scale);
    kernels::linear(x, layer.weight.base(), bias) + kernels::linear(low, adapter.b.val(), None)
}
