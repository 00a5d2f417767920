//! Laws about rewards that are shifted or scaled.

use super::compare::{Estimate, Verdict, advantages_agree, agree};
use super::edit::{map_outcomes, map_rewards, members, responses, to_eighths};
use super::{LawBroken, Laws};
use crate::{AdvantageEstimator, OwnedBatch};

/// A constant added to all outcome rewards of a group (named ones and the greedy
/// response's included), another for each group, changes no advantage.
///
/// Holds for estimators that compare outcomes within a group: RLOO, GRPO and its
/// relatives, OPO, GDPO, ReMax, REINFORCE with the group's mean, and PRIME with one of
/// these as its outcome half, whitened or not. Not for GPG (its α counts rewards that
/// are not 0), REINFORCE without a baseline or with the batch's mean, REINFORCE++,
/// estimators with a critic, or the optimal token baseline (where all weights are 0 it
/// has none). Returns may shift.
///
/// # Errors
/// [`LawBroken`], with a counterexample.
pub fn shift_invariance(estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
    Laws::default().shift_invariance(estimator)
}

/// Everything in units of reward (outcome, named and process rewards, values) times
/// `c > 0` gives advantages and returns times `c`.
///
/// Holds for estimators that do not normalise: REINFORCE, RLOO, Dr. GRPO, OPO, GPG,
/// ReMax, GAE, and PRIME with these and without batch norm. Not where something is
/// divided by a standard deviation or whitened.
///
/// # Errors
/// [`LawBroken`], with a counterexample.
pub fn scale_equivariance(estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
    Laws::default().scale_equivariance(estimator)
}

/// Everything in units of reward (outcome, named and process rewards, values) times
/// `c > 0` gives the same advantages.
///
/// Holds for estimators that divide by a standard deviation or whiten, as far as the ε
/// they add to it is small beside the spread of rewards: for GRPO with ε of 0 or 1e-6,
/// not with 0.1. (For GDPO with 0: it whitens sums in which two rewards may have
/// cancelled down to ε.) Returns may scale.
///
/// # Errors
/// [`LawBroken`], with a counterexample.
pub fn scale_invariance(estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
    Laws::default().scale_invariance(estimator)
}

/// Numbers without a common factor, so that every positive scale is near a product of
/// their powers. Not below 1: whitening adds 1e-8 to the variance.
const FACTORS: [f32; 2] = [2.0, 3.0];

/// The constants for the groups, over and over.
const SHIFTS: [f32; 3] = [2.0, -0.5, 3.25];

fn eighths(batch: &mut OwnedBatch) {
    responses(batch).for_each(|response| map_rewards(response, to_eighths));
}

impl Laws {
    /// [`shift_invariance`](fn@shift_invariance) on these batches, their rewards
    /// rounded to eighths.
    ///
    /// # Errors
    /// [`LawBroken`].
    pub fn shift_invariance(&self, estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
        let test = |batch: &OwnedBatch| {
            let before = Estimate::of(estimator, batch)?;
            let mut shifted = batch.clone();
            for (group, shift) in shifted.groups.iter_mut().zip(SHIFTS.iter().cycle()) {
                members(group).for_each(|response| map_outcomes(response, |r| r + shift));
            }
            let after = Estimate::of(estimator, &shifted)?;
            let when = format!("with {SHIFTS:?} (and over again) added to each group's outcomes");
            advantages_agree(&after, &before, &when)
        };
        let shape = self.batches.clone();
        self.check("shift_invariance", estimator, shape, eighths, test)
    }

    /// [`scale_equivariance`](fn@scale_equivariance) on these batches, their rewards
    /// rounded to eighths.
    ///
    /// # Errors
    /// [`LawBroken`].
    pub fn scale_equivariance(&self, estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
        self.scaled(
            "scale_equivariance",
            estimator,
            |after, mut before, factor, when| {
                for x in before.each().into_iter().flatten().flatten().flatten() {
                    *x *= factor;
                }
                agree(&after, &before, when)
            },
        )
    }

    /// [`scale_invariance`](fn@scale_invariance) on these batches, their rewards
    /// rounded to eighths.
    ///
    /// # Errors
    /// [`LawBroken`].
    pub fn scale_invariance(&self, estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
        self.scaled("scale_invariance", estimator, |after, before, _, when| {
            advantages_agree(&after, &before, when)
        })
    }

    fn scaled(
        &self,
        law: &'static str,
        estimator: &dyn AdvantageEstimator,
        compare: impl Fn(Estimate, Estimate, f32, &str) -> Verdict,
    ) -> Result<(), LawBroken> {
        let test = |batch: &OwnedBatch| -> Verdict {
            let before = Estimate::of(estimator, batch)?;
            for factor in FACTORS {
                let mut scaled = batch.clone();
                responses(&mut scaled).for_each(|r| map_rewards(r, |x| x * factor));
                let after = Estimate::of(estimator, &scaled)?;
                let when = format!("with rewards and values times {factor:?}");
                compare(after, before.clone(), factor, &when)?;
            }
            Ok(())
        };
        self.check(law, estimator, self.batches.clone(), eighths, test)
    }
}
