//! Linear layers of the decoder, with or without a low-rank adapter.

use burn::nn::Linear;
use burn::tensor::{DType, Tensor};

use crate::kernels::{self, as_f32};

/// `x · W (+ b)`: `[n, in]` in the type that is computed in, to `[n, out]` in f32.
///
/// The products are in the element type of x, to which weights of another type are brought (their gradients come back in
/// their own); what they give is summed in f32, with each other and with the bias.
///
/// A layer with an adapter is `x · W₀ (+ b) + ((x · A) · scale) · B` (Hu et al. 2021, eq. 3), which is what burn's
/// `x · (W₀ + scale · A · B)` is too. Taken apart like this, no dense weight is composed or kept for the backward pass,
/// and none gets a dense gradient: W₀ is frozen, so that autodiff sees a constant.
pub(crate) fn project(layer: &Linear, x: Tensor<2>) -> Tensor<2> {
    let dtype = x.dtype();
    let bias = layer.bias.as_ref().map(|bias| bias.val());
    let Some(adapter) = layer.weight.adapter() else {
        return affine(x, layer.weight.val(), bias);
    };
    let low = kernels::linear(x.clone(), adapter.a.val().cast(dtype), None);
    let low = low.mul_scalar(adapter.scale);
    affine(x, layer.weight.base(), bias) + affine(low, adapter.b.val(), None)
}

fn affine(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    let weight = weight.cast(x.dtype());
    let bias = bias.map(as_f32);
    if x.dtype() == DType::F32 {
        return kernels::linear(x, weight, bias);
    }
    let product = as_f32(kernels::linear(x, weight, None));
    match bias {
        Some(bias) => product + bias.unsqueeze(),
        None => product,
    }
}
