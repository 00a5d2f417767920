//! Stop strings and callbacks.

mod small;

use std::sync::Mutex;

use prime_policy::{
    FinishReason, GenerationRequest, PolicyError, SamplingConfig, StreamControl, TextOptions,
    TokenEvent, generate,
};
use small::{VOCAB, config, decoder, prompts, slices};

/// Texts of several characters, so that stop strings start and end inside tokens.
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
fn bad_text_options_are_refused() {
    let model = decoder(&config(4, 2, true));
    let sampling = SamplingConfig::default();
    let prompts: [&[u32]; 1] = [&[1]];
    let fails = |_: &[u32]| Err(PolicyError::Tokenizer("no such id".to_owned()));
    let empty = TextOptions {
        decode: &text_of,
        stop: &["x", ""],
    };
    let failing = TextOptions {
        decode: &fails,
        stop: &[],
    };
    for (text, part) in [(empty, "stop string is \"\""), (failing, "no such id")] {
        let request = GenerationRequest {
            text: Some(text),
            ..GenerationRequest::new(&prompts, &sampling)
        };
        let message = generate(&model, &request).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
}

/// A response that has ended by itself says so, whatever the callback wants at its last token.
#[test]
fn an_end_comes_before_a_cancellation() {
    let model = decoder(&config(4, 2, false));
    let sampling = SamplingConfig {
        max_new_tokens: 6,
        ..SamplingConfig::default()
    };
    let prompts = prompts(8);
    let prompts = slices(&prompts);
    let at_the_end = |event: &TokenEvent<'_>| match event.finish {
        Some(_) => StreamControl::StopResponse,
        None => StreamControl::Continue,
    };
    let request = GenerationRequest {
        samples: 2,
        stop: &[2, 5, 9],
        ..GenerationRequest::new(&prompts, &sampling)
    };
    let silent = generate(&model, &request).unwrap();
    let told = GenerationRequest {
        on_token: Some(&at_the_end),
        ..request
    };
    let told = generate(&model, &told).unwrap();
    assert_eq!(told, silent);
    let ends: Vec<FinishReason> = told
        .iter()
        .flatten()
        .map(|response| response.finish)
        .collect();
    for reason in [FinishReason::Stop, FinishReason::Length] {
        assert!(ends.contains(&reason), "{ends:?}");
    }
}
