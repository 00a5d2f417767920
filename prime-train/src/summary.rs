//! `summary.json`: a run in a few numbers.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::files::{read_text, write_atomically};
use crate::run::Session;

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
    /// What made the run: version, commit, machine, command line and start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Session>,
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

    /// What the first evaluation came after.
    pub(crate) fn start(&self) -> &'static str {
        let warm = self.seconds_by_phase.get("warmup").copied().unwrap_or(0.0) > 0.0;
        match warm {
            true => "after warm-up",
            false => "before training",
        }
    }

    /// The run as a table for the console.
    pub fn table(&self) -> String {
        let first = self.start().to_owned();
        let last = match self.steps {
            1 => "after 1 step".to_owned(),
            steps => format!("after {steps} steps"),
        };
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
        let rows = [
            (
                format!("held-out pass@1 (n = {})", self.n),
                "± standard error".to_owned(),
            ),
            (first, value(self.warmup_pass_at_1, self.warmup_stderr)),
            (last, value(self.final_pass_at_1, self.final_stderr)),
        ];
        let widest = |of: fn(&(String, String)) -> &String| {
            rows.iter().map(|row| of(row).chars().count()).max()
        };
        let (left, right) = (
            widest(|row| &row.0).unwrap_or(0),
            widest(|row| &row.1).unwrap_or(0),
        );
        let mut lines = vec![format!(
            "  task {}, preset {}, seed {}",
            self.task, self.preset, self.seed
        )];
        for (at, (name, value)) in rows.iter().enumerate() {
            lines.push(format!("  | {name:<left$} | {value:>right$} |"));
            if at == 0 {
                lines.push(format!(
                    "  |{}|{}|",
                    "-".repeat(left + 2),
                    "-".repeat(right + 2)
                ));
            }
        }
        lines.push(String::new());
        lines.push(format!(
            "  {} rollouts, {:.1} s ({})",
            self.rollouts,
            self.seconds,
            phases.join(", ")
        ));
        lines.join("\n")
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
            program: None,
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
    fn the_table_lines_up_for_any_widths() {
        for (n, steps, pass) in [
            (1, 1, 1.0),
            (1024, 40, 0.135),
            (1_000_000, 12_345_678, 0.00001),
        ] {
            let given = Summary {
                n,
                steps,
                warmup_pass_at_1: Some(pass),
                ..summary()
            };
            let table = given.table();
            let bars: Vec<Vec<usize>> = table
                .lines()
                .filter(|line| line.starts_with("  |"))
                .map(|line| {
                    let places = line.chars().enumerate().filter(|(_, c)| *c == '|');
                    places.map(|(at, _)| at).collect()
                })
                .collect();
            assert_eq!(bars.len(), 4, "{table}");
            assert!(bars.windows(2).all(|w| w[0] == w[1]), "{table}");
        }
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
