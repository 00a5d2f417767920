//! What an evaluation carries with it: a precision, the work still allowed, and
//! the ways in which it can fail.

use crate::math::budget::{Budget, Spent};

/// Largest `|log2|` of any value; beyond it an operation is `TooLarge`.
pub(super) const MAX_LOG2: i64 = 1 << 20;

/// Bounds of the precision a caller may ask for.
const MIN_PREC: usize = 64;
const MAX_PREC: usize = 1 << 13;

/// Why a number could not be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumError {
    /// Certainly has no value: `1/0`, `ln 0`, the real `asin 2`.
    Undefined,
    /// The ball is too wide to tell; more precision may help.
    Unresolved,
    /// A value outside `2^±MAX_LOG2`, or an argument too large to reduce.
    TooLarge,
    /// The work allowed is spent.
    OutOfBudget,
}

impl From<Spent> for NumError {
    fn from(_: Spent) -> Self {
        Self::OutOfBudget
    }
}

/// The working precision in bits, and the budget it draws on.
#[derive(Debug)]
pub(crate) struct Ctx<'b> {
    prec: usize,
    budget: &'b mut Budget,
}

impl<'b> Ctx<'b> {
    /// The precision is clamped to a range in which every operation is safe.
    pub(crate) fn new(prec: usize, budget: &'b mut Budget) -> Self {
        Self {
            prec: prec.clamp(MIN_PREC, MAX_PREC),
            budget,
        }
    }

    pub(crate) fn prec(&self) -> usize {
        self.prec
    }

    /// The same budget with guard bits, for intermediate results that cancel.
    pub(super) fn raised(&mut self, extra: usize) -> Ctx<'_> {
        Ctx {
            prec: (self.prec + extra).min(2 * MAX_PREC + 128),
            budget: self.budget,
        }
    }

    fn limbs(&self) -> u64 {
        (self.prec / 64) as u64
    }

    pub(super) fn charge_add(&mut self) -> Result<(), NumError> {
        Ok(self.budget.charge(2 + self.limbs() / 32)?)
    }

    pub(super) fn charge_mul(&mut self) -> Result<(), NumError> {
        let limbs = self.limbs();
        Ok(self.budget.charge(3 + limbs * limbs / 100)?)
    }

    pub(super) fn charge_div(&mut self) -> Result<(), NumError> {
        let limbs = self.limbs();
        Ok(self.budget.charge(4 + limbs / 2 + limbs * limbs / 60)?)
    }

    /// One evaluation of a fixed-point series: so many steps, each a product.
    pub(super) fn charge_series(&mut self) -> Result<(), NumError> {
        let limbs = self.limbs();
        let steps = 10 + 3 * self.prec.isqrt() as u64;
        Ok(self
            .budget
            .charge(steps * (100 + 8 * limbs + limbs * limbs / 2) / 100)?)
    }

    /// Reduction of an argument of `bits` bits: one division of that length.
    pub(super) fn charge_reduction(&mut self, bits: usize) -> Result<(), NumError> {
        let limbs = (bits / 64) as u64;
        Ok(self.budget.charge(limbs + limbs * limbs / 60)?)
    }
}
