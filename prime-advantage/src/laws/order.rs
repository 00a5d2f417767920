//! Laws about order: places in a batch name nothing.

use super::compare::{Estimate, Verdict, agree};
use super::{LawBroken, Laws};
use crate::{AdvantageEstimator, OwnedBatch};

/// Responses of a group in another order get the same advantages and returns in that
/// order: `A(π r) = π A(r)`.
///
/// Holds for every estimator. Tested for a turn by one and for an exchange of the first
/// two, which together make any order.
///
/// # Errors
/// [`LawBroken`], with a counterexample.
pub fn permutation(estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
    Laws::default().permutation(estimator)
}

/// Groups in another order get the same advantages and returns in that order.
///
/// Holds for every estimator, whether or not groups matter to each other.
///
/// # Errors
/// [`LawBroken`], with a counterexample.
pub fn group_permutation(estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
    Laws::default().group_permutation(estimator)
}

/// Another order of whatever it is.
#[derive(Clone, Copy)]
enum Order {
    Turned,
    Exchanged,
}

impl Order {
    fn of<T>(self, items: &mut [T]) {
        match self {
            Self::Turned if !items.is_empty() => items.rotate_left(1),
            Self::Exchanged if items.len() > 1 => items.swap(0, 1),
            _ => {}
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Turned => "moved up by one, the first to the end",
            Self::Exchanged => "reordered, the first two exchanged",
        }
    }
}

impl Laws {
    /// [`permutation`](fn@permutation) on these batches.
    ///
    /// # Errors
    /// [`LawBroken`].
    pub fn permutation(&self, estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
        self.reordered("permutation", estimator, |order, batch, estimate| {
            for group in &mut batch.groups {
                order.of(&mut group.responses);
            }
            for group in estimate.each().into_iter().flatten() {
                order.of(group);
            }
            format!("with the responses of each group {}", order.name())
        })
    }

    /// [`group_permutation`](fn@group_permutation) on these batches.
    ///
    /// # Errors
    /// [`LawBroken`].
    pub fn group_permutation(&self, estimator: &dyn AdvantageEstimator) -> Result<(), LawBroken> {
        self.reordered("group_permutation", estimator, |order, batch, estimate| {
            order.of(&mut batch.groups);
            for groups in estimate.each() {
                order.of(groups);
            }
            format!("with the groups {}", order.name())
        })
    }

    /// `reorder` does the same to a batch and to its estimate, and says what it did.
    fn reordered(
        &self,
        law: &'static str,
        estimator: &dyn AdvantageEstimator,
        reorder: impl Fn(Order, &mut OwnedBatch, &mut Estimate) -> String,
    ) -> Result<(), LawBroken> {
        let test = |batch: &OwnedBatch| -> Verdict {
            let before = Estimate::of(estimator, batch)?;
            for order in [Order::Turned, Order::Exchanged] {
                let (mut batch, mut expected) = (batch.clone(), before.clone());
                let when = reorder(order, &mut batch, &mut expected);
                agree(&Estimate::of(estimator, &batch)?, &expected, &when)?;
            }
            Ok(())
        };
        self.check(law, estimator, self.batches.clone(), |_| {}, test)
    }
}
