//! The sampler: continuous batching against one response at a time, what is counted, stop strings and callbacks.

use std::cell::RefCell;
use std::sync::Mutex;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use prime_policy::{
    CausalLm, Decoder, DecoderCache, DecoderConfig, FinishReason, GenerationRequest, KvCache,
    PolicyError, Response, SampleKey, SamplingConfig, StreamControl, TextOptions, TokenEvent,
    generate,
};

const VOCAB: usize = 23;

fn config(heads: usize, kv_heads: usize, tied: bool) -> DecoderConfig {
    let mut config = DecoderConfig::new(VOCAB, 6 * heads, 40, 2, heads);
    config.num_key_value_heads = kv_heads;
    config.tie_word_embeddings = tied;
    config.initializer_range = 0.3;
    config
}

fn decoder(config: &DecoderConfig) -> Decoder {
    let device = Device::flex();
    device.seed(3);
    config.init(&device).unwrap()
}

/// Prompts of 1 to 13 tokens.
fn prompts(count: usize) -> Vec<Vec<u32>> {
    let key = SampleKey::new(17, 0, 0, 0);
    let mut at = 0;
    let mut below = |n: usize| {
        at += 1;
        (key.uniform(at) * n as f64) as usize
    };
    (0..count)
        .map(|_| (0..1 + below(13)).map(|_| below(VOCAB) as u32).collect())
        .collect()
}

fn slices(prompts: &[Vec<u32>]) -> Vec<&[u32]> {
    prompts.iter().map(Vec::as_slice).collect()
}

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

/// Token 7 is `seven `, say: texts of several characters, so that stop strings start and end inside them.
fn text_of(ids: &[u32]) -> Result<String, PolicyError> {
    const WORDS: [&str; 5] = ["ab", "c", "abca", "bc", " é"];
    Ok(ids.iter().map(|&id| WORDS[id as usize % 5]).collect())
}

#[test]
fn a_stop_string_ends_a_response_with_the_token_that_completes_it() {
    let model = decoder(&config(4, 2, false));
    let sampling = SamplingConfig {
        max_new_tokens: 30,
        ..SamplingConfig::default()
    };
    let prompts = prompts(6);
    let prompts = slices(&prompts);
    let request = |stop| GenerationRequest {
        samples: 4,
        stop: &[3],
        rows_per_batch: 5,
        text: Some(TextOptions {
            decode: &text_of,
            stop,
        }),
        ..GenerationRequest::new(&prompts, &sampling)
    };
    let free = generate(&model, &request(&[])).unwrap();
    let stops = ["bcab", "é é", "cc"];
    let stopped = generate(&model, &request(&stops)).unwrap();
    let (mut across, mut inside) = (0, 0);
    for (free, stopped) in free.iter().flatten().zip(stopped.iter().flatten()) {
        // Brute force: the first token after which the text, decoded from the start, has a stop string in it.
        let body = match free.finish {
            FinishReason::Stop => &free.tokens[..free.tokens.len() - 1],
            _ => &free.tokens[..],
        };
        let hit = (1..=body.len()).find_map(|end| {
            let text = text_of(&body[..end]).unwrap();
            let offsets = stops.iter().map(|stop| text.find(stop));
            let first = offsets
                .enumerate()
                .filter_map(|(i, offset)| Some((offset?, i)));
            first.min().map(|found| (end, found))
        });
        match hit {
            Some((end, (offset, string))) => {
                assert_eq!(stopped.finish, FinishReason::StopString);
                assert_eq!(stopped.tokens, free.tokens[..end]);
                let found = stopped.stop_string.unwrap();
                assert_eq!((found.offset, found.string), (offset, string));
                let before = text_of(&stopped.tokens[..end - 1]).unwrap();
                let all = text_of(&stopped.tokens).unwrap();
                across += usize::from(offset < before.len());
                inside += usize::from(offset + stops[string].len() < all.len());
            }
            None => assert_eq!(stopped, free),
        }
    }
    assert!(across > 5 && inside > 0, "{across} {inside}");
}

