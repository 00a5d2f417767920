//! Graders of one's own: what they are told, and what their answers come to.

use std::time::Duration;

use prime_policy::FinishReason;
use prime_verifier::external::{
    CommandConfig, CommandGrader, ExternalGrader, GraderError, HttpConfig, HttpGrader,
};
use prime_verifier::{Detail, Verdict};
use serde_json::{Map, Value, json};

use super::Asked;
use super::part::PartVerdict;
use crate::config::{RewardKind, RewardPart};

/// Starts the command, or looks for the address.
pub(super) fn open(part: &RewardPart) -> Result<Box<dyn ExternalGrader>, GraderError> {
    let seconds = |given: Option<f64>, default: Duration| {
        let given = given.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        given.unwrap_or(default)
    };
    if part.kind == RewardKind::Http {
        let mut config = HttpConfig::new(&part.url);
        config.deadline = seconds(part.deadline, config.deadline);
        config.retries = part.retries.unwrap_or(config.retries);
        return Ok(Box::new(HttpGrader::connect(config)?));
    }
    let mut config = CommandConfig::new(part.command.iter());
    config.deadline = seconds(part.deadline, config.deadline);
    config.startup = seconds(part.startup, config.startup);
    config.restarts = part.retries.unwrap_or(config.restarts);
    Ok(Box::new(CommandGrader::start(config)?))
}

/// Asks about all responses.
pub(super) fn grade(grader: &dyn ExternalGrader, asked: &[Asked<'_>]) -> Vec<PartVerdict> {
    let requests: Vec<Map<String, Value>> = asked.iter().map(request).collect();
    let answers = grader.grade(&requests).into_iter();
    answers
        .map(|answer| match answer {
            Ok(graded) => PartVerdict {
                verdict: Verdict::judged(graded.score, Detail::Compared),
                answer: None,
                detail: graded.detail,
            },
            Err(reason) => Verdict::could_not_judge(reason).into(),
        })
        .collect()
}

/// What a grader is told about a response.
fn request(asked: &Asked<'_>) -> Map<String, Value> {
    let problem = asked.problem;
    let row = problem.row.as_deref();
    let messages = match row {
        Some(row) => json!(row.prompt),
        None => json!([{ "role": "user", "content": problem.prompt }]),
    };
    let golds = match row {
        Some(row) => json!(row.golds),
        None => json!([problem.ground_truth]),
    };
    let extra_info = row.and_then(|row| serde_json::from_str(row.extra_info.as_deref()?).ok());
    let finish_reason = match asked.finish {
        FinishReason::Stop => "stop",
        FinishReason::StopString => "stop_string",
        FinishReason::Length => "length",
        FinishReason::Cancelled => "cancelled",
    };
    let fields = [
        ("prompt", json!(problem.prompt)),
        ("messages", messages),
        ("response", json!(asked.response)),
        ("ground_truth", json!(problem.ground_truth)),
        ("ground_truths", golds),
        (
            "data_source",
            json!(row.and_then(|row| row.data_source.as_deref())),
        ),
        ("ability", json!(row.map(|row| row.ability.to_string()))),
        ("extra_info", extra_info.unwrap_or(Value::Null)),
        ("tokens", json!(asked.tokens)),
        ("finish_reason", json!(finish_reason)),
        ("truncated", json!(asked.finish == FinishReason::Length)),
    ];
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
