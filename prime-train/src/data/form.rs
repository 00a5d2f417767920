//! How rows become prompts, and what can be known of a prompt without making it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use prime_policy::Tokenizer;

use super::ability::Ability;
use super::broken::Broken;
use super::chat::PromptFormat;
use super::problem::PreparedProblem;
use super::prompt_limit::PromptLimit;
use super::reading::RowReading;
use super::row::{Message, Row};

/// Characters that not every tokenizer has: one that writes them writes any text, in bytes.
const ODD: &str = "\u{1}\u{fffd}é漢ﷺ𝔄🏳️\u{200d}🌈";
/// Templates and normalisers may lengthen what they are given; a text of at most this part of the limit is short enough
/// without being looked at.
const SURELY: usize = 2;

/// How rows become prompts.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) reading: RowReading,
    pub(super) format: PromptFormat,
    pub(super) limit: PromptLimit,
    /// For each sequence of roles, the bytes that the template adds; `None` where it refuses them.
    overheads: Mutex<HashMap<String, Option<usize>>>,
    writes_any_text: bool,
}

/// What is known of the length of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// Its tokens.
    Tokens(usize),
    /// It has at most as many tokens as this is bytes, and that is few enough.
    Below(usize),
}

impl Form {
    pub(super) fn new(
        reading: RowReading,
        format: PromptFormat,
        limit: PromptLimit,
        tokenizer: &Tokenizer,
    ) -> Self {
        Self {
            reading,
            format,
            limit,
            overheads: Mutex::default(),
            writes_any_text: tokenizer.encode(ODD).is_ok(),
        }
    }

    /// The length of a row's prompt: a bound where it is surely short enough, if one will do.
    ///
    /// # Errors
    /// Outer: a prompt that cannot be written. Inner: one that is too long.
    pub(super) fn length(
        &self,
        row: &Row,
        tokenizer: &Tokenizer,
        bound_will_do: bool,
    ) -> Result<Result<Length, Broken>, Broken> {
        if bound_will_do
            && self.writes_any_text
            && let Some(overhead) = self.overhead(&row.prompt, tokenizer)
        {
            let text: usize = row.prompt.iter().map(|message| message.content.len()).sum();
            let most = SURELY * (text + overhead);
            if most <= self.limit.tokens() {
                return Ok(Ok(Length::Below(most)));
            }
        }
        let (_, ids) = self.encode(&row.prompt, tokenizer)?;
        Ok(self
            .limit
            .check(ids.len())
            .map(|()| Length::Tokens(ids.len())))
    }

    /// The prompt as text and as tokens.
    pub(super) fn encode(
        &self,
        messages: &[Message],
        tokenizer: &Tokenizer,
    ) -> Result<(String, Vec<u32>), Broken> {
        let encoded = self.format.encode(messages, tokenizer);
        encoded.map_err(|error| Broken::prompt("prompt", error.to_string()))
    }

    /// The problem that a row is.
    pub(super) fn problem(
        &self,
        id: u64,
        row: Row,
        tokenizer: &Tokenizer,
    ) -> Result<PreparedProblem, Broken> {
        let (prompt, prompt_ids) = self.encode(&row.prompt, tokenizer)?;
        Ok(PreparedProblem {
            id,
            prompt,
            prompt_ids,
            ground_truth: row.golds.first().cloned().unwrap_or_default(),
            is_code: row.ability == Ability::Code,
            row: Some(std::sync::Arc::new(row)),
        })
    }

    fn overhead(&self, messages: &[Message], tokenizer: &Tokenizer) -> Option<usize> {
        let roles = messages.iter().map(|message| message.role.as_str());
        let roles = roles.collect::<Vec<_>>().join("\n");
        let mut known = self
            .overheads
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(overhead) = known.get(&roles) {
            return *overhead;
        }
        let short: Vec<Message> = messages
            .iter()
            .map(|message| Message::new(message.role.clone(), "x"))
            .collect();
        let rendered = self.format.encode(&short, tokenizer);
        let overhead = rendered.ok().map(|(text, ids)| text.len().max(ids.len()));
        known.insert(roles, overhead);
        overhead
    }
}
