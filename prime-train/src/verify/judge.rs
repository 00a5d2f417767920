//! The verdict on a row as far as nothing has to run for it, and the row with its verdict.

use std::borrow::Cow;

use prime_verifier::math::{Grade, MathVerifier, Source, Stage};
use prime_verifier::{self as verifier, Verdict};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::program::Program;
use super::row::{Given, Row, Task};
use crate::data::broken::Broken;

/// The verdict on a row where the grader is at fault. The others are those of
/// [`MathVerdict`](prime_verifier::math::MathVerdict) and [`TestVerdict`](prime_verifier::code::TestVerdict).
pub(super) const COULD_NOT_JUDGE: &str = "could_not_judge";

/// What a line comes to.
pub(super) enum Judging<'l> {
    Done(Judged),
    /// It has to be run for that.
    Program(Program<'l>),
}

impl<'l> Judging<'l> {
    pub(super) fn of(line: &'l [u8], verifier: &MathVerifier) -> Result<Self, Broken> {
        let Row {
            fields,
            given,
            task,
        } = Row::parse(line)?;
        match task {
            Task::Math(golds) => {
                let golds: Vec<&str> = golds.iter().map(String::as_str).collect();
                let grade = match &given {
                    Given::Response(text) => verifier.grade(text, &golds),
                    Given::Answer(text) => verifier.grade_answer(text, &golds),
                };
                let verdict = verifier.verdict(&grade);
                let out = OutputRow {
                    fields: &fields,
                    verdict: grade.comparison.verdict.name(),
                    score: verdict.score(),
                    detail: Detail::of(&grade, verdict),
                    tests: None,
                };
                out.judged().map(Judging::Done)
            }
            Task::Code(cases) => Program::of(fields, given, cases),
        }
    }
}

/// A row with its verdict.
#[derive(Debug)]
pub(super) struct Judged {
    /// The row as it is written, its line end included.
    pub(super) line: Vec<u8>,
    pub(super) verdict: &'static str,
    pub(super) score: Option<f32>,
}

/// What led to a verdict on maths.
#[derive(Debug, Default, Serialize)]
struct Detail {
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<Stage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
    /// Both sides as they were understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    gold: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    /// The answer as it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_text: Option<String>,
    /// Why there is no score, or why the answer could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Detail {
    fn of(grade: &Grade, verdict: Verdict) -> Self {
        let comparison = &grade.comparison;
        let answer = Some(&comparison.answer).filter(|answer| !answer.text().is_empty());
        Detail {
            stage: comparison.stage,
            source: grade.source,
            gold: Some(comparison.gold.to_string()),
            answer: answer.map(ToString::to_string),
            answer_text: answer.map(|answer| answer.text().to_owned()),
            reason: match verdict {
                Verdict::CouldNotJudge { reason } => Some(reason),
                Verdict::Judged(judgement) => match judgement.detail {
                    verifier::Detail::Unreadable { why } | verifier::Detail::Undecided { why } => {
                        Some(why)
                    }
                    _ => None,
                },
            },
        }
    }
}

/// A row as it is written.
pub(super) struct OutputRow<'r, D> {
    pub(super) fields: &'r [(Cow<'r, str>, &'r RawValue)],
    pub(super) verdict: &'static str,
    pub(super) score: Option<f32>,
    pub(super) detail: D,
    /// The verdict on each test; `None` where there are no tests, and a field of this name is the row's own.
    pub(super) tests: Option<Vec<&'static str>>,
}

impl<D: Serialize> OutputRow<'_, D> {
    pub(super) fn judged(&self) -> Result<Judged, Broken> {
        let mut line = serde_json::to_vec(self)
            .map_err(|error| Broken::row(format!("cannot be written again: {error}")))?;
        line.push(b'\n');
        Ok(Judged {
            line,
            verdict: self.verdict,
            score: self.score,
        })
    }
}

impl<D: Serialize> Serialize for OutputRow<'_, D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_added = |name: &str| match name {
            "verdict" | "score" | "detail" => true,
            "tests" => self.tests.is_some(),
            _ => false,
        };
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.fields {
            if !is_added(name) {
                map.serialize_entry(name, value)?;
            }
        }
        map.serialize_entry("verdict", self.verdict)?;
        map.serialize_entry("score", &self.score)?;
        map.serialize_entry("detail", &self.detail)?;
        if let Some(tests) = &self.tests {
            map.serialize_entry("tests", tests)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn judged(line: &str) -> (String, Value) {
        let Ok(Judging::Done(judged)) = Judging::of(line.as_bytes(), &MathVerifier::default())
        else {
            panic!("{line} has to be run");
        };
        let text = String::from_utf8(judged.line).unwrap();
        let value = serde_json::from_str(&text).unwrap();
        (text, value)
    }

    #[test]
    fn fields_pass_through_to_the_letter() {
        let line = r#"{"z":1.50,"verdict":"old","a":{"y": [1, 12345678901234567890123],"b":"\u00e9\/"},"ability":"math","answer":"4","ground_truth":4,"score":7,"detail":[],"tests":[1.0]}"#;
        let (text, _) = judged(line);
        let start = r#"{"z":1.50,"a":{"y": [1, 12345678901234567890123],"b":"\u00e9\/"},"ability":"math","answer":"4","ground_truth":4,"tests":[1.0],"verdict":"equal","score":1.0,"detail":{"#;
        assert!(text.starts_with(start) && text.ends_with("}}\n"), "{text}");
    }

    #[test]
    fn a_ground_truth_at_fault_has_no_score_and_an_answer_at_fault_has_0() {
        let (_, row) = judged(r#"{"ability":"math","answer":"2","ground_truth":"\\frac{2"}"#);
        assert_eq!(
            (&row["verdict"], &row["score"]),
            (&"unparsed".into(), &Value::Null)
        );
        let reason = row["detail"]["reason"].as_str().unwrap();
        assert!(reason.starts_with("the ground truth"), "{reason}");

        let (_, row) = judged(r#"{"ability":"math","answer":"\\frac{2","ground_truth":"2"}"#);
        assert_eq!(
            (&row["verdict"], &row["score"]),
            (&"unparsed".into(), &0.0.into())
        );
        assert!(row["detail"]["reason"].is_string(), "{row}");
    }

    #[test]
    fn a_response_without_a_program_is_no_answer_and_runs_nothing() {
        let line = r#"{"ability":"code","response":"<think>print(1)","ground_truth":{"inputs":[""],"outputs":["1"]},"tests":7}"#;
        let (text, _) = judged(line);
        let end = r#""verdict":"no_answer","score":0.0,"detail":{"passed":0,"of":0},"tests":[]}"#;
        assert!(text.trim_end().ends_with(end), "{text}");
        assert!(!text.contains("\"tests\":7"), "{text}");
    }
}
