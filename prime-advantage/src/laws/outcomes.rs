//! Laws about comparing the outcomes of a group.

use super::compare::{Estimate, Verdict, is_about_zero};
use super::edit::{ensure_policy_token, map_outcomes, members, responses, silence_process};
use super::finite::PROMISED_MAGNITUDE;
use super::{LawBroken, Laws};
use crate::strategies::{BatchShape, RewardKind};
use crate::{AdvantageEstimator, OwnedBatch, OwnedGroup};

/// In a group where all outcome rewards are equal (named ones too, and the greedy
/// response's) and process rewards are 0, every advantage is exactly `+0.0`, to the bit:
/// not rounding divided by ε.
///
/// Holds for RLOO, GRPO and its relatives, OPO, GPG, ReMax, REINFORCE with the group's
/// mean, and PRIME with one of these as its outcome half. Not without a group baseline,
/// with a critic, or where a batch is whitened with its mean taken away, as by GDPO.
///
/// # Errors
/// [`LawBroken`], with a counterexample.
pub fn zero_variance(estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
    Laws::default().zero_variance(estimator)
}

/// The advantages of a group's responses add up to 0: `Σ_i A_i = 0`, read at each
/// response's last token, in batches without masks and with process rewards 0.
///
/// Holds where the baseline is the plain mean, with or without the response itself: RLOO,
/// GRPO, GPG, REINFORCE with the group's mean, and PRIME with one of these as its
/// outcome half. Not for OPO (longer responses weigh more), `grpo_passk`, ReMax, or
/// where the batch is whitened.
///
/// # Errors
/// [`LawBroken`], with a counterexample.
pub fn zero_mean(estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
    Laws::default().zero_mean(estimator)
}

/// In a group of two, one gets what the other loses: `A_1 = −A_2`, read at each
/// response's last token, in batches without masks and with process rewards 0.
///
/// Holds where [`zero_mean`] does, and for any baseline halfway between the two, such as
/// a median.
///
/// # Errors
/// [`LawBroken`], with a counterexample.
pub fn pair_antisymmetry(estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
    Laws::default().pair_antisymmetry(estimator)
}

impl Laws {
    /// [`zero_variance`](fn@zero_variance) on these batches, with rewards of any size and
    /// every other group made equal.
    ///
    /// # Errors
    /// [`LawBroken`].
    pub fn zero_variance(&self, estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
        let shape = self.batches.clone().with_rewards(RewardKind::AnyFinite {
            magnitude: PROMISED_MAGNITUDE,
        });
        let prepare = |batch: &mut OwnedBatch| {
            for (g, group) in batch.groups.iter_mut().enumerate().step_by(2) {
                equalise(group, g == 2);
            }
        };
        let test = |batch: &OwnedBatch| -> Verdict {
            let result = Estimate::of(estimator, batch)?;
            for (g, group) in result.advantages.iter().enumerate().step_by(2) {
                for (i, response) in group.iter().enumerate() {
                    if let Some(t) = response.iter().position(|x| x.to_bits() != 0) {
                        let found = response[t];
                        return Err(format!(
                            "the rewards of group {g} are all equal, but the advantage at token {t} of \
                             response {i} is {found:?}, expected 0.0"
                        ));
                    }
                }
            }
            Ok(())
        };
        self.check("zero_variance", estimator, shape, prepare, test)
    }

    /// [`zero_mean`](fn@zero_mean) on these batches.
    ///
    /// # Errors
    /// [`LawBroken`].
    pub fn zero_mean(&self, estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
        self.balanced("zero_mean", estimator, self.batches.clone())
    }

    /// [`pair_antisymmetry`](fn@pair_antisymmetry) on these batches, with two responses
    /// in each group.
    ///
    /// # Errors
    /// [`LawBroken`].
    pub fn pair_antisymmetry(&self, estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
        let shape = self.batches.clone().with_group_size(2..=2);
        self.balanced("pair_antisymmetry", estimator, shape)
    }

    fn balanced(
        &self,
        law: &'static str,
        estimator: &dyn AdvantageEstimator,
        shape: BatchShape,
    ) -> Result<(), LawBroken> {
        let prepare = |batch: &mut OwnedBatch| {
            for response in responses(batch) {
                ensure_policy_token(response);
                silence_process(response, false);
            }
        };
        let test = |batch: &OwnedBatch| -> Verdict {
            let result = Estimate::of(estimator, batch)?;
            for (g, group) in result.advantages.iter().enumerate() {
                let last: Vec<f32> = group.iter().filter_map(|r| r.last().copied()).collect();
                let sum: f64 = last.iter().map(|&x| f64::from(x)).sum();
                let sizes: f64 = last.iter().map(|&x| f64::from(x).abs()).sum();
                if !is_about_zero(sum, sizes) {
                    return Err(format!(
                        "the advantages of group {g} at the last tokens, {last:?}, add up to {sum}, \
                         expected 0"
                    ));
                }
            }
            Ok(())
        };
        self.check(law, estimator, shape.with_masks(false), prepare, test)
    }
}

/// Gives the whole group the first response's rewards, or zeros of either sign.
fn equalise(group: &mut OwnedGroup, zero: bool) {
    let first = group.responses[0].clone();
    for (i, response) in members(group).enumerate() {
        response.outcome_reward = first.outcome_reward;
        response.named_rewards.clone_from(&first.named_rewards);
        silence_process(response, true);
        if zero {
            map_outcomes(response, |_| if i % 2 == 1 { -0.0 } else { 0.0 });
        }
    }
}
