//! A baseline for every position, weighted by how much gradient it gathers.

use serde::{Deserialize, Serialize};

use crate::error::check_not_negative;
use crate::kernel::{Decay, Line, suffix_sums};
use crate::knobs::knobs;
use crate::moments::Moments;
use crate::packed::unpack;
use crate::token_rewards::{TokenRewards, missing, zeros};
use crate::whiten::combined;
use crate::{
    AdvantageError, AdvantageEstimator, Advantages, Place, ProcessHalf, PromptGroup, Response,
    ResponseField, RewardBatch, Singleton, parallel,
};

/// `A_t = G_t − B_t`, with `G` the reward to go and, at each position of the group,
/// `B_t = Σ_j G_jt W_jt / (Σ_j W_jt + ε)` over the responses that have a policy token
/// there (verl `optimal_token_baseline`). The returns are `G`.
///
/// `W_jt` sums `1 − 2π + Σ_v π(v)²` over the policy tokens up to `t`, the expected
/// squared norm of the score function at the logits, times the squared importance
/// weight where there are any. It needs [`Response::with_old_log_probs`] and
/// [`Response::with_sum_pi_squared`].
///
/// The token rewards are the process rewards, where the batch has them, plus the
/// outcome reward at the last policy token.
///
/// # Edge cases
/// Positions are absolute: unlike elsewhere, a masked gap shifts the tokens behind it
/// against the other responses. Where all rewards to go at a position are the same,
/// `B_t` is exactly that number, so that equal outcomes give exactly `0.0`. That
/// includes a position only one response reaches; [`Self::handle_zero_tail`] changes it.
/// A group of one has nothing to be compared with: [`Self::singleton`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct OptimalTokenBaseline {
    /// No baseline where the group's longest response goes on alone, as in verl by
    /// default (which takes the number of policy tokens for a response's end, so that
    /// with gaps it stops too early). Equal outcomes then give `0.0` up to there only.
    /// Default: no.
    pub handle_zero_tail: bool,
    /// Added to the sum of weights; finite, at least 0. Default: 1e-8.
    pub epsilon: f64,
    /// What becomes of a group of one. Default: an error; verl: raw.
    pub singleton: Singleton,
}

impl Default for OptimalTokenBaseline {
    fn default() -> Self {
        Self {
            handle_zero_tail: false,
            epsilon: 1e-8,
            singleton: Singleton::Error,
        }
    }
}

knobs!(OptimalTokenBaseline {
    with_handle_zero_tail(handle_zero_tail: bool);
    with_epsilon(epsilon: f64);
    with_singleton(singleton: Singleton);
});

/// A response with what its baseline is made of: one entry per token, 0 where masked.
struct Member<'m> {
    returns: &'m [f32],
    weights: Vec<f64>,
    mask: Option<&'m [bool]>,
}

impl Member<'_> {
    fn has(&self, t: usize) -> bool {
        t < self.returns.len() && self.mask.is_none_or(|mask| mask[t])
    }

    /// One past the last policy token.
    fn end(&self) -> usize {
        (0..self.returns.len())
            .rev()
            .find(|&t| self.has(t))
            .map_or(0, |t| t + 1)
    }
}

