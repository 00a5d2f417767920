//! Derivatives of what has one by the rules.

use super::{Comparer, Open};
use crate::math::expr::{BigKind, BigOperator, Constant, Expr, Function};

/// Largest tree that is differentiated, in nodes; the derivative is at most that many times as large.
const MAX_NODES: usize = 150;

/// Every `\frac{d^n}{dx^n} f` whose `f` is elementary, carried out.
///
/// The derivative of a letter by another is a name, since the letter depends on the other in ways unknown: `y'` where
/// either side writes primes or dots, and a name of its own otherwise.
pub(super) fn carried_out(expr: &Expr, primes: bool) -> Expr {
    let expr = &if primes { undotted(expr) } else { expr.clone() };
    carried(expr, primes)
}

/// Whether `y'` or `\dot y` occurs.
pub(super) fn shows_primes(expr: &Expr) -> bool {
    expr.any(&mut |part| {
        matches!(part, Expr::Symbol(name)
            if name.ends_with('\'') || name.starts_with("dot ") || name.starts_with("ddot "))
    })
}

/// `\dot x` and `\ddot x` as `x'` and `x''`.
fn undotted(expr: &Expr) -> Expr {
    expr.rewritten(&mut |part| match part {
        Expr::Symbol(name) => {
            let (marks, letter) = match (name.strip_prefix("dot "), name.strip_prefix("ddot ")) {
                (Some(letter), _) => ("'", letter),
                (_, Some(letter)) => ("''", letter),
                _ => return None,
            };
            Some(Expr::Symbol(format!("{letter}{marks}").into()))
        }
        _ => None,
    })
}

/// `dy/dx` as a name.
fn name(big: &BigOperator, primes: bool) -> Option<Expr> {
    let letter: Box<str> = match &big.body {
        Expr::Symbol(letter) if *letter != big.variable => letter.clone(),
        // `v_o`
        Expr::Apply(name, below)
            if name.ends_with('_') && !below.iter().any(|part| holds(part, &big.variable)) =>
        {
            big.body.to_string().into()
        }
        _ => return None,
    };
    let order = big.upper.as_ref()?.as_written_integer()?;
    let by_default = matches!(&*big.variable, "x" | "t");
    Some(Expr::Symbol(if primes && by_default {
        format!("{letter}{}", "'".repeat(usize::try_from(order).ok()?)).into()
    } else {
        format!("d{order} {letter} by {}", big.variable).into()
    }))
}

fn carried(expr: &Expr, primes: bool) -> Expr {
    if !expr.any(&mut |part| matches!(part, Expr::Big(big) if big.kind == BigKind::Derivative)) {
        return expr.clone();
    }
    expr.rewritten(&mut |part| match part {
        Expr::Big(big) if big.kind == BigKind::Derivative => {
            // The inside is carried out once, whatever becomes of the outside.
            let inside = BigOperator {
                body: carried(&big.body, primes),
                ..(**big).clone()
            };
            Some(
                name(&inside, primes)
                    .or_else(|| derivative(&inside))
                    .unwrap_or_else(|| Expr::Big(Box::new(inside))),
            )
        }
        _ => None,
    })
}

impl Comparer<'_> {
    /// `\int x\,dx` against `x²/2 + C`: whether the derivative of one is what the other integrates. A constant of
    /// integration has to be there.
    pub(super) fn antiderivatives(&mut self, a: &Expr, b: &Expr) -> Result<Option<bool>, Open> {
        let indefinite = |expr: &Expr| match expr {
            Expr::Big(big)
                if big.kind == BigKind::Integral && big.lower.is_none() && big.upper.is_none() =>
            {
                Some((**big).clone())
            }
            _ => None,
        };
        let (big, other) = match (indefinite(a), indefinite(b)) {
            (Some(big), None) => (big, b),
            (None, Some(big)) => (big, a),
            _ => return Ok(None),
        };
        let constant = |expr: &Expr| {
            matches!(expr, Expr::Symbol(name)
                if name.starts_with(['C', 'c', 'K', 'k']) && !holds(&big.body, name) && *name != big.variable)
        };
        let Expr::Add(terms) = other else {
            return Ok(Some(false));
        };
        if !terms.iter().any(constant) {
            return Ok(Some(false));
        }
        match of(other, &big.variable) {
            Some(slope) => self.scalars(&slope, &big.body).map(Some),
            None => Ok(None),
        }
    }
}

