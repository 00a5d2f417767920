//! Laws about generalised advantage estimation at the ends of its range.

use super::compare::{Estimate, Verdict, agree};
use super::edit::own;
use super::{LawBroken, Laws};
use crate::{AdvantageEstimator, OwnedBatch, OwnedResponse};

/// With λ = 1 the advantage is the return less the value: `A_t = G_t − V_t` with
/// `G_t = r_t + γ G_{t+1}`, and the return is `G_t`.
///
/// `r` is the process reward, plus the outcome reward at the last policy token unless the
/// group is process-only. Masked tokens are skipped, and past the end everything is 0.
/// Holds for GAE(γ, 1) without whitening, and for no other estimator here.
///
/// # Errors
/// [`LawBroken`], with a counterexample.
pub fn gae_lambda_one(estimator: &dyn AdvantageEstimator, gamma: f64) -> Result<(), LawBroken> {
    Laws::default().gae_lambda_one(estimator, gamma)
}

/// With λ = 0 the advantage is the TD error: `A_t = r_t + γ V_{t+1} − V_t`, and the
/// return is `r_t + γ V_{t+1}`.
///
/// `r` is the process reward, plus the outcome reward at the last policy token unless the
/// group is process-only. Masked tokens are skipped, and past the end everything is 0.
/// Holds for GAE(γ, 0) without whitening, and for no other estimator here.
///
/// # Errors
/// [`LawBroken`], with a counterexample.
pub fn gae_lambda_zero(estimator: &dyn AdvantageEstimator, gamma: f64) -> Result<(), LawBroken> {
    Laws::default().gae_lambda_zero(estimator, gamma)
}

impl Laws {
    /// [`gae_lambda_one`](fn@gae_lambda_one) on these batches.
    ///
    /// # Errors
    /// [`LawBroken`].
    pub fn gae_lambda_one(
        &self,
        estimator: &dyn AdvantageEstimator,
        gamma: f64,
    ) -> Result<(), LawBroken> {
        let when = format!("by G_t − V_t with a discount of {gamma}");
        self.targets("gae_lambda_one", estimator, &when, |rewards, _| {
            let mut to_go = 0.0;
            let mut targets = rewards.to_vec();
            for target in targets.iter_mut().rev() {
                to_go = *target + gamma * to_go;
                *target = to_go;
            }
            targets
        })
    }

    /// [`gae_lambda_zero`](fn@gae_lambda_zero) on these batches.
    ///
    /// # Errors
    /// [`LawBroken`].
    pub fn gae_lambda_zero(
        &self,
        estimator: &dyn AdvantageEstimator,
        gamma: f64,
    ) -> Result<(), LawBroken> {
        let when = format!("by r_t + γ V_(t+1) − V_t with a discount of {gamma}");
        self.targets("gae_lambda_zero", estimator, &when, |rewards, values| {
            let next = values.iter().skip(1).chain(&[0.0]);
            let rewards = rewards.iter().zip(next);
            rewards.map(|(r, next)| r + gamma * next).collect()
        })
    }

    /// Advantages are what `targets` makes of token rewards and values, less the values.
    fn targets(
        &self,
        law: &'static str,
        estimator: &dyn AdvantageEstimator,
        when: &str,
        targets: impl Fn(&[f64], &[f64]) -> Vec<f64>,
    ) -> Result<(), LawBroken> {
        let test = |batch: &OwnedBatch| -> Verdict {
            let found = Estimate::of(estimator, batch)?;
            let mut expected = found.clone();
            for (g, group) in batch.groups.iter().enumerate() {
                for (i, response) in group.responses.iter().enumerate() {
                    let (rewards, values) = rewards_and_values(response, group.process_only);
                    let targets = targets(&rewards, &values);
                    let advantages = targets.iter().zip(&values).map(|(t, v)| t - v);
                    let advantages: Vec<f64> = advantages.collect();
                    expected.advantages[g][i] = at_policy_tokens(response, &advantages);
                    expected.returns[g][i] = at_policy_tokens(response, &targets);
                }
            }
            agree(&found, &expected, when)
        };
        let shape = self.batches.clone().with_values(true);
        self.check(law, estimator, shape, |_| {}, test)
    }
}

/// Of the policy tokens only.
fn rewards_and_values(response: &OwnedResponse, process_only: bool) -> (Vec<f64>, Vec<f64>) {
    let packed = |column: &Option<Vec<f32>>| -> Vec<f64> {
        let numbers = own(response)
            .into_iter()
            .enumerate()
            .filter(|(_, own)| *own);
        numbers
            .map(|(t, _)| column.as_ref().map_or(0.0, |column| column[t].into()))
            .collect()
    };
    let mut rewards = packed(&response.process_rewards);
    if let Some(last) = rewards.last_mut()
        && !process_only
    {
        *last += f64::from(response.outcome_reward);
    }
    (rewards, packed(&response.values))
}

fn at_policy_tokens(response: &OwnedResponse, packed: &[f64]) -> Vec<f32> {
    let mut packed = packed.iter();
    let tokens = own(response).into_iter();
    tokens
        .map(|own| match own {
            true => packed.next().map_or(0.0, |&x| x as f32),
            false => 0.0,
        })
        .collect()
}
