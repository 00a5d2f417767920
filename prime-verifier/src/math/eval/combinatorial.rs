//! Factorials, binomials, remainders.

use dashu_int::IBig;
use dashu_ratio::RBig;

use super::{Domain, Evaluator, NoValue, Value, whole};
use crate::math::expr::{Expr, Function};

/// Largest factorial that is multiplied out.
const MAX_FACTORIAL: u64 = 2000;

/// From here on a binomial is a quotient of factorials.
const LARGE_BINOMIAL: i64 = 500;

impl<D: Domain> Evaluator<'_, D> {
    pub(super) fn factorial(&mut self, function: Function, n: &Expr) -> Value<D::Number> {
        let n = self.whole(n)?;
        if n < IBig::ZERO {
            return Err(NoValue::Undefined);
        }
        let n = u64::try_from(&n).map_err(|_| NoValue::NotHere)?;
        let step = if function == Function::Factorial {
            1
        } else {
            2
        };
        if n > MAX_FACTORIAL {
            return if step == 1 {
                self.budget.charge(n / 48)?;
                self.domain.large_factorial(n)
            } else {
                Err(NoValue::NotHere)
            };
        }
        self.budget.charge(n)?;
        let value = whole::factorial(n, step);
        self.domain.rational(&RBig::from(value))
    }

    /// `n(n-1)…(n-k+1)` over `k!`; `n` may be anything.
    pub(super) fn binomial(&mut self, n: &Expr, k: &Expr) -> Value<D::Number> {
        let k = match self.small(k) {
            Ok(k) => k,
            Err(NoValue::Spent) => return Err(NoValue::Spent),
            Err(_) => return Err(NoValue::NotHere),
        };
        if k < 0 {
            return self.domain.rational(&RBig::ZERO);
        }
        // The smaller side of a whole n.
        let k = match self.small(n) {
            Ok(n) if n >= 0 && k <= n => k.min(n - k),
            Ok(n) if n >= 0 => return self.domain.rational(&RBig::ZERO),
            _ => k,
        };
        if k > LARGE_BINOMIAL {
            return self.large_binomial(n, k);
        }
        self.budget.charge(4 * k as u64)?;
        let n = self.eval(n)?;
        let mut product = self.domain.rational(&RBig::ONE)?;
        for step in 0..k {
            let minus = self.domain.rational(&RBig::from(-step))?;
            let factor = self.domain.add(&n, &minus)?;
            product = self.domain.mul(&product, &factor)?;
        }
        let scale = RBig::ONE / RBig::from(whole::factorial(k as u64, 1));
        let scale = self.domain.rational(&scale)?;
        self.domain.mul(&product, &scale)
    }

    /// By factorials, of a whole `n`.
    fn large_binomial(&mut self, n: &Expr, k: i64) -> Value<D::Number> {
        let n = self.small(n)?;
        let (Ok(top), Ok(low), Ok(rest)) =
            (u64::try_from(n), u64::try_from(k), u64::try_from(n - k))
        else {
            return Err(NoValue::NotHere);
        };
        self.budget.charge(top / 48)?;
        let below = [
            self.domain.large_factorial(low)?,
            self.domain.large_factorial(rest)?,
        ];
        let below = self.domain.mul(&below[0], &below[1])?;
        let above = self.domain.large_factorial(top)?;
        let below = self.domain.inv(&below)?;
        self.domain.mul(&above, &below)
    }

    /// `a − m ⌊a/m⌋`
    pub(super) fn modulo(&mut self, a: &Expr, m: &Expr) -> Value<D::Number> {
        let (a, m) = (self.eval(a)?, self.eval(m)?);
        let inverse = self.domain.inv(&m)?;
        let quotient = self.domain.mul(&a, &inverse)?;
        let floor = self.domain.call(Function::Floor, &[quotient])?;
        let multiple = self.domain.mul(&m, &floor)?;
        let multiple = self.domain.neg(&multiple)?;
        self.domain.add(&a, &multiple)
    }
}
