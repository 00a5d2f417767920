//! Tests of the ball arithmetic, by what they check.

mod hostile;
mod inclusion;
mod values;

use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

use crate::math::budget::Budget;

use super::{Complex, Ctx, NumError, Real};

/// Runs `f` at a precision with a budget that suffices.
fn at<T>(prec: usize, f: impl FnOnce(&mut Ctx<'_>) -> T) -> T {
    let mut budget = Budget::new(u64::MAX);
    f(&mut Ctx::new(prec, &mut budget))
}

fn rational(numerator: i64, denominator: u64) -> RBig {
    RBig::from_parts(IBig::from(numerator), UBig::from(denominator))
}

fn real(numerator: i64, denominator: u64, cx: &mut Ctx<'_>) -> Real {
    Real::from_rbig(&rational(numerator, denominator), cx).unwrap()
}

/// Whether two balls may hold the same number.
fn meet(a: &Real, b: &Real) -> bool {
    !matches!(
        a.cmp(b),
        Some(std::cmp::Ordering::Less | std::cmp::Ordering::Greater)
    )
}

fn meet_complex(a: &Complex, b: &Complex) -> bool {
    meet(&a.re, &b.re) && meet(&a.im, &b.im)
}

type RealFn = fn(&Real, &mut Ctx<'_>) -> Result<Real, NumError>;
type ComplexFn = fn(&Complex, &mut Ctx<'_>) -> Result<Complex, NumError>;

type RealOperation = fn(&Real, &Real, &mut Ctx<'_>) -> Result<Real, NumError>;
type ComplexOperation = fn(&Complex, &Complex, &mut Ctx<'_>) -> Result<Complex, NumError>;
type Reference = fn(f64) -> f64;

const REAL_FUNCTIONS: [(&str, RealFn, Reference); 20] = [
    ("exp", Real::exp, f64::exp),
    ("ln", Real::ln, f64::ln),
    ("sqrt", Real::sqrt, f64::sqrt),
    ("square", Real::square, |x| x * x),
    ("inv", Real::inv, |x| 1.0 / x),
    ("cbrt", |x, cx| x.nth_root(3, cx), f64::cbrt),
    (
        "seventh root",
        |x, cx| x.nth_root(7, cx),
        |x| x.signum() * x.abs().powf(1.0 / 7.0),
    ),
    ("x^5", |x, cx| x.powi(&IBig::from(5), cx), |x| x.powi(5)),
    ("x^-3", |x, cx| x.powi(&IBig::from(-3), cx), |x| x.powi(-3)),
    ("sin", Real::sin, f64::sin),
    ("cos", Real::cos, f64::cos),
    ("tan", Real::tan, f64::tan),
    ("sinh", Real::sinh, f64::sinh),
    ("cosh", Real::cosh, f64::cosh),
    ("tanh", Real::tanh, f64::tanh),
    ("asin", Real::asin, f64::asin),
    ("acos", Real::acos, f64::acos),
    ("atan", Real::atan, f64::atan),
    ("asinh", Real::asinh, f64::asinh),
    ("atanh", Real::atanh, f64::atanh),
];

const COMPLEX_FUNCTIONS: [(&str, ComplexFn); 18] = [
    ("exp", Complex::exp),
    ("ln", Complex::ln),
    ("sqrt", Complex::sqrt),
    ("square", Complex::square),
    ("inv", Complex::inv),
    ("cbrt", |z, cx| z.nth_root(3, cx)),
    ("z^7", |z, cx| z.powi_i64(7, cx)),
    ("sin", Complex::sin),
    ("cos", Complex::cos),
    ("tan", Complex::tan),
    ("sinh", Complex::sinh),
    ("tanh", Complex::tanh),
    ("asin", Complex::asin),
    ("acos", Complex::acos),
    ("atan", Complex::atan),
    ("asinh", Complex::asinh),
    ("acosh", Complex::acosh),
    ("atanh", Complex::atanh),
];
