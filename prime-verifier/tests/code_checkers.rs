//! Checkers: what each accepts, on chosen outputs and by law.
#![cfg(feature = "code")]

use std::time::{Duration, Instant};

use prime_verifier::code::{Checker, CheckerError};
use proptest::prelude::*;

fn named(name: &str) -> Checker {
    name.parse()
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[track_caller]
fn check(name: &str, accepted: &[(&str, &str)], rejected: &[(&str, &str)]) {
    let checker = named(name);
    for (wanted, pairs) in [(true, accepted), (false, rejected)] {
        for (output, expected) in pairs {
            assert_eq!(
                checker.accepts(output.as_bytes(), expected.as_bytes()),
                wanted,
                "{name}: {output:?} for {expected:?}"
            );
        }
    }
}

#[test]
fn default_compares_tokens_line_by_line() {
    check(
        "default",
        &[
            ("", ""),
            ("\n", ""),
            ("", " \r\n\n"),
            ("a", "a\n"),
            ("a\r\n\r\n", "a"),
            ("a b \t\n c", "  a\tb\nc"),
            ("a\n\nb", "a\n \nb"),
            ("\u{b}a\u{c}", "a"),
            ("2.0", "2"),
            ("2.5", "2.50"),
            ("2", "2.000001"),
            ("+.5", "0.5"),
            ("5.", "5"),
            ("1e3", "1000"),
            ("-1E-3", "-0.001"),
            ("-0.0", "0"),
            ("1000000.5", "1000001.0"),
            ("x 1.0", "x 1"),
            // Identical words are equal, whatever they mean.
            ("nan inf 1e400", "nan inf 1e400"),
            ("007", "007"),
            ("YES", "YES"),
        ],
        &[
            ("a", ""),
            ("", "a"),
            ("0", ""),
            ("a b", "a\nb"),
            ("a\nb", "a b"),
            ("a\nb", "a\n\nb"),
            ("a\n\nb", "a\nb"),
            ("\na", "a"),
            ("a", "\n\na"),
            ("ab", "a b"),
            ("a", "a a"),
            ("a a", "a"),
            ("a\nb", "a"),
            ("Yes", "YES"),
            ("2.00001", "2"),
            ("1000000.5", "1000002.5"),
            // Whole numbers: every byte.
            ("50000000000000001", "50000000000000000"),
            (
                "121932631137021795226185032733622923332237463801111263526901",
                "121932631137021795226185032733622923332237463801111263526900",
            ),
            ("+2", "2"),
            ("02", "2"),
            ("-0", "0"),
            // Not decimals, or none that a double holds.
            ("nan", "NaN"),
            ("nan", "0.0"),
            ("inf", "1e400"),
            ("1e400", "1.0e400"),
            ("1e400", "1e401"),
            ("1e400", "1e308"),
            ("2.0", "２"),
            ("２.0", "2"),
            ("1_0.0", "10"),
            ("0x10", "16.0"),
            ("1.0.0", "1.0"),
            ("1e", "1.0"),
            ("1e+", "1.0"),
            ("1e1.0", "10"),
            (".", "0.0"),
            ("-.", "0.0"),
            (".e1", "0.0"),
            ("--1.0", "1"),
            ("1.0f", "1"),
            ("1,0", "1.0"),
            ("3.14", "3.141592653589793"),
            ("12.56", "12.566370614359172"),
            ("a\0", "a"),
        ],
    );
    assert!(!Checker::Default.accepts(b"\xff2.0", b"2"));
    assert!(Checker::Default.accepts(b"\xff \xfe\n", b"\xff\t\xfe"));
}

#[test]
fn exact_compares_bytes() {
    check(
        "exact",
        &[("", ""), ("a \n", "a \n")],
        &[("a", "a\n"), ("a", "a "), ("2.0", "2")],
    );
}

#[test]
fn lines_forgives_white_space_at_the_ends_only() {
    check(
        "lines",
        &[
            ("", "\n \n"),
            ("a  b \r\n\n", "a  b"),
            (" a\n\nb", " a\n \nb\t\n"),
        ],
        &[
            ("a b", "a  b"),
            (" a", "a"),
            ("\na", "a"),
            ("a\nb", "a\n\nb"),
            ("a\nb", "b\na"),
            ("a", "a\nb"),
            ("a\nb", "a"),
            ("2.0", "2"),
        ],
    );
}

#[test]
fn float_compares_all_decimals_as_doubles() {
    check(
        "float(1e-2)",
        &[
            ("1.005", "1"),
            ("1001", "1000"),
            ("-1001.0", "-1000"),
            ("0.009", "0"),
            ("3 x 1e2", "3.001 x 100"),
        ],
        &[
            ("1.02", "1"),
            ("1020", "1000"),
            ("-1", "1"),
            ("nan", "NaN"),
            ("inf", "1e400"),
            ("x", "y"),
            ("1\n2", "1 2"),
        ],
    );
}

#[test]
fn unordered_compares_lines_as_a_multiset() {
    check(
        "unordered",
        &[
            ("", "\n"),
            ("a\nb", "b\na"),
            ("b 1\na\nb 1\n", "a\nb  1 \nb 1"),
            ("a\n\nb", "b\na\n\n"),
            ("2.0\n1", "1\n2"),
            ("2.00 0.500\n", "2 .5"),
            ("1e3", "1000"),
            ("1000", "10.00e2"),
            ("-0.0", "0"),
            ("-1.50", "-15e-1"),
            ("0e99999999999999999999", "0.0"),
            ("1e99999999999999999999", "1e99999999999999999999"),
            ("nan", "nan"),
        ],
        &[
            ("a", "a\na"),
            ("a\na", "a"),
            ("a\na\nb", "a\nb\nb"),
            ("a b", "b a"),
            ("a b", "a\nb"),
            ("ab", "a b"),
            ("", "a"),
            ("a", ""),
            ("2.0000001", "2"),
            ("02", "2"),
            ("02", "2.0"),
            ("-0", "0"),
            ("+2", "2.0"),
            ("-2.0", "2"),
            ("1e99999999999999999999", "1e99999999999999999998"),
            ("9223372036854775807.0", "9223372036854775808"),
            (".", "0.0"),
            ("1e", "1.0"),
        ],
    );
}

#[test]
fn names_survive_the_round_trip() {
    for (name, checker) in [
        ("default", Checker::Default),
        ("exact", Checker::Exact),
        ("lines", Checker::Lines),
        ("float(1e-4)", Checker::Float { epsilon: 1e-4 }),
        ("unordered", Checker::Unordered),
    ] {
        assert_eq!(named(name), checker);
        assert_eq!(checker.to_string(), name);
        let json = serde_json::to_string(&checker).unwrap();
        assert_eq!(json, format!("\"{name}\""));
        assert_eq!(serde_json::from_str::<Checker>(&json).unwrap(), checker);
    }
    assert_eq!(named("float(0.0001)").to_string(), "float(1e-4)");
    assert_eq!(Checker::default(), Checker::Default);
}

#[test]
fn names_that_are_none() {
    for name in ["", "Default", "tokens", "float", "float 1e-4", "float(1e-4"] {
        let error = name.parse::<Checker>().unwrap_err();
        assert!(
            matches!(&error, CheckerError::UnknownName { name: asked } if asked == name),
            "{error}"
        );
        let message = error.to_string();
        for known in ["default", "exact", "lines", "float(1e-4)", "unordered"] {
            assert!(message.contains(known), "{message}");
        }
    }
    for epsilon in [
        "", "0", "0.0", "-1e-4", "1", "nan", "inf", "1e400", "1e-400", " 0.1", "x",
    ] {
        assert_eq!(
            format!("float({epsilon})").parse::<Checker>(),
            Err(CheckerError::BadEpsilon {
                epsilon: epsilon.to_owned()
            })
        );
    }
    let json = serde_json::from_str::<Checker>("\"tokens\"");
    assert!(json.unwrap_err().to_string().contains("unordered"));
    assert!(serde_json::from_str::<Checker>("3").is_err());
}

const ALL: [Checker; 5] = [
    Checker::Default,
    Checker::Exact,
    Checker::Lines,
    Checker::Float { epsilon: 1e-4 },
    Checker::Unordered,
];

#[test]
fn long_outputs_take_linear_time() {
    const SIZE: usize = 2 << 20;
    let fill = |piece: &str| piece.repeat(SIZE / piece.len()).into_bytes();
    for output in [
        fill("\n"),
        fill(" "),
        fill("\r"),
        fill("1"),
        fill("1 "),
        fill("1\n"),
        fill("1.0\n"),
        fill("0.1e9999999999 "),
        fill("1\n\n\n"),
        fill("e"),
        fill("."),
        fill("\0"),
    ] {
        let mut other = output.clone();
        other.extend_from_slice(b" 2.5");
        for checker in ALL {
            for expected in [&other[..], b"1", b""] {
                let started = Instant::now();
                checker.accepts(&output, expected);
                let elapsed = started.elapsed();
                assert!(
                    elapsed < Duration::from_secs(5),
                    "{checker}: {:?}… took {elapsed:?}",
                    String::from_utf8_lossy(&output[..8])
                );
            }
        }
    }
}

#[test]
fn a_wrong_beginning_ends_the_comparison() {
    let output = "1 \n".repeat(5 << 20).into_bytes();
    let started = Instant::now();
    for checker in ALL {
        for expected in ["2\n", "1\n1\n2\n", "1"] {
            for _ in 0..1000 {
                assert!(!checker.accepts(&output, expected.as_bytes()));
            }
        }
    }
    assert!(started.elapsed() < Duration::from_secs(2));
}

/// Text that is often equal, or nearly, to another.
fn text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        " ",
        "\n",
        "\n",
        "\r\n",
        "\t",
        "a",
        "b",
        "1",
        "2",
        "10",
        "1.0",
        "1.00",
        "2.",
        ".5",
        "0.5",
        "1e1",
        "-",
        "+1",
        "-0",
        "-0.0",
        "nan",
        "1e999",
        "1.0000001",
        "1.01",
        "é",
    ]);
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

