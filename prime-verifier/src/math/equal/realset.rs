//! Unions of intervals and points of the real line.

use std::cmp::Ordering;

use super::{Comparer, Open, Verdict};
use crate::math::expr::{Bracket, Constant, Expr, NamedSet, Relation, SetOp};

/// Disjoint spans from left to right, none of which touches the next.
#[derive(Debug, Clone, Default)]
pub(super) struct RealSet(Vec<Span>);

#[derive(Debug, Clone)]
struct Span {
    low: End,
    high: End,
}

/// An end of a span: a finite number, included or not, or infinity.
#[derive(Debug, Clone)]
struct End {
    value: Expr,
    approx: f64,
    closed: bool,
}

pub(super) fn is_set_like(expr: &Expr) -> bool {
    match expr {
        Expr::NamedSet(_) | Expr::SetOp(..) | Expr::Set(_) => true,
        Expr::Sequence { open, close, items } => {
            items.len() == 2 && *open != Bracket::Angle && *close != Bracket::Angle
        }
        _ => false,
    }
}

impl RealSet {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn is_everything(&self) -> bool {
        matches!(self.0.as_slice(), [span] if span.low.approx == f64::NEG_INFINITY && span.high.approx == f64::INFINITY)
    }
}

/// Most spans that are worked with.
const MAX_SPANS: usize = 256;

