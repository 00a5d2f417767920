//! One row to grade, read from its line.

use std::fmt;

use prime_verifier::code::TestCases;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::data::rows::{Broken, kind, text};

/// A row whose fields have been checked.
#[derive(Debug)]
pub(super) struct Row<'l> {
    /// All fields as they were written, in their order.
    pub(super) fields: Vec<(String, &'l RawValue)>,
    pub(super) given: Given,
    pub(super) task: Task,
}

/// What is graded.
#[derive(Debug, PartialEq)]
pub(super) enum Given {
    /// A model's whole text, in which the answer has to be found.
    Response(String),
    /// The answer.
    Answer(String),
}

/// What it is held against.
#[derive(Debug, PartialEq)]
pub(super) enum Task {
    /// Gold answers, any of which counts; at least one.
    Math(Vec<String>),
    /// The tests that a program has to pass.
    Code(TestCases),
}

impl<'l> Row<'l> {
    pub(super) fn parse(line: &'l [u8]) -> Result<Self, Broken> {
        let Fields(fields) = serde_json::from_slice(line).map_err(|error| {
            let reason = match serde_json::from_slice::<Value>(line) {
                Ok(value) => format!("expected an object, found {}", kind(&value)),
                Err(_) => format!("not JSON: {error}"),
            };
            Broken::new("row", reason)
        })?;
        // Of fields that are there twice the last counts, as JSON readers have it.
        let field = |name: &str| {
            let found = fields.iter().rfind(|(field, _)| field == name);
            found.map(|(_, value)| *value)
        };
        let is_code = match string(field("ability"), "ability")?.as_str() {
            "math" => false,
            "code" => true,
            other => {
                let reason = format!("expected `math` or `code`, found {other:?}");
                return Err(Broken::new("ability", reason));
            }
        };
        let given = given(field("response"), field("answer"))?;
        let truth =
            field("ground_truth").ok_or_else(|| Broken::new("ground_truth", "is missing"))?;
        let task = if is_code {
            Task::Code(test_cases(truth)?)
        } else {
            Task::Math(golds(truth)?)
        };
        Ok(Row {
            fields,
            given,
            task,
        })
    }
}

/// A `response` or an `answer`; null is as good as nothing, since tables with a column for each write it.
fn given(response: Option<&RawValue>, answer: Option<&RawValue>) -> Result<Given, Broken> {
    let present = |value: &&RawValue| value.get() != "null";
    match (response.filter(present), answer.filter(present)) {
        (Some(response), None) => Ok(Given::Response(string(Some(response), "response")?)),
        (None, Some(answer)) if is_number(answer) => Ok(Given::Answer(answer.get().to_owned())),
        (None, Some(answer)) => Ok(Given::Answer(string(Some(answer), "answer")?)),
        (None, None) => {
            let reason = "is missing, and so is `answer`; a row needs one of the two";
            Err(Broken::new("response", reason))
        }
        (Some(_), Some(_)) => {
            let reason = "is there beside `response`; a row has one of the two";
            Err(Broken::new("answer", reason))
        }
    }
}

fn golds(truth: &RawValue) -> Result<Vec<String>, Broken> {
    if !truth.get().starts_with('[') {
        return Ok(vec![gold(truth, "ground_truth")?]);
    }
    let list: Vec<&RawValue> = serde_json::from_str(truth.get())
        .map_err(|error| Broken::new("ground_truth", error.to_string()))?;
    if list.is_empty() {
        return Err(Broken::new("ground_truth", "is an empty list"));
    }
    let entries = list.into_iter().enumerate();
    entries
        .map(|(i, entry)| gold(entry, &format!("ground_truth[{i}]")))
        .collect()
}

fn gold(value: &RawValue, field: &str) -> Result<String, Broken> {
    if is_number(value) {
        return Ok(value.get().to_owned());
    }
    not_blank(string(Some(value), field)?, field)
}

/// An object, or its text.
fn test_cases(truth: &RawValue) -> Result<TestCases, Broken> {
    // From the text, so that numbers stay as they were written.
    TestCases::parse(truth.get()).map_err(|error| Broken::new("ground_truth", error.to_string()))
}

