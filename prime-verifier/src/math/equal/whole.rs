//! Whole numbers: where floors, ceilings, remainders, factorials and powers of −1 tell two expressions apart.
//!
//! Functions of whole numbers differ at few of them: at powers, at squares, at multiples, and one beside those. Such
//! numbers are tried one by one, small ones first.

use dashu_ratio::RBig;

use super::names::Names;
use super::scalar::apart;
use super::steps::{self, Linear};
use super::{Comparer, Open};
use crate::math::eval::float::{Approx, Float};
use crate::math::eval::{Evaluator, NoValue};
use crate::math::expr::{Expr, Function};
use crate::math::hash::Mix;
use crate::math::points::{Point, Region};
use crate::math::policy::LogBase;

/// Whole numbers from 1 on that a lone letter is always tried at, with steps and without.
const FIRST: i64 = 36;
const FIRST_WITHOUT_STEPS: i64 = 12;

/// Most values of one letter, and most combinations of several.
const MAX_VALUES: usize = 160;
const MAX_TUPLES: usize = 120;

/// Farthest that a letter goes.
const FARTHEST: i64 = 10_000_000;

/// Places at which two expressions with steps have to agree to be the same.
const ENOUGH: usize = 16;

/// How close to a jump a real letter is tried.
const BESIDE: i64 = 1_000_000_000_000_000;

