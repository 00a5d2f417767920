//! `adapter_config.json`, as PEFT writes and reads it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::config::LoraConfig;
use super::layers::LinearLayer;
use super::targets::TargetModules;

/// The fields that say what an adapter computes, and those that other readers of the file need.
#[derive(Serialize, Deserialize)]
struct AdapterConfig {
    peft_type: String,
    #[serde(default)]
    task_type: Option<String>,
    #[serde(default)]
    base_model_name_or_path: Option<String>,
    r: usize,
    lora_alpha: f64,
    target_modules: TargetModules,
    #[serde(default)]
    use_rslora: bool,
    /// Acts in training only.
    #[serde(default)]
    lora_dropout: f64,
    /// `"none"`: the base's biases are not trained.
    #[serde(default = "none")]
    bias: String,
    /// How the base stores its matrices; false for linear layers.
    #[serde(default)]
    fan_in_fan_out: bool,
    #[serde(default)]
    inference_mode: bool,
    #[serde(default = "truth")]
    init_lora_weights: Value,
    #[serde(flatten)]
    others: Map<String, Value>,
}

fn none() -> String {
    "none".to_owned()
}

fn truth() -> Value {
    Value::Bool(true)
}

/// Fields that do not change what an adapter computes, whatever they hold. `qalora_group_size` and `megatron_core` are
/// read only together with a field that would be refused.
const SILENT: [&str; 6] = [
    "auto_mapping",
    "megatron_core",
    "peft_version",
    "qalora_group_size",
    "revision",
    "runtime_config",
];

/// Ways to draw the factors that leave the base as it is. Others (`pissa`, `olora`, …) put a part of the base's weights
/// into the adapter, which then belongs to a base that is on no disk.
const INITS: [&str; 3] = ["gaussian", "orthogonal", "eva"];

/// The text of `adapter_config.json` for an adapter on `layers`, all linear layers of the model.
pub(super) fn write(
    lora: &LoraConfig,
    layers: &[LinearLayer],
    base: &str,
) -> Result<String, String> {
    let config = AdapterConfig {
        peft_type: "LORA".to_owned(),
        task_type: Some("CAUSAL_LM".to_owned()),
        base_model_name_or_path: Some(base.to_owned()),
        r: lora.rank,
        lora_alpha: lora.alpha,
        target_modules: TargetModules::Names(lora.target_modules.listed(layers)),
        use_rslora: lora.use_rslora,
        lora_dropout: 0.0,
        bias: none(),
        fan_in_fan_out: false,
        inference_mode: true,
        init_lora_weights: truth(),
        others: Map::new(),
    };
    let mut text = serde_json::to_string_pretty(&config).map_err(|error| error.to_string())?;
    text.push('\n');
    Ok(text)
}

/// The settings in the text of an `adapter_config.json`, and the base that it names.
///
/// Fields that change what the adapter computes and are not honoured here are an error that names them, unknown fields
/// included unless they are switched off (null, false, or empty).
pub(super) fn read(text: &str) -> Result<(LoraConfig, Option<String>), String> {
    let config: AdapterConfig = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let refuse = |field: &str, value: String, accepted: &str| {
        Err(format!("{field} is {value}; accepted: {accepted}"))
    };
    let quoted = |word: &str| format!("\"{word}\"");
    if config.peft_type != "LORA" {
        return refuse("peft_type", quoted(&config.peft_type), "\"LORA\"");
    }
    if let Some(task) = config
        .task_type
        .as_deref()
        .filter(|task| *task != "CAUSAL_LM")
    {
        return refuse("task_type", quoted(task), "\"CAUSAL_LM\" or null");
    }
    if config.bias != "none" {
        return refuse("bias", quoted(&config.bias), "\"none\"");
    }
    if config.fan_in_fan_out {
        return refuse("fan_in_fan_out", "true".to_owned(), "false");
    }
    let init_known = match &config.init_lora_weights {
        Value::Bool(_) => true,
        Value::String(name) => INITS.contains(&&name[..]),
        _ => false,
    };
    if !init_known {
        return refuse(
            "init_lora_weights",
            config.init_lora_weights.to_string(),
            "true, false, \"gaussian\", \"orthogonal\" or \"eva\"; convert the adapter with PEFT first \
             (path_initial_model_for_weight_conversion)",
        );
    }
    let honoured =
        |(field, value): (&String, &Value)| SILENT.contains(&&field[..]) || is_off(value);
    if let Some((field, value)) = config.others.iter().find(|entry| !honoured(*entry)) {
        return refuse(
            field,
            value.to_string(),
            "null, false or empty: this is not supported",
        );
    }
    let lora = LoraConfig {
        rank: config.r,
        alpha: config.lora_alpha,
        target_modules: config.target_modules,
        use_rslora: config.use_rslora,
    };
    lora.validate().map_err(|error| error.to_string())?;
    Ok((lora, config.base_model_name_or_path))
}

fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What PEFT 0.21 writes, with one field replaced.
    fn text(field: &str, value: Value) -> String {
        let mut config = serde_json::json!({
            "alora_invocation_tokens": null, "alpha_pattern": {}, "auto_mapping": null,
            "base_model_name_or_path": "base", "bias": "none", "corda_config": null,
            "exclude_modules": null, "fan_in_fan_out": false, "inference_mode": true,
            "init_lora_weights": true, "layer_replication": null, "layers_pattern": null,
            "layers_to_transform": null, "loftq_config": {}, "lora_alpha": 8, "lora_bias": false,
            "lora_dropout": 0.0, "megatron_core": "megatron.core", "modules_to_save": null,
            "peft_type": "LORA", "peft_version": "0.21.2", "qalora_group_size": 16, "r": 4,
            "rank_pattern": {}, "revision": null, "target_modules": ["q_proj"],
            "task_type": "CAUSAL_LM", "use_dora": false, "use_rslora": false
        });
        config[field] = value;
        config.to_string()
    }

    #[test]
    fn what_peft_writes_is_read() {
        let (lora, base) = read(&text("revision", "main".into())).unwrap();
        assert_eq!(base.as_deref(), Some("base"));
        let names = TargetModules::Names(vec!["q_proj".to_owned()]);
        let expected = LoraConfig {
            target_modules: names,
            ..LoraConfig::new(4, 8.0)
        };
        assert_eq!((lora.scale(), &lora), (2.0, &expected));
        let (lora, _) = read(&text("use_rslora", true.into())).unwrap();
        assert_eq!(lora.scale(), 4.0);
        let (lora, _) = read(&text("target_modules", "all-linear".into())).unwrap();
        assert_eq!(lora.target_modules, TargetModules::AllLinear);
    }

    #[test]
    fn what_is_not_honoured_is_refused_by_name() {
        let cases = [
            ("use_dora", Value::Bool(true)),
            ("modules_to_save", serde_json::json!(["lm_head"])),
            ("rank_pattern", serde_json::json!({"q_proj": 8})),
            ("alpha_pattern", serde_json::json!({"q_proj": 8})),
            ("layers_to_transform", serde_json::json!([0])),
            ("lora_bias", Value::Bool(true)),
            ("bias", "all".into()),
            ("fan_in_fan_out", Value::Bool(true)),
            ("init_lora_weights", "pissa".into()),
            ("peft_type", "IA3".into()),
            ("task_type", "SEQ_CLS".into()),
            ("field_of_tomorrow", Value::Bool(true)),
            ("r", 0.into()),
            ("lora_alpha", 0.into()),
            ("target_modules", ".*q_proj".into()),
        ];
        for (field, value) in cases {
            let error = read(&text(field, value)).unwrap_err();
            let named = match field {
                "r" => "rank",
                "lora_alpha" => "alpha",
                "target_modules" => "all-linear",
                field => field,
            };
            assert!(error.contains(named), "{field}: {error}");
        }
    }
}
