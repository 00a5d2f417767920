//! What a step's responses looked like.

use std::collections::BTreeMap;

use prime_policy::{FinishReason, Response};
use prime_verifier::Detail;

use super::credit::{ProcessRewards, TokenAdvantages};
use super::{Environment, JudgedGroup};
use crate::data::problem::PreparedProblem;
use crate::error::TrainError;
use crate::metrics::StepMetrics;
use crate::report::Transcript;

/// Outcomes and lengths over all judged responses.
pub(super) fn responses(
    groups: &[JudgedGroup],
    metrics: &mut StepMetrics,
) -> Result<(), TrainError> {
    let all = || groups.iter().flat_map(|group| &group.responses);
    let n = all().count().max(1) as f64;
    let mean = |f: &dyn Fn(&super::JudgedResponse) -> f64| all().map(f).sum::<f64>() / n;
    metrics.set("acc", mean(&|r| f64::from(r.outcome)))?;
    metrics.set("reward/mean", mean(&|r| f64::from(r.reward)))?;
    metrics.set(
        "response_length/mean",
        mean(&|r| r.response.tokens.len() as f64),
    )?;
    let longest = all().map(|r| r.response.tokens.len()).max().unwrap_or(0);
    metrics.set_count("response_length/max", longest);
    let clipped = |r: &super::JudgedResponse| f64::from(r.response.finish == FinishReason::Length);
    metrics.set("response_length/clip_ratio", mean(&clipped))?;
    let silent = |r: &super::JudgedResponse| f64::from(r.verdict.detail == Detail::NoAnswer);
    metrics.set("verifier/no_answer", mean(&silent))?;
    let equal = groups.iter().filter(|group| {
        group
            .responses
            .windows(2)
            .all(|pair| pair[0].reward == pair[1].reward)
    });
    metrics.set(
        "frac_reward_zero_std",
        equal.count() as f64 / groups.len().max(1) as f64,
    )?;
    if all().all(|r| r.steps.is_some()) {
        let answers: Vec<bool> = all()
            .flat_map(|r| r.steps.iter().flatten().copied())
            .collect();
        if !answers.is_empty() {
            let right = answers.iter().filter(|&&right| right).count();
            metrics.set("acc_answers", right as f64 / answers.len() as f64)?;
        }
    }
    Ok(())
}

/// What each reward gave, where there are several; and the outcome by source, where there are several of those.
pub(super) fn rewards(
    env: &Environment<'_>,
    groups: &[JudgedGroup],
    metrics: &mut StepMetrics,
) -> Result<(), TrainError> {
    let mean = |sum: f64, n: usize| sum / n.max(1) as f64;
    let rewards = env.problems.rewards();
    if !rewards.is_plain() {
        let all = || groups.iter().flat_map(|group| &group.responses);
        for (at, name) in rewards.names().into_iter().enumerate() {
            let given = all().filter_map(|response| response.parts.get(at));
            let sum: f64 = given.map(|&part| f64::from(part)).sum();
            metrics.set(&format!("reward/{name}/mean"), mean(sum, all().count()))?;
        }
    }
    let names = env.problems.source_names();
    if !names.is_empty() {
        let mut by_source: BTreeMap<&str, (f64, usize)> = BTreeMap::new();
        for group in groups {
            let row = group.problem.row.as_deref();
            let name = names.name(row.and_then(|row| row.data_source.as_deref()));
            let (sum, n) = by_source.entry(name).or_default();
            for response in &group.responses {
                *sum += f64::from(response.outcome);
                *n += 1;
            }
        }
        for (name, (sum, n)) in by_source {
            metrics.set(&format!("acc/{name}"), mean(sum, n))?;
        }
    }
    Ok(())
}

/// A response that could not be judged, for `rollouts/`.
pub(super) fn unjudged(
    env: &Environment<'_>,
    step: u64,
    problem: &PreparedProblem,
    response: Response,
    reason: &str,
) -> Transcript {
    Transcript {
        step,
        prompt: problem.prompt.clone(),
        tokens: env.tokenizer.pieces(&response.tokens),
        token_ids: response.tokens,
        log_probs: response.log_probs,
        finish: Some(response.finish),
        process_rewards: vec![],
        advantages: vec![],
        outcome: None,
        reward: None,
        answer: None,
        could_not_judge: Some(reason.to_owned()),
        detail: None,
        grader_details: vec![],
        rewards: BTreeMap::new(),
        answers_right: None,
        ground_truth: problem.ground_truth.clone(),
    }
}

/// Every judged response with its rewards, for `rollouts/`.
pub(super) fn transcripts(
    env: &Environment<'_>,
    step: u64,
    groups: &[JudgedGroup],
    process: &ProcessRewards,
    advantages: &TokenAdvantages,
) -> Vec<Transcript> {
    let rewards = env.problems.rewards();
    let names = match rewards.is_plain() {
        true => vec![],
        false => rewards.names(),
    };
    let mut out = vec![];
    for (g, group) in groups.iter().enumerate() {
        for (r, response) in group.responses.iter().enumerate() {
            out.push(Transcript {
                step,
                prompt: group.problem.prompt.clone(),
                tokens: env.tokenizer.pieces(&response.response.tokens),
                token_ids: response.response.tokens.clone(),
                log_probs: response.response.log_probs.clone(),
                finish: Some(response.response.finish),
                process_rewards: process.rewards[g][r].clone(),
                advantages: advantages.advantages[g][r].clone(),
                outcome: Some(response.outcome),
                reward: Some(response.reward),
                answer: response.verdict.answer.clone(),
                could_not_judge: None,
                detail: Some(response.verdict.detail.clone()),
                grader_details: response.verdict.graders.clone(),
                rewards: names
                    .iter()
                    .zip(&response.parts)
                    .map(|(name, part)| ((*name).to_owned(), *part))
                    .collect(),
                answers_right: response.steps.clone(),
                ground_truth: group.problem.ground_truth.clone(),
            });
        }
    }
    out
}
