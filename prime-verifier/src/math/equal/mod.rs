//! Whether two parsed answers say the same.
//!
//! Structures are compared part by part here and in the files beside this one; what is left are pairs of scalars, which
//! [`scalar`] decides in stages from exact to numeric.

mod bound;
mod collection;
mod derivative;
mod figures;
mod functions;
mod matrix;
mod measure;
mod names;
mod normal;
mod realset;
mod region;
mod relation;
mod rounding;
mod sampling;
mod scalar;
mod steps;
mod truth;
mod whole;

use super::budget::{Budget, Spent};
use super::expr::{Bracket, Expr, Function, NamedSet, SetOp};
use super::hash::Mix;
use super::layout;
use super::policy::MathPolicy;

/// What decided, from the surest and cheapest on.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// The texts are the same once layout is removed.
    Text,
    /// The two are of different kinds or have different parts.
    Structure,
    /// Exact rational (or Gaussian rational) arithmetic.
    Exact,
    /// Identity testing modulo two primes.
    Modular,
    /// Evaluation at random points, with rigorous error bounds, as precisely as the question needs.
    Numeric,
    /// A decimal within what the policy calls a rounding.
    Rounding,
}

/// Why a comparison has no verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    /// The budget is used up.
    Spent,
    /// No arithmetic here can hold both sides, or tell them apart.
    Beyond,
}

impl From<Spent> for Open {
    fn from(_: Spent) -> Self {
        Self::Spent
    }
}

pub(super) type Verdict = Result<bool, Open>;

/// One comparison: policy, budget, random points.
pub(super) struct Comparer<'p> {
    pub policy: &'p MathPolicy,
    pub budget: Budget,
    /// Where expressions are evaluated: a function of both texts, whichever comes first.
    pub seed: u64,
    /// The least exact stage that was needed so far.
    pub stage: Stage,
    depth: usize,
}

/// Deepest nesting of structures that are compared; expressions are bounded by the parser already.
const MAX_DEPTH: usize = 64;

impl<'p> Comparer<'p> {
    pub fn new(policy: &'p MathPolicy, texts: [&str; 2], units: u64) -> Self {
        let [a, b] = texts.map(|text| {
            let mut hash = Mix::new(1);
            hash.text(text);
            hash.finish()
        });
        Self {
            policy,
            budget: Budget::new(units),
            seed: a.min(b) ^ a.max(b).rotate_left(17),
            stage: Stage::Structure,
            depth: 0,
        }
    }

    /// Whether two answers are equal. Whichever comes first, the work is the same.
    pub fn compare(&mut self, a: &Expr, b: &Expr) -> Verdict {
        // What is not true says nothing that could be right.
        if a != b && (self.is_false_chain(a)? || self.is_false_chain(b)?) {
            return Ok(false);
        }
        let primes = derivative::shows_primes(a) || derivative::shows_primes(b);
        let [a, b] = [a, b]
            .map(|expr| bound::renamed(&figures::named(&derivative::carried_out(expr, primes))));
        let (a, b) = (self.normal(&a), self.normal(&b));
        match self.eq(&a, &b) {
            // One way may come to what tells the two apart before it comes to what cannot be told.
            Err(Open::Beyond) => self.eq(&b, &a),
            verdict => verdict,
        }
    }

    /// Whether an answer can be told from one that is next to it, so that it is no fault of its own if it cannot be told
    /// from another.
    pub fn is_decidable(&mut self, answer: &Expr) -> bool {
        if !answer.is_scalar() {
            return answer
                .children()
                .into_iter()
                .all(|part| self.is_decidable(part));
        }
        let next = Expr::Add(vec![answer.clone(), Expr::integer(1)]);
        self.scalars(answer, &next) == Ok(false)
            || matches!(
                answer,
                Expr::Constant(_) | Expr::Number(_) | Expr::Symbol(_)
            )
    }

    pub(super) fn eq(&mut self, a: &Expr, b: &Expr) -> Verdict {
        self.budget.charge(2)?;
        if a == b {
            return Ok(true);
        }
        if self.depth >= MAX_DEPTH {
            return Err(Open::Beyond);
        }
        self.depth += 1;
        let verdict = self.eq_here(a, b);
        self.depth -= 1;
        verdict
    }

