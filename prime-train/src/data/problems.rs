//! One stream of tokenised problems with their verifier, whatever they come from.

use std::path::Path;

use prime_policy::Tokenizer;
use prime_verifier::math::MathVerifier;
use prime_verifier::{Verdict, Verifier};

use super::CODE_IS_NOT_RUN;
use super::rows::{Row, read_rows};
use super::tasks::{Split, Task};
use crate::config::Config;
use crate::error::TrainError;
use crate::rng::Stream;

/// A problem ready to be sampled from.
#[derive(Debug, Clone)]
pub struct PreparedProblem {
    /// Its number in its split: the same number is the same problem.
    pub id: u64,
    /// The question as text.
    pub prompt: String,
    /// The question as tokens.
    pub prompt_ids: Vec<u32>,
    /// What the verifier compares with.
    pub ground_truth: String,
    /// Whether judging a response would mean running it, which no verifier here does.
    pub is_code: bool,
}

/// Problems to train and to evaluate on.
pub struct Problems {
    source: Source,
    max_prompt_tokens: usize,
    /// Rows left out: broken, or too long.
    skipped: usize,
}

enum Source {
    Task {
        task: Box<dyn Task>,
        verifier: Box<dyn Verifier>,
        train_seed: u64,
        eval_seed: u64,
    },
    Rows {
        train: Vec<PreparedProblem>,
        eval: Vec<PreparedProblem>,
        verifier: MathVerifier,
        seed: u64,
    },
}

impl Problems {
    /// The problems that a configuration names.
    ///
    /// # Errors
    /// A data file that cannot be read or holds no usable row; a pass mark out of range.
    pub fn open(config: &Config, tokenizer: &Tokenizer) -> Result<Self, TrainError> {
        let max_prompt_tokens = config.data.max_prompt_tokens;
        let mut skipped = 0;
        let source = match config.data.task.builtin() {
            Some(task) => {
                let pass_mark = config.data.pass_mark.unwrap_or_else(|| task.pass_mark());
                let verifier = task.verifier(pass_mark)?;
                let (train_seed, eval_seed) = (config.seed, config.eval.seed);
                Source::Task {
                    task,
                    verifier,
                    train_seed,
                    eval_seed,
                }
            }
            None => {
                let mut read = |path: &str| -> Result<Vec<PreparedProblem>, TrainError> {
                    if path.is_empty() {
                        return Ok(vec![]);
                    }
                    let path = Path::new(path);
                    let (rows, broken) = read_rows(path, config.data.skip_bad_rows)?;
                    let (problems, long) = prepare(rows, tokenizer, max_prompt_tokens)?;
                    skipped += broken + long;
                    if problems.is_empty() {
                        return Err(TrainError::NoRows {
                            path: path.to_owned(),
                            skipped: broken,
                            too_long: long,
                        });
                    }
                    Ok(problems)
                };
                let train = read(&config.data.train_file)?;
                let eval = read(&config.data.eval_file)?;
                Source::Rows {
                    train,
                    eval,
                    // Boxes only: a looser reading rewards hinting at answers.
                    verifier: MathVerifier::default(),
                    seed: config.seed,
                }
            }
        };
        Ok(Self {
            source,
            max_prompt_tokens,
            skipped,
        })
    }

    /// Rows that were left out as broken or too long.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// The built-in task, if that is where the problems come from.
    pub fn task(&self) -> Option<&dyn Task> {
        match &self.source {
            Source::Task { task, .. } => Some(task.as_ref()),
            Source::Rows { .. } => None,
        }
    }

    /// How many held-out problems there are at most; `None` without end.
    pub fn eval_limit(&self) -> Option<usize> {
        match &self.source {
            Source::Task { .. } => None,
            Source::Rows { eval, .. } => Some(eval.len()),
        }
    }

