//! What `generate` asks the model: a text, a conversation, or a row as training sees it.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use prime_policy::Tokenizer;

use crate::config::Config;
use crate::data::chat::PromptFormat;
use crate::data::conversation;
use crate::data::problems::Problems;
use crate::data::prompt_shape::PromptShape;
use crate::data::row::Message;
use crate::error::TrainError;

/// Where the prompt comes from.
#[derive(Debug, Clone)]
pub(crate) enum Prompt {
    /// A text as it is.
    Text(String),
    /// Turns through the chat template.
    Chat {
        /// A JSON file of earlier turns; `-` is standard input.
        messages: Option<PathBuf>,
        /// What the user says last.
        prompt: Option<String>,
    },
    /// A row to train on, counted from 1.
    Row(u64),
}

/// The prompt as text and as ids.
///
/// # Errors
/// Messages that cannot be read, [`TrainError::Usage`] for those that ask for nothing; a template that refuses them.
pub(crate) fn encode(
    prompt: &Prompt,
    config: &Config,
    tokenizer: &Tokenizer,
) -> Result<(String, Vec<u32>), TrainError> {
    match prompt {
        Prompt::Text(text) => Ok((text.clone(), tokenizer.encode_prompt(text)?)),
        Prompt::Chat { messages, prompt } => {
            let messages = conversation(messages.as_deref(), prompt.as_deref(), config)?;
            let format = PromptFormat::open(config, tokenizer)?;
            if !format.is_chat() {
                return usage(
                    "--chat needs a chat template, and the model has none; give one by --set data.chat_template=FILE",
                );
            }
            let shape = PromptShape::new(config)?;
            format.encode(&shape.apply(messages), tokenizer)
        }
        Prompt::Row(0) => usage("--row 0: rows are counted from 1"),
        Prompt::Row(number) => {
            let problems = Problems::open(config, tokenizer)?;
            let problem = problems.row(number - 1, tokenizer)?;
            Ok((problem.prompt, problem.prompt_ids))
        }
    }
}

fn usage<T>(message: impl Into<String>) -> Result<T, TrainError> {
    Err(TrainError::Usage(message.into()))
}

fn conversation(
    file: Option<&Path>,
    prompt: Option<&str>,
    config: &Config,
) -> Result<Vec<Message>, TrainError> {
    if prompt.is_some_and(|prompt| prompt.trim().is_empty()) {
        return usage("--prompt is empty: there is nothing to answer");
    }
    let mut messages = match file {
        Some(path) => earlier_turns(path)?,
        None => vec![],
    };
    let name = file.map(name_of).unwrap_or_default();
    let has_system = messages.iter().any(|message| message.role == "system");
    if has_system && !config.data.system_prompt.is_empty() {
        return usage(format!(
            "{name} has a system message, and --system or data.system_prompt gives another; leave one of them out"
        ));
    }
    messages.extend(prompt.map(|prompt| Message::new("user", prompt)));
    match messages.last() {
        None => usage(format!("{name} has no message: there is nothing to answer")),
        Some(last) if last.role == "assistant" => usage(format!(
            "{name} ends with the assistant's turn: give what the user says next by --prompt, or leave that turn out"
        )),
        Some(last) if last.content.trim().is_empty() => usage(format!(
            "the last message of {name} is empty: there is nothing to answer"
        )),
        Some(_) => Ok(messages),
    }
}

fn name_of(path: &Path) -> String {
    match is_stdin(path) {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    }
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// The turns of a JSON file: `[{"role": …, "content": …}]`.
fn earlier_turns(path: &Path) -> Result<Vec<Message>, TrainError> {
    let text = match is_stdin(path) {
        true => {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.map_err(TrainError::io("read", Path::new("standard input")))?;
            text
        }
        false => std::fs::read_to_string(path).map_err(TrainError::io("read", path))?,
    };
    let text = text.trim_start_matches('\u{feff}').trim();
    let parsed = serde_json::from_str::<serde::de::IgnoredAny>(text);
    parsed.map_err(|error| TrainError::Parse {
        path: name_of(path).into(),
        line: error.line(),
        reason: error.to_string(),
    })?;
    let read = conversation::read(text, "messages").map_err(|broken| {
        TrainError::Usage(format!(
            "{}: {}: {} (a JSON list of {{\"role\", \"content\"}} is read)",
            name_of(path),
            broken.field,
            broken.reason
        ))
    })?;
    let mut messages = read.messages;
    messages.extend(read.reference.map(|last| Message::new("assistant", last)));
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layer, Purpose, resolve_for};

    fn config(settings: &[&str]) -> Config {
        let layers: Vec<Layer> = ["model.path=m"]
            .iter()
            .chain(settings)
            .map(|set| Layer::set(set).unwrap())
            .collect();
        resolve_for(&layers, Purpose::Sampling).unwrap().config
    }

    fn asked(json: &str, prompt: Option<&str>, settings: &[&str]) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("turns.json");
        std::fs::write(&path, json).unwrap();
        let found = conversation(Some(&path), prompt, &config(settings));
        let messages = found.map_err(|error| error.to_string())?;
        let said = |m: &Message| format!("{}:{}", m.role, m.content);
        Ok(messages.iter().map(said).collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn earlier_turns_come_before_the_prompt() {
        let turns = r#"[{"role":"user","content":"1"},{"role":"assistant","content":"2"}]"#;
        assert_eq!(
            asked(turns, Some("3"), &[]).unwrap(),
            "user:1|assistant:2|user:3"
        );
        assert_eq!(
            asked(r#"[{"role":"x","content":"1"}]"#, None, &[]).unwrap(),
            "x:1"
        );
    }

    #[test]
    fn messages_that_ask_for_nothing_are_refused_by_file() {
        let user = r#"[{"role":"system","content":"s"},{"role":"user","content":"1"}]"#;
        for (json, prompt, settings, said) in [
            ("[]", None, &[][..], "has no message"),
            (r#"[{"role":"user","content":" "}]"#, None, &[], "is empty"),
            (
                r#"[{"role":"assistant","content":"1"}]"#,
                None,
                &[],
                "by --prompt",
            ),
            ("[{\"role\":\n 1", None, &[], "turns.json"),
            (
                r#"[{"role":"user"}]"#,
                None,
                &[],
                "messages[0].content: is missing",
            ),
            (r#"{"role":"user"}"#, None, &[], "found an object"),
            (user, Some(" "), &[], "--prompt is empty"),
            (
                user,
                None,
                &["data.system_prompt=t"],
                "leave one of them out",
            ),
        ] {
            let error = asked(json, prompt, settings).expect_err(json);
            assert!(error.contains(said), "{json}: {error}");
        }
        let error = asked("[{\"role\":\n 1", None, &[]).unwrap_err();
        assert!(error.contains("line 2"), "{error}");
    }
}
