//! Groups of responses, and the batch an estimator reads.

use std::collections::HashMap;
use std::hash::Hash;

use crate::{AdvantageError, Response};

/// The responses sampled for one prompt: at least one, all checked.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptGroup<'a> {
    responses: Vec<Response<'a>>,
    greedy: Option<Response<'a>>,
    process_only: bool,
}

impl<'a> PromptGroup<'a> {
    /// Checks the responses once; estimators rely on it.
    ///
    /// # Errors
    /// [`AdvantageError::EmptyGroup`], or what is wrong with a response, naming it:
    /// [`AdvantageError::LengthMismatch`], [`AdvantageError::OutcomeNotFinite`],
    /// [`AdvantageError::NamedRewardNotFinite`], [`AdvantageError::TokenNotFinite`],
    /// [`AdvantageError::TokenOutOfRange`], [`AdvantageError::NamesDiffer`]. Numbers at masked tokens are checked too.
    pub fn new(responses: Vec<Response<'a>>) -> Result<Self, AdvantageError> {
        let Some(first) = responses.first() else {
            return Err(AdvantageError::EmptyGroup);
        };
        check_names(first)?;
        for (i, response) in responses.iter().enumerate() {
            response.validate(i)?;
            same_names(first, response, i)?;
        }
        Ok(Self {
            responses,
            greedy: None,
            process_only: false,
        })
    }

    /// Adds the greedy response to the same prompt, whose reward is
    /// [`Remax`](crate::Remax)'s baseline. It is no member of the group and gets no
    /// advantage. Where only its reward is known, its length may be 0.
    ///
    /// # Errors
    /// As [`PromptGroup::new`], wrapped in [`AdvantageError::InGreedy`].
    pub fn with_greedy(mut self, greedy: Response<'a>) -> Result<Self, AdvantageError> {
        greedy
            .validate(0)
            .map_err(|error| AdvantageError::InGreedy {
                error: Box::new(error),
            })?;
        self.greedy = Some(greedy);
        Ok(self)
    }

    /// Marks a group whose outcome must not move the policy, such as one that the
    /// accuracy filter dropped but whose process rewards are still of use.
    ///
    /// Its outcome term is exactly `0.0` and its outcome rewards enter no baseline
    /// of other groups.
    #[must_use]
    pub fn process_only(mut self) -> Self {
        self.process_only = true;
        self
    }

    /// Whether the group was marked by [`PromptGroup::process_only`].
    pub fn is_process_only(&self) -> bool {
        self.process_only
    }

    /// The responses, in the order given.
    pub fn responses(&self) -> &[Response<'a>] {
        &self.responses
    }

    /// The greedy response, if given.
    pub fn greedy(&self) -> Option<&Response<'a>> {
        self.greedy.as_ref()
    }

    /// The group size `K`: how many responses, at least 1.
    #[allow(clippy::len_without_is_empty)] // a group is never empty
    pub fn len(&self) -> usize {
        self.responses.len()
    }

    /// The outcome rewards, in order, widened for summing.
    pub fn outcome_rewards(&self) -> impl Iterator<Item = f64> + Clone + '_ {
        self.responses.iter().map(|r| f64::from(r.outcome_reward()))
    }

    /// Whether all outcome rewards are the same number: nothing to learn from
    /// comparing them. True of a group of one.
    pub fn has_equal_outcomes(&self) -> bool {
        let first = self.responses[0].outcome_reward();
        self.responses.iter().all(|r| r.outcome_reward() == first)
    }
}

/// What an estimator reads: at least one prompt group.
#[derive(Debug, Clone, PartialEq)]
pub struct RewardBatch<'a> {
    groups: Vec<PromptGroup<'a>>,
}

/// Where a response went: its group in the batch and its place in the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Which group.
    pub group: usize,
    /// Which response of it.
    pub response: usize,
}

impl<'a> RewardBatch<'a> {
    /// A batch of checked groups; sizes may differ.
    ///
    /// # Errors
    /// [`AdvantageError::EmptyBatch`]; [`AdvantageError::NamesDiffer`] in
    /// [`AdvantageError::InGroup`] if groups name their rewards differently.
    pub fn new(groups: Vec<PromptGroup<'a>>) -> Result<Self, AdvantageError> {
        let Some(first) = groups.first() else {
            return Err(AdvantageError::EmptyBatch);
        };
        for (g, group) in groups.iter().enumerate().skip(1) {
            same_names(&first.responses[0], &group.responses[0], 0).map_err(in_group(g))?;
        }
        Ok(Self { groups })
    }

    /// Groups and checks in one go: one inner vector per prompt.
    ///
    /// # Errors
    /// As [`PromptGroup::new`], wrapped in [`AdvantageError::InGroup`] so that the
    /// group is named too; or as [`RewardBatch::new`].
    pub fn from_responses(groups: Vec<Vec<Response<'a>>>) -> Result<Self, AdvantageError> {
        let checked = groups
            .into_iter()
            .enumerate()
            .map(|(g, responses)| PromptGroup::new(responses).map_err(in_group(g)))
            .collect::<Result<_, _>>()?;
        Self::new(checked)
    }

