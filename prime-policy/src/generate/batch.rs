//! One batch: the rows of one cache, always full while samples wait.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::text::ResponseText;
use super::waiting::{Place, Waiting, ids};
use super::{FinishReason, GenerationRequest, Response, StreamControl, TokenEvent};
use crate::error::PolicyError;
use crate::lm::{CausalLm, KvCache};
use crate::sampling::{Draw, SampleKey, Sampler};

/// A response that is being sampled. It has the cache's row of its own index among the batch's rows.
struct Row {
    place: Place,
    key: SampleKey,
    /// The most tokens it may have.
    limit: usize,
    text: ResponseText,
    response: Response,
}

/// All responses to a run of prompts.
pub(super) fn run<M: CausalLm>(
    model: &M,
    request: &GenerationRequest<'_>,
    prompts: Range<usize>,
    cancelled: &AtomicBool,
) -> Result<Vec<Vec<Response>>, PolicyError> {
    let device = model.devices().first().cloned().unwrap_or_default();
    let limit = |prompt: usize| {
        let room = model.max_length().unwrap_or(usize::MAX) - request.prompts[prompt].len();
        request.sampling.max_new_tokens.min(room)
    };
    // The last token of a response is never read.
    let capacity = prompts
        .clone()
        .map(|prompt| request.prompts[prompt].len() + limit(prompt) - 1);
    let most_rows = request.rows_per_batch.min(prompts.len() * request.samples);
    let mut cache = model.cache(most_rows, capacity.max().unwrap_or(0));
    let mut waiting = Waiting::new(model, request, prompts.clone());
    let mut done: Vec<Vec<Response>> = vec![vec![Row::unsampled(); request.samples]; prompts.len()];
    let mut rows: Vec<Row> = Vec::with_capacity(most_rows);
    let mut sampler = Sampler::new(request.sampling);

    while !cancelled.load(Ordering::Relaxed) {
        let mut hidden = Vec::new();
        if !rows.is_empty() {
            hidden.push(model.decode(last_tokens(&rows, &device), &mut cache));
        }
        let free = most_rows - rows.len();
        let (places, first_hidden) = waiting.admit(&mut cache, rows.len(), free, &device);
        hidden.extend(first_hidden);
        rows.extend(
            places
                .into_iter()
                .map(|place| Row::new(request, place, limit(place.prompt))),
        );
        if rows.is_empty() {
            return Ok(done);
        }
        let logits = model.logits(Tensor::cat(hidden, 0)).into_data();
        let logits = numbers(&logits);
        let vocab = logits.len() / rows.len();
        let mut ended = Vec::new();
        for (at, (row, logits)) in rows.iter_mut().zip(logits.chunks_exact(vocab)).enumerate() {
            let drawn = sampler.draw(logits, row.key, row.response.tokens.len());
            if row.push(drawn, request, cancelled)? {
                ended.push(at);
            }
        }
        // From the end, so that the last row, which fills the gap, is one that goes on.
        for at in ended.into_iter().rev() {
            let last = rows.len() - 1;
            if at < last {
                cache.move_row(at, last);
            }
            let Row {
                place, response, ..
            } = rows.swap_remove(at);
            done[place.prompt - prompts.start][place.sample] = response;
        }
    }
    for Row {
        place, response, ..
    } in rows
    {
        done[place.prompt - prompts.start][place.sample] = response;
    }
    Ok(done)
}

/// Copied only where the model computes in another type.
fn numbers(data: &TensorData) -> Cow<'_, [f32]> {
    match data.as_slice::<f32>() {
        Ok(numbers) => Cow::Borrowed(numbers),
        Err(_) => Cow::Owned(data.iter::<f32>().collect()),
    }
}

fn last_tokens(rows: &[Row], device: &Device) -> Tensor<1, Int> {
    let last = |row: &Row| row.response.tokens.last().map_or(0, |&id| id as usize);
    ids(rows.iter().map(last), device)
}

impl Row {
    fn new(request: &GenerationRequest<'_>, place: Place, limit: usize) -> Self {
        let Place { prompt, sample } = place;
        let id = request.prompt_id(prompt);
        Self {
            place,
            key: SampleKey::new(request.seed, request.step, id, sample as u64),
            limit,
            text: ResponseText::default(),
            response: Self::unsampled(),
        }
    }

    /// A response before its first token; what remains of it if it is cancelled then.
    fn unsampled() -> Response {
        Response {
            tokens: vec![],
            log_probs: vec![],
            sampling_log_probs: vec![],
            finish: FinishReason::Cancelled,
            stop_string: None,
        }
    }

    /// Takes in a token. Returns whether it is the last one.
    fn push(
        &mut self,
        drawn: Draw,
        request: &GenerationRequest<'_>,
        cancelled: &AtomicBool,
    ) -> Result<bool, PolicyError> {
        let Place { prompt, sample } = self.place;
        let response = &mut self.response;
        let index = response.tokens.len();
        if !drawn.log_prob.is_finite() {
            return Err(PolicyError::NotFinite {
                what: "log-prob of a sampled token",
                value: f64::from(drawn.log_prob),
                at: format!(" (prompt {prompt}, token {index})"),
            });
        }
        response.tokens.push(drawn.token);
        response.log_probs.push(drawn.log_prob);
        response.sampling_log_probs.push(drawn.sampling_log_prob);
        let old = self.text.len();
        let mut finish = None;
        if request.stop.contains(&drawn.token) {
            finish = Some(FinishReason::Stop);
        } else if let Some(options) = &request.text {
            self.text.push(&response.tokens, options, false)?;
            response.stop_string = self.text.stop(old, options);
            finish = response.stop_string.map(|_| FinishReason::StopString);
        }
        if finish.is_none() && index + 1 >= self.limit {
            finish = Some(FinishReason::Length);
        }
        if let (Some(options), Some(reason)) = (&request.text, finish) {
            let ids = response.tokens.len() - usize::from(reason == FinishReason::Stop);
            self.text.push(&response.tokens[..ids], options, true)?;
        }
        let control = request.on_token.map(|on_token| {
            on_token(&TokenEvent {
                prompt,
                sample,
                index,
                token: drawn.token,
                log_prob: drawn.log_prob,
                sampling_log_prob: drawn.sampling_log_prob,
                text: self.text.since(old),
                finish,
            })
        });
        if control == Some(StreamControl::StopAll) {
            cancelled.store(true, Ordering::Relaxed);
        }
        if matches!(control, Some(c) if c != StreamControl::Continue) && finish.is_none() {
            finish = Some(FinishReason::Cancelled);
        }
        if let Some(reason) = finish {
            response.finish = reason;
        }
        Ok(finish.is_some())
    }
}
