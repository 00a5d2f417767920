//! Whether two scalar expressions are equal: exact, modulo primes, in floats, in balls.
//!
//! Each stage either decides or passes the pair on, so that a pair costs what its difficulty asks for. Equality of
//! expressions with variables is probabilistic with a negligible chance of error (see [`Modular`]); inequality is always
//! certain.

use dashu_ratio::RBig;

use super::names::Names;
use super::{Comparer, Open, Stage, Verdict};
use crate::math::budget::Budget;
use crate::math::eval::balls::Balls;
use crate::math::eval::exact::Gaussian;
use crate::math::eval::float::{Approx, Float};
use crate::math::eval::modular::Modular;
use crate::math::eval::quadratic;
use crate::math::eval::{Evaluator, NoValue, exact_value};
use crate::math::expr::{Constant, Expr};
use crate::math::hash::Mix;
use crate::math::points::{Point, Region};
use crate::math::policy::LogBase;

/// Points at which expressions with variables have to agree at least; they may differ at none.
const ENOUGH_POINTS: usize = 2;

/// Points at which integrals are evaluated at most.
const QUADRATURE_POINTS: usize = 6;

/// Points with whole coordinates at which expressions with integer variables have to agree.
const WHOLE_POINTS: usize = 8;

/// Bits of working precision, at first and at most.
const FIRST_PRECISION: usize = 192;
const LAST_PRECISION: usize = 8192;

/// Bits to which a difference has to vanish, where all values met are near 1.
const ZERO_BITS: i64 = 120;

/// Bits more for each power of two that values are away from 1: `√2 + 10^{-60}` is not `√2`.
const SPREAD_BITS: i64 = 4;

/// Bits for the rounding errors of the evaluation.
const GUARD_BITS: usize = 64;

/// What one point says about a pair.
enum AtPoint {
    Same,
    Different,
    /// Not both real there, or undefined, or beyond this arithmetic.
    Skip,
    Undefined,
    Imprecise,
}

