//! Estimators that score a response as a whole: one number in, one affine map out.

use std::fmt::Debug;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::moments::Moments;
use crate::{AdvantageError, AdvantageEstimator, Advantages, Response, RewardBatch};

/// An estimator whose advantage is affine in the response's own reward:
/// `A = (reward − baseline) · scale`, with a baseline and a scale that the group's
/// (or batch's) rewards decide.
///
/// Alone, [`ScoreEstimator::estimate_scores`] gives every policy token of a response
/// the advantage of its outcome reward. As the process half of
/// [`Prime`](crate::Prime), baseline and scale come from the mean process reward of
/// each response and are applied to every token's reward (paper Eq. 5 and 7). So one
/// implementation serves both; [`Rloo`](crate::Rloo) is the shortest example.
pub trait ScoreEstimator: AdvantageEstimator {
    /// One map per response of `scores`, group after group.
    ///
    /// # Errors
    /// If a group is too small to compare ([`ScoredGroup::too_small`]) or a knob is
    /// out of range.
    fn maps(&self, scores: &Scores) -> Result<Vec<Affine>, AdvantageError>;

    /// Whether the token advantages are whitened over the batch afterwards. Default: no.
    fn whitens(&self) -> bool {
        false
    }

    /// The estimate from outcome rewards alone: what [`AdvantageEstimator::estimate`] calls.
    ///
    /// # Errors
    /// As [`ScoreEstimator::maps`]; [`AdvantageError::ResultNotFinite`];
    /// [`AdvantageError::TooFewToWhiten`].
    fn estimate_scores(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
        let scores = outcome_advantages(self, batch)?;
        broadcast(batch, &scores, self.whitens())
    }
}

/// `x ↦ (x − baseline) · scale`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// What is subtracted.
    pub baseline: f64,
    /// What the difference is multiplied with.
    pub scale: f64,
}

impl Affine {
    /// Maps everything to 0.
    pub const ZERO: Self = Self {
        baseline: 0.0,
        scale: 0.0,
    };

    /// Subtracts `baseline`.
    pub fn less(baseline: f64) -> Self {
        Self {
            baseline,
            scale: 1.0,
        }
    }

    /// The advantage of `x`. Never −0.0, so that adding a zero changes no bit.
    pub fn of(self, x: f64) -> f64 {
        (x - self.baseline) * self.scale + 0.0
    }
}

/// What a group-relative estimator does with a group of one, which has nothing to be
/// compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Singleton {
    /// [`AdvantageError::GroupTooSmall`].
    Error,
    /// Advantage exactly `0.0`: there is no variance.
    Zero,
    /// The raw reward, as most of verl's functions do; it mixes two scales in one batch.
    Raw,
}

/// One score per response: outcome rewards, or mean process rewards.
///
/// Groups whose outcome does not count ([`PromptGroup::process_only`](crate::PromptGroup::process_only))
/// are left out of outcome scores.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    groups: Vec<ScoredGroup>,
}

/// The scores of one group, at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredGroup {
    index: usize,
    role: &'static str,
    scores: Vec<f64>,
    lengths: Vec<usize>,
    tied: bool,
}

