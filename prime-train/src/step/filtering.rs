//! The online prompt filter (paper §2.3): which groups are learned from, and why the others are not.

use prime_advantage::{GroupVerdict, PromptGroup, Response as RewardedResponse};
use prime_policy::FinishReason;

use super::rollout::Round;
use super::{Environment, JudgedGroup};
use crate::error::TrainError;
use crate::metrics::StepMetrics;

/// What became of a step's prompts.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Filtered {
    /// All prompts.
    groups: usize,
    /// Those that pass, before they are capped.
    pub(super) kept: usize,
    all_right: usize,
    all_wrong: usize,
    out_of_range: usize,
    truncated: usize,
    /// Fewer than two responses could be judged.
    unjudged: usize,
    /// Passed, but there were enough.
    surplus: usize,
}

impl Filtered {
    /// Marks the groups of a round that pass.
    pub(super) fn mark(
        &mut self,
        env: &Environment<'_>,
        round: &mut Round,
    ) -> Result<(), TrainError> {
        self.groups += round.prompts as usize;
        self.unjudged += round.prompts as usize - round.groups.len();
        let Some(filter) = env.config.prompt_filter() else {
            self.kept += round.groups.len();
            return Ok(());
        };
        let candidates = round
            .groups
            .iter()
            .map(|group| {
                let responses = group.responses.iter().map(|r| {
                    let truncated = r.response.finish == FinishReason::Length;
                    RewardedResponse::new(r.response.tokens.len(), r.outcome)
                        .with_truncated(truncated)
                });
                PromptGroup::new(responses.collect())
            })
            .collect::<Result<Vec<_>, _>>()?;
        let verdicts = filter.apply(&candidates)?.verdicts;
        drop(candidates);
        for (group, verdict) in round.groups.iter_mut().zip(verdicts) {
            group.kept = verdict == GroupVerdict::Keep;
            *self.count(group, verdict) += 1;
        }
        Ok(())
    }

    fn count(&mut self, group: &JudgedGroup, verdict: GroupVerdict) -> &mut usize {
        let all = |holds: fn(f32) -> bool| group.responses.iter().all(|r| holds(r.outcome));
        match verdict {
            GroupVerdict::Keep => &mut self.kept,
            GroupVerdict::Truncated => &mut self.truncated,
            _ if all(|outcome| outcome >= 1.0) => &mut self.all_right,
            _ if all(|outcome| outcome <= 0.0) => &mut self.all_wrong,
            _ => &mut self.out_of_range,
        }
    }

    /// Leaves at most `room` of the groups that pass, the first ones.
    pub(super) fn cap(&mut self, groups: &mut [JudgedGroup], room: usize) {
        for group in groups.iter_mut().filter(|group| group.kept).skip(room) {
            group.kept = false;
            self.surplus += 1;
        }
    }

    pub(super) fn record(&self, env: &Environment<'_>, metrics: &mut StepMetrics) {
        let filter = &env.config.filter;
        let by_accuracy = filter.accuracy;
        for (name, count, said) in [
            ("groups", self.groups, true),
            ("kept_groups", self.kept, true),
            ("all_right", self.all_right, by_accuracy),
            ("all_wrong", self.all_wrong, by_accuracy),
            ("out_of_range", self.out_of_range, by_accuracy),
            ("truncated", self.truncated, filter.truncated),
            ("unjudged", self.unjudged, true),
            ("surplus", self.surplus, true),
        ] {
            if said {
                metrics.set_count(&format!("filter/{name}"), count);
            }
        }
    }
}
