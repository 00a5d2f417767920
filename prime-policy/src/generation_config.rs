//! `generation_config.json`: how a model's makers would sample from it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::error::PolicyError;
use crate::tokenizer::read_json;

pub(crate) const GENERATION_CONFIG: &str = "generation_config.json";

/// Token ids that are written as one number, as a list, or as null.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TokenIds(pub(crate) Vec<u32>);

impl<'de> Deserialize<'de> for TokenIds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a token id, a list of token ids, or null")]
        enum Written {
            None,
            One(u32),
            Several(Vec<u32>),
        }
        Ok(Self(match Written::deserialize(deserializer)? {
            Written::None => vec![],
            Written::One(id) => vec![id],
            Written::Several(ids) => ids,
        }))
    }
}

/// The content of a `generation_config.json`.
///
/// Reading one does not judge it, so that a model can be trained with settings of one's own whatever its makers wrote;
/// [`sampling_defaults`](Self::sampling_defaults) does.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct GenerationConfig {
    #[serde(skip)]
    path: PathBuf,
    #[serde(default)]
    eos_token_id: TokenIds,
    /// Id of the token that starts a text.
    pub bos_token_id: Option<u32>,
    /// Id of the token that fills short rows.
    pub pad_token_id: Option<u32>,
    /// Whether to draw tokens; otherwise the likeliest is taken.
    pub do_sample: Option<bool>,
    /// Divides the logits.
    pub temperature: Option<f64>,
    /// Only this many of the likeliest tokens; 0 = all.
    pub top_k: Option<usize>,
    /// Only the smallest set of likeliest tokens with this much probability.
    pub top_p: Option<f64>,
    /// Only tokens with this share of the likeliest one's probability.
    pub min_p: Option<f64>,
    /// The most tokens of a response.
    pub max_new_tokens: Option<usize>,
    /// The most tokens of prompt and response together.
    pub max_length: Option<usize>,
    #[serde(default)]
    stop_strings: StopStrings,
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// Texts that are written as one, as a list, or as null.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(untagged, expecting = "a text, a list of texts, or null")]
enum StopStrings {
    #[default]
    None,
    One(String),
    Several(Vec<String>),
}

/// How to sample when nothing else is said: the fields of a [`GenerationConfig`], and for those it lacks what
/// `transformers` takes. [`SamplingConfig::from_defaults`](crate::SamplingConfig::from_defaults) samples by it.
#[derive(Debug, Clone, PartialEq)]
pub struct SamplingDefaults {
    /// Divides the logits; 0 = always the likeliest token, which is what `do_sample` being false or missing means.
    pub temperature: f32,
    /// Only this many of the likeliest tokens; 0 = all. 50 when missing.
    pub top_k: usize,
    /// Only the smallest set of likeliest tokens with at least this probability, in (0, 1].
    pub top_p: f32,
    /// Only tokens with at least this share of the likeliest one's probability, in [0, 1].
    pub min_p: f32,
    /// The most tokens of a response.
    pub max_new_tokens: Option<usize>,
    /// The most tokens of prompt and response together; without force where `max_new_tokens` is given.
    pub max_length: Option<usize>,
    /// Texts that end a response.
    pub stop_strings: Vec<String>,
}

/// Fields that change what is sampled, each with the values that change nothing beside null.
const UNSUPPORTED: [(&str, &[f64]); 29] = [
    ("assistant_early_exit", &[]),
    ("bad_words_ids", &[]),
    ("begin_suppress_tokens", &[]),
    ("constraints", &[]),
    ("diversity_penalty", &[0.0]),
    ("dola_layers", &[]),
    ("encoder_no_repeat_ngram_size", &[0.0]),
    ("encoder_repetition_penalty", &[1.0]),
    ("epsilon_cutoff", &[0.0]),
    ("eta_cutoff", &[0.0]),
    ("exponential_decay_length_penalty", &[]),
    ("force_words_ids", &[]),
    ("forced_bos_token_id", &[]),
    ("forced_eos_token_id", &[]),
    ("guidance_scale", &[1.0]),
    ("max_time", &[]),
    ("min_length", &[0.0]),
    ("min_new_tokens", &[0.0]),
    ("no_repeat_ngram_size", &[0.0]),
    ("num_beam_groups", &[1.0]),
    ("num_beams", &[1.0]),
    ("penalty_alpha", &[0.0]),
    ("repetition_penalty", &[1.0]),
    ("sequence_bias", &[]),
    ("suppress_tokens", &[]),
    ("token_healing", &[]),
    ("top_h", &[]),
    ("typical_p", &[1.0]),
    ("watermarking_config", &[]),
];