impl Scores {
    /// One number per response of the groups whose outcome counts.
    pub(crate) fn of_outcomes(
        batch: &RewardBatch<'_>,
        score: impl Fn(&Response<'_>) -> f32,
    ) -> Self {
        let counted = batch.groups().iter().enumerate();
        let groups = counted.filter(|(_, group)| !group.is_process_only());
        Self {
            groups: groups
                .map(|(index, group)| {
                    let scores = group.responses().iter().map(|r| f64::from(score(r)));
                    let scores: Vec<f64> = scores.collect();
                    ScoredGroup {
                        index,
                        role: "",
                        tied: scores.iter().all(|s| *s == scores[0]),
                        scores,
                        lengths: lengths(group.responses()),
                    }
                })
                .collect(),
        }
    }

    /// Mean process rewards, with the groups where they are equal up to rounding.
    pub(crate) fn of_processes(
        batch: &RewardBatch<'_>,
        means: &[f64],
        tied: impl Fn(Range<usize>) -> bool,
    ) -> Self {
        let mut first = 0;
        let groups = batch.groups().iter().enumerate().map(|(index, group)| {
            let range = first..first + group.len();
            first = range.end;
            ScoredGroup {
                index,
                role: "as the process half of prime, ",
                scores: means[range.clone()].to_vec(),
                lengths: lengths(group.responses()),
                tied: tied(range),
            }
        });
        Self {
            groups: groups.collect(),
        }
    }

    /// The groups, in the order of the batch.
    pub fn groups(&self) -> &[ScoredGroup] {
        &self.groups
    }

    /// All scores, group after group.
    pub fn iter(&self) -> impl Iterator<Item = f64> + Clone + '_ {
        self.groups
            .iter()
            .flat_map(|group| group.scores.iter().copied())
    }

    /// The mean of all scores; 0 if there are none.
    pub fn mean(&self) -> f64 {
        self.iter().sum::<f64>() / self.iter().count().max(1) as f64
    }

    /// Maps for every response, group by group; a group of one is treated as
    /// `singleton` says and does not reach `maps`.
    ///
    /// # Errors
    /// [`AdvantageError::GroupTooSmall`] for a group of one under
    /// [`Singleton::Error`], naming `estimator`.
    pub fn map_groups<M: IntoIterator<Item = Affine>>(
        &self,
        estimator: &str,
        singleton: Singleton,
        mut maps: impl FnMut(&ScoredGroup) -> M,
    ) -> Result<Vec<Affine>, AdvantageError> {
        let mut all = Vec::with_capacity(self.iter().count());
        for group in &self.groups {
            match (group.len(), singleton) {
                (1, Singleton::Error) => return Err(group.too_small(estimator, 2)),
                (1, Singleton::Zero) => all.push(Affine::ZERO),
                (1, Singleton::Raw) => all.push(Affine::less(0.0)),
                _ => all.extend(maps(group)),
            }
        }
        Ok(all)
    }
}

impl ScoredGroup {
    /// Which group of the batch this is.
    pub fn index(&self) -> usize {
        self.index
    }

    /// How many responses, at least 1.
    #[allow(clippy::len_without_is_empty)] // a group is never empty
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// One score per response.
    pub fn scores(&self) -> &[f64] {
        &self.scores
    }

    /// How many policy tokens each response has.
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// Whether the scores are all the same (mean process rewards: up to rounding), so
    /// that their standard deviation is 0 or noise.
    pub fn is_tied(&self) -> bool {
        self.tied
    }

    /// The mean score; exactly the score where all are equal.
    pub fn mean(&self) -> f64 {
        self.weighted_mean(|_| 1.0)
    }

    /// The mean score of the other responses; exactly the score where all are equal.
    /// Needs two or more.
    pub fn mean_of_others(&self, response: usize) -> f64 {
        if self.all_equal() {
            return self.scores[0];
        }
        let sum: f64 = self.scores.iter().sum();
        (sum - self.scores[response]) / (self.len() - 1) as f64
    }

    /// The mean with a weight per response, at least 0; the plain mean if all weights are 0.
    pub fn weighted_mean(&self, weight: impl Fn(usize) -> f64) -> f64 {
        if self.all_equal() {
            return self.scores[0];
        }
        let weights: f64 = (0..self.len()).map(&weight).sum();
        if weights == 0.0 {
            return self.scores.iter().sum::<f64>() / self.len() as f64;
        }
        let scored = self.scores.iter().enumerate();
        scored.map(|(i, s)| weight(i) * s).sum::<f64>() / weights
    }

    /// The unbiased standard deviation. Needs two or more.
    pub fn std(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.scores.iter().map(|s| (s - mean).powi(2)).sum();
        (squares / (self.len() - 1) as f64).sqrt()
    }

