//! What sets the model families apart. One file each; [`super::read`] and [`super::write`] do for all what these say.
//!
//! Every family has pre-norm blocks of RMSNorm, rotary grouped-query attention and SwiGLU, and reads the same fields for
//! them. A [`FamilySpec`] holds the rest: names, the fields that only some families have, and the values that
//! `transformers` takes for fields that a `config.json` leaves out.

mod llama;
mod mistral;
mod qwen2;
mod qwen3;

/// A family of models that the decoder implements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// Llama 2 and 3.x.
    Llama,
    /// Mistral.
    Mistral,
    /// Qwen2 and Qwen2.5, Math and Coder included.
    Qwen2,
    /// Qwen3, dense.
    Qwen3,
}

impl Family {
    /// All of them, by name.
    pub const ALL: [Self; 4] = [Self::Llama, Self::Mistral, Self::Qwen2, Self::Qwen3];

    /// `model_type` in `config.json`.
    pub fn model_type(self) -> &'static str {
        self.spec().model_type
    }

    /// The class in `architectures` of `config.json`.
    pub fn architecture(self) -> &'static str {
        self.spec().architecture
    }

    pub(super) fn spec(self) -> &'static FamilySpec {
        match self {
            Self::Llama => &llama::LLAMA,
            Self::Mistral => &mistral::MISTRAL,
            Self::Qwen2 => &qwen2::QWEN2,
            Self::Qwen3 => &qwen3::QWEN3,
        }
    }

    /// `llama (LlamaForCausalLM), …`, for messages.
    pub(super) fn known() -> String {
        Self::ALL
            .map(|family| format!("{} ({})", family.model_type(), family.architecture()))
            .join(", ")
    }
}

/// First windowed layer of the Qwen families when `max_window_layers` is left out.
pub(super) const MAX_WINDOW_LAYERS: usize = 28;

/// A family as data.
pub(super) struct FamilySpec {
    /// `model_type`.
    pub model_type: &'static str,
    /// The only entry of `architectures`.
    pub architecture: &'static str,
    /// Which attention projections have a bias.
    pub attention_bias: AttentionBias,
    /// Whether there is an `mlp_bias` field (default false): gate, up and down projections with a bias.
    pub mlp_bias: bool,
    /// Whether queries and keys pass an RMSNorm over `head_dim` before the rotation.
    pub qk_norm: bool,
    /// Which layers look at a window only.
    pub windows: Windows,
    /// Whether `transformers` refuses heads that do not divide `hidden_size` even when `head_dim` is given.
    pub heads_divide_hidden: bool,
    /// `num_key_value_heads` when left out; `None`: as many as query heads. Written as null it is the latter always.
    pub num_key_value_heads: Option<usize>,
    /// `head_dim` when left out; `None`: `hidden_size / num_attention_heads`.
    pub head_dim: Option<usize>,
    /// `sliding_window` when left out.
    pub sliding_window: Option<usize>,
    /// `max_position_embeddings` when left out.
    pub max_position_embeddings: usize,
    /// `rms_norm_eps` when left out.
    pub rms_norm_eps: f64,
    /// `bos_token_id` when left out.
    pub bos_token_id: Option<u32>,
    /// `eos_token_id` when left out.
    pub eos_token_id: Option<u32>,
}

/// Biases of the attention's projections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AttentionBias {
    /// Always on q, k and v, never on the output.
    QueryKeyValue,
    /// Never.
    Never,
    /// The `attention_bias` field (default false): on q, k, v and the output, or nowhere.
    AsConfigured,
}

/// Layers with sliding-window attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Windows {
    /// None.
    Never,
    /// All, if `sliding_window` is a number.
    EveryLayer,
    /// If `use_sliding_window`: those that `layer_types` names, else those from `max_window_layers` on.
    ByLayer,
}
