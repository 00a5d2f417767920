//! `config.json` to [`DecoderConfig`].

use std::path::Path;

use serde_json::{Map, Value};

use super::family::{AttentionBias, Family, Windows};
use super::fields::{Fields, shown};
use super::{DecoderConfig, LayerType, inert, rope};
use crate::error::PolicyError;

impl DecoderConfig {
    /// Reads the text of a `config.json`; `path` is only named in errors.
    ///
    /// A field that is left out has the value that `transformers` gives it, except `model_type` and the five sizes,
    /// which must be there. A field that is not honoured is an error, unless it is known not to change what is computed
    /// (then it is kept in [`DecoderConfig::inert`]).
    ///
    /// # Errors
    /// [`PolicyError::Format`] when it is no JSON object, [`PolicyError::ConfigFile`] naming a field with its value and
    /// what is accepted (an unknown architecture: those that are known), [`PolicyError::UnknownField`].
    pub fn from_json(text: &str, path: &Path) -> Result<Self, PolicyError> {
        let format = |reason: String| PolicyError::Format {
            path: path.to_owned(),
            reason,
        };
        let map = match serde_json::from_str(text) {
            Ok(Value::Object(map)) => map,
            Ok(_) => return Err(format("not a JSON object".to_owned())),
            Err(error) => return Err(format(error.to_string())),
        };
        let mut fields = Fields::new(path, String::new(), map);
        let family = family(&mut fields)?;
        let mut config = body(&mut fields, family)?;
        config.inert = remaining(fields, family)?;
        config.validate().map_err(|error| error.in_file(path))?;
        Ok(config)
    }
}

fn family(fields: &mut Fields<'_>) -> Result<Family, PolicyError> {
    let model_type = fields.take("model_type").unwrap_or_default();
    let family = Family::ALL
        .into_iter()
        .find(|family| model_type == family.model_type())
        .ok_or_else(|| fields.refuse("model_type", &model_type, Family::known()))?;
    let architectures = fields.take("architectures").unwrap_or_default();
    let ours = Value::from(vec![family.architecture()]);
    if architectures.is_null() || architectures == ours {
        return Ok(family);
    }
    let accepted = format!(
        "{ours} for model_type {model_type}; known: {}",
        Family::known()
    );
    Err(fields.refuse("architectures", &architectures, accepted))
}

fn body(fields: &mut Fields<'_>, family: Family) -> Result<DecoderConfig, PolicyError> {
    let spec = family.spec();
    let mut config = DecoderConfig::for_family(
        family,
        fields.required("vocab_size")?,
        fields.required("hidden_size")?,
        fields.required("intermediate_size")?,
        fields.required("num_hidden_layers")?,
        fields.required("num_attention_heads")?,
    );
    config.num_key_value_heads = fields
        .nullable("num_key_value_heads", spec.num_key_value_heads)?
        .unwrap_or(config.num_attention_heads);
    config.head_dim = fields
        .nullable("head_dim", spec.head_dim)?
        .or(spec.head_dim);
    config.max_position_embeddings =
        fields.or("max_position_embeddings", spec.max_position_embeddings)?;
    config.rms_norm_eps = fields.or("rms_norm_eps", spec.rms_norm_eps)?;
    config.tie_word_embeddings = fields.or("tie_word_embeddings", false)?;
    config.initializer_range = fields.or("initializer_range", config.initializer_range)?;
    activation(fields)?;
    (config.rope_theta, config.rope_scaling) = rope::read(fields, config.max_position_embeddings)?;
    biases(fields, &mut config)?;
    windows(fields, &mut config)?;
    config.bos_token_id = token_id(fields, "bos_token_id", spec.bos_token_id)?;
    config.eos_token_id = end_ids(fields, spec.eos_token_id)?;
    config.pad_token_id = token_id(fields, "pad_token_id", None)?;
    let older = fields.nullable("torch_dtype", None)?;
    let newer = fields.nullable("dtype", None)?;
    config.torch_dtype = newer.or(older).unwrap_or(config.torch_dtype);
    Ok(config)
}

fn activation(fields: &mut Fields<'_>) -> Result<(), PolicyError> {
    match fields.take("hidden_act") {
        Some(other) if other != "silu" && other != "swish" => {
            Err(fields.refuse("hidden_act", &other, "\"silu\""))
        }
        _ => Ok(()),
    }
}

