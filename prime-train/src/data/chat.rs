//! Messages of a row as the prompt that the model reads.

use std::collections::BTreeMap;
use std::path::Path;

use prime_policy::{ChatMessage, ChatOptions, ChatTemplate, ChatValue, Tokenizer};

use super::row::Message;
use crate::config::Config;
use crate::error::{ConfigError, TrainError};

/// `data.chat_template`: the model's own, where it has one.
pub const AUTO: &str = "auto";
/// `data.chat_template`: no template, even if the model has one.
pub const NONE: &str = "none";

/// How messages become a prompt.
#[derive(Debug, Clone)]
pub struct PromptFormat {
    template: Option<ChatTemplate>,
    options: ChatOptions,
}

impl PromptFormat {
    /// What `data.chat_template` says for this tokenizer.
    ///
    /// # Errors
    /// [`TrainError::Policy`] for a file that cannot be read and for a template with a syntax error; [`TrainError::Config`]
    /// for a variable of `data.chat_template_kwargs` that the template does not read.
    pub fn open(config: &Config, tokenizer: &Tokenizer) -> Result<Self, TrainError> {
        let templates = tokenizer.chat_templates();
        let template = match config.data.chat_template.as_str() {
            NONE => None,
            AUTO if templates.is_empty() => None,
            AUTO => Some(templates.compile(None, false)?),
            path => Some(ChatTemplate::from_file(Path::new(path))?),
        };
        let variables = chat_variables(&config.data.chat_template_kwargs)?;
        for name in variables.keys() {
            is_read(name, template.as_ref())?;
        }
        let mut options = ChatOptions::prompt();
        options.variables = variables;
        Ok(Self { template, options })
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
        let text = tokenizer.render_chat(template, &messages, &self.options)?;
        let ids = tokenizer.encode(&text)?;
        Ok((text, ids))
    }
}

/// What `data.chat_template_kwargs` may not name: it is there anyway.
const FIXED: [&str; 5] = [
    "messages",
    "tools",
    "documents",
    "add_generation_prompt",
    "strftime_now",
];

/// `data.chat_template_kwargs` as a template takes them.
pub(crate) fn chat_variables(
    given: &BTreeMap<String, toml::Value>,
) -> Result<BTreeMap<String, ChatValue>, ConfigError> {
    let pair = |(name, value): (&String, &toml::Value)| {
        let refuse = |need: String| ConfigError::Range {
            key: "data.chat_template_kwargs",
            given: format!("{{ {name} = {value} }}"),
            need,
        };
        if FIXED.contains(&name.as_str()) {
            return Err(refuse(format!(
                "without `{name}`, which is set from the row"
            )));
        }
        let json = json_of(value).ok_or_else(|| {
            refuse("text, finite numbers, true or false, or lists and tables of them".to_owned())
        })?;
        let value = ChatValue::from_json(&json.to_string())
            .map_err(|error| refuse(format!("readable as JSON: {error}")))?;
        Ok((name.clone(), value))
    };
    given.iter().map(pair).collect()
}

/// `None` for what JSON does not have: NaN and infinities. Dates are text.
fn json_of(value: &toml::Value) -> Option<serde_json::Value> {
    use serde_json::Value as Json;
    Some(match value {
        toml::Value::String(text) => Json::from(text.as_str()),
        toml::Value::Integer(number) => Json::from(*number),
        toml::Value::Float(number) => Json::Number(serde_json::Number::from_f64(*number)?),
        toml::Value::Boolean(truth) => Json::from(*truth),
        toml::Value::Datetime(date) => Json::from(date.to_string()),
        toml::Value::Array(list) => Json::Array(list.iter().map(json_of).collect::<Option<_>>()?),
        toml::Value::Table(table) => {
            let pairs = table
                .iter()
                .map(|(name, value)| Some((name.clone(), json_of(value)?)));
            Json::Object(pairs.collect::<Option<_>>()?)
        }
    })
}

/// A variable that nothing reads would be a setting without effect.
fn is_read(name: &str, template: Option<&ChatTemplate>) -> Result<(), ConfigError> {
    let need = match template {
        None => "left out: prompts go through no chat template (see data.chat_template)".to_owned(),
        Some(template) => {
            // Looked for as a word too: a template may read a variable in a way that its analysis does not follow.
            if template.mentions(name) {
                return Ok(());
            }
            let read = template.variables();
            let own: Vec<&str> = read
                .iter()
                .map(String::as_str)
                .filter(|name| !FIXED.contains(name) && !name.ends_with("_token"))
                .collect();
            let own = match own.is_empty() {
                true => "none but the conversation".to_owned(),
                false => own.join(", "),
            };
            format!("a variable that {} reads: {own}", template.origin())
        }
    };
    Err(ConfigError::Range {
        key: "data.chat_template_kwargs",
        given: name.to_owned(),
        need,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layer, resolve};

    const TEMPLATE: &str = "{% for m in messages %}{{ m.content }}{% endfor %}{% if enable_thinking is defined and enable_thinking is false %}-{% endif %}{% for n in marks or [] %}{{ n }}{% endfor %}{% if add_generation_prompt %}+{% endif %}";

    fn prompt(settings: &[&str], template: bool) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        Tokenizer::characters("1-+230".chars())
            .unwrap()
            .save(folder.path())
            .unwrap();
        if template {
            std::fs::write(folder.path().join("chat_template.jinja"), TEMPLATE).unwrap();
        }
        let tokenizer = Tokenizer::from_folder(folder.path()).unwrap();
        let layers: Vec<Layer> = ["model.path=any", "data.train_file=any"]
            .iter()
            .chain(settings)
            .map(|set| Layer::set(set).unwrap())
            .collect();
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let config = resolve(&layers).map_err(|error| said(&error))?;
        let format = PromptFormat::open(&config, &tokenizer).map_err(|error| said(&error))?;
        let encoded = format.encode(&[Message::new("user", "1")], &tokenizer);
        Ok(encoded.map_err(|error| said(&error))?.0)
    }

    #[test]
    fn the_template_gets_its_variables() {
        assert_eq!(prompt(&[], true).unwrap(), "1+");
        let off = "data.chat_template_kwargs.enable_thinking=false";
        assert_eq!(prompt(&[off], true).unwrap(), "1-+");
        let both = "data.chat_template_kwargs={ enable_thinking = true, marks = [2, 3] }";
        assert_eq!(prompt(&[both], true).unwrap(), "123+");
        assert_eq!(prompt(&[both, off], true).unwrap(), "1-23+");
        let date = "data.chat_template_kwargs.marks=2023-12-31";
        assert_eq!(prompt(&[date], true).unwrap(), "12023-12-31+");
    }

    #[test]
    fn a_variable_without_effect_is_an_error() {
        let cases = [
            ("thinking=false", true, "reads: enable_thinking, marks"),
            ("enable_thinking=false", false, "no chat template"),
            (
                "messages=[]",
                true,
                "without `messages`, which is set from the row",
            ),
            ("marks=[nan]", true, "finite numbers"),
        ];
        for (setting, template, said) in cases {
            let setting = format!("data.chat_template_kwargs.{setting}");
            let error = prompt(&[&setting], template).expect_err(&setting);
            assert!(error.contains("data.chat_template_kwargs"), "{error}");
            assert!(error.contains(said), "{setting}: {error}");
        }
    }
}
