//! Ground truths: the forms in which data sets write tests, and what is wrong with the others.
#![cfg(feature = "code")]

use std::num::NonZeroUsize;

use prime_verifier::code::{CallCase, CasesError, JsonError, JsonValue, StdinCase, TestCases};
use proptest::prelude::*;
use serde_json::json;

fn parse(text: &str) -> TestCases {
    TestCases::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn error(text: &str) -> CasesError {
    TestCases::parse(text).expect_err(text)
}

fn calls(text: &str) -> Vec<CallCase> {
    match parse(text) {
        TestCases::Call { cases, .. } => cases,
        other => panic!("{text}: {other:?}"),
    }
}

/// One call with this input and output, both JSON.
fn call(input: &str, output: &str) -> String {
    format!(r#"{{"inputs": [{input}], "outputs": [{output}], "fn_name": "f"}}"#)
}

fn stdin(input: &str, output: &str) -> StdinCase {
    StdinCase {
        input: input.to_owned(),
        output: output.to_owned(),
    }
}

#[test]
fn programs_that_read() {
    let expected = TestCases::Stdin(vec![stdin("3\n", "6\n"), stdin("é\n10", "")]);
    let object = json!({"inputs": ["3\n", "é\n10"], "outputs": ["6\n", ""]});
    assert_eq!(parse(&object.to_string()), expected);
    assert_eq!(parse(&format!(" {object} \n")), expected);

    // A name that is none, and what else data sets have.
    for extra in [json!(null), json!("")] {
        let mut object = object.clone();
        object["fn_name"] = extra;
        object["type"] = json!({"deep": [[1.5e300, {"inputs": 3}]]});
        assert_eq!(parse(&object.to_string()), expected);
    }
    // The object's text as a string.
    assert_eq!(parse(&json!(object.to_string()).to_string()), expected);
}

#[test]
fn lines_in_a_list_are_joined() {
    let cases = parse(r#"{"inputs": [["2", "a b", ""], []], "outputs": ["x", ["y", "z"]]}"#);
    let expected = vec![stdin("2\na b\n", "x"), stdin("", "y\nz")];
    assert_eq!(cases, TestCases::Stdin(expected));
}

#[test]
fn functions_that_are_called() {
    let text = json!({
        "inputs": ["6\n3", "[1,1,2]\n \n\"a\\nb\"\r\n", "", [], [1, [2.50, null]]],
        "outputs": ["2", "{\"1\": 2}", "straße", [3], null],
        "fn_name": "twoSum",
    });
    let TestCases::Call { fn_name, cases } = parse(&text.to_string()) else {
        panic!("{text}");
    };
    assert_eq!(fn_name, "twoSum");
    let arguments: Vec<&str> = cases.iter().map(|case| case.arguments.as_str()).collect();
    assert_eq!(
        arguments,
        ["[6,3]", r#"[[1,1,2],"a\nb"]"#, "[]", "[]", "[1,[2.5,null]]"]
    );
    assert_eq!(cases[0].expected, JsonValue::Integer(2));
    assert_eq!(cases[1].expected, JsonValue::parse("{\"1\": 2}").unwrap());
    assert_eq!(cases[2].expected, JsonValue::String("straße".to_owned()));
    assert_eq!(
        cases[3].expected,
        JsonValue::List(vec![JsonValue::Integer(3)])
    );
    assert_eq!(cases[4].expected, JsonValue::Null);
}

#[test]
fn numbers_are_passed_on_as_they_are_written() {
    const BIG: &str = "123456789012345678901234567890123456789012345678901234567890";
    for input in [
        format!("[{BIG}, 1.10, 1E2]"),
        format!("\"{BIG}\\n 1.10 \\n1E2\""),
    ] {
        let case = calls(&call(&input, BIG)).remove(0);
        assert_eq!(case.arguments.replace(' ', ""), format!("[{BIG},1.10,1E2]"));
        assert_eq!(case.expected, JsonValue::BigInteger(BIG.into()));
    }
    let inner = call(&format!("[{BIG}]"), BIG);
    let case = calls(&json!(inner).to_string()).remove(0);
    assert_eq!(case.arguments, format!("[{BIG}]"));
}

#[test]
fn arguments_are_on_one_line() {
    for input in ["[1,\r\n\"a\\nb\"]", "\"1\\n\\\"a\\\\nb\\\"\""] {
        let case = calls(&call(input, "1")).remove(0);
        assert!(!case.arguments.contains(['\n', '\r']));
        let arguments = JsonValue::parse(&case.arguments).unwrap();
        assert_eq!(arguments, JsonValue::parse(r#"[1, "a\nb"]"#).unwrap());
    }
    let case = calls(&call("\"[1,\\r2]\"", "1")).remove(0);
    assert_eq!(case.arguments, "[[1, 2]]");
}

#[test]
fn an_output_is_json_in_a_string_or_itself() {
    for (output, expected) in [
        (r#""\"3\"""#, r#""3""#),
        (r#""3""#, "3"),
        (r#""[\"a\", 1.5]""#, r#"["a", 1.5]"#),
        (r#""true""#, "true"),
        (r#""True""#, r#""True""#),
        (r#""Infinity War""#, r#""Infinity War""#),
        (r#""""#, r#""""#),
        (r#"["3"]"#, r#"["3"]"#),
        ("{\"a\": 1}", "{\"a\": 1}"),
        ("1.5", "1.5"),
    ] {
        let case = calls(&call("[]", output)).remove(0);
        assert_eq!(
            case.expected,
            JsonValue::parse(expected).unwrap(),
            "{output}"
        );
    }
}

#[test]
fn what_is_not_an_object_with_two_lists() {
    for text in [
        "",
        "{",
        "tests",
        "{'inputs': []}",
        "{\"inputs\": [NaN]}",
        "\"\\q\"",
    ] {
        assert!(matches!(error(text), CasesError::NotJson { .. }), "{text}");
    }
    for (text, found) in [
        (r#"[["1"], ["1"]]"#, "a list"),
        ("3", "a number"),
        ("null", "null"),
        ("true", "a bool"),
        // Encoded once too often.
        (r#""\"{}\"""#, "a string"),
        (r#""3""#, "a number"),
    ] {
        assert_eq!(error(text), CasesError::NotAnObject { found }, "{text}");
    }
    for (text, field) in [
        ("{}", "inputs"),
        (r#"{"inputs": ["1"]}"#, "outputs"),
        (r#"{"inputs": ["1"], "outputs": null}"#, "outputs"),
        (r#"{"outputs": ["1"]}"#, "inputs"),
    ] {
        assert_eq!(error(text), CasesError::Missing { field }, "{text}");
    }
    assert_eq!(
        error(r#"{"inputs": ["1"], "outputs": "1"}"#),
        CasesError::NotAList {
            field: "outputs",
            found: "a string"
        }
    );
    assert_eq!(
        error(r#"{"inputs": ["1", "2"], "outputs": ["1"]}"#),
        CasesError::UnequalLengths {
            inputs: 2,
            outputs: 1
        }
    );
    assert_eq!(
        error(r#"{"inputs": [], "outputs": []}"#),
        CasesError::NoTests
    );
}

#[test]
fn what_is_not_a_function_name() {
    for name in [
        "a.b",
        "1f",
        "f()",
        "f g",
        " f",
        "f\n",
        "é",
        "class",
        "None",
        "f;import os",
        "-",
        "__import__('os')",
    ] {
        let text = json!({"inputs": [[]], "outputs": [1], "fn_name": name}).to_string();
        let name = name.to_owned();
        assert_eq!(error(&text), CasesError::BadFnName { name });
    }
    for name in [json!(3), json!(false), json!(["f"])] {
        let text = json!({"inputs": [[]], "outputs": [1], "fn_name": name}).to_string();
        let name = name.to_string();
        assert_eq!(error(&text), CasesError::BadFnName { name });
    }
    for name in ["f", "_", "__init__", "F2", "match", "classy"] {
        let text = json!({"inputs": [[]], "outputs": [1], "fn_name": name}).to_string();
        assert_eq!(parse(&text).len(), 1);
    }
}

#[test]
fn what_is_not_text() {
    for (inputs, outputs, field, index, found) in [
        (json!(["1", 2]), json!(["1", "2"]), "inputs", 1, "a number"),
        (json!(["1"]), json!([true]), "outputs", 0, "a bool"),
        (json!([null]), json!(["1"]), "inputs", 0, "null"),
        (json!([{"a": 1}]), json!(["1"]), "inputs", 0, "an object"),
        (json!([["1", 2]]), json!(["1"]), "inputs", 0, "a number"),
        (json!(["1"]), json!([[["1"]]]), "outputs", 0, "a list"),
    ] {
        let text = json!({"inputs": inputs, "outputs": outputs}).to_string();
        let CasesError::Unusable {
            field: in_field,
            index: at,
            found: what,
            ..
        } = error(&text)
        else {
            panic!("{text}");
        };
        assert_eq!((in_field, at, what), (field, index, found));
        let message = error(&text).to_string();
        assert!(
            message.contains(&format!("`{field}[{index}]`")),
            "{message}"
        );
        assert!(message.contains("fn_name"), "{message}");
    }
}

#[test]
fn what_is_not_an_argument() {
    let bad = |line, why| CasesError::BadArgument {
        index: 0,
        line,
        why,
    };
    assert_eq!(
        error(&call("\"1\\n\\nabc\"", "1")),
        bad(3, JsonError::Malformed { offset: 0 })
    );
    assert_eq!(error(&call("\"NaN\"", "1")), bad(1, JsonError::NotFinite));
    // Two values, or text that ends the list early.
    assert_eq!(
        error(&call("\"1, 2\"", "1")),
        bad(1, JsonError::Malformed { offset: 1 })
    );
    assert_eq!(
        error(&call("\"1], [2\"", "1")),
        bad(1, JsonError::Malformed { offset: 1 })
    );
    let message = error(&call("\"1\\nabc\"", "1")).to_string();
    assert!(message.contains("`inputs[0]`, line 2"), "{message}");
    for input in ["3", "{\"a\": 1}", "null"] {
        let error = error(&call(input, "1"));
        assert!(
            matches!(error, CasesError::Unusable { index: 0, .. }),
            "{error}"
        );
    }
}

#[test]
fn values_that_cannot_be_held() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let too_deep = |field| CasesError::BadValue {
        field,
        index: 0,
        why: JsonError::TooDeep,
    };
    assert_eq!(error(&call(&deep, "1")), too_deep("inputs"));
    assert_eq!(error(&call("[]", &deep)), too_deep("outputs"));
    assert_eq!(
        error(&call("[]", &format!("\"{deep}\""))),
        too_deep("outputs")
    );
    assert_eq!(
        error(&call("[]", "\"[NaN, 1]\"")),
        CasesError::BadValue {
            field: "outputs",
            index: 0,
            why: JsonError::NotFinite
        }
    );
    let half = r#"{"inputs": ["1"], "outputs": ["\ud800"]}"#;
    assert_eq!(
        error(half),
        CasesError::BadValue {
            field: "outputs",
            index: 0,
            why: JsonError::LoneSurrogate { offset: 0 }
        }
    );
    // In a field nobody reads, anything goes.
    let text = format!(
        r#"{{"x": {0}, "inputs": ["1"], "outputs": ["1"]}}"#,
        "[".repeat(1 << 20) + &"]".repeat(1 << 20)
    );
    assert_eq!(parse(&text).len(), 1);
}

#[test]
fn the_first_tests_can_be_kept() {
    let mut cases = parse(r#"{"inputs": ["1", "2", "3"], "outputs": ["4", "5", "6"]}"#);
    for (keep, left) in [(7, 3), (2, 2), (1, 1)] {
        cases.truncate(NonZeroUsize::new(keep).unwrap());
        assert_eq!((cases.len(), cases.is_empty()), (left, false));
    }
    assert_eq!(cases, TestCases::Stdin(vec![stdin("1", "4")]));
    let text = json!({"inputs": [[1], [2]], "outputs": [1, 2], "fn_name": "f"}).to_string();
    let mut cases = parse(&text);
    cases.truncate(NonZeroUsize::MIN);
    assert_eq!(cases.len(), 1);
}

fn nearly_cases() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        "\"inputs\":",
        "\"outputs\":",
        "\"fn_name\":",
        "\"f\"",
        "\"\"",
        ",",
        "\"1\\n2\"",
        "1",
        "null",
        "[\"1\"]",
        "\\\"",
        "\"",
        "NaN",
        " ",
    ]);
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn nothing_panics(text in nearly_cases(), any in ".{0,50}") {
        for text in [text, any] {
            if let Ok(cases) = TestCases::parse(&text) {
                prop_assert!(!cases.is_empty());
            }
            let _ = TestCases::parse(&json!({"inputs": [text], "outputs": [text], "fn_name": "f"}).to_string());
        }
    }

    #[test]
    fn texts_arrive_as_they_are(texts in prop::collection::vec((any::<String>(), any::<String>()), 1..5)) {
        let (inputs, outputs): (Vec<_>, Vec<_>) = texts.iter().cloned().unzip();
        let object = json!({"inputs": inputs, "outputs": outputs}).to_string();
        let expected = TestCases::Stdin(texts.iter().map(|(input, output)| stdin(input, output)).collect());
        prop_assert_eq!(parse(&object), expected.clone());
        prop_assert_eq!(parse(&json!(object).to_string()), expected);
    }

    #[test]
    fn arguments_are_the_same_by_line_and_as_a_list(arguments in prop::collection::vec(any::<(i64, String)>(), 0..5)) {
        let lines = arguments.iter().map(|argument| json!(argument).to_string()).collect::<Vec<_>>().join("\n");
        let by_line = calls(&call(&json!(lines).to_string(), "1")).remove(0);
        let as_list = calls(&call(&json!(arguments).to_string(), "1")).remove(0);
        prop_assert_eq!(by_line, as_list);
    }
}
