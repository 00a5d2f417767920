//! Unknown functions: a value for each, by its name and what it is applied to.

use super::{Comparer, Open};
use crate::math::expr::{BigOperator, Expr};

/// Most different values of unknown functions in a pair.
const MAX_VALUES: usize = 24;

impl Comparer<'_> {
    /// The pair with `f(x)`, `h_m` and the like as variables: one and the same for arguments that are equal. `None` if
    /// there is none, or none that stands free of a sum's or an integral's own variable.
    pub(super) fn named_values(
        &mut self,
        a: &Expr,
        b: &Expr,
    ) -> Result<Option<(Expr, Expr)>, Open> {
        let mut found: Vec<(Box<str>, Vec<Expr>, Box<str>)> = vec![];
        let mut applied: Vec<(Box<str>, Vec<Expr>)> = vec![];
        for expr in [a, b] {
            collect(expr, &mut vec![], &mut applied);
        }
        if applied.is_empty() {
            return Ok(None);
        }
        if applied.len() > MAX_VALUES {
            return Err(Open::Beyond);
        }
        for (name, arguments) in applied {
            let mut known = None;
            for (other, others, symbol) in &found {
                if *other == name && self.in_order(&arguments, others)? {
                    known = Some(symbol.clone());
                    break;
                }
            }
            let symbol = known.unwrap_or_else(|| format!("{name}#{}", found.len()).into());
            found.push((name, arguments, symbol));
        }
        let put = |expr: &Expr| replaced(expr, &mut vec![], &found);
        Ok(Some((put(a), put(b))))
    }
}

type Bound = Vec<Box<str>>;

fn is_free(arguments: &[Expr], bound: &Bound) -> bool {
    !arguments.iter().any(|argument| {
        argument.any(&mut |part| matches!(part, Expr::Symbol(name) if bound.contains(name)))
    })
}

/// Functions that stand free of bound variables, each once.
fn collect(expr: &Expr, bound: &mut Bound, found: &mut Vec<(Box<str>, Vec<Expr>)>) {
    match expr {
        Expr::Apply(name, arguments) if is_free(arguments, bound) => {
            if !found.iter().any(|(n, a)| n == name && a == arguments) {
                found.push((name.clone(), arguments.clone()));
            }
        }
        Expr::Big(big) => {
            for limit in [&big.lower, &big.upper].into_iter().flatten() {
                collect(limit, bound, found);
            }
            bound.push(big.variable.clone());
            collect(&big.body, bound, found);
            bound.pop();
        }
        other => {
            for child in other.children() {
                collect(child, bound, found);
            }
        }
    }
}

fn replaced(expr: &Expr, bound: &mut Bound, found: &[(Box<str>, Vec<Expr>, Box<str>)]) -> Expr {
    expr.rewritten(&mut |part| match part {
        Expr::Apply(name, arguments) if is_free(arguments, bound) => found
            .iter()
            .find(|(n, a, _)| n == name && a == arguments)
            .map(|(.., symbol)| Expr::Symbol(symbol.clone())),
        Expr::Big(big) => {
            let mut limit =
                |limit: &Option<Expr>| limit.as_ref().map(|limit| replaced(limit, bound, found));
            let (lower, upper) = (limit(&big.lower), limit(&big.upper));
            bound.push(big.variable.clone());
            let body = replaced(&big.body, bound, found);
            bound.pop();
            Some(Expr::Big(Box::new(BigOperator {
                kind: big.kind,
                variable: big.variable.clone(),
                lower,
                upper,
                body,
            })))
        }
        _ => None,
    })
}