fn biases(fields: &mut Fields<'_>, config: &mut DecoderConfig) -> Result<(), PolicyError> {
    let spec = config.family.spec();
    match spec.attention_bias {
        AttentionBias::AsConfigured => {
            config.attention_bias = fields.or("attention_bias", false)?;
        }
        AttentionBias::QueryKeyValue | AttentionBias::Never => {
            fields.fixed("attention_bias", config.attention_bias, spec.model_type)?;
        }
    }
    if spec.mlp_bias {
        config.mlp_bias = fields.or("mlp_bias", false)?;
        Ok(())
    } else {
        fields.fixed("mlp_bias", false, spec.model_type)
    }
}

fn windows(fields: &mut Fields<'_>, config: &mut DecoderConfig) -> Result<(), PolicyError> {
    let spec = config.family.spec();
    if spec.windows != Windows::Never {
        config.sliding_window = fields.nullable("sliding_window", spec.sliding_window)?;
    }
    if spec.windows == Windows::ByLayer {
        config.use_sliding_window = fields.or("use_sliding_window", false)?;
        config.max_window_layers = fields.or("max_window_layers", config.max_window_layers)?;
        config.layer_types = layer_types(fields)?;
        Ok(())
    } else {
        fields.fixed("use_sliding_window", false, spec.model_type)
    }
}

fn layer_types(fields: &mut Fields<'_>) -> Result<Option<Vec<LayerType>>, PolicyError> {
    const NAME: &str = "layer_types";
    let value = match fields.take(NAME) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let accepted = "a list of \"full_attention\" and \"sliding_attention\"";
    let Some(names) = value.as_array() else {
        return Err(fields.refuse(NAME, &value, accepted));
    };
    names
        .iter()
        .map(|name| {
            [LayerType::Full, LayerType::Sliding]
                .into_iter()
                .find(|kind| name == kind.name())
                .ok_or_else(|| fields.refuse(NAME, name, accepted))
        })
        .collect::<Result<_, _>>()
        .map(Some)
}

/// An id, or none: null, or the negative number that some files have instead.
fn token_id(
    fields: &mut Fields<'_>,
    name: &str,
    missing: Option<u32>,
) -> Result<Option<u32>, PolicyError> {
    match fields.take(name) {
        None => Ok(missing),
        Some(Value::Null) => Ok(None),
        Some(value) if value.as_i64().is_some_and(|id| id < 0) => Ok(None),
        Some(value) => one_id(fields, name, &value).map(Some),
    }
}

fn one_id(fields: &Fields<'_>, name: &str, value: &Value) -> Result<u32, PolicyError> {
    value
        .as_u64()
        .and_then(|id| u32::try_from(id).ok())
        .ok_or_else(|| fields.refuse(name, value, "a token id"))
}

fn end_ids(fields: &mut Fields<'_>, missing: Option<u32>) -> Result<Vec<u32>, PolicyError> {
    const NAME: &str = "eos_token_id";
    match fields.get(NAME).cloned() {
        Some(Value::Array(ids)) => {
            fields.take(NAME);
            ids.iter().map(|id| one_id(fields, NAME, id)).collect()
        }
        _ => Ok(token_id(fields, NAME, missing)?.into_iter().collect()),
    }
}

/// The fields that nobody read, all of which must be inert.
fn remaining(fields: Fields<'_>, family: Family) -> Result<Map<String, Value>, PolicyError> {
    let path = fields.path();
    let rest = fields.rest();
    for (name, value) in &rest {
        match inert::judge(name, value) {
            inert::Verdict::Inert => {}
            inert::Verdict::OnlyAs(accepted) => {
                return Err(PolicyError::ConfigFile {
                    path: path.to_owned(),
                    field: name.clone(),
                    value: shown(value),
                    accepted: accepted.to_owned(),
                });
            }
            inert::Verdict::Unknown => {
                return Err(PolicyError::UnknownField {
                    path: path.to_owned(),
                    field: name.clone(),
                    value: shown(value),
                    family: family.model_type(),
                });
            }
        }
    }
    Ok(rest)
}
