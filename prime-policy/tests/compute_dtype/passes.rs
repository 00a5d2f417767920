//! All ways through a model agree: whole sequences, a cache, the sampler, and a model made ready for many passes.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{DType, Device, Tensor, activation};
use prime_policy::ComputeDtype::{BFloat16, Float32};
use prime_policy::{
    CausalLm, Decoder, GenerationRequest, LoraConfig, SamplingConfig, Sequence, generate, log_probs,
};

use super::fixture::{Fixture, distance, hidden, ids, is_bfloat16, logits, numbers, rms};

/// Prefill of the first tokens, then a decode step for every other one.
fn step_by_step(model: &Decoder, tokens: &[u32], prompt: usize, device: &Device) -> Vec<f32> {
    let first = ids(&tokens[..prompt], [1, prompt], device);
    let (hidden, mut cache) = model.prefill(first, &[prompt], tokens.len());
    let mut out = numbers(model.logits(hidden));
    for &token in &tokens[prompt..] {
        let hidden = model.decode(ids(&[token], [1], device), &mut cache);
        out.extend(numbers(model.logits(hidden)));
    }
    out
}

#[test]
fn a_cache_gives_what_whole_sequences_give() {
    let device = Device::flex();
    for fixture in Fixture::all() {
        let model = fixture.model(BFloat16, &device);
        let f32_model = fixture.model(Float32, &device);
        for tokens in &fixture.sequences {
            let whole = logits(&model, tokens, &device);
            let exact = logits(&f32_model, tokens, &device);
            for prompt in [1, tokens.len() / 2, tokens.len()] {
                let from = (prompt - 1) * fixture.config.vocab_size;
                let cached = step_by_step(&model, tokens, prompt, &device);
                assert!(cached.iter().all(|&x| is_bfloat16(x)));
                let apart = distance(&cached, &whole[from..]);
                let rounding = distance(&exact[from..], &whole[from..]);
                assert!(
                    apart < 0.5 * rounding,
                    "{} prompt {prompt}: {apart}, and {rounding} from f32",
                    fixture.name
                );
            }
        }
    }
}

#[test]
fn log_probs_without_logits_are_those_of_the_logits() {
    let device = Device::flex();
    for fixture in Fixture::all() {
        let model = fixture.model(BFloat16, &device);
        let tokens = &fixture.sequences[0];
        let n = tokens.len() - 1;
        let states = hidden(&model, &tokens[..n], &device);
        let targets = ids(&tokens[1..], [n], &device);
        let fused = model.token_log_probs(states.clone(), targets.clone(), 0.7);
        let naive = activation::log_softmax(model.logits(states).div_scalar(0.7), 1);
        let entropy = (naive.clone().exp() * naive.clone()).sum_dim(1).neg();
        let chosen = naive.gather(1, targets.unsqueeze_dim(1));
        let naive = numbers(Tensor::cat(vec![chosen, entropy], 1));
        for (a, b) in numbers(fused).iter().zip(&naive) {
            assert!((a - b).abs() < 1e-4, "{}: {a} {b}", fixture.name);
        }
    }
}

#[test]
fn what_is_sampled_has_the_log_probs_that_a_trainer_finds() {
    let device = Device::flex();
    let prompts: [&[u32]; 3] = [&[1, 5, 9, 30], &[7], &[4, 4, 8, 20, 21, 3]];
    let sampling = SamplingConfig {
        temperature: 0.8,
        max_new_tokens: 20,
        ..SamplingConfig::default()
    };
    for fixture in Fixture::all() {
        let run = |dtype, threads| {
            let request = GenerationRequest {
                samples: 3,
                stop: &[2],
                seed: 5,
                rows_per_batch: 4,
                batches: 2,
                threads,
                ..GenerationRequest::new(&prompts, &sampling)
            };
            generate(&fixture.model(dtype, &device), &request).unwrap()
        };
        let groups = run(BFloat16, 1);
        assert_eq!(groups, run(BFloat16, 2), "{}", fixture.name);
        assert_ne!(groups, run(Float32, 1), "{}", fixture.name);
        let responses = prompts
            .iter()
            .zip(&groups)
            .flat_map(|(prompt, group)| group.iter().map(move |response| (*prompt, response)));
        let sequences: Vec<_> = responses
            .clone()
            .map(|(prompt, response)| Sequence {
                prompt,
                response: &response.tokens,
            })
            .collect();
        let sampled: Vec<f32> = responses.flat_map(|(_, r)| r.log_probs.clone()).collect();
        let [trainer, exact] = [BFloat16, Float32].map(|dtype| {
            let model = fixture.model(dtype, &device);
            log_probs(&model, &sequences, 0.8, 2, 1).unwrap().concat()
        });
        let (apart, rounding) = (distance(&sampled, &trainer), distance(&exact, &trainer));
        assert!(
            apart < 0.6 * rounding,
            "{}: {apart}, and {rounding} from f32",
            fixture.name
        );
    }
}

