//! Held-out evaluation: avg@k, pass@k, maj@k.

use std::collections::BTreeMap;

use prime_policy::{CausalLm, GenerationRequest, Tokenizer, generate};
use prime_verifier::Verdict;
use serde::Serialize;

use crate::config::Config;
use crate::data::problems::Problems;
use crate::data::tasks::Split;
use crate::error::TrainError;
use crate::response_text::ResponseText;
use crate::reward::{Asked, Scope};

/// Rows decoded together.
const ROWS_PER_BATCH: usize = 64;
/// Batches that share the problems.
const BATCHES: usize = 8;
/// Keeps evaluation samples apart from rollouts of the same seed and step.
const EVAL_STREAM: u64 = 0x6576_616c;

/// Results over held-out problems; each in [0, 1].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Problems judged.
    pub n: usize,
    /// Responses per problem.
    pub k: usize,
    /// Mean score of all responses: pass@1 when scores are 0 or 1.
    pub avg_at_k: f64,
    /// Share of problems with at least one fully right response among k.
    pub pass_at_k: f64,
    /// Share of problems whose most frequent response is right (ties: the first sampled).
    pub maj_at_k: f64,
    /// Share of single answers that are right, where the task knows them.
    pub answers: Option<f64>,
    /// Responses that could not be judged; they count in nothing else.
    pub could_not_judge: usize,
}

/// Samples `eval.k` responses to each of the first `problems` held-out problems and judges them.
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
    let count = problems
        .eval_limit()
        .map_or(count, |limit| count.min(limit));
    let prepared = (0..count as u64)
        .map(|index| problems.get(Split::Eval, index, tokenizer))
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
        rows_per_batch: ROWS_PER_BATCH,
        batches: BATCHES,
        threads: config.worker_threads(),
        ..GenerationRequest::new(&prompts, &sampling)
    };
    let sampled = generate(model, &request)?;
    let texts = sampled
        .iter()
        .flat_map(|responses| responses.iter())
        .map(|response| text.of(response))
        .collect::<Result<Vec<_>, _>>()?;
    let asked = prepared
        .iter()
        .zip(&sampled)
        .flat_map(|(problem, responses)| responses.iter().map(move |response| (problem, response)));
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
    let verdicts = judged.into_iter().map(|judged| judged.verdict);

    let mut tally = Tally::default();
    let mut judged = texts.into_iter().zip(verdicts);
    for responses in &sampled {
        let of_problem: Vec<_> = judged.by_ref().take(responses.len()).collect();
        tally.add(&of_problem);
    }
    tally.finish(config.eval.k)
}

#[derive(Default)]
struct Tally {
    problems: usize,
    average: f64,
    passed: usize,
    majority: usize,
    right: usize,
    answers: usize,
    unjudged: usize,
    first_reason: Option<String>,
}

impl Tally {
    fn add(&mut self, responses: &[(String, Verdict)]) {
        let mut votes: BTreeMap<&str, (usize, usize, bool)> = BTreeMap::new();
        let (mut total, mut judged, mut any) = (0.0, 0usize, false);
        for (order, (text, verdict)) in responses.iter().enumerate() {
            match verdict {
                Verdict::CouldNotJudge { reason } => {
                    self.unjudged += 1;
                    self.first_reason.get_or_insert_with(|| reason.clone());
                }
                Verdict::Judged(judgement) => {
                    judged += 1;
                    total += f64::from(judgement.score.get());
                    let full = verdict.is_correct() == Some(true);
                    any |= full;
                    votes.entry(text).or_insert((0, order, full)).0 += 1;
                    for &right in judgement.steps.iter().flatten() {
                        self.answers += 1;
                        self.right += usize::from(right);
                    }
                }
            }
        }
        if judged == 0 {
            return;
        }
        self.problems += 1;
        self.average += total / judged as f64;
        self.passed += usize::from(any);
        let winner = votes
            .values()
            .max_by_key(|(n, order, _)| (*n, std::cmp::Reverse(*order)));
        self.majority += usize::from(winner.is_some_and(|&(_, _, full)| full));
    }

    fn finish(self, k: usize) -> Result<Evaluation, TrainError> {
        if self.problems == 0 {
            return Err(TrainError::NothingJudged {
                responses: self.unjudged,
                reason: self
                    .first_reason
                    .unwrap_or_else(|| "there were no problems".to_owned()),
            });
        }
        let share = |count: usize| count as f64 / self.problems as f64;
        Ok(Evaluation {
            n: self.problems,
            k,
            avg_at_k: self.average / self.problems as f64,
            pass_at_k: share(self.passed),
            maj_at_k: share(self.majority),
            answers: (self.answers > 0).then(|| self.right as f64 / self.answers as f64),
            could_not_judge: self.unjudged,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_majorities_and_what_could_not_be_judged() {
        let right = || Verdict::compared(true);
        let wrong = || Verdict::compared(false);
        let mut tally = Tally::default();
        tally.add(&[
            ("a".into(), wrong()),
            ("b".into(), right()),
            ("b".into(), right()),
            ("c".into(), wrong()),
        ]);
        tally.add(&[("x".into(), wrong()), ("y".into(), right())]);
        tally.add(&[("?".into(), Verdict::could_not_judge("no ground truth"))]);
        let result = tally.finish(4).unwrap();
        assert_eq!((result.n, result.could_not_judge), (2, 1));
        assert_eq!(result.avg_at_k, 0.5);
        assert_eq!(result.pass_at_k, 1.0);
        assert_eq!(result.maj_at_k, 0.5, "a tie goes to the first sampled");
        assert!(Tally::default().finish(1).is_err());
    }
}
