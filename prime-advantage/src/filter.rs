//! Which prompt groups are worth learning from.

use serde::{Deserialize, Serialize};

use crate::knobs::knobs;
use crate::{AdvantageError, PromptGroup};

/// Slack of the accuracy bounds: the mean of four rewards of `0.2_f32` is not
/// exactly 0.2, but must count as 0.2.
const TOLERANCE: f64 = 1e-6;

/// PRIME's online prompt filter: keeps groups of medium difficulty.
///
/// The published recipe keeps mean outcome rewards in `[0.2, 0.8]`; bounds 0 and
/// 1 with `filter_zero_variance` are DAPO's dynamic sampling.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PromptFilter {
    /// The least mean outcome reward kept, inclusive. Default: 0.2.
    pub accuracy_lower_bound: f64,
    /// The greatest mean outcome reward kept, inclusive. Default: 0.8.
    pub accuracy_upper_bound: f64,
    /// Drop groups whose outcome rewards are all equal. Default: no.
    pub filter_zero_variance: bool,
    /// Drop groups with a truncated response
    /// ([`Response::with_truncated`](crate::Response::with_truncated)). Default: no.
    pub filter_truncated: bool,
}

impl Default for PromptFilter {
    fn default() -> Self {
        Self {
            accuracy_lower_bound: 0.2,
            accuracy_upper_bound: 0.8,
            filter_zero_variance: false,
            filter_truncated: false,
        }
    }
}

knobs!(PromptFilter {
    with_accuracy_lower_bound(accuracy_lower_bound: f64);
    with_accuracy_upper_bound(accuracy_upper_bound: f64);
    with_filter_zero_variance(filter_zero_variance: bool);
    with_filter_truncated(filter_truncated: bool);
});

/// What the filter says of one group. A group that fails several tests gets the
/// first reason in the order below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GroupVerdict {
    /// Learn from it.
    Keep,
    /// Mean outcome reward under the lower bound.
    TooHard,
    /// Mean outcome reward over the upper bound.
    TooEasy,
    /// All outcome rewards equal.
    ZeroVariance,
    /// A response hit the length limit.
    Truncated,
}

/// How many groups got which verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FilterCounts {
    /// [`GroupVerdict::Keep`].
    pub kept: usize,
    /// [`GroupVerdict::TooHard`].
    pub too_hard: usize,
    /// [`GroupVerdict::TooEasy`].
    pub too_easy: usize,
    /// [`GroupVerdict::ZeroVariance`].
    pub zero_variance: usize,
    /// [`GroupVerdict::Truncated`].
    pub truncated: usize,
}

/// The verdicts in the order of the groups, and their counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FilterReport {
    /// One verdict per group.
    pub verdicts: Vec<GroupVerdict>,
    /// The same, counted.
    pub counts: FilterCounts,
}

impl FilterReport {
    /// The positions of the kept groups, ascending.
    pub fn kept(&self) -> impl Iterator<Item = usize> + '_ {
        let keep = self
            .verdicts
            .iter()
            .enumerate()
            .filter(|(_, v)| **v == GroupVerdict::Keep);
        keep.map(|(g, _)| g)
    }
}

impl PromptFilter {
    /// Judges each group by itself.
    ///
    /// # Errors
    /// [`AdvantageError::OutOfRange`] for a bound that is not finite or a lower
    /// bound above the upper one.
    pub fn apply(&self, groups: &[PromptGroup<'_>]) -> Result<FilterReport, AdvantageError> {
        self.validate()?;
        let verdicts: Vec<_> = groups.iter().map(|group| self.judge(group)).collect();
        let mut counts = FilterCounts::default();
        for verdict in &verdicts {
            let count = match verdict {
                GroupVerdict::Keep => &mut counts.kept,
                GroupVerdict::TooHard => &mut counts.too_hard,
                GroupVerdict::TooEasy => &mut counts.too_easy,
                GroupVerdict::ZeroVariance => &mut counts.zero_variance,
                GroupVerdict::Truncated => &mut counts.truncated,
            };
            *count += 1;
        }
        Ok(FilterReport { verdicts, counts })
    }

    /// Judges the groups and drops those that are not kept.
    ///
    /// # Errors
    /// As [`PromptFilter::apply`].
    pub fn retain(
        &self,
        groups: &mut Vec<PromptGroup<'_>>,
    ) -> Result<FilterReport, AdvantageError> {
        let report = self.apply(groups)?;
        let mut verdicts = report.verdicts.iter();
        groups.retain(|_| verdicts.next() == Some(&GroupVerdict::Keep));
        Ok(report)
    }

    /// Checks the bounds, so that a config file's mistake shows before step 0.
    ///
    /// # Errors
    /// As [`PromptFilter::apply`].
    pub fn validate(&self) -> Result<(), AdvantageError> {
        let (lower, upper) = (self.accuracy_lower_bound, self.accuracy_upper_bound);
        let wrong = |knob, value, range| AdvantageError::OutOfRange {
            owner: "filter",
            knob,
            value,
            range,
        };
        if !lower.is_finite() {
            return Err(wrong("accuracy_lower_bound", lower, "finite"));
        }
        if !upper.is_finite() || upper < lower {
            return Err(wrong(
                "accuracy_upper_bound",
                upper,
                "finite and at least `accuracy_lower_bound`",
            ));
        }
        Ok(())
    }

    fn judge(&self, group: &PromptGroup<'_>) -> GroupVerdict {
        let mean = group.outcome_rewards().sum::<f64>() / group.len() as f64;
        if mean < self.accuracy_lower_bound - TOLERANCE {
            GroupVerdict::TooHard
        } else if mean > self.accuracy_upper_bound + TOLERANCE {
            GroupVerdict::TooEasy
        } else if self.filter_zero_variance && group.has_equal_outcomes() {
            GroupVerdict::ZeroVariance
        } else if self.filter_truncated && group.responses().iter().any(|r| r.is_truncated()) {
            GroupVerdict::Truncated
        } else {
            GroupVerdict::Keep
        }
    }
}
