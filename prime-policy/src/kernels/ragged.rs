//! Where each sequence of a batch lies.

use std::ops::Range;
use std::sync::Arc;

/// Sequences that follow each other in the rows of a `[tokens, width]` matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ragged {
    /// The first row of each, then the number of all rows.
    starts: Arc<[usize]>,
}

impl Ragged {
    /// Sequences of the given lengths.
    pub(crate) fn new(lengths: impl IntoIterator<Item = usize>) -> Self {
        let mut starts = vec![0];
        let mut end = 0;
        for length in lengths {
            end += length;
            starts.push(end);
        }
        Self {
            starts: starts.into(),
        }
    }

    /// `batch` sequences of `time` tokens each.
    pub(crate) fn even(batch: usize, time: usize) -> Self {
        Self::new(std::iter::repeat_n(time, batch))
    }

    /// How many there are.
    pub(crate) fn sequences(&self) -> usize {
        self.starts.len() - 1
    }

    /// Tokens of all of them.
    pub(crate) fn tokens(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    /// The rows of sequence `sequence`.
    #[cfg(any(test, feature = "flex"))]
    pub(crate) fn rows(&self, sequence: usize) -> Range<usize> {
        self.starts[sequence]..self.starts[sequence + 1]
    }

    /// The rows of each.
    pub(crate) fn all(&self) -> impl ExactSizeIterator<Item = Range<usize>> + '_ {
        self.starts.windows(2).map(|ends| ends[0]..ends[1])
    }

    /// The length of the longest.
    pub(crate) fn longest(&self) -> usize {
        self.all().map(|rows| rows.len()).max().unwrap_or(0)
    }

    /// Whether all are as long as the longest.
    pub(crate) fn is_even(&self) -> bool {
        self.tokens() == self.sequences() * self.longest()
    }

    /// For a `[sequences·longest, width]` matrix, the row here of each of its rows; padding repeats the last of its
    /// sequence (the first row of all where a sequence is empty).
    pub(crate) fn padded(&self) -> Vec<i64> {
        let longest = self.longest();
        self.all()
            .flat_map(|rows| {
                let last = rows.end.saturating_sub(1).max(rows.start);
                (0..longest).map(move |t| (rows.start + t).min(last) as i64)
            })
            .collect()
    }

    /// The inverse of [`Self::padded`]: for each row here, its row in the padded matrix.
    pub(crate) fn unpadded(&self) -> Vec<i64> {
        let longest = self.longest();
        self.all()
            .enumerate()
            .flat_map(|(sequence, rows)| {
                (0..rows.len()).map(move |t| (sequence * longest + t) as i64)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_lie_one_after_another_and_padding_repeats_their_last_row() {
        let ragged = Ragged::new([2, 3, 1]);
        assert_eq!(ragged.all().collect::<Vec<_>>(), [0..2, 2..5, 5..6]);
        assert_eq!(ragged.rows(1), 2..5);
        assert_eq!((ragged.tokens(), ragged.longest()), (6, 3));
        assert!(!ragged.is_even());
        assert_eq!(ragged.padded(), [0, 1, 1, 2, 3, 4, 5, 5, 5]);
        assert_eq!(ragged.unpadded(), [0, 1, 3, 4, 5, 6]);
        let padded = ragged.padded();
        let back: Vec<i64> = ragged
            .unpadded()
            .iter()
            .map(|&i| padded[i as usize])
            .collect();
        assert_eq!(back, [0, 1, 2, 3, 4, 5]);
        assert!(Ragged::even(2, 3).is_even());
        assert_eq!(Ragged::even(2, 3), Ragged::new([3, 3]));
    }
}
