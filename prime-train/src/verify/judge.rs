//! The verdict on a row, and the row with its verdict.

use prime_verifier::math::{Grade, MathVerifier, Source, Stage};
use prime_verifier::{self as verifier, Verdict};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::row::{Given, Row, Task};
use crate::data::CODE_IS_NOT_RUN;
use crate::data::rows::Broken;

/// The verdict on a row that this version cannot judge. The others are those of
/// [`MathVerdict`](prime_verifier::math::MathVerdict).
pub(super) const COULD_NOT_JUDGE: &str = "could_not_judge";

/// A row with its verdict.
#[derive(Debug)]
pub(super) struct Judged {
    /// The row as it is written, its line end included.
    pub(super) line: Vec<u8>,
    pub(super) verdict: &'static str,
    pub(super) score: Option<f32>,
}

/// What led to a verdict.
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

impl Judged {
    pub(super) fn new(row: &Row<'_>, verifier: &MathVerifier) -> Result<Self, Broken> {
        let (verdict, score, detail) = match &row.task {
            Task::Math(golds) => {
                let golds: Vec<&str> = golds.iter().map(String::as_str).collect();
                let grade = match &row.given {
                    Given::Response(text) => verifier.grade(text, &golds),
                    Given::Answer(text) => verifier.grade_answer(text, &golds),
                };
                let verdict = verifier.verdict(&grade);
                let name = grade.comparison.verdict.name();
                (name, verdict.score(), Detail::of(&grade, verdict))
            }
            Task::Code => {
                let reason = Some(CODE_IS_NOT_RUN.to_owned());
                let detail = Detail {
                    reason,
                    ..Detail::default()
                };
                (COULD_NOT_JUDGE, None, detail)
            }
        };
        let out = OutputRow {
            row,
            verdict,
            score,
            detail,
        };
        let mut line = serde_json::to_vec(&out)
            .map_err(|error| Broken::new("row", format!("cannot be written again: {error}")))?;
        line.push(b'\n');
        Ok(Judged {
            line,
            verdict,
            score,
        })
    }
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
                    verifier::Detail::Unreadable { why } => Some(why),
                    _ => None,
                },
            },
        }
    }
}

struct OutputRow<'r> {
    row: &'r Row<'r>,
    verdict: &'static str,
    score: Option<f32>,
    detail: Detail,
}

impl Serialize for OutputRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const ADDED: [&str; 3] = ["verdict", "score", "detail"];
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in &self.row.fields {
            if !ADDED.contains(&name.as_str()) {
                map.serialize_entry(name, value)?;
            }
        }
        let [verdict, score, detail] = ADDED;
        map.serialize_entry(verdict, self.verdict)?;
        map.serialize_entry(score, &self.score)?;
        map.serialize_entry(detail, &self.detail)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn judged(line: &str) -> (String, Value) {
        let row = Row::parse(line.as_bytes()).unwrap();
        let text = Judged::new(&row, &MathVerifier::default()).unwrap().line;
        let text = String::from_utf8(text).unwrap();
        let value = serde_json::from_str(&text).unwrap();
        (text, value)
    }

    #[test]
    fn fields_pass_through_to_the_letter() {
        let line = r#"{"z":1.50,"verdict":"old","a":{"y": [1, 12345678901234567890123],"b":"\u00e9\/"},"ability":"math","answer":"4","ground_truth":4,"score":7,"detail":[]}"#;
        let (text, _) = judged(line);
        let start = r#"{"z":1.50,"a":{"y": [1, 12345678901234567890123],"b":"\u00e9\/"},"ability":"math","answer":"4","ground_truth":4,"verdict":"equal","score":1.0,"detail":{"#;
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
}
