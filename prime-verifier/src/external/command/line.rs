//! One line to the process, and one from it.

use serde_json::{Map, Value};

use crate::external::Graded;
use crate::external::answer::{graded, quoted};

/// What a line of the process says.
pub(super) enum Read {
    /// About a response that waits.
    Answer(u64, Result<Graded, String>),
    /// About one that was given up on.
    Late,
    /// Nothing that can be used; about this one, if that can be told.
    Broken(Option<u64>, String),
}

/// A request as a line.
pub(super) fn written(id: u64, request: &Map<String, Value>) -> Vec<u8> {
    let mut whole = Map::with_capacity(request.len() + 1);
    whole.insert("id".to_owned(), id.into());
    whole.extend(request.clone());
    let mut line = Value::Object(whole).to_string().into_bytes();
    line.push(b'\n');
    line
}

/// Reads a line; ids from `next_id` on have not been given out.
pub(super) fn read(text: &str, next_id: u64, waits: impl Fn(u64) -> bool) -> Read {
    let answer = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(answer)) => answer,
        Ok(_) => {
            let reason = format!(
                "the grader wrote {}, but a line of its standard output is one JSON object with `id` and `score`",
                shown(text)
            );
            return Read::Broken(None, reason);
        }
        Err(error) => {
            let reason = format!(
                "the grader wrote {}, which is not JSON ({error})",
                shown(text)
            );
            return Read::Broken(id_in(text).filter(|id| waits(*id)), reason);
        }
    };
    let id = match answer.get("id") {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    match id {
        Some(id) if waits(id) => Read::Answer(id, graded(&answer)),
        Some(id) if id < next_id => Read::Late,
        _ => Read::Broken(
            None,
            format!(
                "the grader wrote {}, whose `id` is none that it was asked about",
                shown(text)
            ),
        ),
    }
}

fn shown(text: &str) -> String {
    match quoted(text) {
        empty if empty.is_empty() => "an empty line".to_owned(),
        text => format!("`{text}`"),
    }
}

/// The number behind `"id":` in what is no JSON: Python writes `NaN`, for one.
fn id_in(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once("\"id\"")?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start();
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    rest[..digits].parse().ok()
}
