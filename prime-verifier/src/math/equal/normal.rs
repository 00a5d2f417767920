//! One spelling for what has several: signs of both kinds, chains of equations, nested lists, number words.

use dashu_ratio::RBig;

use super::{Comparer, matrix};
use crate::math::expr::{Bracket, Connective, Constant, Expr, NamedSet, Number, Relation, SetOp};
use crate::math::layout;

/// Most answers that `±` may stand for.
const MAX_SIGNS: usize = 4;

impl Comparer<'_> {
    pub(super) fn normal(&self, expr: &Expr) -> Expr {
        match expr {
            Expr::List {
                connective,
                items,
                decimal,
            } => self.list(*connective, items, decimal.clone()),
            Expr::Set(items) => {
                let items = items
                    .iter()
                    .flat_map(|item| spliced(self.normal(item)))
                    .collect();
                Expr::Set(items)
            }
            Expr::Relation(first, rest) => self.relation(first, rest),
            Expr::Sequence { open, close, items } => {
                let items: Vec<Expr> = items.iter().map(|item| self.normal_part(item)).collect();
                let sequence = Expr::Sequence {
                    open: *open,
                    close: *close,
                    items,
                };
                with_signs(sequence)
            }
            Expr::SetOp(op, items) => {
                Expr::SetOp(*op, items.iter().map(|item| self.normal(item)).collect())
            }
            Expr::Builder(head, condition) => Expr::Builder(
                Box::new(self.normal(head)),
                Box::new(self.normal(condition)),
            ),
            Expr::Matrix(rows) => Expr::Matrix(
                rows.iter()
                    .map(|row| row.iter().map(|cell| self.normal_part(cell)).collect())
                    .collect(),
            ),
            Expr::Piecewise(rows) => Expr::Piecewise(
                rows.iter()
                    .map(|(value, condition)| {
                        (
                            self.normal(value),
                            condition.as_ref().map(|condition| self.normal(condition)),
                        )
                    })
                    .collect(),
            ),
            Expr::Choice(letter, content) => Expr::Choice(
                *letter,
                content
                    .as_ref()
                    .map(|content| Box::new(self.normal(content))),
            ),
            Expr::Text(words) => self.text(words),
            Expr::Quantity(value, unit) if part_of_one(&unit.name).is_some() => {
                let parts = part_of_one(&unit.name).unwrap_or(1);
                let part = Expr::exact(RBig::from_parts(1.into(), parts.into()));
                Expr::Mul(vec![self.normal(value), part])
            }
            Expr::Quantity(value, unit) => match self.normal(value) {
                Expr::List {
                    connective, items, ..
                } => Expr::List {
                    connective,
                    items: items
                        .into_iter()
                        .map(|item| Expr::Quantity(Box::new(item), unit.clone()))
                        .collect(),
                    decimal: None,
                },
                value => Expr::Quantity(Box::new(value), unit.clone()),
            },
            // The sign of `-5^\\circ` is the number's.
            Expr::Neg(inner) if signed(inner).is_some() => {
                self.normal(&signed(inner).unwrap_or_else(|| expr.clone()))
            }
            Expr::Add(_) | Expr::Mul(_) | Expr::Neg(_) | Expr::Pow(..) => {
                let simple = matrix::simplified(expr).unwrap_or_else(|| expr.clone());
                with_signs(simple)
            }
            other => with_signs(other.clone()),
        }
    }

    /// A part of a structure that keeps its `±` for the whole.
    fn normal_part(&self, expr: &Expr) -> Expr {
        if has_sign(expr) {
            expr.clone()
        } else {
            self.normal(expr)
        }
    }

    fn text(&self, words: &str) -> Expr {
        let plain = layout::words(words);
        if let Some(set) = named_set(&plain) {
            return Expr::NamedSet(set);
        }
        if self.policy.loose_text && says_none(&plain) {
            return Expr::NamedSet(NamedSet::Empty);
        }
        if self.policy.loose_text
            && let Some(value) = number_word(&plain)
        {
            return Expr::integer(value);
        }
        Expr::Text(plain.into())
    }

    fn list(&self, connective: Connective, items: &[Expr], decimal: Option<Box<Number>>) -> Expr {
        let mut all: Vec<Expr> = items
            .iter()
            .flat_map(|item| spliced(self.normal(item)))
            .collect();
        // `n = 1, 2, 3`: the left side holds for all.
        if let Some(Expr::Relation(left, rest)) = all.first().cloned()
            && let [(op @ (Relation::Eq | Relation::In | Relation::Ne), _)] = rest.as_slice()
            && super::is_name(&left)
            && all
                .iter()
                .skip(1)
                .all(|item| !matches!(item, Expr::Relation(..) | Expr::List { .. } | Expr::Text(_)))
        {
            for item in all.iter_mut().skip(1) {
                let right = std::mem::replace(item, Expr::integer(0));
                *item = Expr::Relation(left.clone(), vec![(*op, right)]);
            }
        }
        // What is excluded is excluded all at once.
        let connective = if all.iter().all(excludes) && !all.is_empty() {
            Connective::And
        } else {
            connective
        };
        // "(−∞, 1) or (2, ∞)" is a union.
        if connective == Connective::Or && all.len() > 1 && all.iter().all(is_interval) {
            return Expr::SetOp(SetOp::Union, all);
        }
        if all.len() == 1
            && let Some(only) = all.pop()
        {
            return only;
        }
        Expr::List {
            connective,
            items: all,
            decimal,
        }
    }

    fn relation(&self, first: &Expr, rest: &[(Relation, Expr)]) -> Expr {
        let first = self.normal_part(first);
        let mut rest: Vec<(Relation, Expr)> = rest
            .iter()
            .map(|(op, side)| (*op, self.normal_part(side)))
            .collect();
        // `x = 1/3 ≈ 0.33` says `x = 1/3`.
        if let Some(at) = rest.iter().position(|(op, _)| *op == Relation::Approx)
            && (at > 0 || !super::is_name(&first))
        {
            rest.truncate(at);
        }
        if rest.is_empty() {
            return with_signs(first);
        }
        // `x = 5 + 6 = 11` says `x = 11`.
        if rest.len() > 1 && rest.iter().all(|(op, _)| *op == Relation::Eq) {
            let last = rest.pop();
            rest = last.into_iter().collect();
        }
        if let [(op @ Relation::Approx, _)] = rest.as_mut_slice() {
            *op = Relation::Eq;
        }
        // `x \in \{1, 2\}` says `x = 1` or `x = 2`.
        if let [(Relation::In, Expr::Set(items))] = rest.as_slice() {
            let items = items
                .iter()
                .flat_map(|item| spliced(with_signs(item.clone())))
                .map(|item| Expr::Relation(Box::new(first.clone()), vec![(Relation::Eq, item)]))
                .collect::<Vec<_>>();
            return self.list(Connective::Or, &items, None);
        }
        // `x \notin \{1, 2\}` says `x ≠ 1` and `x ≠ 2`.
        if let [(Relation::NotIn, Expr::Set(items))] = rest.as_slice()
            && !items.is_empty()
        {
            let items = items
                .iter()
                .flat_map(|item| spliced(with_signs(item.clone())))
                .map(|item| Expr::Relation(Box::new(first.clone()), vec![(Relation::Ne, item)]))
                .collect::<Vec<_>>();
            return self.list(Connective::And, &items, None);
        }
        with_signs(Expr::Relation(Box::new(first), rest))
    }
}

