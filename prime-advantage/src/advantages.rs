//! The ragged result: one advantage and one return per token.

use std::ops::Range;

use crate::{AdvantageError, Response, RewardBatch, parallel};

/// One advantage and one return per response token, in the shape of the batch.
///
/// An advantage is what the policy loss multiplies. A return is, for an estimator
/// with a critic, the value target; for one without, the advantage before
/// whitening (and so the advantage itself where nothing is whitened).
/// Both are `0.0` at masked tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct Advantages {
    // The advantages, then the returns where they are numbers of their own: one
    // allocation, which allocators keep and reuse from step to step where they would
    // return two to the system.
    numbers: Vec<f32>,
    tokens: usize,
    // Response r has tokens token_offsets[r]..token_offsets[r + 1].
    token_offsets: Vec<usize>,
    // Group g has responses group_offsets[g]..group_offsets[g + 1].
    group_offsets: Vec<usize>,
}

impl Advantages {
    /// All zeros in the batch's shape, to be filled through
    /// [`Advantages::advantages_mut`]; the returns are the advantages.
    pub fn zeros(batch: &RewardBatch<'_>) -> Self {
        Self::shaped_like(batch, 1)
    }

    /// All zeros, with returns that are numbers of their own.
    pub fn zeros_with_returns(batch: &RewardBatch<'_>) -> Self {
        Self::shaped_like(batch, 2)
    }

    /// Advantages that are their own returns, written response by response by `work`; also
    /// what it returned. Every entry it gets is 0 where masked, and anything elsewhere.
    ///
    /// On one core the numbers go from a cache-sized buffer to their place, so that no
    /// memory is zeroed first.
    pub(crate) fn written<R: Send>(
        batch: &RewardBatch<'_>,
        work: impl Fn(usize, &mut [f32]) -> R + Sync + Send,
    ) -> (Self, Vec<R>) {
        if cfg!(feature = "rayon") {
            let mut result = Self::zeros(batch);
            let done = parallel::map(result.responses_mut(), |r, (out, _)| work(r, out));
            return (result, done);
        }
        let mut result = Self::shaped_like(batch, 0);
        let longest = batch.responses().map(Response::len).max().unwrap_or(0);
        let mut buffer = vec![0.0; longest];
        let mut done = Vec::with_capacity(result.response_count());
        result.numbers.reserve_exact(result.tokens);
        for (r, response) in batch.responses().enumerate() {
            let out = &mut buffer[..response.len()];
            if response.mask().is_some() {
                out.fill(0.0);
            }
            done.push(work(r, out));
            result.numbers.extend_from_slice(out);
        }
        (result, done)
    }

    fn shaped_like(batch: &RewardBatch<'_>, copies: usize) -> Self {
        let mut token_offsets = Vec::with_capacity(batch.response_count() + 1);
        let mut group_offsets = Vec::with_capacity(batch.groups().len() + 1);
        let mut tokens = 0;
        token_offsets.push(0);
        group_offsets.push(0);
        for group in batch.groups() {
            for response in group.responses() {
                tokens += response.len();
                token_offsets.push(tokens);
            }
            group_offsets.push(token_offsets.len() - 1);
        }
        Self {
            numbers: vec![0.0; copies * tokens],
            tokens,
            token_offsets,
            group_offsets,
        }
    }

    /// Number of prompt groups.
    pub fn group_count(&self) -> usize {
        self.group_offsets.len() - 1
    }

    /// Number of responses in all groups together.
    pub fn response_count(&self) -> usize {
        self.token_offsets.len() - 1
    }

    /// Every advantage of the batch, response after response.
    pub fn advantages(&self) -> &[f32] {
        &self.numbers[..self.tokens]
    }

    /// Every return of the batch, response after response.
    pub fn returns(&self) -> &[f32] {
        // Where there is one copy it starts at 0.
        &self.numbers[self.numbers.len() - self.tokens..]
    }

