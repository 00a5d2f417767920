//! `[model]`: what is trained.

use prime_policy::ComputeDtype;
use serde::{Deserialize, Serialize};

/// `[model]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// A Hugging Face model folder; empty = a fresh model of the shape below.
    pub path: String,
    /// Fields of its `config.json` that are not honoured here and change nothing that the model computes, by name, such as
    /// `["logits_processor", "rope_scaling.attn_factor"]`. A name that the file does not have, or of a field that is read, is
    /// an error.
    pub ignore_config_fields: Vec<String>,
    /// What policy, reward model and reference compute their matrix products in, and keep their key/value caches in:
    /// `float32`, or `bfloat16` on a device that has it. Weights, gradients and optimisers are f32 either way.
    pub compute_dtype: ComputeDtype,
    /// Width of the residual stream; a multiple of `num_attention_heads`.
    pub hidden_size: usize,
    /// Decoder blocks, ≥ 1.
    pub num_hidden_layers: usize,
    /// Query heads, ≥ 1; `hidden_size / num_attention_heads` is even.
    pub num_attention_heads: usize,
    /// Key/value heads, a divisor of `num_attention_heads`.
    pub num_key_value_heads: usize,
    /// Width of the gated MLP, ≥ 1.
    pub intermediate_size: usize,
    /// Base of the rotary embedding, > 0.
    pub rope_theta: f64,
    /// ε of the RMS norms, > 0.
    pub rms_norm_eps: f64,
    /// Biases on the query, key and value projections.
    pub attention_bias: bool,
    /// One matrix for input and output embedding.
    pub tie_word_embeddings: bool,
    /// Standard deviation of fresh weights, > 0.
    pub initializer_range: f64,
}

impl Default for Model {
    fn default() -> Self {
        Model {
            path: String::new(),
            ignore_config_fields: vec![],
            compute_dtype: ComputeDtype::Float32,
            hidden_size: 64,
            num_hidden_layers: 2,
            num_attention_heads: 4,
            num_key_value_heads: 4,
            intermediate_size: 128,
            rope_theta: 10000.0,
            rms_norm_eps: 1e-6,
            attention_bias: true,
            tie_word_embeddings: true,
            initializer_range: 0.08,
        }
    }
}
