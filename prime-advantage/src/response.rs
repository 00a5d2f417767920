//! One sampled response and what is known about it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{AdvantageError, ResponseField};

/// One of several outcome rewards of a response, by its name: `accuracy`, `format`, …
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedReward<'a> {
    /// What is rewarded.
    pub name: Cow<'a, str>,
    /// The reward.
    pub value: f32,
}

impl<'a> NamedReward<'a> {
    /// A reward under a name.
    pub fn new(name: impl Into<Cow<'a, str>>, value: f32) -> Self {
        Self {
            name: name.into(),
            value,
        }
    }
}

/// One response, borrowing its per-token numbers.
///
/// Built in one expression and checked when it joins a
/// [`PromptGroup`](crate::PromptGroup). What an estimator does not read may be
/// left out. [`OwnedResponse`](crate::OwnedResponse) is the same with numbers of
/// its own.
///
/// ```
/// # use prime_advantage::Response;
/// let response = Response::new(3, 1.0)
///     .with_process_rewards(&[0.1, 0.0, 0.2])
///     .with_mask(&[true, false, true]);
/// assert_eq!(response.policy_tokens(), 2);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Response<'a> {
    tokens: usize,
    outcome_reward: f32,
    named_rewards: &'a [NamedReward<'a>],
    process_rewards: Option<&'a [f32]>,
    values: Option<&'a [f32]>,
    old_log_probs: Option<&'a [f32]>,
    ref_log_probs: Option<&'a [f32]>,
    sum_pi_squared: Option<&'a [f32]>,
    importance_weights: Option<&'a [f32]>,
    mask: Option<&'a [bool]>,
    truncated: bool,
}

impl<'a> Response<'a> {
    /// A response of `tokens` tokens (end-of-text included, prompt excluded) and
    /// the reward of its outcome, usually in `[0, 1]`. `tokens` may be 0.
    pub fn new(tokens: usize, outcome_reward: f32) -> Self {
        Self {
            tokens,
            outcome_reward,
            named_rewards: &[],
            process_rewards: None,
            values: None,
            old_log_probs: None,
            ref_log_probs: None,
            sum_pi_squared: None,
            importance_weights: None,
            mask: None,
            truncated: false,
        }
    }

