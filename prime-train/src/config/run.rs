//! `[eval]` and `[run]`: measuring, and where the results go.

use serde::{Deserialize, Serialize};

/// Which evaluations leave their responses in a run's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvalResponses {
    /// None.
    None,
    /// Those before the first and after the last step.
    Ends,
    /// Every one.
    All,
}

/// `[eval]`: held-out problems.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Eval {
    /// Problems before the first and after the last step, ≥ 1.
    pub problems: usize,
    /// Evaluate every so many steps; 0 = only before the first and after the last.
    pub every: usize,
    /// Problems of the evaluations in between, ≥ 1.
    pub every_problems: usize,
    /// Responses a problem, ≥ 1. Above 1 `eval/pass@2`, `eval/pass@4`, … up to k are measured beside `eval/pass@1`.
    pub k: usize,
    /// Softmax temperature, ≥ 0; 0 = greedy.
    pub temperature: f64,
    /// Seed of the problems, `0..2⁶³`; the same for all arms of a comparison.
    pub seed: u64,
    /// Which evaluations write their responses into the run's folder, one a line with its answer, verdict and score
    /// (`evaluations/step-000000.jsonl`).
    pub responses: EvalResponses,
}

impl Default for Eval {
    fn default() -> Self {
        Eval {
            problems: 1024,
            every: 10,
            every_problems: 256,
            k: 1,
            temperature: 1.0,
            seed: 0,
            responses: EvalResponses::Ends,
        }
    }
}

/// `[run]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The folder that run folders are made in.
    pub out_dir: String,
    /// Save a checkpoint every so many steps; 0 = by `save_minutes` and at the end only.
    pub save_every: usize,
    /// Save a checkpoint after the step in which so many minutes have passed since the last one, ≥ 0; 0 = never. The model after
    /// the warm-up is saved at once.
    pub save_minutes: f64,
    /// Keep the policy with the highest value of this metric of an evaluation, such as `eval/pass@1`, in `checkpoints/best`; empty =
    /// none.
    pub save_best: String,
    /// End the run after so many evaluations in a row without a new best of `save_best`; 0 = never.
    pub stop_after: usize,
    /// Checkpoints kept, ≥ 1.
    pub keep_last: usize,
    /// Refuse a run whose memory plan needs more than the machine or its control group has, on the CPU.
    pub check_memory: bool,
    /// Try 16 responses to rows before the first step and say what they show; it changes nothing of the run.
    pub preflight: bool,
    /// Write sampled transcripts every so many steps; 0 = never.
    pub transcripts_every: usize,
    /// Write TensorBoard event files beside `metrics.jsonl`, with the same numbers.
    pub tensorboard: bool,
}

impl Default for Run {
    fn default() -> Self {
        Run {
            out_dir: "runs".to_string(),
            save_every: 0,
            save_minutes: 10.0,
            save_best: String::new(),
            stop_after: 0,
            keep_last: 2,
            check_memory: true,
            preflight: true,
            transcripts_every: 10,
            tensorboard: true,
        }
    }
}
