//! Equations, inequalities, congruences and conditions.

use super::{Comparer, Open, Verdict, is_name, is_statement};
use crate::math::expr::{Bracket, Connective, Constant, Expr, Function, Relation};

/// One relation between two sides.
#[derive(Clone, Copy)]
pub(super) struct Simple<'e> {
    pub left: &'e Expr,
    pub op: Relation,
    pub right: &'e Expr,
}

/// `a < b < c` as `a < b` and `b < c`.
pub(super) fn links<'e>(first: &'e Expr, rest: &'e [(Relation, Expr)]) -> Vec<Simple<'e>> {
    let mut left = first;
    rest.iter()
        .map(|(op, right)| {
            let link = Simple {
                left,
                op: *op,
                right,
            };
            left = right;
            link
        })
        .collect()
}

/// The value of `x = 5`, where the left side only names it.
pub(super) fn assigned_value(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::Relation(first, rest) => match rest.as_slice() {
            [(Relation::Eq | Relation::In, right)] if is_name(first) => Some(right.clone()),
            [(Relation::Eq, right)] if is_name(right) && !is_name(first) => Some((**first).clone()),
            _ => None,
        },
        other if !is_statement(other) => Some(other.clone()),
        _ => None,
    }
}

impl Comparer<'_> {
    /// Two relations, two lists, or one of each.
    pub(super) fn statements(&mut self, a: &Expr, b: &Expr) -> Verdict {
        let direct = match (a, b) {
            (Expr::Relation(a_first, a_rest), Expr::Relation(b_first, b_rest)) => {
                self.relations((a_first, a_rest), (b_first, b_rest))?
            }
            (
                Expr::List {
                    items: x,
                    connective: c,
                    ..
                },
                Expr::List {
                    items: y,
                    connective: d,
                    ..
                },
            ) => {
                // "or" and `±` put nothing in order.
                if contrary(*c, *d, x, y) {
                    false
                } else if *c == Connective::Or
                    || *d == Connective::Or
                    || x.iter().any(is_statement)
                    || y.iter().any(is_statement)
                {
                    self.unordered(x, y)?
                } else {
                    self.value_lists(x, y)?
                }
            }
            (Expr::Relation(first, rest), list) | (list, Expr::Relation(first, rest)) => {
                self.relation_against_list(first, rest, list)?
            }
            _ => false,
        };
        if direct {
            return Ok(true);
        }
        Ok(self.as_regions(a, b)?.unwrap_or(false))
    }

    fn relation_against_list(
        &mut self,
        first: &Expr,
        rest: &[(Relation, Expr)],
        list: &Expr,
    ) -> Verdict {
        let Expr::List {
            items,
            decimal,
            connective,
        } = list
        else {
            return Ok(false);
        };
        let decimal = decimal
            .as_ref()
            .filter(|decimal| self.reads_decimal_comma(items, decimal));
        // `(x, y) = (1, 2)` against `x = 1, y = 2`.
        if let (
            Expr::Sequence { items: names, .. },
            [(Relation::Eq, Expr::Sequence { items: values, .. })],
        ) = (first, rest)
            && names.len() == values.len()
            && items.iter().any(is_statement)
        {
            let equations: Vec<Expr> = names
                .iter()
                .zip(values)
                .map(|(name, value)| {
                    Expr::Relation(Box::new(name.clone()), vec![(Relation::Eq, value.clone())])
                })
                .collect();
            return self.unordered(&equations, items);
        }
        if self.policy.drop_left_side
            && !items.iter().any(is_statement)
            && let [(Relation::Eq | Relation::In, right)] = rest
            && is_name(first)
        {
            if let Some(decimal) = decimal
                && self.eq(right, &Expr::Number(decimal.clone()))?
            {
                return Ok(true);
            }
            return self.eq(right, list);
        }
        // `1 < x < 2` against `1 < x` and `x < 2`.
        let links: Vec<Expr> = links(first, rest)
            .into_iter()
            .map(|link| {
                Expr::Relation(
                    Box::new(link.left.clone()),
                    vec![(link.op, link.right.clone())],
                )
            })
            .collect();
        if links.len() > 1 && items.len() == links.len() && *connective != Connective::Or {
            return self.unordered(&links, items);
        }
        Ok(false)
    }

    fn relations(
        &mut self,
        a: (&Expr, &[(Relation, Expr)]),
        b: (&Expr, &[(Relation, Expr)]),
    ) -> Verdict {
        let (x, y) = (links(a.0, a.1), links(b.0, b.1));
        if x.len() != y.len() {
            return Ok(false);
        }
        let mut left: Vec<Simple<'_>> = y;
        for link in x {
            let mut found = None;
            for (at, other) in left.iter().enumerate() {
                if self.simple(link, *other)? {
                    found = Some(at);
                    break;
                }
            }
            match found {
                Some(at) => {
                    left.swap_remove(at);
                }
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    fn simple(&mut self, a: Simple<'_>, b: Simple<'_>) -> Verdict {
        if a.op == b.op && self.eq(a.left, b.left)? && self.eq(a.right, b.right)? {
            return Ok(true);
        }
        // `P(A|B) = 1/3` and `P(A|B) = 2/3` name one thing and say different things about it.
        if a.op == Relation::Eq
            && b.op == Relation::Eq
            && a.left == b.left
            && matches!(a.left, Expr::Apply(..))
        {
            return Ok(false);
        }
        // `f(x) = 2x` and `y = 2x` give one function two names.
        let function =
            |left: &Expr| matches!(left, Expr::Apply(_, arguments) if arguments.len() == 1);
        let y = |left: &Expr| matches!(left, Expr::Symbol(name) if &**name == "y");
        if self.policy.drop_left_side
            && a.op == Relation::Eq
            && b.op == Relation::Eq
            && (function(a.left) && y(b.left) || y(a.left) && function(b.left))
            && self.eq(a.right, b.right)?
        {
            return Ok(true);
        }
        if a.op.flipped() == Some(b.op) && self.eq(a.left, b.right)? && self.eq(a.right, b.left)? {
            return Ok(true);
        }
        if ![a.left, a.right, b.left, b.right]
            .into_iter()
            .all(Expr::is_scalar)
        {
            return Ok(false);
        }
        // `2 = 3` and `4 = 5` have nothing to solve.
        if [a.left, a.right].into_iter().all(constant)
            || [b.left, b.right].into_iter().all(constant)
        {
            return Ok(false);
        }
        match (a.op, b.op) {
            (Relation::Eq, Relation::Eq) => self.equations(a, b),
            (Relation::Ne, Relation::Ne) => {
                let (f, g) = (difference(a.left, a.right), difference(b.left, b.right));
                Ok(self.proportional(&f, &g)?.is_some())
            }
            (x, y) if x.is_order() && y.is_order() && strict(x) == strict(y) => {
                let (f, g) = (positive_side(a), positive_side(b));
                match self.proportional(&f, &g)? {
                    Some(factor) => Ok(self.sign(&factor)? == Some(true)),
                    None => Ok(false),
                }
            }
            _ => Ok(false),
        }
    }

    /// `y = 2x` and `2y - 4x = 0`; `xy = 1` and `y = 1/x`.
    fn equations(&mut self, a: Simple<'_>, b: Simple<'_>) -> Verdict {
        let (f, g) = (difference(a.left, a.right), difference(b.left, b.right));
        if self.proportional(&f, &g)?.is_some() {
            return Ok(true);
        }
        Ok(self.solves(a, &g)? || self.solves(b, &f)?)
    }

    /// Whether `v = E` is `g = 0` solved for `v`: `g` is linear in `v` and vanishes at `E`.
    fn solves(&mut self, solved: Simple<'_>, g: &Expr) -> Verdict {
        let (name, value) = match (solved.left, solved.right) {
            (Expr::Symbol(name), value) | (value, Expr::Symbol(name)) => (name, value),
            _ => return Ok(false),
        };
        let holds =
            |expr: &Expr| expr.any(&mut |part| matches!(part, Expr::Symbol(n) if n == name));
        if holds(value) || !holds(g) {
            return Ok(false);
        }
        let zero = Expr::integer(0);
        let at = |value: &Expr| {
            g.rewritten(&mut |part| match part {
                Expr::Symbol(n) if n == name => Some(value.clone()),
                _ => None,
            })
        };
        if !self.scalars(&at(value), &zero)? {
            return Ok(false);
        }
        let [g1, g2, g3] = [1, 2, 3].map(|v| at(&Expr::integer(v)));
        let bend = Expr::Add(vec![
            g1.clone(),
            g3,
            Expr::Mul(vec![Expr::integer(-2), g2.clone()]),
        ]);
        let slope = difference(&g2, &g1);
        Ok(self.scalars(&bend, &zero)? && !self.scalars(&slope, &zero)?)
    }

    /// The constant `c ≠ 0` with `f = c·g` for all values of the variables, if there is one.
    fn proportional(&mut self, f: &Expr, g: &Expr) -> Result<Option<Expr>, Open> {
        let zero = Expr::integer(0);
        self.budget.charge((f.size() + g.size()) as u64)?;
        for index in 0..3 {
            let (f0, g0) = (self.at_point(f, index), self.at_point(g, index));
            let (f_zero, g_zero) = match (self.scalars(&f0, &zero), self.scalars(&g0, &zero)) {
                (Ok(f_zero), Ok(g_zero)) => (f_zero, g_zero),
                (Err(Open::Spent), _) | (_, Err(Open::Spent)) => return Err(Open::Spent),
                // No value there: another point.
                _ => continue,
            };
            if f_zero != g_zero {
                return Ok(None);
            }
            if f_zero {
                continue;
            }
            let mut factor = Expr::Mul(vec![f0, g0.inverted()]);
            if let Some(exact) = self.exact_value(&factor)? {
                factor = Expr::exact(exact);
            }
            let scaled = Expr::Mul(vec![factor.clone(), g.clone()]);
            return Ok(self.scalars(f, &scaled)?.then_some(factor));
        }
        Ok(None)
    }

    /// `x = 5` against `5`, `x ∈ S` against `S`, `1 < x < 2` against `(1, 2)`.
    pub(super) fn relation_against_value(&mut self, relation: &Expr, value: &Expr) -> Verdict {
        // `2 + 2 = 4` comes to 4, if it is true.
        if self.policy.drop_left_side
            && let Expr::Relation(first, rest) = relation
            && let [(Relation::Eq, right)] = rest.as_slice()
            && constant(first)
            && constant(right)
        {
            return Ok(self.eq(first, right)? && self.eq(right, value)?);
        }
        if self.policy.drop_left_side
            && let Some(assigned) = assigned_value(relation)
            && self.eq(&assigned, value)?
        {
            return Ok(true);
        }
        if self.policy.relation_as_set {
            if let Some(verdict) = self.as_regions(relation, value)? {
                return Ok(verdict);
            }
            if let Some(interval) = interval(relation) {
                return self.eq(&interval, value);
            }
        }
        Ok(false)
    }

    pub(super) fn congruences(&mut self, a: &Expr, b: &Expr) -> Verdict {
        let (
            Expr::Congruence {
                left: left_a,
                right: right_a,
                modulus: modulus_a,
            },
            Expr::Congruence {
                left: left_b,
                right: right_b,
                modulus: modulus_b,
            },
        ) = (a, b)
        else {
            return Ok(false);
        };
        if !self.eq(modulus_a, modulus_b)? {
            return Ok(false);
        }
        let lefts = match (left_a, left_b) {
            (Some(a), Some(b)) => self.eq(a, b)?,
            (None, None) => true,
            _ => self.policy.drop_left_side,
        };
        if !lefts {
            return Ok(false);
        }
        let quotient = Expr::Mul(vec![
            difference(right_a, right_b),
            (**modulus_a).clone().inverted(),
        ]);
        match self.exact_value(&quotient)? {
            Some(quotient) => Ok(quotient.is_int()),
            None => self.eq(right_a, right_b),
        }
    }

    /// The residue itself, as it is written or between 0 and the modulus.
    pub(super) fn residue(&mut self, right: &Expr, modulus: &Expr, value: &Expr) -> Verdict {
        if self.eq(right, value)? {
            return Ok(true);
        }
        let remainder = Expr::Call(Function::Mod, vec![right.clone(), modulus.clone()]);
        match (self.exact_value(&remainder)?, self.exact_value(value)?) {
            (Some(remainder), Some(value)) => Ok(remainder == value),
            _ => Ok(false),
        }
    }

    pub(super) fn builders(&mut self, a: &Expr, b: &Expr) -> Verdict {
        if self.structures(a, b)? {
            return Ok(true);
        }
        Ok(self.as_regions(a, b)?.unwrap_or(false))
    }

    /// `{x : x > 2}` against `x > 2`, `(2, ∞)`.
    pub(super) fn builder_against(
        &mut self,
        head: &Expr,
        condition: &Expr,
        other: &Expr,
    ) -> Verdict {
        if is_statement(other) && !self.policy.relation_as_set {
            return Ok(false);
        }
        let builder = Expr::Builder(Box::new(head.clone()), Box::new(condition.clone()));
        if let Some(verdict) = self.as_regions(&builder, other)? {
            return Ok(verdict);
        }
        // What has no form as intervals still has a condition.
        if is_statement(other) && is_name(head) && self.policy.relation_as_set {
            return self.eq(condition, other);
        }
        Ok(false)
    }
}

/// `a ≤ x < b` as `[a, b)`, `x > a` as `(a, ∞)`, whatever the ends are.
fn interval(relation: &Expr) -> Option<Expr> {
    let Expr::Relation(first, rest) = relation else {
        return None;
    };
    let infinity = || Expr::Constant(Constant::Infinity);
    let side = |op: Relation| {
        if strict(op) {
            Bracket::Round
        } else {
            Bracket::Square
        }
    };
    let upward = |op: Relation| matches!(op, Relation::Lt | Relation::Le);
    let (open, low, high, close) = match rest.as_slice() {
        [(p, name), (q, last)]
            if p.is_order() && q.is_order() && upward(*p) == upward(*q) && is_name(name) =>
        {
            let (first, last) = ((**first).clone(), last.clone());
            if upward(*p) {
                (side(*p), first, last, side(*q))
            } else {
                (side(*q), last, first, side(*p))
            }
        }
        [(op, end)] if op.is_order() && is_name(first) => {
            if upward(*op) {
                (Bracket::Round, infinity().negated(), end.clone(), side(*op))
            } else {
                (side(*op), end.clone(), infinity(), Bracket::Round)
            }
        }
        _ => return None,
    };
    Some(Expr::Sequence {
        open,
        close,
        items: vec![low, high],
    })
}

/// Whether "and" here and "or" there make two statements of the same parts.
///
/// They do not between the answers of one equation, where people write either: `x = 1` and `x = 2`.
fn contrary(a: Connective, b: Connective, x: &[Expr], y: &[Expr]) -> bool {
    if !matches!(
        (a, b),
        (Connective::And, Connective::Or) | (Connective::Or, Connective::And)
    ) {
        return false;
    }
    let mut items = x.iter().chain(y);
    let propositions = items.clone().all(|item| {
        matches!(item, Expr::Symbol(_)) || matches!(item, Expr::Apply(name, _) if &**name == "neg")
    });
    let answers_of_one = {
        let subject = x.iter().find_map(equated);
        subject.is_some() && items.all(|item| equated(item) == subject)
    };
    let relations = x
        .iter()
        .chain(y)
        .any(|item| matches!(item, Expr::Relation(..)));
    propositions || relations && !answers_of_one
}

/// The left side of one equation.
fn equated(item: &Expr) -> Option<&Expr> {
    match item {
        Expr::Relation(left, rest)
            if matches!(rest.as_slice(), [(Relation::Eq | Relation::In, _)]) =>
        {
            Some(left)
        }
        _ => None,
    }
}

fn constant(expr: &Expr) -> bool {
    expr.is_scalar() && !expr.has_unknowns()
}

fn strict(op: Relation) -> bool {
    matches!(op, Relation::Lt | Relation::Gt)
}

/// What `a > b` says is positive.
fn positive_side(relation: Simple<'_>) -> Expr {
    match relation.op {
        Relation::Gt | Relation::Ge => difference(relation.left, relation.right),
        _ => difference(relation.right, relation.left),
    }
}

pub(super) fn difference(a: &Expr, b: &Expr) -> Expr {
    Expr::Add(vec![a.clone(), b.clone().negated()])
}
