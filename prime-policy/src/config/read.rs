//! `config.json` to [`DecoderConfig`].

use std::path::Path;

use serde_json::Value;

use super::family::{AttentionBias, Family, Windows};
use super::fields::Fields;
use super::leftover::{Inner, Request};
use super::{DecoderConfig, LayerType, inert, leftover, rope};
use crate::checkpoint::stand_in::stand_in;
use crate::error::PolicyError;

impl DecoderConfig {
    /// Reads the text of a `config.json`; `path` is only named in errors.
    ///
    /// A field that is left out has the value that `transformers` gives it, except `model_type` and the five sizes,
    /// which must be there. A field that is not honoured is an error, unless it is off (null, false, 0, empty) or known
    /// not to change what is computed (then it is kept in [`DecoderConfig::inert`]).
    ///
    /// # Errors
    /// [`PolicyError::Format`] when it is no JSON object, [`PolicyError::ConfigFile`] naming a field with its value and
    /// what is accepted (an unknown architecture: those that are known), one [`PolicyError::UnknownFields`] with all
    /// fields that are not honoured.
    pub fn from_json(text: &str, path: &Path) -> Result<Self, PolicyError> {
        Self::from_json_ignoring(text, path, &[])
    }

    /// [`Self::from_json`], with fields that are not honoured left out on request: `ignore` has their names, such as
    /// `logits_processor` or `rope_scaling.attn_factor`. What was left out is not written back but listed, as
    /// `ignored_config_fields`.
    ///
    /// # Errors
    /// Those of [`Self::from_json`]; [`PolicyError::Format`] for a name that the file does not have, of a field that is
    /// read, or of one without which the model is known to compute something else.
    pub fn from_json_ignoring(
        text: &str,
        path: &Path,
        ignore: &[String],
    ) -> Result<Self, PolicyError> {
        let format = |reason: String| PolicyError::Format {
            path: path.to_owned(),
            reason,
        };
        let map = match serde_json::from_str(text) {
            Ok(Value::Object(map)) => map,
            Ok(_) => return Err(format("not a JSON object".to_owned())),
            Err(error) => return Err(format(no_json(text, &error))),
        };
        let request = Request {
            ignore,
            in_file: leftover::names(&map),
        };
        let mut fields = Fields::new(path, String::new(), map);
        let family = family(&mut fields)?;
        let (mut config, inner) = body(&mut fields, family)?;
        config.inert = leftover::settle(fields.rest(), inner, &config, &request, path)?;
        config.validate().map_err(|error| error.in_file(path))?;
        Ok(config)
    }
}

fn family(fields: &mut Fields<'_>) -> Result<Family, PolicyError> {
    let model_type = fields.take("model_type").unwrap_or_default();
    let family = Family::ALL
        .into_iter()
        .find(|family| model_type == family.model_type())
        .ok_or_else(|| {
            let accepted = match model_type.as_str().and_then(another_kind) {
                Some(kind) => format!("{} (this is {kind})", Family::known()),
                None => Family::known(),
            };
            fields.refuse("model_type", &model_type, accepted)
        })?;
    let architectures = fields.take("architectures").unwrap_or_default();
    let ours = Value::from(vec![family.architecture()]);
    // The first conversions of Llama wrote LLaMAForCausalLM.
    let named = match architectures.as_array().map(Vec::as_slice) {
        Some([Value::String(name)]) => name.eq_ignore_ascii_case(family.architecture()),
        _ => inert::is_off(&architectures),
    };
    if named {
        return Ok(family);
    }
    let accepted = format!(
        "{ours} for model_type {model_type}; known: {}",
        Family::known()
    );
    Err(fields.refuse("architectures", &architectures, accepted))
}

/// What a well-known `model_type` of another architecture is.
fn another_kind(model_type: &str) -> Option<&'static str> {
    const EXPERTS: [&str; 8] = [
        "mixtral",
        "deepseek_v2",
        "deepseek_v3",
        "gpt_oss",
        "phimoe",
        "olmoe",
        "granitemoe",
        "dbrx",
    ];
    const IMAGES: [&str; 6] = [
        "llava", "mllama", "mistral3", "pixtral", "gemma3", "idefics",
    ];
    if EXPERTS.contains(&model_type) || model_type.ends_with("_moe") {
        return Some("a mixture of experts");
    }
    let images =
        model_type.contains("_vl") || IMAGES.iter().any(|name| model_type.starts_with(name));
    images.then_some("a model that reads images too; take its language model")
}

/// What is wrong with a text that is no JSON.
fn no_json(text: &str, error: &serde_json::Error) -> String {
    match stand_in(text.as_bytes()) {
        Some(what) => what.to_owned(),
        None if text.trim().is_empty() => "is empty; copy or download it again".to_owned(),
        None if error.is_eof() => format!("is cut off: {error}; copy or download it again"),
        None => format!("is not JSON: {error}"),
    }
}

fn body(
    fields: &mut Fields<'_>,
    family: Family,
) -> Result<(DecoderConfig, Vec<Inner>), PolicyError> {
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
    config.tie_word_embeddings = flag(fields, "tie_word_embeddings")?;
    config.initializer_range = fields.or("initializer_range", config.initializer_range)?;
    activation(fields)?;
    let rope = rope::read(fields, config.max_position_embeddings)?;
    (config.rope_theta, config.rope_scaling) = (rope.theta, rope.scaling);
    biases(fields, &mut config)?;
    windows(fields, &mut config)?;
    config.bos_token_id = token_id(fields, "bos_token_id", spec.bos_token_id)?;
    config.eos_token_id = end_ids(fields, spec.eos_token_id)?;
    config.pad_token_id = token_id(fields, "pad_token_id", None)?;
    let older = fields.nullable("torch_dtype", None)?;
    let newer = fields.nullable("dtype", None)?;
    config.torch_dtype = newer.or(older).unwrap_or(config.torch_dtype);
    Ok((config, rope.unread))
}

/// A switch that is off where it is left out or null.
fn flag(fields: &mut Fields<'_>, name: &str) -> Result<bool, PolicyError> {
    Ok(fields.nullable(name, None)?.unwrap_or(false))
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
            config.attention_bias = flag(fields, "attention_bias")?;
        }
        AttentionBias::QueryKeyValue | AttentionBias::Never => {
            fields.fixed("attention_bias", config.attention_bias, spec.model_type)?;
        }
    }
    if spec.mlp_bias {
        config.mlp_bias = flag(fields, "mlp_bias")?;
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
        config.use_sliding_window = flag(fields, "use_sliding_window")?;
        config.max_window_layers = fields.or("max_window_layers", config.max_window_layers)?;
        config.layer_types = layer_types(fields)?;
        return Ok(());
    }
    let switch = fields.get("use_sliding_window").cloned();
    fields.fixed("use_sliding_window", false, spec.model_type)?;
    // A window that the file itself switches off.
    if let Some(Value::Bool(false)) = switch
        && spec.windows == Windows::Never
    {
        fields.take("sliding_window");
    }
    Ok(())
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
