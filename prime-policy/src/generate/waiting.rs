//! Samples that wait for a row: their prompts are read a batch at a time, shortly before they are needed.

use std::ops::Range;

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::GenerationRequest;
use crate::lm::{CausalLm, KvCache};

/// The most tokens, padding included, that are read together: enough to keep the matrix products busy, few enough
/// that what has been read ahead is small beside the cache. One prompt may be longer.
const READ_TOGETHER: usize = 2048;

/// Which response a row is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub prompt: usize,
    pub sample: usize,
}

/// The samples of a run of prompts that have no row yet, in order.
pub(super) struct Waiting<'a, M: CausalLm> {
    model: &'a M,
    request: &'a GenerationRequest<'a>,
    unread: Range<usize>,
    read: Option<Read<M>>,
}

/// Prompts that have been read.
struct Read<M: CausalLm> {
    /// Their last hidden states, `[prompts, hidden]`.
    hidden: Tensor<2>,
    cache: M::Cache,
    /// The first of the prompts.
    first: usize,
    /// Samples of these prompts that have no row yet, numbered through.
    left: Range<usize>,
}

impl<'a, M: CausalLm> Waiting<'a, M> {
    pub(super) fn new(
        model: &'a M,
        request: &'a GenerationRequest<'a>,
        prompts: Range<usize>,
    ) -> Self {
        Self {
            model,
            request,
            unread: prompts,
            read: None,
        }
    }

    /// Gives rows `first_row..` of `cache`, `rows` of them at most, to the next samples. Returns whose they are, and
    /// the hidden states that their first tokens are drawn from.
    pub(super) fn admit(
        &mut self,
        cache: &mut M::Cache,
        first_row: usize,
        rows: usize,
        device: &Device,
    ) -> (Vec<Place>, Vec<Tensor<2>>) {
        let samples = self.request.samples;
        let (mut places, mut hidden) = (Vec::new(), Vec::new());
        while places.len() < rows {
            if self.read.as_ref().is_none_or(|read| read.left.is_empty()) {
                self.read = self.read_prompts(device);
            }
            let Some(read) = &mut self.read else { break };
            let taken = read.left.len().min(rows - places.len());
            let sources: Vec<usize> = read.left.by_ref().take(taken).collect();
            for &number in &sources {
                let row = first_row + places.len();
                cache.copy_row(row, &read.cache, number / samples);
                places.push(Place {
                    prompt: read.first + number / samples,
                    sample: number % samples,
                });
            }
            let prompts = sources.iter().map(|number| number / samples);
            let rows = ids(prompts, device);
            hidden.push(read.hidden.clone().select(0, rows));
        }
        (places, hidden)
    }

    /// Reads the next prompts.
    fn read_prompts(&mut self, device: &Device) -> Option<Read<M>> {
        let prompts = &self.request.prompts[self.unread.clone()];
        let mut time = prompts.first()?.len();
        let mut count = 1;
        for prompt in &prompts[1..] {
            let longer = time.max(prompt.len());
            if (count + 1) * longer > READ_TOGETHER {
                break;
            }
            (time, count) = (longer, count + 1);
        }
        let prompts = &prompts[..count];
        let mut padded = vec![0i32; count * time];
        for (row, prompt) in padded.chunks_exact_mut(time).zip(prompts) {
            for (to, &id) in row.iter_mut().zip(*prompt) {
                *to = id as i32;
            }
        }
        let tokens = Tensor::<2, Int>::from_data(TensorData::new(padded, [count, time]), device);
        let lengths: Vec<usize> = prompts.iter().map(|prompt| prompt.len()).collect();
        let (hidden, cache) = self.model.prefill(tokens, &lengths, time);
        let first = self.unread.start;
        self.unread.start += count;
        Some(Read {
            hidden,
            cache,
            first,
            left: 0..count * self.request.samples,
        })
    }
}

/// A tensor of indices.
pub(super) fn ids(values: impl ExactSizeIterator<Item = usize>, device: &Device) -> Tensor<1, Int> {
    let n = values.len();
    let values: Vec<i32> = values.map(|value| value as i32).collect();
    Tensor::from_data(TensorData::new(values, [n]), device)
}