    /// Groups rows by a key, such as a prompt's id, wherever they stand. Groups come
    /// in the order of their first rows, responses in the order of theirs. Says where
    /// each row went.
    ///
    /// Keys that were mixed up make groups of wrong sizes:
    /// [`RewardBatch::require_group_size`] notices.
    ///
    /// ```
    /// # use prime_advantage::{Place, Response, RewardBatch};
    /// let rows = [("b", 1.0), ("a", 0.0), ("b", 0.0), ("a", 1.0)];
    /// let rows = rows.map(|(prompt, reward)| (prompt, Response::new(5, reward)));
    /// let (batch, places) = RewardBatch::from_keyed(rows)?;
    /// batch.require_group_size(2)?;
    /// assert_eq!(places[2], Place { group: 0, response: 1 });
    /// # Ok::<(), prime_advantage::AdvantageError>(())
    /// ```
    ///
    /// # Errors
    /// As [`RewardBatch::from_responses`].
    pub fn from_keyed<Key: Eq + Hash>(
        rows: impl IntoIterator<Item = (Key, Response<'a>)>,
    ) -> Result<(Self, Vec<Place>), AdvantageError> {
        let mut index = HashMap::new();
        let mut groups: Vec<Vec<Response<'a>>> = vec![];
        let mut places = vec![];
        for (key, row) in rows {
            let group = *index.entry(key).or_insert(groups.len());
            if group == groups.len() {
                groups.push(vec![]);
            }
            places.push(Place {
                group,
                response: groups[group].len(),
            });
            groups[group].push(row);
        }
        Ok((Self::from_responses(groups)?, places))
    }

    /// Checks that every group has `size` responses, so that a wrong prompt id is an
    /// error and not a quietly different baseline.
    ///
    /// # Errors
    /// [`AdvantageError::GroupSize`] for the first group of another size.
    pub fn require_group_size(&self, size: usize) -> Result<(), AdvantageError> {
        match self.groups.iter().position(|group| group.len() != size) {
            None => Ok(()),
            Some(group) => Err(AdvantageError::GroupSize {
                group,
                size: self.groups[group].len(),
                expected: size,
            }),
        }
    }

    /// The groups, in the order given.
    pub fn groups(&self) -> &[PromptGroup<'a>] {
        &self.groups
    }

    /// The groups, to filter them or add to them.
    pub fn into_groups(self) -> Vec<PromptGroup<'a>> {
        self.groups
    }

    /// All responses, group after group.
    pub fn responses(&self) -> impl Iterator<Item = &Response<'a>> + Clone + '_ {
        self.groups.iter().flat_map(|g| g.responses())
    }

    /// All responses, group after group, with their places.
    pub fn places(&self) -> impl Iterator<Item = (Place, &Response<'a>)> + '_ {
        self.groups.iter().enumerate().flat_map(|(group, members)| {
            let members = members.responses().iter().enumerate();
            members.map(move |(response, member)| (Place { group, response }, member))
        })
    }

    /// Number of responses in all groups together.
    pub fn response_count(&self) -> usize {
        self.groups.iter().map(PromptGroup::len).sum()
    }

    /// Number of tokens in all responses together, masked ones included.
    pub fn token_count(&self) -> usize {
        self.responses().map(Response::len).sum()
    }

    /// The batch with its responses (counted through all groups) and its greedy responses
    /// replaced, unchecked.
    pub(crate) fn map(
        &self,
        mut member: impl FnMut(usize, &Response<'a>) -> Response<'a>,
        mut greedy: impl FnMut(&Response<'a>) -> Response<'a>,
    ) -> Self {
        let mut flat = 0..;
        let mut member = |(response, index)| member(index, response);
        let groups = self.groups.iter().map(|group| PromptGroup {
            responses: group
                .responses
                .iter()
                .zip(flat.by_ref())
                .map(&mut member)
                .collect(),
            greedy: group.greedy.as_ref().map(&mut greedy),
            process_only: group.process_only,
        });
        Self {
            groups: groups.collect(),
        }
    }
}

fn in_group(group: usize) -> impl Fn(AdvantageError) -> AdvantageError {
    move |error| AdvantageError::InGroup {
        group,
        error: Box::new(error),
    }
}

fn check_names(response: &Response<'_>) -> Result<(), AdvantageError> {
    let names = response.named_rewards();
    for (i, named) in names.iter().enumerate() {
        if names[..i].iter().any(|earlier| earlier.name == named.name) {
            return Err(AdvantageError::NameTwice {
                name: named.name.to_string(),
            });
        }
    }
    Ok(())
}

fn same_names(
    first: &Response<'_>,
    other: &Response<'_>,
    response: usize,
) -> Result<(), AdvantageError> {
    let (expected, found) = (first.named_rewards(), other.named_rewards());
    let same =
        expected.len() == found.len() && expected.iter().zip(found).all(|(e, f)| e.name == f.name);
    if same {
        return Ok(());
    }
    let list = |rewards: &[crate::NamedReward<'_>]| {
        let names: Vec<_> = rewards.iter().map(|named| &*named.name).collect();
        names.join(", ")
    };
    Err(AdvantageError::NamesDiffer {
        response,
        expected: list(expected),
        found: list(found),
    })
}
