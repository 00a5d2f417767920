//! How long a step is likely to take.
//!
//! Measured are: the time that a step's first batches take to read their prompts and to sample a few tokens, at the number of
//! rows that a step has; judging; and learning from the samples, with the reward model's and reference's passes, on a copy.
//! From there it is proportion: to the number of batches and the longest response for sampling (half of a token's time is taken
//! to be that of the weights, whoever is still being sampled), to the number of tokens for learning.

use std::time::Instant;

use prime_policy::{CausalLm, GenerationRequest, SamplingConfig, generate};
use serde::Serialize;

use super::sample::Taken;
use crate::error::TrainError;
use crate::step::{BATCHES, Environment, Learner, rehearse, rows_per_batch};

/// Tokens sampled to see how long one takes.
const TOKENS: usize = 8;
/// The share of a token's time that does not depend on how many responses are sampled.
const FIXED: f64 = 0.5;

/// Seconds of a step by phase.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Seconds {
    /// All of it.
    pub step: f64,
    /// Sampling.
    pub rollout: f64,
    /// Judging.
    pub verify: f64,
    /// The reward model: learning and scoring.
    pub prm: f64,
    /// The policy's update.
    pub policy: f64,
    /// The share of prompts that the filter is likely to keep.
    pub kept: f64,
}

pub(super) fn seconds<M: CausalLm>(
    learner: &Learner<M>,
    env: &Environment<'_>,
    taken: &Taken,
) -> Result<Seconds, TrainError> {
    let config = env.config;
    let responses = config.responses_per_step();
    let rollout = sampling(learner, env, taken, responses)?;

    let mut once = config.clone();
    once.rl.epochs_per_step = 1;
    once.rl.mini_batch_size = 0;
    let rehearsed = rehearse(
        learner,
        &Environment {
            config: &once,
            ..*env
        },
        &taken.groups,
    )?;
    let learned: usize = taken.groups.iter().map(|group| group.responses.len()).sum();
    let kept = share_kept(env, taken);
    // Prompts are over-sampled so that enough are kept; no more than prompts_per_step are learned from.
    let sampled_prompts = responses as f64 / config.rl.group_size as f64;
    let learns = (sampled_prompts * kept).min(config.rl.prompts_per_step as f64);
    let policy_responses = learns * config.rl.group_size as f64;
    let timed = |name: &str| rehearsed.get(name).unwrap_or(0.0) / learned.max(1) as f64;
    let verify = taken.judging * responses as f64 / taken.samples.len().max(1) as f64;
    let prm = timed("timing_s/prm") * responses as f64;
    let policy = timed("timing_s/policy") * policy_responses * config.rl.epochs_per_step as f64;
    Ok(Seconds {
        step: rollout + verify + prm + policy,
        rollout,
        verify,
        prm,
        policy,
        kept,
    })
}

/// Prompts and a few tokens of the first batches, as many side by side as in a step.
fn sampling<M: CausalLm>(
    learner: &Learner<M>,
    env: &Environment<'_>,
    taken: &Taken,
    responses: usize,
) -> Result<f64, TrainError> {
    let config = env.config;
    let rows = rows_per_batch(responses);
    let batches = responses.div_ceil(rows).min(BATCHES);
    let side_by_side = batches.min(config.worker_threads()).max(1);
    let group = config.rl.group_size;
    let prompts = (rows * side_by_side).min(responses).div_ceil(group).max(1);
    let problems = taken.problems.iter().cycle().take(prompts);
    let ids: Vec<&[u32]> = problems.map(|p| p.prompt_ids.as_slice()).collect();
    let time = |tokens: usize| -> Result<f64, TrainError> {
        let sampling = SamplingConfig {
            max_new_tokens: tokens,
            ..config.sampling()
        };
        let request = GenerationRequest {
            samples: group,
            seed: config.seed,
            rows_per_batch: rows,
            batches: side_by_side,
            threads: config.worker_threads(),
            ..GenerationRequest::new(&ids, &sampling)
        };
        let clock = Instant::now();
        generate(&learner.actor.policy, &request)?;
        Ok(clock.elapsed().as_secs_f64())
    };
    let short = time(1)?;
    let more = (time(1 + TOKENS)? - short).max(0.0) / TOKENS as f64;
    let lengths = taken.samples.iter().map(|sample| sample.tokens);
    let longest = lengths.clone().max().unwrap_or(0) as f64;
    let mean = lengths.sum::<usize>() as f64 / taken.samples.len().max(1) as f64;
    let busy = FIXED + (1.0 - FIXED) * mean / longest.max(1.0);
    let waves = responses as f64 / (prompts * group) as f64;
    Ok(waves.max(1.0) * (short + (longest - 1.0).max(0.0) * more * busy))
}

/// How many prompts the accuracy filter is likely to keep, if each has the pass rate of its samples, drawn towards that of all.
fn share_kept(env: &Environment<'_>, taken: &Taken) -> f64 {
    let filter = &env.config.filter;
    if !filter.accuracy {
        return 1.0;
    }
    let rates: Vec<(f64, f64)> = taken
        .groups
        .iter()
        .map(|group| {
            let right = group.responses.iter().map(|r| f64::from(r.outcome)).sum();
            (right, group.responses.len() as f64)
        })
        .collect();
    let (right, n) = rates
        .iter()
        .fold((0.5, 1.0), |(right, n), (r, m)| (right + r, n + m));
    let all = right / n;
    let kept = rates.iter().map(|(right, n)| {
        let rate = (right + all) / (n + 1.0);
        inside(
            env.config.rl.group_size,
            rate,
            filter.accuracy_lower_bound,
            filter.accuracy_upper_bound,
        )
    });
    kept.sum::<f64>() / rates.len().max(1) as f64
}

/// The chance that the share of right ones among `k` lies strictly between the bounds.
fn inside(k: usize, rate: f64, lower: f64, upper: f64) -> f64 {
    let mut chance = (1.0 - rate).powi(i32::try_from(k).unwrap_or(i32::MAX));
    let mut sum = 0.0;
    for right in 0..=k {
        let share = right as f64 / k as f64;
        if lower < share && share < upper {
            sum += chance;
        }
        chance *= (k - right) as f64 / (right + 1) as f64 * rate / (1.0 - rate);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn a_prompt_is_kept_where_its_responses_differ() {
        // 1 − ½⁸ − ½⁸.
        assert!((inside(8, 0.5, 0.1, 0.9) - (1.0 - 2.0 / 256.0)).abs() < 1e-12);
        assert!((inside(2, 0.25, 0.0, 1.0) - 2.0 * 0.25 * 0.75).abs() < 1e-12);
        assert!(inside(8, 0.01, 0.1, 0.9) < 0.1);
    }
}
