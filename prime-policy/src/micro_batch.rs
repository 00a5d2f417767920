//! How sequences are cut into forward passes.

use burn::tensor::Device;

use crate::error::PolicyError;
use crate::parallel;
use crate::sequences::{Sequence, SequenceBatch};

/// The part of a micro-batch that may be padding when micro-batches are cut by tokens.
const MOST_PADDING: f64 = 0.1;

/// How many sequences go through a model at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MicroBatching {
    /// Runs of this many sequences, as they come (0 counts as 1).
    Sequences(usize),
    /// [`micro_batches`] of at most this many tokens, padding included.
    Tokens(usize),
    /// [`packs`] of at most this many tokens, laid one after another without padding.
    Packed(usize),
}

impl From<usize> for MicroBatching {
    fn from(sequences: usize) -> Self {
        Self::Sequences(sequences)
    }
}

impl MicroBatching {
    /// By `tokens` unless that is 0, else by `sequences`: how configurations say it.
    pub fn new(sequences: usize, tokens: usize) -> Self {
        match tokens {
            0 => Self::Sequences(sequences),
            tokens => Self::Tokens(tokens),
        }
    }

    /// Micro-batches of sequences with these lengths, each a list of indices; every index is in exactly one.
    pub fn cut(self, lengths: &[usize]) -> Vec<Vec<usize>> {
        match self {
            Self::Sequences(size) => {
                let all: Vec<usize> = (0..lengths.len()).collect();
                all.chunks(size.max(1)).map(<[usize]>::to_vec).collect()
            }
            Self::Tokens(budget) => micro_batches(lengths, budget),
            Self::Packed(budget) => packs(lengths, budget),
        }
    }

    /// The same, with packs of sequences with these lengths small enough that there are about `parts` of them where they could
    /// be fewer: a core each, say. Give a number that does not depend on the machine and the cut does not either.
    pub fn spread_over(self, lengths: &[usize], parts: usize) -> Self {
        match self {
            Self::Packed(budget) => {
                let share = lengths.iter().sum::<usize>().div_ceil(parts.max(1));
                let longest = lengths.iter().copied().max().unwrap_or(0);
                Self::Packed(budget.min(share.max(longest)))
            }
            other => other,
        }
    }

    /// One micro-batch, padded or packed as this says.
    ///
    /// # Errors
    /// Those of [`SequenceBatch::new`].
    pub fn batch(
        self,
        sequences: &[Sequence<'_>],
        vocab_size: usize,
        device: &Device,
    ) -> Result<SequenceBatch, PolicyError> {
        match self {
            Self::Sequences(_) | Self::Tokens(_) => {
                SequenceBatch::new(sequences, vocab_size, device)
            }
            Self::Packed(_) => SequenceBatch::packed(sequences, vocab_size, device),
        }
    }

    /// Calls `f` on every micro-batch of `sequences`, on up to `threads` threads, and puts what it says about each
    /// sequence back in the order of `sequences`.
    ///
    /// # Errors
    /// What `f` returns, its sequence counted in `sequences`; [`PolicyError::LengthMismatch`] if `f` does not say one
    /// thing a sequence.
    pub fn map<R: Send + Clone>(
        self,
        sequences: &[Sequence<'_>],
        threads: usize,
        f: impl Fn(&[Sequence<'_>]) -> Result<Vec<R>, PolicyError> + Sync,
    ) -> Result<Vec<R>, PolicyError> {
        let lengths: Vec<usize> = sequences.iter().map(Sequence::tokens).collect();
        let parts = self.cut(&lengths);
        let results = parallel::map(threads, &parts, |part| {
            let chunk: Vec<Sequence<'_>> = part.iter().map(|&i| sequences[i].clone()).collect();
            f(&chunk).map_err(|error| error.with_sequence_indices(part))
        })?;
        in_order(&parts, results, sequences.len())
    }
}

/// What was said of the items of each micro-batch (`parts`, as [`MicroBatching::cut`] made them), in the order of all
/// `items`.
///
/// # Errors
/// [`PolicyError::LengthMismatch`] unless there is one result an item.
pub fn in_order<R>(
    parts: &[Vec<usize>],
    results: Vec<Vec<R>>,
    items: usize,
) -> Result<Vec<R>, PolicyError> {
    let mut out: Vec<Option<R>> = (0..items).map(|_| None).collect();
    for (part, results) in parts.iter().zip(results) {
        for (&item, result) in part.iter().zip(results) {
            out[item] = Some(result);
        }
    }
    let found: Vec<R> = out.into_iter().flatten().collect();
    if found.len() != items {
        return Err(PolicyError::LengthMismatch {
            what: "results of the micro-batches",
            expected: items,
            found: found.len(),
        });
    }
    Ok(found)
}

/// Cuts sequences with these lengths into micro-batches that waste little.
///
/// Sequences are taken from the longest to the shortest (equal ones in order). A micro-batch ends where one more
/// sequence would bring its padded size (sequences × longest) above `token_budget`, or a tenth of it would be padding.
/// A sequence longer than the budget is a micro-batch of its own. The cut depends on the lengths alone.
pub fn micro_batches(lengths: &[usize], token_budget: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(lengths[i]));
    let mut out: Vec<Vec<usize>> = vec![];
    let (mut longest, mut tokens) = (0, 0);
    for i in order {
        if let Some(last) = out.last_mut() {
            let padded = longest * (last.len() + 1);
            let padding = padded - tokens - lengths[i];
            if padded <= token_budget && (padding as f64) < MOST_PADDING * padded as f64 {
                last.push(i);
                tokens += lengths[i];
                continue;
            }
        }
        out.push(vec![i]);
        (longest, tokens) = (lengths[i], lengths[i]);
    }
    out
}

/// Cuts sequences with these lengths into packs of at most `token_budget` tokens.
///
/// Sequences are taken from the longest to the shortest (equal ones in order), and each goes to the pack that it fills
/// best, or begins one (best-fit decreasing, Johnson 1973). A sequence longer than the budget is a pack of its own. The cut depends on the lengths alone.
pub fn packs(lengths: &[usize], token_budget: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(lengths[i]));
    let mut out: Vec<Vec<usize>> = vec![];
    // Room left, then the pack: of those with room enough the first is the fullest and the oldest.
    let mut room = std::collections::BTreeSet::new();
    for i in order {
        let fullest = room.range((lengths[i], 0)..).next().copied();
        let (left, pack) = match fullest {
            Some(found) => {
                room.remove(&found);
                found
            }
            None => {
                out.push(vec![]);
                (token_budget, out.len() - 1)
            }
        };
        out[pack].push(i);
        room.insert((left.saturating_sub(lengths[i]), pack));
    }
    out
}

/// Tokens that were computed, and those of them that were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Padding {
    /// Tokens of the sequences.
    pub tokens: usize,
    /// Tokens of the padded micro-batches.
    pub padded: usize,
}

impl Padding {
    /// Of sequences with these lengths in these micro-batches.
    pub fn of(lengths: &[usize], micro_batches: &[Vec<usize>]) -> Self {
        micro_batches
            .iter()
            .map(|part| {
                let part = || part.iter().map(|&i| lengths[i]);
                Self {
                    tokens: part().sum(),
                    padded: part().count() * part().max().unwrap_or(0),
                }
            })
            .fold(Self::default(), |sum, part| sum + part)
    }