    fn eq_here(&mut self, a: &Expr, b: &Expr) -> Verdict {
        // Either may be the one that is written differently.
        let there = self.across_kinds(a, b);
        if there == Ok(Some(true)) {
            return Ok(true);
        }
        let back = self.across_kinds(b, a);
        if back == Ok(Some(true)) {
            return Ok(true);
        }
        if there?.is_some() || back?.is_some() {
            return Ok(false);
        }
        match (a, b) {
            (Expr::List { .. } | Expr::Relation(..), Expr::List { .. } | Expr::Relation(..)) => {
                self.statements(a, b)
            }
            (Expr::Text(a), Expr::Text(b)) => Ok(layout::words(a) == layout::words(b)),
            (Expr::Choice(a, x), Expr::Choice(b, y)) => match (x, y) {
                (Some(x), Some(y)) if a == b => self.eq(x, y),
                _ => Ok(a == b),
            },
            (Expr::Set(a), Expr::Set(b)) => self.same_set(a, b),
            (Expr::Matrix(a), Expr::Matrix(b)) => self.matrices(a, b),
            (Expr::Congruence { .. }, Expr::Congruence { .. }) => self.congruences(a, b),
            (Expr::Builder(..), Expr::Builder(..)) => self.builders(a, b),
            (Expr::Piecewise(a), Expr::Piecewise(b)) => self.piecewise(a, b),
            _ if realset::is_set_like(a) && realset::is_set_like(b) => self.sets(a, b),
            (
                Expr::Sequence {
                    open, close, items, ..
                },
                Expr::Sequence {
                    open: other_open,
                    close: other_close,
                    items: other_items,
                    ..
                },
            ) => {
                let same = open == other_open && close == other_close;
                if same
                    || self.loose_sequence(items.len(), [*open, *close, *other_open, *other_close])
                {
                    self.in_order(items, other_items)
                } else {
                    Ok(false)
                }
            }
            _ if a.is_scalar() && b.is_scalar() => self.scalars(a, b),
            _ => {
                let same = self.structures(a, b)?;
                if !same && (matrix::is_unfinished(a) || matrix::is_unfinished(b)) {
                    return Err(Open::Beyond);
                }
                Ok(same)
            }
        }
    }

    /// Brackets of another kind say nothing where there is no interval to say it about.
    fn loose_sequence(&self, length: usize, brackets: [Bracket; 4]) -> bool {
        self.policy.loose_brackets && (length != 2 || !brackets.contains(&Bracket::Square))
    }

    /// Pairs of different kinds that may be equal all the same, `a` being the more decorated one.
    fn across_kinds(&mut self, a: &Expr, b: &Expr) -> Result<Option<bool>, Open> {
        let policy = self.policy;
        Ok(Some(match (a, b) {
            (Expr::Choice(letter, content), _) if !matches!(b, Expr::Choice(..)) => {
                match (b, content) {
                    (Expr::Symbol(name), _) if **name == *letter.to_string() => true,
                    (_, Some(content)) if policy.loose_text => self.eq(content, b)?,
                    _ => false,
                }
            }
            (
                Expr::Quantity(..)
                | Expr::Percent(_)
                | Expr::Degree(_)
                | Expr::Based { .. }
                | Expr::Ratio(_),
                _,
            ) => {
                return self.measures(a, b);
            }
            (Expr::Number(n), Expr::List { items, .. }) if n.commas => {
                match normal::comma_groups(n) {
                    Some(groups) => self.unordered(&groups, items)?,
                    None => false,
                }
            }
            (
                Expr::List {
                    items,
                    decimal: Some(decimal),
                    ..
                },
                _,
            ) if b.is_scalar() && self.reads_decimal_comma(items, decimal) => {
                let number = Expr::Number(decimal.clone());
                return self.eq(&number, b).map(Some);
            }
            (Expr::Relation(..), _) if !is_statement(b) && !matches!(b, Expr::Builder(..)) => {
                self.relation_against_value(a, b)?
            }
            (Expr::List { .. }, _) if !is_statement(b) && !matches!(b, Expr::Builder(..)) => {
                self.list_against_value(a, b)?
            }
            (Expr::Builder(head, condition), _) if is_statement(b) || realset::is_set_like(b) => {
                return self.builder_against(head, condition, b).map(Some);
            }
            (Expr::Congruence { left: Some(_), .. }, Expr::Congruence { left: None, .. })
                if policy.drop_left_side =>
            {
                self.congruences(a, b)?
            }
            // `x ≡ 5 (mod 7)` names the residue 5.
            (Expr::Congruence { right, modulus, .. }, _)
                if policy.drop_left_side && b.is_scalar() =>
            {
                return self.residue(right, modulus, b).map(Some);
            }
            (Expr::Set(items), _) if !realset::is_set_like(b) => match (items.as_slice(), b) {
                ([only], _) if policy.loose_brackets && !matches!(b, Expr::Sequence { .. }) => {
                    self.eq(only, b)?
                }
                _ => return Ok(None),
            },
            (
                Expr::Set(items),
                Expr::Sequence {
                    open: Bracket::Round,
                    close: Bracket::Round,
                    items: others,
                },
            ) if policy.tuple_as_set => self.same_set(items, others)?,
            (Expr::Matrix(rows), Expr::Sequence { items, .. }) => {
                self.matrix_against_sequence(rows, items)?
            }
            (Expr::Matrix(rows), _) if policy.loose_brackets => match rows.as_slice() {
                [row] if row.len() == 1 && b.is_scalar() => {
                    self.in_order(row, std::slice::from_ref(b))?
                }
                _ => return Ok(None),
            },
            // `cm` and `odd` outside `\text{…}` are products of letters.
            (Expr::Text(words), Expr::Mul(_)) => {
                normal::letters(b).is_some_and(|letters| letters.eq_ignore_ascii_case(words))
            }
            (Expr::Text(words), Expr::NamedSet(set)) => normal::named_set(words) == Some(*set),
            _ => return Ok(None),
        }))
    }

