//! Conversations as data sets write them: a text, messages, `from`/`value` turns, contents in parts.

use super::broken::Broken;
use super::json::{Object, kind_of, list, string};
use super::row::Message;

/// A conversation, and the response that stood at its end.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Conversation {
    pub(crate) messages: Vec<Message>,
    /// The turn of the assistant that the data ends with: no part of the prompt.
    pub(crate) reference: Option<String>,
}

/// Reads a text (one turn of the user) or a list of messages. A text may hold the JSON of such a list.
pub(crate) fn read(json: &str, field: &str) -> Result<Conversation, Broken> {
    if json.starts_with('"') {
        let text = text_of(json, field)?;
        let holds_messages = text.trim_start().starts_with("[{")
            && list(&text).is_some_and(|turns| turns.iter().all(|turn| is_message(turn)));
        if holds_messages {
            return read(text.trim(), field);
        }
        return Ok(Conversation {
            messages: vec![Message::new("user", text)],
            reference: None,
        });
    }
    if is_message(json) {
        return read(&format!("[{json}]"), field);
    }
    let Some(entries) = list(json) else {
        let reason = match kind_of(json) {
            "null" => "is null".to_owned(),
            found => format!("expected a text or a list of messages, found {found}"),
        };
        return Err(Broken::prompt(field, reason));
    };
    let mut messages = entries
        .into_iter()
        .enumerate()
        .map(|(i, entry)| message(entry, &format!("{field}[{i}]")))
        .collect::<Result<Vec<_>, _>>()?;
    let reference = messages
        .pop_if(|last| last.role == "assistant")
        .map(|last| last.content);
    Ok(Conversation {
        messages,
        reference,
    })
}

/// An empty prompt is none.
pub(crate) fn not_empty(messages: &[Message], field: &str) -> Result<(), Broken> {
    match messages.last() {
        None => Err(Broken::prompt(field, "has no message")),
        Some(last) if last.role == "assistant" => Err(Broken::prompt(
            field,
            "has two turns of the assistant at its end; join them, or leave them out",
        )),
        Some(last) if last.content.trim().is_empty() => Err(Broken::prompt(field, "is empty")),
        Some(_) => Ok(()),
    }
}

/// A text that is there and not blank.
pub(crate) fn text_of(json: &str, field: &str) -> Result<String, Broken> {
    let reason = match string(json) {
        Some(text) if text.trim().is_empty() => "is empty".to_owned(),
        Some(text) => return Ok(text),
        None if json.starts_with('"') => escape_error(json),
        None if json == "null" => "is null".to_owned(),
        None => format!("expected a string, found {}", kind_of(json)),
    };
    Err(Broken::prompt(field, reason))
}

fn escape_error(json: &str) -> String {
    match serde_json::from_str::<String>(json) {
        Ok(_) => "cannot be read".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn is_message(json: &str) -> bool {
    Object::of(json).is_some_and(|turn| {
        (turn.has("role") && turn.has("content")) || (turn.has("from") && turn.has("value"))
    })
}

fn message(json: &str, field: &str) -> Result<Message, Broken> {
    let Some(turn) = Object::of(json) else {
        let reason = format!("expected {{role, content}}, found {}", kind_of(json));
        return Err(Broken::prompt(field, reason));
    };
    let (role, content) = match turn.has("from") && !turn.has("role") {
        true => ("from", "value"),
        false => ("role", "content"),
    };
    let role_field = format!("{field}.{role}");
    let given = turn
        .get(role)
        .ok_or_else(|| Broken::prompt(&role_field, "is missing"))?;
    let given = text_of(given, &role_field)?;
    let role = match given.as_str() {
        "human" => "user",
        "gpt" | "model" | "bot" | "chatgpt" => "assistant",
        other => other,
    };
    let content_field = format!("{field}.{content}");
    let content = turn
        .get(content)
        .ok_or_else(|| Broken::prompt(&content_field, "is missing"))?;
    Ok(Message::new(role, parts(content, &content_field)?))
}

/// A text, or parts of text: those are joined by line breaks.
fn parts(json: &str, field: &str) -> Result<String, Broken> {
    let Some(parts) = list(json) else {
        return match string(json) {
            Some(text) => Ok(text),
            None => text_of(json, field),
        };
    };
    let texts = parts.into_iter().enumerate().map(|(i, part)| {
        let field = format!("{field}[{i}]");
        if part.starts_with('"') {
            return text_of(part, &field);
        }
        let Some(object) = Object::of(part) else {
            let reason = format!("expected {{type, text}}, found {}", kind_of(part));
            return Err(Broken::prompt(&field, reason));
        };
        let kind = object.get("type").and_then(string).unwrap_or_default();
        match object.get("text") {
            Some(text) if matches!(kind.as_str(), "text" | "input_text" | "") => {
                text_of(text, &format!("{field}.text"))
            }
            _ => Err(Broken::prompt(
                &field,
                format!("is of type {kind:?}; only text can be read, so leave such rows out"),
            )),
        }
    });
    Ok(texts.collect::<Result<Vec<_>, _>>()?.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_conversation_is_read() {
        let expected = vec![Message::new("system", "S"), Message::new("user", "Q")];
        for json in [
            r#"[{"role":"system","content":"S"},{"role":"user","content":"Q"}]"#,
            r#"[{"from":"system","value":"S"},{"from":"human","value":"Q"}]"#,
            r#"[{"role":"system","content":"S"},{"role":"user","content":[{"type":"text","text":"Q"}]}]"#,
            r#"[{"content":"S","role":"system","name":null},{"content":["Q"],"role":"human"}]"#,
            r#""[{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"user\",\"content\":\"Q\"}]""#,
        ] {
            assert_eq!(read(json, "prompt").unwrap().messages, expected, "{json}");
        }
        let one = read(r#"{"role":"user","content":"Q"}"#, "prompt").unwrap();
        assert_eq!(one.messages, expected[1..]);
        let read = read(
            r#"[{"from":"human","value":"Q"},{"from":"gpt","value":"A"}]"#,
            "c",
        )
        .unwrap();
        assert_eq!(read.messages, [Message::new("user", "Q")]);
        assert_eq!(read.reference.as_deref(), Some("A"));
    }

    #[test]
    fn what_is_no_conversation_is_said() {
        let cases = [
            (
                "7",
                "prompt: expected a text or a list of messages, found a number",
            ),
            (r#"" ""#, "prompt: is empty"),
            ("[]", "prompt: has no message"),
            (r#"[{"role":"user","content":"  "}]"#, "prompt: is empty"),
            (
                r#"["x"]"#,
                "prompt[0]: expected {role, content}, found a string",
            ),
            (
                r#"[{"role":7,"content":"x"}]"#,
                "prompt[0].role: expected a string, found a number",
            ),
            (r#"[{"role":"user"}]"#, "prompt[0].content: is missing"),
            (
                r#"[{"role":"user","content":null}]"#,
                "prompt[0].content: is null",
            ),
            (
                r#"[{"role":"user","content":[{"type":"image_url","image_url":"u"}]}]"#,
                "prompt[0].content[0]: is of type \"image_url\"; only text",
            ),
            (
                r#"[{"role":"assistant","content":"x"}]"#,
                "prompt: has no message",
            ),
        ];
        for (json, message) in cases {
            let error = read(json, "prompt")
                .and_then(|c| not_empty(&c.messages, "prompt"))
                .unwrap_err();
            let said = format!("{}: {}", error.field, error.reason);
            assert!(said.starts_with(message), "{json}: {said}");
        }
    }
}
