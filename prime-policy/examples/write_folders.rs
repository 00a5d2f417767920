//! Writes model folders with the logits that this crate computes for them, for `tests/fixtures/check_folders.py`.
//!
//! `cargo run -p prime-policy --example write_folders -- OUT`: each model of `tests/fixtures/families` read and written
//! again, and a fresh one of each family, with `ours.json` beside them.

use std::error::Error;
use std::fs;
use std::path::Path;

use burn::tensor::{Device, Int, Tensor, TensorData};
use prime_policy::{
    CausalLm, Decoder, DecoderConfig, Family, RopeScaling, Yarn, load_weights, save_weights,
};
use serde_json::json;

const TIME: usize = 48;

fn main() -> Result<(), Box<dyn Error>> {
    let out = std::env::args().nth(1).ok_or("usage: write_folders OUT")?;
    let out = Path::new(&out);
    let device = Device::flex();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/families");
    for entry in fs::read_dir(fixtures)? {
        let folder = entry?.path();
        let path = folder.join("config.json");
        let config = DecoderConfig::from_json(&fs::read_to_string(&path)?, &path)?;
        let model = load_weights(config.init(&device)?, &folder.join("model.safetensors"))?;
        let name = folder.file_name().ok_or("a folder without a name")?;
        write(&out.join(name), &config, &model)?;
    }
    device.seed(1);
    for family in Family::ALL {
        let config = fresh(family);
        let name = format!("fresh_{}", family.model_type());
        write(&out.join(name), &config, &config.init(&device)?)?;
    }
    Ok(())
}

/// A shape made in Rust that uses what the family has.
fn fresh(family: Family) -> DecoderConfig {
    let mut config = DecoderConfig::for_family(family, 37, 24, 40, 3, 6);
    config.num_key_value_heads = 3;
    config.head_dim = Some(10);
    config.initializer_range = 0.3;
    config.eos_token_id = vec![2, 5];
    config.rope_scaling = match family {
        Family::Llama => Some(RopeScaling::Linear { factor: 3.0 }),
        Family::Qwen2 => Some(RopeScaling::Yarn(Yarn::new(4.0, 12))),
        _ => None,
    };
    if family == Family::Llama {
        config.mlp_bias = true;
        config.attention_bias = true;
    } else {
        config.sliding_window = Some(9);
        config.use_sliding_window = family != Family::Mistral;
        config.max_window_layers = if family == Family::Mistral {
            config.max_window_layers
        } else {
            1
        };
    }
    config
}

fn write(folder: &Path, config: &DecoderConfig, model: &Decoder) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("config.json"), config.to_json()?)?;
    save_weights(model, &folder.join("model.safetensors"))?;
    let tokens: Vec<i32> = (0..TIME)
        .map(|t| (t * t * 7 + 3 * t + 1) as i32 % config.vocab_size as i32)
        .collect();
    let data = TensorData::new(tokens.clone(), [1, TIME]);
    let hidden = model.hidden(Tensor::<2, Int>::from_data(data, &Device::flex()));
    let logits = model.logits(hidden.reshape([TIME, config.hidden_size]));
    let logits: Vec<f32> = logits.into_data().iter::<f32>().collect();
    let rows: Vec<&[f32]> = logits.chunks(config.vocab_size).collect();
    let ours = json!({"tokens": tokens, "logits": rows}).to_string();
    Ok(fs::write(folder.join("ours.json"), ours)?)
}
