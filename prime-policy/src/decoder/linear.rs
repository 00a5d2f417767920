//! Linear layers of the decoder, with or without a low-rank adapter.

use burn::nn::Linear;
use burn::tensor::Tensor;

use crate::kernels;

/// `x · W (+ b)`: `[n, in]` to `[n, out]`.
///
/// With an adapter, `x · W (+ b) + scale · (x · A) · B` (Hu et al. 2021): the dense `A · B` is never composed, and a
/// frozen W gets no gradient.
pub(crate) fn project(layer: &Linear, x: Tensor<2>) -> Tensor<2> {
    let bias = layer.bias.as_ref().map(|bias| bias.val());
    let Some(adapter) = layer.weight.adapter() else {
        return kernels::linear(x, layer.weight.val(), bias);
    };
    let low = kernels::linear(x.clone(), adapter.a.val(), None).mul_scalar(adapter.scale);
    kernels::linear(x, layer.weight.base(), bias) + kernels::linear(low, adapter.b.val(), None)
}
