//! Reading and writing `config.json`: published shapes, defaults, and what is refused with which words.

use std::path::Path;

use burn::tensor::Device;
use prime_policy::{DecoderConfig, Family, LayerType, PolicyError, RopeScaling, Yarn};
use serde_json::{Value, json};

fn read(config: &Value) -> Result<DecoderConfig, PolicyError> {
    DecoderConfig::from_json(&config.to_string(), Path::new("m/config.json"))
}

/// `base` with the fields of `changes`; a field set to `"<none>"` is taken out.
fn with(mut base: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value == "<none>" {
            base.as_object_mut().unwrap().remove(name);
        } else {
            base[name] = value.clone();
        }
    }
    base
}

fn small(model_type: &str) -> Value {
    json!({
        "model_type": model_type,
        "vocab_size": 20, "hidden_size": 24, "intermediate_size": 32,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    })
}

#[test]
fn bad_configs_are_refused_with_these_words() {
    let known = "llama (LlamaForCausalLM), mistral (MistralForCausalLM), qwen2 (Qwen2ForCausalLM), \
                 qwen3 (Qwen3ForCausalLM)";
    let yarn = json!({"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 16});
    let llama3 = json!({
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16,
    });
    let unknown = |family: &str, what: &str| {
        let name = what.split(' ').next().unwrap();
        format!(
            "not honoured for model_type \"{family}\": {what}; if that changes nothing that the model computes, set \
             model.ignore_config_fields = [\"{name}\"]; otherwise this model cannot be read"
        )
    };
    let never = |family: &str, what: &str| {
        format!("not honoured for model_type \"{family}\": {what}; this model cannot be read")
    };
    let refused = |what: &str, accepted: &str| format!("{what}; accepted: {accepted}");
    let cases: Vec<(&str, Value, String)> = vec![
        // Architectures.
        ("gpt2", json!({}), refused("model_type is \"gpt2\"", known)),
        (
            "qwen2",
            json!({"model_type": "<none>"}),
            refused("model_type is null", known),
        ),
        (
            "qwen2",
            json!({"model_type": 7}),
            refused("model_type is 7", known),
        ),
        (
            "qwen2",
            json!({"architectures": ["Qwen2ForSequenceClassification"]}),
            refused(
                "architectures is [\"Qwen2ForSequenceClassification\"]",
                &format!("[\"Qwen2ForCausalLM\"] for model_type \"qwen2\"; known: {known}"),
            ),
        ),
        (
            "llama",
            json!({"architectures": ["MistralForCausalLM"]}),
            refused(
                "architectures is [\"MistralForCausalLM\"]",
                &format!("[\"LlamaForCausalLM\"] for model_type \"llama\"; known: {known}"),
            ),
        ),
        // Fields that nobody honours.
        (
            "qwen2",
            json!({"quantization_config": {"bits": 4}}),
            unknown(
                "qwen2",
                "quantization_config is {\"bits\":4} (the weights are quantised: use the unquantised checkpoint of the \
                 same model)",
            ),
        ),
        (
            "llama",
            json!({"logits_soft_cap": 30.0}),
            never(
                "llama",
                "logits_soft_cap is 30.0 (values are bounded, which this decoder does not do)",
            ),
        ),
        (
            "mistral",
            json!({"layer_types": ["full_attention", "full_attention"]}),
            never(
                "mistral",
                "layer_types is [\"full_attention\",\"full_attention\"] (accepted: what this family's layers do anyway)",
            ),
        ),
        (
            "llama",
            json!({"sliding_window": 4096}),
            unknown("llama", "sliding_window is 4096"),
        ),
        (
            "qwen2",
            json!({"attention_dropout": 0.1}),
            unknown(
                "qwen2",
                "attention_dropout is 0.1 (accepted: 0: the sampler and the trainer have to be one model)",
            ),
        ),
        (
            "qwen2",
            json!({"use_mrope": true}),
            unknown("qwen2", "use_mrope is true (positions of images)"),
        ),
        (
            "llama",
            json!({"partial_rotary_factor": 0.5}),
            never("llama", "partial_rotary_factor is 0.5 (accepted: 1)"),
        ),
        // Values that a family does not have.
        (
            "qwen2",
            json!({"hidden_act": "gelu"}),
            refused("hidden_act is \"gelu\"", "\"silu\""),
        ),
        (
            "qwen2",
            json!({"attention_bias": false}),
            refused("attention_bias is false", "true for model_type \"qwen2\""),
        ),
        (
            "mistral",
            json!({"attention_bias": true}),
            refused("attention_bias is true", "false for model_type \"mistral\""),
        ),
        (
            "qwen3",
            json!({"mlp_bias": true}),
            refused("mlp_bias is true", "false for model_type \"qwen3\""),
        ),
        (
            "llama",
            json!({"use_sliding_window": true}),
            refused(
                "use_sliding_window is true",
                "false for model_type \"llama\"",
            ),
        ),
        // Types.
        (
            "qwen2",
            json!({"hidden_size": "24"}),
            refused("hidden_size is \"24\"", "a whole number"),
        ),
        (
            "qwen2",
            json!({"hidden_size": -24}),
            refused("hidden_size is -24", "a whole number"),
        ),
        (
            "qwen2",
            json!({"hidden_size": "<none>"}),
            refused("hidden_size is missing", "a whole number"),
        ),
        (
            "qwen2",
            json!({"rms_norm_eps": null}),
            refused("rms_norm_eps is null", "a number"),
        ),
        (
            "llama",
            json!({"mlp_bias": "yes"}),
            refused("mlp_bias is \"yes\"", "true or false"),
        ),
        (
            "llama",
            json!({"eos_token_id": [2, -1]}),
            refused("eos_token_id is -1", "a token id"),
        ),
        (
            "llama",
            json!({"bos_token_id": 1.5}),
            refused("bos_token_id is 1.5", "a token id"),
        ),
        // Sizes.
        (
            "qwen2",
            json!({"vocab_size": 0}),
            refused("vocab_size is 0", "at least 1"),
        ),
        (
            "qwen2",
            json!({"num_attention_heads": 0}),
            refused("num_attention_heads is 0", "at least 1"),
        ),
        (
            "qwen2",
            json!({"num_key_value_heads": 0}),
            refused("num_key_value_heads is 0", "at least 1"),
        ),
        (
            "qwen2",
            json!({"num_hidden_layers": 0}),
            refused("num_hidden_layers is 0", "at least 1"),
        ),
        (
            "qwen2",
            json!({"intermediate_size": 5_000_000_000_u64}),
            refused("intermediate_size is 5000000000", "at most 2147483647"),
        ),
        (
            "qwen2",
            json!({"num_attention_heads": 5}),
            refused(
                "num_attention_heads is 5",
                "a divisor of hidden_size with an even quotient",
            ),
        ),
        (
            "mistral",
            json!({"num_attention_heads": 8, "num_key_value_heads": 2}),
            refused(
                "num_attention_heads is 8",
                "a divisor of hidden_size with an even quotient",
            ),
        ),
        (
            "qwen2",
            json!({"num_key_value_heads": 3}),
            refused(
                "num_key_value_heads is 3",
                "a divisor of num_attention_heads",
            ),
        ),
        (
            "qwen3",
            json!({"head_dim": 0}),
            refused("head_dim is 0", "at least 1"),
        ),
        (
            "qwen3",
            json!({"head_dim": 7}),
            refused("head_dim is 7", "an even number"),
        ),
        (
            "llama",
            json!({"head_dim": 8, "num_attention_heads": 10}),
            refused(
                "num_attention_heads is 10",
                "a divisor of hidden_size, whatever head_dim is",
            ),
        ),
        (
            "qwen2",
            json!({"rms_norm_eps": 0.0}),
            refused("rms_norm_eps is 0", "a finite number above 0"),
        ),
        (
            "qwen2",
            json!({"rms_norm_eps": -1e-6}),
            refused("rms_norm_eps is -0.000001", "a finite number above 0"),
        ),
        // Windows.
        (
            "mistral",
            json!({"sliding_window": 0}),
            refused("sliding_window is 0", "at least 1"),
        ),
        (
            "qwen2",
            json!({"use_sliding_window": true, "sliding_window": 0}),
            refused("sliding_window is 0", "at least 1"),
        ),
        (
            "qwen3",
            json!({"layer_types": ["full_attention", "chunked_attention"]}),
            refused(
                "layer_types is \"chunked_attention\"",
                "a list of \"full_attention\" and \"sliding_attention\"",
            ),
        ),
        (
            "qwen3",
            json!({"layer_types": ["full_attention"]}),
            refused(
                "layer_types is a list of 1",
                "as many entries as num_hidden_layers",
            ),
        ),
        (
            "qwen2",
            json!({"layer_types": ["full_attention", "sliding_attention"]}),
            refused(
                "layer_types is \"sliding_attention\"",
                "\"full_attention\" only, unless use_sliding_window is true and sliding_window a number",
            ),
        ),
        // Rotary positions.
        (
            "qwen2",
            json!({"rope_theta": 1.0}),
            refused("rope_theta is 1", "a finite number above 1"),
        ),
        (
            "qwen2",
            json!({"rope_scaling": {"type": "dynamic", "factor": 2.0}}),
            refused(
                "rope_scaling.rope_type is \"dynamic\"",
                "\"default\", \"linear\", \"llama3\" or \"yarn\" (up to max_position_embeddings tokens \"dynamic\" changes \
                 nothing: take the object out of the file to stay within them)",
            ),
        ),
        (
            "llama",
            json!({"rope_parameters": {"rope_type": "longrope", "rope_theta": 1e4}}),
            refused(
                "rope_parameters.rope_type is \"longrope\"",
                "\"default\", \"linear\", \"llama3\" or \"yarn\"",
            ),
        ),
        (
            "qwen3",
            json!({"rope_parameters": {"full_attention": {"rope_type": "default"}}}),
            never(
                "qwen3",
                "rope_parameters.full_attention is {\"rope_type\":\"default\"} (no such field for rope_type \"default\")",
            ),
        ),
        (
            "qwen2",
            json!({"rope_scaling": {"type": "linear", "rope_type": "yarn", "factor": 2.0}}),
            refused(
                "rope_scaling.type is \"linear\"",
                "\"yarn\", as rope_type says",
            ),
        ),
        (
            "qwen2",
            json!({"rope_scaling": {"type": "linear"}}),
            refused("rope_scaling.factor is missing", "a number"),
        ),
        (
            "qwen2",
            json!({"rope_scaling": {"type": "linear", "factor": 0.0}}),
            refused("rope_scaling.factor is 0", "a finite number above 0"),
        ),
        (
            "qwen2",
            json!({"rope_scaling": {"type": "linear", "factor": 2.0, "mscale": 1.0}}),
            unknown(
                "qwen2",
                "rope_scaling.mscale is 1.0 (no such field for rope_type \"linear\")",
            ),
        ),
        (
            "qwen2",
            json!({"rope_scaling": "linear"}),
            refused("rope_scaling is \"linear\"", "an object or null"),
        ),
        (
            "llama",
            json!({"rope_scaling": with(llama3.clone(), &json!({"high_freq_factor": 1.0}))}),
            refused(
                "rope_scaling.high_freq_factor is 1",
                "a number above low_freq_factor",
            ),
        ),
        (
            "llama",
            json!({"rope_scaling": with(llama3, &json!({"low_freq_factor": "<none>"}))}),
            refused("rope_scaling.low_freq_factor is missing", "a number"),
        ),
        (
            "qwen2",
            json!({"rope_scaling": with(yarn.clone(), &json!({"original_max_position_embeddings": 0}))}),
            refused(
                "rope_scaling.original_max_position_embeddings is 0",
                "from 1 to 2147483647",
            ),
        ),
        (
            "qwen2",
            json!({"rope_scaling": with(yarn.clone(), &json!({"beta_fast": -1.0}))}),
            refused("rope_scaling.beta_fast is -1", "a finite number above 0"),
        ),
        (
            "qwen2",
            json!({"rope_scaling": with(yarn.clone(), &json!({"partial_rotary_factor": 0.5}))}),
            refused("rope_scaling.partial_rotary_factor is 0.5", "1"),
        ),
        (
            "qwen2",
            json!({"rope_theta": 5e5, "rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}),
            refused("rope_theta is 500000.0", "1000000, as in rope_parameters"),
        ),
        (
            "qwen2",
            json!({"rope_scaling": yarn, "rope_parameters": {"rope_type": "default"}}),
            refused(
                "rope_parameters is {\"rope_type\":\"default\"}",
                "the same as rope_scaling, or one of the two",
            ),
        ),
    ];
    for (model_type, changes, message) in cases {
        let error =
            read(&with(small(model_type), &changes)).expect_err(&format!("{model_type} {changes}"));
        assert_eq!(error.to_string(), format!("m/config.json: {message}"));
    }
}

#[test]
fn what_is_no_json_object_is_refused() {
    let path = Path::new("m/config.json");
    for text in [
        "",
        "[1]",
        "{\"model_type\": \"qwen2\"",
        "{\"rms_norm_eps\": NaN}",
    ] {
        let error = DecoderConfig::from_json(text, path).unwrap_err();
        assert!(
            matches!(error, PolicyError::Format { .. }),
            "{text}: {error}"
        );
        assert!(error.to_string().starts_with("m/config.json: "), "{error}");
    }
}

#[test]
fn a_shape_made_in_rust_is_checked_when_built_and_when_written() {
    type Change = fn(&mut DecoderConfig);
    let cases: [(&str, Family, Change); 10] = [
        ("rms_norm_eps is NaN", Family::Qwen2, |c| {
            c.rms_norm_eps = f64::NAN
        }),
        ("rope_theta is inf", Family::Qwen2, |c| {
            c.rope_theta = f64::INFINITY
        }),
        ("initializer_range is NaN", Family::Qwen3, |c| {
            c.initializer_range = f64::NAN
        }),
        ("attention_bias is false", Family::Qwen2, |c| {
            c.attention_bias = false
        }),
        ("attention_bias is true", Family::Mistral, |c| {
            c.attention_bias = true
        }),
        ("mlp_bias is true", Family::Qwen3, |c| c.mlp_bias = true),
        ("sliding_window is 8", Family::Llama, |c| {
            c.sliding_window = Some(8)
        }),
        ("use_sliding_window is true", Family::Mistral, |c| {
            c.use_sliding_window = true
        }),
        ("layer_types is given", Family::Llama, |c| {
            c.layer_types = Some(vec![LayerType::Full; 2]);
        }),
        ("rope_scaling.factor is NaN", Family::Llama, |c| {
            c.rope_scaling = Some(RopeScaling::Linear { factor: f64::NAN });
        }),
    ];
    for (message, family, change) in cases {
        let mut config = DecoderConfig::for_family(family, 20, 24, 32, 2, 4);
        config.validate().unwrap();
        change(&mut config);
        let built = config.init(&Device::flex()).unwrap_err().to_string();
        let written = config.to_json().unwrap_err().to_string();
        assert!(
            built.starts_with(&format!("model config: {message}; accepted: ")),
            "{built}"
        );
        assert_eq!(built, written);
    }
}

/// What `transformers` 5.24 has for a config with nothing but the sizes.
#[test]
fn a_field_left_out_has_the_default_of_transformers() {
    let sizes =
        json!({"num_key_value_heads": "<none>", "num_attention_heads": 32, "hidden_size": 2048});
    let cases = [
        ("llama", 32, 64, 2048, Some(1), vec![2], None),
        ("mistral", 8, 64, 131_072, Some(1), vec![2], Some(4096)),
        ("qwen2", 32, 64, 32_768, None, vec![], Some(4096)),
        ("qwen3", 32, 128, 32_768, None, vec![], Some(4096)),
    ];
    for (model_type, kv_heads, head_dim, positions, bos, eos, window) in cases {
        let config = read(&with(small(model_type), &sizes)).unwrap();
        assert_eq!(config.family.model_type(), model_type);
        assert_eq!(config.num_key_value_heads, kv_heads, "{model_type}");
        assert_eq!(config.head_dim(), head_dim, "{model_type}");
        assert_eq!(config.max_position_embeddings, positions, "{model_type}");
        assert_eq!(config.bos_token_id, bos, "{model_type}");
        assert_eq!(config.eos_token_id, eos, "{model_type}");
        assert_eq!(config.pad_token_id, None, "{model_type}");
        assert_eq!(config.sliding_window, window, "{model_type}");
        assert_eq!(config.max_window_layers, 28);
        assert_eq!((config.rope_theta, config.rope_scaling), (10_000.0, None));
        assert_eq!(config.rms_norm_eps, 1e-6);
        assert_eq!(config.attention_bias, model_type == "qwen2");
        assert!(!config.mlp_bias && !config.tie_word_embeddings && !config.use_sliding_window);
        let windowed = config.window(1).is_some();
        assert_eq!(windowed, model_type == "mistral");
    }
    let null = json!({"num_key_value_heads": null, "bos_token_id": null, "eos_token_id": null, "pad_token_id": -1});
    for family in Family::ALL {
        let config = read(&with(small(family.model_type()), &null)).unwrap();
        assert_eq!(config.num_key_value_heads, 4);
        assert_eq!(config.bos_token_id, None);
        assert!(config.eos_token_id.is_empty());
        assert_eq!(config.pad_token_id, None);
        let text = config.to_json().unwrap();
        let written: Value = serde_json::from_str(&text).unwrap();
        // Left out, Llama and Mistral would have ids again.
        assert!(written.as_object().unwrap().contains_key("eos_token_id"));
        assert!(written["eos_token_id"].is_null() && written["bos_token_id"].is_null());
    }
}

/// The `config.json` of models that people train, as published.
#[test]
fn published_configs_are_read() {
    let qwen25_math = json!({
        "architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151_643,
        "eos_token_id": 151_643, "hidden_act": "silu", "hidden_size": 1536, "initializer_range": 0.02,
        "intermediate_size": 8960, "max_position_embeddings": 4096, "max_window_layers": 21,
        "model_type": "qwen2", "num_attention_heads": 12, "num_hidden_layers": 28,
        "num_key_value_heads": 2, "rms_norm_eps": 1e-6, "rope_theta": 10_000, "sliding_window": 4096,
        "tie_word_embeddings": true, "torch_dtype": "bfloat16", "transformers_version": "4.44.0",
        "use_cache": true, "use_mrope": false, "use_sliding_window": false, "vocab_size": 151_936,
    });
    let config = read(&qwen25_math).unwrap();
    assert_eq!((config.head_dim(), config.window(27)), (128, None));
    assert_eq!(config.torch_dtype, "bfloat16");
    assert_eq!(config.inert["transformers_version"], "4.44.0");

    let qwen3 = json!({
        "architectures": ["Qwen3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
        "bos_token_id": 151_643, "eos_token_id": 151_645, "head_dim": 128, "hidden_act": "silu",
        "hidden_size": 1024, "initializer_range": 0.02, "intermediate_size": 3072,
        "max_position_embeddings": 40_960, "max_window_layers": 28, "model_type": "qwen3",
        "num_attention_heads": 16, "num_hidden_layers": 28, "num_key_value_heads": 8,
        "rms_norm_eps": 1e-6, "rope_scaling": null, "rope_theta": 1_000_000, "sliding_window": null,
        "tie_word_embeddings": true, "torch_dtype": "bfloat16", "transformers_version": "4.51.0",
        "use_cache": true, "use_sliding_window": false, "vocab_size": 151_936,
    });
    let config = read(&qwen3).unwrap();
    assert_eq!(
        config.num_attention_heads * config.head_dim(),
        2 * config.hidden_size
    );
    assert_eq!(config.sliding_window, None);

    let llama32 = json!({
        "architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
        "bos_token_id": 128_000, "eos_token_id": [128_001, 128_008, 128_009], "head_dim": 64,
        "hidden_act": "silu", "hidden_size": 2048, "initializer_range": 0.02,
        "intermediate_size": 8192, "max_position_embeddings": 131_072, "mlp_bias": false,
        "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 16,
        "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-5,
        "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
                         "original_max_position_embeddings": 8192, "rope_type": "llama3"},
        "rope_theta": 500_000.0, "tie_word_embeddings": true, "torch_dtype": "bfloat16",
        "transformers_version": "4.45.0.dev0", "use_cache": true, "vocab_size": 128_256,
    });
    let config = read(&llama32).unwrap();
    assert_eq!(config.eos_token_id, [128_001, 128_008, 128_009]);
    let scaling = RopeScaling::Llama3 {
        factor: 32.0,
        low_freq_factor: 1.0,
        high_freq_factor: 4.0,
        original_max_position_embeddings: 8192,
    };
    assert_eq!(config.rope_scaling, Some(scaling));

    let mistral = json!({
        "architectures": ["MistralForCausalLM"], "bos_token_id": 1, "eos_token_id": 2,
        "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
        "intermediate_size": 14_336, "max_position_embeddings": 32_768, "model_type": "mistral",
        "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8,
        "rms_norm_eps": 1e-5, "rope_theta": 10_000.0, "sliding_window": 4096,
        "tie_word_embeddings": false, "torch_dtype": "bfloat16",
        "transformers_version": "4.34.0.dev0", "use_cache": true, "vocab_size": 32_000,
    });
    let config = read(&mistral).unwrap();
    assert_eq!(
        (config.window(0), config.window(31)),
        (Some(4096), Some(4096))
    );
}

#[test]
fn both_forms_of_rotary_fields_mean_the_same() {
    let yarn = json!({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16});
    let older = json!({"rope_theta": 1e6, "rope_scaling": with(yarn.clone(), &json!({"rope_type": "<none>", "type": "yarn"}))});
    let newer = json!({"rope_parameters": with(yarn, &json!({"rope_theta": 1e6}))});
    let [older, newer] = [older, newer].map(|c| read(&with(small("qwen2"), &c)).unwrap());
    assert_eq!(older, newer);
    assert_eq!(older.rope_theta, 1e6);
    assert_eq!(
        older.rope_scaling,
        Some(RopeScaling::Yarn(Yarn::new(4.0, 16)))
    );

    let positions =
        json!({"max_position_embeddings": 64, "rope_scaling": {"type": "yarn", "factor": 2.0}});
    let config = read(&with(small("qwen2"), &positions)).unwrap();
    assert_eq!(
        config.rope_scaling,
        Some(RopeScaling::Yarn(Yarn::new(2.0, 64)))
    );
    let ratio = json!({
        "max_position_embeddings": 64,
        "rope_scaling": {"type": "yarn", "factor": null, "original_max_position_embeddings": 16},
    });
    let config = read(&with(small("qwen2"), &ratio)).unwrap();
    assert_eq!(
        config.rope_scaling,
        Some(RopeScaling::Yarn(Yarn::new(4.0, 16)))
    );
}

#[test]
fn windows_follow_their_fields() {
    let layers = |changes: Value| -> Vec<Option<usize>> {
        let four = with(
            small("qwen3"),
            &json!({"num_hidden_layers": 4, "sliding_window": 9}),
        );
        let config = read(&with(four, &changes)).unwrap();
        (0..4).map(|layer| config.window(layer)).collect()
    };
    let nine = Some(9);
    assert_eq!(layers(json!({})), [None; 4]);
    let used = json!({"use_sliding_window": true, "max_window_layers": 3});
    assert_eq!(layers(used.clone()), [None, None, None, nine]);
    assert_eq!(
        layers(with(used.clone(), &json!({"sliding_window": null}))),
        [None; 4]
    );
    assert_eq!(
        layers(with(used.clone(), &json!({"max_window_layers": "<none>"}))),
        [None; 4]
    );
    let (full, sliding) = ("full_attention", "sliding_attention");
    let types = json!({"layer_types": [sliding, full, sliding, full]});
    assert_eq!(layers(with(used, &types)), [nine, None, nine, None]);
}

/// Every field, in every family that has it, survives being written and read.
#[test]
fn what_is_written_is_read_back() {
    let rope = [
        None,
        Some(RopeScaling::Linear { factor: 1.5 }),
        Some(RopeScaling::Llama3 {
            factor: 8.0,
            low_freq_factor: 1.25,
            high_freq_factor: 4.5,
            original_max_position_embeddings: 96,
        }),
        Some(RopeScaling::Yarn(Yarn {
            attention_factor: Some(1.1),
            mscale: Some(0.7),
            mscale_all_dim: Some(0.9),
            beta_fast: 20.0,
            beta_slow: 2.0,
            truncate: false,
            ..Yarn::new(3.0, 77)
        })),
    ];
    for family in Family::ALL {
        for (number, rope_scaling) in rope.into_iter().enumerate() {
            let mut config = DecoderConfig::for_family(family, 31, 24, 37, 3, 6);
            config.num_key_value_heads = 3;
            config.head_dim = Some(8);
            config.max_position_embeddings = 1000 + number;
            config.rope_theta = 12_345.678;
            config.rope_scaling = rope_scaling;
            config.rms_norm_eps = 3.3e-5;
            config.tie_word_embeddings = number % 2 == 0;
            config.initializer_range = 0.017;
            config.bos_token_id = Some(7);
            config.eos_token_id = [3, 5, 30][..number % 4].to_vec();
            config.pad_token_id = Some(0);
            config.torch_dtype = "bfloat16".to_owned();
            config.inert.insert("use_cache".to_owned(), json!(true));
            config
                .inert
                .insert("id2label".to_owned(), json!({"0": "a"}));
            if family == Family::Llama {
                config.mlp_bias = true;
            } else {
                config.sliding_window = Some(11 + number);
            }
            if matches!(family, Family::Llama | Family::Qwen3) {
                config.attention_bias = number % 2 == 1;
            }
            if matches!(family, Family::Qwen2 | Family::Qwen3) {
                config.use_sliding_window = true;
                config.max_window_layers = number;
                let types = [LayerType::Full, LayerType::Sliding, LayerType::Full];
                config.layer_types = (number > 1).then(|| types.to_vec());
            }
            let text = config.to_json().unwrap();
            let again = DecoderConfig::from_json(&text, Path::new("written")).unwrap();
            assert_eq!(config, again, "{text}");
            assert_eq!(text, again.to_json().unwrap());
        }
    }
}
