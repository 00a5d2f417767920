//! A small decoder and prompts for it.

use burn::tensor::Device;
use prime_policy::{Decoder, DecoderConfig, SampleKey};

pub const VOCAB: usize = 23;

pub fn config(heads: usize, kv_heads: usize, tied: bool) -> DecoderConfig {
    let mut config = DecoderConfig::new(VOCAB, 6 * heads, 40, 2, heads);
    config.num_key_value_heads = kv_heads;
    config.tie_word_embeddings = tied;
    config.initializer_range = 0.3;
    config
}

pub fn decoder(config: &DecoderConfig) -> Decoder {
    let device = Device::flex();
    device.seed(3);
    config.init(&device).unwrap()
}

/// Prompts of 1 to 13 tokens.
pub fn prompts(count: usize) -> Vec<Vec<u32>> {
    let key = SampleKey::new(17, 0, 0, 0);
    let mut at = 0;
    let mut below = |n: usize| {
        at += 1;
        (key.uniform(at) * n as f64) as usize
    };
    (0..count)
        .map(|_| (0..1 + below(13)).map(|_| below(VOCAB) as u32).collect())
        .collect()
}

pub fn slices(prompts: &[Vec<u32>]) -> Vec<&[u32]> {
    prompts.iter().map(Vec::as_slice).collect()
}
