//! Hostile input: an error or a right answer, soon, and never a panic.

use std::time::{Duration, Instant};

use super::*;

fn power_of_ten(n: usize, cx: &mut Ctx<'_>) -> Result<Real, NumError> {
    Real::from_ibig(&IBig::from(10).pow(n), cx)
}

#[test]
fn certain_errors() {
    at(256, |cx| {
        let (zero, one, two) = (Real::zero(), Real::one(), Real::from_i64(2));
        let undefined = [
            one.div(&zero, cx),
            zero.div(&zero, cx),
            zero.ln(cx),
            two.neg().ln(cx),
            two.neg().sqrt(cx),
            two.neg().nth_root(4, cx),
            two.nth_root(0, cx),
            two.asin(cx),
            two.acos(cx),
            zero.acosh(cx),
            one.atanh(cx),
            two.atanh(cx),
            zero.atan2(&zero, cx),
            zero.powi(&IBig::from(-1), cx),
        ];
        for (i, result) in undefined.iter().enumerate() {
            assert_eq!(
                result.as_ref().err(),
                Some(&NumError::Undefined),
                "case {i}"
            );
        }
        assert_eq!(Complex::zero().ln(cx).err(), Some(NumError::Undefined));
        assert_eq!(Complex::i().atan(cx).err(), Some(NumError::Undefined));
        assert_eq!(one.div(&zero, cx).err(), Some(NumError::Undefined));
        let pole = Real::pi(cx).unwrap().half(cx).unwrap().tan(cx);
        assert_eq!(pole.err(), Some(NumError::Unresolved));
    });
}

#[test]
fn too_large() {
    at(256, |cx| {
        let giant = IBig::from(10).pow(400);
        let million = Real::from_i64(1_000_000);
        assert_eq!(million.exp(cx).err(), Some(NumError::TooLarge));
        assert_eq!(million.neg().exp(cx).err(), Some(NumError::TooLarge));
        assert_eq!(million.cosh(cx).err(), Some(NumError::TooLarge));
        assert_eq!(
            Real::from_i64(2).powi(&giant, cx).err(),
            Some(NumError::TooLarge)
        );
        assert_eq!(
            Real::from_i64(3).powi(&-giant.clone(), cx).err(),
            Some(NumError::TooLarge)
        );
        assert_eq!(
            Real::one().neg().powi(&giant, cx).unwrap().as_integer(),
            Some(IBig::ONE)
        );
        let long = IBig::ONE << (1 << 21);
        assert_eq!(Real::from_ibig(&long, cx).err(), Some(NumError::TooLarge));
        let (sin, cos) = power_of_ten(1000, cx).unwrap().sin_cos(cx).unwrap();
        assert!(sin.contains_zero() && cos.contains_zero());
        let tanh = power_of_ten(1000, cx).unwrap().tanh(cx).unwrap();
        assert!(meet(&tanh, &Real::one()) && tanh.radius_log2() < -200);
    });
    at(4096, |cx| {
        let sin = power_of_ten(1000, cx).unwrap().sin(cx).unwrap();
        assert!(sin.radius_log2() < -700, "{sin:?}");
    });
}

/// Every function on a grid of awkward numbers, at several precisions.
#[test]
fn no_panic_and_no_stall() {
    for prec in [0, 64, 256, 4096, usize::MAX] {
        at(prec, |cx| {
            let one = Real::one();
            let mut numbers = vec![Real::zero(), one.clone(), one.neg(), real(1, 3, cx)];
            for k in [
                1i64,
                2,
                20,
                21,
                62,
                63,
                64,
                1000,
                20_000,
                1 << 19,
                (1 << 20) - 1,
            ] {
                for sign in [-k, k] {
                    let power = one.mul_pow2(sign, cx).unwrap();
                    numbers.push(power.add(&one, cx).unwrap());
                    numbers.push(one.sub(&power, cx).unwrap());
                    numbers.push(power.clone().widened(power.mag_upper()));
                    numbers.push(Real::around_zero(power.mag_upper()));
                    numbers.push(power.neg());
                }
            }
            numbers.push(Real::pi(cx).unwrap());
            numbers.push(Real::pi(cx).unwrap().half(cx).unwrap());
            for x in &numbers {
                for (name, f, _) in REAL_FUNCTIONS {
                    let start = Instant::now();
                    let _ = f(x, cx);
                    let limit = Duration::from_millis(if prec > 5000 { 400 } else { 200 });
                    assert!(start.elapsed() < limit, "{name}({x:?}) at {prec}");
                }
                let _ = (x.floor(), x.to_f64(), x.acosh(cx), x.nth_root(u32::MAX, cx));
                let _ = x.powi(&(IBig::ONE << 39), cx);
                let _ = x.powi(&(-IBig::ONE << 70), cx);
                assert!(x.to_f64().is_finite());
            }
            for x in numbers.iter().step_by(5) {
                for y in &numbers {
                    let _ = (
                        x.add(y, cx),
                        x.mul(y, cx),
                        x.div(y, cx),
                        x.atan2(y, cx),
                        x.cmp(y),
                    );
                }
                for y in numbers.iter().step_by(9) {
                    let z = Complex::new(x.clone(), y.clone());
                    for (name, f) in COMPLEX_FUNCTIONS {
                        let start = Instant::now();
                        let _ = f(&z, cx);
                        assert!(
                            start.elapsed() < Duration::from_millis(900),
                            "{name} at {prec}"
                        );
                    }
                    let _ = (
                        z.pow(&z, cx),
                        z.nth_root(u32::MAX, cx),
                        z.powi(&(IBig::ONE << 70), cx),
                    );
                }
            }
        });
    }
}

#[test]
fn the_budget_runs_out() {
    let mut budget = Budget::new(200);
    let cx = &mut Ctx::new(256, &mut budget);
    let mut x = Real::one();
    let error = loop {
        match x.sin(cx) {
            Ok(next) => x = next,
            Err(error) => break error,
        }
    };
    assert_eq!(error, NumError::OutOfBudget);
    assert_eq!(x.add(&x, cx).err(), Some(NumError::OutOfBudget));
}
