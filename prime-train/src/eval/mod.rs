//! Held-out evaluation: avg@k, pass@k, maj@k.

mod pass_at_k;
mod response;
mod tally;
mod vote;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use prime_policy::{CausalLm, FinishReason, GenerationRequest, Tokenizer, generate};
use prime_verifier::{Detail, Verdict};
use serde::Serialize;

use crate::activity::{self, noticed};
use crate::config::Config;
use crate::data::problems::{HeldOut, PreparedProblem, Problems};
use crate::data::tasks::listed;
use crate::error::TrainError;
use crate::response_text::ResponseText;
use crate::reward::{Asked, Judged, Scope};
use response::judgement;
use tally::{Counted, Tally};
use vote::Ballot;

pub use response::{EvalResponse, responses_path, write_responses};

/// Rows decoded together.
const ROWS_PER_BATCH: usize = 64;
/// Batches that share the problems.
const BATCHES: usize = 8;
/// Keeps evaluation samples apart from rollouts of the same seed and step.
const EVAL_STREAM: u64 = 0x6576_616c;

/// Results over held-out problems; shares are in [0, 1].
///
/// The numbers at the top are those of `data.eval_file`, or of the built-in task; where there are only named sets, those of
/// all their problems together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Problems judged.
    pub n: usize,
    /// Responses per problem.
    pub k: usize,
    /// Mean score of all responses: pass@1 when scores are 0 or 1.
    pub avg_at_k: f64,
    /// Standard error of `avg_at_k`, over problems: a difference of less than two of them is no news. `None` for one problem.
    pub stderr: Option<f64>,
    /// Share of problems with at least one fully right response among k.
    pub pass_at_k: f64,
    /// pass@1, pass@2, pass@4, … and pass@k, each the unbiased estimate from all responses.
    pub pass_at: BTreeMap<usize, f64>,
    /// Share of problems whose most frequent answer is right, of those that are voted on. Answers that the grader finds equal
    /// are one; responses without an answer do not vote, and a problem without votes is not right; of answers with as many
    /// votes the one that was given first wins. `None` where no problem is voted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maj_at_k: Option<f64>,
    /// Problems of code among `n`: programs cannot be compared, so nothing is voted on.
    #[serde(skip_serializing_if = "is_zero")]
    pub without_votes: usize,
    /// Share of single answers that are right, where the task knows them.
    pub answers: Option<f64>,
    /// Responses that could not be judged; they count in nothing else.
    pub could_not_judge: usize,
    /// Their share of all responses.
    pub unjudged: f64,
    /// Share of all responses that the length limit cut off.
    pub truncated: f64,
    /// The mean score by `data_source`, where rows have several.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, f64>,
    /// The sets of `data.eval_sets`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sets: BTreeMap<String, Evaluation>,
    /// The sets of which no response could be judged, and why the first could not.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub not_judged: BTreeMap<String, String>,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// Samples `eval.k` responses to each of the first `count` problems of each held-out set and judges them.
///
/// # Errors
/// [`TrainError::Policy`]; [`TrainError::NothingJudged`] when no response could be judged.
pub fn evaluate<M: CausalLm>(
    model: &M,
    config: &Config,
    problems: &Problems,
    tokenizer: &Tokenizer,
    count: usize,
) -> Result<Evaluation, TrainError> {
    evaluate_with(model, config, problems, tokenizer, count, &mut |_| {})
}

