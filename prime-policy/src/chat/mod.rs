//! Chat templates: conversations as the one text that a model was trained to read.
//!
//! A template is a Jinja program that comes with the model. It is rendered as `transformers` does in
//! `apply_chat_template`: blocks trimmed, no escaping, loop controls, `raise_exception`, `strftime_now`, a `tojson` that
//! writes what Python's `json.dumps` writes, and the methods that Python's strings and dictionaries have. The text is
//! the same to the byte. Where Python would raise a `TypeError` for mixed types (`'a' < 1`, a loop over `none`), the
//! engine may go on instead.
//!
//! A template comes from outside, so what it may do is bounded, and each bound is an error that names the template: its size
//! (256 KiB), the operators of an expression and the `elif`s (512), nesting (150 blocks or brackets, values 128 deep), work
//! and memory together (the engine's fuel: seconds, and half a gigabyte at most), and the text that comes out (16 MiB). All
//! of that holds on a stack of 2 MiB. Two things the engine does without fuel: it compares lists, and it
//! concatenates a list with `~` after `*` has repeated it (`([a] * 100000) ~ ''`). A template that was written to do harm can
//! still waste time or memory with these: take templates from where you take weights.

mod engine;
mod filters;
mod folder;
mod json;
mod limits;
mod message;
mod methods;
mod python;
mod source;
mod values;

use std::collections::BTreeSet;
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
    /// [`PolicyError::ChatTemplate`] with the line of a syntax error, or the bound that the template is beyond.
    pub fn new(source: &str, origin: impl Into<String>) -> Result<Self, PolicyError> {
        let origin = origin.into();
        let prepared = source::prepare(source).map_err(|refusal| PolicyError::ChatTemplate {
            origin: origin.clone(),
            line: refusal.line,
            reason: refusal.reason,
        })?;
        match engine::environment(prepared) {
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

    /// The variables that the template reads and does not set itself, sorted: those of [`ChatOptions`], special tokens such
    /// as `bos_token`, and its own, such as `enable_thinking`.
    pub fn variables(&self) -> BTreeSet<String> {
        match self.environment.get_template(engine::NAME) {
            Ok(template) => template
                .undeclared_variables(false)
                .into_iter()
                .filter(|name| !self.environment.globals().any(|(global, _)| global == name))
                .collect(),
            Err(_) => BTreeSet::new(),
        }
    }

    /// Whether the name of a variable stands anywhere in the template.
    pub fn mentions(&self, name: &str) -> bool {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let template = self.environment.get_template(engine::NAME);
        template.is_ok_and(|template| {
            let mut words = template.source().split(|c: char| !is_part(c));
            words.any(|word| word == name)
        })
    }

    /// The text of a conversation. `special_tokens` are variables such as `("bos_token", "<s>")`;
    /// [`ChatOptions::variables`] of the same name come before them.
    ///
    /// # Errors
    /// [`PolicyError::ChatTemplate`]: no message; tools or documents that are no list of objects; a filter, test, method
    /// or attribute that does not exist, with its line; what the template itself refuses through `raise_exception`; a
    /// template that does not come to an end, or makes more than 16 MiB of text.
    pub fn render<'a>(
        &self,
        messages: &[ChatMessage],
        special_tokens: impl IntoIterator<Item = (&'a str, &'a str)>,
        options: &ChatOptions,
    ) -> Result<String, PolicyError> {
        let fail = |reason| PolicyError::ChatTemplate {
            origin: self.origin.clone(),
            line: None,
            reason,
        };
        let mut context: Vec<(Value, Value)> = special_tokens
            .into_iter()
            .map(|(name, token)| (Value::from(name), Value::from(token)))
            .collect();
        context.extend(options.context(messages).map_err(fail)?);
        let text = self
            .environment
            .get_template(engine::NAME)
            .and_then(|template| template.render(Value::from_pairs(context)))
            .map_err(|error| engine::explain(&self.origin, &error))?;
        match text.len() > limits::MAX_TEXT {
            true => Err(fail(format!(
                "makes a text of {} bytes; accepted: up to {}",
                text.len(),
                limits::MAX_TEXT
            ))),
            false => Ok(text),
        }
    }
}
