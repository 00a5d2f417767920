//! Qwen3, dense (<https://arxiv.org/abs/2505.09388>).
//!
//! Against Qwen2: the q, k and v biases are gone (`attention_bias` brings them back, on the output projection too),
//! queries and keys pass an RMSNorm over each head before the rotation (QK-norm), and `head_dim` is a field of its own,
//! 128 when left out, so heads × `head_dim` need not be `hidden_size`.

use super::{AttentionBias, FamilySpec, Windows};

pub(super) const QWEN3: FamilySpec = FamilySpec {
    model_type: "qwen3",
    architecture: "Qwen3ForCausalLM",
    attention_bias: AttentionBias::AsConfigured,
    mlp_bias: false,
    qk_norm: true,
    windows: Windows::ByLayer,
    heads_divide_hidden: false,
    num_key_value_heads: Some(32),
    head_dim: Some(128),
    sliding_window: Some(4096),
    max_position_embeddings: 32_768,
    rms_norm_eps: 1e-6,
    bos_token_id: None,
    eos_token_id: None,
};
