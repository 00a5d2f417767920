//! Adds the two halves, token by token.

use super::outcome_term::OutcomeKind;
use super::process::{Line, Process, ProcessResponse};
use super::{Prime, ProcessTerm};
use crate::gae::values_of;
use crate::outcome::OutcomeScores;
use crate::transform::{for_policy_tokens, for_policy_tokens_rev, whiten_batch};
use crate::{AdvantageError, Advantages, Gae, Response, RewardBatch};

pub(super) fn estimate(
    prime: &Prime,
    batch: &RewardBatch<'_>,
) -> Result<Advantages, AdvantageError> {
    let (result, whiten) = match prime.outcome.kind() {
        OutcomeKind::PerResponse(outcome) => (add_terms(prime, outcome, batch)?, prime.whiten),
        OutcomeKind::PerToken(gae) => (add_rewards(prime, gae, batch)?, prime.whiten || gae.whiten),
    };
    let mut result = result.into_finite()?;
    if whiten {
        whiten_batch(&mut result, batch)?;
    }
    Ok(result)
}

/// Outcome advantage plus process advantage.
fn add_terms(
    prime: &Prime,
    outcome: &dyn OutcomeScores,
    batch: &RewardBatch<'_>,
) -> Result<Advantages, AdvantageError> {
    let scores = match prime.outcome_coef {
        0.0 => vec![0.0; batch.response_count()],
        coef => outcome
            .scores(batch)?
            .into_iter()
            .map(|score| coef * score)
            .collect(),
    };
    let mut result = Advantages::zeros(batch);
    if !prime.uses_process() {
        for (r, (response, &score)) in batch.responses().zip(&scores).enumerate() {
            write_backwards(prime, response, score, |_| 0.0, result.flat_mut(r));
        }
        return Ok(result);
    }
    let process = Process::of(prime, batch)?;
    let lines = process.lines(prime, batch)?;
    let halves = scores.iter().zip(&lines).zip(&process.responses);
    for (r, (response, ((&score, &line), rewards))) in batch.responses().zip(halves).enumerate() {
        let line = Line {
            slope: prime.process_coef * line.slope,
            shift: prime.process_coef * line.shift,
        };
        let out = result.flat_mut(r);
        if prime.process == ProcessTerm::ValueBaseline {
            write_value_baseline(prime, response, score, (rewards, line.slope), out);
        } else {
            let shaped = |t| rewards.reward(t) * line.slope + line.shift;
            write_backwards(prime, response, score, shaped, out);
        }
    }
    Ok(result)
}

fn write_backwards(
    prime: &Prime,
    response: &Response<'_>,
    mut outcome: f64,
    reward: impl Fn(usize) -> f64,
    out: &mut [f32],
) {
    let mut to_go = 0.0;
    for_policy_tokens_rev(out.len(), response.mask(), |t| {
        to_go = reward(t) + prime.process_gamma * to_go;
        out[t] = (outcome + to_go) as f32;
        outcome *= prime.outcome_gamma;
    });
}

fn write_value_baseline(
    prime: &Prime,
    response: &Response<'_>,
    outcome: f64,
    (rewards, slope): (&ProcessResponse<'_>, f64),
    out: &mut [f32],
) {
    // The outcome is discounted backwards from the end, the prefix grows forwards: two passes.
    write_backwards(prime, response, outcome, |_| 0.0, out);
    let mut prefix = 0.0;
    for_policy_tokens(out.len(), response.mask(), |t| {
        out[t] = (f64::from(out[t]) - prefix) as f32;
        prefix += slope * rewards.reward(t);
    });
}

/// GAE over outcome plus process rewards.
fn add_rewards(
    prime: &Prime,
    gae: &Gae,
    batch: &RewardBatch<'_>,
) -> Result<Advantages, AdvantageError> {
    let process = if prime.uses_process() {
        Some(Process::of(prime, batch)?)
    } else {
        None
    };
    let mut result = Advantages::zeros_with_returns(batch);
    let mut flat = 0;
    for (g, group) in batch.groups().iter().enumerate() {
        let outcome_coef = if group.is_process_only() {
            0.0
        } else {
            prime.outcome_coef
        };
        for (i, response) in group.responses().iter().enumerate() {
            let values = values_of(response, g, i)?;
            let outcome = outcome_coef * f64::from(response.outcome_reward());
            let last = response.last_policy_token();
            let dense = process
                .as_ref()
                .map(|p| (&p.responses[flat], prime.process_coef * p.scale));
            let reward = |t: usize| {
                let paid = if Some(t) == last { outcome } else { 0.0 };
                dense.map_or(0.0, |(rewards, scale)| scale * rewards.reward(t)) + paid
            };
            gae.write(values, response.mask(), reward, result.flat_pair_mut(flat));
            flat += 1;
        }
    }
    Ok(result)
}
