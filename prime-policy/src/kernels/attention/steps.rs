//! Which queries look at which keys, tile by tile: the edges of the causal triangle and of the window.

use std::ops::Range;

/// The steps that each row of a tile takes part in: row r those from `first[r]` to `end[r]`, both ascending in r.
///
/// A row must not see the other steps even with a factor 0, which NaN and infinities would come through.
#[derive(Clone, Copy)]
pub(super) struct Steps<const R: usize> {
    first: [usize; R],
    end: [usize; R],
}

impl<const R: usize> Steps<R> {
    #[inline(always)]
    pub(super) fn new(of_row: impl Fn(usize) -> Range<usize>) -> Self {
        let (mut first, mut end) = ([0; R], [0; R]);
        for r in 0..R {
            let steps = of_row(r);
            (first[r], end[r]) = (steps.start, steps.end);
        }
        Self { first, end }
    }

    /// From the first step of any row to the last.
    #[inline(always)]
    pub(super) fn all(&self) -> Range<usize> {
        self.first[0]..self.end[R - 1].max(self.first[0])
    }

    /// The steps that every row takes part in.
    #[inline(always)]
    pub(super) fn common(&self) -> Range<usize> {
        let Range { start, end } = self.all();
        let start = self.first[R - 1].clamp(start, end);
        start..self.end[0].clamp(start, end)
    }

    /// The other steps of row `r`: those before the common ones, and those after them.
    #[inline(always)]
    pub(super) fn others(&self, r: usize) -> [Range<usize>; 2] {
        let common = self.common();
        let before = self.first[r]..self.end[r].min(common.start);
        let after = self.first[r].max(common.end)..self.end[r];
        [
            before.start..before.end.max(before.start),
            after.start..after.end.max(after.start),
        ]
    }
}
