//! A run in a few numbers.

use std::collections::BTreeMap;

use super::Run;
use crate::error::TrainError;
use crate::metrics::{StepMetrics, read_metrics};
use crate::summary::Summary;

impl Run {
    /// The run in a few numbers, from its metrics alone, so that a resumed run sums up like an unbroken one.
    pub(super) fn summary(&self) -> Result<Summary, TrainError> {
        let records = read_metrics(&self.folder.join("metrics.jsonl"))?;
        let mut phases = BTreeMap::new();
        for record in &records {
            for (name, value) in record.iter() {
                let phase = name
                    .strip_prefix("timing_s/")
                    .filter(|phase| *phase != "step");
                if let Some(phase) = phase {
                    *phases.entry(phase.to_owned()).or_insert(0.0) += value.as_f64();
                }
            }
        }
        // The last save comes after the last record.
        if self.recording.saving() > 0.0 {
            *phases.entry("save".to_owned()).or_insert(0.0) += self.recording.saving();
        }
        let pass = |record: Option<&StepMetrics>| record.and_then(|r| r.get("eval/pass@1"));
        let stderr =
            |record: Option<&StepMetrics>| record.and_then(|r| r.get("eval/pass@1_stderr"));
        let first = records.first();
        let rollouts: f64 = records.iter().filter_map(|r| r.get("rollouts")).sum();
        let task = serde_json::to_value(self.config.data.task).ok();
        Ok(Summary {
            task: task
                .and_then(|t| t.as_str().map(str::to_owned))
                .unwrap_or_default(),
            preset: self.config.preset.clone(),
            seed: self.config.seed,
            steps: self.learner.step,
            rollouts: rollouts as u64,
            n: first.and_then(|r| r.get("eval/n")).unwrap_or(0.0) as usize,
            warmup_pass_at_1: pass(first),
            final_pass_at_1: pass(records.last()),
            warmup_stderr: stderr(first),
            final_stderr: stderr(records.last()),
            program: self
                .provenance
                .as_ref()
                .and_then(|provenance| provenance.sessions.first().cloned()),
            seconds: phases.values().sum(),
            seconds_by_phase: phases,
        })
    }
}
