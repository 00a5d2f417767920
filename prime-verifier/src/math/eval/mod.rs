//! The value of a scalar expression, in whichever arithmetic decides the question.
//!
//! One recursion ([`Evaluator`]) over the tree, four arithmetics under it: exact Gaussian rationals ([`exact`]), residues
//! modulo two primes ([`modular`]), floats with an error bound ([`float`]) and balls of any precision
//! ([`balls`]). Functions that need whole numbers (factorials, gcd, bounds of sums) read them exactly, whatever the
//! arithmetic around them.

mod angle;
pub(super) mod balls;
mod combinatorial;
mod determinant;
pub(super) mod exact;
pub(super) mod float;
mod indexed;
mod limit;
pub(super) mod modular;
pub(super) mod quadratic;
mod quadrature;
mod series;
mod whole;

use dashu_base::BitTest;
use dashu_int::IBig;
use dashu_ratio::RBig;

use super::budget::{Budget, Spent};
use super::expr::{BigKind, BigOperator, Constant, Expr, Function};
use exact::Exact;

/// Why there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoValue {
    /// This arithmetic cannot hold it; another may.
    NotHere,
    /// It has none: a division by zero, a logarithm of zero.
    Undefined,
    /// More digits would tell.
    Imprecise,
    /// The budget of this comparison is used up.
    Spent,
}

impl From<Spent> for NoValue {
    fn from(_: Spent) -> Self {
        Self::Spent
    }
}

pub(super) type Value<T> = Result<T, NoValue>;

/// An arithmetic.
pub(super) trait Domain {
    type Number: Clone;

    fn rational(&mut self, value: &RBig) -> Value<Self::Number>;
    fn constant(&mut self, constant: Constant) -> Value<Self::Number>;
    fn symbol(&mut self, name: &str) -> Value<Self::Number>;
    fn add(&mut self, a: &Self::Number, b: &Self::Number) -> Value<Self::Number>;
    fn mul(&mut self, a: &Self::Number, b: &Self::Number) -> Value<Self::Number>;
    fn neg(&mut self, a: &Self::Number) -> Value<Self::Number>;
    fn inv(&mut self, a: &Self::Number) -> Value<Self::Number>;
    /// A whole power.
    fn power(&mut self, base: &Self::Number, exponent: &IBig) -> Value<Self::Number>;
    /// Any other power.
    fn general_power(
        &mut self,
        base: &Self::Number,
        exponent: &Self::Number,
    ) -> Value<Self::Number>;
    /// The real root of an odd index, the principal one otherwise.
    fn root(&mut self, radicand: &Self::Number, index: u32) -> Value<Self::Number>;
    fn call(&mut self, function: Function, arguments: &[Self::Number]) -> Value<Self::Number>;
    /// A function nobody knows.
    fn apply(&mut self, name: &str, arguments: &[Self::Number]) -> Value<Self::Number>;
    /// Limits, derivatives and integrals that stand for themselves: equal where their parts are.
    fn opaque(&mut self, big: &BigOperator, parts: &[Self::Number]) -> Value<Self::Number>;
    /// `n!` of an `n` too large to multiply out.
    fn large_factorial(&mut self, n: u64) -> Value<Self::Number>;
    /// How good a pivot it is: 0 for zero.
    fn pivot_size(&self, value: &Self::Number) -> f64;
    /// Whether [`Self::general_power`] ever has a value.
    const GENERAL_POWERS: bool = true;

    /// What a value of this size adds to the cost of an operation, in units of the budget.
    fn weight(&self, _value: &Self::Number) -> u64 {
        0
    }

    /// Largest matrix whose determinant is taken here.
    const MAX_ORDER: usize = 64;

    /// Whether integrals are worth approximating here.
    const QUADRATURE: bool = false;

    /// Gives a variable a value that is not the point's, or takes it back.
    fn bind(&mut self, _name: &str, _value: Option<f64>) {}

    /// A number that quadrature came to, and how far off it may be.
    fn approximately(&mut self, _value: f64, _error: f64) -> Value<Self::Number> {
        Err(NoValue::NotHere)
    }

    /// The real float next to a value.
    fn to_float(&self, _value: &Self::Number) -> Option<f64> {
        None
    }
}

/// What exact arithmetic may cost, in units of the budget: what is too much work for it may be little for another.
const EXACT_SHARE: u64 = 10_000;

/// The exact value of a constant, found with no more than a share of the budget.
pub(super) fn exact_value(
    expr: &Expr,
    integers: &[(Box<str>, i64)],
    budget: &mut Budget,
    log_base_ten: bool,
) -> Value<exact::Gaussian> {
    let mut share = Budget::new(budget.left().min(EXACT_SHARE));
    let before = share.left();
    let value = Evaluator::new(Exact, integers, &mut share, log_base_ten).eval(expr);
    budget.charge(before - share.left())?;
    match value {
        Err(NoValue::Spent) => Err(NoValue::NotHere),
        value => value,
    }
}

