//! From JSON to tests.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::{CALL_INPUT, TEXT};
use super::{CallCase, CasesError, StdinCase, TestCases};
use crate::code::value::{JsonError, JsonValue};

pub(super) fn cases(ground_truth: &str) -> Result<TestCases, CasesError> {
    if !ground_truth.trim_start().starts_with('"') {
        return object(ground_truth);
    }
    let inner: String = from_json(ground_truth)?;
    object(&inner)
}

fn object(text: &str) -> Result<TestCases, CasesError> {
    let whole: &RawValue = from_json(text)?;
    // serde would also take a list for the fields in order.
    if !whole.get().starts_with('{') {
        return Err(CasesError::NotAnObject {
            found: kind(whole.get()),
        });
    }
    let fields: Fields<'_> = from_json(text)?;
    let inputs = items(INPUTS, fields.inputs)?;
    let outputs = items(OUTPUTS, fields.outputs)?;
    if inputs.len() != outputs.len() {
        return Err(CasesError::UnequalLengths {
            inputs: inputs.len(),
            outputs: outputs.len(),
        });
    }
    if inputs.is_empty() {
        return Err(CasesError::NoTests);
    }
    let pairs = inputs.into_iter().zip(outputs).enumerate();
    Ok(match fn_name(fields.fn_name)? {
        None => TestCases::Stdin(
            pairs
                .map(|(index, (input, output))| {
                    Ok(StdinCase {
                        input: text_of(INPUTS, index, input)?,
                        output: text_of(OUTPUTS, index, output)?,
                    })
                })
                .collect::<Result<_, CasesError>>()?,
        ),
        Some(fn_name) => TestCases::Call {
            fn_name,
            cases: pairs
                .map(|(index, (input, output))| {
                    Ok(CallCase {
                        arguments: arguments(index, input)?,
                        expected: expected(index, output)?,
                    })
                })
                .collect::<Result<_, CasesError>>()?,
        },
    })
}

const INPUTS: &str = "inputs";
const OUTPUTS: &str = "outputs";

#[derive(Deserialize)]
struct Fields<'t> {
    #[serde(borrow, default)]
    inputs: Option<&'t RawValue>,
    #[serde(borrow, default)]
    outputs: Option<&'t RawValue>,
    #[serde(borrow, default)]
    fn_name: Option<&'t RawValue>,
}

fn from_json<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, CasesError> {
    serde_json::from_str(text).map_err(|error| CasesError::NotJson {
        why: error.to_string(),
    })
}

fn items<'t>(
    field: &'static str,
    value: Option<&'t RawValue>,
) -> Result<Vec<&'t RawValue>, CasesError> {
    let value = value.ok_or(CasesError::Missing { field })?;
    serde_json::from_str(value.get()).map_err(|_| CasesError::NotAList {
        field,
        found: kind(value.get()),
    })
}

/// The function to be called, if one is.
fn fn_name(value: Option<&RawValue>) -> Result<Option<String>, CasesError> {
    let Some(value) = value else {
        return Ok(None);
    };
    let bad = |name: &str| CasesError::BadFnName {
        name: name.to_owned(),
    };
    let name: String = serde_json::from_str(value.get()).map_err(|_| bad(value.get()))?;
    if name.is_empty() {
        return Ok(None);
    }
    let is_identifier = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit());
    if is_identifier && !KEYWORDS.contains(&name.as_str()) {
        Ok(Some(name))
    } else {
        Err(bad(&name))
    }
}

/// Words of Python that no function can have as its name.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

/// What is read or printed in one test.
fn text_of(field: &'static str, index: usize, value: &RawValue) -> Result<String, CasesError> {
    let json = value.get();
    let text = match json.as_bytes().first() {
        Some(b'"') => string(field, index, value)?,
        Some(b'[') => {
            let lines: Vec<&RawValue> = from_json(json)?;
            let lines: Vec<String> = lines
                .into_iter()
                .map(|line| string(field, index, line))
                .collect::<Result<_, _>>()?;
            lines.join("\n")
        }
        _ => return Err(unusable(field, index, json, TEXT)),
    };
    Ok(text)
}

fn string(field: &'static str, index: usize, value: &RawValue) -> Result<String, CasesError> {
    if !value.get().starts_with('"') {
        return Err(unusable(field, index, value.get(), TEXT));
    }
    match JsonValue::parse(value.get()) {
        Ok(JsonValue::String(text)) => Ok(text),
        Ok(_) => Err(unusable(field, index, value.get(), TEXT)),
        Err(why) => Err(CasesError::BadValue { field, index, why }),
    }
}

/// The arguments of one call, as a JSON list on one line.
fn arguments(index: usize, value: &RawValue) -> Result<String, CasesError> {
    let json = value.get();
    match json.as_bytes().first() {
        Some(b'[') => {
            JsonValue::parse(json).map_err(|why| CasesError::BadValue {
                field: INPUTS,
                index,
                why,
            })?;
            // Strings cannot contain them, so these are blanks between values.
            Ok(json.replace(['\n', '\r'], " "))
        }
        Some(b'"') => {
            let text = string(INPUTS, index, value)?;
            let mut values = vec![];
            for (line, value) in text.split('\n').enumerate() {
                let value = value.trim_ascii();
                if value.is_empty() {
                    continue;
                }
                JsonValue::parse(value).map_err(|why| CasesError::BadArgument {
                    index,
                    line: line + 1,
                    why,
                })?;
                values.push(value);
            }
            Ok(format!("[{}]", values.join(",")).replace('\r', " "))
        }
        _ => Err(unusable(INPUTS, index, json, CALL_INPUT)),
    }
}

/// What one call should return.
fn expected(index: usize, value: &RawValue) -> Result<JsonValue, CasesError> {
    let bad = |why| CasesError::BadValue {
        field: OUTPUTS,
        index,
        why,
    };
    match JsonValue::parse(value.get()).map_err(bad)? {
        JsonValue::String(text) => match JsonValue::parse(&text) {
            Err(JsonError::Malformed { .. }) => Ok(JsonValue::String(text)),
            parsed => parsed.map_err(bad),
        },
        other => Ok(other),
    }
}

fn unusable(field: &'static str, index: usize, json: &str, wanted: &'static str) -> CasesError {
    CasesError::Unusable {
        field,
        index,
        found: kind(json),
        wanted,
    }
}

/// What a piece of JSON is, for messages.
fn kind(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a bool",
        Some(b'n') => "null",
        _ => "a number",
    }
}
