//! The samples.

use std::time::Instant;

use prime_policy::{CausalLm, FinishReason, GenerationRequest, generate};
use prime_verifier::Verdict;
use serde::Serialize;

use crate::data::problems::PreparedProblem;
use crate::data::tasks::Split;
use crate::error::TrainError;
use crate::response_text::ResponseText;
use crate::reward::{Asked, Scope};
use crate::step::{Environment, JudgedGroup, JudgedResponse, Learner, VerdictDetail};

/// Responses.
const SAMPLES: usize = 16;
/// Prompts, where there are so many.
const PROMPTS: usize = 8;
/// Keeps these samples apart from rollouts of the same seed.
const STREAM: u64 = 0x7072_6566;

/// One response, with all that led to its reward.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sample {
    /// The prompt as the model reads it, special tokens included.
    pub prompt: String,
    /// Its tokens.
    pub prompt_tokens: usize,
    /// The prompt's own text at its end: what was asked.
    pub question: String,
    /// The response up to its stop string.
    pub response: String,
    /// Its tokens.
    pub tokens: usize,
    /// Whether it was cut at `sampling.max_new_tokens`.
    pub truncated: bool,
    /// Whether an answer is looked for in it.
    pub looks_for_answer: bool,
    /// The answer that was read in it.
    pub answer: Option<String>,
    /// What the answer is held against.
    pub gold: String,
    /// The outcome in 0 to 1; `None` if it could not be judged.
    pub outcome: Option<f32>,
    /// Why it could not be judged.
    pub could_not_judge: Option<String>,
    /// What estimators see.
    pub reward: Option<f32>,
}

/// Samples, and what is needed to learn from them.
pub(super) struct Taken {
    pub(super) samples: Vec<Sample>,
    pub(super) problems: Vec<PreparedProblem>,
    /// Those that could be judged.
    pub(super) groups: Vec<JudgedGroup>,
    /// Seconds that judging took.
    pub(super) judging: f64,
}

pub(super) fn take<M: CausalLm>(
    learner: &Learner<M>,
    env: &Environment<'_>,
) -> Result<Taken, TrainError> {
    let (config, tokenizer) = (env.config, env.tokenizer);
    let prompts = env.problems.train_limit().unwrap_or(PROMPTS);
    let prompts = prompts.clamp(1, PROMPTS);
    let problems = (0..prompts as u64)
        .map(|index| env.problems.get(Split::Train, index, tokenizer))
        .collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<&[u32]> = problems.iter().map(|p| p.prompt_ids.as_slice()).collect();
    let sampling = config.sampling();
    let text = ResponseText::new(tokenizer, &config.sampling.stop_strings);
    let request = GenerationRequest {
        samples: SAMPLES.div_ceil(prompts),
        stop: tokenizer.stop_ids(),
        text: text.options(),
        seed: config.seed ^ STREAM,
        rows_per_batch: SAMPLES,
        threads: config.worker_threads(),
        ..GenerationRequest::new(&ids, &sampling)
    };
    let sampled = generate(&learner.actor.policy, &request)?;

    let answered = problems.iter().zip(&sampled);
    let answered: Vec<_> = answered
        .flat_map(|(problem, responses)| responses.iter().map(move |response| (problem, response)))
        .collect();
    let texts = answered
        .iter()
        .map(|(_, response)| text.of(response))
        .collect::<Result<Vec<_>, _>>()?;
    let asked: Vec<Asked<'_>> = answered
        .iter()
        .zip(&texts)
        .map(|((problem, response), text)| Asked {
            response: text,
            tokens: response.tokens.len(),
            finish: response.finish,
            problem,
        })
        .collect();
    let clock = Instant::now();
    let judged = env.problems.judge(&asked, Scope::All);
    let judging = clock.elapsed().as_secs_f64();

    let looks = env.problems.rewards().names().contains(&"verifier");
    let mut samples = vec![];
    for (((problem, response), text), judged) in answered.iter().zip(&texts).zip(&judged) {
        let (outcome, could_not_judge) = match &judged.verdict {
            Verdict::Judged(judgement) => (Some(judgement.score.get()), None),
            Verdict::CouldNotJudge { reason } => (None, Some(reason.clone())),
        };
        let row = problem.row.as_deref();
        let question = row
            .and_then(|row| row.prompt.last())
            .map(|last| last.content.clone());
        samples.push(Sample {
            prompt: tokenizer.decode_with_special_tokens(&problem.prompt_ids)?,
            prompt_tokens: problem.prompt_ids.len(),
            question: question.unwrap_or_else(|| problem.prompt.clone()),
            response: text.clone(),
            tokens: response.tokens.len(),
            truncated: response.finish == FinishReason::Length,
            looks_for_answer: looks && row.is_some() && !problem.is_code,
            answer: judged.answer.clone(),
            gold: problem.ground_truth.clone(),
            outcome,
            could_not_judge,
            reward: judged.reward,
        });
    }
    let mut judged = judged.into_iter();
    let mut groups = vec![];
    for (problem, responses) in problems.iter().zip(sampled) {
        let kept = responses.into_iter().zip(&mut judged);
        let kept = kept.filter_map(|(response, judged)| match (judged.verdict, judged.reward) {
            (Verdict::Judged(judgement), Some(reward)) => Some(JudgedResponse {
                response,
                outcome: judgement.score.get(),
                reward,
                parts: judged.parts,
                steps: judgement.steps,
                verdict: VerdictDetail {
                    answer: judged.answer,
                    detail: judgement.detail,
                    graders: judged.details,
                },
            }),
            _ => None,
        });
        let responses: Vec<_> = kept.collect();
        // As in a step: leave-one-out has nothing to leave in a group of one.
        if responses.len() >= config.rl.group_size.min(2) {
            groups.push(JudgedGroup {
                problem: problem.clone(),
                responses,
                kept: true,
            });
        }
    }
    Ok(Taken {
        samples,
        problems,
        groups,
        judging,
    })
}
