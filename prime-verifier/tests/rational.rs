//! Which spellings are numbers, and which numbers are equal.
#![cfg(feature = "math")]

use prime_verifier::math::{MAX_BYTES, NotRational, Rational};
use prime_verifier::{BoxedAnswer, Detail, Verdict, Verifier};
use proptest::prelude::*;

fn number(text: &str) -> Rational {
    Rational::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

#[test]
fn equal_pairs() {
    for (left, right) in [
        ("7", "007"),
        ("7", "+7"),
        ("-7", "− 7"),
        ("0", "-0"),
        ("0", "0/5"),
        ("0.5", "1/2"),
        (".5", "0.50"),
        ("5.", "5.0"),
        ("2/4", r"\frac{1}{2}"),
        (r"\frac12", r"\dfrac{2}{4}"),
        (r"\frac 1 2", r"\frac{1}2"),
        (r"\tfrac1{10}", "0.1"),
        (r"-\frac{1}{2}", r"\frac{-1}{2}"),
        (r"-\frac{1}{2}", r"\cfrac{ 1 }{ -2 }"),
        (r"-\frac{-1}{2}", "0.5"),
        ("3/-4", "-3/4"),
        ("0.5/2", "1/4"),
        ("$5$", " 5 "),
        ("$$ 5 $$", r"\(5\)"),
        (r"\[ \frac{5}{1} \]", "5"),
        ("1,000", "1000"),
        ("12,345,678.50", "12345678.5"),
        ("1{,}000", r"1,\!000"),
        (r"1\,000\,000", "1e6"),
        (r"\frac{1{,}000}{2}", "500"),
        ("1.5e-3", "0.0015"),
        ("-2E+2", "-200"),
        ("1e4096", "10e4095"),
        (
            "77777777777777777777777777777777777777778/2",
            "38888888888888888888888888888888888888889",
        ),
    ] {
        assert_eq!(number(left), number(right), "{left:?} and {right:?}");
        assert_eq!(number(right), number(left), "{right:?} and {left:?}");
    }
}

#[test]
fn unequal_pairs() {
    for (left, right) in [
        ("7", "-7"),
        ("7", "70"),
        ("1/3", "0.3333333333333333"),
        ("1/2", "2/1"),
        ("1,000", "1"),
        ("0.1", "0.10000000000000000000000000000000001"),
        ("92879792", "92879793"),
        ("1e-4000", "0"),
        (
            "123456789012345678901234567890",
            "123456789012345678901234567891",
        ),
        (r"\frac{19}{31}", r"\frac{19}{32}"),
        ("50", "0.5"),
    ] {
        assert_ne!(number(left), number(right), "{left:?} and {right:?}");
        assert_ne!(number(right), number(left), "{right:?} and {left:?}");
    }
}

#[test]
fn texts_that_are_no_number() {
    for text in [
        "",
        " ",
        "-",
        ".",
        "/",
        "$",
        "$$",
        "x",
        "5x",
        "x=5",
        "five",
        "1 000",
        "1 1/2",
        "1/2/3",
        "--5",
        "+-5",
        "5-",
        "1.2.3",
        "1,2",
        "1,23",
        "12,3456",
        "1234,567",
        "0,123",
        ",123",
        "1,",
        "1,234,56",
        "1, 234",
        r"1,234{,}567",
        "1.234,5",
        "50%",
        r"50\%",
        "5 cm",
        "(5)",
        "{5}",
        "1e",
        "e5",
        "1e5.5",
        "1e5e5",
        "0x10",
        "1_000",
        "٣",
        "５",
        "½",
        "∞",
        "nan",
        "inf",
        r"\frac",
        r"\frac{1}",
        r"\frac{1}{2",
        r"\frac{1}{}",
        r"\frac{1}{2}3",
        r"2\frac{1}{2}",
        r"\frac{\frac12}{3}",
        r"\frac{1}{2}/3",
        r"\fraction{1}{2}",
        r"\pi",
        r"5\pm1",
        "2^10",
    ] {
        assert_eq!(
            Rational::parse(text).map(drop),
            Err(NotRational::NotANumber),
            "{text:?}"
        );
    }
}

#[test]
fn bounds_and_zero_denominators_are_named() {
    for text in ["1/0", r"\frac{3}{0.00}", "0/0", "1/-0"] {
        assert_eq!(
            Rational::parse(text).map(drop),
            Err(NotRational::ZeroDenominator),
            "{text:?}"
        );
    }
    for exponent in ["4097", "-4097", "99999999999999999999"] {
        let error = NotRational::ExponentTooLarge {
            exponent: exponent.to_owned(),
        };
        assert_eq!(
            Rational::parse(&format!("1e{exponent}")).map(drop),
            Err(error)
        );
    }
    assert_eq!(
        number(&"9".repeat(MAX_BYTES)),
        number(&"9".repeat(MAX_BYTES))
    );
    let error = NotRational::TooLong {
        bytes: MAX_BYTES + 1,
    };
    assert_eq!(
        Rational::parse(&"9".repeat(MAX_BYTES + 1)).map(drop),
        Err(error)
    );
}

#[test]
fn boxed_answers_are_judged_three_ways() {
    let table = [
        (r"so \boxed{\frac{1}{2}}", "0.5", Some(1.0)),
        (r"\boxed{3} or \boxed{4}", "4", Some(1.0)),
        (r"\boxed{3} or \boxed{4}", "3", Some(0.0)),
        (r"\boxed{$1{,}000$}", r"\boxed{1000}", Some(1.0)),
        (r"\boxed{1/3}", "0.333", Some(0.0)),
        (r"\boxed{x}", "3", Some(0.0)),
        ("3", "3", Some(0.0)),
        ("", "3", Some(0.0)),
        (r"\boxed{3}", "three", None),
        (r"\boxed{3}", "", None),
        (r"\boxed{x+1}", "x+1", None),
        ("", "1/0", None),
    ];
    for (response, truth, score) in table {
        assert_eq!(
            BoxedAnswer.verify(response, truth).score(),
            score,
            "{response:?} against {truth:?}"
        );
    }
}

#[test]
fn boxed_details_tell_wrong_from_silent_from_unreadable() {
    let detail = |response| {
        BoxedAnswer
            .verify(response, "3")
            .judgement()
            .unwrap()
            .detail
            .clone()
    };
    assert_eq!(detail(r"\boxed{4}"), Detail::Compared);
    assert_eq!(detail("I think 3"), Detail::NoAnswer);
    assert_eq!(detail(r"\boxed{ }"), Detail::NoAnswer);
    assert!(matches!(detail(r"\boxed{1/0}"), Detail::Unreadable { why } if why.contains("zero")));
    match BoxedAnswer.verify("", &"é?".repeat(10_000)) {
        Verdict::CouldNotJudge { reason } => {
            assert!(reason.contains("é?é?") && reason.len() < 300, "{reason}")
        }
        judged => panic!("{judged:?}"),
    }
}

/// Spellings of `numerator / denominator`.
fn spellings(numerator: i64, denominator: i64) -> [String; 4] {
    [
        format!("{numerator}/{denominator}"),
        format!(r"\frac{{{numerator}}}{{{denominator}}}"),
        format!(r"$ \dfrac {{ {numerator} }} {{ {denominator} }} $"),
        format!(r"-\tfrac{{{}}}{{{denominator}}}", -numerator),
    ]
}

proptest! {
    #[test]
    fn equality_is_that_of_fractions(
        a in -30i64..30, b in prop_oneof![-12i64..0, 1i64..12], c in -30i64..30, d in prop_oneof![-12i64..0, 1i64..12],
    ) {
        for left in spellings(a, b) {
            for right in spellings(c, d) {
                prop_assert_eq!(number(&left) == number(&right), a * d == c * b, "{} and {}", &left, &right);
            }
        }
    }

    #[test]
    fn widening_a_fraction_changes_nothing(a in any::<i32>(), b in 1i64..1_000_000, k in 1i64..100_000) {
        let a = i64::from(a);
        prop_assert_eq!(number(&format!("{a}/{b}")), number(&format!("{}/{}", a * k, b * k)));
        prop_assert_ne!(number(&format!("{a}/{b}")), number(&format!("{}/{}", a * k + 1, b * k)));
    }

    #[test]
    fn thousands_marks_change_nothing(value in any::<u64>()) {
        let digits = value.to_string();
        let mut grouped = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at) % 3 == 0 {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        prop_assert_eq!(number(&grouped), number(&digits));
    }

    #[test]
    fn a_decimal_is_its_digits_over_a_power_of_ten(whole in any::<u32>(), fraction in "[0-9]{1,9}") {
        let over = 10u64.pow(fraction.len() as u32);
        prop_assert_eq!(number(&format!("{whole}.{fraction}")), number(&format!("{whole}{fraction}/{over}")));
    }

    #[test]
    fn whatever_is_read_equals_itself_and_judges_alike_both_ways(left in "[-+0-9.,/e\\\\frac{}$ ]{0,12}", right in "[-0-9./]{1,4}") {
        let (left, right) = (Rational::parse(&left), Rational::parse(&right));
        prop_assert!(left.iter().all(|left| left == left));
        if let (Ok(left), Ok(right)) = (left, right) {
            prop_assert_eq!(left == right, right == left);
        }
    }
}
