//! One transformer block: pre-norm attention and SwiGLU feed-forward.

use burn::module::{Initializer, Module};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::cache::LayerCache;
use super::layers::RmsNorm;
use super::linear::project;
use crate::compute::ComputeDtype;
use crate::config::DecoderConfig;
use crate::kernels::{self, AttentionShape, Ragged};

fn linear(input: usize, output: usize, bias: bool, std: f64, device: &Device) -> Linear {
    let mut layer = LinearConfig::new(input, output)
        .with_bias(false)
        .with_initializer(Initializer::Normal { mean: 0.0, std })
        .init(device);
    layer.bias = bias.then(|| Initializer::Zeros.init([output], device));
    layer
}

/// Grouped-query self-attention (GQA, Ainslie et al. 2023), with a window or QK-norm where the family has them.
#[derive(Module, Debug)]
pub(crate) struct Attention {
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    o_proj: Linear,
    q_norm: Option<RmsNorm>,
    k_norm: Option<RmsNorm>,
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
    window: Option<usize>,
}

impl Attention {
    fn init(config: &DecoderConfig, layer: usize, device: &Device) -> Self {
        let hidden = config.hidden_size;
        let (heads, kv_heads) = (config.num_attention_heads, config.num_key_value_heads);
        let head_dim = config.head_dim();
        let (bias, std) = (config.input_bias(), config.initializer_range);
        let norm = || {
            config
                .qk_norm()
                .then(|| RmsNorm::init(head_dim, config.rms_norm_eps, device))
        };
        Self {
            q_proj: linear(hidden, heads * head_dim, bias, std, device),
            k_proj: linear(hidden, kv_heads * head_dim, bias, std, device),
            v_proj: linear(hidden, kv_heads * head_dim, bias, std, device),
            o_proj: linear(heads * head_dim, hidden, config.output_bias(), std, device),
            q_norm: norm(),
            k_norm: norm(),
            heads,
            kv_heads,
            head_dim,
            window: config.window(layer),
        }
    }

    /// Queries and keys in f32, for their rotation, and values in the type of `x`.
    fn project(&self, x: Tensor<2>) -> [Tensor<2>; 3] {
        let dtype = x.dtype();
        [
            self.normalise(&self.q_norm, project(&self.q_proj, x.clone())),
            self.normalise(&self.k_norm, project(&self.k_proj, x.clone())),
            project(&self.v_proj, x).cast(dtype),
        ]
    }

    /// Each head of `x` (`[rows, heads·head_dim]`) by itself.
    fn normalise(&self, norm: &Option<RmsNorm>, x: Tensor<2>) -> Tensor<2> {
        let Some(norm) = norm else {
            return x;
        };
        let [rows, width] = x.dims();
        let heads = x.reshape([rows * width / self.head_dim, self.head_dim]);
        norm.forward(heads).reshape([rows, width])
    }

    fn shape(&self) -> AttentionShape {
        AttentionShape {
            heads: self.heads,
            kv_heads: self.kv_heads,
            head_dim: self.head_dim,
            window: self.window,
        }
    }
}

/// SwiGLU feed-forward (Shazeer 2020).
#[derive(Module, Debug)]
pub(crate) struct Mlp {
    gate_proj: Linear,
    up_proj: Linear,
    down_proj: Linear,
}

impl Mlp {
    fn init(config: &DecoderConfig, device: &Device) -> Self {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let (bias, std) = (config.mlp_bias, config.initializer_range);
        Self {
            gate_proj: linear(hidden, inner, bias, std, device),
            up_proj: linear(hidden, inner, bias, std, device),
            down_proj: linear(inner, hidden, bias, std, device),
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let dtype = x.dtype();
        let gate = project(&self.gate_proj, x.clone());
        let up = project(&self.up_proj, x);
        project(&self.down_proj, kernels::swiglu(gate, up).cast(dtype))
    }
}

/// One layer of the decoder.
#[derive(Module, Debug)]
pub(crate) struct Block {
    self_attn: Attention,
    mlp: Mlp,
    input_layernorm: RmsNorm,
    post_attention_layernorm: RmsNorm,
}

impl Block {
    /// Layer number `layer` of a fresh model.
    pub(crate) fn init(config: &DecoderConfig, layer: usize, device: &Device) -> Self {
        let norm = || RmsNorm::init(config.hidden_size, config.rms_norm_eps, device);
        Self {
            self_attn: Attention::init(config, layer, device),
            mlp: Mlp::init(config, device),
            input_layernorm: norm(),
            post_attention_layernorm: norm(),
        }
    }

