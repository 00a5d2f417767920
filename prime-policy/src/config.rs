//! The shape of a decoder, in the fields of a Hugging Face `config.json`.

use serde::{Deserialize, Serialize};

use crate::error::PolicyError;

/// A decoder-only transformer of the Qwen2 family: RMSNorm, rotary positions, grouped-query attention, SwiGLU.
///
/// Field names and meanings are those of `config.json`, so the same text configures `transformers`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecoderConfig {
    /// Class names that `transformers` looks up; `["Qwen2ForCausalLM"]` is what this crate implements.
    #[serde(default = "default_architectures")]
    pub architectures: Vec<String>,
    /// The family; `"qwen2"` is the one implemented.
    #[serde(default = "default_model_type")]
    pub model_type: String,
    /// Number of token ids.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the feed-forward layer.
    pub intermediate_size: usize,
    /// Number of blocks.
    pub num_hidden_layers: usize,
    /// Query heads; divides `hidden_size`, and the quotient (the head dimension) is even.
    pub num_attention_heads: usize,
    /// Key/value heads; divides `num_attention_heads`.
    pub num_key_value_heads: usize,
    /// The longest sequence the model is meant for, in tokens.
    #[serde(default = "default_max_positions")]
    pub max_position_embeddings: usize,
    /// Base of the rotary frequencies.
    #[serde(default = "default_rope_theta")]
    pub rope_theta: f64,
    /// ε inside RMSNorm.
    #[serde(default = "default_eps")]
    pub rms_norm_eps: f64,
    /// Whether the q, k and v projections have a bias (Qwen2: yes).
    #[serde(default = "default_true")]
    pub attention_bias: bool,
    /// Whether the output head is the transposed embedding.
    #[serde(default)]
    pub tie_word_embeddings: bool,
    /// Standard deviation of freshly drawn weights.
    #[serde(default = "default_initializer_range")]
    pub initializer_range: f64,
    /// Activation of the feed-forward gate; `"silu"` is the one implemented.
    #[serde(default = "default_hidden_act")]
    pub hidden_act: String,
    /// Id of the token that starts a sequence, if the family has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bos_token_id: Option<u32>,
    /// Id of the token that ends a response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eos_token_id: Option<u32>,
    /// Id used for padding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pad_token_id: Option<u32>,
    /// Whether attention is limited to a window; must be false.
    #[serde(default)]
    pub use_sliding_window: bool,
    /// Rotary scaling; must be absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rope_scaling: Option<serde_json::Value>,
    /// Element type of the stored weights; this crate writes `"float32"`.
    #[serde(default = "default_dtype")]
    pub torch_dtype: String,
}

fn default_architectures() -> Vec<String> {
    vec!["Qwen2ForCausalLM".to_owned()]
}
fn default_model_type() -> String {
    "qwen2".to_owned()
}
fn default_max_positions() -> usize {
    32_768
}
fn default_rope_theta() -> f64 {
    10_000.0
}
fn default_eps() -> f64 {
    1e-6
}
fn default_true() -> bool {
    true
}
fn default_initializer_range() -> f64 {
    0.02
}
fn default_hidden_act() -> String {
    "silu".to_owned()
}
fn default_dtype() -> String {
    "float32".to_owned()
}

impl DecoderConfig {
    /// A fresh shape with Qwen2's defaults: full multi-head attention with biases, untied head.
    pub fn new(
        vocab_size: usize,
        hidden_size: usize,
        intermediate_size: usize,
        num_hidden_layers: usize,
        num_attention_heads: usize,
    ) -> Self {
        Self {
            architectures: default_architectures(),
            model_type: default_model_type(),
            vocab_size,
            hidden_size,
            intermediate_size,
            num_hidden_layers,
            num_attention_heads,
            num_key_value_heads: num_attention_heads,
            max_position_embeddings: default_max_positions(),
            rope_theta: default_rope_theta(),
            rms_norm_eps: default_eps(),
            attention_bias: true,
            tie_word_embeddings: false,
            initializer_range: default_initializer_range(),
            hidden_act: default_hidden_act(),
            bos_token_id: None,
            eos_token_id: None,
            pad_token_id: None,
            use_sliding_window: false,
            rope_scaling: None,
            torch_dtype: default_dtype(),
        }
    }

    /// Width of one attention head.
    pub fn head_dim(&self) -> usize {
        self.hidden_size / self.num_attention_heads
    }

    /// Checks that the sizes fit together and that every field is one that the decoder honours.
    ///
    /// # Errors
    /// [`PolicyError::Config`] names the field, its value and what is accepted.
    pub fn validate(&self) -> Result<(), PolicyError> {
        let fail = |field: &'static str, value: String, accepted: &'static str| {
            Err(PolicyError::Config {
                field,
                value,
                accepted,
            })
        };
        let positive = [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("num_key_value_heads", self.num_key_value_heads),
            ("max_position_embeddings", self.max_position_embeddings),
        ];
        for (field, value) in positive {
            if value == 0 {
                return fail(field, "0".to_owned(), "at least 1");
            }
        }
        if self.model_type != "qwen2" {
            return fail("model_type", self.model_type.clone(), "\"qwen2\"");
        }
        if self.hidden_act != "silu" {
            return fail("hidden_act", self.hidden_act.clone(), "\"silu\"");
        }
        if self.use_sliding_window {
            return fail("use_sliding_window", "true".to_owned(), "false");
        }
        if let Some(scaling) = &self.rope_scaling {
            return fail("rope_scaling", scaling.to_string(), "null");
        }
        let heads = self.num_attention_heads;
        if !self.hidden_size.is_multiple_of(heads) || !self.head_dim().is_multiple_of(2) {
            return fail(
                "num_attention_heads",
                heads.to_string(),
                "a divisor of hidden_size with an even quotient",
            );
        }
        if !heads.is_multiple_of(self.num_key_value_heads) {
            return fail(
                "num_key_value_heads",
                self.num_key_value_heads.to_string(),
                "a divisor of num_attention_heads",
            );
        }
        let scale_ok = self.initializer_range.is_finite() && self.initializer_range > 0.0;
        if !scale_ok {
            return fail(
                "initializer_range",
                self.initializer_range.to_string(),
                "a positive finite number",
            );
        }
        Ok(())
    }
}
