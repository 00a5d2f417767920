//! `[warmup]`: from where reinforcement starts.

use serde::{Deserialize, Serialize};

/// `[warmup]`: supervised training on the sloppy pupil's demonstrations; linear decay to 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warmup {
    /// Optimiser steps; 0 = none.
    pub steps: usize,
    /// Demonstrations a step, ≥ 1.
    pub batch_size: usize,
    /// Demonstrations a forward pass, ≥ 1; with `rl.micro_batch_tokens` above 0 they are cut by tokens instead.
    pub micro_batch_size: usize,
    /// Peak learning rate, > 0.
    pub lr: f64,
    /// Steps of linear rise to the peak.
    pub lr_warmup_steps: usize,
    /// AdamW β₁, `0..1`.
    pub beta1: f64,
    /// AdamW β₂, `0..1`.
    pub beta2: f64,
    /// AdamW weight decay, ≥ 0.
    pub weight_decay: f64,
    /// Largest gradient norm, > 0.
    pub grad_clip: f64,
}

impl Default for Warmup {
    fn default() -> Self {
        Warmup {
            steps: 300,
            batch_size: 64,
            micro_batch_size: 32,
            lr: 6e-3,
            lr_warmup_steps: 30,
            beta1: 0.9,
            beta2: 0.95,
            weight_decay: 0.0,
            grad_clip: 1.0,
        }
    }
}
