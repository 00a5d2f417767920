//! The sampler: continuous batching against one response at a time, the cache against the plain path, what is counted.

mod plain;
mod small;

use std::cell::RefCell;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use plain::Plain;
use prime_policy::{
    CausalLm, Decoder, DecoderCache, FinishReason, GenerationRequest, KvCache, Response, SampleKey,
    SamplingConfig, generate,
};
use small::{VOCAB, config, decoder, prompts, slices};

fn assert_same(a: &[Vec<Response>], b: &[Vec<Response>]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().flatten().zip(b.iter().flatten()) {
        assert_eq!(a.tokens, b.tokens);
        assert_eq!((a.finish, a.stop_string), (b.finish, b.stop_string));
        for (a, b) in [
            (&a.log_probs, &b.log_probs),
            (&a.sampling_log_probs, &b.sampling_log_probs),
        ] {
            assert_eq!(a.len(), b.len());
            for (a, b) in a.iter().zip(b) {
                assert!((a - b).abs() < 1e-5, "{a} {b}");
            }
        }
    }
}

#[test]
fn a_full_batch_gives_what_one_row_at_a_time_gives() {
    let sampling = SamplingConfig {
        temperature: 0.9,
        top_k: 15,
        top_p: 0.95,
        min_p: 0.01,
        max_new_tokens: 14,
    };
    let prompts = prompts(11);
    let prompts = slices(&prompts);
    for (heads, kv_heads, tied) in [(4, 2, false), (3, 1, true), (5, 5, false)] {
        let model = decoder(&config(heads, kv_heads, tied));
        for samples in [1, 3] {
            let request = |rows_per_batch, batches| GenerationRequest {
                samples,
                stop: &[2, 5, 9],
                seed: 11,
                step: 4,
                rows_per_batch,
                batches,
                ..GenerationRequest::new(&prompts, &sampling)
            };
            let alone = generate(&model, &request(1, 1)).unwrap();
            let lengths: std::collections::BTreeSet<usize> =
                alone.iter().flatten().map(|r| r.tokens.len()).collect();
            assert!(
                lengths.len() > 3,
                "rows must leave at different times: {lengths:?}"
            );
            for (rows, batches) in [(2, 1), (4, 1), (5, 3), (64, 1), (2, 64)] {
                let together = generate(&model, &request(rows, batches)).unwrap();
                assert_same(&alone, &together);
            }
        }
    }
}

#[test]
fn threads_change_no_bit() {
    let model = decoder(&config(4, 2, true));
    let sampling = SamplingConfig {
        max_new_tokens: 12,
        ..SamplingConfig::default()
    };
    let prompts = prompts(9);
    let prompts = slices(&prompts);
    let run = |threads| {
        let request = GenerationRequest {
            samples: 2,
            stop: &[2, 5, 9],
            rows_per_batch: 3,
            batches: 4,
            threads,
            ..GenerationRequest::new(&prompts, &sampling)
        };
        generate(&model, &request).unwrap()
    };
    let one = run(1);
    assert_eq!(one, run(3));
    assert_eq!(one, run(8));
}

/// Rows that enter, leave and change places in the cache keep the hidden states of the whole sequence.
#[test]
fn the_cache_follows_the_plain_path_as_rows_come_and_go() {
    let key = SampleKey::new(23, 0, 0, 0);
    let mut at = 0;
    let mut below = |n: usize| {
        at += 1;
        (key.uniform(at) * n as f64) as usize
    };
    for (heads, kv_heads, rows) in [(4, 2, 3), (2, 1, 4), (3, 3, 2)] {
        let model = decoder(&config(heads, kv_heads, false));
        let capacity = 20;
        let mut cache = model.cache(rows, capacity);
        let mut live: Vec<Vec<u32>> = vec![];
        let mut steps = 0;
        for round in 0..60 {
            while live.len() < rows && below(3) > 0 {
                let batch: Vec<Vec<u32>> = (0..1 + below(2))
                    .map(|_| (0..1 + below(9)).map(|_| below(VOCAB) as u32).collect())
                    .collect();
                let time = batch.iter().map(Vec::len).max().unwrap();
                let lengths: Vec<usize> = batch.iter().map(Vec::len).collect();
                let (hidden, read) = model.prefill(padded(&batch, time), &lengths, time);
                let chosen = below(batch.len());
                cache.copy_row(live.len(), &read, chosen);
                live.push(batch[chosen].clone());
                let last = hidden.narrow(0, chosen, 1);
                assert_close(last, plain(&model, &batch[chosen]), round);
            }
            if live.is_empty() {
                continue;
            }
            let next: Vec<u32> = live.iter().map(|_| below(VOCAB) as u32).collect();
            let ids: Vec<i32> = next.iter().map(|&id| id as i32).collect();
            let ids = Tensor::<1, Int>::from_data(TensorData::new(ids, [live.len()]), &flex());
            let hidden = model.decode(ids, &mut cache);
            for (row, (sequence, id)) in live.iter_mut().zip(next).enumerate() {
                sequence.push(id);
                steps += 1;
                assert_eq!(cache.lengths()[row], sequence.len());
                let decoded = hidden.clone().narrow(0, row, 1);
                assert_close(decoded, plain(&model, sequence), round);
            }
            for row in (0..live.len()).rev() {
                if live[row].len() == capacity || below(4) == 0 {
                    let last = live.len() - 1;
                    if row < last {
                        cache.move_row(row, last);
                    }
                    live.swap_remove(row);
                }
            }
        }
        assert!(steps > 60, "{steps}");
    }
}

