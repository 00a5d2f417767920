//! One stream of tokenised problems with their verifier, whatever they come from.

use std::path::Path;

use prime_policy::Tokenizer;
use prime_verifier::{Verdict, Verifier};

use super::chat::PromptFormat;
use super::form::Form;
pub use super::problem::PreparedProblem;
use super::prompt_limit::PromptLimit;
use super::reading::RowReading;
use super::row_set::{Found, RowSet};
use super::source_names::SourceNames;
use super::tasks::{Split, Task};
use crate::config::Config;
use crate::error::TrainError;
use crate::reward::{Asked, DataVerifier, Judged, Rewards, Scope};

/// Problems to train and to evaluate on.
pub struct Problems {
    source: Source,
    max_prompt_tokens: usize,
    /// Rows left out: broken, or too long.
    skipped: usize,
    notes: Vec<String>,
    rewards: Rewards,
    source_names: SourceNames,
}

enum Source {
    Task {
        task: Box<dyn Task>,
        train_seed: u64,
        eval_seed: u64,
    },
    Rows {
        form: Box<Form>,
        train: Box<RowSet>,
        /// The unnamed set, if there is one, and those with names.
        held_out: Vec<(Option<String>, RowSet)>,
    },
    Own {
        train: Vec<PreparedProblem>,
    },
}

impl Problems {
    /// The problems that a configuration names.
    ///
    /// # Errors
    /// A data file that cannot be read or holds no usable row; a pass mark out of range; [`TrainError::Code`] if there are rows
    /// of code and programs cannot be run; [`TrainError::Grader`] for a grader of one's own that cannot be asked.
    pub fn open(config: &Config, tokenizer: &Tokenizer) -> Result<Self, TrainError> {
        let max_prompt_tokens = config.data.max_prompt_tokens;
        let (mut skipped, mut notes) = (0, vec![]);
        let (source, verifier) = match config.data.task.builtin() {
            Some(task) => {
                let pass_mark = config.data.pass_mark.unwrap_or_else(|| task.pass_mark());
                let verifier = task.verifier(pass_mark)?;
                let (train_seed, eval_seed) = (config.seed, config.eval.seed);
                let source = Source::Task {
                    task,
                    train_seed,
                    eval_seed,
                };
                (source, DataVerifier::One(verifier))
            }
            None => {
                let limit = PromptLimit::new(config, positions(config))?;
                let mut found = Found::default();
                found.notes.extend(limit.note().map(str::to_owned));
                let (reading, format) = (
                    RowReading::new(config)?,
                    PromptFormat::open(config, tokenizer)?,
                );
                let form = Form::new(reading, format, limit, tokenizer);
                let mut read = |files| {
                    let skip = config.data.skip_bad_rows;
                    RowSet::open(files, &form, tokenizer, skip, config.seed, &mut found)
                };
                let train = read(&config.data.train_file)?;
                let mut held_out = vec![];
                if !config.data.eval_file.is_empty() {
                    held_out.push((None, read(&config.data.eval_file)?));
                }
                for (name, files) in &config.data.eval_sets {
                    held_out.push((Some(name.clone()), read(files)?));
                }
                names_apart(&held_out)?;
                (skipped, notes) = (found.skipped, found.notes);
                let is_code = train.has_code() || held_out.iter().any(|(_, set)| set.has_code());
                let source = Source::Rows {
                    form: Box::new(form),
                    train: Box::new(train),
                    held_out,
                };
                (source, DataVerifier::rows(config, is_code)?)
            }
        };
        let source_names = match &source {
            Source::Rows { train, .. } => train.source_names(),
            Source::Task { .. } | Source::Own { .. } => SourceNames::default(),
        };
        Ok(Self {
            source,
            rewards: Rewards::open(config, verifier)?,
            source_names,
            max_prompt_tokens,
            skipped,
            notes,
        })
    }

    /// Problems of your own to train on, in this order again and again, with the verifier that judges them. There are none
    /// to evaluate on.
    pub fn own(train: Vec<PreparedProblem>, verifier: Box<dyn Verifier>) -> Self {
        Self {
            max_prompt_tokens: usize::MAX,
            skipped: 0,
            notes: vec![],
            rewards: Rewards::of(verifier),
            source_names: SourceNames::default(),
            source: Source::Own { train },
        }
    }

