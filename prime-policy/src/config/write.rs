//! [`DecoderConfig`] to `config.json`.

use serde_json::{Value, json};

use super::family::{AttentionBias, Windows};
use super::{DecoderConfig, LayerType};
use crate::error::PolicyError;

impl DecoderConfig {
    /// The text of a `config.json` with the same meaning, which [`DecoderConfig::from_json`] and `transformers` read.
    ///
    /// Rotary scaling is written as `rope_theta` and `rope_scaling`, which `transformers` 4 and 5 both understand.
    ///
    /// # Errors
    /// Those of [`DecoderConfig::validate`]: what would not be read is not written.
    pub fn to_json(&self) -> Result<String, PolicyError> {
        self.validate()?;
        let spec = self.family.spec();
        let mut map = self.inert.clone();
        let mut put = |name: &str, value: Value| {
            map.insert(name.to_owned(), value);
        };
        put("model_type", json!(spec.model_type));
        put("architectures", json!([spec.architecture]));
        put("vocab_size", json!(self.vocab_size));
        put("hidden_size", json!(self.hidden_size));
        put("intermediate_size", json!(self.intermediate_size));
        put("num_hidden_layers", json!(self.num_hidden_layers));
        put("num_attention_heads", json!(self.num_attention_heads));
        put("num_key_value_heads", json!(self.num_key_value_heads));
        if self.head_dim.or(spec.head_dim).is_some() {
            put("head_dim", json!(self.head_dim()));
        }
        put(
            "max_position_embeddings",
            json!(self.max_position_embeddings),
        );
        put("rope_theta", json!(self.rope_theta));
        if let Some(scaling) = self.rope_scaling {
            put("rope_scaling", scaling.to_value());
        }
        put("rms_norm_eps", json!(self.rms_norm_eps));
        put("hidden_act", json!("silu"));
        put("tie_word_embeddings", json!(self.tie_word_embeddings));
        put("initializer_range", json!(self.initializer_range));
        if spec.attention_bias == AttentionBias::AsConfigured {
            put("attention_bias", json!(self.attention_bias));
        }
        if spec.mlp_bias {
            put("mlp_bias", json!(self.mlp_bias));
        }
        if spec.windows != Windows::Never {
            put("sliding_window", json!(self.sliding_window));
        }
        if spec.windows == Windows::ByLayer {
            put("use_sliding_window", json!(self.use_sliding_window));
            put("max_window_layers", json!(self.max_window_layers));
            if let Some(types) = &self.layer_types {
                let names: Vec<_> = types.iter().copied().map(LayerType::name).collect();
                put("layer_types", json!(names));
            }
        }
        put("bos_token_id", json!(self.bos_token_id));
        put(
            "eos_token_id",
            match self.eos_token_id[..] {
                [] => Value::Null,
                [id] => json!(id),
                ref ids => json!(ids),
            },
        );
        put("pad_token_id", json!(self.pad_token_id));
        put("torch_dtype", json!(self.torch_dtype));
        Ok(format!("{:#}\n", Value::Object(map)))
    }
}
