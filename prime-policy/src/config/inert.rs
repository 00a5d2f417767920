//! Fields of `config.json` that do not change what a causal language model computes.
//!
//! They are accepted with the values given here, kept in [`DecoderConfig::inert`](super::DecoderConfig::inert) and
//! written back. Null says nothing and is accepted for any field. Everything else that nobody reads is an error.

use serde_json::Value;

/// Which values of a field leave the computation alone.
enum Harmless {
    /// All: bookkeeping, switches of `transformers`' own outputs and caches, labels of classification heads that a
    /// causal model lacks, and sampling defaults, which `generation_config.json` holds nowadays.
    Any,
    /// Zero: no dropout, no chunking.
    Zero,
    /// One.
    One,
    /// False.
    False,
}

const FIELDS: &[(&str, Harmless)] = &[
    ("_attn_implementation", Harmless::Any),
    ("_attn_implementation_autoset", Harmless::Any),
    ("_commit_hash", Harmless::Any),
    ("_name_or_path", Harmless::Any),
    ("attention_dropout", Harmless::Zero),
    ("attn_implementation", Harmless::Any),
    ("bad_words_ids", Harmless::Any),
    ("begin_suppress_tokens", Harmless::Any),
    ("chunk_size_feed_forward", Harmless::Zero),
    ("decoder_start_token_id", Harmless::Any),
    ("diversity_penalty", Harmless::Any),
    ("do_sample", Harmless::Any),
    ("early_stopping", Harmless::Any),
    ("encoder_no_repeat_ngram_size", Harmless::Any),
    ("exponential_decay_length_penalty", Harmless::Any),
    ("finetuning_task", Harmless::Any),
    ("forced_bos_token_id", Harmless::Any),
    ("forced_eos_token_id", Harmless::Any),
    ("id2label", Harmless::Any),
    ("is_encoder_decoder", Harmless::False),
    ("keys_to_ignore_at_inference", Harmless::Any),
    ("label2id", Harmless::Any),
    ("length_penalty", Harmless::Any),
    ("max_length", Harmless::Any),
    ("min_length", Harmless::Any),
    ("name_or_path", Harmless::Any),
    ("no_repeat_ngram_size", Harmless::Any),
    ("num_beam_groups", Harmless::Any),
    ("num_beams", Harmless::Any),
    ("num_labels", Harmless::Any),
    ("num_return_sequences", Harmless::Any),
    ("output_attentions", Harmless::Any),
    ("output_hidden_states", Harmless::Any),
    ("output_scores", Harmless::Any),
    ("partial_rotary_factor", Harmless::One),
    ("prefix", Harmless::Any),
    ("pretraining_tp", Harmless::One),
    ("problem_type", Harmless::Any),
    ("remove_invalid_values", Harmless::Any),
    ("repetition_penalty", Harmless::Any),
    ("return_dict", Harmless::Any),
    ("return_dict_in_generate", Harmless::Any),
    ("sep_token_id", Harmless::Any),
    ("suppress_tokens", Harmless::Any),
    ("task_specific_params", Harmless::Any),
    ("temperature", Harmless::Any),
    ("tie_encoder_decoder", Harmless::False),
    ("tokenizer_class", Harmless::Any),
    ("top_k", Harmless::Any),
    ("top_p", Harmless::Any),
    ("torchscript", Harmless::Any),
    ("transformers_version", Harmless::Any),
    ("typical_p", Harmless::Any),
    ("unsloth_fixed", Harmless::Any),
    ("unsloth_version", Harmless::Any),
    ("use_cache", Harmless::Any),
    ("use_mrope", Harmless::False),
    ("use_return_dict", Harmless::Any),
];

/// What a field says about the computation.
pub(super) enum Verdict {
    /// Nothing.
    Inert,
    /// Nothing if its value were the one named.
    OnlyAs(&'static str),
    /// Not known.
    Unknown,
}

/// Judges a field that no family reads.
pub(super) fn judge(name: &str, value: &Value) -> Verdict {
    if value.is_null() {
        return Verdict::Inert;
    }
    let Some((_, harmless)) = FIELDS.iter().find(|(field, _)| *field == name) else {
        return Verdict::Unknown;
    };
    let (inert, accepted) = match harmless {
        Harmless::Any => (true, ""),
        Harmless::Zero => (value.as_f64() == Some(0.0), "0"),
        Harmless::One => (value.as_f64() == Some(1.0), "1"),
        Harmless::False => (value.as_bool() == Some(false), "false"),
    };
    if inert {
        Verdict::Inert
    } else {
        Verdict::OnlyAs(accepted)
    }
}
