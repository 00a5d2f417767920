//! Rewrites a model folder in another element type or with other shards, and says what that took.
//!
//! `cargo run -p prime-policy --example convert -- FROM TO [f32|bf16|f16] [MAX_SHARD_BYTES]`

use std::path::Path;
use std::time::Instant;

use burn::tensor::Device;
use prime_policy::{ModelFolder, PolicyError, WeightDtype, WeightFormat};

const USAGE: &str = "usage: convert FROM TO [f32|bf16|f16] [MAX_SHARD_BYTES]";

/// The largest resident memory of this process so far, where the system says.
fn peak() -> String {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
            Some(line.trim().to_owned())
        })
        .unwrap_or_else(|| "unknown".to_owned())
}

fn convert(from: &Path, to: &Path, format: &WeightFormat) -> Result<(), PolicyError> {
    let start = Instant::now();
    let folder = ModelFolder::load(from, &Device::flex())?;
    println!("loaded in {:.1?}, peak {}", start.elapsed(), peak());
    let start = Instant::now();
    folder.save_as(to, format)?;
    println!("saved in {:.1?}, peak {}", start.elapsed(), peak());
    Ok(())
}

fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to, rest @ ..] = &arguments[..] else {
        return Err(USAGE.to_owned());
    };
    let mut format = WeightFormat::default();
    if let Some(dtype) = rest.first() {
        format.dtype = match dtype.as_str() {
            "f32" => WeightDtype::F32,
            "bf16" => WeightDtype::Bf16,
            "f16" => WeightDtype::F16,
            other => return Err(format!("{other:?} is no element type; {USAGE}")),
        };
    }
    if let Some(bytes) = rest.get(1) {
        format.max_shard_bytes = bytes
            .parse()
            .map_err(|_| format!("{bytes:?} is no number of bytes; {USAGE}"))?;
    }
    convert(from.as_ref(), to.as_ref(), &format).map_err(|error| error.to_string())
}
