//! Answers in plain sentences: the last number, the last choice.

use std::ops::Range;

/// The last number that is a word of its own: `2/3`, `1,000.99`, `-5`, `12%`, `3.5m²`.
pub(super) fn last_number(text: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut end = bytes.len();
    while end > 0 {
        let last = bytes[..end].iter().rposition(u8::is_ascii_digit)?;
        // Left over everything that numbers are made of.
        let mut start = last;
        while start > 0
            && (bytes[start - 1].is_ascii_digit() || matches!(bytes[start - 1], b'.' | b',' | b'/'))
        {
            start -= 1;
        }
        while start < last && !bytes[start].is_ascii_digit() && bytes[start] != b'.' {
            start += 1;
        }
        if start > 0 && matches!(bytes[start - 1], b'-' | b'+') && !glued(text, start - 1) {
            start -= 1;
        }
        start = mixed_start(bytes, start, last);
        if !glued(text, start) && !ordinal(bytes, last + 1) {
            let stop = with_mark(text, last + 1);
            return Some(start..stop);
        }
        end = start.min(last);
    }
    None
}

/// The whole part of `4 4/9`, the first thousands of `1 000`, and their sign.
fn mixed_start(bytes: &[u8], start: usize, last: usize) -> usize {
    let digits_before = |at: usize| {
        bytes[..at]
            .iter()
            .rev()
            .take_while(|b| b.is_ascii_digit())
            .count()
    };
    let mut start = start;
    let fraction = bytes[start..=last].contains(&b'/');
    let thousands = |from: usize, to: usize| to - from == 3;
    let mut group_end = if fraction { None } else { Some(last + 1) };
    loop {
        let before = start.checked_sub(1).filter(|at| bytes[*at] == b' ');
        let Some(blank) = before else { break };
        let digits = digits_before(blank);
        let joins = match group_end {
            Some(end) => thousands(start, end) && (1..=3).contains(&digits),
            None => (1..=9).contains(&digits),
        };
        if !joins {
            break;
        }
        group_end = Some(blank);
        start = blank - digits;
    }
    if start > 0 && matches!(bytes[start - 1], b'-' | b'+') {
        start -= 1;
    }
    start
}

/// Whether a letter or digit stands directly before.
fn glued(text: &str, at: usize) -> bool {
    text.get(..at)
        .and_then(|before| before.chars().next_back())
        .is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `2nd`, `4th`.
fn ordinal(bytes: &[u8], at: usize) -> bool {
    let rest = bytes.get(at..).unwrap_or(&[]);
    [b"st", b"nd", b"rd", b"th"]
        .iter()
        .any(|suffix| rest.starts_with(*suffix))
}

/// A percent or degree sign, or a unit, belongs to its number.
fn with_mark(text: &str, at: usize) -> usize {
    let Some(rest) = text.get(at..) else {
        return at;
    };
    let gap = rest.len() - rest.trim_start_matches(' ').len();
    let marked = &rest[gap..];
    for mark in ["%", r"\%", "°", "percent"] {
        if marked.starts_with(mark) {
            return at + gap + mark.len();
        }
    }
    at
}

/// The last capital letter A–J that stands alone, as choices do.
pub(super) fn last_choice(text: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    // "B. Because …"
    let start = text.len() - text.trim_start().len();
    if let [b'A'..=b'J', b'.' | b')' | b':', b' ' | b'\n', ..] = &bytes[start..] {
        return Some(start..start + 1);
    }
    let mut end = bytes.len();
    while end > 0 {
        let at = bytes[..end]
            .iter()
            .rposition(|b| (b'A'..=b'J').contains(b))?;
        let after = text.get(at + 1..).and_then(|rest| rest.chars().next());
        let alone = !glued(text, at)
            && !after.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '\'');
        // "A" opens sentences.
        let article = bytes[at] == b'A' && after == Some(' ');
        if alone && !article {
            return Some(at..at + 1);
        }
        end = at;
    }
    None
}
