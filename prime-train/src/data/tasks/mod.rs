//! Built-in tasks: problems without end, each a function of (seed, split, index).
//!
//! A task is a *sheet* of short answers with a mark for the whole. A model that answers each
//! question on its own has to be told only pass or fail; which answers were wrong is known to the
//! task (so that a reward model can be checked against it), not to the learner.
//!
//! Texts carry no special tokens: the tokenizer puts `<bos>` before the prompt and `<eos>` after
//! the response. Every other token is one character, so a text of n characters has n tokens.

mod chain;
mod exam;
mod mark;
mod mod3;
mod pupil;

use std::ops::Range;

use prime_verifier::Verifier;
use serde::{Deserialize, Serialize};

pub use chain::Chain;
pub use exam::Exam;
pub use mark::PassMark;
pub(crate) use mark::{listed, pieces};
pub use mod3::Mod3;

use crate::error::ConfigError;
use crate::rng::Stream;

/// The padding token.
pub const PAD: &str = "<pad>";
/// The token before every prompt.
pub const BOS: &str = "<bos>";
/// The token after every response.
pub const EOS: &str = "<eos>";
/// What stands between two answers of a response.
pub const SEPARATOR: &str = ",";

/// Which stream a problem is drawn from. The streams have different keys, so a training problem
/// meets a held-out one only by chance (the smallest task has more than 10¹⁶ problems).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Split {
    /// Problems to learn from by reinforcement.
    Train,
    /// Problems held out for evaluation.
    Eval,
}

/// A problem with its solution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The question, without `<bos>`.
    pub prompt: String,
    /// The response that is right in every answer, without `<eos>`.
    pub ground_truth: String,
    /// The right answers in order, bare (`\boxed{3}` is `3`).
    pub answers: Vec<String>,
}

/// A worked problem of the sloppy pupil, to warm up on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demonstration {
    /// The question, without `<bos>`.
    pub prompt: String,
    /// What the pupil wrote, without `<eos>`.
    pub response: String,
}

/// A built-in task.
pub trait Task: Send + Sync {
    /// Which task this is.
    fn name(&self) -> TaskName;

    /// Every token, in the order of the token ids: `<pad>`, `<bos>`, `<eos>`, then characters.
    fn vocabulary(&self) -> Vec<String>;

    /// How many answers a response has.
    fn answers(&self) -> usize;

    /// Tokens of every prompt, with `<bos>`.
    fn prompt_tokens(&self) -> usize;

    /// Tokens of every right response, with `<eos>`.
    fn response_tokens(&self) -> usize;

    /// The pass mark of the task when the configuration names none.
    fn pass_mark(&self) -> PassMark;

    /// The problem of this seed, split and index.
    fn problem(&self, seed: u64, split: Split, index: u64) -> Problem;

    /// The demonstration of this seed and index, from a stream of its own.
    fn demonstration(&self, seed: u64, index: u64) -> Demonstration;

    /// Where the answers of a response stand: one range of token positions for each piece between
    /// separators, up to the first `<eos>`. There may be fewer or more than [`Task::answers`].
    ///
    /// `response` holds the tokens as text, one element a token.
    fn answer_spans(&self, response: &[String]) -> Vec<Range<usize>> {
        mark::pieces(response)
    }

    /// Judges responses of this task: a list of answers compared with the ground truth as text.
    ///
    /// # Errors
    /// [`ConfigError::Range`] for a pass mark that the task has not enough answers for.
    fn verifier(&self, pass_mark: PassMark) -> Result<Box<dyn Verifier>, ConfigError> {
        mark::verifier(pass_mark, self.answers())
    }
}

/// The built-in tasks by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskName {
    /// Twelve one-digit sums and products: [`Exam`].
    Exam,
    /// Sixteen products modulo 3: [`Mod3`].
    Mod3,
    /// A running total modulo 10: [`Chain`].
    Chain,
}

impl TaskName {
    /// All of them.
    pub const ALL: [TaskName; 3] = [TaskName::Exam, TaskName::Mod3, TaskName::Chain];

    /// The task.
    pub fn build(self) -> Box<dyn Task> {
        match self {
            TaskName::Exam => Box::new(Exam::new()),
            TaskName::Mod3 => Box::new(Mod3::new()),
            TaskName::Chain => Box::new(Chain::new()),
        }
    }

    /// The name in configurations.
    pub fn as_str(self) -> &'static str {
        match self {
            TaskName::Exam => "exam",
            TaskName::Mod3 => "mod3",
            TaskName::Chain => "chain",
        }
    }
}

/// What a random stream of a task is for: the second word of its key.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    Train = 1,
    Eval = 2,
    Demonstration = 3,
    WeakFacts = 4,
}

impl From<Split> for Purpose {
    fn from(split: Split) -> Self {
        match split {
            Split::Train => Purpose::Train,
            Split::Eval => Purpose::Eval,
        }
    }
}

fn stream(task: TaskName, seed: u64, purpose: Purpose, index: u64) -> Stream {
    Stream::new([seed, purpose as u64, index, task as u64])
}

/// The special tokens followed by one token for each of these characters.
fn vocabulary_of(characters: &str) -> Vec<String> {
    [PAD, BOS, EOS]
        .into_iter()
        .map(String::from)
        .chain(characters.chars().map(String::from))
        .collect()
}

#[cfg(test)]
mod tests;
