//! What the configuration adds to the prompt of every row: a system prompt, example turns, an instruction.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::conversation;
use super::row::Message;
use crate::config::Config;
use crate::error::{ConfigError, TrainError};

/// Where the problem goes in `data.prompt_template`.
pub const PROBLEM: &str = "{prompt}";

/// One question with its answer, shown to the model before the problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleTurn {
    /// The question.
    pub user: String,
    /// The response as it should be.
    pub assistant: String,
}

/// `data.example_turns`: written out, or a JSON file of messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a list of { user = \"…\", assistant = \"…\" }, or the path of a JSON file of messages"
)]
pub enum ExampleTurns {
    /// A JSON file: a list of `{"role": …, "content": …}`. Empty = none.
    File(String),
    /// The turns themselves.
    Turns(Vec<ExampleTurn>),
}

impl Default for ExampleTurns {
    fn default() -> Self {
        ExampleTurns::Turns(vec![])
    }
}

impl ExampleTurns {
    pub(crate) fn messages(&self) -> Result<Vec<Message>, TrainError> {
        match self {
            ExampleTurns::Turns(turns) => Ok(turns
                .iter()
                .flat_map(|turn| {
                    [
                        Message::new("user", &turn.user),
                        Message::new("assistant", &turn.assistant),
                    ]
                })
                .collect()),
            ExampleTurns::File(path) if path.is_empty() => Ok(vec![]),
            ExampleTurns::File(path) => read_turns(Path::new(path)),
        }
    }
}

/// A JSON file of messages that ends with a turn of the assistant.
fn read_turns(path: &Path) -> Result<Vec<Message>, TrainError> {
    let text = std::fs::read_to_string(path).map_err(TrainError::io("read", path))?;
    let fail = |reason: String| {
        TrainError::from(ConfigError::Range {
            key: "data.example_turns",
            given: path.display().to_string(),
            need: format!("a JSON list of messages that ends with the assistant's: {reason}"),
        })
    };
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&text) {
        return Err(fail(format!("not JSON: {error}")));
    }
    let read = conversation::read(text.trim(), "messages")
        .map_err(|broken| fail(format!("{}: {}", broken.field, broken.reason)))?;
    let mut messages = read.messages;
    match read.reference {
        Some(last) => messages.push(Message::new("assistant", last)),
        None => return Err(fail("its last message is not the assistant's".to_owned())),
    }
    Ok(messages)
}

/// What is added to every prompt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PromptShape {
    system: Option<String>,
    examples: Vec<Message>,
    template: Option<String>,
}

impl PromptShape {
    /// What `data.system_prompt`, `data.example_turns` and `data.prompt_template` say.
    ///
    /// # Errors
    /// [`TrainError::Io`] and [`TrainError::Config`] for a file of example turns that cannot be used.
    pub fn new(config: &Config) -> Result<Self, TrainError> {
        let data = &config.data;
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Ok(Self {
            system: given(&data.system_prompt),
            examples: data.example_turns.messages()?,
            template: given(&data.prompt_template).filter(|template| template != PROBLEM),
        })
    }

    /// The conversation as the model is to see it: the system prompt takes the place of one that is there, the example
    /// turns come behind it, and the last message goes into the template.
    pub fn apply(&self, mut messages: Vec<Message>) -> Vec<Message> {
        if let (Some(template), Some(last)) = (&self.template, messages.last_mut()) {
            last.content = template.replacen(PROBLEM, &last.content, 1);
        }
        if let Some(system) = &self.system {
            messages.retain(|message| message.role != "system");
            messages.insert(0, Message::new("system", system));
        }
        let behind_system = messages
            .iter()
            .take_while(|message| message.role == "system")
            .count();
        messages.splice(behind_system..behind_system, self.examples.iter().cloned());
        messages
    }
}
