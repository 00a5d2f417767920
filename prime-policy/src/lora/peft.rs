//! `adapter_config.json`, as PEFT writes and reads it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::config::LoraConfig;
use super::layers::LinearLayer;
use super::targets::TargetModules;

/// The fields that say what an adapter computes, and those that other readers of the file need.
#[derive(Serialize)]
struct AdapterConfig {
    peft_type: &'static str,
    task_type: &'static str,
    base_model_name_or_path: String,
    r: usize,
    lora_alpha: f64,
    target_modules: TargetModules,
    use_rslora: bool,
    /// Acts in training only.
    lora_dropout: f64,
    /// `"none"`: the base's biases are not trained.
    bias: &'static str,
    /// How the base stores its matrices; false for linear layers.
    fan_in_fan_out: bool,
    inference_mode: bool,
    init_lora_weights: bool,
}

/// Fields that do not change what an adapter computes, whatever they hold. `qalora_group_size` and `megatron_core` are
/// read only together with a field that would be refused; `eva_config` says how the factors were drawn.
const SILENT: [&str; 8] = [
    "auto_mapping",
    "eva_config",
    "inference_mode",
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
        peft_type: "LORA",
        task_type: "CAUSAL_LM",
        base_model_name_or_path: base.to_owned(),
        r: lora.rank,
        lora_alpha: lora.alpha,
        target_modules: TargetModules::Names(lora.target_modules.listed(layers)),
        use_rslora: lora.use_rslora,
        lora_dropout: lora.dropout,
        bias: "none",
        fan_in_fan_out: false,
        inference_mode: true,
        init_lora_weights: true,
    };
    let mut text = serde_json::to_string_pretty(&config).map_err(|error| error.to_string())?;
    text.push('\n');
    Ok(text)
}

/// The settings in the text of an `adapter_config.json`, and the base that it names.
///
/// Fields that change what the adapter computes and are not honoured here are an error that names them, unknown fields
/// included unless they are switched off (null, false, or empty). `lora_dropout` is taken as it is: what it does depends on
/// what the adapter is for.
pub(super) fn read(text: &str) -> Result<(LoraConfig, Option<String>), String> {
    let mut fields: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| error.to_string())?;
    only(&mut fields, "peft_type", None, &["LORA"])?;
    only(&mut fields, "task_type", Some("CAUSAL_LM"), &["CAUSAL_LM"])?;
    only(&mut fields, "bias", Some("none"), &["none"])?;
    let transposed: Option<bool> = take(&mut fields, "fan_in_fan_out", None)?;
    if transposed == Some(true) {
        return Err(refusal("fan_in_fan_out", &true.into(), "false"));
    }
    let init = fields.remove("init_lora_weights");
    let init_known = match &init {
        None | Some(Value::Bool(_)) => true,
        Some(Value::String(name)) => INITS.contains(&&name[..]),
        Some(_) => false,
    };
    if let Some(init) = init.filter(|_| !init_known) {
        return Err(refusal(
            "init_lora_weights",
            &init,
            "true, false, \"gaussian\", \"orthogonal\" or \"eva\"; convert the adapter with PEFT first \
             (path_initial_model_for_weight_conversion)",
        ));
    }
    let lora = LoraConfig {
        rank: needed(&mut fields, "r")?,
        alpha: needed(&mut fields, "lora_alpha")?,
        target_modules: needed(&mut fields, "target_modules")?,
        use_rslora: take(&mut fields, "use_rslora", Some(false))?,
        dropout: take(&mut fields, "lora_dropout", Some(0.0))?,
    };
    let base = take(&mut fields, "base_model_name_or_path", None)?;
    let honoured =
        |(field, value): &(&String, &Value)| SILENT.contains(&&field[..]) || is_off(value);
    if let Some((field, value)) = fields.iter().find(|entry| !honoured(entry)) {
        let accepted = "null, false or empty: this is not supported";
        return Err(refusal(field, value, accepted));
    }
    lora.validate().map_err(|error| error.to_string())?;
    Ok((lora, base))
}

fn refusal(field: &str, value: &Value, accepted: &str) -> String {
    format!("{field} is {value}; accepted: {accepted}")
}

/// Takes a field out of the file, `missing` if it is not there; null is a value, and most types have none.
fn take<T: DeserializeOwned>(
    fields: &mut Map<String, Value>,
    name: &str,
    missing: Option<T>,
) -> Result<T, String> {
    match (fields.remove(name), missing) {
        (None, Some(missing)) => Ok(missing),
        (found, _) => {
            let value = found.unwrap_or_default();
            T::deserialize(&value).map_err(|error| format!("{name} is {value}: {error}"))
        }
    }
}

fn needed<T: DeserializeOwned>(fields: &mut Map<String, Value>, name: &str) -> Result<T, String> {
    match fields.contains_key(name) {
        true => take(fields, name, None),
        false => Err(format!("{name} is missing")),
    }
}

