//! What rules look at: a step's record, and what is kept of those before it.

use std::collections::VecDeque;

use crate::config::Config;
use crate::metrics::StepMetrics;

/// A measurement on held-out problems.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct HeldOut {
    pub(super) value: f64,
    pub(super) stderr: f64,
}

/// What is kept of earlier steps.
#[derive(Debug, Default)]
pub(super) struct History {
    /// How well the PRM ranked, in the last steps that say so.
    ranking: VecDeque<f64>,
    /// The best evaluation.
    pub(super) best: Option<HeldOut>,
}

impl History {
    /// Takes a step's record in.
    pub(super) fn add(&mut self, record: &StepMetrics, config: &Config) {
        if let Some(found) = ranking(record) {
            self.ranking.push_back(found);
            while self.ranking.len() > config.watch.patience {
                self.ranking.pop_front();
            }
        }
        if let Some(now) = held_out(record)
            && self.best.is_none_or(|best| now.value > best.value)
        {
            self.best = Some(now);
        }
    }
}

/// A step as rules see it; it is part of the history already.
pub(super) struct Seen<'a> {
    pub(super) record: &'a StepMetrics,
    pub(super) config: &'a Config,
    pub(super) history: &'a History,
}

impl Seen<'_> {
    pub(super) fn get(&self, name: &str) -> Option<f64> {
        self.record.get(name)
    }

    pub(super) fn held_out(&self) -> Option<HeldOut> {
        held_out(self.record)
    }

    /// Mean of the last `watch.patience` rankings; `None` with fewer, and where this step has none.
    pub(super) fn ranking(&self) -> Option<f64> {
        ranking(self.record)?;
        let known = &self.history.ranking;
        let enough = known.len() >= self.config.watch.patience;
        enough.then(|| known.iter().sum::<f64>() / known.len() as f64)
    }
}

/// Of answers where the task knows them, else of responses.
fn ranking(record: &StepMetrics) -> Option<f64> {
    let of_answers = record.get("reward_model/step_auc");
    of_answers.or_else(|| record.get("reward_model/dpo_acc_before"))
}

fn held_out(record: &StepMetrics) -> Option<HeldOut> {
    let value = record.get("eval/pass@1")?;
    let n = record.get("eval/n")?.max(1.0);
    // A mean of 0s and 1s, where none was measured.
    let binomial = (value * (1.0 - value) / n).max(0.0).sqrt();
    let stderr = record.get("eval/pass@1_stderr").unwrap_or(binomial);
    Some(HeldOut { value, stderr })
}
