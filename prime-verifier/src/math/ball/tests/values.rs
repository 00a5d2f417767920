//! Known values and identities.

use super::*;

fn close(a: &Real, b: f64) -> bool {
    (a.to_f64() - b).abs() <= 1e-14 * b.abs().max(1.0)
}

#[test]
fn identities_hold_tightly() {
    for prec in [128, 256, 512, 1024, 4096] {
        at(prec, |cx| {
            let tight = |x: &Real| x.contains_zero() && x.radius_log2() < 56 - prec as i64;
            for (n, d) in [
                (1, 3),
                (22, 7),
                (-355, 113),
                (1_000_001, 10),
                (3, 1_000_000_007),
            ] {
                let x = real(n, d, cx);
                let (sin, cos) = x.sin_cos(cx).unwrap();
                let sum = sin
                    .square(cx)
                    .unwrap()
                    .add(&cos.square(cx).unwrap(), cx)
                    .unwrap();
                assert!(
                    tight(&sum.sub(&Real::one(), cx).unwrap()),
                    "{prec} {n}/{d} {sum:?}"
                );
                let y = x.abs();
                let back = y.ln(cx).unwrap().exp(cx).unwrap();
                let back = back.sub(&y, cx).unwrap().div(&y, cx).unwrap();
                assert!(tight(&back), "exp ln {n}/{d}");
                let back = x.atan(cx).unwrap().tan(cx).unwrap();
                let back = back
                    .sub(&x, cx)
                    .unwrap()
                    .div(&x.square(cx).unwrap().add(&Real::one(), cx).unwrap(), cx)
                    .unwrap();
                assert!(tight(&back), "tan atan {n}/{d}");
            }
        });
    }
}

#[test]
fn machin_gives_pi() {
    for prec in [128, 256, 1024, 4096] {
        at(prec, |cx| {
            let a = real(1, 5, cx).atan(cx).unwrap().mul_pow2(4, cx).unwrap();
            let b = real(1, 239, cx).atan(cx).unwrap().mul_pow2(2, cx).unwrap();
            let zero = a
                .sub(&b, cx)
                .unwrap()
                .sub(&Real::pi(cx).unwrap(), cx)
                .unwrap();
            assert!(
                zero.contains_zero() && zero.radius_log2() < 12 - prec as i64,
                "{zero:?}"
            );
        });
    }
}

#[test]
fn constants_match_their_digits() {
    let digits = |text: &str, cx: &mut Ctx<'_>| {
        let scale = UBig::from(10u8).pow(text.len() - 1);
        let value = RBig::from_parts(text.parse().unwrap(), scale);
        Real::from_rbig(&value, cx).unwrap()
    };
    at(256, |cx| {
        let bound = real(1, 10, cx).powi(&IBig::from(49), cx).unwrap();
        let near = |x: Real, text: &str, cx: &mut Ctx<'_>| {
            let error = x.sub(&digits(text, cx), cx).unwrap().abs();
            error.cmp(&bound) == Some(std::cmp::Ordering::Less)
        };
        let pi = Real::pi(cx).unwrap();
        assert!(near(
            pi,
            "314159265358979323846264338327950288419716939937510",
            cx
        ));
        let e = Real::e(cx).unwrap();
        assert!(near(
            e,
            "271828182845904523536028747135266249775724709369995",
            cx
        ));
        let ln2 = Real::from_i64(2).ln(cx).unwrap();
        assert!(near(
            ln2,
            "069314718055994530941723212145817656807550013436025",
            cx
        ));
        // sin(10^22), the classic of argument reduction.
        let big = Real::from_ibig(&IBig::from(10).pow(22), cx).unwrap();
        let sin = big.sin(cx).unwrap();
        assert!(close(&sin, -0.852_200_849_767_188_8), "{sin:?}");
    });
}

#[test]
fn roots_of_powers_are_exact() {
    at(256, |cx| {
        for (x, n, root) in [
            (8, 3, 2),
            (-27, 3, -3),
            (1024, 10, 2),
            (1, 99, 1),
            (144, 2, 12),
        ] {
            let value = Real::from_i64(x).nth_root(n, cx).unwrap();
            assert_eq!(value.as_integer(), Some(IBig::from(root)), "{x} {n}");
        }
        let inexact = Real::from_i64(9).nth_root(3, cx).unwrap();
        assert_eq!(inexact.floor(), Ok(IBig::from(2)));
    });
}

