//! Functions of whole and of ordered numbers.

use dashu_base::{BitTest, Gcd, Sign, Signed};
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

use crate::math::expr::Function;

/// `n (n-step) (n-2·step) …`
pub(super) fn factorial(n: u64, step: u64) -> UBig {
    let mut product = UBig::ONE;
    let mut chunk: u64 = 1;
    let mut at = n;
    while at > 1 {
        chunk = match chunk.checked_mul(at) {
            Some(chunk) => chunk,
            None => {
                product *= UBig::from(chunk);
                at
            }
        };
        at = at.saturating_sub(step);
    }
    product * UBig::from(chunk)
}

/// The greatest common divisor or the least common multiple, of fractions too: over a common denominator.
pub(super) fn common(function: Function, numbers: &[RBig]) -> Option<RBig> {
    let denominators: Vec<IBig> = numbers
        .iter()
        .map(|n| IBig::from(n.denominator().clone()))
        .collect();
    let denominator = lcm(&denominators)?;
    let scale = RBig::from(denominator);
    let whole: Vec<IBig> = numbers
        .iter()
        .map(|n| (n * &scale).into_parts().0)
        .collect();
    let value = match function {
        Function::Gcd => gcd(&whole)?,
        _ => lcm(&whole)?,
    };
    Some(RBig::from(value) / scale)
}

fn gcd(numbers: &[IBig]) -> Option<IBig> {
    let mut numbers = numbers.iter().map(|n| n.clone().into_parts().1);
    let mut total = numbers.next()?;
    for n in numbers {
        if n.is_zero() {
            continue;
        }
        total = if total.is_zero() { n } else { total.gcd(n) };
    }
    Some(IBig::from(total))
}

fn lcm(numbers: &[IBig]) -> Option<IBig> {
    let mut total = UBig::ONE;
    for n in numbers {
        let n = n.clone().into_parts().1;
        if n.is_zero() {
            return Some(IBig::ZERO);
        }
        let common = (&total).gcd(&n);
        total = total / common * n;
        if total.bit_len() > 1 << 16 {
            return None;
        }
    }
    Some(IBig::from(total))
}

/// Floor, ceiling, sign, absolute value, largest, smallest.
pub(super) fn ordered(function: Function, numbers: &[RBig]) -> Option<RBig> {
    let first = numbers.first()?;
    Some(match function {
        Function::Floor => RBig::from(first.floor()),
        Function::Ceil => RBig::from(first.ceil()),
        Function::Sign if first.is_zero() => RBig::ZERO,
        Function::Sign => RBig::from(if first.sign() == Sign::Positive {
            1
        } else {
            -1
        }),
        Function::Abs if first.is_negative() => -first.clone(),
        Function::Abs => first.clone(),
        Function::Max => numbers.iter().max()?.clone(),
        Function::Min => numbers.iter().min()?.clone(),
        _ => return None,
    })
}
