//! Log-probs of given responses under a model: one forward pass, response positions only.

use burn::tensor::Tensor;

use crate::error::PolicyError;
use crate::kernels;
use crate::lm::CausalLm;
use crate::sequences::{Sequence, SequenceBatch};

/// What one forward pass says about a batch. Tensors are `[rows, window]`; entries outside the responses are
/// meaningless and must be masked ([`SequenceBatch::mask`]).
#[derive(Debug)]
pub struct TokenStatistics {
    /// log π(token) at the given temperature, in nats.
    pub log_probs: Tensor<2>,
    /// Entropy of the next-token distribution at the given temperature, in nats.
    pub entropy: Tensor<2>,
    /// Final hidden states that made the predictions: `[rows·window, hidden]`.
    pub hidden: Tensor<2>,
    /// The predictions themselves, not yet divided by the temperature: `[rows·window, vocab]`.
    pub logits: Tensor<2>,
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
    let rows = batch.rows();
    let hidden = model
        .hidden(batch.tokens.clone())
        .narrow(1, batch.start, batch.window)
        .reshape([rows * batch.window, model.hidden_size()]);
    let logits = model.logits(hidden.clone());
    let both = kernels::log_prob_entropy(logits.clone(), batch.targets.clone(), temperature);
    let column = |i| both.clone().narrow(1, i, 1).reshape([rows, batch.window]);
    TokenStatistics {
        log_probs: column(0),
        entropy: column(1),
        hidden,
        logits,
    }
}

/// Log-probs of each response's tokens, ragged, without gradients; `micro_batch` sequences at a time, micro-batches
/// spread over `threads` threads (the result does not depend on `threads`).
///
/// # Errors
/// Those of [`SequenceBatch::new`]; [`PolicyError::NotFinite`] names the row and token.
pub fn log_probs<M: CausalLm>(
    model: &M,
    sequences: &[Sequence<'_>],
    temperature: f32,
    micro_batch: usize,
    threads: usize,
) -> Result<Vec<Vec<f32>>, PolicyError> {
    let model = model.valid();
    let chunks: Vec<&[Sequence<'_>]> = sequences.chunks(micro_batch.max(1)).collect();
    let parts = crate::parallel::map(threads, &chunks, |chunk| {
        let device = model.devices().first().cloned().unwrap_or_default();
        let batch = SequenceBatch::new(chunk, model.vocab_size(), &device)?;
        Ok(batch.gather(token_statistics(&model, &batch, temperature).log_probs))
    })?;
    let out: Vec<Vec<f32>> = parts.into_iter().flatten().collect();
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