#[test]
fn floor_and_order() {
    at(256, |cx| {
        assert_eq!(real(-7, 2, cx).floor(), Ok(IBig::from(-4)));
        assert_eq!(Real::from_i64(5).floor(), Ok(IBig::from(5)));
        let third = real(1, 3, cx);
        assert_eq!(
            third.mul(&Real::from_i64(3), cx).unwrap().floor(),
            Err(NumError::Unresolved)
        );
        assert_eq!(third.cmp(&third), None);
        assert_eq!(third.cmp(&Real::one()), Some(std::cmp::Ordering::Less));
        assert_eq!(
            Real::one().cmp(&Real::one()),
            Some(std::cmp::Ordering::Equal)
        );
    });
}

#[test]
fn principal_branches() {
    at(256, |cx| {
        let int = Complex::from_i64;
        let check = |z: Complex, re: f64, im: f64| {
            assert!(
                close(&z.re, re) && close(&z.im, im),
                "{z:?} is not {re} + {im}i"
            );
        };
        let pi = std::f64::consts::PI;
        let root = int(-4).sqrt(cx).unwrap();
        assert!(root.re.is_exact_zero() && root.im.as_integer() == Some(IBig::from(2)));
        check(int(-2).ln(cx).unwrap(), 2f64.ln(), pi);
        check(Complex::i().ln(cx).unwrap(), 0.0, pi / 2.0);
        check(int(2).asin(cx).unwrap(), pi / 2.0, -1.316_957_896_924_816_6);
        check(int(2).acos(cx).unwrap(), 0.0, 1.316_957_896_924_816_6);
        check(int(-8).nth_root(3, cx).unwrap(), -2.0, 0.0);
        check(int(-16).nth_root(4, cx).unwrap(), 2f64.sqrt(), 2f64.sqrt());
        check(
            Complex::i().pow(&Complex::i(), cx).unwrap(),
            (-pi / 2.0).exp(),
            0.0,
        );
        let third = Complex::from(real(1, 3, cx));
        check(int(-8).pow(&third, cx).unwrap(), 1.0, 3f64.sqrt());
        let two_i = Complex::i().add(&Complex::i(), cx).unwrap();
        check(two_i.atan(cx).unwrap(), pi / 2.0, 3f64.ln() / 2.0);
        check(two_i.asinh(cx).unwrap(), 1.316_957_896_924_816_6, pi / 2.0);
        check(int(-2).acosh(cx).unwrap(), 1.316_957_896_924_816_6, pi);
        check(
            Complex::new(Real::one(), Real::one())
                .powi_i64(-4, cx)
                .unwrap(),
            -0.25,
            0.0,
        );
        assert!(int(3).mul(&int(-5), cx).unwrap().is_real());
        assert!(int(-3).powi_i64(5, cx).unwrap().is_real());
        // Just above and below a cut, against the value on it.
        let tiny = real(1, 1 << 40, cx);
        let above = Complex::new(Real::from_i64(-1), tiny.clone())
            .ln(cx)
            .unwrap();
        let below = Complex::new(Real::from_i64(-1), tiny.neg()).ln(cx).unwrap();
        assert!(above.im.is_positive() && below.im.is_negative());
    });
}

#[test]
fn branch_point_of_a_root_is_enclosed() {
    at(256, |cx| {
        let third = real(1, 3, cx);
        let zero = third.add(&third, cx).unwrap().add(&third, cx).unwrap();
        let zero = Complex::from(zero.sub(&Real::one(), cx).unwrap());
        assert!(!zero.is_exact_zero() && zero.contains_zero());
        for root in [
            zero.sqrt(cx),
            zero.nth_root(4, cx),
            zero.pow(&Complex::from(third), cx),
        ] {
            let root = root.unwrap();
            assert!(root.contains_zero() && root.radius_log2() < -60, "{root:?}");
        }
    });
}

/// Arguments that agree with a multiple of π/2 to many bits: the reduced
/// argument is tiny, and the result must still be right and relatively precise.
#[test]
fn near_multiples_of_a_quarter_turn() {
    for bits in [64, 70, 100, 128, 250, 700] {
        let pi = at(bits, |cx| Real::pi(cx).unwrap().midpoint());
        for n in [-7i64, -2, -1, 1, 2, 3, 1_000_003] {
            let run = |prec| {
                at(prec, |cx| {
                    let n = Real::from_i64(n);
                    let x = pi
                        .mul(&n, &mut cx.raised(900))
                        .unwrap()
                        .half(&cx.raised(900));
                    x.unwrap().sin_cos(cx).unwrap()
                })
            };
            let high = run(2048);
            for prec in [128, 256, 512] {
                let low = run(prec);
                assert!(
                    meet(&low.0, &high.0) && meet(&low.1, &high.1),
                    "{bits} {n} {prec}"
                );
                if bits < prec {
                    for part in [low.0, low.1] {
                        let kept = part.mag_upper_log2() - part.radius_log2();
                        assert!(kept > prec as i64 - 24, "{bits} {n} {prec}: {part:?}");
                    }
                }
            }
        }
    }
}
