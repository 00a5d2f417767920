//! Embedding and RMSNorm, with the parameter names of `transformers`.

use burn::module::{Initializer, Module, Param};
use burn::tensor::{Device, Int, Tensor};

use crate::kernels;

/// Token embedding; also the output head when the two are tied.
#[derive(Module, Debug)]
pub(crate) struct Embedding {
    /// `[vocab, hidden]`
    pub weight: Param<Tensor<2>>,
}

impl Embedding {
    pub(crate) fn init(vocab: usize, hidden: usize, std: f64, device: &Device) -> Self {
        let init = Initializer::Normal { mean: 0.0, std };
        Self {
            weight: init.init([vocab, hidden], device),
        }
    }

    /// `[n]` ids to `[n, hidden]`, f32.
    pub(crate) fn forward(&self, ids: Tensor<1, Int>) -> Tensor<2> {
        kernels::as_f32(self.weight.val().select(0, ids))
    }

    /// `[n, hidden]` to logits `[n, vocab]` in f32; the product is in the element type of `hidden`.
    pub(crate) fn as_head(&self, hidden: Tensor<2>) -> Tensor<2> {
        let weight = self.weight.val().cast(hidden.dtype());
        kernels::as_f32(kernels::linear(hidden, weight.transpose(), None))
    }
}

/// `x / rms(x) · weight`.
#[derive(Module, Debug)]
pub(crate) struct RmsNorm {
    /// `[hidden]`
    pub weight: Param<Tensor<1>>,
    eps: f64,
}

impl RmsNorm {
    pub(crate) fn init(hidden: usize, eps: f64, device: &Device) -> Self {
        Self {
            weight: Initializer::Ones.init([hidden], device),
            eps,
        }
    }

    /// `[n, hidden]` to the same shape, f32.
    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let weight = kernels::as_f32(self.weight.val());
        kernels::rms_norm(kernels::as_f32(x), weight, self.eps)
    }
}
