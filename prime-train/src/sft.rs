//! Supervised warm-up: next-token loss on demonstrated responses.

use prime_policy::objective::{BatchTotals, LossAggregation};
use prime_policy::{
    CausalLm, Sequence, SequenceBatch, Tokenizer, accumulate_gradients, token_statistics,
};

use crate::config::Config;
use crate::data::tasks::Task;
use crate::error::TrainError;

/// What a warm-up step reports.
#[derive(Debug, Clone, Copy)]
pub struct SftStep {
    /// Mean negative log-prob per response token, in nats.
    pub loss: f64,
    /// Gradient norm before clipping.
    pub grad_norm: f64,
}

/// Learning rate of warm-up step `step` (from 0): linear up over `lr_warmup_steps`, then linear down to 0.
pub fn learning_rate(config: &Config, step: usize) -> f64 {
    let warmup = &config.warmup;
    let up = (step + 1) as f64 / warmup.lr_warmup_steps.max(1) as f64;
    let left = warmup.steps.saturating_sub(step) as f64;
    let span = warmup.steps.saturating_sub(warmup.lr_warmup_steps).max(1) as f64;
    warmup.lr * up.min(1.0).min(left / span)
}

/// Trains `model` on the demonstrations of `task`; `report` sees every step and may stop the warm-up by an error.
///
/// # Errors
/// [`TrainError::Policy`] when a demonstration cannot be tokenised or a loss is not finite; what `report` returns.
pub fn warm_up<M: CausalLm>(
    mut model: M,
    config: &Config,
    task: &dyn Task,
    tokenizer: &Tokenizer,
    mut report: impl FnMut(usize, SftStep) -> Result<(), TrainError>,
) -> Result<M, TrainError> {
    let mut optimizer = config.warmup_optimizer().init();
    let batch_size = config.warmup.batch_size;
    for step in 0..config.warmup.steps {
        let first = (step * batch_size) as u64;
        let demonstrations = (first..first + batch_size as u64)
            .map(|index| {
                let demonstration = task.demonstration(config.seed, index);
                let prompt = tokenizer.encode_prompt(&demonstration.prompt)?;
                Ok((prompt, tokenizer.encode_response(&demonstration.response)?))
            })
            .collect::<Result<Vec<_>, TrainError>>()?;
        let sequences: Vec<Sequence<'_>> = demonstrations
            .iter()
            .map(|(prompt, response)| Sequence { prompt, response })
            .collect();
        let totals = BatchTotals::of(sequences.iter().map(|s| s.response.len()));
        let micro_batches: Vec<&[Sequence<'_>]> =
            sequences.chunks(config.warmup.micro_batch_size).collect();
        let threads = config.worker_threads();
        let ready = model.prepared();
        let done = accumulate_gradients(&ready, &micro_batches, threads, |model, micro_batch| {
            let device = model.devices().first().cloned().unwrap_or_default();
            let batch = SequenceBatch::new(micro_batch, model.vocab_size(), &device)?;
            let negative = token_statistics(model, &batch, 1.0).log_probs.neg();
            let loss = LossAggregation::TokenMean.aggregate(negative, batch.mask(), totals);
            let value = f64::from(loss.clone().inner().into_scalar::<f32>());
            Ok((loss, value))
        })?;
        drop(ready);
        let rate = learning_rate(config, step);
        let (updated, grad_norm) = optimizer.step(model, done.gradients, rate)?;
        model = updated;
        report(
            step,
            SftStep {
                loss: done.statistics.iter().sum(),
                grad_norm,
            },
        )?;
    }
    Ok(model)
}
