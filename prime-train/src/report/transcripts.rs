//! `rollouts/step-*.jsonl`: sampled responses with all that is known of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use prime_policy::FinishReason;
use prime_verifier::Detail;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::files::write_atomically;
use crate::metrics::read_lines;

/// One sampled response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    /// The step it was sampled in.
    pub step: u64,
    /// The prompt as text.
    pub prompt: String,
    /// The response, one text a token.
    pub tokens: Vec<String>,
    /// The same tokens as ids, as they were sampled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub token_ids: Vec<u32>,
    /// log π of each token when it was sampled, in nats.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log_probs: Vec<f32>,
    /// Why the response ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish: Option<FinishReason>,
    /// The implicit reward of each token; empty without a reward model.
    pub process_rewards: Vec<f32>,
    /// The advantage of each token; empty if the response was not learned from.
    pub advantages: Vec<f32>,
    /// The outcome reward in `[0, 1]`; `None` if it could not be judged.
    pub outcome: Option<f32>,
    /// What estimators saw: the outcome, or the weighted sum of several rewards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<f32>,
    /// The answer that the verifier read in the response, if it looks for one and there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Why the response could not be judged, where it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub could_not_judge: Option<String>,
    /// How the outcome came about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Detail>,
    /// What graders of your own had to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grader_details: Vec<String>,
    /// What each reward gave, where there are several.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rewards: BTreeMap<String, f32>,
    /// Which answers are right, where the task knows.
    pub answers_right: Option<Vec<bool>>,
    /// The right solution.
    pub ground_truth: String,
}

impl Transcript {
    /// Streams are empty or as long as the response, and every number is finite.
    fn check(&self) -> Result<(), String> {
        let fits = |name: &str, have: usize| match have == 0 || have == self.tokens.len() {
            true => Ok(()),
            false => {
                let want = self.tokens.len();
                Err(format!("{name} has {have} values for {want} tokens"))
            }
        };
        fits("token_ids", self.token_ids.len())?;
        for (name, stream) in [
            ("log_probs", &self.log_probs),
            ("process_rewards", &self.process_rewards),
            ("advantages", &self.advantages),
        ] {
            fits(name, stream.len())?;
            if let Some(at) = stream.iter().position(|value| !value.is_finite()) {
                return Err(format!("{name}[{at}] is {}", stream[at]));
            }
        }
        for (name, number) in [("outcome", self.outcome), ("reward", self.reward)] {
            if let Some(number) = number.filter(|number| !number.is_finite()) {
                return Err(format!("{name} is {number}"));
            }
        }
        Ok(())
    }
}

/// The transcript file of a step in a run folder.
pub fn transcripts_path(run: &Path, step: u64) -> PathBuf {
    run.join("rollouts").join(format!("step-{step:06}.jsonl"))
}

/// Writes the transcripts of a step into a run folder.
///
/// # Errors
/// [`TrainError::Encode`] for streams of the wrong length or with a number that is not finite;
/// [`TrainError::Io`].
pub fn write_transcripts(
    run: &Path,
    step: u64,
    transcripts: &[Transcript],
) -> Result<(), TrainError> {
    let mut text = String::new();
    for transcript in transcripts {
        let encoded = transcript
            .check()
            .and_then(|()| serde_json::to_string(transcript).map_err(|e| e.to_string()));
        let line = encoded.map_err(|reason| TrainError::Encode {
            what: "a transcript",
            reason,
        })?;
        text.push_str(&line);
        text.push('\n');
    }
    write_atomically(&transcripts_path(run, step), text.as_bytes())
}

/// Reads a transcript file.
///
/// # Errors
/// [`TrainError::Io`], or [`TrainError::Parse`] with the line.
pub fn read_transcripts(path: &Path) -> Result<Vec<Transcript>, TrainError> {
    let transcripts: Vec<Transcript> = read_lines(path)?;
    for (index, transcript) in transcripts.iter().enumerate() {
        transcript.check().map_err(|reason| TrainError::Parse {
            path: path.to_path_buf(),
            line: index + 1,
            reason,
        })?;
    }
    Ok(transcripts)
}

/// The transcript files of a run folder with their steps, in order of steps.
pub(super) fn transcript_files(run: &Path) -> Result<Vec<(u64, PathBuf)>, TrainError> {
    let folder = run.join("rollouts");
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => return Err(TrainError::io("read", &folder)(error)),
    };
    let mut found = vec![];
    for entry in entries {
        let path = entry.map_err(TrainError::io("read", &folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let number = name
            .strip_prefix("step-")
            .and_then(|rest| rest.strip_suffix(".jsonl"));
        if let Some(step) = number.and_then(|number| number.parse().ok()) {
            found.push((step, path));
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::report) fn transcript() -> Transcript {
        Transcript {
            step: 3,
            prompt: "2+2<script>".into(),
            tokens: ["0", "4", ",", "1", "<eos>"].map(String::from).to_vec(),
            token_ids: vec![5, 9, 3, 6, 2],
            log_probs: vec![-0.5, -0.25, 0.0, -2.0, -0.125],
            finish: Some(FinishReason::Stop),
            process_rewards: vec![0.1, 0.2, 0.0, -0.4, 0.0],
            advantages: vec![1.0; 5],
            outcome: Some(1.0),
            reward: Some(1.0),
            answer: Some("04,1".into()),
            could_not_judge: None,
            detail: Some(Detail::WrongCount {
                found: 2,
                expected: 3,
            }),
            grader_details: vec![],
            rewards: BTreeMap::new(),
            answers_right: Some(vec![true, false, false]),
            ground_truth: "04,12,13".into(),
        }
    }

    #[test]
    fn transcripts_survive() {
        let folder = tempfile::tempdir().unwrap();
        write_transcripts(folder.path(), 3, &[transcript(), transcript()]).unwrap();
        let path = transcripts_path(folder.path(), 3);
        assert!(path.ends_with("rollouts/step-000003.jsonl"));
        assert_eq!(
            read_transcripts(&path).unwrap(),
            [transcript(), transcript()]
        );
    }

    #[test]
    fn streams_have_to_fit() {
        let folder = tempfile::tempdir().unwrap();
        let mut short = transcript();
        short.advantages.pop();
        let error = write_transcripts(folder.path(), 3, &[short]).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("advantages has 4 values for 5 tokens")
        );
        let mut nan = transcript();
        nan.process_rewards[2] = f32::NAN;
        let error = write_transcripts(folder.path(), 3, &[nan]).unwrap_err();
        assert!(error.to_string().contains("process_rewards[2] is NaN"));
    }

    #[test]
    fn files_of_before_are_read_and_steps_are_in_the_order_of_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        for step in [1_000_000, 999_999, 7] {
            write_transcripts(folder.path(), step, &[]).unwrap();
        }
        let steps = transcript_files(folder.path()).unwrap().into_iter();
        assert_eq!(
            steps.map(|file| file.0).collect::<Vec<_>>(),
            [7, 999_999, 1_000_000]
        );

        let before = r#"{"step":7,"prompt":"1+1","tokens":["2"],"process_rewards":[],"advantages":[],"outcome":1.0,"answers_right":null,"ground_truth":"2"}"#;
        let path = transcripts_path(folder.path(), 7);
        fs::write(&path, format!("{before}\n")).unwrap();
        let read = read_transcripts(&path).unwrap();
        assert_eq!((read[0].finish, read[0].log_probs.len()), (None, 0));
    }
}
