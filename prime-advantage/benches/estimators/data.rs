//! Batches made by formula, so that `benchmarks/advantage_torch.py` has the same numbers.

use prime_advantage::{NamedReward, PromptGroup, Response, RewardBatch};

/// Everything that any estimator reads, response after response.
pub struct Data {
    group_size: usize,
    tokens: usize,
    outcomes: Vec<f32>,
    named: Vec<[NamedReward<'static>; 2]>,
    process: Vec<f32>,
    values: Vec<f32>,
    log_probs: Vec<f32>,
    sum_pi_squared: Vec<f32>,
    importance: Vec<f32>,
    mask: Vec<bool>,
}

/// In `[-0.5, 0.5)`: an integer hash of the place, scaled.
fn noise(stream: u32, index: usize) -> f32 {
    let mut x = (index as u32)
        .wrapping_mul(0x9E37_79B1)
        .wrapping_add(stream.wrapping_mul(0x85EB_CA77));
    x = (x ^ (x >> 15)).wrapping_mul(0x2C1B_3C6D);
    x = (x ^ (x >> 13)).wrapping_mul(0x297A_2D39);
    x ^= x >> 16;
    (x >> 8) as f32 / (1 << 24) as f32 - 0.5
}

fn column(count: usize, stream: u32, shift: f32) -> Vec<f32> {
    (0..count).map(|i| noise(stream, i) + shift).collect()
}

impl Data {
    pub fn new(responses: usize, group_size: usize, tokens: usize) -> Self {
        let count = responses * tokens;
        let outcomes: Vec<f32> = (0..responses)
            .map(|r| if noise(1, r) < 0.0 { 0.0 } else { 1.0 })
            .collect();
        let named = outcomes.iter().enumerate().map(|(r, &outcome)| {
            [
                NamedReward::new("accuracy", outcome),
                NamedReward::new("format", noise(2, r)),
            ]
        });
        Self {
            group_size,
            tokens,
            named: named.collect(),
            outcomes,
            process: column(count, 3, 0.0),
            values: column(count, 4, 0.0),
            log_probs: column(count, 5, -0.5),
            sum_pi_squared: column(count, 6, 0.5),
            importance: column(count, 7, 1.0),
            mask: (0..count).map(|i| i % 64 < 48).collect(),
        }
    }

    /// In all responses together.
    pub fn token_count(&self) -> usize {
        self.process.len()
    }

    /// Token columns to copy: as many as asked for, up to four.
    pub fn columns(&self, count: usize) -> Vec<&[f32]> {
        let all: [&[f32]; 4] = [
            &self.process,
            &self.values,
            &self.log_probs,
            &self.sum_pi_squared,
        ];
        all[..count].to_vec()
    }

    /// Everything there is, with a greedy response to every prompt.
    pub fn everything(&self) -> RewardBatch<'_> {
        let groups = self.grouped(|r, response| {
            response
                .with_named_rewards(&self.named[r])
                .with_values(self.of(r, &self.values))
                .with_old_log_probs(self.of(r, &self.log_probs))
                .with_sum_pi_squared(self.of(r, &self.sum_pi_squared))
                .with_importance_weights(self.of(r, &self.importance))
        });
        let greedy = Response::new(self.tokens, 1.0).with_process_rewards(self.of(0, &self.values));
        let groups = groups.into_iter().map(|responses| {
            let group = PromptGroup::new(responses).expect("responses are valid");
            group.with_greedy(greedy).expect("greedy ones too")
        });
        RewardBatch::new(groups.collect()).expect("names agree")
    }

    /// What PRIME reads.
    pub fn process_only(&self) -> RewardBatch<'_> {
        let groups = self.grouped(|_, response| response);
        RewardBatch::from_responses(groups).expect("responses are valid")
    }

    /// The same with a tool's output behind every 48 tokens of the policy.
    pub fn with_gaps(&self) -> RewardBatch<'_> {
        let groups = self.grouped(|r, response| response.with_mask(self.of(r, &self.mask)));
        RewardBatch::from_responses(groups).expect("responses are valid")
    }

    fn grouped<'a>(
        &'a self,
        add: impl Fn(usize, Response<'a>) -> Response<'a>,
    ) -> Vec<Vec<Response<'a>>> {
        let responses = (0..self.outcomes.len()).map(|r| {
            let response = Response::new(self.tokens, self.outcomes[r]);
            add(r, response.with_process_rewards(self.of(r, &self.process)))
        });
        let responses: Vec<_> = responses.collect();
        responses
            .chunks(self.group_size)
            .map(<[Response<'a>]>::to_vec)
            .collect()
    }

    fn of<'a, T>(&self, response: usize, column: &'a [T]) -> &'a [T] {
        &column[response * self.tokens..][..self.tokens]
    }
}
