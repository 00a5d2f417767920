//! Texts that are no value.

use super::JsonValue;

/// Text that is not one JSON value this crate can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Not JSON, or not UTF-8.
    #[error(
        "not JSON from byte {offset} on; JSON is what `json.dumps` of a number, string, list or dict returns"
    )]
    Malformed {
        /// Where it stops being JSON, in bytes.
        offset: usize,
    },
    /// JSON but for `NaN`, `Infinity` or `-Infinity`, which Python writes and JSON does not have.
    #[error("NaN and Infinity are not JSON and equal to nothing; leave out the test, or use null")]
    NotFinite,
    /// A string with half of a surrogate pair: JSON, but not text.
    #[error(
        "the string at byte {offset} has half of a surrogate pair; write the character itself, or both halves"
    )]
    LoneSurrogate {
        /// Where the string begins, in bytes.
        offset: usize,
    },
    /// Lists or objects nested too deep.
    #[error("lists and objects are nested more than {} deep", JsonValue::MAX_DEPTH)]
    TooDeep,
    /// More values than asked for.
    #[error("more than {limit} values")]
    TooManyValues {
        /// How many there may be.
        limit: usize,
    },
}
