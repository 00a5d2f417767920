//! A reward for short responses.

use prime_verifier::Score;

/// 1 up to `target` tokens, 0 from `limit` on, and `(limit − tokens) / (limit − target)` between them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Length {
    target: usize,
    limit: usize,
}

impl Length {
    /// `limit` is above `target`.
    pub(super) fn new(target: usize, limit: usize) -> Self {
        Self { target, limit }
    }

    pub(super) fn score(&self, tokens: usize) -> Score {
        let room = self.limit.saturating_sub(self.target).max(1);
        let left = self.limit.saturating_sub(tokens).min(room);
        Score::new((left as f64 / room as f64) as f32).unwrap_or(Score::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_falls_in_a_line() {
        let length = Length::new(10, 20);
        let scores = [0, 10, 11, 15, 19, 20, 99].map(|tokens| length.score(tokens).get());
        assert_eq!(scores, [1.0, 1.0, 0.9, 0.5, 0.1, 0.0, 0.0]);
    }
}
