//! Bound letters under one name: `\sum_i a_i` is `\sum_j a_j`.

use crate::math::expr::{BigKind, BigOperator, Expr, Relation};

/// Every sum, product, integral and limit with a bound letter that counts from the outside in.
pub(super) fn renamed(expr: &Expr) -> Expr {
    let expr = &of_family(expr);
    let binds = |part: &Expr| matches!(part, Expr::Big(big) if big.kind != BigKind::Derivative);
    if !expr.any(&mut |part| binds(part)) {
        return expr.clone();
    }
    at(expr, 0)
}

/// `k\\pi, k \\in ℤ` and `\\{2k : k \\in ℤ\\}` with one name for the letter that runs through a set.
fn of_family(expr: &Expr) -> Expr {
    let (value, condition) = match expr {
        Expr::List { items, .. } => match items.as_slice() {
            [value, condition] => (value, condition),
            _ => return expr.clone(),
        },
        Expr::Builder(head, condition) => (&**head, &**condition),
        _ => return expr.clone(),
    };
    let Expr::Relation(left, rest) = condition else {
        return expr.clone();
    };
    let (Expr::Symbol(letter), [(Relation::In, Expr::NamedSet(_))]) = (&**left, rest.as_slice())
    else {
        return expr.clone();
    };
    // A letter that is given a value is no name for its values.
    let runs = match value {
        Expr::Relation(subject, _) => **subject != **left,
        value => *value != **left && value.is_scalar(),
    };
    let holds = value.any(&mut |part| matches!(part, Expr::Symbol(name) if name == letter));
    if !runs || !holds {
        return expr.clone();
    }
    expr.rewritten(&mut |part| match part {
        Expr::Symbol(name) if name == letter => Some(Expr::symbol("bound letter")),
        _ => None,
    })
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
