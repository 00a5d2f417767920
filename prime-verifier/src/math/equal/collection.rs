//! Lists, tuples and sets of answers.

use dashu_ratio::RBig;

use super::{Comparer, Open, Stage, Verdict, is_statement};
use crate::math::expr::{Bracket, Connective, Expr, Number};
use crate::math::policy::OrderPolicy;

/// Most pairs that are tried to match two collections.
const MAX_MATCHES: usize = 40_000;

/// The values of two collections.
type ValuePair = (Vec<RBig>, Vec<RBig>);

impl Comparer<'_> {
    pub(super) fn in_order(&mut self, a: &[Expr], b: &[Expr]) -> Verdict {
        if a.len() != b.len() {
            return Ok(false);
        }
        let mut open = None;
        for (x, y) in a.iter().zip(b) {
            match self.eq(x, y) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(why) => open = Some(why),
            }
        }
        open.map_or(Ok(true), Err)
    }

    /// Whether the two are the same up to order.
    pub(super) fn unordered(&mut self, a: &[Expr], b: &[Expr]) -> Verdict {
        if a.len() != b.len() {
            return Ok(false);
        }
        if let Some((mut x, mut y)) = self.exact_items(a, b)? {
            x.sort();
            y.sort();
            return Ok(self.exactly(x == y));
        }
        if a.len() * b.len() > MAX_MATCHES {
            return Err(Open::Beyond);
        }
        let mut left: Vec<&Expr> = b.iter().collect();
        let mut open = None;
        for x in a {
            let mut found = None;
            let mut undecided = None;
            for (at, y) in left.iter().enumerate() {
                match self.eq(x, y) {
                    Ok(true) => {
                        found = Some(at);
                        break;
                    }
                    Ok(false) => {}
                    Err(why) => undecided = Some(why),
                }
            }
            match (found, undecided) {
                (Some(at), _) => {
                    left.swap_remove(at);
                }
                (None, None) => return Ok(false),
                (None, Some(why)) => open = Some(why),
            }
        }
        open.map_or(Ok(true), Err)
    }

    /// Whether each item of one is in the other.
    pub(super) fn same_set(&mut self, a: &[Expr], b: &[Expr]) -> Verdict {
        if a.len() == b.len() && self.unordered(a, b)? {
            return Ok(true);
        }
        if let Some((mut x, mut y)) = self.exact_items(a, b)? {
            for items in [&mut x, &mut y] {
                items.sort();
                items.dedup();
            }
            return Ok(self.exactly(x == y));
        }
        if a.len() * b.len() > MAX_MATCHES {
            return Err(Open::Beyond);
        }
        Ok(self.all_in(a, b)? && self.all_in(b, a)?)
    }

    /// The values of long collections of exact numbers, so that they can be sorted rather than matched.
    fn exact_items(&mut self, a: &[Expr], b: &[Expr]) -> Result<Option<ValuePair>, Open> {
        const LONG: usize = 16;
        if a.len().max(b.len()) < LONG {
            return Ok(None);
        }
        let mut values = |items: &[Expr]| -> Result<Option<Vec<RBig>>, Open> {
            let mut out = vec![];
            for item in items {
                let rounds = matches!(item, Expr::Number(n) if n.decimal.is_some());
                match self.exact_value(item)? {
                    Some(value) if !rounds => out.push(value),
                    _ => return Ok(None),
                }
            }
            Ok(Some(out))
        };
        Ok(match (values(a)?, values(b)?) {
            (Some(a), Some(b)) => Some((a, b)),
            _ => None,
        })
    }

    fn exactly(&mut self, equal: bool) -> bool {
        self.stage = self.stage.max(Stage::Exact);
        equal
    }

    fn all_in(&mut self, a: &[Expr], b: &[Expr]) -> Verdict {
        for x in a {
            let mut found = false;
            for y in b {
                if self.eq(x, y)? {
                    found = true;
                    break;
                }
            }
            if !found {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether `1,5` may be one number: where the policy says so, and where `05` or a mark behind it makes no item of a
    /// list.
    pub(super) fn reads_decimal_comma(&self, items: &[Expr], decimal: &Number) -> bool {
        let digits = decimal.decimal.map_or(0, |d| -d.exponent);
        let item = match items.last() {
            Some(Expr::Number(number)) => number.value.numerator().to_string().len() as i64,
            _ => 0,
        };
        self.policy.decimal_comma || item < digits
    }

    /// Two lists of values.
    pub(super) fn value_lists(&mut self, a: &[Expr], b: &[Expr]) -> Verdict {
        match self.policy.order {
            OrderPolicy::Ordered => self.in_order(a, b),
            // A root that is listed twice is a double root.
            OrderPolicy::Unordered => self.unordered(a, b),
        }
    }

    /// `1, 2` against `(1, 2)`, `{1, 2}` and the rest.
    pub(super) fn list_against_value(&mut self, list: &Expr, value: &Expr) -> Verdict {
        let Expr::List {
            items, connective, ..
        } = list
        else {
            return Ok(false);
        };
        let assigned = items.iter().any(is_statement);
        if self.policy.relation_as_set
            && let Some(verdict) = self.as_regions(list, value)?
        {
            return Ok(verdict);
        }
        if !self.policy.loose_brackets {
            return Ok(false);
        }
        let values: Vec<Expr> = if assigned {
            if !self.policy.drop_left_side {
                return Ok(false);
            }
            match items
                .iter()
                .map(super::relation::assigned_value)
                .collect::<Option<Vec<_>>>()
            {
                Some(values) => values,
                None => return Ok(false),
            }
        } else {
            items.clone()
        };
        // `3/4 or 0.75` says one thing twice.
        if value.is_scalar() && !values.is_empty() {
            // `3, 3` are two.
            let twice = values
                .iter()
                .enumerate()
                .any(|(at, one)| values.iter().skip(at + 1).any(|other| other == one));
            if twice && *connective != Connective::Or {
                return Ok(false);
            }
            return self.all_in(&values, std::slice::from_ref(value));
        }
        match value {
            Expr::Set(others) => self.same_set(&values, others),
            Expr::Sequence { open, close, items } => {
                let interval =
                    items.len() == 2 && (*open == Bracket::Square || *close == Bracket::Square);
                if interval && open != close {
                    return Ok(false);
                }
                self.in_order(&values, items)
            }
            Expr::Matrix(rows) => self.matrix_against_sequence(rows, &values),
            _ => Ok(false),
        }
    }
}
