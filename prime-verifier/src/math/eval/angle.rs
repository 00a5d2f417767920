//! Angles that are a rational number of half turns, whose functions have exact values or none at all.

use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

use super::NoValue;
use crate::math::expr::{Constant, Expr, Function};

/// The value of a function of `q·π`, where it is rational; an error where it has a pole.
pub(super) fn exact_value(function: Function, angle: &Expr) -> Option<Result<RBig, NoValue>> {
    let (constant, half_turns) = linear_in_pi(angle)?;
    if !constant.is_zero() {
        return None;
    }
    let sine = |q: &RBig| sine_of_half_turns(q);
    let quarter = RBig::from_parts(IBig::ONE, UBig::from(2u8));
    let cosine = |q: &RBig| sine_of_half_turns(&(q + &quarter));
    let over = |numerator: Option<RBig>, denominator: Option<RBig>| match (numerator, denominator) {
        (_, Some(zero)) if zero.is_zero() => Some(Err(NoValue::Undefined)),
        (Some(a), Some(b)) => Some(Ok(a / b)),
        _ => None,
    };
    let q = &half_turns;
    match function {
        Function::Sin => sine(q).map(Ok),
        Function::Cos => cosine(q).map(Ok),
        Function::Sec => over(Some(RBig::ONE), cosine(q)),
        Function::Csc => over(Some(RBig::ONE), sine(q)),
        Function::Tan | Function::Cot => {
            let eighth = q * RBig::from(4);
            // tan(π/4) is 1 although its sine and cosine are roots.
            if eighth.is_int() && !(q * RBig::from(2)).is_int() {
                let odd = eighth.into_parts().0;
                let remainder = (odd % IBig::from(4) + IBig::from(4)) % IBig::from(4);
                return Some(Ok(RBig::from(if remainder == IBig::ONE { 1 } else { -1 })));
            }
            match function {
                Function::Tan => over(sine(q), cosine(q)),
                _ => over(cosine(q), sine(q)),
            }
        }
        _ => None,
    }
}

/// sin(q·π) where it is rational, by Niven's theorem: 0, ±1/2, ±1.
fn sine_of_half_turns(q: &RBig) -> Option<RBig> {
    let sixths = q * RBig::from(6);
    if !sixths.is_int() {
        return None;
    }
    let twelve = IBig::from(12);
    let k = (sixths.into_parts().0 % &twelve + &twelve) % &twelve;
    let half = |sign: i8| RBig::from_parts(IBig::from(sign), UBig::from(2u8));
    match u8::try_from(&k).ok()? {
        0 | 6 => Some(RBig::ZERO),
        1 | 5 => Some(half(1)),
        3 => Some(RBig::ONE),
        7 | 11 => Some(half(-1)),
        9 => Some(RBig::from(-1)),
        _ => None,
    }
}

/// `a` and `b` of an expression that is plainly `a + b·π`.
fn linear_in_pi(expr: &Expr) -> Option<(RBig, RBig)> {
    Some(match expr {
        Expr::Number(n) => (n.value.clone(), RBig::ZERO),
        Expr::Constant(Constant::Pi) => (RBig::ZERO, RBig::ONE),
        Expr::Neg(inner) => {
            let (a, b) = linear_in_pi(inner)?;
            (-a, -b)
        }
        Expr::Add(terms) => {
            let mut total = (RBig::ZERO, RBig::ZERO);
            for term in terms {
                let (a, b) = linear_in_pi(term)?;
                total = (total.0 + a, total.1 + b);
            }
            total
        }
        Expr::Mul(factors) => {
            let mut product = (RBig::ONE, RBig::ZERO);
            for factor in factors {
                let (a, b) = linear_in_pi(factor)?;
                product = match (product.1.is_zero(), b.is_zero()) {
                    (true, _) => (&product.0 * a, product.0 * b),
                    (_, true) => (product.0 * &a, product.1 * a),
                    _ => return None,
                };
            }
            product
        }
        Expr::Inv(inner) => match linear_in_pi(inner)? {
            (a, b) if b.is_zero() && !a.is_zero() => (RBig::ONE / a, RBig::ZERO),
            _ => return None,
        },
        Expr::Degree(inner) => match linear_in_pi(inner)? {
            (a, b) if b.is_zero() => (RBig::ZERO, a / RBig::from(180)),
            _ => return None,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_values_agree_with_floats() {
        for twelfths in -40i64..40 {
            let angle = Expr::Mul(vec![
                Expr::exact(RBig::from_parts(IBig::from(twelfths), UBig::from(12u8))),
                Expr::Constant(Constant::Pi),
            ]);
            let x = twelfths as f64 / 12.0 * std::f64::consts::PI;
            for (function, value) in [
                (Function::Sin, x.sin()),
                (Function::Cos, x.cos()),
                (Function::Tan, x.tan()),
                (Function::Cot, x.cos() / x.sin()),
                (Function::Sec, 1.0 / x.cos()),
                (Function::Csc, 1.0 / x.sin()),
            ] {
                match exact_value(function, &angle) {
                    Some(Ok(exact)) => {
                        let exact = exact.to_f64_fast();
                        assert!(
                            (exact - value).abs() < 1e-9,
                            "{function:?} {twelfths}: {exact} {value}"
                        );
                    }
                    Some(Err(error)) => {
                        assert_eq!(error, NoValue::Undefined);
                        assert!(value.abs() > 1e12, "{function:?} {twelfths}: {value}");
                    }
                    None => assert!(value.abs() < 1e12, "{function:?} {twelfths}: {value}"),
                }
            }
        }
    }
}
