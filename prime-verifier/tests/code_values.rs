//! Values of programs: what JSON they come from, and which of them are equal.
#![cfg(feature = "code")]

use std::time::{Duration, Instant};

use prime_verifier::code::{JsonError, JsonValue};
use proptest::prelude::*;

fn value(text: &str) -> JsonValue {
    JsonValue::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn matches(answer: &str, expected: &str) -> bool {
    value(answer).matches(&value(expected), JsonValue::TOLERANCE)
}

#[test]
fn equal_values() {
    for (answer, expected) in [
        ("null", "null"),
        ("true", "1"),
        ("0", "false"),
        ("true", "1.0"),
        ("2.0", "2"),
        ("2", "2.0"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("0.33333333333333331", "0.3333333333"),
        ("2.9999999999", "3"),
        ("3", "2.9999999999"),
        ("1000000.5", "1000000.9"),
        ("1e20", "100000000000000000000"),
        ("100000000000000000000", "1e20"),
        ("-9223372036854775808", "-9223372036854775808.0"),
        ("[1, [2.0, \"x\"]]", "[1.0, [2, \"x\"]]"),
        ("{\"b\": 1, \"a\": 2}", "{\"a\": 2, \"b\": 1}"),
        ("{\"a\": 1, \"a\": 2}", "{\"a\": 2}"),
        (r#""é\u00e9\ud83d\ude00\n""#, "\"éé😀\\n\""),
        ("[]", "[]"),
        ("{}", "{}"),
        // One list around what is expected is taken off.
        ("3", "[3]"),
        ("[3]", "[3]"),
        ("[1, 2]", "[[1, 2]]"),
        (
            "121932631137021795226185032733622923332237463801111263526900",
            "121932631137021795226185032733622923332237463801111263526900",
        ),
    ] {
        assert!(matches(answer, expected), "{answer} is {expected}");
    }
}

#[test]
fn different_values() {
    for (answer, expected) in [
        ("null", "0"),
        ("null", "false"),
        ("\"1\"", "1"),
        ("1", "\"1\""),
        ("\"a\"", "\"a \""),
        ("true", "2"),
        ("[]", "{}"),
        ("[]", "null"),
        ("[1, 2]", "[2, 1]"),
        ("[1, 2]", "[1, 2, 3]"),
        ("[1, 2, 3]", "[1, 2]"),
        ("{\"a\": 1}", "{\"a\": 2}"),
        ("{\"a\": 1}", "{\"b\": 1}"),
        ("{\"a\": 1}", "{\"a\": 1, \"b\": 1}"),
        ("{\"a\": 1, \"a\": 2}", "{\"a\": 1}"),
        ("0.34", "0.3333333333"),
        ("3.001", "3"),
        // Whole numbers are exact at any size, also those that are written as floats.
        ("9007199254740993", "9007199254740992"),
        ("9007199254740992.0", "9007199254740993"),
        ("9007199254740993", "9007199254740992.0"),
        ("9223372036854775807", "9223372036854775808.0"),
        ("3000001.0", "3000000"),
        ("1e20", "100000000000000000001"),
        ("0.5", "100000000000000000001"),
        (
            "121932631137021795226185032733622923332237463801111263526901",
            "121932631137021795226185032733622923332237463801111263526900",
        ),
        (
            "-121932631137021795226185032733622923332237463801111263526900",
            "121932631137021795226185032733622923332237463801111263526900",
        ),
        // Infinite.
        ("1e400", "1e400"),
        ("-1e400", "1e400"),
        ("1e400", "1e308"),
        // The extra list is that of the expected value, outermost, and one.
        ("[3]", "3"),
        ("3", "[[3]]"),
        ("[3]", "[[[3]]]"),
        ("[1]", "[[1], [2]]"),
        ("[[1], 2]", "[[[1]], 2]"),
        ("[]", "[3]"),
    ] {
        assert!(!matches(answer, expected), "{answer} is not {expected}");
    }
}

#[test]
fn the_tolerance_is_the_one_asked_for() {
    let differ = |tolerance| value("[1.05]").matches(&value("[1.0]"), tolerance);
    assert!(differ(0.1) && !differ(0.01) && !differ(0.0));
    assert!(value("1050.0").matches(&value("1000.0"), 0.1));
}

#[test]
fn numbers_are_kept_as_they_are() {
    assert_eq!(value(" -12 "), JsonValue::Integer(-12));
    assert_eq!(value("9223372036854775808"), {
        JsonValue::BigInteger("9223372036854775808".into())
    });
    assert_eq!(value("1E2"), JsonValue::Float(100.0));
}

#[test]
fn what_is_not_json() {
    for (text, offset) in [
        ("", 0),
        ("  ", 2),
        ("01", 1),
        ("1.", 2),
        (".5", 0),
        ("+1", 0),
        ("-", 1),
        ("1e", 2),
        ("1e+", 3),
        ("0x10", 1),
        ("1_000", 1),
        ("1 2", 2),
        ("tru", 0),
        ("True", 0),
        ("'a'", 0),
        ("\"a", 2),
        ("\"a\\", 3),
        ("\"\\q\"", 0),
        ("\"a\nb\"", 2),
        ("[1,]", 3),
        ("[1 2]", 3),
        ("[1", 2),
        ("]", 0),
        ("{1: 2}", 1),
        ("{\"a\" 2}", 5),
        ("{\"a\": 2,}", 8),
        ("{\"a\": }", 6),
        ("Infinity War", 9),
        ("Nancy", 0),
        ("１", 0),
        ("\u{a0}1", 0),
    ] {
        let error = JsonError::Malformed { offset };
        assert_eq!(JsonValue::parse(text), Err(error), "{text:?}");
    }
    let latin = JsonValue::parse(b"\"caf\xe9\"");
    assert_eq!(latin, Err(JsonError::Malformed { offset: 4 }));
}

#[test]
fn what_is_json_to_python_only() {
    for text in ["NaN", "Infinity", "-Infinity", "[1, {\"a\": NaN}]"] {
        assert_eq!(JsonValue::parse(text), Err(JsonError::NotFinite), "{text}");
        assert_eq!(value("[1]").accepts(text, 1.0).ok(), Some(false));
    }
    let half = JsonValue::parse(r#"["a", "\ud800"]"#);
    assert_eq!(half, Err(JsonError::LoneSurrogate { offset: 6 }));
    assert_eq!(value("\"\u{fffd}\"").accepts(r#""\ud800""#, 0.0), Ok(false));
}

#[test]
fn nesting_ends_at_a_limit() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let deepest = value(&nested(JsonValue::MAX_DEPTH));
    assert!(deepest.matches(&deepest, 0.0));
    let text = nested(JsonValue::MAX_DEPTH + 1);
    assert_eq!(JsonValue::parse(text), Err(JsonError::TooDeep));
    for hostile in ["[".repeat(1 << 24), "{\"a\":".repeat(1 << 20)] {
        assert_eq!(JsonValue::parse(&hostile), Err(JsonError::TooDeep));
        assert_eq!(deepest.accepts(&hostile, 0.0), Ok(false));
    }
    // Not deep: one behind the other.
    let wide = format!("[{}0]", "[],".repeat(1000));
    assert!(matches(&wide, &wide));
}

#[test]
fn an_answer_takes_no_more_memory_than_what_is_expected() {
    let expected = value("[1, {\"a\": [2, 3]}]");
    assert_eq!(
        expected.accepts(b"[1, {\"a\": [2, 3]}]".as_slice(), 0.0),
        Ok(true)
    );
    assert_eq!(expected.accepts("[1, {\"a\": [2, 3, 4]}]", 0.0), Ok(false));
    assert_eq!(
        JsonValue::parse_up_to("[1, 2]", 2),
        Err(JsonError::TooManyValues { limit: 2 })
    );
    assert!(JsonValue::parse_up_to("[1, 2]", 3).is_ok());
    assert_eq!(value("[3]").accepts("3", 0.0), Ok(true));
    assert_eq!(
        value("3").accepts("{oops", 0.0),
        Err(JsonError::Malformed { offset: 1 })
    );

    let started = Instant::now();
    let huge = format!("[{}0]", "{\"\":1},".repeat(1 << 21));
    assert_eq!(expected.accepts(&huge, 0.0), Ok(false));
    assert!(started.elapsed() < Duration::from_secs(2));
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        (-1e9..1e9).prop_map(|float: f64| float.into()),
        ".{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(".{0,4}", inner, 0..4).prop_map(|entries| entries
                .into_iter()
                .collect::<serde_json::Map<_, _>>()
                .into()),
        ]
    })
}

/// Values without bools and floats, of which two are often equal.
fn small_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        (0..2).prop_map(Into::into),
        "[01]?".prop_map(Into::into)
    ];
    leaf.prop_recursive(2, 4, 2, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..2).prop_map(Into::into),
            prop::collection::btree_map("[ab]", inner, 0..2).prop_map(|entries| entries
                .into_iter()
                .collect::<serde_json::Map<_, _>>()
                .into()),
        ]
    })
}

