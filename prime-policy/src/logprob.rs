//! Log-probs of given responses under a model: one forward pass, and only response positions go through the head.

use std::ops::Range;

use burn::tensor::{Int, Tensor};

use crate::error::PolicyError;
use crate::kernels;
use crate::lm::CausalLm;
use crate::micro_batch::MicroBatching;
use crate::sequences::{Sequence, SequenceBatch};

/// Most bytes of logits that a pass over positions holds at a time.
const CHUNK_BYTES: usize = 16 << 20;

/// Runs of positions whose f32 logits fit in [`CHUNK_BYTES`]; a run has at least one.
pub(crate) fn position_chunks(
    positions: usize,
    vocab_size: usize,
) -> impl Iterator<Item = Range<usize>> {
    let size = (CHUNK_BYTES / 4 / vocab_size.max(1)).max(1);
    (0..positions)
        .step_by(size)
        .map(move |start| start..(start + size).min(positions))
}

/// [`CausalLm::token_log_probs`] through [`CausalLm::logits`], a few positions at a time.
pub(crate) fn token_log_probs_in_chunks<M: CausalLm>(
    model: &M,
    hidden: Tensor<2>,
    targets: Tensor<1, Int>,
    temperature: f32,
) -> Tensor<2> {
    let chunks = position_chunks(targets.dims()[0], model.vocab_size());
    let mut parts: Vec<_> = chunks
        .map(|chunk| {
            let logits = model.logits(hidden.clone().narrow(0, chunk.start, chunk.len()));
            let targets = targets.clone().narrow(0, chunk.start, chunk.len());
            kernels::log_prob_entropy(logits, targets, temperature)
        })
        .collect();
    match parts.len() {
        0 => Tensor::zeros([0, 2], &hidden.device()),
        1 => parts.remove(0),
        _ => Tensor::cat(parts, 0),
    }
}

/// What one forward pass says about a batch.
#[derive(Debug)]
pub struct TokenStatistics {
    /// log π(token) at the given temperature, in nats: `[rows, window]`, 0 outside the responses.
    pub log_probs: Tensor<2>,
    /// Entropy of the next-token distribution at the given temperature, in nats: `[rows, window]`, 0 outside the
    /// responses.
    pub entropy: Tensor<2>,
    /// Final hidden states that made the predictions, one a response token (see [`token_hidden`]).
    pub hidden: Tensor<2>,
}

/// The final hidden states that predict the response tokens of `batch`, rows in order: `[tokens, hidden]`. A batch
/// without any response token gives one row, whose prediction counts nowhere.
pub fn token_hidden<M: CausalLm>(model: &M, batch: &SequenceBatch) -> Tensor<2> {
    let [rows, time] = batch.tokens.dims();
    let tokens = batch.tokens.clone();
    let hidden = match &batch.packed {
        Some(lengths) => model.hidden_packed(tokens.reshape([rows * time]), lengths),
        None => model
            .hidden(tokens)
            .reshape([rows * time, model.hidden_size()]),
    };
    hidden.select(0, batch.positions.clone())
}

/// Runs `model` over `batch`; gradients flow if the model lives on an autodiff device.
///
/// `temperature` divides the logits: the rollout temperature for policy log-probs, 1 for the implicit PRM and its
/// reference (PRIME §2.2).
pub fn token_statistics<M: CausalLm>(
    model: &M,
    batch: &SequenceBatch,
    temperature: f32,
) -> TokenStatistics {
    let hidden = token_hidden(model, batch);
    let both = model.token_log_probs(hidden.clone(), batch.targets.clone(), temperature);
    let column = |i| batch.spread(both.clone().narrow(1, i, 1));
    TokenStatistics {
        log_probs: column(0),
        entropy: column(1),
        hidden,
    }
}

/// Log-probs of each response's tokens, ragged, without gradients, in the order of `sequences`; `micro_batching` says
/// how many go through the model at a time (a plain number: that many sequences), and micro-batches are spread over
/// `threads` threads (the result does not depend on `threads`).
///
/// # Errors
/// Those of [`SequenceBatch::new`]; [`PolicyError::NotFinite`] names the row and token.
pub fn log_probs<M: CausalLm>(
    model: &M,
    sequences: &[Sequence<'_>],
    temperature: f32,
    micro_batching: impl Into<MicroBatching>,
    threads: usize,
) -> Result<Vec<Vec<f32>>, PolicyError> {
    let model = model.valid().prepared();
    let device = model.devices().first().cloned().unwrap_or_default();
    let micro_batching = micro_batching.into();
    let out = micro_batching.map(sequences, threads, |chunk| {
        let batch = micro_batching.batch(chunk, model.vocab_size(), &device)?;
        Ok(batch.gather(token_statistics(&model, &batch, temperature).log_probs))
    })?;
    check_finite("log-prob", &out)?;
    Ok(out)
}

/// Fails on the first value that is not finite, naming its row and token.
pub(crate) fn check_finite(what: &'static str, rows: &[Vec<f32>]) -> Result<(), PolicyError> {
    for (row, values) in rows.iter().enumerate() {
        if let Some(token) = values.iter().position(|v| !v.is_finite()) {
            return Err(PolicyError::NotFinite {
                what,
                value: f64::from(values[token]),
                at: format!(" (response {row}, token {token})"),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_every_position_once_even_of_a_vocabulary_larger_than_a_chunk() {
        for (positions, vocab_size, size) in
            [(5, 10_000_000, 1), (9, 1 << 20, 4), (3, 0, 3), (0, 7, 1)]
        {
            let chunks: Vec<_> = position_chunks(positions, vocab_size).collect();
            let covered: Vec<usize> = chunks.iter().cloned().flatten().collect();
            assert_eq!(covered, (0..positions).collect::<Vec<_>>());
            assert!(
                chunks.iter().all(|chunk| (1..=size).contains(&chunk.len())),
                "{chunks:?}"
            );
        }
    }

    #[test]
    fn a_number_that_is_not_finite_is_named_with_its_place() {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let rows = [vec![], vec![-1.0, value, value]];
            let message = check_finite("log-prob", &rows).unwrap_err().to_string();
            assert!(message.contains("(response 1, token 1)"), "{message}");
        }
        check_finite("log-prob", &[vec![f32::MAX]]).unwrap();
    }
}
