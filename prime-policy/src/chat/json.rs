//! `tojson` as `transformers` defines it: Python's `json.dumps`, without HTML escapes.

use std::fmt::Write;

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};

use super::python;

/// The filter. Arguments by position or by name: `ensure_ascii` (false), `indent` (spaces or a text), `separators`
/// (between items, after keys) and `sort_keys`.
pub(super) fn to_json(
    state: &State<'_, '_>,
    value: &Value,
    positional: Rest<Value>,
    named: Kwargs,
) -> Result<String, Error> {
    const NAMES: [&str; 4] = ["ensure_ascii", "indent", "separators", "sort_keys"];
    if positional.len() > NAMES.len() {
        return Err(Error::from(ErrorKind::TooManyArguments));
    }
    let mut given = [const { None }; 4];
    for (i, (slot, name)) in given.iter_mut().zip(NAMES).enumerate() {
        let argument: Option<Value> = match positional.get(i) {
            Some(argument) => Some(argument.clone()),
            None => named.get(name)?,
        };
        *slot = argument.filter(|value| !value.is_none());
    }
    named.assert_all_used()?;
    let [ensure_ascii, indent, separators, sort_keys] = given;
    let is_true = |given: Option<Value>| given.is_some_and(|value| value.is_true());
    let (ensure_ascii, sort_keys) = (is_true(ensure_ascii), is_true(sort_keys));
    let indent = indent.map(indentation).transpose()?;
    let [between, after_key] = match separators {
        Some(pair) => texts(&pair)?,
        None if indent.is_some() => [",".to_owned(), ": ".to_owned()],
        None => [", ".to_owned(), ": ".to_owned()],
    };
    let mut writer = Writer {
        state,
        out: String::new(),
        ensure_ascii,
        indent,
        between,
        after_key,
        sort_keys,
        depth: 0,
    };
    writer.value(value)?;
    Ok(writer.out)
}

fn fail(reason: impl Into<String>) -> Error {
    Error::new(
        ErrorKind::InvalidOperation,
        format!("tojson: {}", reason.into()),
    )
}

fn indentation(value: Value) -> Result<String, Error> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    let spaces = i64::try_from(value).map_err(|_| fail("indent is neither a number nor a text"))?;
    match usize::try_from(spaces) {
        Ok(many) if many > 64 => Err(fail("indent is above 64")),
        Ok(spaces) => Ok(" ".repeat(spaces)),
        Err(_) => Ok(String::new()),
    }
}

fn texts(pair: &Value) -> Result<[String; 2], Error> {
    let wrong = || fail("separators are not two texts");
    let texts: Vec<String> = pair
        .try_iter()
        .map_err(|_| wrong())?
        .map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong))
        .collect::<Result<_, _>>()?;
    texts.try_into().map_err(|_| wrong())
}

struct Writer<'a> {
    state: &'a State<'a, 'a>,
    out: String,
    ensure_ascii: bool,
    indent: Option<String>,
    between: String,
    after_key: String,
    sort_keys: bool,
    depth: usize,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value) -> Result<(), Error> {
        python::charge(self.state, value, self.depth)?;
        match value.kind() {
            ValueKind::None => self.out.push_str("null"),
            ValueKind::Bool => self
                .out
                .push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => self.out.push_str(&number(value)),
            ValueKind::String => self.text(value.as_str().unwrap_or_default()),
            ValueKind::Seq => {
                let items: Vec<Value> = value.try_iter()?.collect();
                self.nested('[', ']', items, |writer, item| writer.value(&item))?;
            }
            ValueKind::Map => {
                let mut pairs = vec![];
                for key in value.try_iter()? {
                    pairs.push((key_text(&key)?, value.get_item(&key)?));
                }
                if self.sort_keys {
                    pairs.sort_by(|a, b| a.0.cmp(&b.0));
                }
                self.nested('{', '}', pairs, |writer, (key, item)| {
                    writer.text(&key);
                    let after_key = writer.after_key.clone();
                    writer.out.push_str(&after_key);
                    writer.value(&item)
                })?;
            }
            other => return Err(fail(format!("a value that is {other} has no JSON"))),
        }
        Ok(())
    }

    fn nested<T>(
        &mut self,
        open: char,
        close: char,
        items: Vec<T>,
        mut write: impl FnMut(&mut Self, T) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.out.push(open);
        let empty = items.is_empty();
        self.depth += 1;
        for (i, item) in items.into_iter().enumerate() {
            if i > 0 {
                let between = self.between.clone();
                self.out.push_str(&between);
            }
            self.new_line()?;
            write(self, item)?;
        }
        self.depth -= 1;
        if !empty {
            self.new_line()?;
        }
        self.out.push(close);
        Ok(())
    }

    fn new_line(&mut self) -> Result<(), Error> {
        if let Some(indent) = &self.indent {
            let bytes = indent.len() * self.depth;
            self.state.consume_fuel(bytes as u64 / 64)?;
            self.out.push('\n');
            self.out.push_str(&indent.repeat(self.depth));
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for character in text.chars() {
            match character {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                ' '..='~' => self.out.push(character),
                c if c >= ' ' && !self.ensure_ascii => self.out.push(c),
                c => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        // Writing to a text cannot fail.
                        let _ = write!(self.out, "\\u{unit:04x}");
                    }
                }
            }
        }
        self.out.push('"');
    }
}

fn number(value: &Value) -> String {
    if value.is_integer() {
        return value.to_string();
    }
    match f64::try_from(value.clone()) {
        Ok(number) if number.is_nan() => "NaN".to_owned(),
        Ok(f64::INFINITY) => "Infinity".to_owned(),
        Ok(f64::NEG_INFINITY) => "-Infinity".to_owned(),
        Ok(number) => python::float(number),
        Err(_) => value.to_string(),
    }
}

fn key_text(key: &Value) -> Result<String, Error> {
    match key.kind() {
        ValueKind::String => Ok(key.as_str().unwrap_or_default().to_owned()),
        ValueKind::Number => Ok(number(key)),
        ValueKind::Bool => Ok(if key.is_true() { "true" } else { "false" }.to_owned()),
        ValueKind::None => Ok("null".to_owned()),
        other => Err(fail(format!(
            "a key that is {other}; accepted: texts and numbers"
        ))),
    }
}
