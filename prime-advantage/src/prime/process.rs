//! The process half of PRIME: scaling and baselines of token rewards.

use super::{LooScaling, Prime, ProcessNorm, ProcessTerm};
use crate::transform::{for_policy_tokens, for_policy_tokens_rev};
use crate::{AdvantageError, PromptGroup, Response, ResponseField, RewardBatch};

/// Keeps batch norm finite while the PRM still equals its reference.
const NORM_EPSILON: f64 = 1e-6;
/// Added to the standard deviation of [`ProcessTerm::Grpo`].
const STD_EPSILON: f64 = 1e-6;
/// Token means closer than this share of the largest token reward differ by
/// rounding only; their standard deviation is noise.
const TIE: f64 = 1e-9;

/// The process rewards of a batch, scaled and summed up.
pub(super) struct Process<'a> {
    /// What every reward is multiplied with.
    pub(super) scale: f64,
    pub(super) responses: Vec<ProcessResponse<'a>>,
}

pub(super) struct ProcessResponse<'a> {
    rewards: &'a [f32],
    dropped: Option<usize>,
    // Over policy tokens, before scaling.
    mean: f64,
    largest: f64,
}

/// `x_t = slope · r_t + shift`, with `r_t` before scaling.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) slope: f64,
    pub(super) shift: f64,
}

impl ProcessResponse<'_> {
    /// The reward at a policy token, before scaling.
    pub(super) fn reward(&self, t: usize) -> f64 {
        if self.dropped == Some(t) {
            0.0
        } else {
            f64::from(self.rewards[t])
        }
    }
}

impl<'a> Process<'a> {
    pub(super) fn of(prime: &Prime, batch: &RewardBatch<'a>) -> Result<Self, AdvantageError> {
        let mut responses = Vec::with_capacity(batch.response_count());
        let mut largest_return = 0.0f64;
        for (g, group) in batch.groups().iter().enumerate() {
            for (i, response) in group.responses().iter().enumerate() {
                let rewards = rewards_of(response, g, i)?;
                let dropped = response
                    .last_policy_token()
                    .filter(|_| prime.drop_last_token);
                let mut entry = ProcessResponse {
                    rewards,
                    dropped,
                    mean: 0.0,
                    largest: 0.0,
                };
                let (mut sum, mut count) = (0.0, 0usize);
                let mut largest = 0.0f64;
                let mut add = |t| {
                    let reward = entry.reward(t);
                    sum += reward;
                    count += 1;
                    largest = largest.max(reward.abs());
                    sum
                };
                // Backwards, the running sum is the return that batch norm bounds.
                match prime.process_norm {
                    ProcessNorm::BatchNorm => {
                        for_policy_tokens_rev(response.len(), response.mask(), |t| {
                            largest_return = largest_return.max(add(t).abs());
                        });
                    }
                    ProcessNorm::None => for_policy_tokens(response.len(), response.mask(), |t| {
                        add(t);
                    }),
                }
                entry.mean = sum / count.max(1) as f64;
                entry.largest = largest;
                responses.push(entry);
            }
        }
        let scale = match prime.process_norm {
            ProcessNorm::None => 1.0,
            ProcessNorm::BatchNorm => (largest_return + NORM_EPSILON).recip(),
        };
        Ok(Self { scale, responses })
    }

    /// One line per response, group after group.
    pub(super) fn lines(
        &self,
        prime: &Prime,
        batch: &RewardBatch<'_>,
    ) -> Result<Vec<Line>, AdvantageError> {
        let mut lines = Vec::with_capacity(self.responses.len());
        for (g, group) in batch.groups().iter().enumerate() {
            let members = &self.responses[lines.len()..lines.len() + group.len()];
            match prime.process {
                ProcessTerm::Reinforce | ProcessTerm::ValueBaseline => {
                    lines.extend(members.iter().map(|_| Line {
                        slope: self.scale,
                        shift: 0.0,
                    }));
                }
                ProcessTerm::Rloo => {
                    check_pair(g, group)?;
                    lines.extend(self.leave_one_out(members, prime.loo_scaling));
                }
                ProcessTerm::Grpo => {
                    let line = self.standardised(members);
                    lines.extend(members.iter().map(|_| line));
                }
            }
        }
        Ok(lines)
    }

    fn leave_one_out(
        &self,
        members: &[ProcessResponse<'_>],
        scaling: LooScaling,
    ) -> impl Iterator<Item = Line> {
        let scale = self.scale;
        let size = members.len() as f64;
        let others = size - 1.0;
        let sum: f64 = members.iter().map(|m| m.mean).sum();
        members.iter().map(move |member| match scaling {
            LooScaling::Paper => Line {
                slope: scale,
                shift: -scale * (sum - member.mean) / others,
            },
            LooScaling::Code => Line {
                slope: scale * size / others,
                shift: -scale * sum / others,
            },
        })
    }

    fn standardised(&self, members: &[ProcessResponse<'_>]) -> Line {
        let means = members.iter().map(|m| m.mean);
        let low = means.clone().fold(f64::INFINITY, f64::min);
        let high = means.clone().fold(f64::NEG_INFINITY, f64::max);
        let largest = members.iter().map(|m| m.largest).fold(0.0, f64::max);
        if high - low <= TIE * largest {
            return Line {
                slope: 0.0,
                shift: 0.0,
            };
        }
        let mean = means.clone().sum::<f64>() / members.len() as f64;
        let squares: f64 = means.map(|m| (m - mean).powi(2)).sum();
        let deviation = (squares / (members.len() - 1) as f64).sqrt();
        let slope = self.scale / (self.scale * deviation + STD_EPSILON);
        Line {
            slope,
            shift: -slope * mean,
        }
    }
}

fn rewards_of<'a>(
    response: &Response<'a>,
    group: usize,
    index: usize,
) -> Result<&'a [f32], AdvantageError> {
    match response.process_rewards() {
        Some(rewards) => Ok(rewards),
        None if response.is_empty() => Ok(&[]),
        None => Err(AdvantageError::MissingInput {
            estimator: "prime",
            field: ResponseField::ProcessRewards,
            group,
            response: index,
        }),
    }
}

fn check_pair(group: usize, members: &PromptGroup<'_>) -> Result<(), AdvantageError> {
    match members.len() {
        1 => Err(AdvantageError::GroupTooSmall {
            estimator: "prime (process `rloo`)",
            group,
            size: 1,
            needed: 2,
        }),
        _ => Ok(()),
    }
}
