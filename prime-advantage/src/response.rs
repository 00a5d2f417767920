//! One sampled response and what is known about it.

use crate::{AdvantageError, ResponseField};

/// One response, borrowing its per-token numbers.
///
/// Built in one expression and checked when it joins a
/// [`PromptGroup`](crate::PromptGroup):
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
    process_rewards: Option<&'a [f32]>,
    values: Option<&'a [f32]>,
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
            process_rewards: None,
            values: None,
            mask: None,
            truncated: false,
        }
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

    /// The reward of each token, if given.
    pub fn process_rewards(&self) -> Option<&'a [f32]> {
        self.process_rewards
    }

    /// The critic's value at each token, if given.
    pub fn values(&self) -> Option<&'a [f32]> {
        self.values
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
        self.check_numbers(
            response,
            ResponseField::ProcessRewards,
            self.process_rewards,
        )?;
        self.check_numbers(response, ResponseField::Values, self.values)?;
        self.check_length(response, ResponseField::Mask, self.mask.map(<[bool]>::len))
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
        numbers: Option<&[f32]>,
    ) -> Result<(), AdvantageError> {
        self.check_length(response, field, numbers.map(<[f32]>::len))?;
        let numbers = numbers.unwrap_or_default();
        match numbers.iter().position(|x| !x.is_finite()) {
            Some(token) => Err(AdvantageError::TokenNotFinite {
                response,
                field,
                token,
                value: numbers[token],
            }),
            None => Ok(()),
        }
    }
}
