//! Linear layers of the decoder.

use burn::nn::Linear;
use burn::tensor::Tensor;

use crate::kernels;

/// `x · W (+ b)`: `[n, in]` to `[n, out]`.
pub(crate) fn project(layer: &Linear, x: Tensor<2>) -> Tensor<2> {
    let bias = layer.bias.as_ref().map(|bias| bias.val());
    kernels::linear(x, layer.weight.val(), bias)
}
