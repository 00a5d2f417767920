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
use crate::config::{PrmTrust, ProcessGroups};
use crate::error::TrainError;
use crate::step::{BATCHES, Environment, JudgedGroup, Learner, rehearse, rows_per_batch};

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
    /// A step in which it keeps every prompt that can be learned from.
    pub most: f64,
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
    once.prm.trust = PrmTrust::Always;
    once.prm.process_warmup_steps = 0;
    let rehearsed = rehearse(
        learner,
        &Environment {
            config: &once,
            ..*env
        },
        &contrasted(&taken.groups),
    )?;
    let learned: usize = taken.groups.iter().map(|group| group.responses.len()).sum();
    let kept = share_kept(env, taken);
    // Prompts are over-sampled so that enough are kept; no more than prompts_per_step are learned from.
    let sampled_prompts = responses as f64 / config.rl.group_size as f64;
    let learns = (sampled_prompts * kept).min(config.rl.prompts_per_step as f64);
    let policy_responses = learns * config.rl.group_size as f64;
    let most_responses =
        sampled_prompts.min(config.rl.prompts_per_step as f64) * config.rl.group_size as f64;
    let timed = |name: &str| rehearsed.get(name).unwrap_or(0.0) / learned.max(1) as f64;
    let verify = taken.judging * responses as f64 / taken.samples.len().max(1) as f64;
    let prm = timed("timing_s/prm") * responses as f64;
    let a_response = timed("timing_s/policy") * config.rl.epochs_per_step as f64;
    let policy = a_response * policy_responses;
    // Where the policy learns from the prompts that the filter kept, so does the reward model.
    let prm = match config.prm.process_groups {
        ProcessGroups::All => prm,
        ProcessGroups::Kept => prm * kept,
    };
    let most_prm = timed("timing_s/prm") * responses as f64;
    Ok(Seconds {
        step: rollout + verify + prm + policy,
        most: rollout + verify + most_prm + a_response * most_responses,
        rollout,
        verify,
        prm,
        policy,
        kept,
    })
}

/// The same groups with right and wrong responses in each, so that all that a step does is done.
fn contrasted(groups: &[JudgedGroup]) -> Vec<JudgedGroup> {
    let mut groups = groups.to_vec();
    for group in &mut groups {
        group.kept = true;
        for (i, response) in group.responses.iter_mut().enumerate() {
            response.outcome = (i % 2) as f32;
            response.reward = response.outcome;
        }
    }
    groups
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

/// Samples that the pass rate of all counts for in that of a prompt.
const DRAWN: f64 = 8.0;
/// Pass rates that are summed over.
const CELLS: usize = 512;

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
    let right: f64 = rates.iter().map(|(right, _)| right).sum();
    let wrong = rates.iter().map(|(right, n)| n - right).sum::<f64>();
    let kept = |all: f64| {
        let of_group = rates.iter().map(|(right, n)| {
            let rate = (right + DRAWN * all) / (n + DRAWN);
            inside(
                env.config.rl.group_size,
                rate,
                filter.accuracy_lower_bound,
                filter.accuracy_upper_bound,
            )
        });
        of_group.sum::<f64>() / rates.len().max(1) as f64
    };
    // Over what the pass rate of all may be after so few samples: Jeffreys' posterior, Beta(right + ½, wrong + ½).
    let (mut sum, mut total) = (0.0, 0.0);
    for cell in 0..CELLS {
        let rate = (cell as f64 + 0.5) / CELLS as f64;
        let density = rate.powf(right - 0.5) * (1.0 - rate).powf(wrong - 0.5);
        sum += density * kept(rate);
        total += density;
    }
    sum / total
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
