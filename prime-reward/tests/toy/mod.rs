//! A small decoder and responses that are right when they contain token 7.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::sync::{Mutex, PoisonError};

use burn::tensor::Device;
use prime_policy::{Decoder, DecoderConfig, SampleKey, Sequence, log_probs};
use prime_reward::Rollout;

/// The token that makes a response right.
pub const RIGHT: u32 = 7;

pub struct Example {
    pub prompt: Vec<u32>,
    pub response: Vec<u32>,
    pub label: f32,
}

/// Twelve tokens, one block, drawn from `seed`.
pub fn decoder(seed: u64) -> Decoder {
    // The device's generator is shared by all threads and weights are drawn at their first use.
    static DRAWING: Mutex<()> = Mutex::new(());
    let _alone = DRAWING.lock().unwrap_or_else(PoisonError::into_inner);
    let device = Device::flex().autodiff();
    device.seed(seed);
    let model = DecoderConfig::new(12, 16, 32, 1, 2).init(&device).unwrap();
    let first_use = Sequence {
        prompt: &[1],
        response: &[2],
    };
    log_probs(&model, &[first_use], 1.0, 1, 1).unwrap();
    model
}

/// `n` responses of 3 to 9 tokens from 3..=11; about half of them hold token 7, anywhere.
pub fn examples(step: u64, n: usize) -> Vec<Example> {
    let one = |i: usize| {
        let key = SampleKey::new(20, step, i as u64, 0);
        let below = |at: u64, n: u32| (key.uniform(at) * f64::from(n)) as u32;
        let length = 3 + below(0, 7);
        let other = |at: u32| {
            let id = 3 + below(u64::from(at) + 10, 8);
            if id < RIGHT { id } else { id + 1 }
        };
        let mut response: Vec<u32> = (0..length).map(other).collect();
        let right = below(1, 2) == 1;
        if right {
            response[below(2, length) as usize] = RIGHT;
        }
        let prompt = (0..=below(3, 3))
            .map(|at| 1 + below(u64::from(at) + 30, 2))
            .collect();
        Example {
            prompt,
            response,
            label: f32::from(right),
        }
    };
    (0..n).map(one).collect()
}

/// Examples as the PRM reads them.
pub struct Batch<'a>(&'a [Example]);

impl<'a> Batch<'a> {
    pub fn of(examples: &'a [Example]) -> Self {
        Self(examples)
    }

    pub fn sequences(&self) -> Vec<Sequence<'a>> {
        self.0
            .iter()
            .map(|e| Sequence {
                prompt: &e.prompt,
                response: &e.response,
            })
            .collect()
    }

    /// Without log-probs of the policy.
    pub fn rollouts(&self) -> Vec<Rollout<'a>> {
        let rollout = |(sequence, example): (_, &Example)| Rollout {
            sequence,
            label: example.label,
            policy_log_probs: &[],
        };
        self.sequences()
            .into_iter()
            .zip(self.0)
            .map(rollout)
            .collect()
    }

    pub fn rollouts_with(&self, log_probs: &'a [Vec<f32>]) -> Vec<Rollout<'a>> {
        let mut rollouts = self.rollouts();
        for (rollout, log_probs) in rollouts.iter_mut().zip(log_probs) {
            rollout.policy_log_probs = log_probs;
        }
        rollouts
    }
}
