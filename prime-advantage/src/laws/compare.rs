//! Estimates as nested vectors, and when two of them say the same.

use crate::{AdvantageEstimator, Advantages, OwnedBatch};

/// What two numbers that should be equal may differ by, relative to the largest number
/// in either result; see the [module's text](super).
pub const TOLERANCE: f64 = 1e-4;
/// The same where all results are about 0: rewards of order 1 leave as much behind when
/// they cancel in `f32`.
const FLOOR: f64 = TOLERANCE / 100.0;

/// Whether a batch obeys a law, and if not, what was found.
pub(super) type Verdict<T = ()> = Result<T, String>;

/// One number for each token: `[group][response][token]`.
pub(super) type Numbers = Vec<Vec<Vec<f32>>>;

/// An estimate that can be permuted and cut as its batch can.
#[derive(Debug, Clone)]
pub(super) struct Estimate {
    pub(super) advantages: Numbers,
    pub(super) returns: Numbers,
}

impl Estimate {
    /// Estimates; an error or a result in another shape becomes a verdict, whatever the law.
    pub(super) fn of(estimator: &dyn AdvantageEstimator, batch: &OwnedBatch) -> Verdict<Self> {
        let borrowed = batch.borrow().map_err(|error| error.to_string())?;
        let mut estimate = match estimator.estimate(&borrowed) {
            Ok(result) => Self::from(&result),
            Err(error) => return Err(format!("it refuses the batch: {error}")),
        };
        let groups = batch.groups.iter().map(|group| {
            let tokens = group.responses.iter().map(|response| response.tokens);
            tokens.collect()
        });
        let expected: Vec<Vec<usize>> = groups.collect();
        for numbers in estimate.each() {
            let groups = numbers.iter().map(|group| {
                let tokens = group.iter().map(Vec::len);
                tokens.collect()
            });
            let found: Vec<Vec<usize>> = groups.collect();
            if found != expected {
                return Err(format!(
                    "the result is for groups of responses of {found:?} tokens, the batch has {expected:?}"
                ));
            }
        }
        Ok(estimate)
    }

    /// The advantages and the returns.
    pub(super) fn each(&mut self) -> [&mut Numbers; 2] {
        [&mut self.advantages, &mut self.returns]
    }
}

impl From<&Advantages> for Estimate {
    fn from(result: &Advantages) -> Self {
        let groups = || result.groups().map(|group| group.iter());
        Self {
            advantages: groups()
                .map(|group| group.map(|own| own.advantages().to_vec()).collect())
                .collect(),
            returns: groups()
                .map(|group| group.map(|own| own.returns().to_vec()).collect())
                .collect(),
        }
    }
}

/// Both advantages and returns, up to rounding. `when` opens the message.
pub(super) fn agree(found: &Estimate, expected: &Estimate, when: &str) -> Verdict {
    advantages_agree(found, expected, when)?;
    let (found, expected) = (&found.returns, &expected.returns);
    each_close("return", found, expected, when)
}

/// The advantages, up to rounding.
pub(super) fn advantages_agree(found: &Estimate, expected: &Estimate, when: &str) -> Verdict {
    let (found, expected) = (&found.advantages, &expected.advantages);
    each_close("advantage", found, expected, when)
}

/// Both advantages and returns, to the last bit.
pub(super) fn same_bits(found: &Estimate, expected: &Estimate, when: &str) -> Verdict {
    advantages_same_bits(found, expected, when)?;
    let same = |a: f32, b: f32| a.to_bits() == b.to_bits();
    each("return", &found.returns, &expected.returns, when, same)
}

/// The advantages, to the last bit.
pub(super) fn advantages_same_bits(found: &Estimate, expected: &Estimate, when: &str) -> Verdict {
    let (found, expected) = (&found.advantages, &expected.advantages);
    let same = |a: f32, b: f32| a.to_bits() == b.to_bits();
    each("advantage", found, expected, when, same)
}

/// Whether a number that should be 0 is, beside numbers of a size.
pub(super) fn is_about_zero(x: f64, largest: f64) -> bool {
    // Beside infinity everything is small.
    x.is_finite() && x.abs() <= TOLERANCE * largest + FLOOR
}

fn each_close(what: &str, found: &Numbers, expected: &Numbers, when: &str) -> Verdict {
    let all = found.iter().chain(expected).flatten().flatten();
    let largest = all.fold(0.0, |largest: f64, x| largest.max(f64::from(x.abs())));
    each(what, found, expected, when, |a, b| {
        is_about_zero(f64::from(a) - f64::from(b), largest)
    })
}

fn each(
    what: &str,
    found: &Numbers,
    expected: &Numbers,
    when: &str,
    same: impl Fn(f32, f32) -> bool,
) -> Verdict {
    for (g, (found, expected)) in found.iter().zip(expected).enumerate() {
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            for (t, (&found, &expected)) in found.iter().zip(expected).enumerate() {
                if !same(found, expected) {
                    return Err(format!(
                        "{when}, the {what} at token {t} of response {i} in group {g} is {found:?}, \
                         expected {expected:?}"
                    ));
                }
            }
        }
    }
    Ok(())
}