/// Fields that say how the work is done, what is returned, or something about beams, which are refused by themselves.
const HARMLESS: [&str; 35] = [
    "_commit_hash",
    "_from_model_config",
    "assistant_confidence_threshold",
    "assistant_ensemble_weight",
    "assistant_lookbehind",
    "cache_config",
    "cache_implementation",
    "compile_config",
    "continuous_batching_config",
    "decoder_start_token_id",
    "disable_compile",
    "early_stopping",
    "is_assistant",
    "length_penalty",
    "low_memory",
    "max_cache_len",
    "max_matching_ngram_size",
    "num_assistant_tokens",
    "num_assistant_tokens_schedule",
    "num_return_sequences",
    "output_attentions",
    "output_hidden_states",
    "output_logits",
    "output_scores",
    "prefill_chunk_size",
    "prompt_lookup_num_tokens",
    "remove_invalid_values",
    "renormalize_logits",
    "return_dict_in_generate",
    "speculation_type",
    "target_lookbehind",
    "transformers_version",
    "use_cache",
    "use_model_defaults",
    "use_mtp",
];

impl GenerationConfig {
    /// Reads the file of a model folder; `None` when there is none.
    ///
    /// # Errors
    /// [`PolicyError::Io`]; [`PolicyError::Format`] for what is no JSON, or a field of another type.
    pub fn from_folder(folder: &Path) -> Result<Option<Self>, PolicyError> {
        let path = folder.join(GENERATION_CONFIG);
        let config: Option<Self> = read_json(&path)?;
        Ok(config.map(|config| Self { path, ..config }))
    }

    /// Ids that end a response, as the file has them; none, one or several. The ids that a model stops at are
    /// [`Tokenizer::stop_ids`](crate::Tokenizer::stop_ids), which holds these.
    pub fn eos_token_ids(&self) -> &[u32] {
        &self.eos_token_id.0
    }

    /// How the model's makers would sample.
    ///
    /// # Errors
    /// [`PolicyError::GenerationConfig`] for a field that changes what is sampled and that this crate does not have
    /// (`repetition_penalty`, `num_beams`, `no_repeat_ngram_size` ..), for one that it does not know, and for a value out
    /// of range.
    pub fn sampling_defaults(&self) -> Result<SamplingDefaults, PolicyError> {
        for (field, value) in &self.other {
            let fail = |accepted: String| Err(self.error(field, value.to_string(), &accepted));
            match UNSUPPORTED.iter().find(|(name, _)| name == field) {
                Some((_, neutral)) if !is_neutral(value, neutral) => {
                    let values: Vec<String> = neutral.iter().map(f64::to_string).collect();
                    let accepted = [vec!["null".to_owned()], values].concat().join(" or ");
                    return fail(format!("accepted: {accepted}"));
                }
                Some(_) => {}
                None if HARMLESS.contains(&field.as_str()) => {}
                None => return fail("this field is not known".to_owned()),
            }
        }
        let sampled = self.do_sample.unwrap_or(false);
        let in_range = |field, value: f64, fits: bool, accepted: &str| match fits {
            true => Ok(value as f32),
            false => Err(self.error(field, value.to_string(), &format!("accepted: {accepted}"))),
        };
        let temperature = self.temperature.unwrap_or(1.0);
        let positive = temperature.is_finite() && temperature > 0.0;
        let temperature = match sampled {
            true => in_range(
                "temperature",
                temperature,
                positive,
                "a finite number above 0",
            )?,
            false => 0.0,
        };
        let top_p = self.top_p.unwrap_or(1.0);
        let min_p = self.min_p.unwrap_or(0.0);
        Ok(SamplingDefaults {
            temperature,
            top_k: self.top_k.unwrap_or(50),
            top_p: in_range(
                "top_p",
                top_p,
                top_p > 0.0 && top_p <= 1.0,
                "above 0, up to 1",
            )?,
            min_p: in_range("min_p", min_p, (0.0..=1.0).contains(&min_p), "from 0 to 1")?,
            max_new_tokens: self.max_new_tokens,
            max_length: self.max_length,
            stop_strings: match &self.stop_strings {
                StopStrings::None => vec![],
                StopStrings::One(text) => vec![text.clone()],
                StopStrings::Several(texts) => texts.clone(),
            },
        })
    }

