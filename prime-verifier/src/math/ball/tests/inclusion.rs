//! The inclusion property: what a ball claims at low precision still holds at
//! high precision, and for every point of an inexact input.

use proptest::prelude::*;

use super::super::{Mag, dyadic::Dyadic};
use super::*;

/// Rationals of every size, with many near zero, one and the small integers.
fn rationals() -> impl Strategy<Value = RBig> {
    let plain = (-2_000_000i64..2_000_000, 1u64..1_000_000).prop_map(|(n, d)| rational(n, d));
    let scaled = (-1_000_000i64..1_000_000, 1u64..1000, -200i32..300).prop_map(|(n, d, k)| {
        let power = RBig::from(UBig::ONE << k.unsigned_abs() as usize);
        if k < 0 {
            rational(n, d) / power
        } else {
            rational(n, d) * power
        }
    });
    let near = (-3i64..4, -1000i64..1000, 1usize..150)
        .prop_map(|(n, h, k)| rational(n, 1) + rational(h, 1) / RBig::from(UBig::ONE << k));
    prop_oneof![
        plain,
        (-100i64..100, 1u64..101).prop_map(|(n, d)| rational(n, d)),
        scaled,
        near
    ]
}

/// The ball of all points within `2^-k` of `x`.
fn fat(x: &RBig, k: i64, cx: &mut Ctx<'_>) -> Real {
    Real::from_rbig(x, cx).unwrap().widened(Mag::pow2(-k))
}

/// `x + t·2^-k` with `t` in [−1, 1], at high precision.
fn point(x: &RBig, t: i8, k: i64, cx: &mut Ctx<'_>) -> Real {
    let offset = Real::exact(Dyadic::new(IBig::from(t), -k - 7));
    Real::from_rbig(x, cx).unwrap().add(&offset, cx).unwrap()
}

/// A defined value and `Undefined` cannot both be right.
fn agree<T>(
    low: &Result<T, NumError>,
    high: &Result<T, NumError>,
    same: fn(&T, &T) -> bool,
) -> bool {
    match (low, high) {
        (Ok(low), Ok(high)) => same(low, high),
        (Ok(_), Err(error)) | (Err(error), Ok(_)) => *error != NumError::Undefined,
        _ => true,
    }
}

proptest! {
    #[test]
    fn real_functions(x in rationals()) {
        for (name, f, reference) in REAL_FUNCTIONS {
            let low = at(128, |cx| f(&Real::from_rbig(&x, cx).unwrap(), cx));
            let high = at(512, |cx| f(&Real::from_rbig(&x, cx).unwrap(), cx));
            prop_assert!(agree(&low, &high, meet), "{name}({x}): {low:?} {high:?}");
            if let Ok(high) = high {
                let x = x.to_f64().value();
                let [below, plain, above] = [1.0 - 1e-9, 1.0, 1.0 + 1e-9].map(|k| reference(x * k));
                let bound = 1e-9 * plain.abs() + (above - below).abs();
                if bound.is_finite() && x.abs() < 1e3 {
                    let error = (plain - high.to_f64()).abs();
                    prop_assert!(error <= bound, "{name}({x}) {plain} {high:?}");
                }
                // Others have zeros or poles away from 0, where precision drops.
                let keeps = !["sin", "cos", "tan", "ln", "acos", "atanh"].contains(&name);
                if keeps && x.abs() < 1e3 && x != 0.0 {
                    let lost = 512 + high.radius_log2().saturating_sub(high.mag_upper_log2());
                    prop_assert!(high.is_exact() || lost < 24, "{name}({x}) lost {lost} bits");
                }
            }
        }
    }

    #[test]
    fn real_functions_of_balls(x in rationals(), k in 0i64..160, t in -127i8..127) {
        for (name, f, _) in REAL_FUNCTIONS {
            let ball = at(128, |cx| f(&fat(&x, k, cx), cx));
            let value = at(512, |cx| f(&point(&x, t, k, cx), cx));
            prop_assert!(agree(&ball, &value, meet), "{name}({x} ± 2^-{k}): {ball:?} {value:?}");
        }
    }

    #[test]
    fn real_operations(x in rationals(), y in rationals(), k in 0i64..160, t in -127i8..127) {
        let all: [RealOperation; 5] =
            [Real::add, Real::sub, Real::mul, Real::div, Real::atan2];
        for f in all {
            let ball = at(128, |cx| f(&fat(&x, k, cx), &fat(&y, k + 3, cx), cx));
            let value = at(512, |cx| f(&point(&x, t, k, cx), &point(&y, -t, k + 3, cx), cx));
            prop_assert!(agree(&ball, &value, meet), "{x} {y}: {ball:?} {value:?}");
            let low = at(128, |cx| f(&Real::from_rbig(&x, cx).unwrap(), &Real::from_rbig(&y, cx).unwrap(), cx));
            let high = at(512, |cx| f(&Real::from_rbig(&x, cx).unwrap(), &Real::from_rbig(&y, cx).unwrap(), cx));
            prop_assert!(agree(&low, &high, meet), "{x} {y}: {low:?} {high:?}");
        }
    }

    #[test]
    fn complex_functions(x in rationals(), y in rationals(), k in 0i64..160, t in -127i8..127) {
        for (name, f) in COMPLEX_FUNCTIONS {
            for imaginary in [&y, &RBig::ZERO] {
                let z = |cx: &mut Ctx<'_>| Complex::new(
                    Real::from_rbig(&x, cx).unwrap(), Real::from_rbig(imaginary, cx).unwrap());
                let low = at(128, |cx| f(&z(cx), cx));
                let high = at(512, |cx| f(&z(cx), cx));
                prop_assert!(agree(&low, &high, meet_complex), "{name}({x} + {imaginary}i): {low:?} {high:?}");
            }
            let ball = at(128, |cx| f(&Complex::new(fat(&x, k, cx), fat(&y, k, cx)), cx));
            let value = at(512, |cx| f(&Complex::new(point(&x, t, k, cx), point(&y, -t, k, cx)), cx));
            prop_assert!(agree(&ball, &value, meet_complex), "{name}({x} + {y}i ± 2^-{k}): {ball:?} {value:?}");
            let ball = at(128, |cx| f(&fat(&x, k, cx).into(), cx));
            let value = at(512, |cx| f(&point(&x, t, k, cx).into(), cx));
            prop_assert!(agree(&ball, &value, meet_complex), "{name}({x} ± 2^-{k}): {ball:?} {value:?}");
        }
    }

    #[test]
    fn complex_operations(a in rationals(), b in rationals(), c in rationals(), d in rationals()) {
        let all: [ComplexOperation; 5] =
            [Complex::add, Complex::sub, Complex::mul, Complex::div, Complex::pow];
        for f in all {
            let run = |prec| at(prec, |cx| {
                let [a, b, c, d] = [&a, &b, &c, &d].map(|x| Real::from_rbig(x, cx).unwrap());
                f(&Complex::new(a, b), &Complex::new(c, d), cx)
            });
            let (low, high) = (run(128), run(512));
            prop_assert!(agree(&low, &high, meet_complex), "{a} {b} {c} {d}: {low:?} {high:?}");
        }
    }
}
