//! Bound letters under one name: `\sum_i a_i` is `\sum_j a_j`.

use crate::math::expr::{BigKind, BigOperator, Expr};

/// Every sum, product, integral and limit with a bound letter that counts from the outside in.
pub(super) fn renamed(expr: &Expr) -> Expr {
    let binds = |part: &Expr| matches!(part, Expr::Big(big) if big.kind != BigKind::Derivative);
    if !expr.any(&mut |part| binds(part)) {
        return expr.clone();
    }
    at(expr, 0)
}

fn at(expr: &Expr, depth: usize) -> Expr {
    expr.rewritten(&mut |part| match part {
        // An indefinite integral is a function of its letter, which is not bound.
        Expr::Big(big) if big.kind == BigKind::Integral && big.lower.is_none() => None,
        Expr::Big(big) if big.kind != BigKind::Derivative => {
            let name: Box<str> = format!("bound {depth}").into();
            let body = big.body.rewritten(&mut |part| match part {
                Expr::Symbol(letter) if *letter == big.variable => Some(Expr::Symbol(name.clone())),
                // `a_i`, whose `i` is the imaginary unit elsewhere and no letter.
                Expr::Symbol(letter) => {
                    let base = letter.strip_suffix(&*big.variable)?;
                    base.ends_with('_')
                        .then(|| Expr::Apply(base.into(), vec![Expr::Symbol(name.clone())]))
                }
                _ => None,
            });
            let end = |end: &Option<Expr>| end.as_ref().map(|end| at(end, depth));
            Some(Expr::Big(Box::new(BigOperator {
                kind: big.kind,
                variable: name.clone(),
                lower: end(&big.lower),
                upper: end(&big.upper),
                body: at(&body, depth + 1),
            })))
        }
        _ => None,
    })
}
