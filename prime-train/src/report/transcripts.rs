//! `rollouts/step-*.jsonl`: sampled responses with their rewards, and the picture of them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::scale::significant;
use super::style::escape;
use crate::data::tasks;
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
    /// The implicit reward of each token; empty without a reward model.
    pub process_rewards: Vec<f32>,
    /// The advantage of each token; empty if the response was not learned from.
    pub advantages: Vec<f32>,
    /// The outcome reward in `[0, 1]`; `None` if it could not be judged.
    pub outcome: Option<f32>,
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
        for (name, stream) in [
            ("process_rewards", &self.process_rewards),
            ("advantages", &self.advantages),
        ] {
            if !stream.is_empty() && stream.len() != self.tokens.len() {
                let (have, want) = (stream.len(), self.tokens.len());
                return Err(format!("{name} has {have} values for {want} tokens"));
            }
            if let Some(at) = stream.iter().position(|value| !value.is_finite()) {
                return Err(format!("{name}[{at}] is {}", stream[at]));
            }
        }
        match self.outcome {
            Some(outcome) if !outcome.is_finite() => Err(format!("outcome is {outcome}")),
            _ => Ok(()),
        }
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

/// The reward drawn in full colour: few are larger, so that one outlier does not bleach the rest.
pub(super) fn full_color(transcripts: &[Transcript]) -> f32 {
    const QUANTILE: f64 = 0.95;
    let rewards = transcripts.iter().flat_map(|t| &t.process_rewards);
    let mut sizes: Vec<f32> = rewards.map(|r| r.abs()).filter(|&r| r > 0.0).collect();
    sizes.sort_by(f32::total_cmp);
    let at = ((sizes.len() as f64 * QUANTILE) as usize).min(sizes.len().saturating_sub(1));
    sizes.get(at).copied().unwrap_or(1.0)
}

/// The background of a token: green above 0, red below, none at 0.
fn background(reward: f32, full: f32) -> String {
    const STRONGEST: f32 = 0.85;
    let strength = (reward.abs() / full).min(1.0) * STRONGEST;
    let color = if reward > 0.0 {
        "22,163,74"
    } else {
        "220,38,38"
    };
    format!("background:rgba({color},{strength:.2})")
}

fn token(transcript: &Transcript, position: usize, full: f32) -> String {
    let text = escape(&transcript.tokens[position]);
    let Some(&reward) = transcript.process_rewards.get(position) else {
        return format!("<span>{text}</span>");
    };
    let mut title = format!("reward {}", significant(f64::from(reward)));
    if let Some(&advantage) = transcript.advantages.get(position) {
        let _ = write!(title, ", advantage {}", significant(f64::from(advantage)));
    }
    format!(
        "<span style=\"{}\" title=\"{title}\">{text}</span>",
        background(reward, full)
    )
}

fn tick(right: bool) -> &'static str {
    if right {
        "<sup class=\"ok\">✓</sup>"
    } else {
        "<sup class=\"no\">✗</sup>"
    }
}

/// The response with a mark after each answer; marks of missing answers come at the end.
fn response(transcript: &Transcript, full: f32) -> String {
    let marks = transcript.answers_right.as_deref().unwrap_or_default();
    let pieces = tasks::pieces(&transcript.tokens);
    let ends_at = |position| {
        let ended = pieces
            .iter()
            .zip(marks)
            .filter(move |(piece, _)| piece.end == position);
        ended.map(|(_, &right)| tick(right)).collect::<String>()
    };
    let mut html = String::new();
    for position in 0..transcript.tokens.len() {
        html.push_str(&ends_at(position));
        html.push_str(&token(transcript, position, full));
    }
    html.push_str(&ends_at(transcript.tokens.len()));
    html.extend(marks.iter().skip(pieces.len()).map(|&right| tick(right)));
    html
}

fn badge(outcome: Option<f32>) -> String {
    match outcome {
        Some(outcome) if outcome >= 1.0 => "<span class=\"badge ok\">✓ passed</span>".to_string(),
        Some(outcome) if outcome <= 0.0 => "<span class=\"badge no\">✗ failed</span>".to_string(),
        Some(outcome) => format!(
            "<span class=\"badge\">outcome {}</span>",
            significant(f64::from(outcome))
        ),
        None => "<span class=\"badge\">not judged</span>".to_string(),
    }
}

/// One response as a picture; `full` is the reward drawn in full colour.
pub(super) fn html(transcript: &Transcript, full: f32) -> String {
    let marks = transcript.answers_right.as_ref().map(|marks| {
        let right = marks.iter().filter(|&&right| right).count();
        format!("{right} of {} answers right · ", marks.len())
    });
    let sum: f64 = transcript
        .process_rewards
        .iter()
        .map(|&r| f64::from(r))
        .sum();
    let total = if transcript.process_rewards.is_empty() {
        "no process reward".to_string()
    } else {
        format!("process reward {}", significant(sum))
    };
    format!(
        "<div class=\"sheet\"><div>{}<span class=\"meta\">{}{total}</span></div>\
         <div class=\"prompt\">{}</div><div class=\"response\">{}</div>\
         <div class=\"meta\">solution: {}</div></div>",
        badge(transcript.outcome),
        marks.unwrap_or_default(),
        escape(&transcript.prompt),
        response(transcript, full),
        escape(&transcript.ground_truth),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript() -> Transcript {
        Transcript {
            step: 3,
            prompt: "2+2<script>".into(),
            tokens: ["0", "4", ",", "1", "<eos>"].map(String::from).to_vec(),
            process_rewards: vec![0.1, 0.2, 0.0, -0.4, 0.0],
            advantages: vec![1.0; 5],
            outcome: Some(1.0),
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
    fn rewards_are_colored_by_sign_and_size() {
        let html = html(&transcript(), 0.4);
        assert!(
            html.contains("rgba(22,163,74,0.43)\" title=\"reward 0.2, advantage 1\">4<"),
            "{html}"
        );
        assert!(html.contains("rgba(220,38,38,0.85)\" title=\"reward -0.4, advantage 1\">1<"));
        assert!(html.contains("&lt;eos&gt;") && html.contains("2+2&lt;script&gt;"));
        assert!(!html.contains("<script") && !html.contains("<eos"));
    }

    #[test]
    fn marks_follow_their_answers_and_missing_ones_come_last() {
        let html = html(&transcript(), 0.4);
        let text: String = html
            .split('<')
            .filter_map(|tag| tag.split_once('>'))
            .map(|t| t.1)
            .collect();
        assert!(text.contains("04✓,1✗&lt;eos&gt;✗"), "{text}");
        assert!(
            text.contains("1 of 3 answers right · process reward -0.1"),
            "{text}"
        );
    }

    #[test]
    fn the_scale_ignores_outliers_and_zeros() {
        let mut many = transcript();
        many.process_rewards = (0..100).map(|i| if i == 0 { 50.0 } else { 0.5 }).collect();
        assert_eq!(full_color(&[many]), 0.5);
        let mut none = transcript();
        none.process_rewards = vec![0.0; 5];
        assert_eq!(full_color(&[none]), 1.0);
        assert_eq!(full_color(&[]), 1.0);
    }
}
