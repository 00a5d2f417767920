//! What is known of a run at a moment, and how it is said in one line.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::activity;
use crate::metrics::StepMetrics;

/// Values of a metric that are kept for its curve.
const CURVE: usize = 60;
/// Steps that the time left is estimated from.
const STEPS: usize = 20;

/// A run as it is shown.
pub(super) struct Board {
    pub(super) folder: String,
    pub(super) begun: Instant,
    /// The step that is taken now; 0 before the first.
    pub(super) step: u64,
    pub(super) steps: u64,
    /// The last values of what is measured, by name.
    pub(super) curves: BTreeMap<String, VecDeque<f64>>,
    /// The step of the last record, and of the last evaluation.
    pub(super) recorded: Option<u64>,
    pub(super) evaluated: Option<u64>,
    pub(super) warning: Option<String>,
    /// When the last steps ended.
    ends: VecDeque<Instant>,
    /// What is being done, for tests; else it is read from the noticeboard.
    pub(super) doing: Option<Doing>,
}

/// A phase as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Doing {
    pub(super) name: String,
    /// Parts done, of how many, and what they are.
    pub(super) count: Option<(u64, u64, &'static str)>,
    pub(super) message: String,
    pub(super) seconds: f64,
    pub(super) tokens: u64,
}

impl Board {
    pub(super) fn new(folder: String, steps: u64) -> Self {
        Self {
            folder,
            begun: Instant::now(),
            step: 0,
            steps,
            curves: BTreeMap::new(),
            recorded: None,
            evaluated: None,
            warning: None,
            ends: VecDeque::new(),
            doing: None,
        }
    }

    pub(super) fn record(&mut self, record: &StepMetrics) {
        for (name, value) in record.iter() {
            let curve = self.curves.entry(name.to_owned()).or_default();
            if curve.len() == CURVE {
                curve.pop_front();
            }
            curve.push_back(value.as_f64());
        }
        self.recorded = Some(record.step());
        if record.get("eval/pass@1").is_some() {
            self.evaluated = Some(record.step());
        }
        if self.ends.len() > STEPS {
            self.ends.pop_front();
        }
        self.ends.push_back(Instant::now());
    }

    /// A line was said; the last warning stays in sight.
    pub(super) fn said(&mut self, line: &str) {
        if let Some(warning) = line.strip_prefix("warning: ") {
            self.warning = Some(warning.to_owned());
        }
    }

    /// From the last steps; `None` before the second record.
    pub(super) fn left(&self) -> Option<Duration> {
        let (first, last) = (self.ends.front()?, self.ends.back()?);
        let steps = u32::try_from(self.ends.len() - 1).ok().filter(|n| *n > 0)?;
        let each = last.duration_since(*first) / steps;
        let left = self.steps.saturating_sub(self.recorded?);
        Some(each * u32::try_from(left).ok()?)
    }

    pub(super) fn doing(&self) -> Option<Doing> {
        if let Some(doing) = &self.doing {
            return Some(doing.clone());
        }
        let (phase, done, tokens) = activity::now()?;
        Some(Doing {
            name: phase.name.to_owned(),
            count: (phase.of > 0).then_some((done.min(phase.of), phase.of, phase.unit)),
            message: phase.message,
            seconds: phase.since.elapsed().as_secs_f64(),
            tokens,
        })
    }

    /// What is being done, in a line; `None` if nobody said.
    pub(super) fn line(&self) -> Option<String> {
        let doing = self.doing()?;
        let step = match self.step {
            0 => String::new(),
            step => format!("step {step}: "),
        };
        Some(format!("{step}{}", doing.text()))
    }
}

impl Doing {
    /// E.g. `sampling 34/64 responses, 812 tokens/s, 41 s`.
    pub(super) fn text(&self) -> String {
        let mut text = self.name.clone();
        if let Some((done, of, unit)) = self.count {
            text.push_str(&format!(" {done}/{of} {unit}"));
        }
        if !self.message.is_empty() {
            text.push_str(&format!(", {}", self.message));
        }
        if self.tokens > 0 && self.seconds >= 1.0 {
            let rate = self.tokens as f64 / self.seconds;
            text.push_str(&format!(", {rate:.0} tokens/s"));
        }
        text.push_str(&format!(", {}", duration(self.seconds)));
        text
    }
}

/// E.g. `41 s`, `3 min 07 s`, `2 h 05 min`.
pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_said_in_a_line() {
        let mut board = Board::new("runs/a".into(), 300);
        assert_eq!(board.line(), None);
        board.doing = Some(Doing {
            name: "sampling".into(),
            count: Some((34, 64, "responses")),
            message: String::new(),
            seconds: 41.5,
            tokens: 8300,
        });
        let line = board.line();
        assert_eq!(
            line.as_deref(),
            Some("sampling 34/64 responses, 200 tokens/s, 41 s")
        );
        board.step = 12;
        assert!(board.line().unwrap().starts_with("step 12: sampling"));
        assert_eq!(
            [duration(187.0), duration(7500.0)],
            ["3 min 07 s", "2 h 05 min"]
        );
    }

    #[test]
    fn curves_are_short_and_the_last_warning_stays() {
        let mut board = Board::new("runs/a".into(), 300);
        assert_eq!(board.left(), None);
        for step in 0..=100 {
            let mut record = StepMetrics::new(step);
            record.set("acc", step as f64).unwrap();
            board.record(&record);
        }
        assert_eq!(
            (board.curves["acc"].back(), board.curves["acc"].len()),
            (Some(&100.0), CURVE)
        );
        assert!(board.left().is_some() && board.ends.len() <= STEPS + 1);
        board.said("warning: entropy is low");
        board.said("saved");
        assert_eq!(board.warning.as_deref(), Some("entropy is low"));
    }
}
