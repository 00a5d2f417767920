//! The decoder against itself: cache against full forward, sampler against trainer, threads against one thread.

use burn::tensor::Device;
use prime_policy::{
    CausalLm, Decoder, DecoderConfig, FinishReason, GenerationRequest, ModelFolder, PolicyError,
    SamplingConfig, Sequence, SideFiles, Tokenizer, generate, log_probs,
};

fn decoder(kv_heads: usize, tied: bool) -> Decoder {
    let device = Device::flex();
    device.seed(3);
    let mut config = DecoderConfig::new(23, 24, 40, 2, 4);
    config.num_key_value_heads = kv_heads;
    config.tie_word_embeddings = tied;
    config.initializer_range = 0.3;
    config.init(&device).unwrap()
}

fn request<'a>(
    prompts: &'a [&'a [u32]],
    ids: &'a [u64],
    sampling: &'a SamplingConfig,
    threads: usize,
) -> GenerationRequest<'a> {
    GenerationRequest {
        samples: 3,
        stop: &[2, 5, 9, 13],
        seed: 11,
        step: 4,
        prompt_ids: ids,
        rows_per_batch: 6,
        batches: 3,
        threads,
        ..GenerationRequest::new(prompts, sampling)
    }
}

const PROMPTS: [&[u32]; 5] = [
    &[1, 5, 9],
    &[1, 7],
    &[1, 4, 4, 8, 20, 21, 3],
    &[1, 9, 10, 11],
    &[1],
];

#[test]
fn sampler_log_probs_equal_trainer_log_probs() {
    let sampling = SamplingConfig {
        temperature: 0.8,
        max_new_tokens: 17,
        ..SamplingConfig::default()
    };
    for (kv_heads, tied) in [(4, false), (2, true), (1, false)] {
        let model = decoder(kv_heads, tied);
        let groups = generate(&model, &request(&PROMPTS, &[0, 1, 2, 3, 4], &sampling, 2)).unwrap();
        let mut lengths = std::collections::BTreeSet::new();
        for (prompt, group) in PROMPTS.iter().zip(&groups) {
            assert_eq!(group.len(), 3);
            let sequences: Vec<_> = group
                .iter()
                .map(|r| Sequence {
                    prompt,
                    response: &r.tokens,
                })
                .collect();
            let recomputed = log_probs(&model, &sequences, 0.8, 2, 1).unwrap();
            for (response, recomputed) in group.iter().zip(recomputed) {
                lengths.insert(response.tokens.len());
                assert_eq!(response.log_probs.len(), recomputed.len());
                for (a, b) in response.log_probs.iter().zip(recomputed) {
                    assert!((a - b).abs() < 2e-5, "sampled {a}, recomputed {b}");
                }
                let stopped = response
                    .tokens
                    .last()
                    .is_some_and(|id| [2, 5, 9, 13].contains(id));
                assert_eq!(response.finish == FinishReason::Stop, stopped);
                assert!(stopped || response.tokens.len() == 17);
            }
        }
        assert!(
            lengths.len() > 1,
            "rows must leave the batch at different times: {lengths:?}"
        );
    }
}

#[test]
fn samples_depend_on_neither_threads_nor_neighbours() {
    let model = decoder(2, false);
    let sampling = SamplingConfig {
        max_new_tokens: 9,
        ..SamplingConfig::default()
    };
    let all = generate(&model, &request(&PROMPTS, &[0, 1, 2, 3, 4], &sampling, 1)).unwrap();
    let threaded = generate(&model, &request(&PROMPTS, &[0, 1, 2, 3, 4], &sampling, 3)).unwrap();
    assert_eq!(all, threaded);
    let alone = generate(&model, &request(&PROMPTS[3..4], &[3], &sampling, 1)).unwrap();
    let tokens = |group: &[prime_policy::Response]| -> Vec<Vec<u32>> {
        group.iter().map(|r| r.tokens.clone()).collect()
    };
    assert_eq!(tokens(&all[3]), tokens(&alone[0]));
    assert_ne!(all[3][0].tokens, all[3][1].tokens);
}

