//! An answer, read.

use serde_json::{Map, Value};

use super::Graded;
use crate::Score;

/// Characters of a grader's output that a message quotes.
const QUOTED: usize = 200;

/// The score in an answer, or why there is none.
pub(super) fn graded(answer: &Map<String, Value>) -> Result<Graded, String> {
    let score = match answer.get("score") {
        Some(Value::Number(number)) => number.as_f64().unwrap_or(f64::NAN),
        Some(Value::Bool(right)) => f64::from(u8::from(*right)),
        Some(Value::Null) => {
            return Err(match answer.get("reason") {
                Some(Value::String(reason)) if !reason.trim().is_empty() => {
                    format!("the grader says: {}", quoted(reason))
                }
                _ => "the grader answered `\"score\": null` without a `reason`".to_owned(),
            });
        }
        Some(other) => {
            let other = quoted(&other.to_string());
            return Err(format!(
                "the grader's `score` is {other}, but must be a number from 0 to 1, or null with a `reason`"
            ));
        }
        None => {
            let answer = quoted(&Value::Object(answer.clone()).to_string());
            return Err(format!("the grader's answer has no `score`: {answer}"));
        }
    };
    if !(0.0..=1.0).contains(&score) {
        return Err(format!(
            "the grader's `score` is {score}, but must be from 0 to 1"
        ));
    }
    Ok(Graded {
        score: Score::new(score as f32).map_err(|error| error.to_string())?,
        detail: match answer.get("detail") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        },
    })
}

/// The beginning of a text, without what would disturb a terminal.
pub(super) fn quoted(text: &str) -> String {
    let mut out: String = text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(QUOTED)
        .collect();
    if text.trim().chars().nth(QUOTED).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Graded, String> {
        graded(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn a_score_is_a_number_from_0_to_1() {
        let scored = |json: &str| read(json).unwrap().score.get();
        assert_eq!(scored(r#"{"score": 0.25}"#), 0.25);
        assert_eq!(scored(r#"{"score": 1, "other": []}"#), 1.0);
        assert_eq!(scored(r#"{"score": true}"#), 1.0);
        let detail = |json: &str| read(json).unwrap().detail;
        assert_eq!(
            detail(r#"{"score":0,"detail":"off"}"#).as_deref(),
            Some("off")
        );
        assert_eq!(
            detail(r#"{"score":0,"detail":[1]}"#).as_deref(),
            Some("[1]")
        );
        assert_eq!(detail(r#"{"score":0,"detail":null}"#), None);
    }

    #[test]
    fn everything_else_is_no_score() {
        for (json, part) in [
            (
                r#"{"score":null,"reason":"no compiler"}"#,
                "says: no compiler",
            ),
            (r#"{"score":null}"#, "without a `reason`"),
            (r#"{"score":1.5}"#, "`score` is 1.5"),
            (r#"{"score":-0.1}"#, "`score` is -0.1"),
            (r#"{"score":"1"}"#, "`score` is \"1\""),
            (r#"{"reward":1}"#, "no `score`: {\"reward\":1}"),
        ] {
            let reason = read(json).unwrap_err();
            assert!(reason.contains(part), "{reason}");
        }
        assert_eq!(quoted(&"é\n".repeat(300)).chars().count(), QUOTED + 1);
    }
}