fn derivative(big: &BigOperator) -> Option<Expr> {
    let order = big.upper.as_ref()?.as_written_integer()?;
    let mut value = big.body.clone();
    for _ in 0..order {
        if value.size() > MAX_NODES {
            return None;
        }
        value = of(&value, &big.variable)?;
    }
    Some(value)
}

fn holds(expr: &Expr, x: &str) -> bool {
    expr.any(&mut |part| matches!(part, Expr::Symbol(name) if **name == *x))
}

fn power(base: Expr, exponent: i64) -> Expr {
    Expr::Pow(Box::new(base), Box::new(Expr::integer(exponent)))
}

fn of(expr: &Expr, x: &str) -> Option<Expr> {
    // An unknown function may depend on anything.
    if expr.any(&mut |part| matches!(part, Expr::Apply(..))) {
        return None;
    }
    if !holds(expr, x) {
        return Some(Expr::integer(0));
    }
    Some(match expr {
        Expr::Symbol(_) => Expr::integer(1),
        Expr::Neg(inner) => of(inner, x)?.negated(),
        Expr::Add(terms) => Expr::Add(
            terms
                .iter()
                .map(|term| of(term, x))
                .collect::<Option<_>>()?,
        ),
        Expr::Mul(factors) => {
            let mut terms = vec![];
            for (index, factor) in factors.iter().enumerate() {
                let mut product = factors.clone();
                *product.get_mut(index)? = of(factor, x)?;
                terms.push(Expr::Mul(product));
            }
            Expr::Add(terms)
        }
        Expr::Inv(inner) => Expr::Mul(vec![of(inner, x)?, power((**inner).clone(), -2)]).negated(),
        Expr::Pow(base, exponent) if !holds(exponent, x) => {
            let lowered = Expr::Add(vec![(**exponent).clone(), Expr::integer(-1)]);
            Expr::Mul(vec![
                (**exponent).clone(),
                Expr::Pow(base.clone(), Box::new(lowered)),
                of(base, x)?,
            ])
        }
        Expr::Pow(base, exponent) => {
            let ln = Expr::call(Function::Ln, (**base).clone());
            let inner = Expr::Mul(vec![(**exponent).clone(), ln]);
            Expr::Mul(vec![expr.clone(), of(&inner, x)?])
        }
        Expr::Root(radicand, index) if !holds(index, x) => {
            let exponent = Expr::Add(vec![(**index).clone().inverted(), Expr::integer(-1)]);
            Expr::Mul(vec![
                (**index).clone().inverted(),
                Expr::Pow(radicand.clone(), Box::new(exponent)),
                of(radicand, x)?,
            ])
        }
        Expr::Call(function, arguments) => {
            let u = arguments.first()?;
            if arguments.iter().skip(1).any(|other| holds(other, x)) {
                return None;
            }
            let outer = outer(*function, u, arguments.get(1))?;
            Expr::Mul(vec![outer, of(u, x)?])
        }
        _ => return None,
    })
}

/// `f'(u)`
fn outer(function: Function, u: &Expr, base: Option<&Expr>) -> Option<Expr> {
    use Function::*;
    let call = |f: Function| Expr::call(f, u.clone());
    let one_minus_square = || Expr::Add(vec![Expr::integer(1), power(u.clone(), 2).negated()]);
    let root = |radicand: Expr| Expr::Root(Box::new(radicand), Box::new(Expr::integer(2)));
    Some(match function {
        Sin => call(Cos),
        Cos => call(Sin).negated(),
        Tan => power(call(Cos), -2),
        Cot => power(call(Sin), -2).negated(),
        Sec => Expr::Mul(vec![call(Sec), call(Tan)]),
        Csc => Expr::Mul(vec![call(Csc), call(Cot)]).negated(),
        Asin => root(one_minus_square()).inverted(),
        Acos => root(one_minus_square()).inverted().negated(),
        Atan => Expr::Add(vec![Expr::integer(1), power(u.clone(), 2)]).inverted(),
        Sinh => call(Cosh),
        Cosh => call(Sinh),
        Tanh => power(call(Cosh), -2),
        Exp => call(Exp),
        Ln => u.clone().inverted(),
        // 1/ln b is log_b e, whatever b is where none is written.
        Log => {
            let mut arguments = vec![Expr::Constant(Constant::E)];
            arguments.extend(base.cloned());
            Expr::Mul(vec![Expr::Call(Log, arguments), u.clone().inverted()])
        }
        _ => return None,
    })
}
