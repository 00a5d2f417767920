//! Conversations as token ids.

use super::Tokenizer;
use crate::chat::{ChatMessage, ChatOptions, ChatTemplate, ChatTemplates};
use crate::error::PolicyError;

impl Tokenizer {
    /// The chat templates that came with the tokenizer; none for a base model.
    pub fn chat_templates(&self) -> &ChatTemplates {
        &self.templates
    }

    /// The text of a conversation, special tokens spelled out.
    ///
    /// # Errors
    /// Those of [`ChatTemplate::render`].
    pub fn render_chat(
        &self,
        template: &ChatTemplate,
        messages: &[ChatMessage],
        options: &ChatOptions,
    ) -> Result<String, PolicyError> {
        template.render(messages, self.special_tokens.iter(), options)
    }

    /// The ids of a conversation: those of [`render_chat`](Self::render_chat)'s text and no others, since a template
    /// writes its own `bos_token`.
    ///
    /// # Errors
    /// Those of [`ChatTemplate::render`]; [`PolicyError::Tokenizer`] when a piece of the text has no token.
    pub fn encode_chat(
        &self,
        template: &ChatTemplate,
        messages: &[ChatMessage],
        options: &ChatOptions,
    ) -> Result<Vec<u32>, PolicyError> {
        self.encode(&self.render_chat(template, messages, options)?)
    }
}
