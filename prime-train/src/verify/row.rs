//! One row to grade, read from its line.

use std::borrow::Cow;

use prime_verifier::code::TestCases;
use serde_json::value::RawValue;

use crate::data::ability::Ability;
use crate::data::broken::Broken;
use crate::data::gold;
use crate::data::json::{Object, is_number, kind_of};
use crate::data::path::{find, missing};
use crate::data::test_cases;

/// Where the gold answer or the tests stand: in a column of its own, or where training's rows have it.
const TRUTHS: [&str; 2] = ["ground_truth", "reward_model.ground_truth"];

/// A row whose fields have been checked.
#[derive(Debug)]
pub(super) struct Row<'l> {
    /// All fields as they were written, in their order.
    pub(super) fields: Vec<(Cow<'l, str>, &'l RawValue)>,
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
        let text = std::str::from_utf8(line)
            .map_err(|error| Broken::row(format!("not JSON: it is not UTF-8 text: {error}")))?;
        let row: Object<'l> = serde_json::from_str(text).map_err(|error| {
            let reason = match serde_json::from_str::<&RawValue>(text) {
                Ok(value) if !value.get().starts_with('{') => {
                    format!("expected an object, found {}", kind_of(value.get()))
                }
                _ => format!("not JSON: {error}"),
            };
            Broken::row(reason)
        })?;
        let ability = Ability::of(row.get("ability"), "ability", &Ability::Math)?;
        let ability = ability.judged("ability")?;
        let given = given(row.get("response"), row.get("answer"))?;
        let there = TRUTHS
            .into_iter()
            .find_map(|path| Some((path, find(&row, path)?)));
        let Some((field, truth)) = there else {
            let nested = row.has("reward_model");
            let path = if nested { TRUTHS[1] } else { TRUTHS[0] };
            let (field, reason) = missing(&row, path);
            return Err(Broken::answer(&field, reason));
        };
        let task = match ability {
            Ability::Code => {
                // From the text, so that numbers stay as they were written.
                let tests = test_cases::read(&truth, field, None)?;
                let cases = TestCases::parse(&tests);
                Task::Code(cases.map_err(|error| Broken::tests(field, error.to_string()))?)
            }
            _ => Task::Math(gold::to_the_letter(&truth, field)?),
        };
        Ok(Row {
            fields: row.0,
            given,
            task,
        })
    }
}

/// A `response` or an `answer`; null is as good as nothing, since tables with a column for each write it.
fn given(response: Option<&str>, answer: Option<&str>) -> Result<Given, Broken> {
    let present = |value: &&str| *value != "null";
    match (response.filter(present), answer.filter(present)) {
        (Some(response), None) => Ok(Given::Response(string(response, "response")?)),
        (None, Some(answer)) if is_number(answer) => Ok(Given::Answer(answer.to_owned())),
        (None, Some(answer)) => Ok(Given::Answer(string(answer, "answer")?)),
        (None, None) => {
            let reason = "is missing, and so is `answer`; a row needs one of the two";
            Err(Broken::row_field("response", reason))
        }
        (Some(_), Some(_)) => {
            let reason = "is there beside `response`; a row has one of the two";
            Err(Broken::row_field("answer", reason))
        }
    }
}

fn string(json: &str, field: &str) -> Result<String, Broken> {
    let reason = match serde_json::from_str(json) {
        Ok(text) => return Ok(text),
        Err(error) if json.starts_with('"') => error.to_string(),
        Err(_) => format!("expected a string, found {}", kind_of(json)),
    };
    Err(Broken::row_field(field, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(line: &str) -> String {
        let Broken { field, reason, .. } = Row::parse(line.as_bytes()).unwrap_err();
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
    fn training_rows_are_rows_to_verify() {
        let golds = |line: &str| Row::parse(line.as_bytes()).unwrap().task;
        let two = Task::Math(vec!["2".to_owned()]);
        for line in [
            r#"{"answer":"2","ground_truth":2}"#,
            r#"{"ability":"MATH","answer":"2","reward_model":{"style":"rule","ground_truth":"2"}}"#,
            r#"{"ability":null,"answer":"2","reward_model":"{\"ground_truth\": \"[\\\"2\\\"]\"}"}"#,
        ] {
            assert_eq!(golds(line), two, "{line}");
        }
        let code = r#"{"ability":"coding","answer":"x","reward_model":{"ground_truth":{"inputs":["1"],"outputs":["2"]}}}"#;
        assert!(matches!(golds(code), Task::Code(_)));
        let error = broken(r#"{"answer":"2","reward_model":{"style":"rule"}}"#);
        assert!(
            error.starts_with("reward_model.ground_truth: is missing"),
            "{error}"
        );
    }

    #[test]
    fn what_is_broken_is_named() {
        let cases = [
            ("", "row: not JSON: EOF"),
            ("[1]", "row: expected an object, found a list"),
            (r#"{"ability":"math""#, "row: not JSON: EOF"),
            (r#"{} {}"#, "row: not JSON: trailing characters"),
            ("{}", "response: is missing, and so is `answer`"),
            (
                r#"{"ability":1}"#,
                "ability: expected a string, found a number",
            ),
            (
                r#"{"ability":"chess"}"#,
                r#"ability: "chess" is not something that can be judged here; known are `math`"#,
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
                "ground_truth[1]: expected a string or a number, found a boolean",
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
