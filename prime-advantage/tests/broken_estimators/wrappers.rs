//! What broken estimators are made of.

use std::fmt;

use prime_advantage::{
    AdvantageError, AdvantageEstimator, Advantages, OwnedBatch, Response, RewardBatch,
};

/// An estimator made of a function.
pub struct Made {
    name: &'static str,
    estimate: Box<Estimate>,
}

type Estimate =
    dyn Fn(&RewardBatch<'_>) -> Result<Advantages, AdvantageError> + Send + Sync + 'static;

impl Made {
    pub fn new(
        name: &'static str,
        estimate: impl Fn(&RewardBatch<'_>) -> Result<Advantages, AdvantageError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            name,
            estimate: Box::new(estimate),
        }
    }

    /// `inner`, each response's advantages changed afterwards.
    pub fn after(
        name: &'static str,
        inner: impl AdvantageEstimator + 'static,
        change: impl Fn(&At<'_, '_>, &mut [f32]) + Send + Sync + 'static,
    ) -> Self {
        Self::new(name, move |batch| {
            let mut result = inner.estimate(batch)?;
            for (place, response) in batch.places() {
                let at = At {
                    batch,
                    group: place.group,
                    index: place.response,
                    response,
                };
                if let Some(numbers) = result.advantages_mut(place.group, place.response) {
                    change(&at, numbers);
                }
            }
            Ok(result)
        })
    }

    /// `inner` on another batch than the one it is given.
    pub fn before(
        name: &'static str,
        inner: impl AdvantageEstimator + 'static,
        change: impl Fn(&mut OwnedBatch) + Send + Sync + 'static,
    ) -> Self {
        Self::new(name, move |batch| {
            let mut other = owned(batch);
            change(&mut other);
            inner.estimate(&other.borrow()?)
        })
    }
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl AdvantageEstimator for Made {
    fn name(&self) -> &str {
        self.name
    }

    fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
        (self.estimate)(batch)
    }
}

/// Where a change happens.
pub struct At<'b, 'a> {
    pub batch: &'b RewardBatch<'a>,
    pub group: usize,
    pub index: usize,
    pub response: &'b Response<'a>,
}

impl At<'_, '_> {
    /// The outcome rewards of the response's group.
    pub fn rewards(&self) -> Vec<f32> {
        let group = &self.batch.groups()[self.group];
        group.outcome_rewards().map(|r| r as f32).collect()
    }

    /// Their largest less their smallest.
    pub fn spread(&self) -> f32 {
        let rewards = self.rewards();
        let most = rewards.iter().copied().fold(f32::MIN, f32::max);
        let least = rewards.iter().copied().fold(f32::MAX, f32::min);
        most - least
    }

    pub fn is_own(&self, token: usize) -> bool {
        self.response.mask().is_none_or(|mask| mask[token])
    }
}

/// What these tests read of a batch, with numbers of its own.
pub fn owned(batch: &RewardBatch<'_>) -> OwnedBatch {
    use prime_advantage::{OwnedGroup, OwnedResponse};
    let groups = batch.groups().iter().map(|group| {
        let members = group.responses().iter().map(|response| {
            let mut owned = OwnedResponse::new(response.len(), response.outcome_reward());
            owned.process_rewards = response.process_rewards().map(<[f32]>::to_vec);
            owned.values = response.values().map(<[f32]>::to_vec);
            owned.mask = response.mask().map(<[bool]>::to_vec);
            owned
        });
        let mut owned = OwnedGroup::new(members.collect());
        owned.process_only = group.is_process_only();
        owned
    });
    OwnedBatch::new(groups.collect())
}
