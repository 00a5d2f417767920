//! The best policy so far, and when to stop waiting for a better one.

use crate::checkpoint::{About, Best, Checkpoints};
use crate::config::Config;
use crate::error::TrainError;
use crate::metrics::StepMetrics;
use crate::step::Learner;
use crate::view;

/// Whether an evaluation has the metric of `run.save_best`: else no policy would ever be kept. One in which nothing could be
/// judged is no evidence.
///
/// # Errors
/// [`TrainError::Usage`] names the metrics that there are.
pub(super) fn measured(config: &Config, record: &StepMetrics) -> Result<(), TrainError> {
    let metric = &config.run.save_best;
    let unjudged = record.get("eval/could_not_judge").is_some();
    if metric.is_empty() || unjudged || record.get(metric).is_some() {
        return Ok(());
    }
    let names = record.iter().map(|(name, _)| name);
    let names: Vec<&str> = names.filter(|name| name.starts_with("eval/")).collect();
    let there = match names[..] {
        [] => "nothing is held out (data.eval_file)".to_owned(),
        _ => format!("there are {}", names.join(", ")),
    };
    Err(TrainError::Usage(format!(
        "run.save_best is {metric:?}, which the evaluation does not measure: {there}"
    )))
}

/// How the metric of `run.save_best` goes on.
#[derive(Debug, Default)]
pub(super) struct Gain {
    best: Option<Best>,
    /// Evaluations since.
    without: usize,
}

impl Gain {
    /// As it was after the steps that these records are of; the files are those of `checkpoints`.
    pub(super) fn resume(
        config: &Config,
        checkpoints: &Checkpoints,
        records: &[StepMetrics],
    ) -> Result<Self, TrainError> {
        let last = records.last().map_or(0, StepMetrics::step);
        let metric = &config.run.save_best;
        // One of steps that will be taken again is found again.
        let best = checkpoints.best()?;
        let best = best.filter(|best| best.step <= last && best.metric == *metric);
        let measured = |record: &&StepMetrics| record.get(metric).is_some();
        let since = best.as_ref().map_or(0, |best| best.step);
        let later = records.iter().filter(|record| record.step() > since);
        Ok(Self {
            without: later.filter(measured).count(),
            best,
        })
    }

    /// Takes in a record, and keeps the policy if it is the best. Whether the run should end.
    pub(super) fn look(
        &mut self,
        config: &Config,
        record: &StepMetrics,
        checkpoints: &Checkpoints,
        learner: &Learner<prime_policy::Decoder>,
        about: &About,
    ) -> Result<bool, TrainError> {
        let metric = &config.run.save_best;
        let Some(value) = record.get(metric).filter(|_| !metric.is_empty()) else {
            return Ok(false);
        };
        if self.best.as_ref().is_none_or(|best| value > best.value) {
            let best = Best {
                metric: metric.clone(),
                value,
                step: record.step(),
            };
            checkpoints.save_best(&best, &learner.actor.policy, about)?;
            *self = Self {
                best: Some(best),
                without: 0,
            };
            return Ok(false);
        }
        self.without += 1;
        let after = config.run.stop_after;
        let over = after > 0 && self.without >= after;
        if let Some(best) = self.best.as_ref().filter(|_| over) {
            view::say(&format!(
                "step {}: {metric} has not risen above {:.4} of step {} in {} evaluations; the run ends (run.stop_after)",
                record.step(),
                best.value,
                best.step,
                self.without
            ));
        }
        Ok(over)
    }
}