fn near(output: &str, expected: &str) -> bool {
    let decimal = |token: &str| {
        let token = token.strip_prefix(['+', '-']).unwrap_or(token);
        let (mantissa, exponent) =
            token
                .split_once(['e', 'E'])
                .map_or((token, "0"), |(mantissa, exponent)| {
                    (
                        mantissa,
                        exponent.strip_prefix(['+', '-']).unwrap_or(exponent),
                    )
                });
        mantissa.matches('.').count() <= 1
            && mantissa.contains(|c: char| c.is_ascii_digit())
            && mantissa.chars().all(|c| c.is_ascii_digit() || c == '.')
            && !exponent.is_empty()
            && exponent.chars().all(|c| c.is_ascii_digit())
    };
    let floating = output.contains(['.', 'e', 'E']) || expected.contains(['.', 'e', 'E']);
    if !(floating && decimal(output) && decimal(expected)) {
        return false;
    }
    let (output, expected): (f64, f64) = (output.parse().unwrap(), expected.parse().unwrap());
    let difference = (output - expected).abs();
    let finite = output.is_finite() && expected.is_finite();
    finite && (difference <= 1e-6 || difference <= 1e-6 * expected.abs())
}

/// [`Checker::Default`] as it is described, without any care.
fn naive(output: &str, expected: &str) -> bool {
    let read = |text: &str| {
        let mut lines: Vec<Vec<String>> = text
            .split('\n')
            .map(|line| line.split_ascii_whitespace().map(String::from).collect())
            .collect();
        while lines.last().is_some_and(Vec::is_empty) {
            lines.pop();
        }
        lines
    };
    let (output, expected) = (read(output), read(expected));
    output.len() == expected.len()
        && output.iter().zip(&expected).all(|(line, wanted)| {
            line.len() == wanted.len()
                && line
                    .iter()
                    .zip(wanted)
                    .all(|(token, wanted)| token == wanted || near(token, wanted))
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn arbitrary_bytes_never_panic(
        output in prop::collection::vec(any::<u8>(), 0..100),
        expected in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        for checker in ALL {
            prop_assert!(checker.accepts(&output, &output));
            checker.accepts(&output, &expected);
        }
    }

    #[test]
    fn default_is_as_described(output in text(), expected in text()) {
        prop_assert_eq!(
            Checker::Default.accepts(output.as_bytes(), expected.as_bytes()),
            naive(&output, &expected)
        );
    }

    #[test]
    fn default_is_as_described_near_the_truth(
        tokens in prop::collection::vec(("a|b|1|2|1\\.0|\\.5|1e1|7e-1", "( |\n|\n\n| \r\n)"), 0..5),
        at in any::<prop::sample::Index>(),
        other in text(),
    ) {
        let expected: String = tokens.iter().map(|(token, blank)| format!("{token}{blank}")).collect();
        let mut output = expected.clone();
        output.insert_str(at.index(expected.len() + 1), &other);
        for (output, expected) in [(&output, &expected), (&expected, &output)] {
            prop_assert_eq!(
                Checker::Default.accepts(output.as_bytes(), expected.as_bytes()),
                naive(output, expected)
            );
        }
    }

    #[test]
    fn stricter_checkers_accept_less(output in text(), expected in text()) {
        let accepts = |checker: Checker| checker.accepts(output.as_bytes(), expected.as_bytes());
        prop_assert!(!accepts(Checker::Exact) || accepts(Checker::Lines));
        prop_assert!(!accepts(Checker::Lines) || accepts(Checker::Default));
        let float = Checker::Float { epsilon: 1e-5 };
        prop_assert!(!accepts(Checker::Default) || accepts(float));
        prop_assert!(!accepts(Checker::Lines) || accepts(Checker::Unordered));
    }

    #[test]
    fn three_are_symmetric(output in text(), expected in text()) {
        for checker in [Checker::Exact, Checker::Lines, Checker::Unordered] {
            prop_assert_eq!(
                checker.accepts(output.as_bytes(), expected.as_bytes()),
                checker.accepts(expected.as_bytes(), output.as_bytes())
            );
        }
    }

    #[test]
    fn unordered_is_the_order_of_the_sorted(
        mut output in prop::collection::vec("[ab]{0,2}( [ab])?", 0..5),
        mut expected in prop::collection::vec("[ab]{0,2}( [ab])?", 0..5),
    ) {
        let accepted = Checker::Unordered.accepts(output.join("\n").as_bytes(), expected.join("\n").as_bytes());
        for lines in [&mut output, &mut expected] {
            lines.iter_mut().for_each(|line| *line = line.trim().to_owned());
            lines.retain(|line| !line.is_empty());
            lines.sort();
        }
        prop_assert_eq!(accepted, output == expected);
    }

    #[test]
    fn unordered_knows_every_spelling_of_a_decimal(digits in -99999i64..99999, places in 0u32..5, zeros in 0usize..3) {
        let decimal = digits as f64 / f64::from(10u32.pow(places));
        let places = places as usize;
        let plain = format!("{decimal:.places$}.").trim_end_matches('.').to_owned();
        let padded = if plain.contains('.') { plain + &"0".repeat(zeros) } else { format!("{plain}.{}", "0".repeat(zeros)) };
        let scientific = format!("{digits}.e-{places}");
        prop_assert!(Checker::Unordered.accepts(padded.as_bytes(), scientific.as_bytes()));
        let next = format!("{}e-{places}", digits + 1);
        prop_assert!(!Checker::Unordered.accepts(padded.as_bytes(), next.as_bytes()));
    }

    #[test]
    fn every_tolerance_has_a_name(epsilon in 1e-300..1.0f64) {
        let checker = Checker::Float { epsilon };
        prop_assert_eq!(checker.to_string().parse(), Ok(checker));
    }
}
