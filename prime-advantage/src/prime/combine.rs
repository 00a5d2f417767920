//! Adds the two halves, token by token.

use std::borrow::Cow;

use super::process::Process;
use super::{Prime, conflict};
use crate::kernel::{Decay, Line, suffix_sums};
use crate::moments::Moments;
use crate::packed::{pack, unpack};
use crate::scores::{fill, outcome_advantages};
use crate::whiten::{Before, combined, whiten_batch};
use crate::{
    AdvantageError, AdvantageEstimator, Advantages, ProcessHalf, Response, ResponseField,
    RewardBatch, parallel,
};

pub(super) fn estimate<P: AdvantageEstimator, O: AdvantageEstimator>(
    prime: &Prime<P, O>,
    batch: &RewardBatch<'_>,
) -> Result<Advantages, AdvantageError> {
    if prime.is_fused() {
        return fused(prime, batch);
    }
    let outcome = OutcomeTerm::of(prime, batch)?;
    let process = ProcessTerm::of(prime, batch)?;
    let responses: Vec<_> = batch.responses().collect();
    let decay = Decay::new(prime.process_gamma);
    let write = |r: usize, out: &mut [f32]| {
        let response = responses[r];
        // A constant joins the sums on their way to memory.
        let constant = match &outcome {
            OutcomeTerm::Constant(scores) => scores[r],
            OutcomeTerm::Tokens(_) => 0.0,
        };
        match &process {
            ProcessTerm::Off => fill(response, constant as f32, out),
            ProcessTerm::Sums(process, lines) => unpack(response, out, |out| {
                suffix_sums(&process.rewards[r], lines[r], &decay, constant, out);
            }),
            ProcessTerm::Tokens(advantages) => {
                let own = advantages.flat(r).advantages();
                for_policy_tokens(response, |t| {
                    out[t] = (prime.process_coef * f64::from(own[t]) + constant) as f32;
                });
            }
        }
        if let OutcomeTerm::Tokens(advantages) = &outcome {
            let own = advantages.flat(r).advantages();
            let mut weight = prime.outcome_coef;
            for_policy_tokens(response, |t| {
                out[t] = (f64::from(out[t]) + weight * f64::from(own[t])) as f32;
                weight *= prime.outcome_gamma;
            });
        }
        if prime.whiten {
            return Moments::of(&pack(out, response.mask()));
        }
        match (&process, &outcome) {
            (ProcessTerm::Sums(process, lines), OutcomeTerm::Constant(_))
                if process.bound(r, lines[r], constant) <= f64::from(f32::MAX) =>
            {
                Moments::default()
            }
            _ => Moments::finite_or_not(out),
        }
    };
    let mut result;
    if prime.whiten {
        // What is whitened is written to the returns, which keep it.
        result = Advantages::zeros_with_returns(batch);
        let moments = parallel::map(result.responses_mut(), |r, (_, returns)| write(r, returns));
        let moments = combined(&result, &moments)?;
        whiten_batch(&mut result, batch, Before::Returns, moments)?;
    } else {
        let moments;
        (result, moments) = Advantages::written(batch, write);
        combined(&result, &moments)?;
    }
    match (&outcome, &process) {
        (OutcomeTerm::Tokens(half), _) if prime.outcome.uses_values() => {
            result.set_returns_of(half);
        }
        (_, ProcessTerm::Tokens(half)) if prime.process.uses_values() => {
            result.set_returns_of(half);
        }
        _ => {}
    }
    Ok(result)
}

/// Visits the policy's own tokens, last to first.
fn for_policy_tokens(response: &Response<'_>, mut visit: impl FnMut(usize)) {
    let mask = response.mask();
    for t in (0..response.len()).rev() {
        if mask.is_none_or(|mask| mask[t]) {
            visit(t);
        }
    }
}

/// GAE (or whatever reads the critic) once, over the sum of both rewards.
fn fused<P: AdvantageEstimator, O: AdvantageEstimator>(
    prime: &Prime<P, O>,
    batch: &RewardBatch<'_>,
) -> Result<Advantages, AdvantageError> {
    let process = Process::of(prime, batch)?;
    let rewards = process.scaled(batch, prime.process_coef);
    let view = with_rewards(batch, &rewards, |outcome| {
        (prime.outcome_coef * f64::from(outcome)) as f32
    });
    let mut result = prime.outcome.estimate(&view)?;
    if prime.whiten {
        let masked = batch.responses().zip(result.iter());
        let moments: Vec<_> = masked
            .map(|(response, own)| Moments::of(&pack(own.advantages(), response.mask())))
            .collect();
        let moments = combined(&result, &moments)?;
        whiten_batch(&mut result, batch, Before::Advantages, moments)?;
    }
    Ok(result)
}

