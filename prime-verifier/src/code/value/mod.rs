//! JSON values as a Python program means them, and when two of them are equal.

mod error;
mod parse;

use std::collections::BTreeMap;

use super::checker::within;

pub use error::JsonError;

/// What a function returned, or should have returned.
///
/// Unlike `serde_json::Value` it keeps whole numbers of any size exactly. Values that were parsed nest no
/// deeper than [`JsonValue::MAX_DEPTH`], which bounds every recursion over them.
///
/// ```
/// use prime_verifier::code::JsonValue;
///
/// let expected = JsonValue::parse("[0.3333333333, true]")?;
/// assert!(JsonValue::parse("[0.33333333333333331, 1]")?.matches(&expected, JsonValue::TOLERANCE));
/// assert!(!JsonValue::parse("[0.34, 1]")?.matches(&expected, JsonValue::TOLERANCE));
/// # Ok::<(), prime_verifier::code::JsonError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum JsonValue {
    /// `null`; Python's `None`.
    Null,
    /// `true` or `false`; equal to 1 and 0, as in Python.
    Bool(bool),
    /// A number without point and exponent.
    Integer(i64),
    /// The same, if it does not fit: digits without leading zeros, behind `-` if negative.
    BigInteger(Box<str>),
    /// A number with a point or an exponent; infinite if too large.
    Float(f64),
    /// A string.
    String(String),
    /// A list; also a Python tuple.
    List(Vec<JsonValue>),
    /// An object, by key; of two equal keys the last one counts, as in Python.
    Object(BTreeMap<String, JsonValue>),
}

impl JsonValue {
    /// How deep lists and objects may nest.
    pub const MAX_DEPTH: usize = 128;
    /// The tolerance that is used unless said otherwise.
    pub const TOLERANCE: f64 = 1e-6;

    /// The one value that `text` holds, with blanks around it.
    ///
    /// # Errors
    /// [`JsonError`] if `text` is anything else. `NaN` and `Infinity` are not JSON.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, JsonError> {
        parse::parse(text.as_ref(), usize::MAX)
    }

    /// Like [`Self::parse`], for text that must not take much more memory than `max_values` values would: a
    /// list of short values takes twenty times as much as its text.
    ///
    /// # Errors
    /// [`JsonError`] if `text` is not one value, or has more than `max_values` of them, counting those inside.
    pub fn parse_up_to(text: impl AsRef<[u8]>, max_values: usize) -> Result<Self, JsonError> {
        parse::parse(text.as_ref(), max_values)
    }

    /// Whether `answer`, the JSON of what a program returned, [matches](Self::matches) this expected value.
    ///
    /// Reads no more values than the expected value has, so a huge answer costs little.
    ///
    /// # Errors
    /// [`JsonError::Malformed`] if `answer` is not JSON. What is JSON to Python but another [`JsonError`] here
    /// does not match.
    pub fn accepts(&self, answer: impl AsRef<[u8]>, tolerance: f64) -> Result<bool, JsonError> {
        match Self::parse_up_to(answer, self.count()) {
            Ok(answer) => Ok(answer.matches(self, tolerance)),
            Err(malformed @ JsonError::Malformed { .. }) => Err(malformed),
            Err(_) => Ok(false),
        }
    }

    /// Whether `self`, which a program returned, is what was expected.
    ///
    /// Equality is Python's: `true` is 1, `2.0` is 2, whole numbers are exact at any size, lists are equal
    /// element by element and objects key by key. In addition
    /// * a float differs from another, or from a whole number that it is close to, by up to `tolerance`:
    ///   absolute up to 1, relative to the expected number beyond. A float *without a fractional part* is as
    ///   exact as a whole number where it meets one: `9007199254740992.0` is not 9007199254740993;
    /// * infinite floats are equal to nothing;
    /// * if `[x]` is expected, `x` is accepted: some data sets wrap every expected value in a list. Inside of a
    ///   value, that is not so.
    pub fn matches(&self, expected: &Self, tolerance: f64) -> bool {
        if self.equals(expected, tolerance) {
            return true;
        }
        match expected {
            Self::List(wrapped) => {
                matches!(wrapped.as_slice(), [only] if self.equals(only, tolerance))
            }
            _ => false,
        }
    }

    fn equals(&self, expected: &Self, tolerance: f64) -> bool {
        match (self, expected) {
            (Self::Null, Self::Null) => true,
            (Self::String(answer), Self::String(expected)) => answer == expected,
            (Self::List(answer), Self::List(expected)) => {
                answer.len() == expected.len()
                    && answer
                        .iter()
                        .zip(expected)
                        .all(|(answer, expected)| answer.equals(expected, tolerance))
            }
            (Self::Object(answer), Self::Object(expected)) => {
                answer.len() == expected.len()
                    && answer
                        .iter()
                        .zip(expected)
                        .all(|((key, answer), (wanted, expected))| {
                            key == wanted && answer.equals(expected, tolerance)
                        })
            }
            _ => match (self.number(), expected.number()) {
                (Some(answer), Some(expected)) => answer.equals(expected, tolerance),
                _ => false,
            },
        }
    }

    fn number(&self) -> Option<Number<'_>> {
        match self {
            Self::Bool(value) => Some(Number::Small(i64::from(*value))),
            Self::Integer(value) => Some(Number::Small(*value)),
            Self::BigInteger(digits) => Some(Number::Big(digits)),
            Self::Float(value) => Some(Number::Float(*value)),
            _ => None,
        }
    }

    /// Values in it, itself included.
    fn count(&self) -> usize {
        1 + match self {
            Self::List(items) => items.iter().map(Self::count).sum(),
            Self::Object(entries) => entries.values().map(Self::count).sum(),
            _ => 0,
        }
    }
}

#[derive(Clone, Copy)]
enum Number<'v> {
    Small(i64),
    Big(&'v str),
    Float(f64),
}

impl Number<'_> {
    fn equals(self, expected: Self, tolerance: f64) -> bool {
        match (self, expected) {
            (Self::Small(answer), Self::Small(expected)) => answer == expected,
            (Self::Big(answer), Self::Big(expected)) => answer == expected,
            (Self::Float(answer), Self::Float(expected)) => within(answer, expected, tolerance),
            (Self::Float(float), Self::Small(whole)) | (Self::Small(whole), Self::Float(float))
                if float.fract() == 0.0 =>
            {
                // 2^63; the cast is exact below it.
                const LIMIT: f64 = -(i64::MIN as f64);
                (-LIMIT..LIMIT).contains(&float) && float as i64 == whole
            }
            (Self::Float(answer), Self::Small(whole)) => within(answer, whole as f64, tolerance),
            (Self::Small(whole), Self::Float(expected)) => {
                within(whole as f64, expected, tolerance)
            }
            // Floats with a fractional part end at 2^52; those without print all their digits.
            (Self::Float(float), Self::Big(digits)) | (Self::Big(digits), Self::Float(float)) => {
                float.fract() == 0.0 && format!("{float:.0}") == digits
            }
            (Self::Small(_), Self::Big(_)) | (Self::Big(_), Self::Small(_)) => false,
        }
    }
}
