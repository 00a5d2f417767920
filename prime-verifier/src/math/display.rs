//! Parsed answers in a plain notation, for logs.

use std::fmt::{self, Display, Formatter};

use super::expr::{BigKind, Bracket, Connective, Constant, Expr, NamedSet, Relation, SetOp};

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(n) => write!(f, "{}", n.value),
            Self::Constant(c) => f.write_str(match c {
                Constant::Pi => "π",
                Constant::E => "e",
                Constant::I => "i",
                Constant::Infinity => "∞",
            }),
            Self::Symbol(name) => f.write_str(name),
            Self::Add(terms) => joined(f, "(", terms, " + ", ")"),
            Self::Mul(factors) => joined(f, "", factors, "·", ""),
            Self::Neg(inner) => write!(f, "-{inner}"),
            Self::Inv(inner) => write!(f, "1/({inner})"),
            Self::Pow(base, exponent) => write!(f, "({base})^({exponent})"),
            Self::Root(radicand, index) => write!(f, "root({radicand}, {index})"),
            Self::Call(function, arguments) => {
                write!(f, "{}", format!("{function:?}").to_lowercase())?;
                joined(f, "(", arguments, ", ", ")")
            }
            Self::Apply(name, arguments) => {
                f.write_str(name)?;
                joined(f, "(", arguments, ", ", ")")
            }
            Self::Big(big) => {
                f.write_str(match big.kind {
                    BigKind::Sum => "sum",
                    BigKind::Product => "product",
                    BigKind::Integral => "integral",
                    BigKind::Limit => "limit",
                    BigKind::Derivative => "derivative",
                })?;
                write!(f, "[{}", big.variable)?;
                for bound in [&big.lower, &big.upper].into_iter().flatten() {
                    write!(f, ", {bound}")?;
                }
                write!(f, "]({})", big.body)
            }
            Self::PlusMinus { minus_first, of } => {
                write!(f, "{}{of}", if *minus_first { '∓' } else { '±' })
            }
            Self::Percent(inner) => write!(f, "{inner}%"),
            Self::Degree(inner) => write!(f, "{inner}°"),
            Self::Quantity(inner, unit) => write!(f, "{inner} {}", unit.name),
            Self::Based { digits, base } => write!(f, "{digits}_{base}"),
            Self::Ratio(parts) => joined(f, "", parts, ":", ""),
            Self::Sequence { open, close, items } => {
                let open = match open {
                    Bracket::Round => "(",
                    Bracket::Square => "[",
                    Bracket::Angle => "⟨",
                };
                let close = match close {
                    Bracket::Round => ")",
                    Bracket::Square => "]",
                    Bracket::Angle => "⟩",
                };
                joined(f, open, items, ", ", close)
            }
            Self::List {
                connective, items, ..
            } => joined(
                f,
                "",
                items,
                match connective {
                    Connective::Comma => ", ",
                    Connective::And => " and ",
                    Connective::Or => " or ",
                },
                "",
            ),
            Self::Set(items) => joined(f, "{", items, ", ", "}"),
            Self::Builder(head, condition) => write!(f, "{{{head} : {condition}}}"),
            Self::SetOp(op, items) => joined(
                f,
                "",
                items,
                match op {
                    SetOp::Union => " ∪ ",
                    SetOp::Intersection => " ∩ ",
                    SetOp::Difference => " ∖ ",
                },
                "",
            ),
            Self::NamedSet(set) => f.write_str(match set {
                NamedSet::Reals => "ℝ",
                NamedSet::Integers => "ℤ",
                NamedSet::Naturals => "ℕ",
                NamedSet::Rationals => "ℚ",
                NamedSet::Complexes => "ℂ",
                NamedSet::Empty => "∅",
            }),
            Self::Matrix(rows) => {
                f.write_str("[")?;
                for (index, row) in rows.iter().enumerate() {
                    joined(f, if index > 0 { "; " } else { "" }, row, ", ", "")?;
                }
                f.write_str("]")
            }
            Self::Relation(first, rest) => {
                write!(f, "{first}")?;
                rest.iter()
                    .try_for_each(|(op, side)| write!(f, " {} {side}", sign(*op)))
            }
            Self::Congruence {
                left,
                right,
                modulus,
            } => {
                if let Some(left) = left {
                    write!(f, "{left} ≡ ")?;
                }
                write!(f, "{right} (mod {modulus})")
            }
            Self::Piecewise(rows) => {
                rows.iter()
                    .try_for_each(|(value, condition)| match condition {
                        Some(condition) => write!(f, "{value} if {condition}; "),
                        None => write!(f, "{value}; "),
                    })
            }
            Self::Choice(letter, content) => match content {
                Some(content) => write!(f, "({letter}) {content}"),
                None => write!(f, "({letter})"),
            },
            Self::Text(words) => write!(f, "{words:?}"),
        }
    }
}

fn sign(op: Relation) -> &'static str {
    match op {
        Relation::Eq => "=",
        Relation::Ne => "≠",
        Relation::Lt => "<",
        Relation::Le => "≤",
        Relation::Gt => ">",
        Relation::Ge => "≥",
        Relation::Approx => "≈",
        Relation::In => "∈",
        Relation::NotIn => "∉",
        Relation::Other(name) => name,
    }
}

fn joined(
    f: &mut Formatter<'_>,
    open: &str,
    items: &[Expr],
    between: &str,
    close: &str,
) -> fmt::Result {
    f.write_str(open)?;
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        write!(f, "{item}")?;
    }
    f.write_str(close)
}