/// [`evaluate`], telling of every response, also where none could be judged.
///
/// # Errors
/// Those of [`evaluate`].
pub fn evaluate_with<M: CausalLm>(
    model: &M,
    config: &Config,
    problems: &Problems,
    tokenizer: &Tokenizer,
    count: usize,
    tell: &mut dyn FnMut(EvalResponse),
) -> Result<Evaluation, TrainError> {
    let k = config.eval.k;
    let mut whole = Tally::default();
    let (mut sets, mut not_judged) = (BTreeMap::new(), BTreeMap::new());
    let held_out = problems.held_out();
    let unnamed = held_out.iter().any(|set| set.name.is_none());
    for (at, set) in held_out.iter().enumerate() {
        let of_set = OfSet {
            config,
            problems,
            tokenizer,
            at,
            set,
        };
        let (mut own, mut pooled) = (Tally::default(), Tally::default());
        let into_whole = match (&set.name, unnamed) {
            (None, _) | (Some(_), false) => &mut whole,
            (Some(_), true) => &mut pooled,
        };
        of_set.measure(model, count, &mut [&mut own, into_whole], tell)?;
        let Some(name) = &set.name else { continue };
        match own.finish(k) {
            Ok(found) => {
                sets.insert(name.clone(), found);
            }
            Err(TrainError::NothingJudged { reason, .. }) => {
                not_judged.insert(name.clone(), reason);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Evaluation {
        sets,
        not_judged,
        ..whole.finish(k)?
    })
}

struct OfSet<'a> {
    config: &'a Config,
    problems: &'a Problems,
    tokenizer: &'a Tokenizer,
    at: usize,
    set: &'a HeldOut,
}

impl OfSet<'_> {
    fn measure<M: CausalLm>(
        &self,
        model: &M,
        count: usize,
        tallies: &mut [&mut Tally],
        tell: &mut dyn FnMut(EvalResponse),
    ) -> Result<(), TrainError> {
        let OfSet {
            config,
            problems,
            tokenizer,
            ..
        } = *self;
        let count = self.set.limit.map_or(count, |limit| count.min(limit));
        let prepared = (0..count as u64)
            .map(|index| problems.held_out_problem(self.at, index, tokenizer))
            .collect::<Result<Vec<_>, _>>()?;
        let prompts: Vec<&[u32]> = prepared.iter().map(|p| p.prompt_ids.as_slice()).collect();
        let ids: Vec<u64> = prepared.iter().map(|p| p.id).collect();
        let sampling = config.eval_sampling();
        let text = ResponseText::new(tokenizer, &config.sampling.stop_strings);
        let request = GenerationRequest {
            samples: config.eval.k,
            stop: tokenizer.stop_ids(),
            text: text.options(),
            seed: config.eval.seed ^ EVAL_STREAM,
            prompt_ids: &ids,
            on_token: Some(&noticed),
            rows_per_batch: ROWS_PER_BATCH,
            batches: BATCHES,
            threads: config.worker_threads(),
            ..GenerationRequest::new(&prompts, &sampling)
        };
        activity::phase("evaluating", "responses", (count * config.eval.k) as u64);
        let sampled = generate(model, &request)?;
        activity::phase("judging", "", 0);
        let texts = sampled
            .iter()
            .flat_map(|responses| responses.iter())
            .map(|response| text.of(response))
            .collect::<Result<Vec<_>, _>>()?;
        let asked = prepared
            .iter()
            .zip(&sampled)
            .flat_map(|(problem, responses)| {
                responses.iter().map(move |response| (problem, response))
            });
        let asked: Vec<Asked<'_>> = asked
            .zip(&texts)
            .map(|((problem, response), text)| Asked {
                response: text,
                tokens: response.tokens.len(),
                finish: response.finish,
                problem,
            })
            .collect();
        let judged = problems.judge(&asked, Scope::Outcome);
        let mut judged = texts.into_iter().zip(judged);
        for (problem, responses) in prepared.iter().zip(&sampled) {
            let of_problem: Vec<(String, Judged)> = judged.by_ref().take(responses.len()).collect();
            let answers: Vec<Option<String>> = of_problem
                .iter()
                .map(|(text, judged)| self.answer(problem, text, judged))
                .collect();
            let votes = self.votes(problem, &of_problem, &answers);
            let counted: Vec<Counted<'_>> = of_problem
                .iter()
                .zip(responses)
                .map(|((_, judged), response)| Counted {
                    verdict: &judged.verdict,
                    truncated: response.finish == FinishReason::Length,
                })
                .collect();
            let row = problem.row.as_deref();
            let source = (!self.set.sources.is_empty()).then(|| {
                let source = row.and_then(|row| row.data_source.as_deref());
                self.set.sources.name(source)
            });
            for tally in &mut *tallies {
                tally.add(&counted, votes.as_deref(), source);
            }
            let all = of_problem.into_iter().zip(responses).zip(answers);
            for (sample, (((text, judged), response), answer)) in all.enumerate() {
                let (verdict, score, detail, reason) = judgement(&judged.verdict);
                let votes = votes.as_deref().unwrap_or_default();
                tell(EvalResponse {
                    set: self.set.name.clone(),
                    problem: problem.id,
                    sample,
                    response: text,
                    tokens: response.tokens.len(),
                    finish_reason: response.finish,
                    answer,
                    vote: votes.get(sample).copied().flatten(),
                    verdict,
                    score,
                    detail,
                    reason,
                    ground_truth: (!problem.is_code).then(|| problem.ground_truth.clone()),
                    data_source: row.and_then(|row| row.data_source.clone()),
                });
            }
        }
        Ok(())
    }

    /// The answer that a response gives.
    fn answer(&self, problem: &PreparedProblem, text: &str, judged: &Judged) -> Option<String> {
        match self.problems.task() {
            Some(_) => listed(text),
            None => judged
                .answer
                .clone()
                .or_else(|| self.problems.rewards().answer(text, problem)),
        }
    }

    /// The votes of the responses to a problem; `None` for code, of which equal programs would have to be told apart.
    fn votes(
        &self,
        problem: &PreparedProblem,
        responses: &[(String, Judged)],
        answers: &[Option<String>],
    ) -> Option<Vec<Option<usize>>> {
        if problem.is_code {
            return None;
        }
        let ballots = responses.iter().zip(answers).map(|((_, judged), answer)| {
            let Verdict::Judged(judgement) = &judged.verdict else {
                return None;
            };
            let answer = answer
                .as_deref()
                .filter(|_| judgement.detail != Detail::NoAnswer)?;
            Some(match self.problems.task() {
                Some(_) => Ballot::Text(answer.to_owned()),
                None => Ballot::maths(answer),
            })
        });
        let ballots: Vec<Option<Ballot>> = ballots.collect();
        Some(vote::count(&ballots, self.problems.rewards().maths()))
    }
}
