//! `config.json` of models that people take from the hub, with the fields that they have there: which are read as what,
//! and which are refused with which words.

use std::path::Path;

use prime_policy::{DecoderConfig, PolicyError, RopeScaling, Yarn};
use serde_json::{Value, json};

fn read(config: &Value) -> Result<DecoderConfig, PolicyError> {
    read_ignoring(config, &[])
}

fn read_ignoring(config: &Value, ignore: &[&str]) -> Result<DecoderConfig, PolicyError> {
    let ignore: Vec<String> = ignore.iter().map(|&name| name.to_owned()).collect();
    DecoderConfig::from_json_ignoring(&config.to_string(), Path::new("m/config.json"), &ignore)
}

/// The fields that every published file has, for `[hidden, intermediate, layers, heads, kv_heads, vocabulary, positions]`.
fn published(model_type: &str, class: &str, sizes: [usize; 7], own: Value) -> Value {
    let [hidden, inner, layers, heads, kv_heads, vocab, positions] = sizes;
    let mut config = json!({
        "architectures": [class], "model_type": model_type, "hidden_size": hidden, "intermediate_size": inner,
        "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": kv_heads,
        "vocab_size": vocab, "max_position_embeddings": positions, "hidden_act": "silu", "use_cache": true,
        "initializer_range": 0.02, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
        "transformers_version": "4.43.1",
    });
    for (name, value) in own.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

fn llama(sizes: [usize; 7], own: Value) -> Value {
    published("llama", "LlamaForCausalLM", sizes, own)
}

fn mistral(sizes: [usize; 7], own: Value) -> Value {
    published("mistral", "MistralForCausalLM", sizes, own)
}

fn qwen2(sizes: [usize; 7], own: Value) -> Value {
    published("qwen2", "Qwen2ForCausalLM", sizes, own)
}

fn qwen3(sizes: [usize; 7], own: Value) -> Value {
    published("qwen3", "Qwen3ForCausalLM", sizes, own)
}

const MISTRAL_7B: [usize; 7] = [4096, 14_336, 32, 32, 8, 32_000, 32_768];
const LLAMA_3_8B: [usize; 7] = [4096, 14_336, 32, 32, 8, 128_256, 131_072];
const LLAMA_2_7B: [usize; 7] = [4096, 11_008, 32, 32, 32, 32_000, 4096];
const QWEN_1_5B: [usize; 7] = [1536, 8960, 28, 12, 2, 151_936, 131_072];
const QWEN3_8B: [usize; 7] = [4096, 12_288, 36, 32, 8, 151_936, 131_072];

fn llama3(factor: f64) -> Value {
    json!({
        "factor": factor, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "rope_type": "llama3",
        "original_max_position_embeddings": 8192,
    })
}

/// What is compared: head width, the frequencies' base, the window of the last layer, end tokens.
type Shape = (usize, f64, Option<usize>, Vec<u32>);

/// Models that load, with what is read.
fn loading() -> Vec<(&'static str, Value, Shape)> {
    let windows_off =
        json!({"use_sliding_window": false, "sliding_window": 131_072, "max_window_layers": 28});
    vec![
        (
            "LLaMA 7B, as first converted",
            {
                let mut config = llama(
                    LLAMA_2_7B,
                    json!({
                        "architectures": ["LLaMAForCausalLM"], "bos_token_id": 0, "eos_token_id": 1,
                        "max_sequence_length": 2048, "pad_token_id": -1, "rms_norm_eps": 1e-6, "torch_dtype": "float16",
                    }),
                );
                for name in ["num_key_value_heads", "max_position_embeddings"] {
                    config.as_object_mut().unwrap().remove(name);
                }
                config
            },
            (128, 1e4, None, vec![1]),
        ),
        (
            "Llama 2 7B",
            llama(
                LLAMA_2_7B,
                json!({
                    "_name_or_path": "meta-llama/Llama-2-7b-hf", "bos_token_id": 1, "eos_token_id": 2,
                    "pretraining_tp": 1, "rms_norm_eps": 1e-5, "rope_scaling": null,
                }),
            ),
            (128, 1e4, None, vec![2]),
        ),
        (
            "Llama 2 13B with split products",
            llama(
                [5120, 13_824, 40, 40, 40, 32_000, 4096],
                json!({"pretraining_tp": 2, "unk_token_id": 0, "rms_norm_eps": 1e-5}),
            ),
            (128, 1e4, None, vec![2]),
        ),
        (
            "Llama 3.1 8B Instruct",
            llama(
                LLAMA_3_8B,
                json!({
                    "attention_bias": false, "attention_dropout": 0.0, "bos_token_id": 128_000,
                    "eos_token_id": [128_001, 128_008, 128_009], "mlp_bias": false, "pretraining_tp": 1,
                    "rms_norm_eps": 1e-5, "rope_scaling": llama3(8.0), "rope_theta": 500_000.0,
                }),
            ),
            (128, 5e5, None, vec![128_001, 128_008, 128_009]),
        ),
        (
            "Llama 3.2 1B by unsloth",
            llama(
                [2048, 8192, 16, 32, 8, 128_256, 131_072],
                json!({
                    "head_dim": 64, "rope_scaling": llama3(32.0), "rope_theta": 500_000.0, "tie_word_embeddings": true,
                    "eos_token_id": 128_009, "pad_token_id": 128_004, "unsloth_fixed": true,
                    "unsloth_version": "2024.9", "rms_norm_eps": 1e-5,
                }),
            ),
            (64, 5e5, None, vec![128_009]),
        ),
        (
            "Llama 3.3 70B, as transformers 5 writes it",
            {
                let mut config = llama(
                    [8192, 28_672, 80, 64, 8, 128_256, 131_072],
                    json!({
                        "dtype": "bfloat16", "eos_token_id": [128_001, 128_009], "head_dim": 128, "rms_norm_eps": 1e-5,
                        "rope_parameters": llama3(8.0), "transformers_version": "5.0.0", "output_hidden_states": false,
                    }),
                );
                config["rope_parameters"]["rope_theta"] = json!(500_000.0);
                config.as_object_mut().unwrap().remove("torch_dtype");
                config
            },
            (128, 5e5, None, vec![128_001, 128_009]),
        ),
        (
            "TinyLlama 1.1B Chat",
            llama(
                [2048, 5632, 22, 32, 4, 32_000, 2048],
                json!({
                    "attention_bias": false, "bos_token_id": 1, "eos_token_id": 2, "pretraining_tp": 1,
                    "rms_norm_eps": 1e-5, "rope_scaling": null, "rope_theta": 10_000.0,
                }),
            ),
            (64, 1e4, None, vec![2]),
        ),
        (
            "Vicuna 7B 16k",
            llama(
                LLAMA_2_7B,
                json!({
                    "_name_or_path": "vicuna-7b-v1.5-16k", "max_sequence_length": 16_384, "pad_token_id": 0,
                    "rope_scaling": {"factor": 4.0, "type": "linear"}, "torch_dtype": "float16", "rms_norm_eps": 1e-5,
                }),
            ),
            (128, 1e4, None, vec![2]),
        ),
        (
            "Nous Hermes Llama 2, an axolotl run",
            llama(
                [5120, 13_824, 40, 40, 40, 32_032, 4096],
                json!({"_flash_attn_2_enabled": true, "pad_token_id": 0, "use_cache": false, "rms_norm_eps": 1e-5}),
            ),
            (128, 1e4, None, vec![2]),
        ),
        (
            "Yi 1.5 6B",
            llama(
                [4096, 11_008, 32, 32, 4, 64_000, 4096],
                json!({"pad_token_id": 0, "rms_norm_eps": 1e-6, "rope_theta": 5_000_000.0, "attention_bias": false}),
            ),
            (128, 5e6, None, vec![2]),
        ),
        (
            "DeepSeek LLM 7B",
            llama(
                [4096, 11_008, 30, 32, 32, 102_400, 4096],
                json!({"bos_token_id": 100_000, "eos_token_id": 100_001, "pretraining_tp": 1, "rms_norm_eps": 1e-6}),
            ),
            (128, 1e4, None, vec![100_001]),
        ),
        (
            "DeepSeek Coder 6.7B",
            llama(
                [4096, 11_008, 32, 32, 32, 32_256, 16_384],
                json!({"rope_scaling": {"factor": 4.0, "type": "linear"}, "rope_theta": 100_000, "eos_token_id": 32_014}),
            ),
            (128, 1e5, None, vec![32_014]),
        ),
        (
            "DeepSeek R1 Distill Llama 8B",
            llama(
                LLAMA_3_8B,
                json!({
                    "bos_token_id": 128_000, "eos_token_id": 128_001, "rope_scaling": llama3(8.0),
                    "rope_theta": 500_000.0, "rms_norm_eps": 1e-5, "mlp_bias": false,
                }),
            ),
            (128, 5e5, None, vec![128_001]),
        ),
        (
            "SmolLM 135M",
            llama(
                [576, 1536, 30, 9, 3, 49_152, 2048],
                json!({"tie_word_embeddings": true, "bos_token_id": 0, "eos_token_id": 0, "rope_theta": 10_000.0}),
            ),
            (64, 1e4, None, vec![0]),
        ),
        (
            "SmolLM2 135M Instruct",
            llama(
                [576, 1536, 30, 9, 3, 49_152, 8192],
                json!({
                    "initializer_range": 0.041_666_666_666_666_664, "is_llama_config": true, "mlp_bias": false,
                    "pad_token_id": 2, "pretraining_tp": 1, "rms_norm_eps": 1e-5, "rope_interleaved": false,
                    "rope_scaling": null, "rope_theta": 100_000, "tie_word_embeddings": true,
                    "transformers.js_config": {"kv_cache_dtype": {"q4f16": "float16", "fp16": "float16"}},
                }),
            ),
            (64, 1e5, None, vec![2]),
        ),
        (
            "InternLM2 7B in Llama's layout",
            llama(
                [4096, 14_336, 32, 32, 8, 92_544, 32_768],
                json!({
                    "bias": false, "rope_theta": 1_000_000, "pad_token_id": 2, "rms_norm_eps": 1e-5,
                    "auto_map": {"AutoModelForCausalLM": "modeling_internlm2.InternLM2ForCausalLM"},
                    "attn_implementation": "eager",
                }),
            ),
            (128, 1e6, None, vec![2]),
        ),
        (
            "a merge that carries the switches of other architectures",
            llama(
                LLAMA_3_8B,
                json!({
                    "num_experts": 0, "num_local_experts": 0, "output_router_logits": false,
                    "router_aux_loss_coef": 0.001, "num_experts_per_tok": 2, "is_decoder": false,
                    "add_cross_attention": false, "use_bfloat16": false, "tf_legacy_loss": false, "pruned_heads": {},
                    "gradient_checkpointing": true, "embd_pdrop": 0.0, "resid_pdrop": 0, "hidden_dropout": 0.0,
                    "neftune_noise_alpha": 5, "model_max_length": 8192, "_model_name_or_path": "x/y",
                    "cross_attention_hidden_size": null, "a_switch_of_tomorrow": false, "a_list_of_tomorrow": [],
                }),
            ),
            (128, 1e4, None, vec![2]),
        ),
        (
            "Qwen 2 in Llama's layout",
            llama(
                [4096, 11_008, 32, 32, 32, 151_936, 32_768],
                json!({"use_sliding_window": false, "sliding_window": 32_768, "max_window_layers": 28,
                       "attention_bias": true, "rope_theta": 1e6}),
            ),
            (128, 1e6, None, vec![2]),
        ),
        (
            "Tülu 3 8B",
            llama(
                [4096, 14_336, 32, 32, 8, 128_264, 131_072],
                json!({"pad_token_id": 128_256, "rope_scaling": llama3(8.0), "rope_theta": 500_000.0, "use_cache": false,
                       "eos_token_id": 128_001, "rms_norm_eps": 1e-5}),
            ),
            (128, 5e5, None, vec![128_001]),
        ),
        (
            "Mistral 7B v0.1",
            mistral(
                MISTRAL_7B,
                json!({"rms_norm_eps": 1e-5, "rope_theta": 10_000.0, "sliding_window": 4096}),
            ),
            (128, 1e4, Some(4096), vec![2]),
        ),
        (
            "Mistral 7B v0.3",
            mistral(
                [4096, 14_336, 32, 32, 8, 32_768, 32_768],
                json!({"attention_dropout": 0.0, "rms_norm_eps": 1e-5, "rope_theta": 1e6, "sliding_window": null}),
            ),
            (128, 1e6, None, vec![2]),
        ),
        (
            "Mistral Nemo 12B",
            mistral(
                [5120, 14_336, 40, 32, 8, 131_072, 1_024_000],
                json!({"head_dim": 128, "rms_norm_eps": 1e-5, "rope_theta": 1e6, "sliding_window": null}),
            ),
            (128, 1e6, None, vec![2]),
        ),
        (
            "Mistral Small 24B",
            mistral(
                [5120, 32_768, 40, 32, 8, 131_072, 32_768],
                json!({"head_dim": 128, "rms_norm_eps": 1e-5, "rope_theta": 1e8, "sliding_window": null,
                       "layer_types": vec!["full_attention"; 40]}),
            ),
            (128, 1e8, None, vec![2]),
        ),
        (
            "Ministral 8B",
            mistral(
                [4096, 12_288, 36, 32, 8, 131_072, 32_768],
                json!({"head_dim": 128, "rms_norm_eps": 1e-5, "rope_theta": 1e8, "sliding_window": 32_768}),
            ),
            (128, 1e8, Some(32_768), vec![2]),
        ),
        (
            "Zephyr 7B",
            mistral(
                MISTRAL_7B,
                json!({"_name_or_path": "mistralai/Mistral-7B-v0.1", "pad_token_id": 2, "sliding_window": 4096,
                       "rms_norm_eps": 1e-5, "attention_dropout": 0.0}),
            ),
            (128, 1e4, Some(4096), vec![2]),
        ),
        (
            "OpenHermes 2.5",
            mistral(
                [4096, 14_336, 32, 32, 8, 32_002, 32_768],
                json!({"eos_token_id": 32_000, "sliding_window": 4096, "use_cache": false, "rms_norm_eps": 1e-5}),
            ),
            (128, 1e4, Some(4096), vec![32_000]),
        ),
        (
            "Qwen2 0.5B",
            qwen2(
                [896, 4864, 24, 14, 2, 151_936, 131_072],
                json!({"eos_token_id": 151_643, "rope_theta": 1e6, "tie_word_embeddings": true, "use_sliding_window": false,
                       "sliding_window": 131_072, "max_window_layers": 24}),
            ),
            (64, 1e6, None, vec![151_643]),
        ),
        (
            "Qwen2.5 7B 1M",
            qwen2(
                [3584, 18_944, 28, 28, 4, 152_064, 1_010_000],
                json!({"eos_token_id": 151_645, "rope_theta": 1e7, "use_sliding_window": false,
                       "dual_chunk_attention_config": {"chunk_size": 262_144, "local_size": 8192,
                                                       "original_max_position_embeddings": 262_144}}),
            ),
            (128, 1e7, None, vec![151_645]),
        ),
        (
            "Qwen2.5 Math 1.5B",
            qwen2(
                QWEN_1_5B,
                json!({"use_mrope": false, "use_sliding_window": false, "eos_token_id": 151_643}),
            ),
            (128, 1e4, None, vec![151_643]),
        ),
        (
            "QwQ 32B",
            qwen2(
                [5120, 27_648, 64, 40, 8, 152_064, 40_960],
                json!({"eos_token_id": 151_645, "rope_theta": 1e6, "use_sliding_window": false, "sliding_window": 32_768,
                       "max_window_layers": 64}),
            ),
            (128, 1e6, None, vec![151_645]),
        ),
        (
            "DeepSeek R1 Distill Qwen 1.5B",
            qwen2(QWEN_1_5B, windows_off),
            (128, 1e4, None, vec![]),
        ),
        (
            "a Qwen2.5 run of ours, saved by transformers 5",
            qwen2(
                QWEN_1_5B,
                json!({"dtype": "float32", "layer_types": vec!["full_attention"; 28], "use_sliding_window": false,
                       "sliding_window": null, "rope_parameters": {"rope_theta": 1e6, "rope_type": "default"}}),
            ),
            (128, 1e6, None, vec![]),
        ),
        (
            "Qwen3 0.6B Base",
            qwen3(
                [1024, 3072, 28, 16, 8, 151_936, 32_768],
                json!({"attention_bias": false, "attention_dropout": 0.0, "head_dim": 128, "rope_theta": 1_000_000,
                       "tie_word_embeddings": true, "use_sliding_window": false, "sliding_window": null,
                       "max_window_layers": 28, "eos_token_id": 151_643}),
            ),
            (128, 1e6, None, vec![151_643]),
        ),
        (
            "Qwen3 4B Instruct 2507",
            qwen3(
                [2560, 9728, 36, 32, 8, 151_936, 262_144],
                json!({"head_dim": 128, "rope_theta": 5_000_000, "eos_token_id": 151_645, "max_window_layers": 36,
                       "layer_types": vec!["full_attention"; 36], "unsloth_fixed": true}),
            ),
            (128, 5e6, None, vec![151_645]),
        ),
    ]
}

#[test]
fn well_known_models_load_as_published() {
    let models = loading();
    assert!(models.len() >= 34, "{}", models.len());
    for (name, config, shape) in models {
        let read = read(&config).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = (
            read.head_dim(),
            read.rope_theta,
            read.window(read.num_hidden_layers - 1),
            read.eos_token_id.clone(),
        );
        assert_eq!(found, shape, "{name}");
        assert_eq!(
            json!(read.num_hidden_layers),
            config["num_hidden_layers"],
            "{name}"
        );
        // What changed nothing when it was read changes nothing when it is read again.
        let text = read.to_json().unwrap();
        let again = DecoderConfig::from_json(&text, Path::new("again")).unwrap();
        assert_eq!(again, read, "{name}");
    }
}

/// Models that are refused, with parts of the message.
fn refused() -> Vec<(&'static str, Value, Vec<&'static str>)> {
    let (small, other) = (LLAMA_2_7B, |kind: &str, class: &str| {
        published(kind, class, LLAMA_2_7B, json!({}))
    });
    let bits =
        json!({"quantization_config": {"bits": 4, "group_size": 128, "quant_method": "gptq"}});
    vec![
        (
            "GPTQ",
            llama(small, bits.clone()),
            vec!["quantization_config", "quantised", "unquantised checkpoint"],
        ),
        (
            "AWQ",
            qwen2(QWEN_1_5B, bits),
            vec!["quantization_config", "unquantised"],
        ),
        (
            "MLX",
            llama(
                small,
                json!({"quantization": {"group_size": 64, "bits": 4}}),
            ),
            vec!["quantization is", "unquantised"],
        ),
        (
            "a dense name over experts",
            llama(small, json!({"num_local_experts": 8})),
            vec!["num_local_experts is 8", "mixture of experts"],
        ),
        (
            "Mixtral",
            other("mixtral", "MixtralForCausalLM"),
            vec![
                "model_type is \"mixtral\"",
                "a mixture of experts",
                "mistral (MistralForCausalLM)",
            ],
        ),
        (
            "Qwen3 MoE",
            other("qwen3_moe", "Qwen3MoeForCausalLM"),
            vec!["model_type is \"qwen3_moe\"", "a mixture of experts"],
        ),
        (
            "DeepSeek V2",
            other("deepseek_v2", "DeepseekV2ForCausalLM"),
            vec!["\"deepseek_v2\"", "a mixture of experts"],
        ),
        (
            "Gemma 2",
            other("gemma2", "Gemma2ForCausalLM"),
            vec!["model_type is \"gemma2\"", "llama (LlamaForCausalLM)"],
        ),
        (
            "Phi 3",
            other("phi3", "Phi3ForCausalLM"),
            vec!["model_type is \"phi3\""],
        ),
        (
            "OLMo 2",
            other("olmo2", "Olmo2ForCausalLM"),
            vec!["model_type is \"olmo2\""],
        ),
        (
            "SmolLM3",
            other("smollm3", "SmolLM3ForCausalLM"),
            vec!["model_type is \"smollm3\""],
        ),
        (
            "Qwen2.5 VL",
            other("qwen2_5_vl", "Qwen2_5_VLForConditionalGeneration"),
            vec!["reads images too"],
        ),
        (
            "Mistral Small 3.1",
            other("mistral3", "Mistral3ForConditionalGeneration"),
            vec!["reads images too"],
        ),
        (
            "a reward model",
            other("llama", "LlamaForSequenceClassification"),
            vec!["LlamaForSequenceClassification"],
        ),
        (
            "interleaved pairs",
            llama(small, json!({"rope_interleaved": true})),
            vec!["rope_interleaved is true", "cannot be read"],
        ),
        (
            "a part of the head rotated",
            llama(small, json!({"partial_rotary_factor": 0.5})),
            vec!["partial_rotary_factor is 0.5", "accepted: 1"],
        ),
        (
            "both ways",
            llama(small, json!({"is_causal": false})),
            vec!["is_causal is false", "see later ones"],
        ),
        (
            "a factor of nothing",
            llama(small, json!({"embedding_multiplier": 0})),
            vec!["embedding_multiplier is 0", "accepted: 1"],
        ),
        (
            "another norm",
            qwen3(QWEN3_8B, json!({"head_dim": 128, "use_qk_norm": false})),
            vec!["use_qk_norm is false"],
        ),
        (
            "another bias",
            llama(small, json!({"qkv_bias": true})),
            vec!["qkv_bias is true", "attention_bias"],
        ),
        (
            "depth under two names",
            llama(small, json!({"n_layer": 30})),
            vec!["n_layer is 30", "num_hidden_layers, which is read, is 32"],
        ),
        (
            "dynamic",
            llama(
                small,
                json!({"rope_scaling": {"type": "dynamic", "factor": 2.0}}),
            ),
            vec![
                "rope_scaling.rope_type is \"dynamic\"",
                "take the object out",
            ],
        ),
        (
            "a window that Llama has not",
            llama(small, json!({"sliding_window": 4096})),
            vec!["sliding_window is 4096"],
        ),
        (
            "windows otherwise than told",
            mistral(
                MISTRAL_7B,
                json!({"layer_types": vec!["full_attention"; 32]}),
            ),
            vec!["layer_types is"],
        ),
        (
            "pruned",
            llama(small, json!({"pruned_heads": {"0": [1]}})),
            vec!["pruned_heads", "cut out"],
        ),
        (
            "what nobody knows",
            llama(small, json!({"a_switch_of_tomorrow": true})),
            vec![
                "a_switch_of_tomorrow is true",
                "model.ignore_config_fields = [\"a_switch_of_tomorrow\"]",
            ],
        ),
    ]
}

#[test]
fn others_are_refused_with_what_is_wrong_and_the_way_out() {
    for (name, config, parts) in refused() {
        let error = read(&config).expect_err(name).to_string();
        assert!(error.starts_with("m/config.json: "), "{error}");
        for part in parts {
            assert!(error.contains(part), "{name}: {part:?} is not in {error}");
        }
    }
}

#[test]
fn all_that_is_refused_is_in_one_message() {
    let config = llama(
        LLAMA_2_7B,
        json!({"first": 1, "second": "x", "attention_dropout": 0.1, "rope_scaling":
               {"type": "linear", "factor": 2.0, "third": 3}, "fourth": 0}),
    );
    let error = read(&config).unwrap_err().to_string();
    assert_eq!(
        error,
        "m/config.json: not honoured for model_type \"llama\": attention_dropout is 0.1 (accepted: 0: the sampler and the \
         trainer have to be one model), first is 1, second is \"x\", rope_scaling.third is 3 (no such field for rope_type \
         \"linear\"); if that changes nothing that the model computes, set model.ignore_config_fields = \
         [\"attention_dropout\", \"first\", \"second\", \"rope_scaling.third\"]; otherwise this model cannot be read"
    );
    let all = ["attention_dropout", "first", "second", "rope_scaling.third"];
    let read_it = read_ignoring(&config, &all).unwrap();
    assert_eq!(
        read_it.rope_scaling,
        Some(RopeScaling::Linear { factor: 2.0 })
    );
    assert_eq!(read_it.inert["fourth"], 0);
    // One that is not named is still refused, alone.
    let error = read_ignoring(&config, &all[1..]).unwrap_err().to_string();
    assert!(
        error.contains("attention_dropout") && !error.contains("first is"),
        "{error}"
    );

    // What is written says what was left out, so that the same request is true of it, and none is.
    let text = read_it.to_json().unwrap();
    assert!(!text.contains("\"first\": "), "{text}");
    let written: Value = serde_json::from_str(&text).unwrap();
    for ignore in [&all[..], &[]] {
        let again = read_ignoring(&written, ignore).unwrap();
        assert_eq!(again, read_it);
    }
}

#[test]
fn only_what_is_there_and_not_honoured_can_be_ignored() {
    let config = llama(
        LLAMA_2_7B,
        json!({"is_causal": false, "rope_scaling": {"type": "linear", "factor": 2.0}, "fine": false, "odd": 1}),
    );
    for (name, part) in [
        (
            "hidden_size",
            "hidden_size, which is read and counts; take it out of the list",
        ),
        (
            "rope_scaling.factor",
            "rope_scaling.factor, which is read and counts",
        ),
        ("rope_scaling", "rope_scaling, which is read and counts"),
        (
            "hiden_size",
            "hiden_size, which the file does not have; take it out of the list",
        ),
        (
            "is_causal",
            "without it the model would compute something else",
        ),
    ] {
        let error = read_ignoring(&config, &["odd", name])
            .unwrap_err()
            .to_string();
        assert!(error.contains(part), "{error}");
        assert!(
            error.starts_with("m/config.json: model.ignore_config_fields names "),
            "{error}"
        );
    }
    let plain = llama(LLAMA_2_7B, json!({"fine": false, "odd": 1}));
    read_ignoring(&plain, &["odd", "fine"]).unwrap();
}

/// DeepSeek-R1-0528-Qwen3-8B. `transformers` 5.24 warns of the unknown field and computes 0.1·ln 4 + 1.
#[test]
fn a_factor_that_two_readers_take_differently_is_the_users_choice() {
    let yarn = json!({
        "attn_factor": 0.878_248_856_286_941_9, "factor": 4.0, "original_max_position_embeddings": 32_768,
        "rope_type": "yarn",
    });
    let config = |yarn: &Value| {
        qwen3(
            QWEN3_8B,
            json!({"head_dim": 128, "rope_theta": 1_000_000, "rope_scaling": yarn, "eos_token_id": 151_645,
                   "sliding_window": null, "use_sliding_window": false, "max_window_layers": 36}),
        )
    };
    let error = read(&config(&yarn)).unwrap_err().to_string();
    for part in [
        "rope_scaling.attn_factor is 0.878",
        "transformers does not read",
        "1.138629",
        "model.ignore_config_fields = [\"rope_scaling.attn_factor\"]",
    ] {
        assert!(error.contains(part), "{part:?} is not in {error}");
    }
    let plain = read_ignoring(&config(&yarn), &["rope_scaling.attn_factor"]).unwrap();
    assert_eq!(
        plain.rope_scaling,
        Some(RopeScaling::Yarn(Yarn::new(4.0, 32_768)))
    );
    let mut one = yarn.clone();
    one["attn_factor"] = json!(1.0);
    assert_eq!(
        read(&config(&one)).unwrap().rope_scaling,
        plain.rope_scaling
    );
}

/// What `transformers` 5.24 computes of these: a context beside the object wins, and 0 is no value.
#[test]
fn yarn_reads_what_transformers_reads() {
    let yarn = |own: Value| {
        let mut object =
            json!({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32_768});
        for (name, value) in own.as_object().unwrap() {
            object[name] = value.clone();
        }
        json!({"head_dim": 128, "rope_scaling": object})
    };
    let of = |config: &Value| read(&qwen3(QWEN3_8B, config.clone())).unwrap().rope_scaling;
    let expected = Some(RopeScaling::Yarn(Yarn::new(4.0, 1024)));
    let mut beside = yarn(json!({}));
    beside["original_max_position_embeddings"] = json!(1024);
    assert_eq!(of(&beside), expected);
    let zeros = yarn(json!({"beta_fast": 0, "beta_slow": 0, "mscale": 0.0, "mscale_all_dim": 0}));
    assert_eq!(of(&zeros), Some(RopeScaling::Yarn(Yarn::new(4.0, 32_768))));
    // Without a scaling that reads it, it says nothing.
    let alone = json!({"head_dim": 128, "original_max_position_embeddings": 16});
    assert_eq!(of(&alone), None);
}