fn flex() -> Device {
    Device::flex()
}

fn padded(rows: &[Vec<u32>], time: usize) -> Tensor<2, Int> {
    let ids = rows
        .iter()
        .flat_map(|row| (0..time).map(|t| row.get(t).map_or(7, |&id| id as i32)));
    Tensor::from_data(TensorData::new(ids.collect(), [rows.len(), time]), &flex())
}

/// The last hidden state of a whole forward pass.
fn plain(model: &Decoder, sequence: &[u32]) -> Tensor<2> {
    let hidden = model.hidden(padded(&[sequence.to_vec()], sequence.len()));
    let [_, time, width] = hidden.dims();
    hidden.narrow(1, time - 1, 1).reshape([1, width])
}

fn assert_close(a: Tensor<2>, b: Tensor<2>, round: usize) {
    let apart = (a - b).abs().max().into_scalar::<f32>();
    assert!(apart < 1e-4, "round {round}: {apart}");
}

thread_local! {
    /// What has been asked of a [`Counting`] model on this thread.
    static ASKED: RefCell<Asked> = RefCell::default();
}

#[derive(Default)]
struct Asked {
    caches: Vec<(usize, usize)>,
    prompts_read: usize,
    tokens_read: usize,
    /// Rows of every decoding, in order.
    decoded: Vec<usize>,
}

/// A decoder that counts.
#[derive(Module, Debug)]
struct Counting {
    inner: Decoder,
}

impl CausalLm for Counting {
    type Cache = DecoderCache;

    fn vocab_size(&self) -> usize {
        self.inner.vocab_size()
    }

    fn hidden_size(&self) -> usize {
        self.inner.hidden_size()
    }

    fn hidden(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        self.inner.hidden(tokens)
    }

    fn logits(&self, hidden: Tensor<2>) -> Tensor<2> {
        self.inner.logits(hidden)
    }

    fn cache(&self, rows: usize, capacity: usize) -> DecoderCache {
        ASKED.with_borrow_mut(|asked| asked.caches.push((rows, capacity)));
        self.inner.cache(rows, capacity)
    }

    fn prefill(
        &self,
        tokens: Tensor<2, Int>,
        lengths: &[usize],
        capacity: usize,
    ) -> (Tensor<2>, DecoderCache) {
        ASKED.with_borrow_mut(|asked| {
            asked.prompts_read += lengths.len();
            asked.tokens_read += lengths.iter().sum::<usize>();
        });
        self.inner.prefill(tokens, lengths, capacity)
    }

    fn decode(&self, tokens: Tensor<1, Int>, cache: &mut DecoderCache) -> Tensor<2> {
        ASKED.with_borrow_mut(|asked| asked.decoded.push(tokens.dims()[0]));
        self.inner.decode(tokens, cache)
    }
}

#[test]
fn a_prompt_is_read_once_a_cache_made_once_and_the_batch_kept_full() {
    let model = Counting {
        inner: decoder(&config(4, 2, true)),
    };
    let sampling = SamplingConfig {
        max_new_tokens: 9,
        ..SamplingConfig::default()
    };
    let prompts = prompts(8);
    let longest = prompts.iter().map(Vec::len).max().unwrap();
    let total: usize = prompts.iter().map(Vec::len).sum();
    let prompts = slices(&prompts);
    let request = GenerationRequest {
        samples: 4,
        stop: &[2, 5, 9],
        rows_per_batch: 6,
        ..GenerationRequest::new(&prompts, &sampling)
    };
    let responses = generate(&model, &request).unwrap();
    let asked = ASKED.take();
    assert_eq!(asked.prompts_read, 8, "not once per sample");
    assert_eq!(asked.tokens_read, total);
    assert_eq!(asked.caches, [(6, longest + 9 - 1)]);
    // Every token but the last of each response is read again, and no step is run for a row that has ended.
    let tokens: usize = responses.iter().flatten().map(|r| r.tokens.len()).sum();
    assert_eq!(asked.decoded.iter().sum::<usize>(), tokens - 32);
    // Until the last sample has its row, a row is empty only for the step in which it changes hands.
    let lengths = responses.iter().flatten().map(|r| r.tokens.len());
    let ideal = tokens.div_ceil(6).max(lengths.max().unwrap());
    assert!(
        asked.decoded.len() <= ideal + 9,
        "{} steps, {ideal} would do",
        asked.decoded.len()
    );
}

