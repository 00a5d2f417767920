//! A penalty that grows as a response nears the length limit.

use serde::{Deserialize, Serialize};

use crate::error::check_finite;
use crate::knobs::knobs;
use crate::{AdvantageError, RewardBatch};

/// DAPO's soft overlong punishment (arXiv 2503.14476, Eq. 13; verl `dapo` reward
/// manager): nothing up to `max_tokens − buffer_tokens`, then falling in a straight
/// line to `−factor` at `max_tokens`, and `−factor` beyond.
///
/// ```
/// # use prime_advantage::OverlongPenalty;
/// let overlong = OverlongPenalty::new(100, 20)?;
/// assert_eq!([80, 90, 100, 120].map(|n| overlong.penalty(n)), [0.0, -0.5, -1.0, -1.0]);
/// # Ok::<(), prime_advantage::AdvantageError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OverlongPenalty {
    /// The length limit, in tokens.
    pub max_tokens: usize,
    /// Over how many tokens before the limit the penalty grows; 1 to `max_tokens`.
    pub buffer_tokens: usize,
    /// The penalty at the limit; finite. Default: 1.
    #[serde(default = "one")]
    pub factor: f64,
}

fn one() -> f64 {
    1.0
}

knobs!(OverlongPenalty {
    with_factor(factor: f64);
});

impl OverlongPenalty {
    /// A penalty of up to 1.
    ///
    /// # Errors
    /// As [`OverlongPenalty::validate`].
    pub fn new(max_tokens: usize, buffer_tokens: usize) -> Result<Self, AdvantageError> {
        let new = Self {
            max_tokens,
            buffer_tokens,
            factor: 1.0,
        };
        new.validate()?;
        Ok(new)
    }

    /// Checks the knobs.
    ///
    /// # Errors
    /// [`AdvantageError::OutOfRange`].
    pub fn validate(&self) -> Result<(), AdvantageError> {
        if self.buffer_tokens == 0 || self.buffer_tokens > self.max_tokens {
            return Err(AdvantageError::OutOfRange {
                owner: "overlong",
                knob: "buffer_tokens",
                value: self.buffer_tokens as f64,
                range: "at least 1 and at most `max_tokens`",
            });
        }
        check_finite("overlong", "factor", self.factor)
    }

    /// What a response of `tokens` tokens pays: between `−factor` and 0.
    pub fn penalty(&self, tokens: usize) -> f64 {
        let free = self.max_tokens.saturating_sub(self.buffer_tokens);
        let over = tokens.min(self.max_tokens).saturating_sub(free);
        if over == 0 {
            return 0.0;
        }
        -(over as f64) / self.buffer_tokens as f64 * self.factor
    }

    /// The batch with the penalty added to every outcome reward, by all the tokens of
    /// each response. Greedy responses keep theirs.
    ///
    /// # Errors
    /// As [`OverlongPenalty::validate`]; [`AdvantageError::ResultNotFinite`] if a
    /// reward no longer fits an `f32`.
    pub fn shape<'a>(&self, batch: &RewardBatch<'a>) -> Result<RewardBatch<'a>, AdvantageError> {
        self.validate()?;
        let shaped = |reward: f32, tokens| (f64::from(reward) + self.penalty(tokens)) as f32;
        for (place, response) in batch.places() {
            if !shaped(response.outcome_reward(), response.len()).is_finite() {
                return Err(AdvantageError::ResultNotFinite {
                    group: place.group,
                    response: place.response,
                    token: 0,
                });
            }
        }
        Ok(batch.map(
            |_, response| {
                let reward = response.outcome_reward();
                response.with_outcome_reward(shaped(reward, response.len()))
            },
            |greedy| *greedy,
        ))
    }
}