    /// Problem `index` of a split. Rows to train on come in a fresh order every epoch.
    ///
    /// # Errors
    /// [`TrainError::PromptTooLong`]; [`TrainError::Policy`] for a prompt that has no tokens.
    pub fn get(
        &self,
        split: Split,
        index: u64,
        tokenizer: &Tokenizer,
    ) -> Result<PreparedProblem, TrainError> {
        match &self.source {
            Source::Task {
                task,
                train_seed,
                eval_seed,
                ..
            } => {
                let seed = match split {
                    Split::Train => *train_seed,
                    Split::Eval => *eval_seed,
                };
                let problem = task.problem(seed, split, index);
                let prompt_ids = tokenizer.encode_prompt(&problem.prompt)?;
                if prompt_ids.len() > self.max_prompt_tokens {
                    return Err(TrainError::PromptTooLong {
                        index,
                        tokens: prompt_ids.len(),
                        limit: self.max_prompt_tokens,
                    });
                }
                let (prompt, ground_truth) = (problem.prompt, problem.ground_truth);
                Ok(PreparedProblem {
                    id: index,
                    prompt,
                    prompt_ids,
                    ground_truth,
                    is_code: false,
                })
            }
            Source::Rows {
                train, eval, seed, ..
            } => {
                let rows = match split {
                    Split::Train => train,
                    Split::Eval => eval,
                };
                let n = rows.len() as u64;
                let at = match split {
                    Split::Train => {
                        let mut order: Vec<usize> = (0..rows.len()).collect();
                        Stream::new([*seed, EPOCH_ORDER, index / n.max(1), 0]).shuffle(&mut order);
                        order.get((index % n.max(1)) as usize).copied()
                    }
                    Split::Eval => Some(index as usize),
                };
                at.and_then(|at| rows.get(at)).cloned().ok_or_else(|| {
                    TrainError::Usage(format!(
                        "problem {index} was asked for, but the data file has {n} rows"
                    ))
                })
            }
        }
    }

    /// Judges a response.
    pub fn verify(&self, response: &str, problem: &PreparedProblem) -> Verdict {
        match &self.source {
            Source::Task { verifier, .. } => verifier.verify(response, &problem.ground_truth),
            Source::Rows { .. } if problem.is_code => Verdict::could_not_judge(CODE_IS_NOT_RUN),
            Source::Rows { verifier, .. } => verifier.verify(response, &problem.ground_truth),
        }
    }
}

const EPOCH_ORDER: u64 = 0x65_706f_6368;

/// Rows as problems. Messages are joined by blank lines: the tokenizer of a base model has no roles.
fn prepare(
    rows: Vec<Row>,
    tokenizer: &Tokenizer,
    max_prompt_tokens: usize,
) -> Result<(Vec<PreparedProblem>, usize), TrainError> {
    let mut problems = Vec::with_capacity(rows.len());
    let mut too_long = 0;
    for (index, row) in rows.into_iter().enumerate() {
        let contents: Vec<&str> = row.prompt.iter().map(|m| m.content.as_str()).collect();
        let prompt = contents.join("\n\n");
        let prompt_ids = tokenizer.encode_prompt(&prompt)?;
        if prompt_ids.len() > max_prompt_tokens {
            too_long += 1;
            continue;
        }
        problems.push(PreparedProblem {
            id: index as u64,
            prompt,
            prompt_ids,
            ground_truth: row.reward_model.ground_truth.to_text(),
            is_code: row.ability == "code",
        });
    }
    Ok((problems, too_long))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layer, resolve};

    #[test]
    fn rows_of_code_cannot_be_judged_and_rows_of_maths_can() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        let row = |ability: &str| {
            format!(
                r#"{{"data_source":"s","prompt":[{{"role":"user","content":"1+1"}}],"ability":"{ability}","reward_model":{{"style":"rule","ground_truth":"2"}},"extra_info":{{}}}}"#
            )
        };
        std::fs::write(&path, format!("{}\n{}\n", row("code"), row("math"))).unwrap();
        let layers = ["data.task=jsonl".to_owned(), "model.path=any".to_owned()]
            .into_iter()
            .chain([format!("data.train_file={}", path.display())])
            .chain([format!("data.eval_file={}", path.display())])
            .map(|set| Layer::set(&set).unwrap())
            .collect::<Vec<_>>();
        let tokenizer = Tokenizer::characters("1+2".chars()).unwrap();
        let problems = Problems::open(&resolve(&layers).unwrap(), &tokenizer).unwrap();
        let verdict = |index, response| {
            let problem = problems.get(Split::Eval, index, &tokenizer).unwrap();
            problems.verify(response, &problem).score()
        };
        assert_eq!(verdict(0, r"\boxed{2}"), None);
        assert_eq!(verdict(1, r"\boxed{2}"), Some(1.0));
        assert_eq!(verdict(1, r"\boxed{\frac{8}{4}}"), Some(1.0));
        assert_eq!(verdict(1, r"\boxed{3}"), Some(0.0));
        assert_eq!(verdict(1, "The answer is 2."), Some(0.0));
    }
}
