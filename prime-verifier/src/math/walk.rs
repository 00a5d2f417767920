//! Going through a tree: its parts, a search, a rewriting.

use super::expr::{BigOperator, Expr};

impl Expr {
    /// The parts directly below.
    pub fn children(&self) -> Vec<&Expr> {
        match self {
            Self::Number(_)
            | Self::Constant(_)
            | Self::Symbol(_)
            | Self::Based { .. }
            | Self::NamedSet(_)
            | Self::Text(_) => vec![],
            Self::Add(items)
            | Self::Mul(items)
            | Self::Call(_, items)
            | Self::Apply(_, items)
            | Self::Ratio(items)
            | Self::Sequence { items, .. }
            | Self::List { items, .. }
            | Self::Set(items)
            | Self::SetOp(_, items) => items.iter().collect(),
            Self::Neg(inner)
            | Self::Inv(inner)
            | Self::PlusMinus { of: inner, .. }
            | Self::Percent(inner)
            | Self::Degree(inner)
            | Self::Quantity(inner, _) => vec![inner],
            Self::Pow(a, b) | Self::Root(a, b) | Self::Builder(a, b) => vec![a, b],
            Self::Big(big) => [Some(&big.body), big.lower.as_ref(), big.upper.as_ref()]
                .into_iter()
                .flatten()
                .collect(),
            Self::Matrix(rows) => rows.iter().flatten().collect(),
            Self::Relation(first, rest) => std::iter::once(first.as_ref())
                .chain(rest.iter().map(|(_, side)| side))
                .collect(),
            Self::Congruence {
                left,
                right,
                modulus,
            } => left
                .as_deref()
                .into_iter()
                .chain([right.as_ref(), modulus.as_ref()])
                .collect(),
            Self::Piecewise(rows) => rows
                .iter()
                .flat_map(|(value, condition)| std::iter::once(value).chain(condition))
                .collect(),
            Self::Choice(_, content) => content.as_deref().into_iter().collect(),
        }
    }

    /// Whether a variable or an unknown function occurs.
    pub fn has_unknowns(&self) -> bool {
        self.any(&mut |part| matches!(part, Expr::Symbol(_) | Expr::Apply(..)))
    }

    /// How many nodes there are.
    pub fn size(&self) -> usize {
        1 + self.children().into_iter().map(Expr::size).sum::<usize>()
    }

    /// Whether this or any part of it is such.
    pub fn any(&self, is_such: &mut dyn FnMut(&Expr) -> bool) -> bool {
        is_such(self) || self.children().into_iter().any(|child| child.any(is_such))
    }

    /// The same tree with `change` applied to every part that it answers for, from the top down.
    pub fn rewritten(&self, change: &mut dyn FnMut(&Expr) -> Option<Expr>) -> Expr {
        if let Some(changed) = change(self) {
            return changed;
        }
        let mut boxed = |e: &Expr| Box::new(e.rewritten(change));
        match self {
            Self::Neg(a) => Self::Neg(boxed(a)),
            Self::Inv(a) => Self::Inv(boxed(a)),
            Self::Pow(a, b) => Self::Pow(boxed(a), boxed(b)),
            Self::Root(a, b) => Self::Root(boxed(a), boxed(b)),
            Self::Builder(a, b) => Self::Builder(boxed(a), boxed(b)),
            Self::PlusMinus { minus_first, of } => Self::PlusMinus {
                minus_first: *minus_first,
                of: boxed(of),
            },
            Self::Percent(a) => Self::Percent(boxed(a)),
            Self::Degree(a) => Self::Degree(boxed(a)),
            Self::Quantity(a, unit) => Self::Quantity(boxed(a), unit.clone()),
            Self::Choice(letter, content) => {
                Self::Choice(*letter, content.as_deref().map(&mut boxed))
            }
            Self::Congruence {
                left,
                right,
                modulus,
            } => Self::Congruence {
                left: left.as_deref().map(&mut boxed),
                right: boxed(right),
                modulus: boxed(modulus),
            },
            _ => self.rewritten_many(change),
        }
    }

    fn rewritten_many(&self, change: &mut dyn FnMut(&Expr) -> Option<Expr>) -> Expr {
        let mut all =
            |items: &[Expr]| -> Vec<Expr> { items.iter().map(|e| e.rewritten(change)).collect() };
        match self {
            Self::Add(items) => Self::Add(all(items)),
            Self::Mul(items) => Self::Mul(all(items)),
            Self::Call(function, items) => Self::Call(*function, all(items)),
            Self::Apply(name, items) => Self::Apply(name.clone(), all(items)),
            Self::Ratio(items) => Self::Ratio(all(items)),
            Self::Set(items) => Self::Set(all(items)),
            Self::SetOp(op, items) => Self::SetOp(*op, all(items)),
            Self::Sequence { open, close, items } => Self::Sequence {
                open: *open,
                close: *close,
                items: all(items),
            },
            Self::List {
                connective,
                items,
                decimal,
            } => Self::List {
                connective: *connective,
                items: all(items),
                decimal: decimal.clone(),
            },
            Self::Matrix(rows) => Self::Matrix(rows.iter().map(|row| all(row)).collect()),
            Self::Relation(first, rest) => Self::Relation(
                Box::new(first.rewritten(change)),
                rest.iter()
                    .map(|(op, side)| (*op, side.rewritten(change)))
                    .collect(),
            ),
            Self::Piecewise(rows) => Self::Piecewise(
                rows.iter()
                    .map(|(value, condition)| {
                        let condition = condition.as_ref().map(|c| c.rewritten(change));
                        (value.rewritten(change), condition)
                    })
                    .collect(),
            ),
            Self::Big(big) => Self::Big(Box::new(BigOperator {
                kind: big.kind,
                variable: big.variable.clone(),
                lower: big.lower.as_ref().map(|e| e.rewritten(change)),
                upper: big.upper.as_ref().map(|e| e.rewritten(change)),
                body: big.body.rewritten(change),
            })),
            other => other.clone(),
        }
    }
}
