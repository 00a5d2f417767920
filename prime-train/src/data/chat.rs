//! Messages of a row as the prompt that the model reads.

use std::path::Path;

use prime_policy::{ChatMessage, ChatOptions, ChatTemplate, Tokenizer};

use super::rows::Message;
use crate::config::Config;
use crate::error::TrainError;

/// `data.chat_template`: the model's own, where it has one.
pub const AUTO: &str = "auto";
/// `data.chat_template`: no template, even if the model has one.
pub const NONE: &str = "none";

/// How messages become a prompt.
#[derive(Debug, Clone)]
pub struct PromptFormat {
    template: Option<ChatTemplate>,
}

impl PromptFormat {
    /// What `data.chat_template` says for this tokenizer.
    ///
    /// # Errors
    /// [`TrainError::Policy`] for a file that cannot be read and for a template with a syntax error.
    pub fn open(config: &Config, tokenizer: &Tokenizer) -> Result<Self, TrainError> {
        let templates = tokenizer.chat_templates();
        let template = match config.data.chat_template.as_str() {
            NONE => None,
            AUTO if templates.is_empty() => None,
            AUTO => Some(templates.compile(None, false)?),
            path => Some(ChatTemplate::from_file(Path::new(path))?),
        };
        Ok(Self { template })
    }

    /// Whether prompts go through a chat template.
    pub fn is_chat(&self) -> bool {
        self.template.is_some()
    }

    /// The prompt as text and as ids: through the template up to the start of the answer. Without one, the messages'
    /// contents are joined by blank lines: the tokenizer of a base model has no roles.
    ///
    /// # Errors
    /// [`TrainError::Policy`]: the template refuses the messages, or a piece of the text has no token.
    pub fn encode(
        &self,
        messages: &[Message],
        tokenizer: &Tokenizer,
    ) -> Result<(String, Vec<u32>), TrainError> {
        let Some(template) = &self.template else {
            let contents: Vec<&str> = messages.iter().map(|m| m.content.as_str()).collect();
            let text = contents.join("\n\n");
            let ids = tokenizer.encode_prompt(&text)?;
            return Ok((text, ids));
        };
        let messages: Vec<ChatMessage> = messages
            .iter()
            .map(|message| ChatMessage::new(&message.role, &message.content))
            .collect();
        let text = tokenizer.render_chat(template, &messages, &ChatOptions::prompt())?;
        let ids = tokenizer.encode(&text)?;
        Ok((text, ids))
    }
}