impl Comparer<'_> {
    /// What whole numbers, and jumps between them, say: `Some(false)` if the two differ at one, `Some(true)` if they
    /// agree at all and nothing but steps of whole numbers is left to differ.
    pub(super) fn at_whole_numbers(
        &mut self,
        a: &Expr,
        b: &Expr,
        names: &Names,
    ) -> Result<Option<bool>, Open> {
        if names.integers.is_empty() && !names.steps {
            return Ok(None);
        }
        let point = Point::new(self.seed, 0, Region::Middle);
        let mut same = 0;
        if !names.integers.is_empty() {
            for tuple in self.tuples(a, b, names) {
                match self.there(a, b, &point, &tuple)? {
                    Some(false) => return Ok(Some(false)),
                    Some(true) => same += 1,
                    None => {}
                }
            }
        }
        if names.steps && self.differ_at_a_jump(a, b, names, &point)? {
            return Ok(Some(false));
        }
        let nothing_else = names
            .symbols
            .iter()
            .all(|name| names.integers.contains(name));
        Ok((names.steps && nothing_else && same >= ENOUGH).then_some(true))
    }

    /// Whether the two agree at one place, if both have a real value there.
    fn there(
        &mut self,
        a: &Expr,
        b: &Expr,
        point: &Point,
        integers: &[(Box<str>, i64)],
    ) -> Result<Option<bool>, Open> {
        let ten = self.policy.log_base == LogBase::Ten;
        let mut value = |expr: &Expr| {
            Evaluator::new(Float::new(point), integers, &mut self.budget, ten).eval(expr)
        };
        let real = |z: &Approx| z.im.abs() <= 4.0 * z.error;
        Ok(match (value(a), value(b)) {
            (Err(NoValue::Spent), _) | (_, Err(NoValue::Spent)) => return Err(Open::Spent),
            (Ok(x), Ok(y)) if real(&x) && real(&y) => Some(!apart(&x, &y)),
            _ => None,
        })
    }

    /// Values for all letters that are whole numbers.
    fn tuples(&self, a: &Expr, b: &Expr, names: &Names) -> Vec<Vec<(Box<str>, i64)>> {
        let values = self.values(a, b, names);
        let named = |numbers: &[i64]| -> Vec<(Box<str>, i64)> {
            names
                .integers
                .iter()
                .cloned()
                .zip(numbers.iter().copied())
                .collect()
        };
        let count = names.integers.len();
        if count == 1 {
            return values.iter().map(|value| named(&[*value])).collect();
        }
        let mut tuples = vec![];
        // All combinations of small numbers, as far as they go.
        let side: i64 = match count {
            2 => 7,
            3 => 4,
            4 => 3,
            _ => 2,
        };
        let mut digits = vec![1i64; count];
        'grid: while tuples.len() < MAX_TUPLES / 2 {
            tuples.push(named(&digits));
            for digit in &mut digits {
                *digit += 1;
                if *digit <= side {
                    continue 'grid;
                }
                *digit = 1;
            }
            break;
        }
        let mut hash = Mix::new(self.seed ^ 0x3a);
        while tuples.len() < MAX_TUPLES && !values.is_empty() {
            let numbers: Vec<i64> = (0..count)
                .map(|_| {
                    hash.word(tuples.len() as u64);
                    let at = (hash.finish() >> 8) as usize % values.len();
                    values.get(at).copied().unwrap_or(1)
                })
                .collect();
            tuples.push(named(&numbers));
        }
        tuples
    }

    /// Values of one letter: the first whole numbers, then those around powers, squares and multiples.
    fn values(&self, a: &Expr, b: &Expr, names: &Names) -> Vec<i64> {
        if !names.steps {
            return (1..=FIRST_WITHOUT_STEPS).collect();
        }
        let mut values: Vec<i64> = (1..=FIRST).collect();
        let (mut constants, mut bases, mut powers, mut roots) = (vec![], vec![2, 10], false, false);
        for expr in [a, b] {
            expr.any(&mut |part| {
                match part {
                    Expr::Number(n) => {
                        let parts = [
                            i64::try_from(n.value.numerator()).ok(),
                            i64::try_from(n.value.denominator()).ok(),
                        ];
                        constants.extend(parts.into_iter().flatten());
                    }
                    Expr::Call(Function::Log, arguments) => {
                        powers = true;
                        bases.extend(arguments.get(1).and_then(Expr::as_written_integer));
                    }
                    Expr::Call(Function::Ln, _) => powers = true,
                    Expr::Root(..) => roots = true,
                    Expr::Pow(base, _) => {
                        roots = true;
                        if let Some(base) = base.as_written_integer() {
                            powers = true;
                            bases.push(base);
                        }
                    }
                    _ => {}
                }
                false
            });
        }
        constants.retain(|c| c.abs() < FARTHEST / 4);
        constants.sort_unstable();
        constants.dedup();
        let mut centres = vec![];
        if powers {
            bases.sort_unstable();
            bases.dedup();
            for base in bases.into_iter().filter(|base| (2..=64).contains(base)) {
                let mut power = base;
                while power < FARTHEST / base && centres.len() < 48 {
                    power *= base;
                    centres.push(power);
                }
            }
        }
        if roots {
            centres.extend((6..=14).map(|root| root * root));
            centres.extend([4, 5].map(|root| root * root * root));
        }
        let shifts: Vec<i64> = constants
            .iter()
            .copied()
            .filter(|c| (1..=9).contains(&c.abs()))
            .take(3)
            .flat_map(|c| [c, -c])
            .collect();
        for centre in &centres {
            values.extend([centre - 1, *centre, centre + 1]);
            for shift in &shifts {
                values.extend([centre + shift - 1, centre + shift, centre + shift + 1]);
            }
        }
        for constant in constants.iter().map(|c| c.abs()).filter(|c| *c > 3) {
            for multiple in [constant, 2 * constant, 3 * constant] {
                values.extend([multiple - 1, multiple, multiple + 1]);
            }
        }
        values.extend([999, 1000, 999_999, 1_000_000, 1_048_577]);
        let mut seen = std::collections::BTreeSet::new();
        values.retain(|value| *value > 0 && seen.insert(*value));
        values.truncate(MAX_VALUES);
        values
    }

    /// Whether two expressions in real letters differ where one of their steps jumps, or beside it.
    fn differ_at_a_jump(
        &mut self,
        a: &Expr,
        b: &Expr,
        names: &Names,
        point: &Point,
    ) -> Result<bool, Open> {
        let integers = names.whole(point);
        for name in names
            .symbols
            .iter()
            .filter(|name| !names.integers.contains(name))
        {
            if !steps::holds_in_step(&[a, b], name) {
                continue;
            }
            let mut values: Vec<RBig> = (-9..=18)
                .map(|sixth| RBig::from_parts(sixth.into(), 6u8.into()))
                .collect();
            let mut jumps: Vec<RBig> = (-3..=9)
                .chain([16, 25, 27, 32, 64])
                .map(RBig::from)
                .collect();
            for Linear { slope, offset } in steps::linear_in(&[a, b], name) {
                jumps.extend((-2..=5).map(|k| (RBig::from(k) - &offset) / &slope));
            }
            let beside = RBig::from_parts(1.into(), (BESIDE as u64).into());
            for jump in jumps {
                values.extend([&jump - &beside, &jump + &beside]);
                values.push(jump);
            }
            for value in values {
                let at = |expr: &Expr| {
                    expr.rewritten(&mut |part| match part {
                        Expr::Symbol(n) if n == name => Some(Expr::exact(value.clone())),
                        _ => None,
                    })
                };
                self.budget.charge(8)?;
                if self.there(&at(a), &at(b), point, &integers)? == Some(false) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
