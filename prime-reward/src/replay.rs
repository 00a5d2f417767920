//! Rollouts of earlier steps, kept because the PRM's loss is supervised classification and they are still valid data.

use std::collections::VecDeque;

use prime_policy::SampleKey;
use serde::{Deserialize, Serialize};

/// A labelled response with the log-prob that the frozen reference gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelledRollout {
    /// At least one token.
    pub prompt: Vec<u32>,
    /// The sampled tokens.
    pub response: Vec<u32>,
    /// Outcome in [0, 1].
    pub label: f32,
    /// Σ_t log π_ref(y_t): what the training loss is measured against. In `f32`, as the loss uses it: an `f64` does not
    /// survive JSON to the last bit.
    pub ref_sum: f32,
    /// Log-odds added to β·S in the loss: 0 without a prior.
    pub prior_logit: f32,
}

/// The rollouts of the last `steps` steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplayBuffer {
    capacity: usize,
    steps: VecDeque<Vec<LabelledRollout>>,
    /// Draws so far: the counter of the next mini-batch's randomness.
    drawn: u64,
    seed: u64,
}

impl ReplayBuffer {
    /// A buffer that keeps `capacity` steps (at least 1).
    pub fn new(capacity: usize, seed: u64) -> Self {
        Self {
            capacity: capacity.max(1),
            steps: VecDeque::new(),
            drawn: 0,
            seed,
        }
    }

    /// Adds a step; the oldest leaves when the buffer is full.
    pub fn push(&mut self, rollouts: Vec<LabelledRollout>) {
        if self.steps.len() == self.capacity {
            self.steps.pop_front();
        }
        self.steps.push_back(rollouts);
    }

    /// Outcomes of the rollouts held, oldest first.
    pub fn labels(&self) -> impl Iterator<Item = f32> + '_ {
        self.steps.iter().flatten().map(|rollout| rollout.label)
    }

    /// Rollouts held.
    pub fn len(&self) -> usize {
        self.steps.iter().map(Vec::len).sum()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `batches` disjoint mini-batches of up to `size` rollouts, drawn without replacement; when the buffer runs out, a
    /// new shuffle begins. A function of the seed and of how much was drawn before.
    pub fn draw(&mut self, batches: usize, size: usize) -> Vec<Vec<&LabelledRollout>> {
        let all: Vec<&LabelledRollout> = self.steps.iter().flatten().collect();
        if all.is_empty() {
            return vec![];
        }
        let mut deck: Vec<&LabelledRollout> = vec![];
        let mut out = Vec::with_capacity(batches);
        for _ in 0..batches {
            let mut batch: Vec<&LabelledRollout> = Vec::with_capacity(size);
            while batch.len() < size.min(all.len()) {
                if deck.is_empty() {
                    deck.clone_from(&all);
                    shuffle(&mut deck, SampleKey::new(self.seed, self.drawn, 0, 0));
                    self.drawn += 1;
                }
                batch.extend(deck.pop());
            }
            out.push(batch);
        }
        out
    }
}

/// Fisher–Yates.
fn shuffle<T>(items: &mut [T], key: SampleKey) {
    for i in (1..items.len()).rev() {
        let j = (key.uniform(i as u64) * (i + 1) as f64) as usize;
        items.swap(i, j.min(i));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rollout(id: u32) -> LabelledRollout {
        LabelledRollout {
            prompt: vec![id],
            response: vec![],
            label: 0.0,
            ref_sum: 0.0,
            prior_logit: 0.0,
        }
    }

    #[test]
    fn a_pass_over_the_buffer_draws_everything_once() {
        let mut buffer = ReplayBuffer::new(3, 9);
        for step in 0..5 {
            buffer.push((0..4).map(|i| rollout(step * 10 + i)).collect());
        }
        assert_eq!(buffer.len(), 12);
        let ids = |batches: Vec<Vec<&LabelledRollout>>| -> Vec<u32> {
            batches.iter().flatten().map(|r| r.prompt[0]).collect()
        };
        let mut twin = buffer.clone();
        let first = ids(buffer.draw(3, 4));
        assert_eq!(first, ids(twin.draw(3, 4)), "same state, same draw");
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [20, 21, 22, 23, 30, 31, 32, 33, 40, 41, 42, 43]);
        assert_ne!(first, ids(buffer.draw(3, 4)), "the next draw is another");
    }

    #[test]
    fn more_than_the_buffer_holds_starts_over() {
        let mut buffer = ReplayBuffer::new(2, 1);
        assert!(buffer.draw(2, 4).is_empty());
        buffer.push(vec![rollout(1), rollout(2), rollout(3)]);
        let sizes: Vec<usize> = buffer.draw(3, 2).iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 2, 2]);
        assert_eq!(buffer.draw(1, 64)[0].len(), 3);
    }

    #[test]
    fn json_keeps_every_bit() {
        let mut buffer = ReplayBuffer::new(1, u64::MAX);
        let key = SampleKey::new(4, 0, 0, 0);
        let number = |at| -40.0 * key.uniform(at) as f32;
        buffer.push(
            (0..2000)
                .map(|i| LabelledRollout {
                    ref_sum: number(i),
                    prior_logit: number(i + 1),
                    ..rollout(1)
                })
                .collect(),
        );
        buffer.draw(1, 1);
        let text = serde_json::to_string(&buffer).unwrap();
        assert_eq!(serde_json::from_str::<ReplayBuffer>(&text).unwrap(), buffer);
    }
}
