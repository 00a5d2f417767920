//! Estimators as a user of the crate writes them.

use prime_advantage::*;
use serde::Deserialize;

use super::batch;

/// `(r − median) · scale`: scores whole responses.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Median {
    /// What the difference is multiplied with.
    pub scale: f64,
}

impl Default for Median {
    fn default() -> Self {
        Self { scale: 1.0 }
    }
}

impl AdvantageEstimator for Median {
    fn name(&self) -> &str {
        "median"
    }

    fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
        self.estimate_scores(batch)
    }

    fn validate(&self) -> Result<(), AdvantageError> {
        if self.scale.is_finite() {
            return Ok(());
        }
        Err(AdvantageError::OutOfRange {
            owner: "median",
            knob: "scale",
            value: self.scale,
            range: "finite",
        })
    }

    fn process_half(&self) -> ProcessHalf<'_> {
        ProcessHalf::Scores(self)
    }

    fn as_scores(&self) -> Option<&dyn ScoreEstimator> {
        Some(self)
    }
}

impl ScoreEstimator for Median {
    fn maps(&self, scores: &Scores) -> Result<Vec<Affine>, AdvantageError> {
        scores.map_groups("median", Singleton::Error, |group| {
            let mut sorted = group.scores().to_vec();
            sorted.sort_by(f64::total_cmp);
            let map = Affine {
                baseline: sorted[group.len() / 2],
                scale: self.scale,
            };
            std::iter::repeat_n(map, group.len())
        })
    }
}

/// The response's reward at its first token only; says nothing of process rewards.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstToken {}

impl AdvantageEstimator for FirstToken {
    fn name(&self) -> &str {
        "first_token"
    }

    fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
        let mut result = Advantages::zeros(batch);
        for (place, response) in batch.places() {
            if let Some([first, ..]) = result.advantages_mut(place.group, place.response) {
                *first = response.outcome_reward();
            }
        }
        Ok(result)
    }
}

/// Each token's own process reward, with values as a critic would have them.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Myopic {}

impl AdvantageEstimator for Myopic {
    fn name(&self) -> &str {
        "myopic"
    }

    fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
        let mut result = Advantages::zeros_with_returns(batch);
        for (place, response) in batch.places() {
            let rewards = response.process_rewards().unwrap_or_default();
            let Place { group, response: r } = place;
            let advantages = result.advantages_mut(group, r).expect("in range");
            advantages.copy_from_slice(rewards);
            result.returns_mut(group, r).expect("in range").fill(7.0);
        }
        Ok(result)
    }

    fn process_half(&self) -> ProcessHalf<'_> {
        ProcessHalf::Tokens
    }

    fn uses_values(&self) -> bool {
        true
    }
}

const PROCESS: [f32; 3] = [0.5, -0.25, 1.0];

/// One group, with process rewards.
pub fn dense() -> RewardBatch<'static> {
    let respond = |tokens: usize, outcome| {
        Response::new(tokens, outcome).with_process_rewards(&PROCESS[..tokens])
    };
    batch(vec![vec![
        respond(3, 1.0),
        respond(2, 0.0),
        respond(1, 0.5),
    ]])
}
