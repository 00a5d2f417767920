//! Linear layers of the decoder.

use burn::nn::Linear;
use burn::tensor::Tensor;

/// `x · W (+ b)`: `[n, in]` to `[n, out]`.
pub(crate) fn project(layer: &Linear, x: Tensor<2>) -> Tensor<2> {
    layer.forward(x)
}
