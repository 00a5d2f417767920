//! Fields of `config.json` that no family reads: which of them change nothing.
//!
//! Those that change nothing are kept in [`DecoderConfig::inert`](super::DecoderConfig::inert) and written back. A field
//! that is not listed here is taken to be off when it is null, false, 0 or empty, and refused otherwise. What is off
//! without being neutral, such as a factor of 0 or `"is_causal": false`, is listed.

use serde_json::{Map, Value};

use super::{DecoderConfig, LayerType};

/// Which values of a field leave the computation alone.
enum Rule {
    /// All: bookkeeping, switches of `transformers`' own outputs and caches, labels of classification heads that a
    /// causal model lacks, and sampling defaults, which `generation_config.json` holds nowadays.
    Any,
    /// Zero: nothing is dropped in training.
    Dropout,
    /// Off; on, the field says this, and the weights that are found decide.
    Off(&'static str),
    /// Off; on, the model computes something else with the same weights.
    NeverOn(&'static str),
    /// True; otherwise the model computes something else with the same weights.
    AlwaysOn(&'static str),
    /// One: a factor.
    One,
    /// Whether q, k and v have a bias.
    Bias,
    /// Whether they have none.
    NoBias,
    /// Whether queries and keys are normalised.
    QkNorm,
    /// The activation, under another name.
    Activation,
    /// What each layer attends to.
    LayerTypes,
    /// Another name for what a field that is read says.
    Same(&'static str, fn(&DecoderConfig) -> f64),
    /// How experts are chosen and trained, which says nothing where there are none.
    OfExperts,
}

const QUANTISED: Rule =
    Rule::Off("the weights are quantised: use the unquantised checkpoint of the same model");
const EXPERTS: Rule = Rule::Off("a mixture of experts, which this decoder is not");
const IMAGES: Rule =
    Rule::Off("the model reads more than text: use the checkpoint of its language model");
const CAPPED: Rule = Rule::NeverOn("values are bounded, which this decoder does not do");
const MULTIMODAL_ROPE: Rule = Rule::Off("positions of images");

/// Fields that hold a number of experts.
const EXPERT_COUNTS: [&str; 5] = [
    "moe_num_experts",
    "n_routed_experts",
    "num_experts",
    "num_local_experts",
    "num_routed_experts",
];

const FIELDS: &[(&str, Rule)] = &[
    ("_attn_implementation", Rule::Any),
    ("_attn_implementation_autoset", Rule::Any),
    ("_attn_implementation_internal", Rule::Any),
    ("_commit_hash", Rule::Any),
    ("_experts_implementation", Rule::Any),
    ("_flash_attn_2_enabled", Rule::Any),
    ("_from_model_config", Rule::Any),
    ("_model_name_or_path", Rule::Any),
    ("_name_or_path", Rule::Any),
    ("_num_labels", Rule::Any),
    (
        "add_cross_attention",
        Rule::NeverOn("the model attends to another one's output"),
    ),
    (
        "alibi",
        Rule::NeverOn("distances instead of rotary positions"),
    ),
    ("attn_bias", Rule::Bias),
    ("attention_qkv_bias", Rule::Bias),
    ("attn_implementation", Rule::Any),
    ("attn_logit_softcapping", CAPPED),
    ("attn_qkv_bias", Rule::Bias),
    ("attention_softmax_in_fp32", Rule::Any),
    ("audio_config", IMAGES),
    ("auto_map", Rule::Any),
    ("bad_words_ids", Rule::Any),
    ("base_model", Rule::Any),
    ("base_model_name", Rule::Any),
    ("begin_suppress_tokens", Rule::Any),
    ("bf16", Rule::Any),
    ("bias", Rule::Bias),
    ("bos_token", Rule::Any),
    ("cache_implementation", Rule::Any),
    ("causal", Rule::AlwaysOn("without it tokens see later ones")),
    ("chunk_size_feed_forward", Rule::Any),
    ("classifier_activation", Rule::Any),
    ("classifier_dropout", Rule::Any),
    ("clip_qkv", CAPPED),
    ("compression_config", QUANTISED),
    ("custom_pipelines", Rule::Any),
    ("decoder_sparse_step", Rule::OfExperts),
    ("default_theta", Rule::Any),
    ("dim", Rule::Same("hidden_size", |c| c.hidden_size as f64)),
    ("diversity_penalty", Rule::Any),
    ("do_sample", Rule::Any),
    // Read from one chunk on only, and by none but vLLM: a chunk is longer than the context of training.
    ("dual_chunk_attention_config", Rule::Any),
    ("early_stopping", Rule::Any),
    ("embed_scale", Rule::One),
    ("embedding_multiplier", Rule::One),
    ("embedding_scale", Rule::One),
    ("encoder_no_repeat_ngram_size", Rule::Any),
    ("eos_token", Rule::Any),
    ("exponential_decay_length_penalty", Rule::Any),
    (
        "ffn_hidden_size",
        Rule::Same("intermediate_size", |c| c.intermediate_size as f64),
    ),
    ("final_logit_softcapping", CAPPED),
    ("finetuning_task", Rule::Any),
    ("flash_attention", Rule::Any),
    ("fp16", Rule::Any),
    ("fp32", Rule::Any),
    ("gated_mlp", Rule::AlwaysOn("the decoder's MLP has a gate")),
    ("gradient_checkpointing", Rule::Any),
    ("hidden_activation", Rule::Activation),
    ("activation_function", Rule::Activation),
    ("id2label", Rule::Any),
    ("initializer_factor", Rule::Any),
    (
        "is_causal",
        Rule::AlwaysOn("without it tokens see later ones"),
    ),
    ("is_decoder", Rule::Any),
    (
        "is_encoder_decoder",
        Rule::NeverOn("this decoder has no encoder"),
    ),
    ("is_llama_config", Rule::Any),
    ("keys_to_ignore_at_inference", Rule::Any),
    (
        "kv_channels",
        Rule::Same("head_dim", |c| c.head_dim() as f64),
    ),
    ("label2id", Rule::Any),
    (
        "layer_norm_eps",
        Rule::Same("rms_norm_eps", |c| c.rms_norm_eps),
    ),
    (
        "layer_norm_epsilon",
        Rule::Same("rms_norm_eps", |c| c.rms_norm_eps),
    ),
    ("layer_types", Rule::LayerTypes),
    ("length_penalty", Rule::Any),
    ("license", Rule::Any),
    ("logit_scale", Rule::One),
    ("logits_scaling", Rule::One),
    ("logits_soft_cap", CAPPED),
    ("make_vocab_size_divisible_by", Rule::Any),
    ("max_length", Rule::Any),
    ("max_seq_len", Rule::Any),
    ("max_seq_length", Rule::Any),
    ("max_sequence_length", Rule::Any),
    ("max_window_layers", Rule::Any),
    ("min_length", Rule::Any),
    ("mlp_only_layers", Rule::OfExperts),
    ("model_max_length", Rule::Any),
    ("model_name", Rule::Any),
    ("model_name_or_path", Rule::Any),
    ("moe_intermediate_size", Rule::OfExperts),
    ("moe_num_experts", EXPERTS),
    ("n_ctx", Rule::Any),
    (
        "n_embd",
        Rule::Same("hidden_size", |c| c.hidden_size as f64),
    ),
    (
        "n_head",
        Rule::Same("num_attention_heads", |c| c.num_attention_heads as f64),
    ),
    (
        "n_layer",
        Rule::Same("num_hidden_layers", |c| c.num_hidden_layers as f64),
    ),
    ("n_positions", Rule::Any),
    ("n_routed_experts", EXPERTS),
    ("name_or_path", Rule::Any),
    ("neftune_noise_alpha", Rule::Any),
    ("no_bias", Rule::NoBias),
    ("no_repeat_ngram_size", Rule::Any),
    ("norm_eps", Rule::Same("rms_norm_eps", |c| c.rms_norm_eps)),
    (
        "norm_epsilon",
        Rule::Same("rms_norm_eps", |c| c.rms_norm_eps),
    ),
    ("norm_topk_prob", Rule::OfExperts),
    (
        "normalize_before",
        Rule::AlwaysOn("the decoder's blocks are normalised before, not after"),
    ),
    ("num_beam_groups", Rule::Any),
    ("num_beams", Rule::Any),
    ("num_experts", EXPERTS),
    ("num_experts_per_tok", Rule::OfExperts),
    ("num_labels", Rule::Any),
    (
        "num_layers",
        Rule::Same("num_hidden_layers", |c| c.num_hidden_layers as f64),
    ),
    ("num_local_experts", EXPERTS),
    ("num_return_sequences", Rule::Any),
    ("num_routed_experts", EXPERTS),
    ("onnx_dtype", Rule::Any),
    // Read where it counts, which is with yarn and llama3.
    ("original_max_position_embeddings", Rule::Any),
    ("output_attentions", Rule::Any),
    ("output_hidden_states", Rule::Any),
    ("output_past", Rule::Any),
    ("output_router_logits", Rule::OfExperts),
    ("output_scores", Rule::Any),
    ("pad_token", Rule::Any),
    ("pad_vocab_size_multiple", Rule::Any),
    ("padding_side", Rule::Any),
    ("partial_rotary_factor", Rule::One),
    (
        "pre_norm",
        Rule::AlwaysOn("the decoder's blocks are normalised before, not after"),
    ),
    ("prefix", Rule::Any),
    // Cuts products into parts that are summed, which is the same product.
    ("pretraining_tp", Rule::Any),
    ("problem_type", Rule::Any),
    (
        "pruned_heads",
        Rule::Off("heads were cut out of the model, whose matrices have other sizes then"),
    ),
    ("qk_layernorm", Rule::QkNorm),
    ("qk_norm", Rule::QkNorm),
    ("qkv_bias", Rule::Bias),
    ("quant_config", QUANTISED),
    ("quantization", QUANTISED),
    ("quantization_config", QUANTISED),
    (
        "query_pre_attn_scalar",
        Rule::Same("head_dim", |c| c.head_dim() as f64),
    ),
    ("remove_invalid_values", Rule::Any),
    ("repetition_penalty", Rule::Any),
    ("residual_multiplier", Rule::One),
    ("return_dict", Rule::Any),
    ("return_dict_in_generate", Rule::Any),
    ("rope_base", Rule::Same("rope_theta", |c| c.rope_theta)),
    ("rope_factor", Rule::One),
    (
        "rope_interleaved",
        Rule::NeverOn("the rotary embedding turns neighbours instead of halves"),
    ),
    ("rope_ratio", Rule::One),
    (
        "rotary_emb_base",
        Rule::Same("rope_theta", |c| c.rope_theta),
    ),
    (
        "rotary_dim",
        Rule::Same("head_dim", |c| c.head_dim() as f64),
    ),
    ("rotary_pct", Rule::One),
    ("rotary_percent", Rule::One),
    ("router_aux_loss_coef", Rule::OfExperts),
    ("router_jitter_noise", Rule::OfExperts),
    ("router_z_loss_coef", Rule::OfExperts),
    (
        "scale_attn_weights",
        Rule::AlwaysOn("scores are divided by √head_dim"),
    ),
    ("scale_emb", Rule::One),
    ("seq_length", Rule::Any),
    ("shared_expert_intermediate_size", Rule::OfExperts),
    ("suppress_tokens", Rule::Any),
    ("summary_activation", Rule::Any),
    ("summary_first_dropout", Rule::Any),
    ("summary_proj_to_labels", Rule::Any),
    ("summary_type", Rule::Any),
    ("summary_use_proj", Rule::Any),
    ("tags", Rule::Any),
    ("task_specific_params", Rule::Any),
    ("temperature", Rule::Any),
    ("text_config", IMAGES),
    ("tf_legacy_loss", Rule::Any),
    (
        "tie_encoder_decoder",
        Rule::NeverOn("this decoder has no encoder"),
    ),
    ("tokenizer_class", Rule::Any),
    ("tokenizer_model_max_length", Rule::Any),
    ("tokenizer_name", Rule::Any),
    ("tokenizer_padding_side", Rule::Any),
    ("top_k", Rule::Any),
    ("top_p", Rule::Any),
    ("torchscript", Rule::Any),
    ("transformers.js_config", Rule::Any),
    ("transformers_version", Rule::Any),
    ("typical_p", Rule::Any),
    ("unk_token", Rule::Any),
    ("unsloth_fixed", Rule::Any),
    ("unsloth_version", Rule::Any),
    ("use_bfloat16", Rule::Any),
    ("use_bias", Rule::Bias),
    ("use_cache", Rule::Any),
    ("use_flash_attention", Rule::Any),
    ("use_flash_attention_2", Rule::Any),
    ("use_flash_attn", Rule::Any),
    (
        "use_gated_mlp",
        Rule::AlwaysOn("the decoder's MLP has a gate"),
    ),
    ("use_mrope", MULTIMODAL_ROPE),
    ("use_qk_norm", Rule::QkNorm),
    ("use_qkv_bias", Rule::Bias),
    ("use_return_dict", Rule::Any),
    (
        "use_rms_norm",
        Rule::AlwaysOn("the decoder's norms are RMSNorm"),
    ),
    (
        "use_rope",
        Rule::AlwaysOn("the decoder has rotary positions"),
    ),
    ("vision_config", IMAGES),
    (super::leftover::IGNORED, Rule::Any),
];

/// What a field says about the computation.
pub(super) enum Verdict {
    /// Nothing.
    Inert,
    /// Something that is not honoured, or nobody knows what.
    Refused {
        /// What it is, where that is known.
        why: Option<String>,
        /// Whether to leave it out may be right: false where the model is known to compute something else then.
        ignorable: bool,
    },
}

impl Verdict {
    pub(super) fn when(inert: bool, why: impl Into<String>, ignorable: bool) -> Self {
        match inert {
            true => Self::Inert,
            false => Self::Refused {
                why: Some(why.into()),
                ignorable,
            },
        }
    }
}

/// Judges a field that no family reads; `all` are those beside it.
pub(super) fn judge(
    name: &str,
    value: &Value,
    config: &DecoderConfig,
    all: &Map<String, Value>,
) -> Verdict {
    if value.is_null() {
        return Verdict::Inert;
    }
    let is = |wanted: f64| value.as_f64() == Some(wanted);
    let Some(rule) = rule(name) else {
        return match is_off(value) {
            true => Verdict::Inert,
            false => Verdict::Refused {
                why: None,
                ignorable: true,
            },
        };
    };
    match rule {
        Rule::Any => Verdict::Inert,
        Rule::Dropout => Verdict::when(
            is(0.0),
            "accepted: 0: the sampler and the trainer have to be one model",
            true,
        ),
        Rule::Off(why) => Verdict::when(is_off(value), *why, true),
        Rule::NeverOn(why) => Verdict::when(is_off(value), *why, false),
        Rule::AlwaysOn(why) => Verdict::when(
            *value == Value::Bool(true),
            format!("accepted: true: {why}"),
            false,
        ),
        Rule::One => Verdict::when(is(1.0), "accepted: 1", false),
        Rule::Bias => flag(value, config.input_bias(), "attention_bias"),
        Rule::NoBias => flag(value, !config.input_bias(), "attention_bias"),
        Rule::QkNorm => flag(value, config.qk_norm(), "model_type"),
        Rule::Activation => {
            let known = ["silu", "swish"].iter().any(|name| value == name);
            Verdict::when(known, "accepted: \"silu\"", false)
        }
        Rule::LayerTypes => {
            let computed: Vec<&str> = (0..config.num_hidden_layers)
                .map(|layer| match config.window(layer) {
                    Some(_) => LayerType::Sliding.name(),
                    None => LayerType::Full.name(),
                })
                .collect();
            let why = "accepted: what this family's layers do anyway";
            Verdict::when(*value == Value::from(computed), why, false)
        }
        Rule::Same(field, of) => Verdict::when(
            is(of(config)),
            format!("{field}, which is read, is {}", of(config)),
            true,
        ),
        Rule::OfExperts => {
            let there = |count: &str| all.get(count).is_some_and(|found| !is_off(found));
            let experts = EXPERT_COUNTS.iter().any(|count| there(count));
            Verdict::when(
                !experts || is_off(value),
                "it belongs to a mixture of experts",
                true,
            )
        }
    }
}

fn rule(name: &str) -> Option<&'static Rule> {
    let listed = FIELDS.iter().find(|(field, _)| *field == name);
    if let Some((_, rule)) = listed {
        return Some(rule);
    }
    if name.ends_with("_pdrop") || name.contains("dropout") {
        return Some(&Rule::Dropout);
    }
    if name.ends_with("_token_id") || name.ends_with("_token_ids") {
        return Some(&Rule::Any);
    }
    name.ends_with("softcapping").then_some(&CAPPED)
}

fn flag(value: &Value, computed: bool, said_by: &str) -> Verdict {
    let agrees = value.as_bool() == Some(computed);
    Verdict::when(
        agrees,
        format!("accepted: {computed}, as {said_by} has it"),
        false,
    )
}

/// Whether a value switches nothing on: null, false, 0 or empty.
pub(super) fn is_off(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(on) => !on,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}
