//! Values with something written behind them: units, percent and degree signs, bases, ratios.

use dashu_base::Signed;
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

use super::{Comparer, Open};
use crate::math::expr::{Constant, Expr};
use crate::math::policy::{BasePolicy, PercentPolicy, UnitPolicy};
use crate::math::units;

impl Comparer<'_> {
    /// `a` carries the sign; `b` may carry one too. `None` leaves the pair to the scalars.
    pub(super) fn measures(&mut self, a: &Expr, b: &Expr) -> Result<Option<bool>, Open> {
        // A sign that may be missing may not be another sign.
        if other_sign(a, b) {
            return Ok(Some(false));
        }
        Ok(Some(match (a, b) {
            (Expr::Quantity(x, unit), Expr::Quantity(y, other)) => {
                if unit.name == other.name || self.policy.units == UnitPolicy::Ignored {
                    self.eq(x, y)?
                } else if self.policy.units == UnitPolicy::Exact {
                    false
                } else {
                    match units::factor(&unit.name, &other.name) {
                        Some(factor) => {
                            let factor = Expr::exact(factor);
                            let converted = Expr::Mul(vec![(**x).clone(), factor]);
                            self.eq(&converted, y)?
                        }
                        None => false,
                    }
                }
            }
            (Expr::Quantity(x, unit), Expr::Degree(y))
                if &*unit.name == "rad" || &*unit.name == "degree" =>
            {
                let x = if &*unit.name == "rad" {
                    (**x).clone()
                } else {
                    Expr::Degree(x.clone())
                };
                self.eq(&x, &Expr::Degree(y.clone()))?
            }
            // `m^2` behind a number is a product of variables, unless the other side says that it is a unit.
            (Expr::Quantity(x, unit), Expr::Mul(factors))
                if spells(factors, &unit.name).is_some() =>
            {
                match spells(factors, &unit.name) {
                    Some(value) => self.eq(x, &value)?,
                    None => false,
                }
            }
            (Expr::Quantity(x, _), other) if !super::is_statement(other) => {
                self.policy.units != UnitPolicy::Exact && self.eq(x, other)?
            }
            (Expr::Percent(x), Expr::Percent(y)) => self.eq(x, y)?,
            (Expr::Percent(x), other) if other.is_scalar() => {
                let hundredth = Expr::exact(RBig::from_parts(IBig::ONE, UBig::from(100u8)));
                let value = Expr::Mul(vec![(**x).clone(), hundredth]);
                self.eq(&value, other)?
                    || self.policy.percent == PercentPolicy::SignOptional && self.eq(x, other)?
            }
            (Expr::Degree(x), Expr::Degree(y)) => self.eq(x, y)?,
            (Expr::Degree(x), other) if other.is_scalar() => {
                if self.policy.units != UnitPolicy::Exact
                    && !has_degrees(other)
                    && self.eq(x, other)?
                {
                    true
                } else {
                    let per_degree = Expr::exact(RBig::from_parts(IBig::ONE, UBig::from(180u8)));
                    let radians = Expr::Mul(vec![
                        (**x).clone(),
                        per_degree,
                        Expr::Constant(Constant::Pi),
                    ]);
                    self.eq(&radians, other)?
                }
            }
            (
                Expr::Based { digits, base },
                Expr::Based {
                    digits: others,
                    base: other,
                },
            ) => {
                let ignored = self.policy.base == BasePolicy::SubscriptIgnored;
                if base == other || ignored {
                    trimmed(digits) == trimmed(others)
                } else {
                    match (value_in_base(digits, *base), value_in_base(others, *other)) {
                        (Some(a), Some(b)) => a == b,
                        _ => false,
                    }
                }
            }
            (Expr::Based { digits, base }, other) if other.is_scalar() => {
                self.based(digits, *base, other)?
            }
            (Expr::Ratio(parts), Expr::Ratio(others)) => self.ratios(parts, others)?,
            (Expr::Ratio(parts), other)
                if self.policy.reduce_ratios && other.is_scalar() && !is_time(parts) =>
            {
                match parts.as_slice() {
                    [a, b] => {
                        let quotient = Expr::Mul(vec![a.clone(), b.clone().inverted()]);
                        self.eq(&quotient, other)?
                    }
                    _ => false,
                }
            }
            _ => return Ok(None),
        }))
    }

    fn based(&mut self, digits: &str, base: u32, other: &Expr) -> Result<bool, Open> {
        let same_digits = matches!(other, Expr::Number(n) if n.value.is_int() && !n.value.is_negative()
            && n.value.numerator().to_string() == trimmed(digits));
        let value = value_in_base(digits, base);
        match self.policy.base {
            BasePolicy::SubscriptIgnored => Ok(same_digits),
            BasePolicy::SubscriptOptional if same_digits => Ok(true),
            _ => match value {
                Some(value) => self.eq(&Expr::exact(value), other),
                None => Ok(false),
            },
        }
    }

    fn ratios(&mut self, a: &[Expr], b: &[Expr]) -> Result<bool, Open> {
        if a.len() != b.len() {
            return Ok(false);
        }
        if self.in_order(a, b)? {
            return Ok(true);
        }
        if !self.policy.reduce_ratios || is_time(a) || is_time(b) {
            return Ok(false);
        }
        let (Some(a0), Some(b0)) = (a.first(), b.first()) else {
            return Ok(false);
        };
        // `12:00` is a time; a zero has no ratio to anything.
        let zero = Expr::integer(0);
        for part in a.iter().chain(b) {
            if !part.is_scalar() || self.eq(part, &zero)? {
                return Ok(false);
            }
        }
        for (x, y) in a.iter().zip(b).skip(1) {
            let crossed = Expr::Mul(vec![a0.clone(), y.clone()]);
            let other = Expr::Mul(vec![b0.clone(), x.clone()]);
            if !self.eq(&crossed, &other)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether both carry a sign, of kinds that have nothing to do with each other: `27^\circ` and `27\%`.
fn other_sign(a: &Expr, b: &Expr) -> bool {
    fn kind(expr: &Expr) -> Option<u8> {
        Some(match expr {
            Expr::Neg(inner) => return kind(inner),
            Expr::Quantity(_, unit) if matches!(&*unit.name, "rad" | "degree") => 0,
            Expr::Degree(_) => 0,
            Expr::Percent(_) => 1,
            Expr::Quantity(..) => 2,
            Expr::Based { .. } => 3,
            _ => return None,
        })
    }
    let is_ratio = |expr: &Expr| matches!(expr, Expr::Ratio(_));
    match (kind(a), kind(b)) {
        (Some(x), Some(y)) => x != y,
        (Some(x), None) => x != 1 && is_ratio(b),
        (None, Some(y)) => y != 1 && is_ratio(a),
        (None, None) => false,
    }
}

/// `10:30` is half past ten: a ratio would be in lowest terms.
fn is_time(parts: &[Expr]) -> bool {
    let [hours, minutes] = parts else {
        return false;
    };
    let (Some(h), Some(m)) = (hours.as_written_integer(), minutes.as_written_integer()) else {
        return false;
    };
    let common = |mut a: i64, mut b: i64| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    (1..=24).contains(&h) && (10..=55).contains(&m) && m % 5 == 0 && common(h, m) > 1
}

/// The number of a product whose other factors spell a unit.
fn spells(factors: &[Expr], unit: &str) -> Option<Expr> {
    let at = factors
        .iter()
        .position(|factor| matches!(factor, Expr::Symbol(_) | Expr::Pow(..) | Expr::Inv(_)))?;
    let (number, rest) = factors.split_at(at);
    if number.is_empty()
        || number
            .iter()
            .any(|factor| !matches!(factor, Expr::Number(_)))
    {
        return None;
    }
    let mut text = String::new();
    for factor in rest {
        match factor {
            Expr::Symbol(name) => text.push_str(name),
            Expr::Pow(base, exponent) => match (&**base, exponent.as_written_integer()) {
                (Expr::Symbol(name), Some(power)) => text.push_str(&format!("{name}^{power} ")),
                _ => return None,
            },
            Expr::Inv(below) => match &**below {
                Expr::Symbol(name) => text.push_str(&format!("/{name}")),
                _ => return None,
            },
            _ => return None,
        }
    }
    (units::canonical(&text) == unit).then(|| Expr::Mul(number.to_vec()))
}

fn has_degrees(expr: &Expr) -> bool {
    expr.any(&mut |part| matches!(part, Expr::Degree(_)))
}

fn trimmed(digits: &str) -> &str {
    let trimmed = digits.trim_start_matches('0');
    if trimmed.is_empty() { "0" } else { trimmed }
}

/// The value of digits, with a point or without, if the base has them all.
fn value_in_base(digits: &str, base: u32) -> Option<RBig> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let numerator = UBig::from_str_radix(&format!("{whole}{fraction}"), base).ok()?;
    let denominator = UBig::from(base).pow(fraction.len());
    Some(RBig::from_parts(IBig::from(numerator), denominator))
}