/// The items of a list that stands where an item stands.
fn spliced(expr: Expr) -> Vec<Expr> {
    match expr {
        Expr::List {
            connective: Connective::And,
            items,
            ..
        } if items.iter().any(|i| matches!(i, Expr::Text(_))) => {
            vec![Expr::List {
                connective: Connective::And,
                items,
                decimal: None,
            }]
        }
        Expr::List { items, .. } => items,
        one => vec![one],
    }
}

fn has_sign(expr: &Expr) -> bool {
    expr.any(&mut |part| matches!(part, Expr::PlusMinus { .. }))
}

/// An expression with `±` as the list of what it stands for.
///
/// Signs are independent, as in `\pm 3 \pm \sqrt 2`, unless a `∓` ties them together.
fn with_signs(expr: Expr) -> Expr {
    let (mut count, mut tied) = (0usize, false);
    expr.any(&mut |part| {
        if let Expr::PlusMinus { minus_first, .. } = part {
            count += 1;
            tied |= *minus_first;
        }
        false
    });
    if count == 0 || count > MAX_SIGNS {
        return expr;
    }
    let choices = if tied { 2 } else { 1 << count };
    let items = (0..choices)
        .map(|choice: usize| {
            let mut seen = 0;
            resolved(&expr, &mut |minus_first| {
                let minus = if tied {
                    choice == 1
                } else {
                    choice >> seen & 1 == 1
                };
                seen += 1;
                minus != minus_first
            })
        })
        .collect();
    // `x ≠ ±1`: it is neither.
    let connective = if excludes(&expr) {
        Connective::And
    } else {
        Connective::Or
    };
    Expr::List {
        connective,
        items,
        decimal: None,
    }
}