    /// Several outcome rewards by name, read by [`Gdpo`](crate::Gdpo) only: every
    /// other estimator reads the one given to [`Response::new`]. All responses of a
    /// batch have the same names in the same order.
    #[must_use]
    pub fn with_named_rewards(mut self, named_rewards: &'a [NamedReward<'a>]) -> Self {
        self.named_rewards = named_rewards;
        self
    }

    /// One reward per token, for instance from an implicit PRM.
    #[must_use]
    pub fn with_process_rewards(mut self, process_rewards: &'a [f32]) -> Self {
        self.process_rewards = Some(process_rewards);
        self
    }

    /// One critic value per token: the value of the state the token was sampled in.
    #[must_use]
    pub fn with_values(mut self, values: &'a [f32]) -> Self {
        self.values = Some(values);
        self
    }

    /// Log-probability of each token under the policy that sampled it, in nats, at most 0.
    #[must_use]
    pub fn with_old_log_probs(mut self, old_log_probs: &'a [f32]) -> Self {
        self.old_log_probs = Some(old_log_probs);
        self
    }

    /// Log-probability of each token under the reference model, in nats, at most 0.
    #[must_use]
    pub fn with_ref_log_probs(mut self, ref_log_probs: &'a [f32]) -> Self {
        self.ref_log_probs = Some(ref_log_probs);
        self
    }

    /// `Σ_v π(v)²` over the vocabulary at each token, in `[0, 1]`; read by
    /// [`OptimalTokenBaseline`](crate::OptimalTokenBaseline).
    #[must_use]
    pub fn with_sum_pi_squared(mut self, sum_pi_squared: &'a [f32]) -> Self {
        self.sum_pi_squared = Some(sum_pi_squared);
        self
    }

    /// Importance weight of each token for a policy that has moved since sampling,
    /// at least 0 (verl `rollout_is_weights`); read by
    /// [`OptimalTokenBaseline`](crate::OptimalTokenBaseline).
    #[must_use]
    pub fn with_importance_weights(mut self, importance_weights: &'a [f32]) -> Self {
        self.importance_weights = Some(importance_weights);
        self
    }

    /// One flag per token; `false` marks a token the policy did not write, such as
    /// a tool's output. Without a mask every token is the policy's.
    #[must_use]
    pub fn with_mask(mut self, mask: &'a [bool]) -> Self {
        self.mask = Some(mask);
        self
    }

    /// Whether generation stopped at the length limit. Read by
    /// [`PromptFilter`](crate::PromptFilter) only.
    #[must_use]
    pub fn with_truncated(mut self, truncated: bool) -> Self {
        self.truncated = truncated;
        self
    }

    /// The same response with another outcome reward.
    #[must_use]
    pub fn with_outcome_reward(mut self, outcome_reward: f32) -> Self {
        self.outcome_reward = outcome_reward;
        self
    }

    /// The same response without process rewards.
    #[must_use]
    pub fn without_process_rewards(mut self) -> Self {
        self.process_rewards = None;
        self
    }

    /// Number of tokens, masked ones included.
    pub fn len(&self) -> usize {
        self.tokens
    }

    /// Whether the response has no tokens at all.
    pub fn is_empty(&self) -> bool {
        self.tokens == 0
    }

    /// The reward of the whole response.
    pub fn outcome_reward(&self) -> f32 {
        self.outcome_reward
    }

    /// The rewards of the whole response by name; empty if there is only the one.
    pub fn named_rewards(&self) -> &'a [NamedReward<'a>] {
        self.named_rewards
    }

    /// The reward of each token, if given.
    pub fn process_rewards(&self) -> Option<&'a [f32]> {
        self.process_rewards
    }

    /// The critic's value at each token, if given.
    pub fn values(&self) -> Option<&'a [f32]> {
        self.values
    }

    /// Log-probabilities under the sampling policy, if given.
    pub fn old_log_probs(&self) -> Option<&'a [f32]> {
        self.old_log_probs
    }

    /// Log-probabilities under the reference model, if given.
    pub fn ref_log_probs(&self) -> Option<&'a [f32]> {
        self.ref_log_probs
    }

    /// `Σ_v π(v)²` at each token, if given.
    pub fn sum_pi_squared(&self) -> Option<&'a [f32]> {
        self.sum_pi_squared
    }

    /// Importance weights, if given.
    pub fn importance_weights(&self) -> Option<&'a [f32]> {
        self.importance_weights
    }

    /// Which tokens the policy wrote, if given; all of them if not.
    pub fn mask(&self) -> Option<&'a [bool]> {
        self.mask
    }

    /// Whether generation stopped at the length limit.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// How many tokens the policy wrote.
    pub fn policy_tokens(&self) -> usize {
        match self.mask {
            None => self.tokens,
            Some(mask) => mask.iter().filter(|&&own| own).count(),
        }
    }

    /// The position of the last token the policy wrote: where an outcome reward
    /// is paid. `None` if it wrote none.
    pub fn last_policy_token(&self) -> Option<usize> {
        match self.mask {
            None => self.tokens.checked_sub(1),
            Some(mask) => mask.iter().rposition(|&own| own),
        }
    }

    pub(crate) fn validate(&self, response: usize) -> Result<(), AdvantageError> {
        let value = self.outcome_reward;
        if !value.is_finite() {
            return Err(AdvantageError::OutcomeNotFinite { response, value });
        }
        let mut named = self.named_rewards.iter();
        if let Some(named) = named.find(|named| !named.value.is_finite()) {
            return Err(AdvantageError::NamedRewardNotFinite {
                response,
                name: named.name.to_string(),
                value: named.value,
            });
        }
        self.check_length(response, ResponseField::Mask, self.mask.map(<[bool]>::len))?;
        use ResponseField as Field;
        let any = (f32::NEG_INFINITY, f32::INFINITY, "finite");
        // Softmax in f32 can leave the last bits above 0 and 1.
        let log_prob = (f32::NEG_INFINITY, 1e-3, "a log-probability, at most 0");
        let square = (0.0, 1.0 + 1e-3, "a sum of squared probabilities, in [0, 1]");
        let weight = (0.0, f32::INFINITY, "an importance weight, at least 0");
        for (field, numbers, range) in [
            (Field::ProcessRewards, self.process_rewards, any),
            (Field::Values, self.values, any),
            (Field::OldLogProbs, self.old_log_probs, log_prob),
            (Field::RefLogProbs, self.ref_log_probs, log_prob),
            (Field::SumPiSquared, self.sum_pi_squared, square),
            (Field::ImportanceWeights, self.importance_weights, weight),
        ] {
            if let Some(numbers) = numbers {
                self.check_numbers(response, field, numbers, range)?;
            }
        }
        Ok(())
    }

    fn check_length(
        &self,
        response: usize,
        field: ResponseField,
        found: Option<usize>,
    ) -> Result<(), AdvantageError> {
        match found {
            Some(found) if found != self.tokens => Err(AdvantageError::LengthMismatch {
                response,
                field,
                tokens: self.tokens,
                found,
            }),
            _ => Ok(()),
        }
    }

    fn check_numbers(
        &self,
        response: usize,
        field: ResponseField,
        numbers: &[f32],
        (least, most, range): (f32, f32, &'static str),
    ) -> Result<(), AdvantageError> {
        self.check_length(response, field, Some(numbers.len()))?;
        // Neither NaN nor infinity is in such a range. Without an early exit this vectorises;
        // the search is for the rare bad case.
        let (least, most) = (least.max(f32::MIN), most.min(f32::MAX));
        let fits = |x: &f32| (*x >= least) & (*x <= most);
        if numbers.iter().fold(true, |all, x| all & fits(x)) {
            return Ok(());
        }
        let token = numbers.iter().position(|x| !fits(x)).unwrap_or_default();
        let value = numbers[token];
        if value.is_finite() {
            Err(AdvantageError::TokenOutOfRange {
                response,
                field,
                token,
                value,
                range,
            })
        } else {
            Err(AdvantageError::TokenNotFinite {
                response,
                field,
                token,
                value,
            })
        }
    }
}