    /// Tokens of the longest prompt to train on.
    pub fn longest_prompt(&self) -> usize {
        match &self.source {
            Source::Task { task, .. } => task.prompt_tokens(),
            Source::Rows { train, .. } => train.longest_prompt(),
            Source::Own { train } => {
                let lengths = train.iter().map(|problem| problem.prompt_ids.len());
                lengths.max().unwrap_or(0)
            }
        }
    }

    /// Rows that were left out as broken or too long.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// What there is to say about the data at the start of a run: how many rows each file has, what was left out of it and
    /// why, and what is odd about the rest.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The built-in task, if that is where the problems come from.
    pub fn task(&self) -> Option<&dyn Task> {
        match &self.source {
            Source::Task { task, .. } => Some(task.as_ref()),
            Source::Rows { .. } | Source::Own { .. } => None,
        }
    }

    /// The sets to evaluate on; none = no evaluation.
    pub fn held_out(&self) -> Vec<HeldOut> {
        match &self.source {
            Source::Task { .. } => vec![HeldOut::default()],
            Source::Rows { held_out, .. } => held_out
                .iter()
                .map(|(name, set)| HeldOut {
                    name: name.clone(),
                    limit: Some(set.len()),
                    sources: set.source_names(),
                })
                .collect(),
            Source::Own { .. } => vec![],
        }
    }

    /// Problem `index` of the held-out set at a place in [`Self::held_out`].
    ///
    /// # Errors
    /// Those of [`Self::get`].
    pub fn held_out_problem(
        &self,
        set: usize,
        index: u64,
        tokenizer: &Tokenizer,
    ) -> Result<PreparedProblem, TrainError> {
        let Source::Rows { form, held_out, .. } = &self.source else {
            return self.get(Split::Eval, index, tokenizer);
        };
        let rows = held_out.get(set).map(|(_, rows)| rows);
        let found = match rows {
            Some(rows) => rows.row(index as usize, form, tokenizer)?,
            None => None,
        };
        found.ok_or_else(|| not_there(index, rows.map_or(0, RowSet::len)))
    }

    /// The row to train on with this number, counted from 0 in the order of the files without those left out; of a built-in
    /// task the problem with this index.
    ///
    /// # Errors
    /// Those of [`Self::get`].
    pub fn row(&self, number: u64, tokenizer: &Tokenizer) -> Result<PreparedProblem, TrainError> {
        match &self.source {
            Source::Rows { form, train, .. } => train
                .row(number as usize, form, tokenizer)?
                .ok_or_else(|| not_there(number, train.len())),
            Source::Task { .. } | Source::Own { .. } => self.get(Split::Train, number, tokenizer),
        }
    }

    /// How many different problems there are to train on; `None` without end.
    pub fn train_limit(&self) -> Option<usize> {
        match &self.source {
            Source::Task { .. } => None,
            Source::Rows { train, .. } => Some(train.len()),
            Source::Own { train } => Some(train.len()),
        }
    }

    /// Problem `index` of a split. Rows to train on come in a fresh order every epoch.
    ///
    /// # Errors
    /// [`TrainError::PromptTooLong`]; [`TrainError::Policy`] for a prompt that has no tokens; [`TrainError::DataFile`] for a
    /// data file that has changed.
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
                    row: None,
                })
            }
            Source::Own { train } => {
                let at = (index % train.len().max(1) as u64) as usize;
                let found = train.get(at).filter(|_| split == Split::Train).cloned();
                found.ok_or_else(|| {
                    let n = train.len();
                    TrainError::Usage(format!(
                        "problem {index} was asked for, but there are {n} to train on and none to evaluate on"
                    ))
                })
            }
            Source::Rows { form, train, .. } => match split {
                Split::Train => train
                    .drawn(index, form, tokenizer)?
                    .ok_or_else(|| not_there(index, train.len())),
                Split::Eval => self.held_out_problem(0, index, tokenizer),
            },
        }
    }

    /// What judges responses.
    pub fn rewards(&self) -> &Rewards {
        &self.rewards
    }

    /// What metrics call the sources that rows to train on come from.
    pub fn source_names(&self) -> &SourceNames {
        &self.source_names
    }

    /// Whether programs are run where nothing holds them.
    pub fn runs_unsandboxed(&self) -> bool {
        self.rewards.runs_unsandboxed()
    }

    /// The verdict on a text: the outcome of a response that ended by itself.
    pub fn verify(&self, response: &str, problem: &PreparedProblem) -> Verdict {
        self.rewards.verify(response, problem)
    }

    /// Judges responses, in order: see [`Rewards::judge`].
    pub fn judge(&self, asked: &[Asked<'_>], scope: Scope) -> Vec<Judged> {
        self.rewards.judge(asked, scope)
    }
}

