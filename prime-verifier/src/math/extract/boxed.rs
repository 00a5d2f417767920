//! `\boxed{…}`, by matching braces.

use std::ops::Range;

/// A `\boxed{…}` or `\fbox{…}` and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boxed<'t> {
    /// What is between the braces, untrimmed.
    pub content: &'t str,
    /// Bytes of the whole box in the text, from the backslash through the closing brace.
    pub span: Range<usize>,
}

/// The last `\boxed{…}` or `\fbox{…}` of `text` that is closed, by brace matching.
///
/// Of nested boxes it is the outer one; a box cut off by the end of the response does not hide an earlier whole one.
/// `\{` and `\}` are printed braces and do not count. Blanks may stand before the opening brace; `\\boxed{…}` with a
/// doubled backslash counts as a box.
///
/// One pass, linear in `text.len()`, no recursion.
///
/// ```
/// let text = r"First \boxed{1}, no: \boxed{\frac{1}{2}}.";
/// let found = prime_verifier::math::last_boxed(text).map(|found| found.content);
/// assert_eq!(found, Some(r"\frac{1}{2}"));
/// ```
pub fn last_boxed(text: &str) -> Option<Boxed<'_>> {
    boxes(text).pop()
}

/// All closed boxes that stand in no other closed box, from left to right.
pub(super) fn boxes(text: &str) -> Vec<Boxed<'_>> {
    scan(text).0
}

/// Where the first box begins that is not closed.
pub(super) fn unclosed(text: &str) -> Option<usize> {
    scan(text).1
}

fn scan(text: &str) -> (Vec<Boxed<'_>>, Option<usize>) {
    struct Open {
        depth: usize,
        start: usize,
        inner: usize,
    }
    let bytes = text.as_bytes();
    let mut depth = 0usize;
    let mut open: Vec<Open> = vec![];
    // Where a box begins, its content, and where it ends.
    let mut closed: Vec<(usize, Range<usize>, usize)> = vec![];
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => {
                if let Some(inner) = box_opens(bytes, at) {
                    open.push(Open {
                        depth,
                        start: at,
                        inner,
                    });
                    depth += 1;
                    at = inner;
                } else if let Some(inner) = bare_box(bytes, at) {
                    // `\boxed 8`
                    closed.push((at, inner.clone(), inner.end));
                    at = inner.end;
                } else if box_opens(bytes, at + 1).is_some() {
                    at += 1;
                } else {
                    // The escaped byte is no brace of ours.
                    at += 2;
                }
                continue;
            }
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if let Some(done) = open.pop_if(|top| top.depth == depth) {
                    while closed.pop_if(|(start, ..)| *start > done.start).is_some() {}
                    closed.push((done.start, done.inner..at, at + 1));
                }
            }
            _ => {}
        }
        at += 1;
    }
    let first_open = open.first().map(|open| open.start);
    let boxes = closed
        .into_iter()
        .filter_map(|(start, inner, end)| {
            // Both ends stand next to ASCII, so they are character boundaries.
            Some(Boxed {
                content: text.get(inner)?,
                span: start..end,
            })
        })
        .collect();
    (boxes, first_open)
}

/// The content of a box without braces: the number or letter behind a blank.
fn bare_box(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = bytes.get(at..)?;
    let name = NAMES.into_iter().find(|name| rest.starts_with(name))?;
    let blanks = rest[name.len()..]
        .iter()
        .take_while(|byte| **byte == b' ')
        .count();
    let from = name.len() + blanks;
    let sign = usize::from(rest.get(from) == Some(&b'-'));
    let length = rest[from + sign..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let letter = blanks > 0
        && sign == 0
        && length == 0
        && rest.get(from).is_some_and(u8::is_ascii_alphabetic)
        && !rest.get(from + 1).is_some_and(u8::is_ascii_alphanumeric);
    let length = if letter { 1 } else { length };
    // A decimal point or a further digit would be cut off.
    let whole = !matches!(rest.get(from + sign + length), Some(b'.' | b',') if rest.get(from + sign + length + 1).is_some_and(u8::is_ascii_digit));
    (length > 0 && whole).then(|| at + from..at + from + sign + length)
}

const NAMES: [&[u8]; 3] = [br"\boxed", br"\fbox", br"\framebox"];

/// If a box command stands at `at`, where its content begins.
fn box_opens(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let name = NAMES.into_iter().find(|name| rest.starts_with(name))?;
    let blanks = rest[name.len()..]
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count();
    let brace = name.len() + blanks;
    (rest.get(brace) == Some(&b'{')).then_some(at + brace + 1)
}