#[test]
fn the_callback_hears_every_token_in_order_and_may_cancel() {
    let model = decoder(&config(4, 2, false));
    let sampling = SamplingConfig {
        max_new_tokens: 12,
        ..SamplingConfig::default()
    };
    let prompts = prompts(5);
    let prompts = slices(&prompts);
    type Heard = Vec<(u32, f32, f32, String, Option<FinishReason>)>;
    let heard: Mutex<Vec<Vec<Heard>>> = Mutex::new(vec![vec![vec![]; 3]; 5]);
    let on_token = |event: &TokenEvent<'_>| {
        let row = &mut heard.lock().unwrap()[event.prompt][event.sample];
        assert_eq!(event.index, row.len());
        row.push((
            event.token,
            event.log_prob,
            event.sampling_log_prob,
            event.text.to_owned(),
            event.finish,
        ));
        match (event.prompt, event.index) {
            (2, 1) => StreamControl::StopResponse,
            _ => StreamControl::Continue,
        }
    };
    let request = GenerationRequest {
        samples: 3,
        stop: &[2, 5, 9],
        text: Some(TextOptions {
            decode: &text_of,
            stop: &[],
        }),
        rows_per_batch: 4,
        batches: 2,
        threads: 2,
        ..GenerationRequest::new(&prompts, &sampling)
    };
    let silent = generate(&model, &request).unwrap();
    let told = generate(
        &model,
        &GenerationRequest {
            on_token: Some(&on_token),
            ..request
        },
    )
    .unwrap();
    let heard = heard.into_inner().unwrap();
    let mut cancelled = 0;
    for (prompt, (silent, told)) in silent.iter().zip(&told).enumerate() {
        for (sample, (silent, told)) in silent.iter().zip(told).enumerate() {
            let events = &heard[prompt][sample];
            let tokens: Vec<u32> = events.iter().map(|event| event.0).collect();
            assert_eq!(told.tokens, tokens);
            let log_probs: Vec<f32> = events.iter().map(|event| event.1).collect();
            assert_eq!(told.log_probs, log_probs);
            let text: String = events.iter().map(|event| event.3.as_str()).collect();
            let body = tokens.len() - usize::from(told.finish == FinishReason::Stop);
            assert_eq!(text, text_of(&tokens[..body]).unwrap());
            let ends: Vec<_> = events.iter().map(|event| event.4).collect();
            if prompt == 2 && silent.tokens.len() > 2 {
                cancelled += 1;
                assert_eq!(told.finish, FinishReason::Cancelled);
                assert_eq!(told.tokens, silent.tokens[..2]);
                assert_eq!(ends, [None, None]);
            } else {
                assert_eq!(told, silent);
                assert!(ends[..ends.len() - 1].iter().all(Option::is_none));
                assert_eq!(ends.last().copied().flatten(), Some(told.finish));
            }
        }
    }
    assert!(cancelled > 0);
}

#[test]
fn a_callback_may_end_everything() {
    let model = decoder(&config(4, 2, false));
    let sampling = SamplingConfig {
        max_new_tokens: 12,
        ..SamplingConfig::default()
    };
    let prompts = prompts(6);
    let prompts = slices(&prompts);
    let on_token = |event: &TokenEvent<'_>| match event.index {
        3 => StreamControl::StopAll,
        _ => StreamControl::Continue,
    };
    let request = GenerationRequest {
        on_token: Some(&on_token),
        rows_per_batch: 2,
        ..GenerationRequest::new(&prompts, &sampling)
    };
    let responses = generate(&model, &request).unwrap().concat();
    let lengths: Vec<usize> = responses.iter().map(|r| r.tokens.len()).collect();
    assert_eq!(lengths, [4, 4, 0, 0, 0, 0]);
    assert!(
        responses
            .iter()
            .all(|r| r.finish == FinishReason::Cancelled)
    );
}

#[test]
fn a_stop_token_at_once_is_the_whole_response() {
    let model = decoder(&config(4, 2, false));
    let everything: Vec<u32> = (0..VOCAB as u32).collect();
    let sampling = SamplingConfig::default();
    let prompts = prompts(7);
    let prompts = slices(&prompts);
    let on_token = |event: &TokenEvent<'_>| {
        assert_eq!((event.index, event.text), (0, ""));
        assert_eq!(event.finish, Some(FinishReason::Stop));
        StreamControl::Continue
    };
    let request = GenerationRequest {
        samples: 2,
        stop: &everything,
        text: Some(TextOptions {
            decode: &text_of,
            stop: &["ab"],
        }),
        on_token: Some(&on_token),
        rows_per_batch: 3,
        ..GenerationRequest::new(&prompts, &sampling)
    };
    for response in generate(&model, &request).unwrap().into_iter().flatten() {
        assert_eq!(response.tokens.len(), 1);
        assert_eq!(response.finish, FinishReason::Stop);
        assert_eq!(response.stop_string, None);
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
    let empty = TextOptions {
        decode: &text_of,
        stop: &["x", ""],
    };
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
        (
            GenerationRequest {
                text: Some(empty),
                ..request()
            },
            "stop string is \"\"",
        ),
    ] {
        let message = generate(&model, &bad).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    let fails = |_: &[u32]| Err(PolicyError::Tokenizer("no such id".to_owned()));
    let text = TextOptions {
        decode: &fails,
        stop: &[],
    };
    let request = GenerationRequest {
        text: Some(text),
        ..request()
    };
    let message = generate(&model, &request).unwrap_err().to_string();
    assert!(message.contains("no such id"), "{message}");
    let nothing = generate(&model, &GenerationRequest::new(&[], &sampling)).unwrap();
    assert!(nothing.is_empty());
}