    /// Queries, keys and values for the residual stream `x` (see [`Attention::project`]).
    fn qkv(&self, x: Tensor<2>, compute: ComputeDtype) -> [Tensor<2>; 3] {
        let normed = compute.operand(self.input_layernorm.forward(x));
        self.self_attn.project(normed)
    }

    /// The residual stream `x`, f32, and what the attention has `mixed`, to the next block's.
    fn finish(&self, x: Tensor<2>, mixed: Tensor<2>, compute: ComputeDtype) -> Tensor<2> {
        let x = x + project(&self.self_attn.o_proj, mixed);
        let normed = compute.operand(self.post_attention_layernorm.forward(x.clone()));
        x + self.mlp.forward(normed)
    }

    /// Whole sequences: `x` is `[tokens, hidden]`, `cos` and `sin` `[longest, head_dim/2]`, all f32; products are in
    /// `compute`.
    pub(crate) fn forward(
        &self,
        x: Tensor<2>,
        ragged: &Ragged,
        [cos, sin]: [Tensor<2>; 2],
        compute: ComputeDtype,
    ) -> Tensor<2> {
        let shape = self.self_attn.shape();
        let [q, k, v] = self.qkv(x.clone(), compute);
        let mixed = kernels::causal_attention(shape, ragged, q, k, v, cos, sin);
        self.finish(x, mixed, compute)
    }

    /// [`Self::forward`] of sequences of one length that also keeps the keys and values for [`Self::decode`].
    pub(crate) fn prefill(
        &self,
        x: Tensor<2>,
        [batch, time]: [usize; 2],
        capacity: usize,
        [cos, sin]: [Tensor<2>; 2],
        compute: ComputeDtype,
    ) -> (Tensor<2>, LayerCache) {
        let shape = self.self_attn.shape();
        let [q, k, v] = self.qkv(x.clone(), compute);
        let cache = LayerCache::fill(
            shape,
            [batch, time],
            capacity,
            k.clone(),
            v.clone(),
            cos.clone(),
            sin.clone(),
        );
        let even = Ragged::even(batch, time);
        let mixed = kernels::causal_attention(shape, &even, q, k, v, cos, sin);
        (self.finish(x, mixed, compute), cache)
    }

    /// An empty cache for this layer.
    pub(crate) fn cache(&self, rows: usize, capacity: usize, compute: ComputeDtype) -> LayerCache {
        let Attention {
            kv_heads, head_dim, ..
        } = self.self_attn;
        let device = self.input_layernorm.weight.val().device();
        LayerCache::empty([rows, kv_heads, capacity, head_dim], compute, &device)
    }

    /// One new token per row: `x` is `[rows, hidden]`, `cos` and `sin` `[rows, head_dim/2]` of each row's own
    /// position, `lengths` the tokens already in each row's cache.
    pub(crate) fn decode(
        &self,
        x: Tensor<2>,
        lengths: &[usize],
        cache: &mut LayerCache,
        [cos, sin]: [Tensor<2>; 2],
        compute: ComputeDtype,
    ) -> Tensor<2> {
        let shape = self.self_attn.shape();
        let [q, k, v] = self.qkv(x.clone(), compute);
        let mixed = cache.attend(shape, lengths, q, k, v, cos, sin);
        self.finish(x, mixed, compute)
    }
}