/// Text made of pieces of JSON, so that much of it is nearly JSON.
fn nearly_json() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\"",
        "\\",
        "\"a\"",
        "1",
        "-",
        "0",
        ".5",
        "e9",
        "E+",
        "null",
        "true",
        "NaN",
        "-Infinity",
        " ",
        "\n",
        "\\ud800",
        "\\u00",
        "é",
        "\u{0}",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = JsonValue::parse(&bytes);
    }

    #[test]
    fn json_is_what_serde_json_says_it_is(text in nearly_json()) {
        // Its numbers end where doubles do.
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        let out_of_range = theirs.as_ref().is_err_and(|error| error.to_string().starts_with("number out of range"));
        if !out_of_range {
            prop_assert_eq!(JsonValue::parse(&text).is_ok(), theirs.is_ok(), "{:?}", text);
        }
    }

    #[test]
    fn every_value_equals_itself_however_it_is_spelled(json in json()) {
        let compact = value(&json.to_string());
        let pretty = serde_json::to_string_pretty(&json).unwrap();
        prop_assert!(value(&pretty).matches(&compact, 0.0));
        prop_assert_eq!(compact.accepts(&pretty, 0.0), Ok(true));
        prop_assert_eq!(value(&format!("[{json}]")).accepts(&pretty, 0.0), Ok(true));
    }

    #[test]
    fn exact_values_are_equal_where_serde_json_says_so(answer in small_json(), expected in small_json()) {
        let equal = answer == expected || expected == serde_json::json!([answer]);
        let read = |json: &serde_json::Value| value(&json.to_string());
        prop_assert_eq!(read(&answer).matches(&read(&expected), 0.0), equal);
        prop_assert_eq!(read(&expected).accepts(answer.to_string(), 0.0), Ok(equal));
    }

    #[test]
    fn whole_numbers_are_equal_in_both_directions(left in any::<i64>(), right in any::<f64>()) {
        let whole = right.trunc();
        prop_assume!(whole.is_finite());
        let (left_text, right_text) = (left.to_string(), format!("{whole:.1}"));
        let exact = format!("{whole:.0}") == left_text;
        prop_assert_eq!(matches(&left_text, &right_text), exact);
        prop_assert_eq!(matches(&right_text, &left_text), exact);
        let rounded = format!("{:.1}", left as f64);
        prop_assert_eq!(matches(&left_text, &rounded), left as f64 as i128 == i128::from(left));
    }
}