/// A set of held-out problems.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeldOut {
    /// Its name in `data.eval_sets`; `None` for `data.eval_file` and for a built-in task.
    pub name: Option<String>,
    /// How many problems it has; `None` without end.
    pub limit: Option<usize>,
    /// What metrics call the sources of its rows, if there are several.
    pub sources: SourceNames,
}

fn not_there(index: u64, rows: usize) -> TrainError {
    TrainError::Usage(format!(
        "problem {index} was asked for, but there are {rows} rows"
    ))
}

/// `eval/<name>` is a set or a source of the unnamed one, not both.
fn names_apart(held_out: &[(Option<String>, RowSet)]) -> Result<(), TrainError> {
    let Some((_, unnamed)) = held_out.iter().find(|(name, _)| name.is_none()) else {
        return Ok(());
    };
    let sources = unnamed.source_names();
    let taken = |name: &&String| sources.names().any(|source| source == name.as_str());
    match held_out
        .iter()
        .filter_map(|(name, _)| name.as_ref())
        .find(taken)
    {
        None => Ok(()),
        Some(name) => Err(TrainError::Usage(format!(
            "data.eval_sets.{name}: rows of data.eval_file have this name as their data_source; call the set otherwise"
        ))),
    }
}

/// `max_position_embeddings` of the model's folder, where it says so.
fn positions(config: &Config) -> Option<usize> {
    let path = Path::new(&config.model.path).join("config.json");
    let text = std::fs::read_to_string(path).ok()?;
    let fields: serde_json::Value = serde_json::from_str(&text).ok()?;
    let positions = fields.get("max_position_embeddings")?.as_u64()?;
    usize::try_from(positions).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layer, resolve};

    const ROW: &str = r#"{"data_source":"s","prompt":[{"role":"user","content":"1+1"}],"ability":"math","reward_model":{"style":"rule","ground_truth":"2"}}"#;

    fn config(folder: &Path, rows: &str, settings: &[&str]) -> Config {
        let path = folder.join("rows.jsonl");
        std::fs::write(&path, rows).unwrap();
        let file = |name: &str| format!("data.{name}={}", path.display());
        let layers: Vec<Layer> = [
            "data.task=rows",
            "model.path=any",
            "data.skip_bad_rows=false",
        ]
        .into_iter()
        .chain(settings.iter().copied())
        .map(str::to_owned)
        .chain([file("train_file"), file("eval_file")])
        .map(|set| Layer::set(&set).unwrap())
        .collect();
        resolve(&layers).unwrap()
    }

    fn problems(rows: &str, settings: &[&str]) -> (Result<Problems, TrainError>, Tokenizer) {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), rows, settings);
        let tokenizer = Tokenizer::characters("1+2".chars()).unwrap();
        (Problems::open(&config, &tokenizer), tokenizer)
    }

    #[test]
    fn prompts_go_through_the_template_of_the_model_unless_told_otherwise() {
        let row = ROW.replace(
            r#"[{"role":"user","content":"1+1"}]"#,
            r#"[{"role":"system","content":"1"},{"role":"user","content":"2"}]"#,
        );
        let folder = tempfile::tempdir().unwrap();
        let plain = Tokenizer::characters("12+[]".chars()).unwrap();
        plain.save(folder.path()).unwrap();
        let template = "{{ bos_token }}{% for m in messages %}[{{ m.content }}]{% endfor %}{% if add_generation_prompt %}+{% endif %}";
        let path = folder.path().join("chat_template.jinja");
        std::fs::write(&path, template).unwrap();
        let chat = Tokenizer::from_folder(folder.path()).unwrap();
        let mine = folder.path().join("mine.jinja");
        std::fs::write(&mine, "{{ messages[-1].content }}").unwrap();
        let mine = format!("data.chat_template={}", mine.display());

        let prompt = |tokenizer: &Tokenizer, settings: &[&str]| {
            let config = config(folder.path(), &row, settings);
            let problem = Problems::open(&config, tokenizer)?.get(Split::Eval, 0, tokenizer)?;
            let spelled = tokenizer.decode_with_special_tokens(&problem.prompt_ids)?;
            Ok::<_, TrainError>((problem.prompt, spelled))
        };
        let rendered = "<bos>[1][2]+".to_owned();
        assert_eq!(prompt(&chat, &[]).unwrap(), (rendered.clone(), rendered));
        let two = ("2".to_owned(), "2".to_owned());
        assert_eq!(prompt(&chat, &[&mine]).unwrap(), two);
        assert_eq!(prompt(&plain, &[&mine]).unwrap(), two);
        // A line feed is not among the characters of this tokenizer: the joined text is refused by name.
        for (tokenizer, settings) in [(&plain, &[][..]), (&chat, &["data.chat_template=none"])] {
            let error = prompt(tokenizer, settings).unwrap_err().to_string();
            assert!(error.contains(r#"in "1\n\n2""#), "{error}");
            assert!(error.contains("row 1, field `prompt`"), "{error}");
        }

        std::fs::write(&path, "{{ raise_exception('no ' ~ messages[0].role) }}").unwrap();
        let chat = Tokenizer::from_folder(folder.path()).unwrap();
        let error = prompt(&chat, &[]).unwrap_err().to_string();
        for part in ["rows.jsonl", "row 1", "chat_template.jinja", "no system"] {
            assert!(error.contains(part), "{error}");
        }
        let error = prompt(&chat, &["data.chat_template=absent"]).unwrap_err();
        assert!(error.to_string().contains("absent"), "{error}");
    }

    #[test]
    fn responses_to_rows_of_maths_are_read_in_boxes() {
        let (problems, tokenizer) = problems(ROW, &[]);
        let problems = problems.unwrap();
        let problem = problems.get(Split::Eval, 0, &tokenizer).unwrap();
        let score = |response| problems.verify(response, &problem).score();
        assert_eq!(score(r"\boxed{2}"), Some(1.0));
        assert_eq!(score(r"\boxed{\frac{8}{4}}"), Some(1.0));
        assert_eq!(score(r"\boxed{3}"), Some(0.0));
        assert_eq!(score("The answer is 2."), Some(0.0));
        assert!(!problems.runs_unsandboxed());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn responses_to_rows_of_code_are_run() {
        let truth = r#"{"inputs":["1","5"],"outputs":["2","6"]}"#;
        let code = ROW.replace("math", "code").replace("\"2\"", truth);
        let (problems, tokenizer) = problems(&format!("{code}\n{ROW}"), &["code.workers=2"]);
        let problems = problems.unwrap();
        let [code, math] = [0, 1].map(|i| problems.get(Split::Eval, i, &tokenizer).unwrap());
        let half = "```python\nprint(int(input()) and 2)\n```";
        let right = "```python\nprint(int(input()) + 1)\n```";
        let mut batch = vec![
            (half, &code),
            (r"\boxed{2}", &math),
            ("```c\nmain(){}\n```", &code),
            (right, &math),
        ];
        // More than are handed over at once.
        batch.extend([(right, &code); 40]);
        let asked: Vec<Asked<'_>> = batch
            .iter()
            .map(|&(response, problem)| Asked {
                response,
                tokens: 1,
                finish: prime_policy::FinishReason::Stop,
                problem,
            })
            .collect();
        let judged = problems.judge(&asked, Scope::All);
        let scores: Vec<_> = judged.iter().map(|judged| judged.verdict.score()).collect();
        assert_eq!(scores[..4], [0.5, 1.0, 0.0, 0.0].map(Some));
        assert_eq!(scores[4..], [Some(1.0); 40]);
    }
}
