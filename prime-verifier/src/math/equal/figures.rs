//! Figures and vectors by their letters, whose order counts: `\overrightarrow{AB}` is not `\overrightarrow{BA}`.

use crate::math::expr::{Constant, Expr};

/// A product of vectors, which does not commute.
const CROSS: &str = "cross";

/// Every figure and vector product under one name, whichever way round it was written.
pub(super) fn named(expr: &Expr) -> Expr {
    if !expr.any(
        &mut |part| matches!(part, Expr::Apply(name, _) if is_figure(name) || &**name == CROSS),
    ) {
        return expr.clone();
    }
    expr.rewritten(&mut |part| match part {
        Expr::Apply(name, arguments) if &**name == CROSS => match arguments.as_slice() {
            [a, b] => {
                let (a, b) = (named(a), named(b));
                let (x, y) = (a.to_string(), b.to_string());
                Some(if x == y {
                    Expr::integer(0)
                } else if x < y {
                    Expr::Symbol(format!("{CROSS} {x} {y}").into())
                } else {
                    Expr::Symbol(format!("{CROSS} {y} {x}").into()).negated()
                })
            }
            _ => None,
        },
        Expr::Apply(name, arguments) if is_figure(name) => match arguments.as_slice() {
            [only] => figure(name, &letters(only)?),
            _ => None,
        },
        _ => None,
    })
}

fn is_figure(name: &str) -> bool {
    matches!(
        name,
        "vec" | "angle" | "triangle" | "line" | "arc" | "hat" | "overline" | "bar"
    )
}

fn figure(name: &str, letters: &[String]) -> Option<Expr> {
    let mut own = letters.to_vec();
    let mut reversed = own.clone();
    reversed.reverse();
    let capitals = own
        .iter()
        .all(|l| l.starts_with(|c: char| c.is_ascii_uppercase()));
    let symbol = |letters: &[String]| Expr::Symbol(format!("{name} {}", letters.join(" ")).into());
    Some(match name {
        // A vector turned around is its opposite.
        "vec" if own.len() == 2 && reversed < own => symbol(&reversed).negated(),
        "vec" => symbol(&own),
        "triangle" => {
            own.sort();
            symbol(&own)
        }
        // `\overline{abc}` is a number with these digits.
        "overline" | "bar" if own.len() != 2 || !capitals => symbol(&own),
        _ => symbol(&own.min(reversed)),
    })
}

/// The letters of a name, in order.
fn letters(expr: &Expr) -> Option<Vec<String>> {
    let one = |expr: &Expr| match expr {
        Expr::Symbol(name) => Some(name.to_string()),
        Expr::Constant(Constant::E) => Some("e".to_owned()),
        Expr::Constant(Constant::I) => Some("i".to_owned()),
        _ => None,
    };
    match expr {
        Expr::Mul(factors) if factors.len() <= 8 => factors.iter().map(one).collect(),
        other => one(other).map(|letter| vec![letter]),
    }
}
