//! The rewards of single tokens, as estimators that look at tokens read them.

use std::borrow::Cow;

use crate::packed::pack;
use crate::{AdvantageError, Place, Response, ResponseField, RewardBatch};

/// The token rewards of a response, policy tokens only: its process rewards, or
/// zeros, plus the outcome reward at the last one.
pub(crate) struct TokenRewards<'a> {
    /// Without the outcome reward.
    pub(crate) process: Cow<'a, [f32]>,
    /// Of the last token, with the outcome reward.
    pub(crate) last: f64,
}

/// As many zeros as the longest response has tokens, where token rewards need them.
pub(crate) fn zeros(batch: &RewardBatch<'_>) -> Vec<f32> {
    if has_process_rewards(batch) {
        return vec![];
    }
    vec![0.0; batch.responses().map(Response::len).max().unwrap_or(0)]
}

fn has_process_rewards(batch: &RewardBatch<'_>) -> bool {
    batch.responses().any(|r| r.process_rewards().is_some())
}

impl<'a> TokenRewards<'a> {
    /// Those of every response, group after group; `zeros` from [`zeros`].
    pub(crate) fn of_batch(
        estimator: &str,
        batch: &RewardBatch<'a>,
        zeros: &'a [f32],
    ) -> Result<Vec<Self>, AdvantageError> {
        let dense = has_process_rewards(batch);
        batch
            .places()
            .map(|(place, response)| {
                let process = match response.process_rewards() {
                    Some(rewards) => pack(rewards, response.mask()),
                    None if !dense => Cow::Borrowed(&zeros[..response.policy_tokens()]),
                    None if response.is_empty() => Cow::Borrowed(&[][..]),
                    // Some responses with process rewards and some without: a lost input, not a choice.
                    None => return Err(missing(estimator, ResponseField::ProcessRewards, place)),
                };
                let counts = !batch.groups()[place.group].is_process_only();
                let outcome = if counts {
                    f64::from(response.outcome_reward())
                } else {
                    0.0
                };
                let last = process.last().map_or(0.0, |&r| f64::from(r)) + outcome;
                Ok(Self { process, last })
            })
            .collect()
    }
}

/// A per-token input that an estimator cannot do without, policy tokens only. An empty
/// response needs none.
pub(crate) fn required<'a>(
    estimator: &str,
    (place, response): (Place, &Response<'a>),
    (field, numbers): (ResponseField, Option<&'a [f32]>),
) -> Result<Cow<'a, [f32]>, AdvantageError> {
    match numbers {
        Some(numbers) => Ok(pack(numbers, response.mask())),
        None if response.is_empty() => Ok(Cow::Borrowed(&[])),
        None => Err(missing(estimator, field, place)),
    }
}

pub(crate) fn missing(estimator: &str, field: ResponseField, place: Place) -> AdvantageError {
    AdvantageError::MissingInput {
        estimator: estimator.to_owned(),
        field,
        group: place.group,
        response: place.response,
    }
}
