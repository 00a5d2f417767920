//! Filters and tests that the engine has otherwise than jinja2.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, State, Value};

use super::{json, python};

pub(super) fn add(environment: &mut Environment<'_>) {
    environment.add_filter("tojson", json::to_json);
    environment.add_filter("string", python::to_str);
    environment.add_filter("trim", trim);
    environment.add_filter("join", join);
    environment.add_filter("default", default);
    environment.add_filter("d", default);
    environment.add_filter("int", int);
    environment.add_filter("float", float);
    environment.add_test("sequence", is_sequence);
}

/// Texts, lists and dictionaries have an order and a length in Python; what is undefined has the length 0.
fn is_sequence(value: &Value) -> bool {
    matches!(
        value.kind(),
        ValueKind::String | ValueKind::Seq | ValueKind::Map | ValueKind::Undefined
    )
}

fn trim(state: &State<'_, '_>, value: &Value, chars: Option<&str>) -> Result<String, Error> {
    let text = python::to_str(state, value)?;
    Ok(match chars {
        Some(chars) => text.trim_matches(|c| chars.contains(c)).to_owned(),
        None => text.trim_matches(python::is_space).to_owned(),
    })
}

/// Charges for a text before it is made: a list may hold one long text many times.
fn join(
    state: &State<'_, '_>,
    value: &Value,
    separator: Option<Value>,
    attribute: Option<Value>,
    named: Kwargs,
) -> Result<String, Error> {
    let separator = argument(separator, "d", &named)?;
    let attribute = argument(attribute, "attribute", &named)?;
    named.assert_all_used()?;
    let separator = separator.map_or(Ok(String::new()), |d| python::to_str(state, &d))?;
    let items: Vec<Value> = match value.as_str() {
        Some(text) => text.chars().map(Value::from).collect(),
        None => value.try_iter()?.collect(),
    };
    let mut joined = String::new();
    for (i, mut item) in items.into_iter().enumerate() {
        if let Some(path) = attribute.as_ref().filter(|path| !path.is_none()) {
            for part in python::to_str(state, path)?.split('.') {
                item = match part.parse::<usize>() {
                    Ok(index) => item.get_item_by_index(index)?,
                    Err(_) => item.get_attr(part)?,
                };
            }
        }
        let bytes = separator.len() + item.as_str().map_or(0, str::len);
        state.consume_fuel(1 + bytes as u64 / 64)?;
        if i > 0 {
            joined.push_str(&separator);
        }
        joined.push_str(&python::to_str(state, &item)?);
    }
    Ok(joined)
}

/// An argument by position or by name.
fn argument(given: Option<Value>, name: &str, named: &Kwargs) -> Result<Option<Value>, Error> {
    match given {
        Some(given) => Ok(Some(given)),
        None => named.get(name),
    }
}

fn default(
    value: &Value,
    default_value: Option<Value>,
    boolean: Option<Value>,
    named: Kwargs,
) -> Result<Value, Error> {
    let default_value = argument(default_value, "default_value", &named)?;
    let boolean = argument(boolean, "boolean", &named)?.is_some_and(|b| b.is_true());
    named.assert_all_used()?;
    Ok(if value.is_undefined() || (boolean && !value.is_true()) {
        default_value.unwrap_or_else(|| Value::from(""))
    } else {
        value.clone()
    })
}

/// A whole number, cut towards zero; `default` for what is none.
fn int(
    state: &State<'_, '_>,
    value: &Value,
    default: Option<Value>,
    named: Kwargs,
) -> Result<Value, Error> {
    let default = argument(default, "default", &named)?.unwrap_or_else(|| Value::from(0));
    named.assert_all_used()?;
    Ok(match value.kind() {
        ValueKind::Number if value.is_integer() => value.clone(),
        ValueKind::Bool => Value::from(i64::from(value.is_true())),
        ValueKind::Number | ValueKind::String => {
            let text = python::to_str(state, value)?;
            let text = text.trim_matches(python::is_space);
            match (text.parse::<i128>(), text.parse::<f64>()) {
                (Ok(whole), _) => Value::from(whole),
                (_, Ok(number)) if number.abs() < 1e37 => Value::from(number.trunc() as i128),
                _ => default,
            }
        }
        _ => default,
    })
}

fn float(
    state: &State<'_, '_>,
    value: &Value,
    default: Option<Value>,
    named: Kwargs,
) -> Result<Value, Error> {
    let default = argument(default, "default", &named)?.unwrap_or_else(|| Value::from(0.0));
    named.assert_all_used()?;
    Ok(match value.kind() {
        ValueKind::Bool => Value::from(f64::from(u8::from(value.is_true()))),
        ValueKind::Number | ValueKind::String => python::to_str(state, value)?
            .trim_matches(python::is_space)
            .parse::<f64>()
            .map_or(default, Value::from),
        _ => default,
    })
}
