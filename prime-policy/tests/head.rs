//! The output head at the size of a real vocabulary: what it holds, and that a module of one's own gets the same.

#[cfg(target_os = "linux")]
mod memory;
mod plain;
mod support;

use burn::tensor::Device;
use plain::Plain;
use prime_policy::{
    CausalLm, DecoderConfig, Sequence, SequenceBatch, accumulate_gradients, token_statistics,
};

fn run<M: CausalLm>(model: &M, sequences: &[Sequence<'_>]) -> (Vec<f32>, Vec<f32>) {
    let done = accumulate_gradients(model, &[sequences], 1, |model, sequences| {
        let batch = SequenceBatch::new(sequences, model.vocab_size(), &Device::flex())?;
        let found = token_statistics(model, &batch, 0.7);
        let both = found.log_probs.clone() + found.entropy.clone().mul_scalar(0.5);
        let rows = [found.log_probs, found.entropy].map(|t| batch.gather(t.inner()).concat());
        Ok((both.sum(), rows.concat()))
    })
    .unwrap();
    let gradients = support::gradients(model, &done.gradients);
    (done.statistics.concat(), gradients)
}

/// Enough positions and vocabulary for the default method to take three chunks.
#[test]
fn a_model_of_ones_own_gets_the_numbers_of_the_tiled_head() {
    for tied in [false, true] {
        let device = Device::flex().autodiff();
        Device::flex().seed(1);
        let mut config = DecoderConfig::new(40_000, 8, 8, 1, 2);
        config.tie_word_embeddings = tied;
        config.initializer_range = 0.6;
        let inner = config.init(&device).unwrap();
        let ids: Vec<u32> = (0..130).map(|t| (t * 307) % 40_000).collect();
        let sequences = [0, 1].map(|row| Sequence {
            prompt: &ids[row..3 + row],
            response: &ids[3 + row..128 - row],
        });
        let (expected, expected_gradients) = run(&inner, &sequences);
        let (found, gradients) = run(&Plain { inner }, &sequences);
        assert_eq!(found.len(), 2 * (125 + 123));
        for (a, b) in found.iter().zip(&expected) {
            assert!(
                (a - b).abs() < 1e-5 * b.abs().max(1.0),
                "{a} instead of {b}"
            );
        }
        let largest = expected_gradients
            .iter()
            .fold(0.0f32, |m, g| m.max(g.abs()));
        for (a, b) in gradients.iter().zip(&expected_gradients) {
            assert!(
                (a - b).abs() < 1e-5 * largest,
                "{a} instead of {b} of {largest}"
            );
        }
    }
}