/// An operation of two numbers.
type Combine<D> =
    fn(&mut D, &<D as Domain>::Number, &<D as Domain>::Number) -> Value<<D as Domain>::Number>;

/// Walks an expression and asks the domain for every step.
pub(super) struct Evaluator<'a, D: Domain> {
    pub domain: D,
    /// Whole values of bound and of integer variables.
    pub integers: Vec<(Box<str>, i64)>,
    pub budget: &'a mut Budget,
    /// The base that `\log` without one has.
    pub log_base_ten: bool,
}

impl<'a, D: Domain> Evaluator<'a, D> {
    pub fn new(
        domain: D,
        integers: &[(Box<str>, i64)],
        budget: &'a mut Budget,
        log_base_ten: bool,
    ) -> Self {
        Self {
            domain,
            integers: integers.to_vec(),
            budget,
            log_base_ten,
        }
    }

    pub fn eval(&mut self, expr: &Expr) -> Value<D::Number> {
        self.budget.charge(3)?;
        match expr {
            Expr::Number(n) => self.domain.rational(&n.value),
            Expr::Constant(c) => self.domain.constant(*c),
            Expr::Symbol(name) => match self.integer_of(name) {
                Some(value) => self.domain.rational(&RBig::from(value)),
                None => self.domain.symbol(name),
            },
            Expr::Add(terms) => self.fold(terms, D::add, 0),
            Expr::Mul(factors) => self.fold(factors, D::mul, 1),
            Expr::Neg(inner) => {
                let value = self.eval(inner)?;
                self.domain.neg(&value)
            }
            Expr::Inv(inner) => {
                let value = self.eval(inner)?;
                self.domain.inv(&value)
            }
            Expr::Pow(base, exponent) => self.pow(base, exponent),
            Expr::Root(radicand, index) => self.root(radicand, index),
            Expr::Call(function, arguments) => self.call(*function, arguments),
            Expr::Apply(name, arguments) => {
                let arguments = self.eval_all(arguments)?;
                self.domain.apply(name, &arguments)
            }
            Expr::Big(big) => self.big(big),
            Expr::Percent(inner) => {
                let value = self.eval(inner)?;
                let hundredth = self
                    .domain
                    .rational(&RBig::from_parts(IBig::ONE, 100u8.into()))?;
                self.domain.mul(&value, &hundredth)
            }
            Expr::Degree(inner) => {
                let value = self.eval(inner)?;
                let pi = self.domain.constant(Constant::Pi)?;
                let per_degree = self
                    .domain
                    .rational(&RBig::from_parts(IBig::ONE, 180u8.into()))?;
                let factor = self.domain.mul(&pi, &per_degree)?;
                self.domain.mul(&value, &factor)
            }
            _ => Err(NoValue::NotHere),
        }
    }

    fn integer_of(&self, name: &str) -> Option<i64> {
        self.integers
            .iter()
            .rev()
            .find(|(known, _)| &**known == name)
            .map(|(_, value)| *value)
    }

    fn eval_all(&mut self, items: &[Expr]) -> Value<Vec<D::Number>> {
        items.iter().map(|item| self.eval(item)).collect()
    }

    fn fold(&mut self, items: &[Expr], combine: Combine<D>, empty: i64) -> Value<D::Number> {
        let mut items = items.iter();
        let mut total = match items.next() {
            Some(first) => self.eval(first)?,
            None => return self.domain.rational(&RBig::from(empty)),
        };
        for item in items {
            let value = self.eval(item)?;
            total = combine(&mut self.domain, &total, &value)?;
            self.budget.charge(self.domain.weight(&total))?;
        }
        Ok(total)
    }

    /// The exact value of a part that has one.
    pub fn exactly(&mut self, expr: &Expr) -> Value<RBig> {
        self.budget.charge(2)?;
        if let Expr::Number(n) = expr {
            return Ok(n.value.clone());
        }
        let value = exact_value(expr, &self.integers, self.budget, self.log_base_ten)?;
        value.into_real().ok_or(NoValue::NotHere)
    }

    fn whole(&mut self, expr: &Expr) -> Value<IBig> {
        let value = self.exactly(expr)?;
        if value.is_int() {
            Ok(value.into_parts().0)
        } else {
            Err(NoValue::NotHere)
        }
    }

    fn small(&mut self, expr: &Expr) -> Value<i64> {
        i64::try_from(&self.whole(expr)?).map_err(|_| NoValue::NotHere)
    }

