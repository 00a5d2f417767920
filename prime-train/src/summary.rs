//! `summary.json`: a run in a few numbers.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::files::{read_text, write_atomically};

/// A run in a few numbers. Quantities that a run did not measure are `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The task, as `data.task` names it.
    pub task: String,
    /// The preset the configuration started from.
    pub preset: String,
    /// The run's seed.
    pub seed: u64,
    /// Training steps taken.
    pub steps: u64,
    /// Responses sampled for training.
    pub rollouts: u64,
    /// Held-out problems of the first and last evaluation.
    pub n: usize,
    /// Held-out pass@1 after warm-up, before the first step, in `[0, 1]`.
    pub warmup_pass_at_1: Option<f64>,
    /// Held-out pass@1 after the last step, in `[0, 1]`.
    pub final_pass_at_1: Option<f64>,
    /// Standard errors of the two, over problems, where the run measured them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmup_stderr: Option<f64>,
    /// That of the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_stderr: Option<f64>,
    /// Wall time of the whole run, in seconds.
    pub seconds: f64,
    /// Wall time by phase (`warmup`, `rollout`, `prm`, …), in seconds.
    pub seconds_by_phase: BTreeMap<String, f64>,
}

impl Summary {
    /// Writes the summary as indented JSON; the file is replaced at once or not at all.
    ///
    /// # Errors
    /// [`TrainError::NonFiniteMetric`] for a number that JSON cannot hold, [`TrainError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), TrainError> {
        let named = [
            ("warmup_pass_at_1", self.warmup_pass_at_1),
            ("final_pass_at_1", self.final_pass_at_1),
            ("seconds", Some(self.seconds)),
        ];
        let phases = self.seconds_by_phase.iter();
        let all = named
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .chain(phases.map(|(name, value)| (name.as_str(), *value)));
        for (name, value) in all {
            if !value.is_finite() {
                return Err(TrainError::NonFiniteMetric {
                    step: self.steps,
                    name: name.to_string(),
                    value,
                });
            }
        }
        let mut text = serde_json::to_string_pretty(self).map_err(|e| TrainError::Encode {
            what: "the summary",
            reason: e.to_string(),
        })?;
        text.push('\n');
        write_atomically(path, text.as_bytes())
    }

    /// The run as a table for the console.
    pub fn table(&self) -> String {
        let warm = self.seconds_by_phase.get("warmup").copied().unwrap_or(0.0) > 0.0;
        let first = if warm {
            "after warm-up"
        } else {
            "before training"
        };
        let last = format!("after {:>4} steps", self.steps);
        let value = |pass: Option<f64>, stderr: Option<f64>| {
            let Some(pass) = pass else {
                return "not measured".to_owned();
            };
            // A mean of 0s and 1s.
            let binomial = (self.n > 0).then(|| (pass * (1.0 - pass) / self.n as f64).sqrt());
            match stderr.or(binomial) {
                Some(stderr) => format!("{:.1} ± {:.1} %", pass * 100.0, stderr * 100.0),
                None => format!("{:.1} %", pass * 100.0),
            }
        };
        let phases = self.seconds_by_phase.iter();
        let phases: Vec<String> = phases
            .map(|(phase, seconds)| format!("{phase} {seconds:.1}"))
            .collect();
        [
            format!(
                "  task {}, preset {}, seed {}",
                self.task, self.preset, self.seed
            ),
            format!("  | held-out pass@1 (n = {}) | ± standard error |", self.n),
            "  |--------------------------|------------------|".to_owned(),
            format!(
                "  | {first:<24} | {:>16} |",
                value(self.warmup_pass_at_1, self.warmup_stderr)
            ),
            format!(
                "  | {last:<24} | {:>16} |",
                value(self.final_pass_at_1, self.final_stderr)
            ),
            String::new(),
            format!(
                "  {} rollouts, {:.1} s ({})",
                self.rollouts,
                self.seconds,
                phases.join(", ")
            ),
        ]
        .join("\n")
    }

    /// Reads a summary.
    ///
    /// # Errors
    /// [`TrainError::Io`] or [`TrainError::Parse`].
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        serde_json::from_str(&read_text(path)?).map_err(|e| TrainError::Parse {
            path: path.to_path_buf(),
            line: e.line(),
            reason: e.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Summary {
        Summary {
            task: "exam".into(),
            preset: "anchored".into(),
            seed: 1,
            steps: 40,
            rollouts: 1280,
            n: 1024,
            warmup_pass_at_1: Some(0.135),
            final_pass_at_1: None,
            warmup_stderr: None,
            final_stderr: Some(0.01),
            seconds: 12.5,
            seconds_by_phase: [("rollout".to_string(), 4.25)].into(),
        }
    }

    #[test]
    fn the_table_calls_the_start_what_it_was_and_says_how_sure_it_is() {
        let mut given = summary();
        let cold = given.table();
        assert!(
            cold.contains("before training") && !cold.contains("after warm-up"),
            "{cold}"
        );
        // √(0.135 · 0.865 / 1024) = 1.07 %.
        assert!(
            cold.contains("13.5 ± 1.1 %") && cold.contains("not measured"),
            "{cold}"
        );
        given.warmup_stderr = Some(0.02);
        given.seconds_by_phase.insert("warmup".into(), 1.0);
        let warm = given.table();
        assert!(
            warm.contains("after warm-up") && warm.contains("13.5 ± 2.0 %"),
            "{warm}"
        );
    }

    #[test]
    fn summaries_survive_and_leave_nothing_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.json");
        summary().write(&path).unwrap();
        summary().write(&path).unwrap();
        assert_eq!(Summary::read(&path).unwrap(), summary());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn numbers_that_json_cannot_hold_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.json");
        let mut broken = summary();
        broken.seconds_by_phase.insert("prm".into(), f64::NAN);
        let error = broken.write(&path).unwrap_err().to_string();
        assert!(error.contains("`prm`"), "{error}");
        assert!(!path.exists());
    }
}
