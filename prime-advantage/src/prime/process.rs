//! The process half of PRIME: scaling and baselines of token rewards.

use std::borrow::Cow;

use super::{Prime, ProcessNorm};
use crate::kernel::{Line, Totals, totals};
use crate::packed::pack;
use crate::token_rewards::missing;
use crate::{
    AdvantageError, AdvantageEstimator, Response, ResponseField, RewardBatch, ScoreEstimator,
    Scores, parallel,
};

/// Keeps batch norm finite while the PRM still equals its reference.
const NORM_EPSILON: f64 = 1e-6;
/// Token means closer than this share of the largest token reward differ by no more
/// than the rounding of the `f32` they are made of; their standard deviation is noise.
const TIE: f64 = f32::EPSILON as f64;

/// The process rewards of a batch, checked and summed up.
pub(super) struct Process<'a> {
    /// What every reward is multiplied with.
    pub(super) scale: f64,
    drop_last_token: bool,
    /// Policy tokens only, before scaling, the last one not yet dropped.
    pub(super) rewards: Vec<Cow<'a, [f32]>>,
    totals: Vec<Totals>,
}

impl<'a> Process<'a> {
    pub(super) fn of<P: AdvantageEstimator, O: AdvantageEstimator>(
        prime: &Prime<P, O>,
        batch: &RewardBatch<'a>,
    ) -> Result<Self, AdvantageError> {
        let mut rewards = Vec::with_capacity(batch.response_count());
        for (place, response) in batch.places() {
            rewards.push(match response.process_rewards() {
                Some(rewards) => pack(rewards, response.mask()),
                None if response.is_empty() => Cow::Borrowed(&[][..]),
                None => return Err(missing("prime", ResponseField::ProcessRewards, place)),
            });
        }
        let mut process = Self {
            scale: 1.0,
            drop_last_token: prime.drop_last_token,
            rewards,
            totals: vec![],
        };
        let each: Vec<usize> = (0..process.rewards.len()).collect();
        let batch_norm = prime.process_norm == ProcessNorm::BatchNorm;
        process.totals = parallel::map(each, |_, r| {
            totals(&process.rewards[r], process.last(r), batch_norm)
        });
        if batch_norm {
            let peaks = process.totals.iter().map(|totals| totals.peak);
            process.scale = (peaks.fold(0.0, f64::max) + NORM_EPSILON).recip();
        }
        Ok(process)
    }

    /// The last policy token's reward, before scaling.
    fn last(&self, response: usize) -> f64 {
        match self.rewards[response].last() {
            Some(&last) if !self.drop_last_token => last.into(),
            _ => 0.0,
        }
    }

    /// The map of each response, for rewards before scaling and with the coefficient.
    pub(super) fn lines(
        &self,
        estimator: &dyn ScoreEstimator,
        batch: &RewardBatch<'_>,
        coef: f64,
    ) -> Result<Vec<Line>, AdvantageError> {
        let mean = |r: usize| self.totals[r].sum / self.rewards[r].len().max(1) as f64;
        let means: Vec<f64> = (0..self.rewards.len())
            .map(|r| mean(r) * self.scale)
            .collect();
        let scores = Scores::of_processes(batch, &means, |range| {
            let means = range.clone().map(mean);
            let low = means.clone().fold(f64::INFINITY, f64::min);
            let high = means.fold(f64::NEG_INFINITY, f64::max);
            let largest = self.totals[range].iter().map(|t| t.largest);
            high - low <= TIE * largest.fold(0.0, f64::max)
        });
        let maps = estimator.maps(&scores)?.into_iter().enumerate();
        Ok(maps
            .map(|(r, map)| {
                let slope = coef * map.scale * self.scale;
                let shift = -coef * map.scale * map.baseline;
                Line {
                    slope,
                    shift,
                    last: self.last(r),
                }
            })
            .collect())
    }

    /// No sum of a response's mapped rewards is further from 0 than this, `offset` included.
    pub(super) fn bound(&self, response: usize, line: Line, offset: f64) -> f64 {
        let tokens = self.rewards[response].len() as f64;
        let each = line.slope.abs() * self.totals[response].largest + line.shift.abs();
        tokens * each + offset.abs()
    }

    /// The rewards of whole responses as a token-level estimator is to see them, times
    /// the coefficient; the greedy responses' behind those of the batch.
    pub(super) fn scaled<'b>(
        &self,
        batch: &'b RewardBatch<'a>,
        coef: f64,
    ) -> Vec<Option<Cow<'b, [f32]>>> {
        let greedy = batch.groups().iter().filter_map(|group| group.greedy());
        let all = batch.responses().chain(greedy);
        all.map(|response| self.scaled_response(response, coef))
            .collect()
    }

    fn scaled_response<'b>(&self, response: &'b Response<'a>, coef: f64) -> Option<Cow<'b, [f32]>> {
        let rewards = response.process_rewards()?;
        let factor = coef * self.scale;
        if factor == 1.0 && !self.drop_last_token {
            return Some(Cow::Borrowed(rewards));
        }
        let scaled = rewards.iter().map(|&r| (f64::from(r) * factor) as f32);
        let mut scaled: Vec<f32> = scaled.collect();
        if let Some(last) = response
            .last_policy_token()
            .filter(|_| self.drop_last_token)
        {
            scaled[last] = 0.0;
        }
        Some(Cow::Owned(scaled))
    }
}
