//! What a warm-up reports, a line of `warmup.jsonl` each.

use serde::Serialize;

/// What a warm-up step reports.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SftStep {
    /// The step, counted from 1.
    pub step: usize,
    /// Mean negative log-prob per response token, in nats.
    pub loss: f64,
    /// Gradient norm before clipping.
    pub grad_norm: f64,
    /// The learning rate.
    pub lr: f64,
    /// Response tokens, those that the loss is on.
    pub response_tokens: usize,
    /// All tokens, padding left out.
    pub tokens: usize,
    /// The part of the computed tokens that was padding, in [0, 1).
    pub padding_waste: f64,
}

/// The loss on demonstrations that are not learned from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SftHeldOut {
    /// Steps before it; 0 is the start.
    pub step: usize,
    /// Mean negative log-prob per response token, in nats.
    pub eval_loss: f64,
    /// The response tokens that it is the mean of.
    pub eval_response_tokens: usize,
}

/// One report of a warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum SftRecord {
    /// Of a step.
    Step(SftStep),
    /// Of the held-out demonstrations.
    HeldOut(SftHeldOut),
}

impl SftRecord {
    /// The step that it is of.
    pub fn step(&self) -> usize {
        match self {
            Self::Step(step) => step.step,
            Self::HeldOut(found) => found.step,
        }
    }
}
