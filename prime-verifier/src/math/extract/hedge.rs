//! Words that take an answer back or leave it open: "not 5", "at least 5", "between 4 and 5".

use std::ops::Range;

/// What may stand before a number without making it the answer.
const HEDGES: [&str; 19] = [
    "not",
    "not be",
    "not equal to",
    "isn't",
    "isn\u{2019}t",
    "never",
    "neither",
    "nor",
    "at least",
    "at most",
    "more than",
    "less than",
    "fewer than",
    "greater than",
    "larger than",
    "smaller than",
    "no more than",
    "no less than",
    "maybe",
];

/// Farthest back that is looked, in bytes.
const REACH: usize = 80;

/// Whether what is found is said not to be the answer, or only to bound it.
pub(super) fn is_hedged(text: &str, found: &Range<usize>) -> bool {
    let mut from = found.start.saturating_sub(REACH);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let Some(before) = text.get(from..found.start) else {
        return false;
    };
    let sentence = before
        .rsplit(['.', '\n', ';', '!', '?'])
        .next()
        .unwrap_or("")
        .to_lowercase();
    let said = sentence.trim_end_matches([' ', '$', '*', '(', '\\', '[', '"', '~']);
    let ends_with = |hedge: &str| {
        said.strip_suffix(hedge)
            .is_some_and(|rest| !rest.ends_with(char::is_alphanumeric))
    };
    let begins = text
        .get(found.clone())
        .map(str::to_lowercase)
        .is_some_and(|content| {
            HEDGES.iter().any(|hedge| {
                content
                    .strip_prefix(hedge)
                    .is_some_and(|rest| rest.starts_with(' '))
            }) || content.starts_with("between ")
        });
    begins
        || HEDGES.iter().any(|hedge| ends_with(hedge))
        || said.contains("between ") && ends_with("and")
}
