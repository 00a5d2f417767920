//! Mistral 7B (<https://arxiv.org/abs/2310.06825>) and its successors in the same layout (v0.3, Nemo, Small).
//!
//! Against Llama: no biases at all, and every layer attends to the last `sliding_window` tokens, its own included.
//! Left out, the window is 4096; null, as the later models have it, means none.

use super::{AttentionBias, FamilySpec, Windows};

pub(super) const MISTRAL: FamilySpec = FamilySpec {
    model_type: "mistral",
    architecture: "MistralForCausalLM",
    attention_bias: AttentionBias::Never,
    mlp_bias: false,
    qk_norm: false,
    windows: Windows::EveryLayer,
    heads_divide_hidden: false,
    num_key_value_heads: Some(8),
    head_dim: None,
    sliding_window: Some(4096),
    max_position_embeddings: 131_072,
    rms_norm_eps: 1e-6,
    bos_token_id: Some(1),
    eos_token_id: Some(2),
};
