//! Laws about tokens that the policy did not write.

use super::compare::{Estimate, Numbers, Verdict, agree, same_bits};
use super::edit::{disturb_masked, insert_masked, own, responses};
use super::{LawBroken, Laws};
use crate::{AdvantageEstimator, OwnedBatch, OwnedResponse};

/// A masked token gets advantage 0.0 and return 0.0, and the numbers that stand there
/// have no say: others in their place change no bit.
///
/// Holds for every estimator. (Numbers at masked tokens still have to be finite.)
///
/// # Errors
/// [`LawBroken`], with a counterexample.
pub fn masked_tokens(estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
    Laws::default().masked_tokens(estimator)
}

/// Masked tokens at the end of responses change nothing for the tokens before: a ragged
/// batch and a padded one are the same.
///
/// Holds for every estimator.
///
/// # Errors
/// [`LawBroken`], with a counterexample.
pub fn padding(estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
    Laws::default().padding(estimator)
}

/// Masked tokens in front of others change nothing for those: a gap takes no time, the
/// token before it is followed by the token after it.
///
/// Holds for all of this crate's estimators but
/// [`OptimalTokenBaseline`](crate::OptimalTokenBaseline), whose baseline belongs to an
/// absolute position; for that reason it is no part of [`universal`](super::universal).
///
/// # Errors
/// [`LawBroken`], with a counterexample.
pub fn gaps(estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
    Laws::default().gaps(estimator)
}

impl Laws {
    /// [`masked_tokens`](fn@masked_tokens) on these batches.
    ///
    /// # Errors
    /// [`LawBroken`].
    pub fn masked_tokens(&self, estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
        let prepare = |batch: &mut OwnedBatch| {
            // A masked token in each response, whatever the shape says about masks.
            for response in responses(batch) {
                let middle = response.tokens / 2;
                insert_masked(response, middle);
            }
        };
        let test = |batch: &OwnedBatch| {
            let before = Estimate::of(estimator, batch)?;
            zero_where_masked("advantage", batch, &before.advantages)?;
            zero_where_masked("return", batch, &before.returns)?;
            let mut disturbed = batch.clone();
            responses(&mut disturbed).for_each(disturb_masked);
            let after = Estimate::of(estimator, &disturbed)?;
            same_bits(&after, &before, "with other numbers at masked tokens")
        };
        self.check(
            "masked_tokens",
            estimator,
            self.batches.clone(),
            prepare,
            test,
        )
    }

    /// [`padding`](fn@padding) on these batches.
    ///
    /// # Errors
    /// [`LawBroken`].
    pub fn padding(&self, estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
        let pad = |index: usize, response: &mut OwnedResponse| {
            for _ in 0..1 + index % 3 {
                let end = response.tokens;
                insert_masked(response, end);
            }
        };
        self.unnoticed("padding", estimator, "after padding", pad)
    }

    /// [`gaps`](fn@gaps) on these batches.
    ///
    /// # Errors
    /// [`LawBroken`].
    pub fn gaps(&self, estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
        let interrupt = |index: usize, response: &mut OwnedResponse| {
            // Before every third token, and longer ones at the front.
            for at in (0..response.tokens).rev().step_by(3) {
                insert_masked(response, at);
            }
            for _ in 0..index % 3 {
                insert_masked(response, 0);
            }
        };
        self.unnoticed("gaps", estimator, "with gaps put in", interrupt)
    }

    /// Policy tokens keep what they had before `insert` put in masked ones, differently
    /// for the first, second and third response and so on.
    fn unnoticed(
        &self,
        law: &'static str,
        estimator: &dyn AdvantageEstimator,
        when: &str,
        insert: impl Fn(usize, &mut OwnedResponse),
    ) -> Result<(), LawBroken> {
        let test = |batch: &OwnedBatch| -> Verdict {
            let before = policy_tokens(batch, Estimate::of(estimator, batch)?);
            let mut longer = batch.clone();
            let responses = responses(&mut longer).enumerate();
            responses.for_each(|(index, response)| insert(index, response));
            let after = policy_tokens(&longer, Estimate::of(estimator, &longer)?);
            agree(&after, &before, &format!("{when}, policy tokens counted"))
        };
        self.check(law, estimator, self.batches.clone(), |_| {}, test)
    }
}

fn zero_where_masked(what: &str, batch: &OwnedBatch, numbers: &Numbers) -> Verdict {
    for (g, (group, numbers)) in batch.groups.iter().zip(numbers).enumerate() {
        for (i, (response, numbers)) in group.responses.iter().zip(numbers).enumerate() {
            let tokens = own(response).into_iter().zip(numbers).enumerate();
            for (t, (own, x)) in tokens {
                if !own && *x != 0.0 {
                    return Err(format!(
                        "the {what} at the masked token {t} of response {i} in group {g} is {x:?}, \
                         expected 0.0"
                    ));
                }
            }
        }
    }
    Ok(())
}

/// Cuts out what masked tokens got.
fn policy_tokens(batch: &OwnedBatch, mut estimate: Estimate) -> Estimate {
    for numbers in estimate.each() {
        for (group, numbers) in batch.groups.iter().zip(numbers) {
            for (response, numbers) in group.responses.iter().zip(numbers) {
                let mut own = own(response).into_iter();
                numbers.retain(|_| own.next().unwrap_or(true));
            }
        }
    }
    estimate
}