/// Takes a field that has to be one of some words, or null where there is a default.
fn only(
    fields: &mut Map<String, Value>,
    name: &str,
    missing: Option<&str>,
    accepted: &[&str],
) -> Result<(), String> {
    let found = fields.remove(name).unwrap_or_default();
    let word = found.as_str().or(missing.filter(|_| found.is_null()));
    match word.is_some_and(|word| accepted.contains(&word)) {
        true => Ok(()),
        false => {
            let mut accepted: Vec<String> =
                accepted.iter().map(|word| format!("\"{word}\"")).collect();
            accepted.extend(missing.map(|_| "null".to_owned()));
            Err(refusal(name, &found, &accepted.join(" or ")))
        }
    }
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
            "alora_invocation_tokens": null, "alpha_pattern": {}, "arrow_config": null, "auto_mapping": null,
            "base_model_name_or_path": "base", "bias": "none", "corda_config": null, "ensure_weight_tying": false,
            "eva_config": null, "exclude_modules": null, "fan_in_fan_out": false, "inference_mode": true,
            "init_lora_weights": true, "kasa_config": null, "layer_replication": null, "layers_pattern": null,
            "layers_to_transform": null, "loftq_config": {}, "lora_alpha": 8, "lora_bias": false,
            "lora_dropout": 0.0, "lora_ga_config": null, "megatron_config": null, "megatron_core": "megatron.core",
            "modules_to_save": null, "monteclora_config": null, "peft_type": "LORA", "peft_version": "0.21.2",
            "qalora_group_size": 16, "r": 4, "rank_pattern": {}, "revision": null, "target_modules": ["q_proj"],
            "target_parameters": null, "task_type": "CAUSAL_LM", "trainable_token_indices": null,
            "use_bdlora": null, "use_dora": false, "use_qalora": false, "use_rslora": false, "velora_config": null
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
            ("layers_to_transform", 0.into()),
            ("layers_pattern", "layers".into()),
            ("exclude_modules", serde_json::json!(["lm_head"])),
            (
                "target_parameters",
                serde_json::json!(["experts.gate_up_proj"]),
            ),
            ("trainable_token_indices", serde_json::json!([3])),
            ("alora_invocation_tokens", serde_json::json!([3])),
            ("layer_replication", serde_json::json!([[0, 1]])),
            ("lora_bias", Value::Bool(true)),
            ("use_qalora", Value::Bool(true)),
            ("use_bdlora", serde_json::json!({"nblocks": 2})),
            ("arrow_config", serde_json::json!({"top_k": 2})),
            ("corda_config", serde_json::json!({"corda_method": "ipm"})),
            ("kasa_config", serde_json::json!({"beta": 1.0})),
            ("loftq_config", serde_json::json!({"loftq_bits": 4})),
            ("lora_ga_config", serde_json::json!({"direction": "ArB2r"})),
            ("megatron_config", serde_json::json!({"tp": 2})),
            ("monteclora_config", serde_json::json!({"samples": 2})),
            ("velora_config", serde_json::json!({"groups": 2})),
            ("ensure_weight_tying", Value::Bool(true)),
            ("bias", "all".into()),
            ("fan_in_fan_out", Value::Bool(true)),
            ("init_lora_weights", "pissa".into()),
            ("init_lora_weights", Value::Null),
            ("peft_type", "IA3".into()),
            ("peft_type", Value::Null),
            ("task_type", "SEQ_CLS".into()),
            ("field_of_tomorrow", Value::Bool(true)),
            ("field_of_tomorrow", 0.into()),
            ("r", 0.into()),
            ("r", 4.5.into()),
            ("lora_alpha", 0.into()),
            ("lora_alpha", "8".into()),
            ("lora_dropout", Value::Null),
            ("lora_dropout", 1.0.into()),
            ("lora_dropout", (-0.1).into()),
            ("use_rslora", Value::Null),
            ("target_modules", ".*q_proj".into()),
            ("target_modules", Value::Null),
        ];
        for (field, value) in cases {
            let error = read(&text(field, value.clone())).unwrap_err();
            let named = match (field, &value) {
                ("r", Value::Number(number)) if number.is_u64() => "rank",
                ("lora_alpha", Value::Number(_)) => "alpha",
                _ => field,
            };
            assert!(error.contains(named), "{field}: {error}");
        }
        for field in ["peft_type", "r", "lora_alpha", "target_modules"] {
            let mut fields: Map<String, Value> =
                serde_json::from_str(&text("bias", "none".into())).unwrap();
            fields.remove(field);
            let error = read(&serde_json::to_string(&fields).unwrap()).unwrap_err();
            assert!(error.contains(field), "{field}: {error}");
        }
    }

    #[test]
    fn what_changes_nothing_is_taken() {
        for (field, value) in [
            ("eva_config", serde_json::json!({"rho": 2.0})),
            ("init_lora_weights", "eva".into()),
            ("init_lora_weights", false.into()),
            ("inference_mode", false.into()),
            ("task_type", Value::Null),
            ("modules_to_save", serde_json::json!([])),
        ] {
            assert!(read(&text(field, value.clone())).is_ok(), "{field} {value}");
        }
        let (lora, _) = read(&text("lora_dropout", 0.05.into())).unwrap();
        assert_eq!(lora.dropout, 0.05);
    }
}
