//! Dotted paths into a row: `extra_info.answer`, `conversations[0].value`, `choices[-1]`.
//!
//! A text that holds an object or a list is looked into as if it were one: many data sets keep JSON inside strings.

use std::borrow::Cow;

use super::json::{Object, kind_of, list, string};

/// The value at a path as JSON text; `None` if it is not there. A column whose whole name is the path comes first.
pub(crate) fn find<'l>(row: &Object<'l>, path: &str) -> Option<Cow<'l, str>> {
    if let Some(value) = row.get(path) {
        return Some(Cow::Borrowed(value));
    }
    let mut steps = steps(path);
    let Some(Step::Key(first)) = steps.next() else {
        return None;
    };
    let mut at = Cow::Borrowed(row.get(first)?);
    for step in steps {
        at = down(at, &step)?;
    }
    Some(at)
}

/// Whether there is a value, other than null, at a path.
pub(crate) fn has(row: &Object<'_>, path: &str) -> bool {
    match path.contains(['.', '[']) {
        false => row.has(path),
        true => find(row, path).is_some_and(|value| value != "null"),
    }
}

/// Why there is nothing at a path: the field at which it ends, and what is wrong there.
pub(crate) fn missing(row: &Object<'_>, path: &str) -> (String, String) {
    let ends = path.char_indices().filter(|(_, c)| matches!(c, '.' | '['));
    let prefixes = ends
        .map(|(at, _)| &path[..at])
        .filter(|prefix| !prefix.is_empty());
    let deepest = prefixes
        .filter_map(|prefix| Some((prefix, find(row, prefix)?)))
        .next_back();
    let Some((prefix, value)) = deepest else {
        let first = path.split(['.', '[']).next().unwrap_or(path);
        return (
            first.to_owned(),
            format!("is missing; the row has {}", names(row)),
        );
    };
    let inner = string(&value);
    let json = inner.as_deref().unwrap_or(&value).trim_start();
    let reason = match json.as_bytes().first() {
        Some(b'{') if Object::of(json).is_some() => {
            let object = Object::of(json).unwrap_or_default();
            return (
                path.to_owned(),
                format!("is missing; `{prefix}` has {}", names(&object)),
            );
        }
        Some(b'[') if list(json).is_some() => {
            let entries = list(json).unwrap_or_default().len();
            return (
                path.to_owned(),
                format!("is missing; `{prefix}` is a list of {entries}"),
            );
        }
        Some(b'{' | b'[') => {
            "is text that begins as JSON does, but is none; write it with `json.dumps`".to_owned()
        }
        _ => format!(
            "expected an object or its JSON text, found {}",
            kind_of(&value)
        ),
    };
    (prefix.to_owned(), reason)
}

/// The names of the columns, for messages.
pub(crate) fn names(row: &Object<'_>) -> String {
    let names: Vec<String> = row.names().map(|name| format!("`{name}`")).collect();
    match names.is_empty() {
        true => "no columns".to_owned(),
        false => names.join(", "),
    }
}

/// Why a path is none; `None` if it is one.
pub(crate) fn fault(path: &str) -> Option<String> {
    if path.trim() != path {
        return Some("a column without blanks around it".to_owned());
    }
    let broken = steps(path).any(|step| match step {
        Step::Key(key) => key.is_empty(),
        Step::Index(_) => false,
        Step::Broken => true,
    });
    broken.then(|| {
        "a column's name, or a path such as `extra_info.answer` or `conversations[0].value`"
            .to_owned()
    })
}

enum Step<'p> {
    Key(&'p str),
    /// From the end if negative.
    Index(i64),
    Broken,
}

fn steps(path: &str) -> impl Iterator<Item = Step<'_>> {
    path.split('.').flat_map(|part| {
        let (key, indices) = match part.find('[') {
            Some(at) => part.split_at(at),
            None => (part, ""),
        };
        let key = (!key.is_empty() || indices.is_empty()).then_some(Step::Key(key));
        key.into_iter()
            .chain(indices.split_inclusive(']').map(|index| {
                let number = index.strip_prefix('[').and_then(|i| i.strip_suffix(']'));
                number
                    .and_then(|number| number.trim().parse().ok())
                    .map_or(Step::Broken, Step::Index)
            }))
    })
}

fn down<'l>(at: Cow<'l, str>, step: &Step<'_>) -> Option<Cow<'l, str>> {
    if at.starts_with('"') {
        let inner = string(&at)?;
        return step_into(&inner, step).map(|found| Cow::Owned(found.to_owned()));
    }
    match at {
        Cow::Borrowed(json) => step_into(json, step).map(Cow::Borrowed),
        Cow::Owned(json) => step_into(&json, step).map(|found| Cow::Owned(found.to_owned())),
    }
}

fn step_into<'j>(json: &'j str, step: &Step<'_>) -> Option<&'j str> {
    match step {
        Step::Key(key) => Object::of(json)?.get(key),
        Step::Index(index) => {
            let entries = list(json)?;
            let at = match *index {
                back if back < 0 => entries.len().checked_sub(back.unsigned_abs() as usize)?,
                at => at as usize,
            };
            entries.get(at).copied()
        }
        Step::Broken => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_into_objects_lists_and_json_text() {
        let json = r#"{"a.b":0,"a":{"b":1,"c":[{"v":1.50},{"v":"x"}]},"t":"{\"g\": [1e400, \"y\"]}","n":null}"#;
        let row = Object::of(json).unwrap();
        let found = |path| find(&row, path).map(Cow::into_owned);
        assert_eq!(found("a.b").as_deref(), Some("0"));
        assert_eq!(found("a.c[0].v").as_deref(), Some("1.50"));
        assert_eq!(found("a.c[-1].v").as_deref(), Some("\"x\""));
        assert_eq!(found("t.g[0]").as_deref(), Some("1e400"));
        assert_eq!(found("a.c[2].v"), None);
        assert_eq!(found("a.c[-3]"), None);
        assert_eq!(found("a.b.c"), None);
        assert!(!has(&row, "n") && has(&row, "t.g[1]"));
    }

    #[test]
    fn what_is_no_path_is_said() {
        for path in ["", "a..b", "a[x]", "a[1", ".a", "a.", " a", "a[1]b"] {
            assert!(fault(path).is_some(), "{path:?}");
        }
        for path in ["a", "a.b", "a[0]", "a[-1].b[2][3]", "Problem Number"] {
            assert_eq!(fault(path), None, "{path:?}");
        }
    }
}