impl Comparer<'_> {
    pub(super) fn sets(&mut self, a: &Expr, b: &Expr) -> Verdict {
        if let (Some(a), Some(b)) = (self.real_set(a)?, self.real_set(b)?) {
            return self.same_real_set(&a, &b);
        }
        let empty = |expr: &Expr| match expr {
            Expr::NamedSet(NamedSet::Empty) => true,
            Expr::Set(items) => items.is_empty(),
            _ => false,
        };
        if empty(a) && empty(b) {
            return Ok(true);
        }
        self.structures(a, b)
    }

    /// The set, if all its ends are real constants.
    pub(super) fn real_set(&mut self, expr: &Expr) -> Result<Option<RealSet>, Open> {
        self.budget.charge(2)?;
        Ok(match expr {
            Expr::NamedSet(NamedSet::Reals) => Some(RealSet(vec![Span {
                low: infinite(-1.0),
                high: infinite(1.0),
            }])),
            Expr::NamedSet(NamedSet::Empty) => Some(RealSet::default()),
            Expr::Sequence { open, close, items }
                if *open != Bracket::Angle && *close != Bracket::Angle =>
            {
                let [low, high] = items.as_slice() else {
                    return Ok(None);
                };
                let (Some(low), Some(high)) = (
                    self.end(low, *open == Bracket::Square),
                    self.end(high, *close == Bracket::Square),
                ) else {
                    return Ok(None);
                };
                match self.order(&low, &high)? {
                    Ordering::Less => Some(RealSet(vec![Span { low, high }])),
                    Ordering::Equal if low.closed && high.closed => {
                        Some(RealSet(vec![Span { low, high }]))
                    }
                    _ => None,
                }
            }
            Expr::Set(items) if items.len() > MAX_SPANS => None,
            Expr::Set(items) => {
                let mut set = RealSet::default();
                for item in items {
                    let Some(end) = self.end(item, true).filter(|end| end.closed) else {
                        return Ok(None);
                    };
                    let point = RealSet(vec![Span {
                        low: end.clone(),
                        high: end,
                    }]);
                    set = self.union(set, point)?;
                }
                Some(set)
            }
            Expr::SetOp(op, items) => {
                let mut sets = vec![];
                for item in items {
                    match self.real_set(item)? {
                        Some(set) => sets.push(set),
                        None => return Ok(None),
                    }
                }
                let mut sets = sets.into_iter();
                let Some(mut total) = sets.next() else {
                    return Ok(None);
                };
                for set in sets {
                    total = match op {
                        SetOp::Union => self.union(total, set)?,
                        SetOp::Intersection => self.intersection(&total, &set)?,
                        SetOp::Difference => {
                            let outside = complement(&set);
                            self.intersection(&total, &outside)?
                        }
                    };
                }
                Some(total)
            }
            _ => None,
        })
    }

    /// Where `x op bound` holds.
    pub(super) fn half_line(
        &mut self,
        op: Relation,
        bound: &Expr,
    ) -> Result<Option<RealSet>, Open> {
        let closed = !matches!(op, Relation::Lt | Relation::Gt | Relation::Ne);
        let Some(end) = self.end(bound, closed) else {
            return Ok(None);
        };
        let below = |high: End| Span {
            low: infinite(-1.0),
            high,
        };
        let above = |low: End| Span {
            low,
            high: infinite(1.0),
        };
        let spans = match op {
            Relation::Lt | Relation::Le => vec![below(end)],
            Relation::Gt | Relation::Ge => vec![above(end)],
            Relation::Eq => vec![Span {
                low: end.clone(),
                high: end,
            }],
            Relation::Ne => vec![below(end.clone()), above(end)],
            _ => return Ok(None),
        };
        Ok(Some(RealSet(spans)))
    }

    /// Where `|x|` lies in a set.
    pub(super) fn mirrored(&mut self, set: &RealSet) -> Result<RealSet, Open> {
        let Some(positive) = self.half_line(Relation::Ge, &Expr::integer(0))? else {
            return Ok(RealSet::default());
        };
        let sizes = self.intersection(set, &positive)?;
        let flipped = RealSet(
            sizes
                .0
                .iter()
                .rev()
                .map(|span| Span {
                    low: span.high.flipped(),
                    high: span.low.flipped(),
                })
                .collect(),
        );
        self.union(sizes, flipped)
    }

    fn end(&mut self, value: &Expr, closed: bool) -> Option<End> {
        let approx = match value {
            Expr::Constant(Constant::Infinity) => f64::INFINITY,
            Expr::Neg(inner) if **inner == Expr::Constant(Constant::Infinity) => f64::NEG_INFINITY,
            value if value.is_scalar() => self.float_of(value)?,
            _ => return None,
        };
        Some(End {
            value: value.clone(),
            approx,
            closed: closed && approx.is_finite(),
        })
    }

    fn order(&mut self, a: &End, b: &End) -> Result<Ordering, Open> {
        let near = a.approx.is_finite()
            && b.approx.is_finite()
            && (a.approx - b.approx).abs() <= 1e-9 * a.approx.abs().max(b.approx.abs()).max(1e-9);
        if near && self.eq(&a.value, &b.value)? {
            return Ok(Ordering::Equal);
        }
        Ok(a.approx.total_cmp(&b.approx))
    }

    pub(super) fn union(&mut self, a: RealSet, b: RealSet) -> Result<RealSet, Open> {
        let mut spans = a.0;
        spans.extend(b.0);
        if spans.len() > MAX_SPANS {
            return Err(Open::Beyond);
        }
        spans.sort_by(|x, y| {
            x.low
                .approx
                .total_cmp(&y.low.approx)
                .then(y.low.closed.cmp(&x.low.closed))
        });
        let mut merged: Vec<Span> = vec![];
        for span in spans {
            let Some(last) = merged.last_mut() else {
                merged.push(span);
                continue;
            };
            let touches = match self.order(&span.low, &last.high)? {
                Ordering::Less => true,
                Ordering::Equal => span.low.closed || last.high.closed,
                Ordering::Greater => false,
            };
            if !touches {
                merged.push(span);
                continue;
            }
            if self.order(&span.low, &last.low)? == Ordering::Equal {
                last.low.closed |= span.low.closed;
            }
            match self.order(&span.high, &last.high)? {
                Ordering::Greater => last.high = span.high,
                Ordering::Equal => last.high.closed |= span.high.closed,
                Ordering::Less => {}
            }
        }
        Ok(RealSet(merged))
    }

    pub(super) fn intersection(&mut self, a: &RealSet, b: &RealSet) -> Result<RealSet, Open> {
        let mut spans = vec![];
        for x in &a.0 {
            for y in &b.0 {
                self.budget.charge(1)?;
                let low = match self.order(&x.low, &y.low)? {
                    Ordering::Less => y.low.clone(),
                    Ordering::Greater => x.low.clone(),
                    Ordering::Equal => End {
                        closed: x.low.closed && y.low.closed,
                        ..x.low.clone()
                    },
                };
                let high = match self.order(&x.high, &y.high)? {
                    Ordering::Less => x.high.clone(),
                    Ordering::Greater => y.high.clone(),
                    Ordering::Equal => End {
                        closed: x.high.closed && y.high.closed,
                        ..x.high.clone()
                    },
                };
                match self.order(&low, &high)? {
                    Ordering::Less => spans.push(Span { low, high }),
                    Ordering::Equal if low.closed && high.closed => spans.push(Span { low, high }),
                    _ => {}
                }
            }
        }
        Ok(RealSet(spans))
    }

    pub(super) fn same_real_set(&mut self, a: &RealSet, b: &RealSet) -> Verdict {
        if a.0.len() != b.0.len() {
            return Ok(false);
        }
        for (x, y) in a.0.iter().zip(&b.0) {
            if !self.same_end(&x.low, &y.low)? || !self.same_end(&x.high, &y.high)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn same_end(&mut self, a: &End, b: &End) -> Verdict {
        if a.closed != b.closed || a.approx.is_finite() != b.approx.is_finite() {
            return Ok(false);
        }
        if !a.approx.is_finite() {
            return Ok(a.approx == b.approx);
        }
        self.eq(&a.value, &b.value)
    }
}

fn infinite(sign: f64) -> End {
    let infinity = Expr::Constant(Constant::Infinity);
    End {
        value: if sign < 0.0 {
            infinity.negated()
        } else {
            infinity
        },
        approx: sign * f64::INFINITY,
        closed: false,
    }
}

impl End {
    fn flipped(&self) -> Self {
        Self {
            value: self.value.clone().negated(),
            approx: -self.approx,
            closed: self.closed,
        }
    }

    /// The end of what lies on the other side.
    fn outside(&self) -> Self {
        Self {
            closed: !self.closed && self.approx.is_finite(),
            ..self.clone()
        }
    }
}

fn complement(set: &RealSet) -> RealSet {
    let mut spans = vec![];
    let mut low = infinite(-1.0);
    for span in &set.0 {
        if span.low.approx != f64::NEG_INFINITY {
            spans.push(Span {
                low,
                high: span.low.outside(),
            });
        }
        low = span.high.outside();
    }
    if low.approx != f64::INFINITY {
        spans.push(Span {
            low,
            high: infinite(1.0),
        });
    }
    RealSet(spans)
}
