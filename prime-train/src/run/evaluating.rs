//! The evaluation of a run's policy, as metrics of a step.

use std::time::Instant;

use super::Run;
use crate::config::EvalResponses;
use crate::error::TrainError;
use crate::eval::{Evaluation, evaluate_with, responses_path, write_responses};
use crate::metrics::StepMetrics;
use crate::not_finite::Stage;
use crate::opening::evaluating;
use crate::view;

impl Run {
    pub(super) fn evaluate_into(
        &self,
        problems: usize,
        record: &mut StepMetrics,
    ) -> Result<Option<Evaluation>, TrainError> {
        if self.problems.held_out().is_empty() {
            return Ok(None);
        }
        let long = self.progress && self.config.data.task.builtin().is_none();
        if long {
            view::say(&evaluating(&self.problems, &self.config, problems));
        }
        let _left = super::rescue::may_be_left();
        let clock = Instant::now();
        let policy = &self.learner.actor.policy;
        let wanted = match self.config.eval.responses {
            EvalResponses::None => false,
            EvalResponses::Ends => [0, self.config.rl.steps as u64].contains(&record.step()),
            EvalResponses::All => true,
        };
        let mut responses = vec![];
        let evaluated = evaluate_with(
            policy,
            &self.config,
            &self.problems,
            &self.about.tokenizer,
            problems,
            &mut |response| {
                if wanted {
                    responses.push(response);
                }
            },
        );
        if wanted {
            let path = responses_path(&self.folder, record.step());
            write_responses(&path, &responses)?;
        }
        let result = match evaluated {
            Ok(result) => result,
            // The policy is no worse for it, and the steps are not lost.
            Err(TrainError::NothingJudged { responses, reason }) => {
                view::say(&format!(
                    "warning: step {}: none of the {responses} responses of the evaluation could be judged, so there is no pass@1; the first: {reason}",
                    record.step()
                ));
                record.set_count("eval/could_not_judge", responses);
                record.set("timing_s/eval", clock.elapsed().as_secs_f64())?;
                return Ok(None);
            }
            Err(error) => return Err(Stage::Sampling.explain(error)),
        };
        let builtin = self.config.data.task.builtin().is_some();
        record_evaluation(record, "eval", &result, builtin && self.config.eval.k == 1)?;
        for (name, reason) in &result.not_judged {
            view::say(&format!(
                "warning: no response of the held-out set {name} could be judged; the first: {reason}"
            ));
        }
        if long {
            let stderr = result
                .stderr
                .map_or(String::new(), |stderr| format!(" ± {:.1}", 100.0 * stderr));
            let seconds = clock.elapsed().as_secs_f64();
            view::say(&format!(
                "pass@1 {:.1}{stderr} % (n = {}), {seconds:.1} s",
                100.0 * result.avg_at_k,
                result.n
            ));
        }
        record.set("timing_s/eval", clock.elapsed().as_secs_f64())?;
        Ok(Some(result))
    }
}

/// An evaluation as metrics that begin with `stem`. The built-in tasks have scores of 0 and 1 and one response a problem: what
/// follows from n and pass@1 is left out there.
fn record_evaluation(
    record: &mut StepMetrics,
    stem: &str,
    found: &Evaluation,
    plain: bool,
) -> Result<(), TrainError> {
    if found.could_not_judge > 0 {
        record.set_count(&format!("{stem}/could_not_judge"), found.could_not_judge);
    }
    record.set(&format!("{stem}/pass@1"), found.avg_at_k)?;
    record.set_count(&format!("{stem}/n"), found.n);
    if let Some(stderr) = found.stderr.filter(|_| !plain) {
        record.set(&format!("{stem}/pass@1_stderr"), stderr)?;
    }
    for (k, share) in found.pass_at.range(2..) {
        record.set(&format!("{stem}/pass@{k}"), *share)?;
    }
    if let Some(majority) = found.maj_at_k.filter(|_| found.k > 1) {
        record.set(&format!("{stem}/maj@{}", found.k), majority)?;
    }
    record.set(&format!("{stem}/truncated"), found.truncated)?;
    record.set(&format!("{stem}/unjudged"), found.unjudged)?;
    if let Some(answers) = found.answers {
        record.set(&format!("{stem}/answers"), answers)?;
    }
    for (source, share) in &found.sources {
        record.set(&format!("{stem}/{source}/pass@1"), *share)?;
    }
    for (name, set) in &found.sets {
        record_evaluation(record, &format!("{stem}/{name}"), set, plain)?;
    }
    Ok(())
}