/// An interval that is no point: one end is closed or infinite.
fn is_interval(expr: &Expr) -> bool {
    match expr {
        Expr::Sequence { open, close, items } => {
            let infinite = items
                .iter()
                .any(|end| end.any(&mut |part| *part == Expr::Constant(Constant::Infinity)));
            items.len() == 2
                && (infinite || (*open == Bracket::Square) != (*close == Bracket::Square))
        }
        _ => false,
    }
}

/// The negative of a value with a mark behind it.
fn signed(expr: &Expr) -> Option<Expr> {
    let minus = |inner: &Expr| Box::new(inner.clone().negated());
    Some(match expr {
        Expr::Degree(inner) => Expr::Degree(minus(inner)),
        Expr::Percent(inner) => Expr::Percent(minus(inner)),
        Expr::Quantity(inner, unit) => Expr::Quantity(minus(inner), unit.clone()),
        _ => return None,
    })
}

fn excludes(expr: &Expr) -> bool {
    matches!(expr, Expr::Relation(_, rest) if matches!(rest.as_slice(), [(Relation::Ne, _)]))
}

fn resolved(expr: &Expr, minus: &mut dyn FnMut(bool) -> bool) -> Expr {
    expr.rewritten(&mut |part| match part {
        Expr::PlusMinus { minus_first, of } => {
            let negative = minus(*minus_first);
            let of = resolved(of, minus);
            Some(if negative { of.negated() } else { of })
        }
        _ => None,
    })
}

/// The letters of a product of nothing but letters.
pub(super) fn letters(expr: &Expr) -> Option<String> {
    use crate::math::expr::Constant;
    let Expr::Mul(factors) = expr else {
        return None;
    };
    factors
        .iter()
        .map(|factor| match factor {
            Expr::Symbol(name) if name.len() == 1 => Some(&**name),
            Expr::Constant(Constant::E) => Some("e"),
            Expr::Constant(Constant::I) => Some("i"),
            _ => None,
        })
        .collect()
}

pub(super) fn named_set(words: &str) -> Option<NamedSet> {
    Some(match words {
        "all real numbers" | "all reals" | "the real numbers" | "real numbers" | "all real" => {
            NamedSet::Reals
        }
        "empty set" | "the empty set" | "null set" => NamedSet::Empty,
        "all integers" | "the integers" => NamedSet::Integers,
        _ => return None,
    })
}

/// What people write instead of ∅.
fn says_none(words: &str) -> bool {
    matches!(
        words,
        "no solution"
            | "no solutions"
            | "no real solution"
            | "no real solutions"
            | "none"
            | "no such values"
    )
}

/// `5 tenths` are 0.5.
fn part_of_one(unit: &str) -> Option<u64> {
    Some(match unit.strip_suffix('s').unwrap_or(unit) {
        "half" | "halve" => 2,
        "third" => 3,
        "fourth" | "quarter" => 4,
        "fifth" => 5,
        "sixth" => 6,
        "seventh" => 7,
        "eighth" => 8,
        "ninth" => 9,
        "tenth" => 10,
        "hundredth" => 100,
        "thousandth" => 1000,
        _ => return None,
    })
}

fn number_word(words: &str) -> Option<i64> {
    const WORDS: [&str; 21] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
        "twenty",
    ];
    WORDS
        .iter()
        .position(|word| *word == words)
        .map(|at| at as i64)
}

/// `1,234` as the list that it could also be.
pub(super) fn comma_groups(number: &Number) -> Option<Vec<Expr>> {
    let digits = number.value.numerator().to_string();
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, digits.as_str()),
    };
    let first = match digits.len() % 3 {
        0 => 3,
        rest => rest,
    };
    let (head, tail) = digits.split_at_checked(first)?;
    let mut groups = vec![Expr::exact(RBig::from(sign * head.parse::<i64>().ok()?))];
    for group in tail.as_bytes().chunks(3) {
        let group = std::str::from_utf8(group).ok()?;
        groups.push(Expr::exact(RBig::from(group.parse::<i64>().ok()?)));
    }
    Some(groups)
}
