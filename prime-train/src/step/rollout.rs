//! Prompts, sampled responses and verdicts.

use prime_policy::{CausalLm, GenerationRequest, Response, generate};
use prime_verifier::{Detail, Verdict};

use super::{Environment, Learner, stats};
use crate::activity::noticed;
use crate::data::problems::PreparedProblem;
use crate::data::tasks::Split;
use crate::error::TrainError;
use crate::report::Transcript;
use crate::response_text::ResponseText;
use crate::reward::{Asked, Scope};

/// Batches that share a step's prompts, where there are responses enough to fill them.
pub(crate) const BATCHES: usize = 8;
/// Responses decoded together: few enough that two threads share a demo-sized step; many enough, where there are many
/// responses, that a large model's weights are read for all of them at once.
const ROWS_PER_BATCH: std::ops::RangeInclusive<usize> = 16..=64;

/// Responses decoded together when `responses` are sampled in a step.
pub(crate) fn rows_per_batch(responses: usize) -> usize {
    (responses / BATCHES).clamp(*ROWS_PER_BATCH.start(), *ROWS_PER_BATCH.end())
}

/// A sampled response with its verdict.
#[derive(Debug, Clone)]
pub struct JudgedResponse {
    /// Tokens and log-probs.
    pub response: Response,
    /// The outcome in [0, 1].
    pub outcome: f32,
    /// What estimators see: the outcome, or the weighted sum of several rewards.
    pub reward: f32,
    /// What each reward gave, as [`Rewards::names`](crate::reward::Rewards::names) calls them.
    pub parts: Vec<f32>,
    /// Which answers are right, where the task knows.
    pub steps: Option<Vec<bool>>,
    /// What else is known of the verdict.
    pub verdict: VerdictDetail,
}

/// How a verdict came about, for people to read.
#[derive(Debug, Clone)]
pub struct VerdictDetail {
    /// The answer that the verifier read in the response, if it looks for one and there is one.
    pub answer: Option<String>,
    /// How the outcome came about.
    pub detail: Detail,
    /// What graders of your own had to say.
    pub graders: Vec<String>,
}

/// The judged responses of one prompt. Responses that could not be judged are not in it.
#[derive(Debug, Clone)]
pub struct JudgedGroup {
    /// The prompt.
    pub problem: PreparedProblem,
    /// At least one response.
    pub responses: Vec<JudgedResponse>,
    /// Whether the filter keeps it.
    pub kept: bool,
}

/// The problems of this step, over-sampled for the filter.
pub(super) fn next_prompts<M: CausalLm>(
    learner: &mut Learner<M>,
    env: &Environment<'_>,
) -> Result<Vec<PreparedProblem>, TrainError> {
    let count = env.config.responses_per_step() / env.config.rl.group_size;
    let first = learner.next_problem;
    learner.next_problem += count as u64;
    (first..learner.next_problem)
        .map(|index| env.problems.get(Split::Train, index, env.tokenizer))
        .collect()
}

/// K responses to every prompt from the acting policy; `before` prompts were sampled in this step already.
pub(super) fn sample<M: CausalLm>(
    learner: &Learner<M>,
    env: &Environment<'_>,
    step: u64,
    before: u64,
    prompts: &[PreparedProblem],
) -> Result<Vec<Vec<Response>>, TrainError> {
    let config = env.config;
    let ids: Vec<&[u32]> = prompts.iter().map(|p| p.prompt_ids.as_slice()).collect();
    let numbers: Vec<u64> = (before..before + prompts.len() as u64).collect();
    let (sampling, rows) = (config.sampling(), prompts.len() * config.rl.group_size);
    let text = ResponseText::new(env.tokenizer, &config.sampling.stop_strings);
    let request = GenerationRequest {
        samples: config.rl.group_size,
        stop: env.tokenizer.stop_ids(),
        text: text.options(),
        seed: config.seed,
        step,
        prompt_ids: &numbers,
        on_token: Some(&noticed),
        rows_per_batch: rows_per_batch(rows),
        batches: BATCHES,
        threads: config.worker_threads(),
        ..GenerationRequest::new(&ids, &sampling)
    };
    Ok(generate(&learner.actor.policy, &request)?)
}

/// A round of sampling and judging, or several together.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// Prompts of which responses enough could be judged.
    pub(super) groups: Vec<JudgedGroup>,
    /// Prompts sampled.
    pub(super) prompts: u64,
    /// Responses sampled.
    pub(super) responses: usize,
    /// Those that could not be judged.
    pub(super) unjudged: Vec<Transcript>,
}

impl Round {
    pub(super) fn append(&mut self, mut next: Self) {
        self.groups.append(&mut next.groups);
        self.prompts += next.prompts;
        self.responses += next.responses;
        self.unjudged.append(&mut next.unjudged);
    }
}

/// What every response earns. What could not be judged is dropped and counted; there may be nothing left.
pub(super) fn judge(
    env: &Environment<'_>,
    step: u64,
    prompts: Vec<PreparedProblem>,
    sampled: Vec<Vec<Response>>,
) -> Result<Round, TrainError> {
    let text = ResponseText::new(env.tokenizer, &env.config.sampling.stop_strings);
    let texts = sampled
        .iter()
        .flatten()
        .map(|response| text.of(response))
        .collect::<Result<Vec<String>, _>>()?;
    let answered = prompts
        .iter()
        .zip(&sampled)
        .flat_map(|(problem, responses)| responses.iter().map(move |response| (problem, response)));
    let asked: Vec<Asked<'_>> = answered
        .zip(&texts)
        .map(|((problem, response), text)| Asked {
            response: text,
            tokens: response.tokens.len(),
            finish: response.finish,
            problem,
        })
        .collect();
    // All at once: programs among them run side by side, and graders may work ahead.
    let mut judged = env.problems.judge(&asked, Scope::All).into_iter();

    let total = asked.len();
    drop(asked);
    let mut unjudged = vec![];
    let asked_about = prompts.len() as u64;
    let mut groups = Vec::with_capacity(prompts.len());
    for (problem, responses) in prompts.into_iter().zip(sampled) {
        let mut kept = Vec::with_capacity(responses.len());
        for (response, judged) in responses.into_iter().zip(&mut judged) {
            let reason = match (judged.verdict, judged.reward) {
                (Verdict::Judged(judgement), Some(reward)) => {
                    kept.push(JudgedResponse {
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
                    });
                    continue;
                }
                (Verdict::CouldNotJudge { reason }, _) => reason,
                (Verdict::Judged(_), None) => "no reason was given".to_owned(),
            };
            unjudged.push(stats::unjudged(env, step, &problem, response, &reason));
        }
        // Leave-one-out has nothing to leave in a group of one.
        if kept.len() >= env.config.rl.group_size.min(2) {
            groups.push(JudgedGroup {
                problem,
                responses: kept,
                kept: true,
            });
        }
    }
    Ok(Round {
        groups,
        prompts: asked_about,
        responses: total,
        unjudged,
    })
}
