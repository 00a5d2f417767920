//! Floors and ceilings: which of their letters are whole numbers, and where they jump.

use dashu_ratio::RBig;

use crate::math::expr::{Expr, Function};

/// `slope · x + offset`.
pub(super) struct Linear {
    pub slope: RBig,
    pub offset: RBig,
}

/// A linear form in several letters.
struct Form {
    letters: Vec<(Box<str>, RBig)>,
    constant: RBig,
}

/// The arguments of floors and ceilings.
fn arguments<'e>(exprs: &[&'e Expr]) -> Vec<&'e Expr> {
    fn collect<'e>(expr: &'e Expr, found: &mut Vec<&'e Expr>) {
        if let Expr::Call(Function::Floor | Function::Ceil, arguments) = expr {
            found.extend(arguments);
        }
        for child in expr.children() {
            collect(child, found);
        }
    }
    let mut found = vec![];
    for expr in exprs {
        collect(expr, &mut found);
    }
    found
}

pub(super) fn holds_in_step(exprs: &[&Expr], name: &str) -> bool {
    arguments(exprs)
        .into_iter()
        .any(|argument| argument.any(&mut |part| matches!(part, Expr::Symbol(n) if **n == *name)))
}

/// The arguments that are linear in one letter and hold no other.
pub(super) fn linear_in(exprs: &[&Expr], name: &str) -> Vec<Linear> {
    arguments(exprs)
        .into_iter()
        .filter_map(|argument| {
            let form = form(argument)?;
            match form.letters.as_slice() {
                [(letter, slope)] if **letter == *name && !slope.is_zero() => Some(Linear {
                    slope: slope.clone(),
                    offset: form.constant,
                }),
                _ => None,
            }
        })
        .collect()
}

/// The letters that stand for whole numbers in floors and ceilings.
///
/// `n` does in `⌊n/2⌋`, where a whole number is what makes a step of it, and so does `a`. `a` does not in `⌊2a⌋`, which
/// would be no step at all, and neither does in `⌊n/2 + 1/100⌋`, whose hundredth only moves the jumps of a real letter.
/// `x` never does.
pub(super) fn whole_letters(exprs: &[&Expr]) -> Vec<Box<str>> {
    let mut whole: Vec<Box<str>> = vec![];
    let mut real: Vec<Box<str>> = vec![];
    for argument in arguments(exprs) {
        let grid = match form(argument) {
            Some(form) => grid(&form),
            None => Grid::Steps,
        };
        argument.any(&mut |part| {
            if let Expr::Symbol(name) = part {
                match grid {
                    Grid::Steps if is_whole_letter(name) => whole.push(name.clone()),
                    Grid::Whole if is_index(name) => whole.push(name.clone()),
                    Grid::Off => real.push(name.clone()),
                    _ => {}
                }
            }
            false
        });
    }
    whole.retain(|name| !real.contains(name));
    whole.sort_unstable();
    whole.dedup();
    whole
}

/// What a linear argument is at whole numbers.
enum Grid {
    /// Fractions that its floor takes off.
    Steps,
    /// Whole itself.
    Whole,
    /// Off the fractions that its letters can make.
    Off,
}

fn grid(form: &Form) -> Grid {
    let lcm = form.letters.iter().fold(RBig::ONE, |lcm, (_, slope)| {
        let denominator = RBig::from(slope.denominator().clone());
        // Small numbers: a common multiple, least or not, will do.
        if (&lcm / &denominator).is_int() {
            lcm
        } else {
            lcm * denominator
        }
    });
    // Halves, thirds and quarters of a step are how rounding is written: `⌊n/3 + 1/2⌋`.
    if !(RBig::from(12) * &lcm * &form.constant).is_int() {
        Grid::Off
    } else if lcm.is_one() {
        Grid::Whole
    } else {
        Grid::Steps
    }
}

/// Letters that are hardly ever anything but whole.
fn is_index(name: &str) -> bool {
    matches!(
        name.split(['_', '\'']).next(),
        Some("i" | "j" | "k" | "l" | "m" | "n" | "K" | "M" | "N")
    )
}

/// Letters that whole numbers are written with: not `x`, `y`, `t` or Greek ones.
fn is_whole_letter(name: &str) -> bool {
    let base = name.split(['_', '\'']).next().unwrap_or(name);
    let mut letters = base.chars();
    matches!(
        (letters.next(), letters.next()),
        (Some('a'..='s' | 'A'..='S'), None)
    )
}

fn form(expr: &Expr) -> Option<Form> {
    Some(match expr {
        Expr::Number(n) => Form {
            letters: vec![],
            constant: n.value.clone(),
        },
        Expr::Symbol(name) => Form {
            letters: vec![(name.clone(), RBig::ONE)],
            constant: RBig::ZERO,
        },
        Expr::Neg(inner) => scaled(form(inner)?, &RBig::from(-1)),
        Expr::Inv(inner) => {
            let inner = form(inner)?;
            if !inner.letters.is_empty() || inner.constant.is_zero() {
                return None;
            }
            Form {
                letters: vec![],
                constant: RBig::ONE / inner.constant,
            }
        }
        Expr::Add(terms) => {
            let mut total = Form {
                letters: vec![],
                constant: RBig::ZERO,
            };
            for term in terms {
                let term = form(term)?;
                total.constant += term.constant;
                for (name, slope) in term.letters {
                    match total.letters.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, sum)) => *sum += slope,
                        None => total.letters.push((name, slope)),
                    }
                }
            }
            total
        }
        Expr::Mul(factors) => {
            let mut total = Form {
                letters: vec![],
                constant: RBig::ONE,
            };
            for factor in factors {
                let factor = form(factor)?;
                total = if factor.letters.is_empty() {
                    scaled(total, &factor.constant)
                } else if total.letters.is_empty() {
                    scaled(factor, &total.constant)
                } else {
                    return None;
                };
            }
            total
        }
        Expr::Pow(base, exponent) => {
            let (base, exponent) = (form(base)?, exponent.as_written_integer()?);
            if !base.letters.is_empty() || base.constant.is_zero() || exponent.abs() > 64 {
                return None;
            }
            Form {
                letters: vec![],
                constant: base.constant.pow(exponent as isize),
            }
        }
        _ => return None,
    })
}

fn scaled(mut form: Form, by: &RBig) -> Form {
    form.constant *= by;
    for (_, slope) in &mut form.letters {
        *slope *= by;
    }
    form
}
