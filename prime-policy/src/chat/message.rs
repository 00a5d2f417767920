//! What goes into a template.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use minijinja::Value;
use minijinja::value::ValueKind;
use serde::de::{Deserialize, Deserializer, Error as _};

use super::engine;
use crate::error::PolicyError;

/// A JSON value that keeps the order of its keys: templates print objects as they were written.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatValue(pub(super) Value);

impl ChatValue {
    /// Reads JSON. Whole numbers beyond 64 bits become floating-point numbers.
    ///
    /// # Errors
    /// [`PolicyError::Tokenizer`] for text that is not JSON.
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        serde_json::from_str(text).map_err(|error| {
            PolicyError::Tokenizer(format!(
                "a chat template's input is not JSON: {error}: {text}"
            ))
        })
    }
}

impl<'de> Deserialize<'de> for ChatValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self)
    }
}

macro_rules! chat_value_from {
    ($($kind:ty),*) => {$(
        impl From<$kind> for ChatValue {
            fn from(value: $kind) -> Self {
                Self(Value::from(value))
            }
        }
    )*};
}
chat_value_from!(bool, i64, f64, &str, String);

/// One message of a conversation: `role`, `content`, and whatever else the template reads (`tool_calls`, `name`,
/// `reasoning_content`).
///
/// ```
/// use prime_policy::ChatMessage;
///
/// let question = ChatMessage::new("user", "1 + 1?");
/// let same: ChatMessage = serde_json::from_str(r#"{"role": "user", "content": "1 + 1?"}"#)?;
/// assert_eq!(question, same);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ChatMessage {
    fields: Vec<(String, Value)>,
}

/// Names that reasoning goes under, the usual one first.
const REASONING: [&str; 3] = ["reasoning_content", "thinking", "reasoning"];

impl ChatMessage {
    /// A message of text.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            fields: vec![
                ("role".to_owned(), Value::from(role.into())),
                ("content".to_owned(), Value::from(content.into())),
            ],
        }
    }

    /// The same with one more field, or another value for one it has.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<ChatValue>) -> Self {
        let (name, value) = (name.into(), value.into().0);
        match self.fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.fields.push((name, value)),
        }
        self
    }

    fn field(&self, name: &str) -> Option<&Value> {
        self.fields
            .iter()
            .find(|(known, value)| known == name && !value.is_none())
            .map(|(_, value)| value)
    }

    /// What the template sees: no field that is null, and reasoning under its usual name and the one that gpt-oss reads.
    fn to_value(&self) -> Value {
        let reasoning = REASONING.into_iter().find_map(|name| self.field(name));
        let mut pairs: Vec<(&str, &Value)> = vec![];
        if let Some(reasoning) = reasoning {
            pairs.push(("thinking", self.field("thinking").unwrap_or(reasoning)));
        }
        for (name, value) in &self.fields {
            let seen = reasoning.is_some() && name == "thinking";
            if !value.is_none() && !seen {
                let usual = reasoning.filter(|_| name == "reasoning_content");
                pairs.push((name, usual.unwrap_or(value)));
            }
        }
        if let Some(reasoning) = reasoning
            && self.field("reasoning_content").is_none()
        {
            pairs.push(("reasoning_content", reasoning));
        }
        Value::from_pairs(pairs.into_iter().map(|(name, value)| (name, value.clone())))
    }
}

impl<'de> Deserialize<'de> for ChatMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let fail = |reason: &str| Err(D::Error::custom(reason));
        if value.kind() != ValueKind::Map {
            return fail("a chat message is an object with `role` and `content`");
        }
        let mut fields = vec![];
        for key in value.try_iter().map_err(D::Error::custom)? {
            let field = value.get_item(&key).map_err(D::Error::custom)?;
            fields.push((key.to_string(), field));
        }
        let message = Self { fields };
        match message.field("role") {
            Some(role) if role.kind() == ValueKind::String => Ok(message),
            Some(_) => fail("a chat message's `role` is not a string"),
            None => fail("a chat message has no `role`"),
        }
    }
}

/// Everything but the conversation that a template may read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChatOptions {
    /// Whether the text ends with the start of an answer: set it to sample from the model.
    pub add_generation_prompt: bool,
    /// Tools as a list of JSON schemas; `None` = no tools.
    pub tools: Option<ChatValue>,
    /// Documents to ground the answer in, a list of objects; `None` = none.
    pub documents: Option<ChatValue>,
    /// Further variables of the template, such as `enable_thinking`.
    pub variables: BTreeMap<String, ChatValue>,
    now: Option<DateTime>,
}

impl ChatOptions {
    /// No tools, no documents, and the start of an answer at the end.
    pub fn prompt() -> Self {
        Self {
            add_generation_prompt: true,
            ..Self::default()
        }
    }

    /// The same with a variable of the template.
    pub fn with_variable(mut self, name: impl Into<String>, value: impl Into<ChatValue>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// The same with a fixed time, `2024-07-26T12:00:00`, for templates that print today's date: otherwise the local
    /// clock is read, and the same conversation is another text tomorrow.
    ///
    /// # Errors
    /// [`PolicyError::Tokenizer`] for text that is no such time.
    pub fn with_now(mut self, time: &str) -> Result<Self, PolicyError> {
        let parsed = time.parse().map_err(|error| {
            PolicyError::Tokenizer(format!(
                "{time:?} is no time; write it as 2024-07-26T12:00:00: {error}"
            ))
        })?;
        self.now = Some(parsed);
        Ok(self)
    }

    /// The template's variables, later ones before earlier ones of the same name.
    pub(super) fn context(&self, messages: &[ChatMessage]) -> Result<Vec<(Value, Value)>, String> {
        if messages.is_empty() {
            return Err("the conversation has no message; give at least one".to_owned());
        }
        let list = |value: &Option<ChatValue>, name: &str| match value {
            None => Ok(Value::from(())),
            Some(ChatValue(list)) if is_list_of_objects(list) => Ok(list.clone()),
            Some(ChatValue(other)) => Err(format!(
                "`{name}` is a {}; accepted: a list of objects",
                other.kind()
            )),
        };
        let mut context: Vec<(Value, Value)> = self
            .variables
            .iter()
            .map(|(name, ChatValue(value))| (Value::from(name.as_str()), value.clone()))
            .collect();
        let messages: Value = messages.iter().map(ChatMessage::to_value).collect();
        let fixed = [
            ("messages", messages),
            ("tools", list(&self.tools, "tools")?),
            ("documents", list(&self.documents, "documents")?),
            (
                "add_generation_prompt",
                Value::from(self.add_generation_prompt),
            ),
            ("strftime_now", engine::strftime_now(self.now)),
        ];
        context.extend(fixed.map(|(name, value)| (Value::from(name), value)));
        Ok(context)
    }
}

fn is_list_of_objects(value: &Value) -> bool {
    value.kind() == ValueKind::Seq
        && value
            .try_iter()
            .is_ok_and(|mut items| items.all(|item| item.kind() == ValueKind::Map))
}
