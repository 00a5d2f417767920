//! Why parameters stay f32: updates that eight bits would lose.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{DType, Device, Tensor};
use prime_policy::ComputeDtype::{BFloat16, Float32};
use prime_policy::{Decoder, OptimizerConfig, accumulate_gradients};

use super::fixture::{Fixture, loss, numbers};

fn parameters(model: &Decoder) -> Vec<f32> {
    struct Collect(Vec<f32>);
    impl ModuleVisitor for Collect {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.extend(numbers(param.val()));
        }
    }
    let mut collect = Collect(vec![]);
    model.visit(&mut collect);
    collect.0
}

/// Parameters as they would be if they were stored in bfloat16.
struct Round;

impl ModuleMapper for Round {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|value| {
            let rounded = value.inner().cast(DType::BF16).cast(DType::F32);
            Tensor::from_inner(rounded).require_grad()
        })
    }
}

const STEPS: usize = 40;
const LR: f64 = 1e-5;
/// AdamW with these decays moves a parameter by 3.2 · LR at most, and two neighbours in bfloat16 are 2⁻⁸ of their size
/// apart at least: a larger parameter than this is rounded back to where it was.
const STUCK: f32 = 3.2e-5 * 512.0;

/// By how much the loss falls, read in f32 before and after, and the parameters then.
fn train(start: Decoder, tokens: &[u32], rounded: bool) -> (f64, Vec<f32>) {
    let device = Device::flex().autodiff();
    let mut model = start;
    let mut optimizer = OptimizerConfig::default().init();
    let read = |model: &Decoder| {
        let model = model.clone().with_compute_dtype(Float32).unwrap();
        f64::from(loss(&model, tokens, &device).into_scalar::<f32>())
    };
    let before = read(&model);
    for _ in 0..STEPS {
        let done = accumulate_gradients(&model, &[()], 1, |model: &Decoder, ()| {
            Ok((loss(model, tokens, &device), ()))
        })
        .unwrap();
        model = optimizer.step(model, done.gradients, LR).unwrap().0;
        if rounded {
            model = model.map(&mut Round);
        }
    }
    (before - read(&model), parameters(&model))
}

#[test]
fn f32_parameters_take_updates_that_bfloat16_would_lose() {
    let device = Device::flex().autodiff();
    let fixture = Fixture::read("qwen2");
    let tokens = &fixture.sequences[0];
    let start = |dtype| fixture.model(dtype, &device).map(&mut Round);
    let before = parameters(&start(BFloat16));
    let (masters, after) = train(start(BFloat16), tokens, false);
    let (exact, _) = train(start(Float32), tokens, false);
    let (lost, still) = train(start(BFloat16), tokens, true);
    let moved = |to: &[f32]| {
        let large = before.iter().zip(to).filter(|(b, _)| b.abs() > STUCK);
        let count = large.clone().count();
        large.filter(|(b, a)| a != b).count() as f64 / count as f64
    };
    assert!(moved(&after) > 0.95, "{}", moved(&after));
    assert_eq!(moved(&still), 0.0);
    assert!(masters > 0.9 * exact, "{masters} of {exact}");
    assert!(lost < 0.3 * exact, "{lost} of {exact}");
}