impl Comparer<'_> {
    pub(super) fn scalars(&mut self, a: &Expr, b: &Expr) -> Verdict {
        self.budget.charge(8)?;
        if let Some(verdict) = infinities(a, b) {
            return Ok(verdict);
        }
        // `I` on one side only is the imaginary unit, as computer algebra writes it.
        let capital = |expr: &Expr| {
            expr.any(&mut |part| matches!(part, Expr::Symbol(name) if &**name == "I"))
        };
        match (capital(a), capital(b)) {
            (true, false) => self.scalars(&imaginary(a), b),
            (false, true) => self.scalars(a, &imaginary(b)),
            (true, true) => Ok(self.decided(a, b)? || self.decided(&imaginary(a), &imaginary(b))?),
            (false, false) => self.decided(a, b),
        }
    }

    fn decided(&mut self, a: &Expr, b: &Expr) -> Verdict {
        let exact = match (self.exact(a), self.exact(b)) {
            (Err(NoValue::Spent), _) | (_, Err(NoValue::Spent)) => return Err(Open::Spent),
            (Err(NoValue::Undefined), _) | (_, Err(NoValue::Undefined)) => {
                return self.settled(Stage::Exact, false);
            }
            (Ok(x), Ok(y)) => Some(x == y),
            _ => None,
        };
        if let Some(equal) = exact {
            if equal {
                return self.settled(Stage::Exact, true);
            }
            if self.rounded(a, b)? {
                return self.settled(Stage::Rounding, true);
            }
            return self.settled(Stage::Exact, false);
        }
        if let Some(equal) = quadratic::same(a, b, &mut self.budget)? {
            if !equal && self.rounded(a, b)? {
                return self.settled(Stage::Rounding, true);
            }
            return self.settled(Stage::Exact, equal);
        }
        if let Some(verdict) = self.antiderivatives(a, b)? {
            return self.settled(Stage::Numeric, verdict);
        }
        let named = self.named_values(a, b)?;
        let (a, b) = named.as_ref().map_or((a, b), |(a, b)| (a, b));
        let names = Names::of(&[a, b]);
        if let Some(equal) = self.at_whole_numbers(a, b, &names)? {
            return self.settled(Stage::Numeric, equal);
        }
        match self.modular(a, b, &names)? {
            Some(true) => {
                let equal = !self.contradicted(a, b, &names)?;
                return self.settled(Stage::Modular, equal);
            }
            Some(false) => {
                if self.rounded(a, b)? {
                    return self.settled(Stage::Rounding, true);
                }
                return self.settled(Stage::Modular, false);
            }
            None => {}
        }
        match self.numeric(a, b, &names) {
            Ok(true) => self.settled(Stage::Numeric, true),
            Ok(false) => {
                if self.rounded(a, b)? {
                    return self.settled(Stage::Rounding, true);
                }
                self.settled(Stage::Numeric, false)
            }
            // What cannot be evaluated may still be the same part by part.
            Err(Open::Beyond) if self.same_parts(a, b)? => Ok(true),
            Err(open) => Err(open),
        }
    }

    fn same_parts(&mut self, a: &Expr, b: &Expr) -> Verdict {
        match self.structures(a, b) {
            Err(Open::Beyond) => Ok(false),
            other => other,
        }
    }

    fn settled(&mut self, stage: Stage, equal: bool) -> Verdict {
        self.stage = self.stage.max(stage);
        Ok(equal)
    }

    fn ten(&self) -> bool {
        self.policy.log_base == LogBase::Ten
    }

    fn exact(&mut self, expr: &Expr) -> Result<Gaussian, NoValue> {
        let ten = self.ten();
        exact_value(expr, &[], &mut self.budget, ten)
    }

    /// The exact value of a constant that has one and is real.
    pub(super) fn exact_value(&mut self, expr: &Expr) -> Result<Option<RBig>, Open> {
        match self.exact(expr) {
            Ok(value) => Ok(value.into_real()),
            Err(NoValue::Spent) => Err(Open::Spent),
            Err(_) => Ok(None),
        }
    }

    /// A real constant as the float next to it.
    pub(super) fn float_of(&mut self, expr: &Expr) -> Option<f64> {
        if let Ok(Some(exact)) = self.exact_value(expr) {
            return Some(exact.to_f64_fast()).filter(|value| value.is_finite());
        }
        if expr.has_unknowns() {
            return None;
        }
        let point = Point::new(self.seed, 0, Region::Middle);
        let ten = self.ten();
        let value = Evaluator::new(Float::new(&point), &[], &mut self.budget, ten).eval(expr);
        if let Ok(value) = value
            && value.error <= 1e-9 * value.re.abs().max(1e-9)
        {
            return (value.im == 0.0).then_some(value.re);
        }
        self.ball_value(expr)
    }

    /// Identity modulo primes. `None` if a difference would prove nothing.
    fn modular(&mut self, a: &Expr, b: &Expr, names: &Names) -> Result<Option<bool>, Open> {
        let ten = self.ten();
        let points = if names.integers.is_empty() {
            1
        } else {
            WHOLE_POINTS
        };
        let mut agreed = 0;
        for index in 0..points {
            let point = Point::new(self.seed, index, Region::Middle);
            let integers = names.whole(&point);
            let seed = self.seed.wrapping_add(index as u64);
            let mut lawless = false;
            let mut eval = |expr: &Expr| {
                let mut evaluator =
                    Evaluator::new(Modular::new(seed), &integers, &mut self.budget, ten);
                let value = evaluator.eval(expr);
                lawless |= evaluator.domain.lawless;
                value
            };
            match (eval(a), eval(b)) {
                (Ok(x), Ok(y)) if x == y => agreed += 1,
                (Ok(_), Ok(_)) => return Ok(if lawless { None } else { Some(false) }),
                (Err(NoValue::Spent), _) | (_, Err(NoValue::Spent)) => return Err(Open::Spent),
                // At a whole point a denominator may happen to vanish.
                (Err(NoValue::Undefined), _) | (_, Err(NoValue::Undefined))
                    if !integers.is_empty() => {}
                (Err(NoValue::Undefined), _) | (_, Err(NoValue::Undefined)) if !lawless => {
                    return Ok(Some(false));
                }
                _ => return Ok(None),
            }
        }
        let enough = agreed == points || agreed >= WHOLE_POINTS / 2;
        Ok(enough.then_some(true))
    }

    /// Whether numbers show that two expressions differ which are equal modulo the primes, as multiples of the primes are.
    fn contradicted(&mut self, a: &Expr, b: &Expr, names: &Names) -> Verdict {
        if names.integral || names.unknown_functions {
            return Ok(false);
        }
        let point = Point::new(self.seed, 0, Region::Middle);
        let ten = self.ten();
        let integers = names.whole(&point);
        let mut float = |expr: &Expr| {
            Evaluator::new(Float::new(&point), &integers, &mut self.budget, ten).eval(expr)
        };
        if let (Ok(x), Ok(y)) = (float(a), float(b)) {
            return Ok(apart(&x, &y));
        }
        let difference = Expr::Add(vec![a.clone(), b.clone().negated()]);
        let (found, _) =
            self.difference_at(&point, &difference, &integers, FIRST_PRECISION, true)?;
        Ok(matches!(found, AtPoint::Different))
    }

    /// Agreement at random points, to 120 bits.
    fn numeric(&mut self, a: &Expr, b: &Expr, names: &Names) -> Verdict {
        if names.integral {
            return self.by_quadrature(a, b, names);
        }
        let complex = names.imaginary;
        let constant = names.symbols.is_empty();
        let mut good = 0;
        let mut undefined = 0;
        let mut imprecise = false;
        let mut complex_points = vec![];
        for point in self.points(&[a, b], names) {
            match self.at(&point, a, b, names, complex || constant)? {
                AtPoint::Different => return Ok(false),
                AtPoint::Same => good += 1,
                AtPoint::Undefined => undefined += 1,
                AtPoint::Imprecise => imprecise = true,
                AtPoint::Skip => complex_points.push(point),
            }
        }
        if good == 0 && undefined > 0 && complex_points.is_empty() && !imprecise {
            return Ok(false);
        }
        // Expressions that are real nowhere here still have complex values.
        if good == 0 {
            for point in complex_points {
                match self.at(&point, a, b, names, true)? {
                    AtPoint::Different => return Ok(false),
                    AtPoint::Same => good += 1,
                    _ => {}
                }
            }
        }
        let enough = if constant { 1 } else { ENOUGH_POINTS };
        if good >= enough {
            Ok(true)
        } else {
            Err(Open::Beyond)
        }
    }

    /// Compares at one point, in floats first and then as precisely as it takes.
    fn at(
        &mut self,
        point: &Point,
        a: &Expr,
        b: &Expr,
        names: &Names,
        complex: bool,
    ) -> Result<AtPoint, Open> {
        let integers = names.whole(point);
        let ten = self.ten();
        let mut float = |expr: &Expr| {
            Evaluator::new(Float::new(point), &integers, &mut self.budget, ten).eval(expr)
        };
        match (float(a), float(b)) {
            (Err(NoValue::Spent), _) | (_, Err(NoValue::Spent)) => return Err(Open::Spent),
            (Ok(x), Ok(y)) => {
                let real = |z: &Approx| z.im.abs() <= 4.0 * z.error;
                if complex || real(&x) && real(&y) {
                    if apart(&x, &y) {
                        return Ok(AtPoint::Different);
                    }
                } else if !real(&x) || !real(&y) {
                    return Ok(AtPoint::Skip);
                }
            }
            _ => {}
        }
        let difference = Expr::Add(vec![a.clone(), b.clone().negated()]);
        let mut precision = FIRST_PRECISION;
        while precision <= LAST_PRECISION {
            let (found, needed) =
                self.difference_at(point, &difference, &integers, precision, complex)?;
            match found {
                AtPoint::Imprecise => precision = needed.max(3 * precision),
                decided => return Ok(decided),
            }
        }
        Ok(AtPoint::Imprecise)
    }

    fn difference_at(
        &mut self,
        point: &Point,
        difference: &Expr,
        integers: &[(Box<str>, i64)],
        precision: usize,
        complex: bool,
    ) -> Result<(AtPoint, usize), Open> {
        let ten = self.ten();
        let mut ball_budget = Budget::new(self.budget.left());
        let before = ball_budget.left();
        let (value, spread) = {
            let domain = Balls::new(point, precision, &mut ball_budget);
            let mut evaluator = Evaluator::new(domain, integers, &mut self.budget, ten);
            let value = evaluator.eval(difference);
            (value, evaluator.domain.spread)
        };
        let bits = ZERO_BITS.saturating_add(SPREAD_BITS.saturating_mul(spread));
        let needed = usize::try_from(bits)
            .unwrap_or(usize::MAX)
            .saturating_add(GUARD_BITS);
        let used = before.saturating_sub(ball_budget.left());
        self.budget.charge(used)?;
        let found = match value {
            Ok(d) => {
                if !complex && !d.im.contains_zero() {
                    AtPoint::Skip
                } else if !d.contains_zero() {
                    AtPoint::Different
                } else if d.mag_upper_log2() <= -bits {
                    AtPoint::Same
                } else {
                    AtPoint::Imprecise
                }
            }
            Err(NoValue::Spent) => return Err(Open::Spent),
            Err(NoValue::Undefined) => AtPoint::Undefined,
            Err(NoValue::NotHere) => AtPoint::Skip,
            Err(NoValue::Imprecise) => AtPoint::Imprecise,
        };
        Ok((found, needed))
    }

    /// A real constant that cancellation would hide from floats.
    pub(super) fn ball_value(&mut self, expr: &Expr) -> Option<f64> {
        let point = Point::new(self.seed, 0, Region::Middle);
        let ten = self.ten();
        let mut ball_budget = Budget::new(self.budget.left());
        let domain = Balls::new(&point, FIRST_PRECISION, &mut ball_budget);
        let value = Evaluator::new(domain, &[], &mut self.budget, ten)
            .eval(expr)
            .ok()?;
        value.im.contains_zero().then(|| value.re.to_f64())
    }

    fn by_quadrature(&mut self, a: &Expr, b: &Expr, names: &Names) -> Verdict {
        let ten = self.ten();
        let wanted = if names.symbols.is_empty() {
            1
        } else {
            ENOUGH_POINTS
        };
        let mut good = 0;
        for point in self
            .points(&[a, b], names)
            .into_iter()
            .take(QUADRATURE_POINTS)
        {
            let integers = names.whole(&point);
            let mut float = |expr: &Expr| {
                Evaluator::new(Float::new(&point), &integers, &mut self.budget, ten).eval(expr)
            };
            match (float(a), float(b)) {
                (Ok(x), Ok(y)) => {
                    let apart = (x.re - y.re).hypot(x.im - y.im);
                    if apart > 4.0 * (x.error + y.error) {
                        return Ok(false);
                    }
                    good += 1;
                    if names.series && good > wanted {
                        break;
                    }
                }
                (Err(NoValue::Spent), _) | (_, Err(NoValue::Spent)) => return Err(Open::Spent),
                _ => {}
            }
        }
        if good >= wanted {
            Ok(true)
        } else {
            Err(Open::Beyond)
        }
    }

    /// The expression with every variable at a small number and every unknown function at a number of its own.
    pub(super) fn at_point(&mut self, expr: &Expr, index: usize) -> Expr {
        let point = Point::new(self.seed ^ 0x51, index, Region::Middle);
        let seed = self.seed;
        let budget = &mut self.budget;
        let ten = self.policy.log_base == LogBase::Ten;
        expr.rewritten(&mut |part| match part {
            Expr::Symbol(name) => Some(number(point.value(name))),
            Expr::Apply(name, _) => {
                let value = Evaluator::new(Modular::new(seed), &[], budget, ten)
                    .eval(part)
                    .ok()?;
                let mut hash = Mix::new(value.0[0] ^ value.0[1].rotate_left(7));
                hash.text(name);
                Some(number(point.value(&hash.finish().to_string())))
            }
            _ => None,
        })
    }
}

fn number(value: RBig) -> Expr {
    Expr::exact(value)
}

/// Whether two floats are certainly values of different numbers.
pub(super) fn apart(x: &Approx, y: &Approx) -> bool {
    let distance = (x.re - y.re).hypot(x.im - y.im);
    distance > 4.0 * (x.error + y.error) && distance > 1e-11 * x.size().max(y.size())
}

fn imaginary(expr: &Expr) -> Expr {
    expr.rewritten(&mut |part| match part {
        Expr::Symbol(name) if &**name == "I" => Some(Expr::Constant(Constant::I)),
        _ => None,
    })
}

/// ±∞ equals itself only; any other expression with ∞ in it has no value.
fn infinities(a: &Expr, b: &Expr) -> Option<bool> {
    let sign = |expr: &Expr| match expr {
        Expr::Constant(Constant::Infinity) => Some(1),
        Expr::Neg(inner) if **inner == Expr::Constant(Constant::Infinity) => Some(-1),
        _ => None,
    };
    match (sign(a), sign(b)) {
        (None, None) => None,
        (x, y) => Some(x == y),
    }
}
