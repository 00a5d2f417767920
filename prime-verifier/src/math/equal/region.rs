//! Statements about one real number as the set of numbers that they allow.

use dashu_ratio::RBig;

use super::realset::RealSet;
use super::relation::{difference, links};
use super::{Comparer, Open, is_name};
use crate::math::expr::{Connective, Expr, Function, Relation};

/// What a statement is about, and where it holds.
#[derive(Clone)]
pub(super) struct Region {
    /// `x`, `f(x)`, `|AB|`; nothing for a bare set.
    subject: Option<Expr>,
    set: RealSet,
}

impl Comparer<'_> {
    /// Whether both hold for the same numbers, if both can be read so.
    pub(super) fn as_regions(&mut self, a: &Expr, b: &Expr) -> Result<Option<bool>, Open> {
        let (Some(a), Some(b)) = (self.region(a)?, self.region(b)?) else {
            return Ok(None);
        };
        if let (Some(x), Some(y)) = (&a.subject, &b.subject)
            && !self.eq(x, y)?
        {
            return Ok(Some(false));
        }
        self.same_real_set(&a.set, &b.set).map(Some)
    }

    fn region(&mut self, expr: &Expr) -> Result<Option<Region>, Open> {
        self.budget.charge(4)?;
        match expr {
            Expr::Relation(first, rest) => {
                let mut region: Option<Region> = None;
                for link in links(first, rest) {
                    let Some(next) = self.link(link.left, link.op, link.right)? else {
                        return Ok(None);
                    };
                    region = match region {
                        None => Some(next),
                        Some(before) => match self.combined(before, next, false)? {
                            // `3 < x < 1` is a slip, and equals no other.
                            Some(both) if both.set.is_empty() => return Ok(None),
                            Some(both) => Some(both),
                            None => return Ok(None),
                        },
                    };
                }
                Ok(region)
            }
            Expr::List {
                connective, items, ..
            } => {
                if !items.iter().all(|item| matches!(item, Expr::Relation(..))) {
                    return Ok(None);
                }
                self.region_of_list(*connective, items)
            }
            Expr::Builder(head, condition) => {
                let (name, within) = match &**head {
                    Expr::Relation(name, rest) => match rest.as_slice() {
                        [(Relation::In, set)] => (&**name, Some(set.clone())),
                        _ => return Ok(None),
                    },
                    name => (name, None),
                };
                if let Some(set) = within
                    && !matches!(set, Expr::NamedSet(crate::math::expr::NamedSet::Reals))
                {
                    return Ok(None);
                }
                let Some(region) = self.region(condition)? else {
                    return Ok(None);
                };
                match &region.subject {
                    Some(subject) if subject == name => Ok(Some(Region {
                        subject: None,
                        ..region
                    })),
                    _ => Ok(None),
                }
            }
            other => Ok(self
                .real_set(other)?
                .map(|set| Region { subject: None, set })),
        }
    }

    /// Conditions that "or" parts are a union, those that "and" joins an intersection, and a comma says the one that is
    /// not empty by accident: `x > 1, x < 3` is an interval, `x < 1, x > 3` and `n = 1, n ≥ 3` are unions.
    fn region_of_list(
        &mut self,
        connective: Connective,
        items: &[Expr],
    ) -> Result<Option<Region>, Open> {
        let one = |item: &Expr, wanted: Relation| matches!(item, Expr::Relation(_, rest) if matches!(rest.as_slice(), [(op, _)] if *op == wanted));
        // "x = 1 and x = 2" gives two answers.
        let answers = items.iter().all(|item| one(item, Relation::Eq));
        let mut groups: Vec<Region> = vec![];
        let mut excluded: Vec<Region> = vec![];
        for item in items {
            let Some(next) = self.region(item)? else {
                return Ok(None);
            };
            if one(item, Relation::Ne) && connective != Connective::Or {
                excluded.push(next);
                continue;
            }
            let joined = match groups.last() {
                Some(last) if connective != Connective::Or && !answers => {
                    match self.combined(last.clone(), next.clone(), false)? {
                        Some(both) if !both.set.is_empty() => Some(both),
                        Some(_) if connective == Connective::And => return Ok(None),
                        Some(_) => None,
                        None => return Ok(None),
                    }
                }
                _ => None,
            };
            match joined {
                Some(both) => {
                    groups.pop();
                    groups.push(both);
                }
                None => groups.push(next),
            }
        }
        let several = groups.len() > 1;
        let mut total: Option<Region> = None;
        for group in groups {
            total = match total {
                None => Some(group),
                Some(before) => match self.combined(before, group, true)? {
                    Some(both) => Some(both),
                    None => return Ok(None),
                },
            };
        }
        // Conditions that allow everything were not meant to be one set.
        if several
            && total
                .as_ref()
                .is_some_and(|region| region.set.is_everything())
        {
            return Ok(None);
        }
        for region in excluded {
            total = match total {
                None => Some(region),
                Some(before) => match self.combined(before, region, false)? {
                    Some(both) => Some(both),
                    None => return Ok(None),
                },
            };
        }
        Ok(total)
    }

    fn combined(&mut self, a: Region, b: Region, either: bool) -> Result<Option<Region>, Open> {
        if let (Some(x), Some(y)) = (&a.subject, &b.subject)
            && !self.eq(x, y)?
        {
            return Ok(None);
        }
        let set = if either {
            self.union(a.set, b.set)?
        } else {
            self.intersection(&a.set, &b.set)?
        };
        Ok(Some(Region {
            subject: a.subject.or(b.subject),
            set,
        }))
    }

    /// One relation with one unknown.
    fn link(&mut self, left: &Expr, op: Relation, right: &Expr) -> Result<Option<Region>, Open> {
        if op == Relation::In {
            let Some(set) = self.real_set(right)? else {
                return Ok(None);
            };
            return Ok(is_name(left).then(|| Region {
                subject: Some(left.clone()),
                set,
            }));
        }
        if !op.is_order() && op != Relation::Eq && op != Relation::Ne
            || !left.is_scalar()
            || !right.is_scalar()
        {
            return Ok(None);
        }
        let (subject, op, bound) = match (left.has_unknowns(), right.has_unknowns()) {
            (true, false) => (left.clone(), op, right.clone()),
            (false, true) => match op.flipped() {
                Some(op) => (right.clone(), op, left.clone()),
                None => return Ok(None),
            },
            (true, true) => (difference(left, right), op, Expr::integer(0)),
            (false, false) => return Ok(None),
        };
        if let Expr::Call(Function::Abs, inner) = &subject
            && let [inner] = inner.as_slice()
            && matches!(inner, Expr::Symbol(_))
        {
            let below = self.half_line(Relation::Lt, &bound)?.is_some();
            let Some(size) = self.half_line(op, &bound)? else {
                return Ok(None);
            };
            if !below {
                return Ok(None);
            }
            let set = self.mirrored(&size)?;
            return Ok(Some(Region {
                subject: Some(inner.clone()),
                set,
            }));
        }
        if is_name(&subject) {
            let set = self.half_line(op, &bound)?;
            return Ok(set.map(|set| Region {
                subject: Some(subject),
                set,
            }));
        }
        self.linear(&subject, op, &bound)
    }

    /// `a·x + b op c`.
    fn linear(
        &mut self,
        subject: &Expr,
        op: Relation,
        bound: &Expr,
    ) -> Result<Option<Region>, Open> {
        let Some(name) = only_symbol(subject) else {
            return Ok(None);
        };
        let at = |value: i64| {
            subject.rewritten(&mut |part| match part {
                Expr::Symbol(n) if *n == name => Some(Expr::integer(value)),
                _ => None,
            })
        };
        let (at_zero, at_one) = (at(0), at(1));
        let slope = difference(&at_one, &at_zero);
        let line = Expr::Add(vec![
            at_zero.clone(),
            Expr::Mul(vec![slope.clone(), Expr::Symbol(name.clone())]),
        ]);
        match self.scalars(subject, &line) {
            Ok(true) => {}
            Ok(false) | Err(Open::Beyond) => return Ok(None),
            Err(Open::Spent) => return Err(Open::Spent),
        }
        let op = match self.sign(&slope)? {
            Some(true) => op,
            Some(false) => match op.flipped() {
                Some(op) => op,
                None => return Ok(None),
            },
            None => return Ok(None),
        };
        let end = Expr::Mul(vec![difference(bound, &at_zero), slope.inverted()]);
        let end = match self.exact_value(&end)? {
            Some(exact) => Expr::exact(exact),
            None => end,
        };
        let set = self.half_line(op, &end)?;
        Ok(set.map(|set| Region {
            subject: Some(Expr::Symbol(name)),
            set,
        }))
    }

    /// Whether a constant is positive (`Some(true)`) or negative; `None` for 0 and what has no sign.
    pub(super) fn sign(&mut self, constant: &Expr) -> Result<Option<bool>, Open> {
        if let Some(exact) = self.exact_value(constant)? {
            return Ok((exact != RBig::ZERO).then(|| exact > RBig::ZERO));
        }
        Ok(self.float_of(constant).map(|value| value > 0.0))
    }
}

/// The variable, if there is exactly one and no unknown function.
fn only_symbol(expr: &Expr) -> Option<Box<str>> {
    let mut found: Option<Box<str>> = None;
    let mut several = false;
    expr.any(&mut |part| {
        match part {
            Expr::Symbol(name) => match &found {
                Some(known) => several |= known != name,
                None => found = Some(name.clone()),
            },
            Expr::Apply(..) | Expr::Big(_) => several = true,
            _ => {}
        }
        false
    });
    if several { None } else { found }
}
