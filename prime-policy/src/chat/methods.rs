//! Methods of Python's texts, lists and dictionaries.

use minijinja::value::{Kwargs, Tuple, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value};

use super::python::is_space;

/// Calls a method: the ones below, else those of `minijinja-contrib`.
pub(super) fn call(
    state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    let own = match value.kind() {
        ValueKind::String => text(state, value.as_str().unwrap_or_default(), method, args)?,
        ValueKind::Seq => list(value, method, args)?,
        ValueKind::Map if method == "copy" => {
            let () = from_args(args)?;
            Some(value.clone())
        }
        _ => None,
    };
    match own {
        Some(result) => Ok(result),
        None => minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args),
    }
}

fn fail<T>(reason: &str) -> Result<T, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, reason.to_owned()))
}

fn list(list: &Value, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    Ok(match method {
        "copy" => {
            let () = from_args(args)?;
            Some(list.clone())
        }
        "index" => {
            let (what,): (&Value,) = from_args(args)?;
            match list.try_iter()?.position(|item| item == *what) {
                Some(at) => Some(Value::from(at)),
                None => return fail("index: the value is not in the list"),
            }
        }
        _ => None,
    })
}

fn text(
    state: &State<'_, '_>,
    text: &str,
    method: &str,
    args: &[Value],
) -> Result<Option<Value>, Error> {
    Ok(Some(match method {
        "strip" | "lstrip" | "rstrip" => {
            let (chars,): (Option<&str>,) = from_args(args)?;
            let cut = |c: char| chars.map_or_else(|| is_space(c), |chars| chars.contains(c));
            Value::from(match method {
                "strip" => text.trim_matches(cut),
                "lstrip" => text.trim_start_matches(cut),
                _ => text.trim_end_matches(cut),
            })
        }
        "split" | "rsplit" => {
            let (separator, most, named): (Option<Value>, Option<i64>, Kwargs) = from_args(args)?;
            let separator = match separator {
                Some(given) => Some(given),
                None => named.get("sep")?,
            };
            let most = match most {
                Some(given) => Some(given),
                None => named.get("maxsplit")?,
            };
            named.assert_all_used()?;
            let most = most.and_then(|most| usize::try_from(most).ok());
            let from_left = method == "split";
            let pieces = match separator.filter(|given| !given.is_none()) {
                None => split_at_spaces(text, most, from_left),
                Some(separator) => match separator.as_str() {
                    Some("") => return fail("split: the separator is empty"),
                    Some(separator) => split_at(text, separator, most, from_left),
                    None => return fail("split: the separator is not a text"),
                },
            };
            pieces.into_iter().map(Value::from).collect()
        }
        "partition" | "rpartition" => {
            let (separator,): (&str,) = from_args(args)?;
            if separator.is_empty() {
                return fail("partition: the separator is empty");
            }
            let parts = match method {
                "partition" => text
                    .split_once(separator)
                    .map_or([text, "", ""], |(a, b)| [a, separator, b]),
                _ => text
                    .rsplit_once(separator)
                    .map_or(["", "", text], |(a, b)| [a, separator, b]),
            };
            Value::from(Tuple::from(parts.map(Value::from)))
        }
        "removeprefix" | "removesuffix" => {
            let (affix,): (&str,) = from_args(args)?;
            let without = match method {
                "removeprefix" => text.strip_prefix(affix),
                _ => text.strip_suffix(affix),
            };
            Value::from(without.unwrap_or(text))
        }
        "splitlines" => {
            let (keep, named): (Option<bool>, Kwargs) = from_args(args)?;
            let keep = match keep {
                Some(keep) => keep,
                None => named.get::<Option<bool>>("keepends")?.unwrap_or(false),
            };
            named.assert_all_used()?;
            lines(text, keep).into_iter().map(Value::from).collect()
        }
        "index" | "rindex" => {
            let (what,): (&str,) = from_args(args)?;
            let at = match method {
                "index" => text.find(what),
                _ => text.rfind(what),
            };
            match at {
                Some(at) => Value::from(text[..at].chars().count()),
                None => return fail("index: the text is not found"),
            }
        }
        "join" => {
            let (parts,): (&Value,) = from_args(args)?;
            let mut joined = String::new();
            for (i, part) in parts.try_iter()?.enumerate() {
                let Some(part) = part.as_str() else {
                    return fail("join: not all of the values are texts");
                };
                // The engine charges for the result only when it is there.
                state.consume_fuel(1 + (text.len() + part.len()) as u64 / 64)?;
                if i > 0 {
                    joined.push_str(text);
                }
                joined.push_str(part);
            }
            Value::from(joined)
        }
        "format" if has_long_number(text) => {
            return fail("format: a width or precision of more than four digits");
        }
        "title" => {
            let () = from_args(args)?;
            Value::from(title(text))
        }
        _ => return Ok(None),
    }))
}

/// Whether a replacement field of a format asks for more than 9999 characters.
fn has_long_number(format: &str) -> bool {
    format
        .split('{')
        .skip(1)
        .filter_map(|field| field.split('}').next())
        .flat_map(|field| field.split(|c: char| !c.is_ascii_digit()))
        .any(|digits| digits.len() > 4)
}

fn split_at<'a>(
    text: &'a str,
    separator: &str,
    most: Option<usize>,
    from_left: bool,
) -> Vec<&'a str> {
    let most = most.map_or(usize::MAX, |most| most.saturating_add(1));
    if from_left {
        return text.splitn(most, separator).collect();
    }
    let mut pieces: Vec<&str> = text.rsplitn(most, separator).collect();
    pieces.reverse();
    pieces
}

/// At runs of white space, without empty pieces. What is left after `most` cuts keeps its white space at the far end.
fn split_at_spaces(text: &str, most: Option<usize>, from_left: bool) -> Vec<&str> {
    let most = most.unwrap_or(usize::MAX);
    let mut pieces = vec![];
    if from_left {
        let mut rest = text.trim_start_matches(is_space);
        while !rest.is_empty() {
            let end = match pieces.len() < most {
                true => rest.find(is_space).unwrap_or(rest.len()),
                false => rest.len(),
            };
            pieces.push(&rest[..end]);
            rest = rest[end..].trim_start_matches(is_space);
        }
        return pieces;
    }
    let mut rest = text.trim_end_matches(is_space);
    while !rest.is_empty() {
        let start = match pieces.len() < most {
            // White space may take several bytes.
            true => rest
                .rfind(is_space)
                .map_or(0, |at| rest.ceil_char_boundary(at + 1)),
            false => 0,
        };
        pieces.push(&rest[start..]);
        rest = rest[..start].trim_end_matches(is_space);
    }
    pieces.reverse();
    pieces
}

/// Lines as Python knows them.
fn lines(text: &str, keep_ends: bool) -> Vec<&str> {
    let is_end = |c: char| {
        matches!(
            c,
            '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    let mut lines = vec![];
    let mut rest = text;
    while let Some(at) = rest.find(is_end) {
        let end = match &rest[at..] {
            tail if tail.starts_with("\r\n") => at + 2,
            tail => at + tail.chars().next().map_or(0, char::len_utf8),
        };
        lines.push(&rest[..if keep_ends { end } else { at }]);
        rest = &rest[end..];
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// A capital after everything that is no letter.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_word = false;
    for character in text.chars() {
        match in_word {
            true => out.extend(character.to_lowercase()),
            false => out.extend(character.to_uppercase()),
        }
        in_word = character.is_lowercase() || character.is_uppercase();
    }
    out
}
