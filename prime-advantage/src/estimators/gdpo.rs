//! Group-relative advantages of several rewards.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{check_finite, check_not_negative};
use crate::knobs::knobs;
use crate::scores::{broadcast, spread};
use crate::{
    AdvantageError, AdvantageEstimator, Advantages, Affine, ProcessHalf, Response, RewardBatch,
    ScoreEstimator, Scores, Singleton,
};

/// `A_i = Σ_k w_k (r_ik − mean_k) / (std_k + ε)`, each reward normalised in its group
/// before they are added, given to every policy token and whitened over the batch's
/// tokens (GDPO, arXiv 2601.05242; verl `gdpo`). The returns are the numbers from
/// before whitening.
///
/// The rewards are [`Response::with_named_rewards`]; a batch without any has the one
/// outcome reward, with weight 1. As PRIME's process half the process reward is the
/// only one.
///
/// # Edge cases
/// A reward that is the same for a whole group contributes exactly `0.0` there; a
/// group of one is such a group unless [`Gdpo::singleton`] says otherwise (verl: raw).
/// A weight for a reward that the batch does not have is an error. Fewer than two
/// policy tokens in the batch cannot be whitened: an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Gdpo {
    /// The weights `w_k` by the reward's name; 1 for rewards not listed. Finite.
    pub weights: BTreeMap<String, f64>,
    /// Added to each standard deviation; finite, at least 0. Default: 1e-6.
    pub epsilon: f64,
    /// What becomes of a group of one. Default: a return of exactly `0.0`.
    pub singleton: Singleton,
}

impl Default for Gdpo {
    fn default() -> Self {
        Self {
            weights: BTreeMap::new(),
            epsilon: 1e-6,
            singleton: Singleton::Zero,
        }
    }
}

knobs!(Gdpo {
    with_weights(weights: BTreeMap<String, f64>);
    with_epsilon(epsilon: f64);
    with_singleton(singleton: Singleton);
});

impl Gdpo {
    fn check_names(&self, batch: &RewardBatch<'_>) -> Result<(), AdvantageError> {
        let names: Vec<&str> = names(batch).collect();
        match self.weights.keys().find(|k| !names.contains(&k.as_str())) {
            None => Ok(()),
            Some(name) => Err(AdvantageError::UnknownReward {
                estimator: self.name().to_owned(),
                name: name.clone(),
                found: names.join(", "),
            }),
        }
    }
}

fn names<'b>(batch: &'b RewardBatch<'_>) -> impl Iterator<Item = &'b str> {
    // A batch has at least one response, and all have the same names.
    let named = batch
        .responses()
        .next()
        .map_or(&[][..], |r| r.named_rewards());
    named.iter().map(|named| &*named.name)
}

impl AdvantageEstimator for Gdpo {
    fn name(&self) -> &str {
        "gdpo"
    }

    fn validate(&self) -> Result<(), AdvantageError> {
        for weight in self.weights.values() {
            check_finite("gdpo", "weights", *weight)?;
        }
        check_not_negative("gdpo", "epsilon", self.epsilon)
    }

    fn process_half(&self) -> ProcessHalf<'_> {
        ProcessHalf::Scores(self)
    }

    fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
        self.validate()?;
        self.check_names(batch)?;
        if names(batch).next().is_none() {
            return self.estimate_scores(batch);
        }
        let mut total = vec![0.0; batch.response_count()];
        for (k, name) in names(batch).enumerate() {
            let weight = self.weights.get(name).copied().unwrap_or(1.0);
            let scores = Scores::of_outcomes(batch, |r: &Response<'_>| r.named_rewards()[k].value);
            let maps = self.maps(&scores)?;
            let advantages = scores.iter().zip(maps).map(|(x, map)| map.of(x));
            for (sum, advantage) in total.iter_mut().zip(spread(batch, advantages)) {
                *sum += weight * advantage;
            }
        }
        broadcast(batch, &total, true)
    }
}

/// One reward.
impl ScoreEstimator for Gdpo {
    fn maps(&self, scores: &Scores) -> Result<Vec<Affine>, AdvantageError> {
        scores.map_groups("gdpo", self.singleton, |group| {
            let map = group.standardised(self.epsilon);
            std::iter::repeat_n(map, group.len())
        })
    }

    fn whitens(&self) -> bool {
        true
    }
}