fn not_blank(text: String, field: &str) -> Result<String, Broken> {
    if text.trim().is_empty() {
        return Err(Broken::new(field, "is empty"));
    }
    Ok(text)
}

fn is_number(value: &RawValue) -> bool {
    value
        .get()
        .starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

fn string(value: Option<&RawValue>, field: &str) -> Result<String, Broken> {
    let value = value
        .map(|value| serde_json::from_str::<Value>(value.get()))
        .transpose()
        .map_err(|error| Broken::new(field, error.to_string()))?;
    text(value.as_ref(), field)
}

/// The fields of an object, unread and in order.
struct Fields<'l>(Vec<(String, &'l RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(line: &str) -> String {
        let Broken { field, reason } = Row::parse(line.as_bytes()).unwrap_err();
        format!("{field}: {reason}")
    }

    #[test]
    fn numbers_stand_for_their_text() {
        let line = r#"{"ability":"math","answer":1e400,"ground_truth":[0.10,"x",-3]}"#;
        let row = Row::parse(line.as_bytes()).unwrap();
        assert_eq!(row.given, Given::Answer("1e400".to_owned()));
        assert_eq!(
            row.task,
            Task::Math(["0.10", "x", "-3"].map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn null_is_no_answer_and_the_last_of_two_fields_counts() {
        let line =
            r#"{"ability":"math","answer":null,"response":"1","response":"2","ground_truth":2}"#;
        let row = Row::parse(line.as_bytes()).unwrap();
        assert_eq!(row.given, Given::Response("2".to_owned()));
        assert_eq!(row.fields.len(), 5);
    }

    #[test]
    fn test_cases_are_an_object_or_its_text() {
        let object = r#"{"inputs":[[100000000000000000000001]],"outputs":[2],"fn_name":"f"}"#;
        let text = serde_json::to_string(object).unwrap();
        let cases = TestCases::parse(object).unwrap();
        for truth in [object, &text] {
            let line = format!(r#"{{"ability":"code","answer":"x","ground_truth":{truth}}}"#);
            let row = Row::parse(line.as_bytes()).unwrap();
            assert_eq!(row.task, Task::Code(cases.clone()));
        }
    }

    #[test]
    fn what_is_broken_is_named() {
        let cases = [
            ("", "row: not JSON: EOF"),
            ("[1]", "row: expected an object, found a list"),
            (r#"{"ability":"math""#, "row: not JSON: EOF"),
            (r#"{} {}"#, "row: not JSON: trailing characters"),
            ("{}", "ability: is missing"),
            (
                r#"{"ability":1}"#,
                "ability: expected a string, found a number",
            ),
            (
                r#"{"ability":"chess"}"#,
                r#"ability: expected `math` or `code`, found "chess""#,
            ),
            (
                r#"{"ability":"math"}"#,
                "response: is missing, and so is `answer`",
            ),
            (
                r#"{"ability":"math","answer":"","response":""}"#,
                "answer: is there beside `response`",
            ),
            (
                r#"{"ability":"math","response":2}"#,
                "response: expected a string, found a number",
            ),
            (
                r#"{"ability":"math","answer":[2]}"#,
                "answer: expected a string, found a list",
            ),
            (
                r#"{"ability":"code","answer":"2"}"#,
                "ground_truth: is missing",
            ),
            (
                r#"{"ability":"math","answer":"2","ground_truth":[]}"#,
                "ground_truth: is an empty list",
            ),
            (
                r#"{"ability":"math","answer":"2","ground_truth":["1",true]}"#,
                "ground_truth[1]: expected a string, found a boolean",
            ),
            (
                r#"{"ability":"math","answer":"2","ground_truth":" "}"#,
                "ground_truth: is empty",
            ),
            (
                r#"{"ability":"code","answer":"2","ground_truth":[]}"#,
                "ground_truth: the test cases are a list",
            ),
            (
                r#"{"ability":"code","answer":"2","ground_truth":"no tests"}"#,
                "ground_truth: the test cases are not JSON",
            ),
            (
                r#"{"ability":"math","answer":"\ud800","ground_truth":"2"}"#,
                "answer: unexpected end of hex escape",
            ),
        ];
        for (line, message) in cases {
            assert!(
                broken(line).starts_with(message),
                "{line}: {}",
                broken(line)
            );
        }
    }
}