    fn pow(&mut self, base: &Expr, exponent: &Expr) -> Value<D::Number> {
        let exact = match self.exactly(exponent) {
            Ok(exact) => Some(exact),
            Err(NoValue::Spent) => return Err(NoValue::Spent),
            Err(NoValue::Undefined) => return Err(NoValue::Undefined),
            Err(_) => None,
        };
        if exact.is_none() && !D::GENERAL_POWERS {
            return Err(NoValue::NotHere);
        }
        let base_value = self.eval(base)?;
        if let Some(exact) = exact {
            if exact.is_int() {
                let value = self.domain.power(&base_value, exact.numerator())?;
                self.budget.charge(self.domain.weight(&value))?;
                return Ok(value);
            }
            if let Ok(index) = u32::try_from(exact.denominator())
                && index <= 1000
                && exact.numerator().clone().into_parts().1.bit_len() <= 32
            {
                let root = self.domain.root(&base_value, index)?;
                return self.domain.power(&root, exact.numerator());
            }
        }
        let exponent = self.eval(exponent)?;
        self.domain.general_power(&base_value, &exponent)
    }

    fn root(&mut self, radicand: &Expr, index: &Expr) -> Value<D::Number> {
        match self.small(index) {
            Ok(index @ 1..=1000) => {
                let value = self.eval(radicand)?;
                self.domain.root(&value, index as u32)
            }
            Err(NoValue::Spent) => Err(NoValue::Spent),
            _ => {
                let value = self.eval(radicand)?;
                let index = self.eval(index)?;
                let exponent = self.domain.inv(&index)?;
                self.domain.general_power(&value, &exponent)
            }
        }
    }

    fn call(&mut self, function: Function, arguments: &[Expr]) -> Value<D::Number> {
        use Function::*;
        match (function, arguments) {
            (Determinant, [Expr::Matrix(rows)]) => self.determinant(rows),
            (Determinant, _) => Err(NoValue::NotHere),
            (Factorial | DoubleFactorial, [n]) => self.factorial(function, n),
            (Binomial, [n, k]) => self.binomial(n, k),
            (Gcd | Lcm, numbers) => {
                let numbers = numbers
                    .iter()
                    .map(|n| self.exactly(n))
                    .collect::<Value<Vec<_>>>()?;
                let value = whole::common(function, &numbers).ok_or(NoValue::NotHere)?;
                self.domain.rational(&value)
            }
            (Mod, [a, m]) => {
                let exact = match (self.exactly(a), self.exactly(m)) {
                    (Ok(a), Ok(m)) => Some((a, m)),
                    (Err(NoValue::Spent), _) | (_, Err(NoValue::Spent)) => {
                        return Err(NoValue::Spent);
                    }
                    _ => None,
                };
                let Some((a, m)) = exact else {
                    return self.modulo(a, m);
                };
                if m.is_zero() {
                    return Err(NoValue::Undefined);
                }
                let quotient = (&a / &m).floor();
                self.domain.rational(&(a - m * RBig::from(quotient)))
            }
            (Log, [x]) => {
                let base = if self.log_base_ten {
                    Expr::integer(10)
                } else {
                    Expr::Constant(Constant::E)
                };
                let arguments = [self.eval(x)?, self.eval(&base)?];
                self.domain.call(Log, &arguments)
            }
            (Floor | Ceil | Sign | Max | Min | Abs, numbers) => {
                let exact = numbers
                    .iter()
                    .map(|n| self.exactly(n))
                    .collect::<Value<Vec<_>>>();
                match exact {
                    Ok(exact) => {
                        let value = whole::ordered(function, &exact).ok_or(NoValue::NotHere)?;
                        self.domain.rational(&value)
                    }
                    Err(NoValue::Spent) => Err(NoValue::Spent),
                    Err(_) => {
                        let arguments = self.eval_all(numbers)?;
                        self.domain.call(function, &arguments)
                    }
                }
            }
            _ => {
                if function.takes_angle()
                    && let [angle] = arguments
                    && let Some(exact) = angle::exact_value(function, angle)
                {
                    return self.domain.rational(&exact?);
                }
                let arguments = self.eval_all(arguments)?;
                self.domain.call(function, &arguments)
            }
        }
    }

    fn big(&mut self, big: &BigOperator) -> Value<D::Number> {
        match big.kind {
            BigKind::Sum
                if D::QUADRATURE && big.upper == Some(Expr::Constant(Constant::Infinity)) =>
            {
                self.series(big)
            }
            BigKind::Sum | BigKind::Product => self.indexed(big),
            BigKind::Integral if D::QUADRATURE => self.quadrature(big),
            BigKind::Limit => match self.limit(big) {
                Err(NoValue::NotHere) if !D::QUADRATURE => self.opaque(big),
                other => other,
            },
            BigKind::Integral | BigKind::Derivative => self.opaque(big),
        }
    }

    /// An operator that stands for itself.
    fn opaque(&mut self, big: &BigOperator) -> Value<D::Number> {
        let parts = [Some(&big.body), big.lower.as_ref(), big.upper.as_ref()];
        let parts = parts
            .into_iter()
            .flatten()
            .map(|part| match part {
                Expr::Constant(Constant::Infinity) => self.domain.rational(&RBig::from(i64::MAX)),
                part => self.eval(part),
            })
            .collect::<Value<Vec<_>>>()?;
        self.domain.opaque(big, &parts)
    }
}