    /// Same node, same parts; the order of terms, factors and operands of a union is free.
    fn structures(&mut self, a: &Expr, b: &Expr) -> Verdict {
        if std::mem::discriminant(a) != std::mem::discriminant(b) {
            return Ok(false);
        }
        let same_head = match (a, b) {
            (Expr::Call(f, _), Expr::Call(g, _)) => f == g,
            (Expr::Apply(f, _), Expr::Apply(g, _)) => f == g,
            (Expr::SetOp(f, _), Expr::SetOp(g, _)) => f == g,
            (Expr::Big(x), Expr::Big(y)) => x.kind == y.kind && x.variable == y.variable,
            (Expr::Symbol(x), Expr::Symbol(y)) => x == y,
            (Expr::NamedSet(x), Expr::NamedSet(y)) => x == y,
            (Expr::Constant(x), Expr::Constant(y)) => x == y,
            (Expr::PlusMinus { minus_first: x, .. }, Expr::PlusMinus { minus_first: y, .. }) => {
                x == y
            }
            // Ends are open or closed whatever they are.
            (
                Expr::Sequence { open, close, items },
                Expr::Sequence {
                    open: other_open,
                    close: other_close,
                    ..
                },
            ) => {
                open == other_open && close == other_close
                    || self.loose_sequence(items.len(), [*open, *close, *other_open, *other_close])
            }
            (Expr::Relation(_, x), Expr::Relation(_, y)) => {
                x.len() == y.len() && x.iter().zip(y).all(|((p, _), (q, _))| p == q)
            }
            _ => true,
        };
        if !same_head {
            return Ok(false);
        }
        let commutes = matches!(
            a,
            Expr::Add(_) | Expr::Mul(_) | Expr::SetOp(SetOp::Union | SetOp::Intersection, _)
        );
        let (x, y) = (a.children(), b.children());
        if x.is_empty() && y.is_empty() {
            return Ok(a == b
                || matches!(
                    (a, b),
                    (
                        Expr::NamedSet(NamedSet::Empty),
                        Expr::NamedSet(NamedSet::Empty)
                    )
                ));
        }
        let (x, y): (Vec<Expr>, Vec<Expr>) = (
            x.into_iter().cloned().collect(),
            y.into_iter().cloned().collect(),
        );
        if commutes {
            self.unordered(&x, &y)
        } else {
            self.in_order(&x, &y)
        }
    }

    fn piecewise(&mut self, a: &[(Expr, Option<Expr>)], b: &[(Expr, Option<Expr>)]) -> Verdict {
        let flat = |rows: &[(Expr, Option<Expr>)]| -> Vec<Expr> {
            rows.iter()
                .map(|(value, condition)| Expr::Sequence {
                    open: Bracket::Round,
                    close: Bracket::Round,
                    items: vec![
                        value.clone(),
                        condition
                            .clone()
                            .unwrap_or_else(|| Expr::Text("otherwise".into())),
                    ],
                })
                .collect()
        };
        self.unordered(&flat(a), &flat(b))
    }
}

/// Relations and lists: what statements are made of.
pub(super) fn is_statement(expr: &Expr) -> bool {
    matches!(expr, Expr::Relation(..) | Expr::List { .. })
}

/// Whether an expression only names a thing: variables, unknown functions, and products, quotients and absolute values
/// of them. The left side of `|AB| = 5` or `\frac{a}{b} = 2` may be dropped, that of `2x + z = 1` may not.
pub(super) fn is_name(expr: &Expr) -> bool {
    match expr {
        Expr::Symbol(_) | Expr::Text(_) => true,
        Expr::Apply(..) => true,
        Expr::Mul(items) | Expr::Sequence { items, .. } | Expr::Ratio(items) => {
            items.iter().all(is_name)
        }
        Expr::Inv(inner) => is_name(inner),
        Expr::Call(
            Function::Abs | Function::Max | Function::Min | Function::Determinant,
            items,
        ) => items.iter().all(is_name),
        Expr::Constant(constant) => {
            use super::expr::Constant::{E, I};
            // Letters that happen to be constants, in `i = 3` or `DE = 4`.
            matches!(constant, E | I)
        }
        _ => false,
    }
}
