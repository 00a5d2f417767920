//! `[model]`, `[data]` and `[warmup]`: what is trained, on what, and from where it starts.

use prime_policy::ComputeDtype;
use serde::{Deserialize, Serialize};

use crate::data::chat;
use crate::data::tasks::{PassMark, Task, TaskName};

/// `[model]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// A Hugging Face model folder; empty = a fresh model of the shape below.
    pub path: String,
    /// What policy, reward model and reference compute their matrix products in, and keep their key/value caches in:
    /// `float32`, or `bfloat16` on a device that has it. Weights, gradients and optimisers are f32 either way.
    pub compute_dtype: ComputeDtype,
    /// Width of the residual stream; a multiple of `num_attention_heads`.
    pub hidden_size: usize,
    /// Decoder blocks, ≥ 1.
    pub num_hidden_layers: usize,
    /// Query heads, ≥ 1; `hidden_size / num_attention_heads` is even.
    pub num_attention_heads: usize,
    /// Key/value heads, a divisor of `num_attention_heads`.
    pub num_key_value_heads: usize,
    /// Width of the gated MLP, ≥ 1.
    pub intermediate_size: usize,
    /// Base of the rotary embedding, > 0.
    pub rope_theta: f64,
    /// ε of the RMS norms, > 0.
    pub rms_norm_eps: f64,
    /// Biases on the query, key and value projections.
    pub attention_bias: bool,
    /// One matrix for input and output embedding.
    pub tie_word_embeddings: bool,
    /// Standard deviation of fresh weights, > 0.
    pub initializer_range: f64,
}

impl Default for Model {
    fn default() -> Self {
        Model {
            path: String::new(),
            compute_dtype: ComputeDtype::Float32,
            hidden_size: 64,
            num_hidden_layers: 2,
            num_attention_heads: 4,
            num_key_value_heads: 4,
            intermediate_size: 128,
            rope_theta: 10000.0,
            rms_norm_eps: 1e-6,
            attention_bias: true,
            tie_word_embeddings: true,
            initializer_range: 0.08,
        }
    }
}

/// Where problems come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataTask {
    /// Built in: twelve one-digit sums and products.
    Exam,
    /// Built in: sixteen products modulo 3.
    Mod3,
    /// Built in: a running total modulo 10.
    Chain,
    /// Rows of `data.train_file`.
    Jsonl,
}

impl DataTask {
    /// The built-in task; `None` for rows of a file.
    pub fn builtin(self) -> Option<Box<dyn Task>> {
        let name = match self {
            DataTask::Exam => TaskName::Exam,
            DataTask::Mod3 => TaskName::Mod3,
            DataTask::Chain => TaskName::Chain,
            DataTask::Jsonl => return None,
        };
        Some(name.build())
    }
}

/// `[data]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// A built-in task, or `jsonl`.
    pub task: DataTask,
    /// Rows to train on; needed by `jsonl`.
    pub train_file: String,
    /// Rows to evaluate on; empty = no evaluation with `jsonl`.
    pub eval_file: String,
    /// Count broken rows instead of stopping at the first.
    pub skip_bad_rows: bool,
    /// Longer prompts are an error for built-in tasks and left out (and counted) for `jsonl`, ≥ 1.
    pub max_prompt_tokens: usize,
    /// How the messages of rows become a prompt: `auto` (the model's chat template where it has one, else the contents
    /// joined by blank lines), `none` (always joined), or the path of a Jinja template.
    pub chat_template: String,
    /// Right answers needed on a built-in task, `"all"` or `"fraction"`; `""` (`None`) = the task's own.
    #[serde(with = "optional_pass_mark")]
    pub pass_mark: Option<PassMark>,
}

impl Default for Data {
    fn default() -> Self {
        Data {
            task: DataTask::Exam,
            train_file: String::new(),
            eval_file: String::new(),
            skip_bad_rows: false,
            max_prompt_tokens: 1024,
            chat_template: chat::AUTO.to_owned(),
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

/// `[warmup]`: supervised training on the sloppy pupil's demonstrations; linear decay to 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warmup {
    /// Optimiser steps; 0 = none.
    pub steps: usize,
    /// Demonstrations a step, ≥ 1.
    pub batch_size: usize,
    /// Demonstrations a forward pass, ≥ 1; with `rl.micro_batch_tokens` above 0 they are cut by tokens instead.
    pub micro_batch_size: usize,
    /// Peak learning rate, > 0.
    pub lr: f64,
    /// Steps of linear rise to the peak.
    pub lr_warmup_steps: usize,
    /// AdamW β₁, `0..1`.
    pub beta1: f64,
    /// AdamW β₂, `0..1`.
    pub beta2: f64,
    /// AdamW weight decay, ≥ 0.
    pub weight_decay: f64,
    /// Largest gradient norm, > 0.
    pub grad_clip: f64,
}

impl Default for Warmup {
    fn default() -> Self {
        Warmup {
            steps: 300,
            batch_size: 64,
            micro_batch_size: 32,
            lr: 6e-3,
            lr_warmup_steps: 30,
            beta1: 0.9,
            beta2: 0.95,
            weight_decay: 0.0,
            grad_clip: 1.0,
        }
    }
}