    /// One group's results; `None` past the last group.
    pub fn group(&self, group: usize) -> Option<GroupAdvantages<'_>> {
        let end = *self.group_offsets.get(group.checked_add(1)?)?;
        Some(GroupAdvantages {
            all: self,
            responses: self.group_offsets[group]..end,
        })
    }

    /// One response's results; `None` if there is no such response.
    pub fn response(&self, group: usize, response: usize) -> Option<ResponseAdvantages<'_>> {
        self.flat_index(group, response).map(|r| self.flat(r))
    }

    /// The results of all responses, group after group.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = ResponseAdvantages<'_>> + Clone + '_ {
        (0..self.response_count()).map(|r| self.flat(r))
    }

    /// The results of all groups, in order.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = GroupAdvantages<'_>> + Clone + '_ {
        self.group_offsets.windows(2).map(|w| GroupAdvantages {
            all: self,
            responses: w[0]..w[1],
        })
    }

    /// One response's advantages, to write; `None` if there is no such response.
    pub fn advantages_mut(&mut self, group: usize, response: usize) -> Option<&mut [f32]> {
        let range = self.range(self.flat_index(group, response)?);
        self.numbers.get_mut(range)
    }

    /// One response's returns, to write; `None` if there is no such response or
    /// the returns are the advantages ([`Advantages::zeros`]).
    pub fn returns_mut(&mut self, group: usize, response: usize) -> Option<&mut [f32]> {
        let range = self.range(self.flat_index(group, response)?);
        let returns = &mut self.numbers[self.tokens..];
        // Empty where the returns are the advantages.
        returns.get_mut(range)
    }

    /// Every response's advantages and returns to write, in order; the returns are
    /// empty where they are the advantages.
    pub(crate) fn responses_mut(&mut self) -> Vec<(&mut [f32], &mut [f32])> {
        let (mut advantages, mut returns) = self.numbers.split_at_mut(self.tokens);
        let own_returns = !returns.is_empty();
        let lengths = self.token_offsets.windows(2).map(|w| w[1] - w[0]);
        lengths
            .map(|len| {
                let own = take_front(&mut advantages, len);
                let returned = if own_returns { len } else { 0 };
                (own, take_front(&mut returns, returned))
            })
            .collect()
    }

    /// Takes over another result's returns.
    pub(crate) fn set_returns_of(&mut self, other: &Advantages) {
        self.numbers.truncate(self.tokens);
        self.numbers.extend_from_slice(other.returns());
    }

    /// The error for a number of the `flat`-th response that does not fit an `f32`.
    pub(crate) fn not_finite(&self, flat: usize) -> AdvantageError {
        let range = self.range(flat);
        let bad = |numbers: &[f32]| numbers.iter().position(|x| !x.is_finite());
        let token = bad(&self.numbers[range.clone()]).or_else(|| bad(&self.returns()[range]));
        let group = self.group_offsets.partition_point(|&start| start <= flat) - 1;
        AdvantageError::ResultNotFinite {
            group,
            response: flat - self.group_offsets[group],
            token: token.unwrap_or_default(),
        }
    }

    /// Passes the result on if every number in it is finite.
    ///
    /// # Errors
    /// [`AdvantageError::ResultNotFinite`], naming the token.
    pub fn into_finite(self) -> Result<Self, AdvantageError> {
        // Without an early exit this vectorises; the search is for the rare bad case.
        let all = |numbers: &[f32]| numbers.iter().fold(true, |all, x| all & x.is_finite());
        if all(&self.numbers) {
            return Ok(self);
        }
        let bad = |r: &usize| {
            let response = self.flat(*r);
            !all(response.advantages) || !all(response.returns)
        };
        let flat = (0..self.response_count()).find(bad);
        Err(self.not_finite(flat.unwrap_or_default()))
    }

    fn flat_index(&self, group: usize, response: usize) -> Option<usize> {
        let end = *self.group_offsets.get(group.checked_add(1)?)?;
        let flat = self.group_offsets[group].checked_add(response)?;
        (flat < end).then_some(flat)
    }

    fn range(&self, r: usize) -> Range<usize> {
        self.token_offsets[r]..self.token_offsets[r + 1]
    }

    /// The `r`-th response of the batch.
    pub(crate) fn flat(&self, r: usize) -> ResponseAdvantages<'_> {
        let range = self.range(r);
        ResponseAdvantages {
            advantages: &self.advantages()[range.clone()],
            returns: &self.returns()[range],
        }
    }
}

fn take_front<'s>(rest: &mut &'s mut [f32], len: usize) -> &'s mut [f32] {
    let (front, back) = std::mem::take(rest).split_at_mut(len);
    *rest = back;
    front
}

/// The results of one prompt group.
#[derive(Debug, Clone)]
pub struct GroupAdvantages<'r> {
    all: &'r Advantages,
    responses: Range<usize>,
}

impl<'r> GroupAdvantages<'r> {
    /// How many responses, at least 1.
    #[allow(clippy::len_without_is_empty)] // a group is never empty
    pub fn len(&self) -> usize {
        self.responses.len()
    }

    /// One response's results; `None` past the last response.
    pub fn response(&self, response: usize) -> Option<ResponseAdvantages<'r>> {
        (response < self.len()).then(|| self.all.flat(self.responses.start + response))
    }

    /// The results of the group's responses, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = ResponseAdvantages<'r>> + Clone + use<'r> {
        let all = self.all;
        self.responses.clone().map(move |r| all.flat(r))
    }
}

/// The results of one response: as many numbers as it has tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResponseAdvantages<'r> {
    advantages: &'r [f32],
    returns: &'r [f32],
}

impl<'r> ResponseAdvantages<'r> {
    /// One advantage per token.
    pub fn advantages(&self) -> &'r [f32] {
        self.advantages
    }

    /// One return per token; see [`Advantages`] for what it means.
    pub fn returns(&self) -> &'r [f32] {
        self.returns
    }
}
