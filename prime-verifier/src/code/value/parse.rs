//! Reading JSON without rounding whole numbers.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use super::{JsonError, JsonValue};

pub(super) fn parse(text: &[u8], max_values: usize) -> Result<JsonValue, JsonError> {
    let text = std::str::from_utf8(text).map_err(|error| JsonError::Malformed {
        offset: error.valid_up_to(),
    })?;
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
        values: 0,
        max_values,
        finite: true,
    };
    let value = parser.value()?;
    parser.skip_blanks();
    if parser.at < text.len() {
        return Err(parser.malformed());
    }
    // Only now is it known that the text is no prose that happens to start with "Infinity".
    if parser.finite {
        Ok(value)
    } else {
        Err(JsonError::NotFinite)
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    values: usize,
    max_values: usize,
    finite: bool,
}

impl Parser<'_> {
    fn value(&mut self) -> Result<JsonValue, JsonError> {
        self.skip_blanks();
        if self.values == self.max_values {
            return Err(JsonError::TooManyValues {
                limit: self.max_values,
            });
        }
        self.values += 1;
        match self.peek() {
            Some(b'"') => self.string().map(JsonValue::String),
            Some(b'[') => self.nested(Self::list),
            Some(b'{') => self.nested(Self::object),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'n') => self.word("null", JsonValue::Null),
            Some(b't') => self.word("true", JsonValue::Bool(true)),
            Some(b'f') => self.word("false", JsonValue::Bool(false)),
            Some(b'N') => self.not_finite("NaN"),
            Some(b'I') => self.not_finite("Infinity"),
            _ => Err(self.malformed()),
        }
    }

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<JsonValue, JsonError>,
    ) -> Result<JsonValue, JsonError> {
        if self.depth == JsonValue::MAX_DEPTH {
            return Err(JsonError::TooDeep);
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn list(&mut self) -> Result<JsonValue, JsonError> {
        let mut items = vec![];
        self.skip_blanks();
        if self.take(b']') {
            return Ok(JsonValue::List(items));
        }
        loop {
            items.push(self.value()?);
            self.skip_blanks();
            if self.take(b']') {
                return Ok(JsonValue::List(items));
            }
            self.expect(b',')?;
        }
    }

    fn object(&mut self) -> Result<JsonValue, JsonError> {
        let mut entries = BTreeMap::new();
        self.skip_blanks();
        if self.take(b'}') {
            return Ok(JsonValue::Object(entries));
        }
        loop {
            self.skip_blanks();
            if self.peek() != Some(b'"') {
                return Err(self.malformed());
            }
            let key = self.string()?;
            self.skip_blanks();
            self.expect(b':')?;
            let value = self.value()?;
            entries.insert(key, value);
            self.skip_blanks();
            if self.take(b'}') {
                return Ok(JsonValue::Object(entries));
            }
            self.expect(b',')?;
        }
    }

    /// The string whose opening quote comes next.
    fn string(&mut self) -> Result<String, JsonError> {
        let start = self.at;
        let mut escaped = false;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(0x20..) => self.at += 1,
                _ => return Err(self.malformed()),
            }
        }
        self.at += 1;
        let token = &self.text[start..self.at];
        if escaped {
            // What is skipped is held to JSON's grammar only.
            serde_json::from_str(token).map_err(|_| {
                match serde_json::from_str::<IgnoredAny>(token) {
                    Ok(_) => JsonError::LoneSurrogate { offset: start },
                    Err(_) => JsonError::Malformed { offset: start },
                }
            })
        } else {
            Ok(token[1..token.len() - 1].to_owned())
        }
    }

    fn number(&mut self) -> Result<JsonValue, JsonError> {
        let start = self.at;
        if self.take(b'-') && self.peek() == Some(b'I') {
            return self.not_finite("Infinity");
        }
        if !self.take(b'0') {
            self.digits()?;
        }
        let whole_end = self.at;
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        let text = &self.text[start..self.at];
        if self.at > whole_end {
            let float = text.parse().map_err(|_| self.malformed())?;
            return Ok(JsonValue::Float(float));
        }
        Ok(match text.parse() {
            Ok(small) => JsonValue::Integer(small),
            Err(_) => JsonValue::BigInteger(text.into()),
        })
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.malformed());
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn word(&mut self, word: &str, value: JsonValue) -> Result<JsonValue, JsonError> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.malformed());
        }
        self.at += word.len();
        Ok(value)
    }

    fn not_finite(&mut self, word: &str) -> Result<JsonValue, JsonError> {
        self.finite = false;
        self.word(word, JsonValue::Float(f64::NAN))
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(self.malformed())
        }
    }

    fn malformed(&self) -> JsonError {
        JsonError::Malformed {
            offset: self.at.min(self.text.len()),
        }
    }
}
