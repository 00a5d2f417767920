//! Sampling and judging until enough prompts pass the filter, in a bounded number of rounds (DAPO's dynamic sampling).

use prime_policy::CausalLm;

use super::filtering::Filtered;
use super::rollout::{self, Round};
use super::{Clock, Environment, JudgedGroup, Learner};
use crate::activity;
use crate::error::TrainError;
use crate::metrics::StepMetrics;
use crate::not_finite::Stage;
use crate::unjudged::Unjudged;

/// Judged groups, and what could not be judged.
pub(super) type JudgedStep = (Vec<JudgedGroup>, Option<Unjudged>);

/// The groups of a step, those marked that are learned from. There may be none.
pub(super) fn collect<M: CausalLm>(
    learner: &mut Learner<M>,
    env: &Environment<'_>,
    step: u64,
    clock: &mut Clock,
    metrics: &mut StepMetrics,
) -> Result<JudgedStep, TrainError> {
    let rl = &env.config.rl;
    let mut all = Round::default();
    let mut filtered = Filtered::default();
    let mut rounds = 0;
    while rounds < rl.oversample_rounds && filtered.kept < rl.prompts_per_step {
        let responses = env.config.responses_per_step() as u64;
        activity::phase("sampling", "responses", responses);
        let prompts = rollout::next_prompts(learner, env)?;
        let sampled = rollout::sample(learner, env, step, all.prompts, &prompts)
            .map_err(|error| Stage::Sampling.explain(error))?;
        clock.lap("timing_s/rollout", metrics)?;

        activity::phase("judging", "", 0);
        let mut round = rollout::judge(env, step, prompts, sampled)?;
        filtered.mark(env, &mut round)?;
        clock.lap("timing_s/verify", metrics)?;
        rounds += 1;
        // Where nothing can be judged, another round costs as much and brings nothing.
        let judged = !round.groups.is_empty();
        all.append(round);
        if !judged {
            break;
        }
    }
    filtered.cap(&mut all.groups, rl.prompts_per_step);
    filtered.record(env, metrics);
    if rl.oversample_rounds > 1 {
        metrics.set_count("filter/rounds", rounds);
    }
    metrics.set_count("verifier/could_not_judge", all.unjudged.len());
    metrics.set_count("rollouts", all.responses);
    if env.problems.runs_unsandboxed() {
        metrics.set_count("verifier/unsandboxed", 1);
    }
    if all.groups.is_empty() {
        metrics.set_count("verifier/steps_unjudged", 1);
    }
    let first = all.unjudged.first();
    let reason = first.and_then(|first| first.could_not_judge.clone());
    let found = reason.map(|reason| Unjudged {
        count: all.unjudged.len(),
        of: all.responses,
        reason,
        nothing_left: all.groups.is_empty(),
        transcripts: all.unjudged,
    });
    Ok((all.groups, found))
}
