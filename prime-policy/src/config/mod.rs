//! The shape of a decoder, in the fields of a Hugging Face `config.json`.

mod check;
mod family;
mod fields;
mod inert;
mod leftover;
mod read;
mod rope;
mod write;

pub use family::Family;
use family::{AttentionBias, Windows};
pub use rope::{RopeScaling, Yarn};
use serde_json::{Map, Value};

/// A decoder-only transformer: RMSNorm, rotary positions, grouped-query attention, SwiGLU, in the variant of one
/// [`Family`].
///
/// Field names and meanings are those of `config.json`: [`DecoderConfig::from_json`] reads one and
/// [`DecoderConfig::to_json`] writes one that `transformers` reads with the same meaning.
#[derive(Debug, Clone, PartialEq)]
pub struct DecoderConfig {
    /// What the blocks look like (`model_type` and `architectures`).
    pub family: Family,
    /// Number of token ids.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the feed-forward layer.
    pub intermediate_size: usize,
    /// Number of blocks.
    pub num_hidden_layers: usize,
    /// Query heads.
    pub num_attention_heads: usize,
    /// Key/value heads; divides `num_attention_heads`.
    pub num_key_value_heads: usize,
    /// Width of one attention head, even; `None`: `hidden_size / num_attention_heads`.
    pub head_dim: Option<usize>,
    /// The longest sequence the model is meant for, in tokens.
    pub max_position_embeddings: usize,
    /// Base of the rotary frequencies, above 1.
    pub rope_theta: f64,
    /// How the rotary frequencies are stretched, if they are.
    pub rope_scaling: Option<RopeScaling>,
    /// ε inside RMSNorm, above 0.
    pub rms_norm_eps: f64,
    /// Whether the attention's projections have a bias. Qwen2: always, on q, k and v. Mistral: never. Qwen3 and
    /// Llama: as set, on q, k, v and the output.
    pub attention_bias: bool,
    /// Whether the feed-forward projections have a bias (Llama only).
    pub mlp_bias: bool,
    /// Whether the output head is the transposed embedding.
    pub tie_word_embeddings: bool,
    /// Tokens that a windowed layer looks at, its own included. Mistral: all layers, when set. Qwen2 and Qwen3: see
    /// [`DecoderConfig::window`].
    pub sliding_window: Option<usize>,
    /// Whether `sliding_window` applies at all (Qwen2 and Qwen3).
    pub use_sliding_window: bool,
    /// The first layer with a window when `layer_types` does not say (Qwen2 and Qwen3).
    pub max_window_layers: usize,
    /// What each layer attends to (Qwen2 and Qwen3); wins over `max_window_layers`.
    pub layer_types: Option<Vec<LayerType>>,
    /// Standard deviation of freshly drawn weights.
    pub initializer_range: f64,
    /// Id of the token that starts a sequence, if there is one.
    pub bos_token_id: Option<u32>,
    /// Ids of the tokens that end a response; empty if there is none.
    pub eos_token_id: Vec<u32>,
    /// Id used for padding, if there is one.
    pub pad_token_id: Option<u32>,
    /// Element type of the stored weights, as torch names it: `"float32"`, `"bfloat16"`, `"float16"`.
    pub torch_dtype: String,
    /// Other fields that a `config.json` had, none of which changes what is computed; written back as they were.
    pub inert: Map<String, Value>,
}

/// What one layer attends to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerType {
    /// All earlier tokens (`"full_attention"`).
    Full,
    /// The last `sliding_window` tokens (`"sliding_attention"`).
    Sliding,
}

impl LayerType {
    fn name(self) -> &'static str {
        match self {
            Self::Full => "full_attention",
            Self::Sliding => "sliding_attention",
        }
    }
}

impl DecoderConfig {
    /// A fresh shape of the Qwen2 family: full multi-head attention with q, k and v biases, untied head.
    pub fn new(
        vocab_size: usize,
        hidden_size: usize,
        intermediate_size: usize,
        num_hidden_layers: usize,
        num_attention_heads: usize,
    ) -> Self {
        Self::for_family(
            Family::Qwen2,
            vocab_size,
            hidden_size,
            intermediate_size,
            num_hidden_layers,
            num_attention_heads,
        )
    }

    /// A fresh shape of a family: its defaults, but as many key/value heads as query heads, heads that share
    /// `hidden_size`, no window and no token ids.
    pub fn for_family(
        family: Family,
        vocab_size: usize,
        hidden_size: usize,
        intermediate_size: usize,
        num_hidden_layers: usize,
        num_attention_heads: usize,
    ) -> Self {
        let spec = family.spec();
        Self {
            family,
            vocab_size,
            hidden_size,
            intermediate_size,
            num_hidden_layers,
            num_attention_heads,
            num_key_value_heads: num_attention_heads,
            head_dim: None,
            max_position_embeddings: spec.max_position_embeddings,
            rope_theta: rope::DEFAULT_THETA,
            rope_scaling: None,
            rms_norm_eps: spec.rms_norm_eps,
            attention_bias: spec.attention_bias == AttentionBias::QueryKeyValue,
            mlp_bias: false,
            tie_word_embeddings: false,
            sliding_window: None,
            use_sliding_window: false,
            max_window_layers: family::MAX_WINDOW_LAYERS,
            layer_types: None,
            initializer_range: 0.02,
            bos_token_id: None,
            eos_token_id: vec![],
            pad_token_id: None,
            torch_dtype: "float32".to_owned(),
            inert: Map::new(),
        }
    }

    /// Width of one attention head.
    pub fn head_dim(&self) -> usize {
        self.head_dim
            .unwrap_or_else(|| self.hidden_size / self.num_attention_heads.max(1))
    }

    /// How many tokens layer `layer` (from 0) looks at, its own included; `None`: all.
    pub fn window(&self, layer: usize) -> Option<usize> {
        let windowed = match self.family.spec().windows {
            Windows::Never => false,
            Windows::EveryLayer => true,
            Windows::ByLayer => {
                self.use_sliding_window
                    && match &self.layer_types {
                        Some(types) => types.get(layer) == Some(&LayerType::Sliding),
                        None => layer >= self.max_window_layers,
                    }
            }
        };
        self.sliding_window.filter(|_| windowed)
    }

    /// Whether q, k and v have a bias.
    pub(crate) fn input_bias(&self) -> bool {
        self.attention_bias
    }

    /// Whether the attention's output projection has a bias.
    pub(crate) fn output_bias(&self) -> bool {
        self.attention_bias && self.family.spec().attention_bias == AttentionBias::AsConfigured
    }

    /// Whether queries and keys are normalised head by head.
    pub(crate) fn qk_norm(&self) -> bool {
        self.family.spec().qk_norm
    }
}
