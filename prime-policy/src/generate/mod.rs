//! Batched sampling with a key/value cache that finished responses leave and waiting ones enter.

mod batch;
mod request;
mod text;
mod waiting;

use std::ops::Range;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use crate::error::PolicyError;
use crate::lm::CausalLm;
pub use request::{GenerationRequest, OnToken, StreamControl, TextOptions, TokenEvent};

/// Why a response ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// A stop token was sampled; it is the response's last token.
    Stop,
    /// The text came to hold a stop string; the token that completed it is the response's last. See
    /// [`Response::stop_string`].
    StopString,
    /// `max_new_tokens`, or the model's [`max_length`](CausalLm::max_length), was reached.
    Length,
    /// The callback ended it.
    Cancelled,
}

/// Where a stop string was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopMatch {
    /// Index into [`TextOptions::stop`].
    pub string: usize,
    /// Where it starts, in bytes of the response's text: the text before it is `&text[..offset]`.
    pub offset: usize,
}

/// One sampled response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// All ids as sampled: the stop token included, and the whole of the token that completed a stop string, though
    /// its text may begin before the string or go on after it. Empty only if cancelled before its first token.
    pub tokens: Vec<u32>,
    /// log π of each sampled token at the sampling temperature over the whole vocabulary, in nats: what a trainer
    /// recomputes, and what the importance ratio of PPO is taken against.
    pub log_probs: Vec<f32>,
    /// log-prob of each sampled token under the distribution that it was drawn from: after top-k, top-p and min-p,
    /// renormalised. Equal to `log_probs` where nothing is cut off, 0 where greedy, never below `log_probs`.
    pub sampling_log_probs: Vec<f32>,
    /// Why it ended.
    pub finish: FinishReason,
    /// The stop string that ended it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_string: Option<StopMatch>,
}

/// Samples `samples` responses to every prompt; the outer list follows `prompts`.
///
/// Each prompt is read once and what was read is copied to its samples' rows. A row whose response has ended goes to
/// the next sample that waits, so that the batch stays full; its cache is allocated once.
///
/// What is sampled depends on the model, the sampling settings, the seed, step, prompt id, sample and token index.
/// The uniform numbers depend on nothing else. The probabilities that they meet are computed in batches, so their last
/// bits may depend on which rows share one: that is fixed by `prompts`, `samples`, `rows_per_batch` and `batches`,
/// and never by `threads` or the clock. Equal requests give equal bytes on the CPU. A callback that cancels the whole
/// generation is the exception: how far the other batches have got by then is up to the clock.
///
/// # Errors
/// [`PolicyError::Sampling`] for settings out of range; [`PolicyError::Sequence`] naming a prompt that is empty, has
/// an id outside the vocabulary, or is as long as the model's [`max_length`](CausalLm::max_length);
/// [`PolicyError::NotFinite`] naming the prompt and token when the model's logits are not finite; whatever
/// [`TextOptions::decode`] returns.
pub fn generate<M: CausalLm>(
    model: &M,
    request: &GenerationRequest<'_>,
) -> Result<Vec<Vec<Response>>, PolicyError> {
    request.validate(model.vocab_size(), model.max_length())?;
    let model = model.valid().prepared();
    let cancelled = AtomicBool::new(false);
    let parts = crate::parallel::map(request.threads, &deal(request), |prompts| {
        batch::run(&model, request, prompts.clone(), &cancelled)
    })?;
    Ok(parts.into_iter().flatten().collect())
}

/// Runs of prompts, one for each batch, as equal as can be; no more of them than fill a batch each.
fn deal(request: &GenerationRequest<'_>) -> Vec<Range<usize>> {
    let prompts = request.prompts.len();
    let full = (prompts * request.samples).div_ceil(request.rows_per_batch);
    let batches = request.batches.min(full).min(prompts);
    (0..batches)
        .map(|batch| batch * prompts / batches..(batch + 1) * prompts / batches)
        .collect()
}