impl OptimalTokenBaseline {
    /// `B_t` for every position of a group.
    fn baselines(&self, members: &[Member<'_>]) -> Vec<f64> {
        let mut ends: Vec<usize> = members.iter().map(Member::end).collect();
        ends.sort_unstable();
        let longest = ends.last().copied().unwrap_or(0);
        let shared = match ends.len().checked_sub(2) {
            Some(second) if self.handle_zero_tail => ends[second],
            _ => longest,
        };
        (0..longest)
            .map(|t| {
                if t >= shared {
                    return 0.0;
                }
                let (mut weighted, mut weights) = (0.0, 0.0);
                let mut common: Option<(f32, bool)> = None;
                for member in members.iter().filter(|member| member.has(t)) {
                    let to_go = member.returns[t];
                    weighted += f64::from(to_go) * member.weights[t];
                    weights += member.weights[t];
                    let (first, equal) = common.unwrap_or((to_go, true));
                    common = Some((first, equal && first == to_go));
                }
                match common {
                    Some((first, true)) => first.into(),
                    _ if weights == 0.0 => 0.0,
                    _ => weighted / (weights + self.epsilon),
                }
            })
            .collect()
    }
}

/// `W_t`: the running sum of each policy token's weight.
fn cumulative_weights(
    place: Place,
    response: &Response<'_>,
    estimator: &str,
) -> Result<Vec<f64>, AdvantageError> {
    if response.is_empty() {
        return Ok(vec![]);
    }
    let (log_probs, sums) = (response.old_log_probs(), response.sum_pi_squared());
    let log_probs =
        log_probs.ok_or_else(|| missing(estimator, ResponseField::OldLogProbs, place))?;
    let sums = sums.ok_or_else(|| missing(estimator, ResponseField::SumPiSquared, place))?;
    let mut running = 0.0;
    let weights = (0..response.len()).map(|t| {
        if response.mask().is_none_or(|mask| mask[t]) {
            let own = 1.0 - 2.0 * f64::from(log_probs[t]).exp() + f64::from(sums[t]);
            let importance = response
                .importance_weights()
                .map_or(1.0, |w| f64::from(w[t]));
            running += own * importance * importance;
        }
        running
    });
    Ok(weights.collect())
}

impl AdvantageEstimator for OptimalTokenBaseline {
    fn name(&self) -> &str {
        "optimal_token_baseline"
    }

    fn validate(&self) -> Result<(), AdvantageError> {
        check_not_negative("optimal_token_baseline", "epsilon", self.epsilon)
    }

    fn process_half(&self) -> ProcessHalf<'_> {
        ProcessHalf::Tokens
    }

    fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
        self.validate()?;
        let single = |group: &PromptGroup<'_>| group.len() == 1;
        if let Some(group) = batch.groups().iter().position(single)
            && self.singleton == Singleton::Error
        {
            return Err(AdvantageError::GroupTooSmall {
                estimator: self.name().to_owned(),
                group,
                size: 1,
                needed: 2,
            });
        }
        let weights: Vec<Vec<f64>> = batch
            .places()
            .map(|(place, response)| cumulative_weights(place, response, self.name()))
            .collect::<Result<_, _>>()?;
        let zeros = zeros(batch);
        let rewards = TokenRewards::of_batch(self.name(), batch, &zeros)?;
        let responses: Vec<_> = batch.responses().collect();
        let mut result = Advantages::zeros_with_returns(batch);
        let decay = Decay::new(1.0);
        let moments = parallel::map(result.responses_mut(), |r, (_, returns)| {
            let line = Line::identity(rewards[r].last);
            unpack(responses[r], returns, |out| {
                suffix_sums(&rewards[r].process, line, &decay, 0.0, out);
                Moments::finite_or_not(out)
            })
        });
        combined(&result, &moments)?;

        let mut weights = weights.into_iter();
        let mut slots = result.responses_mut().into_iter();
        let groups = batch.groups().iter().map(|group| {
            let slots: Vec<_> = slots.by_ref().take(group.len()).collect();
            let weights: Vec<_> = weights.by_ref().take(group.len()).collect();
            (group, slots, weights)
        });
        parallel::map(groups.collect(), |_, (group, slots, weights)| {
            let (advantages, returns): (Vec<_>, Vec<_>) = slots.into_iter().unzip();
            let members = returns.iter().zip(weights).zip(group.responses());
            let members: Vec<Member<'_>> = members
                .map(|((returns, weights), response)| Member {
                    returns,
                    weights,
                    mask: response.mask(),
                })
                .collect();
            let baselines = match (group.len(), self.singleton) {
                (1, Singleton::Raw) => vec![0.0; members[0].end()],
                // Its own baseline: exactly 0.0.
                _ => self.baselines(&members),
            };
            for (member, out) in members.iter().zip(advantages) {
                for t in (0..member.end()).filter(|&t| member.has(t)) {
                    out[t] = (f64::from(member.returns[t]) - baselines[t] + 0.0) as f32;
                }
            }
        });
        result.into_finite()
    }
}
