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
    struct Open {
        depth: usize,
        start: usize,
        inner: usize,
    }
    let bytes = text.as_bytes();
    let mut depth = 0usize;
    let mut open: Vec<Open> = vec![];
    let mut closed: Vec<(usize, Range<usize>)> = vec![];
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
                    while closed.pop_if(|(start, _)| *start > done.start).is_some() {}
                    closed.push((done.start, done.inner..at));
                }
            }
            _ => {}
        }
        at += 1;
    }
    closed
        .into_iter()
        .filter_map(|(start, inner)| {
            // Both ends stand next to an ASCII brace, so they are character boundaries.
            Some(Boxed {
                content: text.get(inner.clone())?,
                span: start..inner.end + 1,
            })
        })
        .collect()
}

/// If a box command stands at `at`, where its content begins.
fn box_opens(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let name = [br"\boxed".as_slice(), br"\fbox"]
        .into_iter()
        .find(|name| rest.starts_with(name))?;
    let blanks = rest[name.len()..]
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count();
    let brace = name.len() + blanks;
    (rest.get(brace) == Some(&b'{')).then_some(at + brace + 1)
}
