//! Mean and variance of many `f32`, response by response, combined in a fixed order.

use crate::AdvantageError;

const LANES: usize = 8;
/// Added to the variance before its inverse root, as verl and the authors' trainer do.
const VARIANCE_EPSILON: f64 = 1e-8;

/// Count, mean and sum of squared distances from the mean.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moments {
    pub(crate) count: usize,
    /// Kept as a sum: the sum of equal numbers is exact, so that equal numbers have
    /// exactly their own mean (n·x fits an f64 for any f32 x and n < 2^29).
    sum: f64,
    pub(crate) mean: f64,
    pub(crate) squares: f64,
}

impl Moments {
    /// The plain sum. Lanes of their own let the additions run side by side.
    pub(crate) fn sum(numbers: &[f32]) -> f64 {
        let (blocks, rest) = numbers.as_chunks::<LANES>();
        let mut sums = [0.0; LANES];
        for block in blocks {
            for (sum, &x) in sums.iter_mut().zip(block) {
                *sum += f64::from(x);
            }
        }
        let rest = rest.iter().map(|&x| f64::from(x));
        sums.into_iter().chain(rest).sum()
    }

    /// Two passes: the squares are summed around the mean, not as a difference of large
    /// numbers.
    pub(crate) fn of(numbers: &[f32]) -> Self {
        let count = numbers.len();
        if count == 0 {
            return Self::default();
        }
        let sum = Self::sum(numbers);
        let mean = sum / count as f64;
        let (blocks, rest) = numbers.as_chunks::<LANES>();
        let mut squares = [0.0; LANES];
        for block in blocks {
            for (sum, &x) in squares.iter_mut().zip(block) {
                let distance = f64::from(x) - mean;
                *sum += distance * distance;
            }
        }
        let rest = rest.iter().map(|&x| (f64::from(x) - mean).powi(2));
        Self {
            count,
            sum,
            mean,
            squares: squares.into_iter().chain(rest).sum(),
        }
    }

    /// Knows of the numbers only whether all are finite, which costs less.
    pub(crate) fn finite_or_not(numbers: &[f32]) -> Self {
        // Without an early exit this vectorises.
        let finite = numbers.iter().fold(true, |all, x| all & x.is_finite());
        Self {
            sum: if finite { 0.0 } else { f64::NAN },
            ..Self::default()
        }
    }

    /// `count` times the same number.
    pub(crate) fn repeated(x: f32, count: usize) -> Self {
        let x = f64::from(x);
        Self {
            count,
            // 0 · ∞ would be NaN, but no number is no number.
            sum: if count == 0 { 0.0 } else { count as f64 * x },
            mean: x,
            squares: 0.0,
        }
    }

    /// Whether every number was: NaN and infinity spoil the sum, and finite `f32` cannot.
    pub(crate) fn all_finite(&self) -> bool {
        self.sum.is_finite()
    }

    /// Both sets of numbers together (Chan, Golub and LeVeque 1979).
    pub(crate) fn and(self, other: Self) -> Self {
        if self.count == 0 || other.count == 0 {
            return if self.count == 0 { other } else { self };
        }
        let (n, m) = (self.count as f64, other.count as f64);
        let sum = self.sum + other.sum;
        let distance = other.mean - self.mean;
        Self {
            count: self.count + other.count,
            sum,
            mean: sum / (n + m),
            squares: self.squares + other.squares + distance * distance * (n * m / (n + m)),
        }
    }

    /// What brings these numbers to mean 0 and variance 1.
    pub(crate) fn whitening(&self) -> Result<Whitening, AdvantageError> {
        if self.count < 2 {
            return Err(AdvantageError::TooFewToWhiten { found: self.count });
        }
        let variance = self.squares / (self.count - 1) as f64;
        Ok(Whitening {
            mean: self.mean,
            scale: (variance + VARIANCE_EPSILON).sqrt().recip(),
        })
    }
}

/// `(x − mean) · scale`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whitening {
    pub(crate) mean: f64,
    scale: f64,
}

impl Whitening {
    /// `+ add_back` also turns −0.0 into 0.0.
    pub(crate) fn of(&self, x: f32, add_back: f64) -> f32 {
        ((f64::from(x) - self.mean) * self.scale + add_back) as f32
    }
}
