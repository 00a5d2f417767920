//! Seconds and peak memory of the output head's loss, forward and backward, at the size of a real vocabulary:
//!
//! ```text
//! cargo run --release -p prime-policy --example head -- [whole|tiled] [POSITIONS] [VOCAB] [HIDDEN]
//! ```
//!
//! `tiled` is `head_log_probs`; `whole` holds all logits, as a loss that is written down naively does. Each in a process
//! of its own, because the peak is the process's.

use std::error::Error;
use std::time::Instant;

use burn::tensor::{Device, Distribution, Int, Tensor, TensorData, activation};
use prime_policy::{HeadLayout, head_log_probs};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let whole = arguments.first().is_some_and(|word| word == "whole");
    let number = |at: usize, default: usize| -> Result<usize, std::num::ParseIntError> {
        arguments.get(at).map_or(Ok(default), |n| n.parse())
    };
    let (positions, vocab, width) = (number(1, 1024)?, number(2, 151_936)?, number(3, 896)?);

    let device = Device::flex();
    let random = |rows: usize| {
        let values = Tensor::random([rows, width], Distribution::Normal(0.0, 0.02), &device);
        Tensor::<2>::from_inner(values).require_grad()
    };
    let (hidden, weight) = (random(positions), random(vocab));
    let ids: Vec<i64> = (0..positions).map(|i| (i * 131 % vocab) as i64).collect();
    let targets = Tensor::<1, Int>::from_data(TensorData::new(ids, [positions]), &device);
    let before = peak_mib()?;

    let start = Instant::now();
    let out = if whole {
        let logits = hidden.clone().matmul(weight.clone().transpose());
        let log_probs = activation::log_softmax(logits, 1);
        let chosen = log_probs.clone().gather(1, targets.unsqueeze_dim(1));
        let entropy = (log_probs.clone().exp() * log_probs).sum_dim(1).neg();
        Tensor::cat(vec![chosen, entropy], 1)
    } else {
        let layout = HeadLayout::VocabRows;
        head_log_probs(hidden.clone(), weight.clone(), layout, targets, 1.0)
    };
    let forward = start.elapsed().as_secs_f64();
    let mut gradients = out.sum().backward();
    let norm = |tensor: &Tensor<2>, gradients: &mut _| -> f32 {
        let gradient = tensor.grad_remove(gradients);
        gradient.map_or(0.0, |g| g.square().sum().into_scalar::<f32>().sqrt())
    };
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{positions} positions × {vocab} × {width}: forward {forward:.2} s, forward and backward {seconds:.2} s, \
         peak {before:.0} + {:.0} MiB, gradient norms {:.4} {:.4}",
        peak_mib()? - before,
        norm(&hidden, &mut gradients),
        norm(&weight, &mut gradients),
    );
    Ok(())
}

/// The process's largest resident size so far; 0 where the system does not say.
fn peak_mib() -> Result<f64, Box<dyn Error>> {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return Ok(0.0);
    };
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kib.map_or(Ok(0.0), str::parse::<f64>)? / 1024.0)
}
