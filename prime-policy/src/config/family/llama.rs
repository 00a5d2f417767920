//! Llama 2 (<https://arxiv.org/abs/2307.09288>) and 3.x (<https://arxiv.org/abs/2407.21783>), and the many models
//! published in their layout.
//!
//! Grouped-query attention over everything before, no window, no bias unless `attention_bias` (q, k, v and output) or
//! `mlp_bias` (gate, up and down) asks for one. Llama 3.1 and later stretch their rotary frequencies with the `llama3`
//! rule of `rope_scaling`; Llama 3.2 ties its head to the embedding.

use super::{AttentionBias, FamilySpec, Windows};

pub(super) const LLAMA: FamilySpec = FamilySpec {
    model_type: "llama",
    architecture: "LlamaForCausalLM",
    attention_bias: AttentionBias::AsConfigured,
    mlp_bias: true,
    qk_norm: false,
    windows: Windows::Never,
    heads_divide_hidden: true,
    num_key_value_heads: None,
    head_dim: None,
    sliding_window: None,
    max_position_embeddings: 2048,
    rms_norm_eps: 1e-6,
    bos_token_id: Some(1),
    eos_token_id: Some(2),
};
