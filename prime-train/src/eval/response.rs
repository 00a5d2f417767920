//! One response of an evaluation, as a line that votes can be counted from later.

use std::path::{Path, PathBuf};

use prime_policy::FinishReason;
use prime_verifier::{Detail, Verdict};
use serde::Serialize;

use crate::error::TrainError;
use crate::files::write_atomically;

/// A response of an evaluation with what was made of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvalResponse {
    /// The set of `data.eval_sets`; `None` for `data.eval_file` and for a built-in task.
    pub set: Option<String>,
    /// The problem's number in its set, counted from 0.
    pub problem: u64,
    /// The response's number among those to its problem, counted from 0.
    pub sample: usize,
    /// Its text, up to the stop string that ended it.
    pub response: String,
    /// Its tokens.
    pub tokens: usize,
    /// How it ended.
    pub finish_reason: FinishReason,
    /// The answer that was read in it: of code the program, of a built-in task the list.
    pub answer: Option<String>,
    /// The first response to the problem that gives the same answer: its vote. `None` without an answer or a verdict, and for
    /// code, whose answers cannot be compared.
    pub vote: Option<usize>,
    /// `right`, `wrong`, `partly` for a score between 0 and 1, or `could_not_judge`.
    pub verdict: &'static str,
    /// The score in [0, 1].
    pub score: Option<f32>,
    /// How the score came about.
    pub detail: Option<Detail>,
    /// Why it could not be judged.
    pub reason: Option<String>,
    /// What it was compared with; of code nothing, the tests are many.
    pub ground_truth: Option<String>,
    /// Where the row comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_source: Option<String>,
}

/// A verdict in a word, its score, how it came about, and why there is none.
pub(super) type Judgement = (&'static str, Option<f32>, Option<Detail>, Option<String>);

pub(super) fn judgement(verdict: &Verdict) -> Judgement {
    match verdict {
        Verdict::CouldNotJudge { reason } => ("could_not_judge", None, None, Some(reason.clone())),
        Verdict::Judged(judged) => {
            let word = match judged.score.get() {
                1.0 => "right",
                0.0 => "wrong",
                _ => "partly",
            };
            let score = Some(judged.score.get());
            (word, score, Some(judged.detail.clone()), None)
        }
    }
}

/// The responses of an evaluation in a run folder.
pub fn responses_path(run: &Path, step: u64) -> PathBuf {
    run.join("evaluations")
        .join(format!("step-{step:06}.jsonl"))
}

/// Writes responses, one a line; the file is replaced at once or not at all.
///
/// # Errors
/// [`TrainError::Io`]; [`TrainError::Encode`] for one that JSON cannot hold.
pub fn write_responses(path: &Path, responses: &[EvalResponse]) -> Result<(), TrainError> {
    let mut text = vec![];
    for response in responses {
        serde_json::to_writer(&mut text, response).map_err(|error| TrainError::Encode {
            what: "a response of an evaluation",
            reason: error.to_string(),
        })?;
        text.push(b'\n');
    }
    write_atomically(path, &text)
}
