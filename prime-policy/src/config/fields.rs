//! Typed access to the fields of a JSON object, with errors that name the field and the file.

use std::path::Path;

use serde_json::{Map, Value};

use crate::error::PolicyError;

/// A JSON object that is being read: what is taken is understood, what is left at the end is not.
pub(super) struct Fields<'a> {
    path: &'a Path,
    /// `"rope_scaling."` inside that object, empty at the top.
    prefix: String,
    map: Map<String, Value>,
}

/// A type that a field can have.
pub(super) trait FieldType: Sized {
    /// What to write in the file, for messages.
    const WANTED: &'static str;
    fn from_value(value: &Value) -> Option<Self>;
}

impl FieldType for usize {
    const WANTED: &'static str = "a whole number";
    fn from_value(value: &Value) -> Option<Self> {
        value.as_u64().and_then(|n| Self::try_from(n).ok())
    }
}

impl FieldType for f64 {
    const WANTED: &'static str = "a number";
    fn from_value(value: &Value) -> Option<Self> {
        value.as_f64()
    }
}

impl FieldType for bool {
    const WANTED: &'static str = "true or false";
    fn from_value(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

impl FieldType for String {
    const WANTED: &'static str = "a text";
    fn from_value(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl<'a> Fields<'a> {
    pub(super) fn new(path: &'a Path, prefix: String, map: Map<String, Value>) -> Self {
        Self { path, prefix, map }
    }

    pub(super) fn path(&self) -> &'a Path {
        self.path
    }

    /// The error for a value that is not accepted.
    pub(super) fn refuse(
        &self,
        name: &str,
        value: &Value,
        accepted: impl Into<String>,
    ) -> PolicyError {
        PolicyError::ConfigFile {
            path: self.path.to_owned(),
            field: format!("{}{name}", self.prefix),
            value: shown(value),
            accepted: accepted.into(),
        }
    }

    /// The value as it stands; `Some(Null)` where the file says null.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name)
    }

    /// The value as it stands, left where it is.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.map.get(name)
    }

    /// A field that can be null, left where it is.
    pub(super) fn look<T: FieldType>(&self, name: &str) -> Result<Option<T>, PolicyError> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => self.typed(name, value).map(Some),
        }
    }

    fn typed<T: FieldType>(&self, name: &str, value: &Value) -> Result<T, PolicyError> {
        T::from_value(value).ok_or_else(|| self.refuse(name, value, T::WANTED))
    }

    /// A field that must be there.
    pub(super) fn required<T: FieldType>(&mut self, name: &str) -> Result<T, PolicyError> {
        match self.take(name) {
            Some(value) => self.typed(name, &value),
            None => Err(PolicyError::ConfigFile {
                path: self.path.to_owned(),
                field: format!("{}{name}", self.prefix),
                value: "missing".to_owned(),
                accepted: T::WANTED.to_owned(),
            }),
        }
    }

    /// A field that has a default and cannot be null.
    pub(super) fn or<T: FieldType>(&mut self, name: &str, default: T) -> Result<T, PolicyError> {
        match self.take(name) {
            Some(value) => self.typed(name, &value),
            None => Ok(default),
        }
    }

    /// A field that can be null (`None`); `missing` when it is not there.
    pub(super) fn nullable<T: FieldType>(
        &mut self,
        name: &str,
        missing: Option<T>,
    ) -> Result<Option<T>, PolicyError> {
        match self.take(name) {
            None => Ok(missing),
            Some(Value::Null) => Ok(None),
            Some(value) => self.typed(name, &value).map(Some),
        }
    }

    /// A flag that may be there but only say what is computed anyway.
    pub(super) fn fixed(
        &mut self,
        name: &str,
        only: bool,
        family: &str,
    ) -> Result<(), PolicyError> {
        match self.take(name) {
            Some(value) if !value.is_null() && value != Value::Bool(only) => {
                Err(self.refuse(name, &value, format!("{only} for model_type \"{family}\"")))
            }
            _ => Ok(()),
        }
    }

    /// What nobody took.
    pub(super) fn rest(self) -> Map<String, Value> {
        self.map
    }
}

/// A JSON value for a message: in one line and not too long.
pub(super) fn shown(value: &Value) -> String {
    const LONGEST: usize = 80;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