/// The batch with other process rewards (as [`Process::scaled`] orders them) and outcomes.
fn with_rewards<'v>(
    batch: &RewardBatch<'v>,
    rewards: &'v [Option<Cow<'v, [f32]>>],
    outcome: impl Fn(f32) -> f32,
) -> RewardBatch<'v> {
    let (members, greedy) = rewards.split_at(batch.response_count());
    let mut greedy = greedy.iter();
    let change = |response: &Response<'v>, own: Option<&'v [f32]>| {
        let response = response.with_outcome_reward(outcome(response.outcome_reward()));
        match own {
            Some(rewards) => response.with_process_rewards(rewards),
            None => response.without_process_rewards(),
        }
    };
    batch.map(
        |index, response| change(response, members[index].as_deref()),
        |response| change(response, greedy.next().and_then(Option::as_deref)),
    )
}

/// The outcome half.
enum OutcomeTerm {
    /// The same for every token of a response, coefficient included.
    Constant(Vec<f64>),
    /// Yet to be weighted and discounted.
    Tokens(Advantages),
}

impl OutcomeTerm {
    fn of<P: AdvantageEstimator, O: AdvantageEstimator>(
        prime: &Prime<P, O>,
        batch: &RewardBatch<'_>,
    ) -> Result<Self, AdvantageError> {
        let coef = prime.outcome_coef;
        if coef == 0.0 {
            return Ok(Self::Constant(vec![0.0; batch.response_count()]));
        }
        let scores = prime.outcome.as_scores();
        let scores = scores.filter(|s| !s.whitens() && prime.outcome_gamma == 1.0);
        if let Some(scores) = scores {
            let own = outcome_advantages(scores, batch)?.into_iter();
            // `+ 0.0` turns −0.0 into 0.0.
            return Ok(Self::Constant(own.map(|x| coef * x + 0.0).collect()));
        }
        let alone = batch.map(
            |_, response| response.without_process_rewards(),
            |greedy| greedy.without_process_rewards(),
        );
        match prime.outcome.estimate(&alone) {
            Ok(advantages) => Ok(Self::Tokens(advantages)),
            // The batch may well have them: they are the other half's.
            Err(AdvantageError::MissingInput {
                estimator,
                field: ResponseField::ProcessRewards,
                ..
            }) => conflict(format!(
                "`{estimator}` reads process rewards, which the `outcome` half does not see; \
                 make it `process`, or use it alone"
            )),
            Err(other) => Err(other),
        }
    }
}

/// The process half.
enum ProcessTerm<'a> {
    Off,
    /// Sums to the end of what these maps make of the rewards.
    Sums(Process<'a>, Vec<Line>),
    /// Yet to be weighted.
    Tokens(Advantages),
}

impl<'a> ProcessTerm<'a> {
    fn of<P: AdvantageEstimator, O: AdvantageEstimator>(
        prime: &Prime<P, O>,
        batch: &RewardBatch<'a>,
    ) -> Result<Self, AdvantageError> {
        if !prime.uses_process() {
            return Ok(Self::Off);
        }
        let process = Process::of(prime, batch)?;
        match prime.process.process_half() {
            ProcessHalf::Scores(scores) if !scores.whitens() => {
                let lines = process.lines(scores, batch, prime.process_coef)?;
                Ok(Self::Sums(process, lines))
            }
            ProcessHalf::Scores(scores) => {
                let lines = process.lines(scores, batch, 1.0)?;
                Ok(Self::Tokens(whitened_sums(prime, &process, &lines, batch)?))
            }
            _ => {
                let rewards = process.scaled(batch, 1.0);
                let view = with_rewards(batch, &rewards, |_| 0.0);
                Ok(Self::Tokens(prime.process.estimate(&view)?))
            }
        }
    }
}

fn whitened_sums<P, O>(
    prime: &Prime<P, O>,
    process: &Process<'_>,
    lines: &[Line],
    batch: &RewardBatch<'_>,
) -> Result<Advantages, AdvantageError> {
    let decay = Decay::new(prime.process_gamma);
    let responses: Vec<_> = batch.responses().collect();
    let mut sums = Advantages::zeros_with_returns(batch);
    let moments = parallel::map(sums.responses_mut(), |r, (_, returns)| {
        unpack(responses[r], returns, |out| {
            suffix_sums(&process.rewards[r], lines[r], &decay, 0.0, out);
            Moments::of(out)
        })
    });
    let moments = combined(&sums, &moments)?;
    whiten_batch(&mut sums, batch, Before::Returns, moments)?;
    Ok(sums)
}