#[test]
fn padding_changes_nothing() {
    let model = decoder(2, true);
    let long = Sequence {
        prompt: &[1, 4, 5, 6, 7],
        response: &[8, 9, 10, 11, 12, 2],
    };
    let short = Sequence {
        prompt: &[1, 4],
        response: &[8, 2],
    };
    let empty = Sequence {
        prompt: &[1, 3, 3],
        response: &[],
    };
    let together = log_probs(&model, &[long.clone(), short.clone(), empty], 1.0, 3, 1).unwrap();
    for (row, sequence) in [(0, long), (1, short)] {
        let alone = log_probs(&model, &[sequence], 1.0, 1, 1).unwrap();
        for (a, b) in together[row].iter().zip(&alone[0]) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }
    assert!(together[2].is_empty());
}

#[test]
fn a_saved_folder_loads_with_the_same_log_probs() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = Tokenizer::characters("0123456789+*=,".chars()).unwrap();
    for tied in [false, true] {
        let mut config = DecoderConfig::new(tokenizer.vocab_size(), 16, 24, 2, 2);
        config.tie_word_embeddings = tied;
        config.num_key_value_heads = 1;
        let model = config.init(&Device::flex()).unwrap();
        let saved = ModelFolder {
            config,
            model,
            tokenizer: tokenizer.clone(),
            side_files: SideFiles::default(),
        };
        saved.save(folder.path()).unwrap();
        let loaded = ModelFolder::load(folder.path(), &Device::flex()).unwrap();
        let sequence = [Sequence {
            prompt: &[1, 5, 9],
            response: &[4, 2],
        }];
        assert_eq!(
            log_probs(&saved.model, &sequence, 1.0, 1, 1).unwrap(),
            log_probs(&loaded.model, &sequence, 1.0, 1, 1).unwrap(),
        );
        assert_eq!(saved.config, loaded.config);
    }
}

#[test]
fn a_checkpoint_of_another_shape_names_every_misfit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let small = DecoderConfig::new(9, 8, 8, 1, 2)
        .init(&Device::flex())
        .unwrap();
    prime_policy::save_weights(&small, &path).unwrap();
    let large = DecoderConfig::new(9, 8, 12, 2, 2)
        .init(&Device::flex())
        .unwrap();
    let error = prime_policy::load_weights(large, &path).unwrap_err();
    let PolicyError::WeightsMismatch {
        missing,
        mis_shaped,
        ..
    } = &error
    else {
        panic!("{error}")
    };
    assert!(
        missing
            .iter()
            .any(|name| name == "model.layers.1.self_attn.q_proj.weight")
    );
    assert!(
        mis_shaped
            .iter()
            .any(|m| m.contains("mlp.gate_proj.weight: found [8, 8], expected [12, 8]"))
    );
    std::fs::write(&path, b"\x10\0\0\0").unwrap();
    assert!(matches!(
        prime_policy::load_weights(small, &path),
        Err(PolicyError::Format { .. })
    ));
}

#[test]
fn bad_requests_are_refused() {
    let model = decoder(4, false);
    let sampling = SamplingConfig::default();
    let empty: [&[u32]; 1] = [&[]];
    let error = generate(&model, &request(&empty, &[0], &sampling, 1)).unwrap_err();
    assert!(error.to_string().contains("empty"), "{error}");
    let outside: [&[u32]; 2] = [&[1], &[1, 99]];
    let error = generate(&model, &request(&outside, &[0, 1], &sampling, 1)).unwrap_err();
    assert!(error.to_string().contains("token 99"), "{error}");
    assert!(
        DecoderConfig::new(9, 8, 8, 1, 3)
            .init(&Device::flex())
            .is_err()
    );
    assert_eq!(model.vocab_size(), 23);
}
