//! The ragged result: one advantage and one return per token.

use std::ops::Range;

use crate::{AdvantageError, RewardBatch};

/// One advantage and one return per response token, in the shape of the batch.
///
/// An advantage is what the policy loss multiplies. A return is, for an estimator
/// with a critic, the value target; for one without, the advantage before
/// whitening (and so the advantage itself where nothing is whitened).
/// Both are `0.0` at masked tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct Advantages {
    advantages: Vec<f32>,
    // `None`: the same numbers as `advantages`.
    returns: Option<Vec<f32>>,
    // Response r has tokens token_offsets[r]..token_offsets[r + 1].
    token_offsets: Vec<usize>,
    // Group g has responses group_offsets[g]..group_offsets[g + 1].
    group_offsets: Vec<usize>,
}

impl Advantages {
    /// All zeros in the batch's shape, to be filled through
    /// [`Advantages::advantages_mut`]; the returns are the advantages.
    pub fn zeros(batch: &RewardBatch<'_>) -> Self {
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
            advantages: vec![0.0; tokens],
            returns: None,
            token_offsets,
            group_offsets,
        }
    }

    /// All zeros, with returns that are numbers of their own.
    pub fn zeros_with_returns(batch: &RewardBatch<'_>) -> Self {
        let mut zeros = Self::zeros(batch);
        zeros.returns = Some(vec![0.0; zeros.advantages.len()]);
        zeros
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
        &self.advantages
    }

    /// Every return of the batch, response after response.
    pub fn returns(&self) -> &[f32] {
        self.returns.as_deref().unwrap_or(&self.advantages)
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
        self.advantages.get_mut(range)
    }

    /// One response's returns, to write; `None` if there is no such response or
    /// the returns are the advantages ([`Advantages::zeros`]).
    pub fn returns_mut(&mut self, group: usize, response: usize) -> Option<&mut [f32]> {
        let range = self.range(self.flat_index(group, response)?);
        self.returns.as_mut()?.get_mut(range)
    }

    /// The advantages to write for the `r`-th response of the batch.
    pub(crate) fn flat_mut(&mut self, r: usize) -> &mut [f32] {
        let range = self.range(r);
        &mut self.advantages[range]
    }

    /// Advantages and returns to write; the returns are empty if they are the advantages.
    pub(crate) fn flat_pair_mut(&mut self, r: usize) -> (&mut [f32], &mut [f32]) {
        let range = self.range(r);
        let returns = match &mut self.returns {
            Some(returns) => &mut returns[range.clone()],
            None => &mut [],
        };
        (&mut self.advantages[range], returns)
    }

    /// Keeps today's advantages as the returns, before the advantages change.
    pub(crate) fn freeze_returns(&mut self) {
        if self.returns.is_none() {
            self.returns = Some(self.advantages.clone());
        }
    }

    /// Passes the result on if every number in it is finite.
    pub(crate) fn into_finite(self) -> Result<Self, AdvantageError> {
        let bad = |numbers: &[f32]| {
            // Counting has no early exit, so it vectorises; the search is for the rare bad case.
            let finite = numbers.iter().filter(|x| x.is_finite()).count();
            if finite == numbers.len() {
                None
            } else {
                numbers.iter().position(|x| !x.is_finite())
            }
        };
        let first = bad(&self.advantages).or_else(|| self.returns.as_deref().and_then(bad));
        let Some(at) = first else { return Ok(self) };
        let flat = self.token_offsets.partition_point(|&start| start <= at) - 1;
        let group = self.group_offsets.partition_point(|&start| start <= flat) - 1;
        Err(AdvantageError::ResultNotFinite {
            group,
            response: flat - self.group_offsets[group],
            token: at - self.token_offsets[flat],
        })
    }

    fn flat_index(&self, group: usize, response: usize) -> Option<usize> {
        let end = *self.group_offsets.get(group.checked_add(1)?)?;
        let flat = self.group_offsets[group].checked_add(response)?;
        (flat < end).then_some(flat)
    }

    fn range(&self, r: usize) -> Range<usize> {
        self.token_offsets[r]..self.token_offsets[r + 1]
    }

    fn flat(&self, r: usize) -> ResponseAdvantages<'_> {
        let range = self.range(r);
        ResponseAdvantages {
            advantages: &self.advantages[range.clone()],
            returns: &self.returns()[range],
        }
    }
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
