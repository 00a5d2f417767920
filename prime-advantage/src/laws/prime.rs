//! The law that PRIME adds to an outcome estimator and takes nothing away.

use super::compare::{Estimate, advantages_same_bits, same_bits};
use super::edit::{responses, silence_process};
use super::{LawBroken, Laws};
use crate::{AdvantageEstimator, OwnedBatch};

/// Where all process rewards are 0.0 (of either sign), `prime` gives the advantages of
/// `outcome`, bit for bit; with a critic, its targets too.
///
/// Holds for [`Prime`](crate::Prime) with `outcome` as its outcome half, `outcome_coef`
/// 1, and nothing whitened or discounted by PRIME itself, whatever scores the process
/// rewards. Not for a process half with a critic beside an outcome half without: it
/// subtracts values whether or not there are rewards.
///
/// # Errors
/// [`LawBroken`], with a counterexample.
pub fn prime_without_process(
    prime: &dyn AdvantageEstimator,
    outcome: &dyn AdvantageEstimator,
) -> Result<(), LawBroken> {
    Laws::default().prime_without_process(prime, outcome)
}

impl Laws {
    /// [`prime_without_process`](fn@prime_without_process) on these batches.
    ///
    /// # Errors
    /// [`LawBroken`].
    pub fn prime_without_process(
        &self,
        prime: &dyn AdvantageEstimator,
        outcome: &dyn AdvantageEstimator,
    ) -> Result<(), LawBroken> {
        let when = format!(
            "without process rewards, compared with `{}`",
            outcome.name()
        );
        self.check(
            "prime_without_process",
            prime,
            self.batches.clone().with_process_rewards(true),
            |batch| responses(batch).for_each(|response| silence_process(response, true)),
            |batch: &OwnedBatch| {
                let expected = Estimate::of(outcome, batch)?;
                let found = Estimate::of(prime, batch)?;
                if outcome.uses_values() {
                    same_bits(&found, &expected, &when)
                } else {
                    advantages_same_bits(&found, &expected, &when)
                }
            },
        )
    }
}
