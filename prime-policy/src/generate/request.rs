//! What to sample, and who is told of it.

use std::fmt;

use crate::error::PolicyError;
use crate::sampling::SamplingConfig;

/// What to sample. [`Self::new`] has defaults for all but the prompts and the settings.
#[derive(Clone)]
pub struct GenerationRequest<'a> {
    /// Prompts, each at least one token.
    pub prompts: &'a [&'a [u32]],
    /// Responses per prompt (K), at least 1.
    pub samples: usize,
    /// How tokens are drawn.
    pub sampling: &'a SamplingConfig,
    /// Ids that end a response.
    pub stop: &'a [u32],
    /// How ids become text, and the texts that end a response; `None`: no text is looked at.
    pub text: Option<TextOptions<'a>>,
    /// Told of every token as soon as it is sampled.
    pub on_token: Option<&'a OnToken<'a>>,
    /// Root of the randomness.
    pub seed: u64,
    /// Second coordinate of the randomness: the training step, say.
    pub step: u64,
    /// Third coordinate per prompt; the prompt's number in its data set, so that it may move inside the list. Empty:
    /// its position.
    pub prompt_ids: &'a [u64],
    /// The most responses decoded together, at least 1: the rows of one key/value cache. Part of the result's
    /// definition in the last bits.
    pub rows_per_batch: usize,
    /// The most batches that the prompts are dealt to, at least 1: each works through its own run of the prompts. No
    /// more are made than there are responses to fill. Part of the result's definition in the last bits.
    pub batches: usize,
    /// Threads that share the batches. No part of the result's definition.
    pub threads: usize,
}

/// What [`GenerationRequest::on_token`] points to. Called on the thread of the response's batch: of one response in
/// the order of its tokens, of several in any order.
pub type OnToken<'a> = dyn Fn(&TokenEvent<'_>) -> StreamControl + Sync + 'a;

/// How ids become text while sampling.
#[derive(Clone, Copy)]
pub struct TextOptions<'a> {
    /// The text of a response's ids, or of some of its ids in a row. The text of a longer list goes on where that of a
    /// shorter one ends, an unfinished character (shown as U+FFFD) excepted.
    pub decode: &'a (dyn Fn(&[u32]) -> Result<String, PolicyError> + Sync),
    /// Texts that end a response, none of them empty. They are looked for across tokens, in the text of the response
    /// without its stop token; of several that one token completes, the one that starts first counts (then the one
    /// listed first).
    pub stop: &'a [&'a str],
}

/// A token that has just been sampled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenEvent<'a> {
    /// Index into [`GenerationRequest::prompts`].
    pub prompt: usize,
    /// Which of the prompt's responses, from 0.
    pub sample: usize,
    /// Which of the response's tokens, from 0.
    pub index: usize,
    /// The token.
    pub token: u32,
    /// See [`Response::log_probs`](super::Response::log_probs).
    pub log_prob: f32,
    /// See [`Response::sampling_log_probs`](super::Response::sampling_log_probs).
    pub sampling_log_prob: f32,
    /// The text that this token adds. Empty without [`GenerationRequest::text`], for a stop token, and while a
    /// character is unfinished; the pieces of a response are its text.
    pub text: &'a str,
    /// Why the response ends here, if it does.
    pub finish: Option<super::FinishReason>,
}

/// What the callback wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamControl {
    /// Go on.
    Continue,
    /// End this response: the token reported is its last.
    StopResponse,
    /// End every response: those that have begun after a token at most, those that wait without any.
    StopAll,
}

impl<'a> GenerationRequest<'a> {
    /// One response per prompt, no stop, seed 0, sixteen rows in one batch on one thread.
    pub fn new(prompts: &'a [&'a [u32]], sampling: &'a SamplingConfig) -> Self {
        Self {
            prompts,
            samples: 1,
            sampling,
            stop: &[],
            text: None,
            on_token: None,
            seed: 0,
            step: 0,
            prompt_ids: &[],
            rows_per_batch: 16,
            batches: 1,
            threads: 1,
        }
    }

    /// The third coordinate of a prompt's randomness.
    pub(super) fn prompt_id(&self, prompt: usize) -> u64 {
        self.prompt_ids
            .get(prompt)
            .copied()
            .unwrap_or(prompt as u64)
    }

    pub(super) fn validate(
        &self,
        vocab: usize,
        max_length: Option<usize>,
    ) -> Result<(), PolicyError> {
        self.sampling.validate()?;
        for (name, value) in [
            ("samples", self.samples),
            ("rows_per_batch", self.rows_per_batch),
            ("batches", self.batches),
        ] {
            if value == 0 {
                return Err(PolicyError::Sampling {
                    name,
                    value: value.to_string(),
                    accepted: "at least 1",
                });
            }
        }
        if self.text.is_some_and(|text| text.stop.contains(&"")) {
            return Err(PolicyError::Sampling {
                name: "stop string",
                value: "\"\"".to_owned(),
                accepted: "a text of at least one character",
            });
        }
        if !self.prompt_ids.is_empty() && self.prompt_ids.len() != self.prompts.len() {
            return Err(PolicyError::LengthMismatch {
                what: "prompt_ids",
                expected: self.prompts.len(),
                found: self.prompt_ids.len(),
            });
        }
        for (index, prompt) in self.prompts.iter().enumerate() {
            let most = max_length.unwrap_or(usize::MAX);
            let reason = if prompt.is_empty() {
                "the prompt is empty; it needs at least one token".to_owned()
            } else if prompt.len() >= most {
                format!(
                    "the prompt has {} tokens, but prompt and response together may have {most} \
                     (the model's max_position_embeddings); shorten the prompt",
                    prompt.len()
                )
            } else if let Some(id) = prompt.iter().find(|&&id| id as usize >= vocab) {
                format!("token {id} is outside the vocabulary of {vocab}")
            } else {
                continue;
            };
            return Err(PolicyError::Sequence { index, reason });
        }
        Ok(())
    }
}

impl fmt::Debug for GenerationRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GenerationRequest")
            .field("prompts", &self.prompts)
            .field("samples", &self.samples)
            .field("sampling", &self.sampling)
            .field("stop", &self.stop)
            .field("text", &self.text)
            .field("on_token", &self.on_token.is_some())
            .field("seed", &self.seed)
            .field("step", &self.step)
            .field("prompt_ids", &self.prompt_ids)
            .field("rows_per_batch", &self.rows_per_batch)
            .field("batches", &self.batches)
            .field("threads", &self.threads)
            .finish()
    }
}

impl fmt::Debug for TextOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextOptions")
            .field("stop", &self.stop)
            .finish_non_exhaustive()
    }
}