    /// The part of the computed tokens that was padding, in [0, 1); 0 where nothing was computed.
    pub fn waste(self) -> f64 {
        match self.padded {
            0 => 0.0,
            padded => 1.0 - self.tokens as f64 / padded as f64,
        }
    }
}

impl std::ops::Add for Padding {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            tokens: self.tokens + other.tokens,
            padded: self.padded + other.padded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_may_be_reached_and_a_tenth_of_padding_may_not() {
        assert_eq!(micro_batches(&[5, 5], 10), [[0, 1]]);
        assert_eq!(micro_batches(&[5, 5], 9), [[0], [1]]);
        assert_eq!(micro_batches(&[10, 9], 20), [[0, 1]]);
        assert_eq!(micro_batches(&[10, 8], 20), [[0], [1]]);
    }

    #[test]
    fn packs_are_filled_best_and_a_long_sequence_has_its_own() {
        assert_eq!(packs(&[3, 7, 4, 6], 10), [vec![1, 0], vec![3, 2]]);
        assert_eq!(packs(&[5, 5, 1], 10), [vec![0, 1], vec![2]]);
        assert_eq!(packs(&[12, 1], 10), [vec![0], vec![1]]);
        // Room for 3 and for 2: the 2 goes where it fits exactly.
        assert_eq!(packs(&[7, 8, 2, 3], 10), [vec![1, 2], vec![0, 3]]);
        assert_eq!(packs(&[2, 1], 0), [vec![0], vec![1]]);
        assert_eq!(packs(&[], 10), Vec::<Vec<usize>>::new());
    }

    #[test]
    fn packs_are_made_smaller_so_that_every_core_has_one() {
        let cut = |lengths: &[usize], budget| {
            let packed = MicroBatching::Packed(budget);
            packed.spread_over(lengths, 4).cut(lengths)
        };
        assert_eq!(cut(&[5; 8], 99).len(), 4);
        assert_eq!(cut(&[5; 8], 7).len(), 8);
        assert_eq!(cut(&[30, 5, 5], 99), [vec![0], vec![1, 2]]);
        let by_tokens = MicroBatching::Tokens(99);
        assert_eq!(by_tokens.spread_over(&[5; 8], 4), by_tokens);
    }

    #[test]
    fn no_sequences_a_micro_batch_count_as_one() {
        assert_eq!(MicroBatching::new(0, 0).cut(&[3, 4]), [[0], [1]]);
    }

    #[test]
    fn results_go_back_to_their_places_and_none_may_be_missing() {
        let parts = [vec![2, 0], vec![1]];
        let all = in_order(&parts, vec![vec!['c', 'a'], vec!['b']], 3).unwrap();
        assert_eq!(all, ['a', 'b', 'c']);
        let error = in_order(&parts, vec![vec!['c'], vec!['b']], 3).unwrap_err();
        let expected = "results of the micro-batches: expected 3 values, got 2";
        assert_eq!(error.to_string(), expected);
    }
}
