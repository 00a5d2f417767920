//! The variables of a pair of expressions, and what is asked of them.

use dashu_base::Signed;

use crate::math::expr::{BigKind, Constant, Expr, Function};
use crate::math::points::Point;

/// What occurs in a pair of expressions.
pub(super) struct Names {
    pub symbols: Vec<Box<str>>,
    /// Variables that stand where only whole numbers can.
    pub integers: Vec<Box<str>>,
    pub imaginary: bool,
    pub integral: bool,
    /// Whether infinite sums occur, which cost much.
    pub series: bool,
    pub unknown_functions: bool,
    /// Whether functions occur that bend or jump.
    pub kinks: bool,
    /// Whether floors or ceilings of letters occur.
    pub steps: bool,
}

impl Names {
    pub fn of(exprs: &[&Expr]) -> Self {
        let mut names = Self {
            symbols: vec![],
            integers: vec![],
            imaginary: false,
            integral: false,
            series: false,
            unknown_functions: false,
            kinks: false,
            steps: false,
        };
        for expr in exprs {
            expr.any(&mut |part| {
                names.visit(part);
                false
            });
        }
        if names.steps {
            for name in super::steps::whole_letters(exprs) {
                if !names.integers.contains(&name) {
                    names.integers.push(name);
                }
            }
        }
        names
    }

    fn visit(&mut self, part: &Expr) {
        if let Expr::Call(Function::Floor | Function::Ceil, arguments) = part {
            self.steps |= arguments.iter().any(Expr::has_unknowns);
        }
        match part {
            Expr::Symbol(name) if !self.symbols.contains(name) => self.symbols.push(name.clone()),
            Expr::Constant(Constant::I) => self.imaginary = true,
            Expr::Apply(..) => self.unknown_functions = true,
            Expr::Call(
                Function::Abs
                | Function::Max
                | Function::Min
                | Function::Floor
                | Function::Ceil
                | Function::Sign,
                _,
            ) => self.kinks = true,
            Expr::Call(
                Function::Asin
                | Function::Acos
                | Function::Atan
                | Function::Acot
                | Function::Asec
                | Function::Acsc
                | Function::Acosh,
                _,
            ) => self.kinks = true,
            // Even roots of powers are absolute values.
            Expr::Root(radicand, _) if !matches!(**radicand, Expr::Number(_)) => self.kinks = true,
            Expr::Pow(base, exponent)
                if !matches!(**base, Expr::Number(_))
                    && matches!(&**exponent, Expr::Number(n) if !n.value.is_int()) =>
            {
                self.kinks = true;
            }
            Expr::Call(
                Function::Factorial
                | Function::DoubleFactorial
                | Function::Gcd
                | Function::Lcm
                | Function::Mod,
                arguments,
            ) => arguments
                .iter()
                .for_each(|argument| self.whole_in(argument)),
            Expr::Call(Function::Binomial, arguments) => {
                // `\binom{n}{2}` is a polynomial; `\binom{n}{k}` needs whole numbers.
                if let [n, k] = arguments.as_slice()
                    && k.as_written_integer().is_none()
                {
                    self.whole_in(n);
                    self.whole_in(k);
                }
            }
            Expr::Pow(base, exponent) if is_negative_number(base) => self.whole_in(exponent),
            Expr::Big(big) => match big.kind {
                BigKind::Sum if big.upper == Some(Expr::Constant(Constant::Infinity)) => {
                    self.integral = true;
                    self.series = true;
                }
                BigKind::Sum | BigKind::Product => {
                    for bound in [&big.lower, &big.upper].into_iter().flatten() {
                        self.whole_in(bound);
                    }
                }
                BigKind::Integral | BigKind::Limit => self.integral = true,
                BigKind::Derivative => {}
            },
            _ => {}
        }
    }

    fn whole_in(&mut self, expr: &Expr) {
        expr.any(&mut |part| {
            if let Expr::Symbol(name) = part
                && !self.integers.contains(name)
            {
                self.integers.push(name.clone());
            }
            false
        });
    }

    /// A whole value for each integer variable.
    pub fn whole(&self, point: &Point) -> Vec<(Box<str>, i64)> {
        self.integers
            .iter()
            .map(|name| (name.clone(), point.whole(name)))
            .collect()
    }
}

fn is_negative_number(expr: &Expr) -> bool {
    match expr {
        Expr::Number(n) => n.value.is_negative(),
        Expr::Neg(inner) => matches!(**inner, Expr::Number(_)),
        _ => false,
    }
}
