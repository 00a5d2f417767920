//! `[data]`: what is trained on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Columns;
use crate::data::chat;
use crate::data::prompt_shape::{ExampleTurns, PROBLEM};
use crate::data::source::DataFiles;
use crate::data::tasks::{PassMark, Task, TaskName};
use crate::reward::extraction;

/// Where problems come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataTask {
    /// `rows` where a data file is given, `exam` where there is neither a file nor a `model.path`. A model folder without a
    /// file is refused: which task it is for has to be said.
    Auto,
    /// Built in: twelve one-digit sums and products.
    Exam,
    /// Built in: sixteen products modulo 3.
    Mod3,
    /// Built in: a running total modulo 10.
    Chain,
    /// Rows of `data.train_file` (`jsonl`, its old name, is taken too).
    #[serde(alias = "jsonl")]
    Rows,
}

impl DataTask {
    /// The built-in task; `None` for rows of a file, and where nothing is said.
    pub fn builtin(self) -> Option<Box<dyn Task>> {
        let name = match self {
            DataTask::Exam => TaskName::Exam,
            DataTask::Mod3 => TaskName::Mod3,
            DataTask::Chain => TaskName::Chain,
            DataTask::Auto | DataTask::Rows => return None,
        };
        Some(name.build())
    }
}

/// `[data]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// A built-in task, `rows` of a file, or `auto`.
    pub task: DataTask,
    /// Rows to train on; needed by `rows`. A path, or a pattern such as `data/*.parquet`; or a list of them, drawn from by
    /// equal shares unless an entry says otherwise, as in `["a.jsonl", { path = "b/*.parquet", weight = 2.0 }]`: a weight is
    /// a share of the prompts, whatever the number of rows. JSON Lines, one JSON list, either packed with gzip, and Parquet.
    pub train_file: DataFiles,
    /// Rows to evaluate on, named as in `train_file` without weights; empty = no evaluation with `rows`.
    pub eval_file: DataFiles,
    /// Further held-out sets by name, each a file or a list as in `eval_file`: `{ math500 = "math500.parquet", aime =
    /// ["a.jsonl", "b.jsonl"] }`. Each is evaluated on its own, on at most `eval.problems` problems, as `eval/<name>/pass@1`.
    pub eval_sets: BTreeMap<String, DataFiles>,
    /// Count broken rows instead of stopping at the first.
    pub skip_bad_rows: bool,
    /// Longer prompts are an error for built-in tasks and left out (and counted) for `rows`, ≥ 1.
    pub max_prompt_tokens: usize,
    /// How the messages of rows become a prompt: `auto` (the model's chat template where it has one, else the contents
    /// joined by blank lines), `none` (always joined), or the path of a Jinja template.
    pub chat_template: String,
    /// Variables for the chat template, such as `enable_thinking = false`: text, numbers, true or false, and lists and tables
    /// of them. One that the template does not read is an error.
    pub chat_template_kwargs: BTreeMap<String, toml::Value>,
    /// A system prompt for every row, in place of the row's own; empty = the row's own, if it has one.
    pub system_prompt: String,
    /// Questions with their answers, shown before every problem: `[{ user = "1+1?", assistant = "#### 2" }]`, or the path
    /// of a JSON file of messages that ends with the assistant's.
    pub example_turns: ExampleTurns,
    /// What the last message of every row becomes, with `{prompt}` where it goes: a place for an instruction, as in
    /// `"{prompt}\n\nPut the final answer in \\boxed{}."`
    pub prompt_template: String,
    /// What judges the responses to rows that do not say so: `math` or `code`.
    pub ability: String,
    /// Which columns mean what, where the layout of the rows does not say it.
    pub columns: Columns,
    /// Where in a response the answer of a row of maths stands: `auto` (where the row's prompt asks for it: in a box, behind
    /// `####`, between `<answer>` tags, on a line `Answer:`; a box counts in any case), or the places of `verify --extract`,
    /// the first that has an answer winning: some of `boxed,final_answer,answer,whole,bold,math_span,last_value,hash,answer_tag,answer_line`,
    /// or `anywhere`, which is the first seven. The looser the place, the more a policy learns to hint at answers.
    pub extract: String,
    /// Right answers needed on a built-in task, `"all"` or `"fraction"`; `""` (`None`) = the task's own.
    #[serde(with = "optional_pass_mark")]
    pub pass_mark: Option<PassMark>,
}

impl Data {
    /// `task`, with `auto` decided where it can be.
    pub(super) fn decided_task(&self, fresh_model: bool, demonstrations: bool) -> DataTask {
        let files = demonstrations
            || !(self.train_file.is_empty()
                && self.eval_file.is_empty()
                && self.eval_sets.is_empty());
        match self.task {
            DataTask::Auto if files => DataTask::Rows,
            DataTask::Auto if fresh_model => DataTask::Exam,
            task => task,
        }
    }
}

impl Default for Data {
    fn default() -> Self {
        Data {
            task: DataTask::Auto,
            train_file: DataFiles::default(),
            eval_file: DataFiles::default(),
            eval_sets: BTreeMap::new(),
            skip_bad_rows: false,
            max_prompt_tokens: 1024,
            chat_template: chat::AUTO.to_owned(),
            chat_template_kwargs: BTreeMap::new(),
            system_prompt: String::new(),
            example_turns: ExampleTurns::default(),
            prompt_template: PROBLEM.to_owned(),
            ability: "math".to_owned(),
            columns: Columns::default(),
            extract: extraction::AUTO.to_owned(),
            pass_mark: None,
        }
    }
}

/// TOML has no null, and every key is to be written out: `""` stands for "the task's own".
mod optional_pass_mark {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::data::tasks::PassMark;

    pub(super) fn serialize<S: Serializer>(
        mark: &Option<PassMark>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match mark {
            Some(mark) => mark.serialize(serializer),
            None => serializer.serialize_str(""),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<PassMark>, D::Error> {
        let given = toml::Value::deserialize(deserializer)?;
        if given.as_str() == Some("") {
            return Ok(None);
        }
        PassMark::deserialize(given.clone()).map(Some).map_err(|_| {
            serde::de::Error::custom(format!(
                "invalid value: {given}, expected a whole number of right answers, \"all\", \
                 \"fraction\", or \"\" for the task's own"
            ))
        })
    }
}