/// As [`CausalLm::prefill`] does unless overridden.
#[test]
fn reading_prompts_token_by_token_is_the_same() {
    let inner = decoder(&config(4, 2, false));
    let stepwise = Plain {
        inner: inner.clone(),
    };
    let prompts = prompts(9);
    let prompts = slices(&prompts);
    let sampling = SamplingConfig {
        max_new_tokens: 10,
        ..SamplingConfig::default()
    };
    let request = GenerationRequest {
        samples: 2,
        stop: &[2, 5, 9],
        rows_per_batch: 5,
        ..GenerationRequest::new(&prompts, &sampling)
    };
    let at_once = generate(&inner, &request).unwrap();
    assert_same(&at_once, &generate(&stepwise, &request).unwrap());
}

#[test]
fn greedy_is_the_argmax_of_the_plain_path() {
    let model = decoder(&config(4, 2, false));
    let prompts = prompts(5);
    let prompts = slices(&prompts);
    let sampling = SamplingConfig::greedy(10);
    let request = GenerationRequest {
        rows_per_batch: 3,
        ..GenerationRequest::new(&prompts, &sampling)
    };
    for (prompt, group) in prompts.iter().zip(generate(&model, &request).unwrap()) {
        let mut sequence = prompt.to_vec();
        for (&token, &log_prob) in group[0].tokens.iter().zip(&group[0].sampling_log_probs) {
            let logits = model.logits(plain(&model, &sequence)).into_data();
            let logits: Vec<f32> = logits.iter::<f32>().collect();
            let best = (0..VOCAB).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
            assert_eq!(best, Some(token as usize));
            assert_eq!(log_prob, 0.0);
            sequence.push(token);
        }
        assert_eq!(group[0].finish, FinishReason::Length);
        assert_eq!(group[0].tokens.len(), 10);
    }
}

#[test]
fn the_models_length_ends_responses_and_refuses_prompts() {
    let mut config = config(4, 2, true);
    config.max_position_embeddings = 9;
    let model = decoder(&config);
    let sampling = SamplingConfig {
        max_new_tokens: 6,
        ..SamplingConfig::default()
    };
    let [short, long, full] = [[1; 2].as_slice(), &[1; 8], &[1; 9]];
    let prompts = [short, long];
    let request = GenerationRequest::new(&prompts, &sampling);
    let responses = generate(&model, &request).unwrap().concat();
    let lengths: Vec<usize> = responses.iter().map(|r| r.tokens.len()).collect();
    assert_eq!(lengths, [6, 1], "max_new_tokens, and 9 in all");
    assert!(responses.iter().all(|r| r.finish == FinishReason::Length));
    let prompts = [short, full];
    let error = generate(&model, &GenerationRequest::new(&prompts, &sampling)).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("sequence 1") && message.contains("9 tokens"),
        "{message}"
    );
}

#[test]
fn bad_requests_are_refused_by_name() {
    let model = decoder(&config(4, 2, true));
    let sampling = SamplingConfig::default();
    let prompts: [&[u32]; 1] = [&[1]];
    let request = || GenerationRequest::new(&prompts, &sampling);
    for (bad, part) in [
        (
            GenerationRequest {
                samples: 0,
                ..request()
            },
            "samples is 0",
        ),
        (
            GenerationRequest {
                rows_per_batch: 0,
                ..request()
            },
            "rows_per_batch is 0",
        ),
        (
            GenerationRequest {
                batches: 0,
                ..request()
            },
            "batches is 0",
        ),
        (
            GenerationRequest {
                prompt_ids: &[1, 2],
                ..request()
            },
            "prompt_ids",
        ),
    ] {
        let message = generate(&model, &bad).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    let nothing = generate(&model, &GenerationRequest::new(&[], &sampling)).unwrap();
    assert!(nothing.is_empty());
}

/// The first token is the one at which the sum of the probabilities passes the number that seed, step, prompt and sample
/// give, in this order.
#[test]
fn the_draw_is_a_function_of_seed_step_prompt_and_sample() {
    let model = decoder(&config(4, 2, false));
    let prompts = prompts(6);
    let prompts = slices(&prompts);
    let sampling = SamplingConfig {
        max_new_tokens: 1,
        ..SamplingConfig::default()
    };
    let request = GenerationRequest {
        samples: 3,
        seed: 7,
        step: 4,
        prompt_ids: &[11, 2, 9, 30, 5, 1],
        ..GenerationRequest::new(&prompts, &sampling)
    };
    let responses = generate(&model, &request).unwrap();
    for (number, (prompt, group)) in prompts.iter().zip(&responses).enumerate() {
        let logits = model.logits(plain(&model, prompt)).into_data();
        let weights: Vec<f64> = logits.iter::<f32>().map(|l| f64::from(l).exp()).collect();
        let total: f64 = weights.iter().sum();
        for (sample, response) in group.iter().enumerate() {
            let key = SampleKey::new(7, 4, request.prompt_ids[number], sample as u64);
            let uniform = key.uniform(0);
            let token = response.tokens[0] as usize;
            let below = weights[..token].iter().sum::<f64>() / total;
            let above = below + weights[token] / total;
            assert!(
                below - 1e-5 <= uniform && uniform <= above + 1e-5,
                "{token}: {below} {uniform} {above}"
            );
        }
    }
}
