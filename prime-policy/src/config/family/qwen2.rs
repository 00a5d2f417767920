//! Qwen2 (<https://arxiv.org/abs/2407.10671>) and Qwen2.5 with its Math and Coder models
//! (<https://arxiv.org/abs/2412.15115>, <https://arxiv.org/abs/2409.12122>).
//!
//! Against Llama: q, k and v always have a bias and no other projection has one, and the layers from
//! `max_window_layers` on may attend to a window. The long-context models come with yarn in `rope_scaling`.

use super::{AttentionBias, FamilySpec, Windows};

pub(super) const QWEN2: FamilySpec = FamilySpec {
    model_type: "qwen2",
    architecture: "Qwen2ForCausalLM",
    attention_bias: AttentionBias::QueryKeyValue,
    mlp_bias: false,
    qk_norm: false,
    windows: Windows::ByLayer,
    heads_divide_hidden: false,
    num_key_value_heads: Some(32),
    head_dim: None,
    sliding_window: Some(4096),
    max_position_embeddings: 32_768,
    rms_norm_eps: 1e-6,
    bos_token_id: None,
    eos_token_id: None,
};
