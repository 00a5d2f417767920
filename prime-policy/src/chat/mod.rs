//! Chat templates: conversations as the one text that a model was trained to read.
//!
//! A template is a Jinja program that comes with the model. It is rendered as `transformers` does in
//! `apply_chat_template`: blocks trimmed, no escaping, loop controls, `raise_exception`, `strftime_now`, a `tojson` that
//! writes what Python's `json.dumps` writes, and the methods that Python's strings and dictionaries have. The text is
//! the same to the byte. Where Python would raise a `TypeError` for mixed types (`'a' < 1`, a loop over `none`), the
//! engine may go on instead.
//!
//! Work and nesting are bounded, so that a mistake in a template ends in an error. A template that was written to do harm
//! can still fill the memory (`~` on a list that holds itself many times over): take templates from where you take weights.

mod engine;
mod filters;
mod folder;
mod json;
mod message;
mod methods;
mod python;
mod source;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use minijinja::{Environment, Value};

pub use folder::ChatTemplates;
pub(crate) use folder::{TEMPLATE_FILE, TemplateEntry, additional_templates};
pub use message::{ChatMessage, ChatOptions, ChatValue};

use crate::error::PolicyError;

/// A compiled chat template.
#[derive(Clone)]
pub struct ChatTemplate {
    environment: Arc<Environment<'static>>,
    origin: String,
}

impl fmt::Debug for ChatTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatTemplate")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl ChatTemplate {
    /// Compiles `source`. `origin` is the file, or another name, that errors speak of.
    ///
    /// # Errors
    /// [`PolicyError::ChatTemplate`] with the line of a syntax error.
    pub fn new(source: &str, origin: impl Into<String>) -> Result<Self, PolicyError> {
        let origin = origin.into();
        match engine::environment(source) {
            Ok(environment) => Ok(Self {
                environment: Arc::new(environment),
                origin,
            }),
            Err(error) => Err(engine::explain(&origin, &error)),
        }
    }

    /// Reads and compiles a file, such as `chat_template.jinja`.
    ///
    /// # Errors
    /// [`PolicyError::Io`]; those of [`ChatTemplate::new`].
    pub fn from_file(path: &Path) -> Result<Self, PolicyError> {
        let source = std::fs::read_to_string(path).map_err(|source| PolicyError::Io {
            path: path.to_owned(),
            source,
        })?;
        Self::new(&source, path.display().to_string())
    }

    /// The file that the template came from, or its name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The text of a conversation. `special_tokens` are variables such as `("bos_token", "<s>")`;
    /// [`ChatOptions::variables`] of the same name come before them.
    ///
    /// # Errors
    /// [`PolicyError::ChatTemplate`]: no message; tools or documents that are no list of objects; a filter, test, method
    /// or attribute that does not exist, with its line; what the template itself refuses through `raise_exception`; a
    /// template that does not come to an end.
    pub fn render<'a>(
        &self,
        messages: &[ChatMessage],
        special_tokens: impl IntoIterator<Item = (&'a str, &'a str)>,
        options: &ChatOptions,
    ) -> Result<String, PolicyError> {
        let mut context: Vec<(Value, Value)> = special_tokens
            .into_iter()
            .map(|(name, token)| (Value::from(name), Value::from(token)))
            .collect();
        context.extend(
            options
                .context(messages)
                .map_err(|reason| PolicyError::ChatTemplate {
                    origin: self.origin.clone(),
                    line: None,
                    reason,
                })?,
        );
        self.environment
            .get_template(engine::NAME)
            .and_then(|template| template.render(Value::from_pairs(context)))
            .map_err(|error| engine::explain(&self.origin, &error))
    }
}
