//! What a row of a data file means, whatever layout it was written in.

use serde::{Deserialize, Serialize};

use super::ability::Ability;
use super::answer_place::AnswerPlace;

/// One message of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// The text.
    pub content: String,
}

impl Message {
    /// A message of this role.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            role: role.into(),
            content: content.into(),
        }
    }
}

/// One prompt with what a response to it is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The conversation up to the response, with the system prompt, the example turns and the instruction of the
    /// configuration. The last message is not empty.
    pub prompt: Vec<Message>,
    /// What judges a response.
    pub ability: Ability,
    /// For maths the gold answers to the letter, any of which counts. For code one text: the JSON of the tests. Empty only
    /// where the reward is one that needs no answer.
    pub golds: Vec<String>,
    /// Whether a gold answer is words that equal only the same words.
    pub only_words: bool,
    /// Where the problem comes from, if the row says so.
    pub data_source: Option<String>,
    /// The row's `extra_info` (or `info`) as it was written: JSON text.
    pub extra_info: Option<String>,
    /// Where the prompt asks for the answer, or shows it by example.
    pub extract: Option<AnswerPlace>,
    /// A whole response from the data: the solution, or the assistant's turn at the end. For demonstrations.
    pub reference: Option<String>,
    /// The layout that was recognised; `data.columns` where all was named there, and `a prompt, an answer` where only the
    /// names of the columns are known.
    pub layout: &'static str,
    /// The row as it was written, where [`RowReading::keep_text`](super::reading::RowReading::keep_text) asks for it.
    pub text: Option<String>,
}