    /// Less the mean, over standard deviation plus `epsilon`; zero where the scores are
    /// tied. Needs two or more.
    pub fn standardised(&self, epsilon: f64) -> Affine {
        if self.tied {
            return Affine::ZERO;
        }
        Affine {
            baseline: self.mean(),
            scale: (self.std() + epsilon).recip(),
        }
    }

    /// The error for a group with fewer than `needed` responses.
    pub fn too_small(&self, estimator: &str, needed: usize) -> AdvantageError {
        AdvantageError::GroupTooSmall {
            estimator: format!("{}{estimator}", self.role),
            group: self.index,
            size: self.len(),
            needed,
        }
    }

    fn all_equal(&self) -> bool {
        self.scores.iter().all(|s| *s == self.scores[0])
    }
}

fn lengths(responses: &[Response<'_>]) -> Vec<usize> {
    responses.iter().map(Response::policy_tokens).collect()
}

/// One advantage per response of the batch, from its outcome reward; `+0.0` in
/// process-only groups.
pub(crate) fn outcome_advantages<E: ScoreEstimator + ?Sized>(
    estimator: &E,
    batch: &RewardBatch<'_>,
) -> Result<Vec<f64>, AdvantageError> {
    estimator.validate()?;
    let scores = Scores::of_outcomes(batch, |response| response.outcome_reward());
    let maps = estimator.maps(&scores)?;
    Ok(spread(
        batch,
        scores.iter().zip(maps).map(|(x, map)| map.of(x)),
    ))
}

/// Numbers of the groups that count, with zeros for the process-only groups between them.
pub(crate) fn spread(batch: &RewardBatch<'_>, mut counted: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut all = Vec::with_capacity(batch.response_count());
    for group in batch.groups() {
        for _ in group.responses() {
            let own = !group.is_process_only();
            all.push(own.then(|| counted.next()).flatten().unwrap_or(0.0));
        }
    }
    all
}

/// Gives every policy token of a response the response's advantage. Whitened, the
/// returns keep the numbers from before.
pub(crate) fn broadcast(
    batch: &RewardBatch<'_>,
    scores: &[f64],
    whiten: bool,
) -> Result<Advantages, AdvantageError> {
    let before: Vec<f32> = scores.iter().map(|&score| score as f32).collect();
    let responses: Vec<_> = batch.responses().collect();
    let result = if whiten {
        broadcast_whitened(batch, &responses, &before)?
    } else {
        Advantages::written(batch, |r, out| fill(responses[r], before[r], out)).0
    };
    for (r, response) in responses.iter().enumerate() {
        if !before[r].is_finite() && response.last_policy_token().is_some() {
            return Err(result.not_finite(r));
        }
    }
    Ok(result)
}

fn broadcast_whitened(
    batch: &RewardBatch<'_>,
    responses: &[&Response<'_>],
    before: &[f32],
) -> Result<Advantages, AdvantageError> {
    let each = responses.iter().zip(before);
    let each = each.map(|(r, &x)| Moments::repeated(x, r.policy_tokens()));
    let moments = each.fold(Moments::default(), Moments::and);
    let mut after = before.to_vec();
    // Else the caller finds the number that is not finite.
    if moments.all_finite() {
        let whitening = moments.whitening()?;
        after.iter_mut().for_each(|x| *x = whitening.of(*x, 0.0));
    }
    let mut result = Advantages::zeros_with_returns(batch);
    crate::parallel::map(result.responses_mut(), |r, (advantages, returns)| {
        fill(responses[r], after[r], advantages);
        fill(responses[r], before[r], returns);
    });
    Ok(result)
}

pub(crate) fn fill(response: &Response<'_>, score: f32, out: &mut [f32]) {
    match response.mask() {
        None => out.fill(score),
        Some(mask) => {
            for (slot, &own) in out.iter_mut().zip(mask) {
                *slot = if own { score } else { 0.0 };
            }
        }
    }
}
