//! Adapters in bfloat16.

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Tensor};
use prime_policy::ComputeDtype::{self, BFloat16, Float32};
use prime_policy::{CausalLm, Decoder, LoraConfig};

use super::fixture::{Fixture, cosine, distance, gradients, logits, loss, rms};

/// Adds noise to what trains, so that no B is 0.
struct Shake;

impl ModuleMapper for Shake {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !param.is_require_grad() {
            return param;
        }
        param.map(|value| {
            let noise = Tensor::random(
                value.dims(),
                Distribution::Normal(0.0, 0.05),
                &value.device().inner(),
            );
            Tensor::from_inner(value.inner() + noise).require_grad()
        })
    }
}

fn adapted(fixture: &Fixture, dtype: ComputeDtype, shaken: bool, device: &Device) -> Decoder {
    let lora = LoraConfig::new(4, 8.0);
    let model = lora.attach(fixture.model(dtype, device), 9).unwrap();
    device.seed(4);
    match shaken {
        true => model.map(&mut Shake),
        false => model,
    }
}

#[test]
fn fresh_adapters_change_no_bit() {
    let device = Device::flex().autodiff();
    for fixture in Fixture::all() {
        let tokens = &fixture.sequences[0];
        let base = logits(&fixture.model(BFloat16, &device), tokens, &device);
        let with = adapted(&fixture, BFloat16, false, &device);
        assert_eq!(logits(&with, tokens, &device), base, "{}", fixture.name);
    }
}

#[test]
fn adapters_are_rounded_like_the_rest_and_train_in_f32() {
    let device = Device::flex().autodiff();
    for fixture in Fixture::all() {
        let tokens = &fixture.sequences[0];
        let [exact, rounded] = [Float32, BFloat16].map(|dtype| {
            let model = adapted(&fixture, dtype, true, &device);
            let base = logits(&fixture.model(dtype, &device), tokens, &device);
            let with = logits(&model, tokens, &device);
            assert!(
                distance(&base, &with) > 0.05 * rms(&base),
                "{}",
                fixture.name
            );
            let of = |model: &Decoder| {
                let found = loss(model, tokens, &device).backward();
                let found = gradients(model, &GradientsParams::from_grads(found, model));
                assert!(found.iter().all(|(name, _)| name.contains(".lora.")));
                assert_eq!(found.len(), 2 * 7 * fixture.config.num_hidden_layers);
                found
                    .into_iter()
                    .flat_map(|(_, gradient)| gradient)
                    .collect::<Vec<f32>>()
            };
            let found = of(&model);
            let plain = Device::flex();
            let valid = model.valid();
            let scored = [&valid, &valid.prepared()].map(|model| logits(model, tokens, &plain));
            assert!(scored[0] == scored[1], "{}", fixture.name);
            assert!(found == of(&model.prepared()), "{}", fixture.name);
            (with, found)
        });
        let relative = distance(&exact.0, &rounded.0) / rms(&exact.0);
        assert!(
            relative < fixture.bound() && relative > 1e-3,
            "{}: {relative}",
            fixture.name
        );
        let direction = cosine(&exact.1, &rounded.1);
        assert!(
            direction > 0.99 && direction < 0.999_999_9,
            "{}: {direction}",
            fixture.name
        );
    }
}
