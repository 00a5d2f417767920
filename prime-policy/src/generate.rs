//! Batched sampling with a key/value cache.

use burn::tensor::{Device, Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::error::PolicyError;
use crate::lm::{CausalLm, KvCache};
use crate::sampling::{SampleKey, SamplingConfig, draw};

/// Why a response ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// A stop token was sampled; it is the response's last token.
    Stop,
    /// `max_new_tokens` was reached.
    Length,
}

/// One sampled response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// Sampled ids, the stop token included.
    pub tokens: Vec<u32>,
    /// log π of each sampled token at the sampling temperature over the whole vocabulary, in nats.
    pub log_probs: Vec<f32>,
    /// Why it ended.
    pub finish: FinishReason,
}

/// What to sample.
#[derive(Debug, Clone)]
pub struct GenerationRequest<'a> {
    /// Prompts, each at least one token.
    pub prompts: &'a [&'a [u32]],
    /// Responses per prompt (K).
    pub samples: usize,
    /// How tokens are drawn.
    pub sampling: &'a SamplingConfig,
    /// Ids that end a response.
    pub stop: &'a [u32],
    /// Root of the randomness.
    pub seed: u64,
    /// Second coordinate of the randomness: the training step, say.
    pub step: u64,
    /// Third coordinate per prompt; the prompt's number in its data set, so that it may move inside a batch.
    pub prompt_ids: &'a [u64],
    /// The most rows decoded together. Part of the result's definition in the last bits, unlike `threads`.
    pub rows_per_chunk: usize,
    /// Threads that share the chunks.
    pub threads: usize,
}

/// Samples `samples` responses to every prompt; the outer list follows `prompts`.
///
/// Each prompt is read once and its cache shared by its samples; rows that have finished leave the batch. What is
/// sampled depends on the seed, step, prompt id, sample and token index only, never on the number of threads.
///
/// # Errors
/// [`PolicyError::Sampling`], or [`PolicyError::Sequence`] naming an empty prompt or an id outside the vocabulary;
/// [`PolicyError::NotFinite`] when the model's logits are not finite.
pub fn generate<M: CausalLm>(
    model: &M,
    request: &GenerationRequest<'_>,
) -> Result<Vec<Vec<Response>>, PolicyError> {
    request.sampling.validate()?;
    if request.samples == 0 {
        return Err(PolicyError::Sampling {
            name: "samples",
            value: "0".to_owned(),
            accepted: "at least 1",
        });
    }
    if request.prompt_ids.len() != request.prompts.len() {
        return Err(PolicyError::LengthMismatch {
            what: "prompt_ids",
            expected: request.prompts.len(),
            found: request.prompt_ids.len(),
        });
    }
    let vocab = model.vocab_size();
    for (index, prompt) in request.prompts.iter().enumerate() {
        let reason = if prompt.is_empty() {
            "the prompt is empty; it needs at least one token".to_owned()
        } else if let Some(id) = prompt.iter().find(|&&id| id as usize >= vocab) {
            format!("token {id} is outside the vocabulary of {vocab}")
        } else {
            continue;
        };
        return Err(PolicyError::Sequence { index, reason });
    }
    let model = model.valid();
    let prompts_per_chunk = (request.rows_per_chunk / request.samples).max(1);
    let numbers: Vec<usize> = (0..request.prompts.len()).collect();
    let chunks: Vec<&[usize]> = numbers.chunks(prompts_per_chunk).collect();
    let parts = crate::parallel::map(request.threads, &chunks, |chunk| {
        chunk_responses(&model, request, chunk)
    })?;
    Ok(parts.into_iter().flatten().collect())
}

/// A row that is still being sampled.
struct Row {
    /// Index into the chunk's responses.
    slot: usize,
    key: SampleKey,
}

fn chunk_responses<M: CausalLm>(
    model: &M,
    request: &GenerationRequest<'_>,
    chunk: &[usize],
) -> Result<Vec<Vec<Response>>, PolicyError> {
    let device = model.devices().first().cloned().unwrap_or_default();
    let (samples, sampling) = (request.samples, request.sampling);
    let prompts: Vec<&[u32]> = chunk.iter().map(|&p| request.prompts[p]).collect();
    let lengths: Vec<usize> = prompts.iter().map(|p| p.len()).collect();
    let time = lengths.iter().copied().max().unwrap_or(1);
    let mut padded = vec![0i32; prompts.len() * time];
    for (row, prompt) in prompts.iter().enumerate() {
        for (t, &id) in prompt.iter().enumerate() {
            padded[row * time + t] = id as i32;
        }
    }
    let tokens =
        Tensor::<2, Int>::from_data(TensorData::new(padded, [prompts.len(), time]), &device);
    let (hidden, mut cache) = model.prefill(tokens, &lengths, time + sampling.max_new_tokens);

    let mut responses: Vec<Response> = (0..prompts.len() * samples)
        .map(|_| Response {
            tokens: vec![],
            log_probs: vec![],
            finish: FinishReason::Length,
        })
        .collect();
    let mut rows: Vec<Row> = (0..responses.len())
        .map(|slot| Row {
            slot,
            key: SampleKey::new(
                request.seed,
                request.step,
                request.prompt_ids[chunk[slot / samples]],
                (slot % samples) as u64,
            ),
        })
        .collect();
    let copies: Vec<usize> = rows.iter().map(|row| row.slot / samples).collect();
    let mut hidden = hidden.select(0, ids(&copies, &device));
    if samples > 1 {
        cache.select_rows(&copies);
    }
    let mut scratch = Vec::new();
    for index in 0..sampling.max_new_tokens {
        let logits = model.logits(hidden).into_data();
        let logits: Vec<f32> = logits.iter::<f32>().collect();
        let vocab = logits.len() / rows.len();
        let mut next = Vec::with_capacity(rows.len());
        let mut alive = Vec::with_capacity(rows.len());
        for (at, (row, logits)) in rows.iter().zip(logits.chunks_exact(vocab)).enumerate() {
            let (id, log_prob) = draw(logits, sampling, row.key, index, &mut scratch);
            if !log_prob.is_finite() {
                return Err(PolicyError::NotFinite {
                    what: "log-prob of a sampled token",
                    value: f64::from(log_prob),
                    at: format!(" (prompt {}, token {index})", chunk[row.slot / samples]),
                });
            }
            let response = &mut responses[row.slot];
            response.tokens.push(id);
            response.log_probs.push(log_prob);
            if request.stop.contains(&id) {
                response.finish = FinishReason::Stop;
            } else {
                alive.push(at);
                next.push(id as usize);
            }
        }
        if alive.is_empty() || index + 1 == sampling.max_new_tokens {
            break;
        }
        if alive.len() < rows.len() {
            cache.select_rows(&alive);
            let mut keep = alive.iter().copied().peekable();
            let mut at = 0;
            rows.retain(|_| {
                let kept = keep.next_if_eq(&at).is_some();
                at += 1;
                kept
            });
        }
        hidden = model.decode(ids(&next, &device), &mut cache);
    }
    let mut responses = responses.into_iter();
    Ok(chunk
        .iter()
        .map(|_| responses.by_ref().take(samples).collect())
        .collect())
}

fn ids(values: &[usize], device: &Device) -> Tensor<1, Int> {
    let values: Vec<i32> = values.iter().map(|&v| v as i32).collect();
    let n = values.len();
    Tensor::from_data(TensorData::new(values, [n]), device)
}