/// The element types of parameters by the end of their paths.
fn types<M: Module>(model: &M) -> Vec<(String, DType, bool)> {
    struct Collect(Vec<String>, Vec<(String, DType, bool)>);
    impl ModuleVisitor for Collect {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.0.push(name.to_owned());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.0.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let value = param.base();
            let kind = (self.0.join("."), value.dtype(), value.is_require_grad());
            self.1.push(kind);
        }
    }
    let mut collect = Collect(vec![], vec![]);
    model.visit(&mut collect);
    collect.1
}

#[test]
fn frozen_weights_are_cast_once_and_nothing_else_is() {
    let device = Device::flex().autodiff();
    let lora = LoraConfig::new(3, 6.0);
    for fixture in Fixture::all() {
        let f32_model = fixture.model(Float32, &device);
        assert_eq!(types(&f32_model.prepared()), types(&f32_model));
        let trains = fixture.model(BFloat16, &device);
        assert_eq!(types(&trains.prepared()), types(&trains));
        let adapted = lora.attach(trains.clone(), 1).unwrap();
        for (model, adapters) in [(trains.valid(), false), (adapted, true)] {
            let before = types(&model);
            assert!(before.iter().all(|(_, dtype, _)| *dtype == DType::F32));
            let after = types(&model.prepared());
            let tied = fixture.config.tie_word_embeddings;
            assert_eq!(after.len(), before.len() + usize::from(tied));
            for (name, dtype, trains) in &after {
                let factor = name.ends_with(".a") || name.ends_with(".b");
                assert_eq!(*trains, adapters && factor, "{name}");
                let operand = !name.contains("embed_tokens") && !name.contains("norm");
                let kept = *trains || !operand || name.ends_with(".bias");
                let wanted = if kept { DType::F32 } else { DType::BF16 };
                assert_eq!(*dtype, wanted, "{}: {name}", fixture.name);
            }
        }
    }
}

#[test]
fn a_model_made_ready_computes_the_same_bits() {
    let device = Device::flex();
    for fixture in Fixture::all() {
        let model = fixture.model(BFloat16, &device);
        let ready = model.prepared();
        let tokens = &fixture.sequences[0];
        let whole = logits(&model, tokens, &device);
        assert_eq!(whole, logits(&ready, tokens, &device), "{}", fixture.name);
        assert!(rms(&whole) > 0.1);
        let cached = step_by_step(&model, tokens, 7, &device);
        assert_eq!(cached, step_by_step(&ready, tokens, 7, &device));
        let targets = ids(tokens, [tokens.len()], &device);
        let [a, b] = [&model, &ready].map(|model| {
            let states = hidden(model, tokens, &device);
            numbers(model.token_log_probs(states, targets.clone(), 1.0))
        });
        assert_eq!(a, b, "{}", fixture.name);
    }
}

#[test]
fn copies_of_a_model_keep_its_type() {
    let device = Device::flex().autodiff();
    let model = Fixture::read("qwen2").model(BFloat16, &device);
    let adapted = LoraConfig::new(2, 2.0).attach(model.clone(), 0).unwrap();
    for copy in [
        model.clone(),
        model.valid(),
        model.prepared(),
        model.valid().prepared(),
        model.clone().fork(&device),
        model.clone().freeze(),
        adapted.clone(),
        adapted.clone().materialize(),
        adapted.valid(),
        adapted.prepared(),
    ] {
        assert_eq!(copy.compute_dtype(), BFloat16);
    }
    let back = model.with_compute_dtype(Float32).unwrap();
    assert_eq!(back.compute_dtype(), Float32);
}
