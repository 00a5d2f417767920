//! `[warmup]`: from where reinforcement starts.

use serde::{Deserialize, Serialize};

use crate::data::source::DataFiles;

/// Which of the assistant's turns are learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turns {
    /// Every one, each from what comes before it.
    All,
    /// The last.
    Last,
}

/// `[warmup]`: supervised training on demonstrations, those of the built-in task or of `train_file`; linear decay to 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warmup {
    /// Optimiser steps; 0 = none.
    pub steps: usize,
    /// Demonstrations of your own, named as in `data.train_file`: conversations, or prompts with responses. The loss is on the
    /// assistant's tokens and the end of its turn. Empty = the built-in task's.
    pub train_file: DataFiles,
    /// Demonstrations that are not learned from, named alike: their loss is reported before the first step, every `eval_every`
    /// steps and after the last. Empty = none.
    pub eval_file: DataFiles,
    /// Steps between losses on `eval_file`; 0 = only before the first and after the last.
    pub eval_every: usize,
    /// Demonstrations of `eval_file` that the loss is of, at most, ≥ 1: the same ones every time.
    pub eval_demonstrations: usize,
    /// Which of the assistant's turns in a conversation are learned from.
    pub turns: Turns,
    /// Longer demonstrations, prompt and response together, are left out and counted, ≥ 1.
    pub max_tokens: usize,
    /// Demonstrations a step, ≥ 1.
    pub batch_size: usize,
    /// Demonstrations a forward pass, ≥ 1; with `rl.micro_batch_tokens` above 0 they are cut by tokens instead.
    pub micro_batch_size: usize,
    /// Several demonstrations one after another in up to `rl.micro_batch_tokens` tokens, without padding. Each attends to itself
    /// only and begins at position 0, so that it learns what it would learn alone.
    pub packing: bool,
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
            train_file: DataFiles::default(),
            eval_file: DataFiles::default(),
            eval_every: 50,
            eval_demonstrations: 256,
            turns: Turns::All,
            max_tokens: 2048,
            batch_size: 64,
            micro_batch_size: 32,
            packing: false,
            lr: 6e-3,
            lr_warmup_steps: 30,
            beta1: 0.9,
            beta2: 0.95,
            weight_decay: 0.0,
            grad_clip: 1.0,
        }
    }
}
