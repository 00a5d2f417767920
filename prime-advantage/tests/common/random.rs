//! Random batches: ragged rows in any order, with everything an estimator can read.

use prime_advantage::{NamedReward, OwnedResponse, Place, Response, RewardBatch};

/// SplitMix64: small, and the same numbers everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In `[0, 1)`.
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u64 << 24) as f32
    }

    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// From `least` to `most`, both included.
    pub fn count(&mut self, least: usize, most: usize) -> usize {
        least + (self.bits() % (most - least + 1) as u64) as usize
    }

    pub fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    fn many(&mut self, n: usize, low: f32, high: f32) -> Vec<f32> {
        (0..n).map(|_| self.between(low, high)).collect()
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.count(0, i));
        }
    }
}

/// What kind of batch to make.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// The least number of responses in a group.
    pub least_size: usize,
    /// Masks with gaps, rows whose last tokens are masked, rows without a policy token.
    pub gaps: bool,
    /// Responses without tokens.
    pub empty: bool,
    /// Process rewards, also of the greedy responses.
    pub process: bool,
}

/// A prompt's id with one response to it.
pub struct Row {
    pub group: usize,
    pub response: OwnedResponse,
}

/// The rows of a batch in any order, and one greedy response per group.
pub struct Rows {
    pub rows: Vec<Row>,
    pub greedy: Vec<OwnedResponse>,
    /// The groups whose outcome does not count.
    pub process_only: Vec<usize>,
}

impl Rows {
    pub fn new(seed: u64, shape: Shape) -> Self {
        let mut random = Random::new(seed);
        let groups = random.count(1, 5);
        // Every third batch has right-or-wrong rewards, where ties are common.
        let binary = seed.is_multiple_of(3);
        let mut rows = vec![];
        for group in 0..groups {
            for _ in 0..random.count(shape.least_size, 8) {
                let response = response(&mut random, shape, binary);
                rows.push(Row { group, response });
            }
        }
        random.shuffle(&mut rows);
        // Two tokens at least, so that whitening is defined.
        rows[0].response = whole(&mut random, 2, binary, shape.process);
        let greedy = (0..groups).map(|_| response(&mut random, shape, binary));
        let greedy = greedy.collect();
        Self {
            rows,
            greedy,
            process_only: vec![],
        }
    }

    /// The batch with each row's place in it.
    pub fn batch(&self) -> (RewardBatch<'_>, Vec<Place>) {
        let rows = self
            .rows
            .iter()
            .map(|row| (row.group, row.response.borrow()));
        let (batch, places) = RewardBatch::from_keyed(rows).expect("valid rows");
        let mut groups = batch.into_groups();
        for (row, place) in self.rows.iter().zip(&places) {
            if place.response == 0 {
                let greedy: Response<'_> = self.greedy[row.group].borrow();
                let group = groups[place.group].clone();
                let group = group.with_greedy(greedy).expect("valid greedy");
                groups[place.group] = if self.process_only.contains(&row.group) {
                    group.process_only()
                } else {
                    group
                };
            }
        }
        (RewardBatch::new(groups).expect("valid groups"), places)
    }
}

fn response(random: &mut Random, shape: Shape, binary: bool) -> OwnedResponse {
    let longest = if random.chance(0.2) { 40 } else { 12 };
    let least = if shape.empty && random.chance(0.1) {
        0
    } else {
        1
    };
    let tokens = if least == 0 {
        0
    } else {
        random.count(1, longest)
    };
    let mut response = whole(random, tokens, binary, shape.process);
    if shape.gaps && random.chance(0.6) {
        let mut mask: Vec<bool> = (0..tokens).map(|_| random.chance(0.7)).collect();
        if random.chance(0.3)
            && let Some(last) = mask.last_mut()
        {
            *last = false;
        }
        if !shape.empty
            && let Some(first) = mask.first_mut()
        {
            *first = true;
        }
        response.mask = Some(mask);
    }
    response
}

/// A response without a mask.
fn whole(random: &mut Random, tokens: usize, binary: bool, process: bool) -> OwnedResponse {
    let reward = |random: &mut Random| {
        if binary {
            f32::from(u8::from(random.chance(0.5)))
        } else {
            random.between(-2.0, 2.0)
        }
    };
    let outcome = reward(random);
    let mut response = OwnedResponse::new(tokens, outcome);
    response.named_rewards = ["accuracy", "format", "length"]
        .map(|name| NamedReward::new(name, reward(random)))
        .to_vec();
    if process {
        response.process_rewards = Some(random.many(tokens, -1.0, 1.0));
    }
    response.values = Some(random.many(tokens, -2.0, 2.0));
    let log_probs = random.many(tokens, -3.0, -0.1);
    // No less than the sampled token's own square and no more than the rest can add.
    let squares = log_probs.iter().map(|log_prob| {
        let p = log_prob.exp();
        p * p + random.unit() * (1.0 - p) * (1.0 - p)
    });
    response.sum_pi_squared = Some(squares.collect());
    response.ref_log_probs = Some(random.many(tokens, -3.0, -0.1));
    response.importance_weights = Some(random.many(tokens, 0.5, 1.5));
    response.old_log_probs = Some(log_probs);
    response
}