    fn error(&self, field: &str, value: String, accepted: &str) -> PolicyError {
        PolicyError::GenerationConfig {
            path: self.path.clone(),
            field: field.to_owned(),
            value,
            accepted: format!("{accepted}; or give the sampling settings yourself"),
        }
    }
}

/// Whether a value asks for nothing: null, false, empty, or one of the numbers.
fn is_neutral(value: &Value, neutral: &[f64]) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(on) => !on,
        Value::Number(number) => number
            .as_f64()
            .is_some_and(|number| neutral.contains(&number)),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> GenerationConfig {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(GENERATION_CONFIG), text).unwrap();
        GenerationConfig::from_folder(folder.path())
            .unwrap()
            .unwrap()
    }

    #[test]
    fn what_a_model_asks_for_is_taken() {
        let config = config(
            r#"{"bos_token_id": 1, "pad_token_id": 1, "do_sample": true, "eos_token_id": [7, 1],
                "repetition_penalty": 1, "temperature": 0.7, "top_p": 0.8, "top_k": 20, "min_p": 0.1,
                "num_beams": 1, "bad_words_ids": [], "renormalize_logits": true, "max_new_tokens": 2048,
                "max_length": null, "stop_strings": "END", "transformers_version": "4.37.0"}"#,
        );
        assert_eq!(config.eos_token_ids(), [7, 1]);
        assert_eq!(
            (config.bos_token_id, config.pad_token_id),
            (Some(1), Some(1))
        );
        let wanted = SamplingDefaults {
            temperature: 0.7,
            top_k: 20,
            top_p: 0.8,
            min_p: 0.1,
            max_new_tokens: Some(2048),
            max_length: None,
            stop_strings: vec!["END".to_owned()],
        };
        assert_eq!(config.sampling_defaults().unwrap(), wanted);
    }

    #[test]
    fn what_is_missing_is_what_transformers_takes() {
        let greedy = config(r#"{"temperature": 0.7, "eos_token_id": 3}"#);
        assert_eq!(greedy.eos_token_ids(), [3]);
        assert_eq!(greedy.sampling_defaults().unwrap().temperature, 0.0);
        let sampled = config(r#"{"do_sample": true, "eos_token_id": null}"#);
        assert!(sampled.eos_token_ids().is_empty());
        let defaults = sampled.sampling_defaults().unwrap();
        assert_eq!((defaults.temperature, defaults.top_k), (1.0, 50));
        assert_eq!((defaults.top_p, defaults.min_p), (1.0, 0.0));
    }

    #[test]
    fn what_is_not_honoured_is_an_error_only_when_it_is_asked_for() {
        for (text, parts) in [
            (
                r#"{"repetition_penalty": 1.05}"#,
                ["repetition_penalty is 1.05", "null or 1;"],
            ),
            (r#"{"num_beams": 4}"#, ["num_beams is 4", "null or 1;"]),
            (
                r#"{"no_repeat_ngram_size": 3}"#,
                ["no_repeat_ngram_size is 3", "null or 0;"],
            ),
            (
                r#"{"suppress_tokens": [5]}"#,
                ["suppress_tokens is [5]", "accepted: null;"],
            ),
            (
                r#"{"chat_format": "raw"}"#,
                ["chat_format is \"raw\"", "not known"],
            ),
            (
                r#"{"do_sample": true, "temperature": 0}"#,
                ["temperature is 0", "above 0"],
            ),
            (r#"{"top_p": 1.5}"#, ["top_p is 1.5", "up to 1"]),
            (r#"{"min_p": -0.5}"#, ["min_p is -0.5", "from 0 to 1"]),
        ] {
            let error = config(text).sampling_defaults().unwrap_err().to_string();
            for part in parts
                .into_iter()
                .chain([GENERATION_CONFIG, "give the sampling settings yourself"])
            {
                assert!(error.contains(part), "{error} lacks {part}");
            }
        }
    }

    #[test]
    fn a_field_of_another_type_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(GenerationConfig::from_folder(folder.path()).unwrap(), None);
        for (text, part) in [
            (
                r#"{"eos_token_id": "x"}"#,
                "a token id, a list of token ids, or null",
            ),
            (r#"{"stop_strings": 3}"#, "a text, a list of texts, or null"),
            (r#"{"top_k": -1}"#, "-1"),
            ("{", "EOF"),
        ] {
            std::fs::write(folder.path().join(GENERATION_CONFIG), text).unwrap();
            let error = GenerationConfig::from_folder(folder.path())
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(part) && error.contains(GENERATION_CONFIG),
                "{error}"
            );
        }
    }
}
