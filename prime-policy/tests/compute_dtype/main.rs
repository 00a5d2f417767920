//! Products in bfloat16 with f32 parameters: what is rounded, what is not, and that training works.

mod fixture;
mod lora;
mod masters;
mod passes;

use std::collections::BTreeMap;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Device;
use fixture::{
    Fixture, cosine, distance, gradients, hidden, is_bfloat16, logits, loss, numbers, rms,
};
use prime_policy::ComputeDtype::{BFloat16, Float32};
use prime_policy::{Sequence, log_probs};
use serde::Deserialize;

/// Log-probs of one model's sequences, as `fixtures/make_autocast.py` has them from torch.
#[derive(Deserialize)]
struct Autocast {
    float32: Vec<Vec<f32>>,
    bfloat16: Vec<Vec<f32>>,
}

/// Log-probs of tokens 1, 2, … of each sequence.
fn next_token_log_probs(fixture: &Fixture, dtype: prime_policy::ComputeDtype) -> Vec<f32> {
    let model = fixture.model(dtype, &Device::flex());
    let sequences = fixture.sequences.iter().map(|tokens| Sequence {
        prompt: &tokens[..1],
        response: &tokens[1..],
    });
    let sequences: Vec<_> = sequences.collect();
    log_probs(&model, &sequences, 1.0, 1, 1).unwrap().concat()
}

/// Models without biases and without QK-norm.
const ALIKE: [&str; 4] = [
    "llama3",
    "llama_yarn_mscale",
    "mistral",
    "mistral_full_yarn",
];

#[test]
fn log_probs_are_rounded_as_autocast_rounds_them() {
    let text = include_str!("../golden/autocast.json");
    let golden: BTreeMap<String, Autocast> = serde_json::from_str(text).unwrap();
    assert_eq!(golden.len(), fixture::FIXTURES.len());
    for fixture in Fixture::all() {
        let torch = &golden[fixture.name];
        let (exact, rounded) = (torch.float32.concat(), torch.bfloat16.concat());
        let plain = next_token_log_probs(&fixture, Float32);
        assert!(distance(&plain, &exact) < 1e-4, "{}", fixture.name);
        let ours = next_token_log_probs(&fixture, BFloat16);
        let errors = |of: &[f32]| {
            let errors = of.iter().zip(&exact).map(|(a, b)| a - b);
            errors.collect::<Vec<f32>>()
        };
        let (ours, torch) = (errors(&ours), errors(&rounded));
        let (size, same) = (rms(&ours) / rms(&torch), cosine(&ours, &torch));
        let name = fixture.name;
        assert!((0.5..2.0).contains(&size), "{name}: {size} of torch's");
        // The same roundings make the same errors; torch also rounds biases, their sums, and what QK-norm gives.
        assert!(same > 0.7 || !ALIKE.contains(&name), "{name}: {same}");
    }
}

#[test]
fn logits_are_as_close_as_eight_bits_allow_and_no_closer() {
    let device = Device::flex();
    for fixture in Fixture::all() {
        let [exact, rounded] = [Float32, BFloat16].map(|dtype| {
            let model = fixture.model(dtype, &device);
            let all = fixture.sequences.iter();
            all.flat_map(|tokens| logits(&model, tokens, &device))
                .collect::<Vec<f32>>()
        });
        let relative = distance(&exact, &rounded) / rms(&exact);
        assert!(
            relative < fixture.bound(),
            "{}: {relative} of {}",
            fixture.name,
            fixture.bound()
        );
        // Rounding the logits alone moves them by 2⁻⁸/√12 to 2⁻⁸/√3 of themselves.
        assert!(
            relative > 1.0 / 256.0 / 12f64.sqrt(),
            "{}: {relative}",
            fixture.name
        );
        assert!(rounded.iter().all(|&x| is_bfloat16(x)), "{}", fixture.name);
    }
}

#[test]
fn the_residual_stream_and_the_final_norm_are_not_rounded() {
    let device = Device::flex();
    for fixture in Fixture::all() {
        let model = fixture.model(BFloat16, &device);
        let states = numbers(hidden(&model, &fixture.sequences[0], &device));
        let coarse = states.iter().filter(|&&x| is_bfloat16(x)).count();
        assert!(coarse * 100 < states.len(), "{}: {coarse}", fixture.name);
    }
}

#[test]
fn gradients_are_f32_and_point_where_those_of_f32_do() {
    let plain = Device::flex().autodiff();
    for device in [plain.clone(), plain.gradient_checkpointing()] {
        for fixture in Fixture::all() {
            let tokens = &fixture.sequences[0];
            let [exact, rounded] = [Float32, BFloat16].map(|dtype| {
                let model = fixture.model(dtype, &device);
                let found = loss(&model, tokens, &device).backward();
                gradients(&model, &GradientsParams::from_grads(found, &model))
            });
            let names = |of: &[(String, Vec<f32>)]| {
                let names = of.iter().map(|(name, _)| name.clone());
                names.collect::<Vec<_>>()
            };
            assert_eq!(names(&exact), names(&rounded));
            let parameters = fixture.model(Float32, &device).num_params();
            let flat = |of: &[(String, Vec<f32>)]| {
                let all = of.iter().flat_map(|(_, gradient)| gradient.clone());
                all.collect::<Vec<f32>>()
            };
            let (all_exact, all_rounded) = (flat(&exact), flat(&rounded));
            assert_eq!(all_exact.len(), parameters, "{}", fixture.name);
            assert!(all_rounded.iter().all(|g| g.is_finite()));
            let together = cosine(&all_exact, &all_rounded);
            assert!(
                together > 0.99 && together < 0.999_999_9,
                "{}: {together}",
                fixture.name
            );
            let size = rms(&all_exact);
            for ((name, exact), (_, rounded)) in exact.iter().zip(&rounded) {
                // The gradient of a key's bias is 0 but for rounding.
                if rms(exact) > 0.01 * size {
                    let each = cosine(exact, rounded);
                    assert!(each > 0.97, "{} {name}: {each}", fixture.name);
                }
            }
        }
    }
}
