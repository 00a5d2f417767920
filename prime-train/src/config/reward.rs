//! `[reward]`: what a response earns.

use serde::{Deserialize, Serialize};

/// `[reward]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reward {
    /// The rewards that are added up, each a table with a `kind` and a `weight` (1 unless said): `verifier` (the one for the
    /// data), `format` (`pattern`, a regular expression that must match somewhere, or `tags = ["think", "answer"]`, of which
    /// the response must consist), `length` (1 up to `target_tokens`, falling in a line to 0 at `limit_tokens`), `command`
    /// (`command = ["python3", "grade.py"]`, a process of your own) and `http` (`url`). `name` is what metrics call a part.
    /// `command` and `http` also take `deadline` (seconds for an answer, 10 and 30) and `retries` (restarts and tries again,
    /// 3), `command` takes `startup` (seconds more for the first answer, 60). Each gives 0 to 1, or none. The first one is the
    /// outcome: what is evaluated, what the filter goes by and what the PRM learns. Estimators see the weighted sum.
    /// `[]` = the verifier alone.
    pub parts: Vec<RewardPart>,
    /// DAPO's soft overlong punishment: in the last so many tokens before `sampling.max_new_tokens` the reward falls in a
    /// line by `overlong_penalty`; 0 = off.
    pub overlong_buffer: usize,
    /// What a response of the full length loses, ≥ 0. It counts in the reward, not in the outcome.
    pub overlong_penalty: f64,
}

impl Default for Reward {
    fn default() -> Self {
        Self {
            parts: vec![],
            overlong_buffer: 0,
            overlong_penalty: 1.0,
        }
    }
}

impl Reward {
    /// Whether the verifier for the data is asked, so that rows have to have something that it can use.
    pub fn asks_verifier(&self) -> bool {
        self.parts.is_empty()
            || self
                .parts
                .iter()
                .any(|part| part.kind == RewardKind::Verifier)
    }
}

/// Where a reward comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RewardKind {
    /// The verifier of the task, or the maths grader and the grader of programs for rows.
    Verifier,
    /// The form of the text.
    Format,
    /// The number of tokens.
    Length,
    /// A process of your own.
    Command,
    /// An HTTP endpoint of your own.
    Http,
}

impl RewardKind {
    /// The name in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verifier => "verifier",
            Self::Format => "format",
            Self::Length => "length",
            Self::Command => "command",
            Self::Http => "http",
        }
    }
}

/// One of `reward.parts`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RewardPart {
    /// Where it comes from.
    pub kind: RewardKind,
    /// What metrics and messages call it: small letters, digits, `_` and `-`; its kind unless said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What its 0 to 1 is multiplied by; finite. 0 = it is measured only.
    #[serde(default = "one")]
    pub weight: f64,
    /// `format`: a regular expression in the syntax of the crate `regex`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pattern: String,
    /// `format`: the response is these elements in this order, `<think>…</think><answer>…</answer>`, with nothing but blanks
    /// around them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// `length`: up to so many tokens the reward is 1.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub target_tokens: usize,
    /// `length`: from so many tokens on it is 0; 0 = `sampling.max_new_tokens`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub limit_tokens: usize,
    /// `command`: the program and its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// `http`: `http://host:port/path`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// `command`, `http`: seconds that the answer about a response may take; above 0; 10 and 30 unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<f64>,
    /// `command`: seconds that the first answer of a new process may take on top; ≥ 0; 60 unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub startup: Option<f64>,
    /// `command`: how often in a row the process is started again without having answered. `http`: how often a request is sent
    /// again. 3 unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<usize>,
}

impl RewardPart {
    /// A part of this kind, with weight 1 and nothing else said.
    pub fn new(kind: RewardKind) -> Self {
        Self {
            kind,
            name: String::new(),
            weight: 1.0,
            pattern: String::new(),
            tags: vec![],
            target_tokens: 0,
            limit_tokens: 0,
            command: vec![],
            url: String::new(),
            deadline: None,
            startup: None,
            retries: None,
        }
    }

    /// Its name, or that of its kind.
    pub fn name(&self) -> &str {
        if self.name.is_empty() {
            self.kind.as_str()
        } else {
            &self.name
        }
    }
}

fn one() -> f64 {
    1.0
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}
