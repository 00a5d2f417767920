//! Passages between marks: `$…$`, `\(…\)`, `\[…\]`, `**…**`.

use std::ops::Range;

/// A passage of maths: with its marks, and what is between them.
#[derive(Debug, Clone)]
struct MathSpan {
    outer: Range<usize>,
    inner: Range<usize>,
}

/// The last passage of maths, with the ones that a list joins to it.
pub(super) fn last_math(text: &str) -> Option<Range<usize>> {
    let spans = math_spans(text, 0);
    let last = spans.last()?;
    let mut first = last;
    for pair in spans.windows(2).rev() {
        let [before, here] = pair else { break };
        let gap = text.get(before.outer.end..here.outer.start)?;
        if !lists(gap) {
            break;
        }
        first = before;
    }
    let end = with_percent(text, last);
    if first.outer == last.outer {
        return Some(last.inner.start..end.unwrap_or(last.inner.end));
    }
    Some(first.inner.start..end.unwrap_or(last.inner.end))
}

/// Whether a sentence ends between two places of a text.
pub(super) fn sentence_ends_between(text: &str, from: usize, to: usize) -> bool {
    text.get(from..to).is_some_and(|gap| {
        // A full stop inside the marks is followed by them.
        let inside = [".$", r".\)", r".\]"]
            .iter()
            .any(|stop| gap.starts_with(stop));
        inside || [". ", ".\n", "\n\n"].iter().any(|stop| gap.contains(stop))
    })
}

/// The maths that stands at `from`, with what a list joins to it.
pub(super) fn math_at(text: &str, from: usize) -> Option<Range<usize>> {
    let spans = math_spans(text, from);
    let first = spans.first().filter(|span| span.outer.start == from)?;
    let mut last = first;
    for pair in spans.windows(2) {
        let [here, next] = pair else { break };
        let gap = text.get(here.outer.end..next.outer.start)?;
        if !lists(gap) {
            break;
        }
        last = next;
    }
    let end = with_percent(text, last);
    Some(first.inner.start..end.unwrap_or(last.inner.end))
}

/// The end of a percent sign behind the closing mark.
fn with_percent(text: &str, span: &MathSpan) -> Option<usize> {
    let rest = text.get(span.outer.end..)?;
    let trimmed = rest.trim_start_matches(' ');
    let sign = ["%", r"\%", "percent"]
        .iter()
        .find(|sign| trimmed.starts_with(**sign))?;
    Some(span.outer.end + rest.len() - trimmed.len() + sign.len())
}

fn math_spans(text: &str, from: usize) -> Vec<MathSpan> {
    const PAIRS: [(&str, &str); 4] = [("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]")];
    let bytes = text.as_bytes();
    let mut spans = vec![];
    // Pairs whose closing mark stands nowhere behind: not searched for again.
    let mut dead = [false; PAIRS.len()];
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'\\' && !matches!(bytes.get(at + 1), Some(b'(' | b'[')) {
            at += 2;
            continue;
        }
        let rest = &bytes[at..];
        let Some(pair) = PAIRS
            .iter()
            .position(|(open, _)| rest.starts_with(open.as_bytes()))
        else {
            at += 1;
            continue;
        };
        let (open, close) = PAIRS[pair];
        let inner = at + open.len();
        let closed = if dead[pair] {
            None
        } else {
            closing(bytes, inner, close.as_bytes(), close == "$")
        };
        match closed {
            // Money on both sides, and words between: `$2 and she makes $18`.
            Some(end)
                if open == "$"
                    && bytes.get(inner).is_some_and(u8::is_ascii_digit)
                    && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) =>
            {
                at = inner;
            }
            Some(end) => {
                spans.push(MathSpan {
                    outer: at..end + close.len(),
                    inner: inner..end,
                });
                at = end + close.len();
            }
            None => {
                dead[pair] |= close != "$";
                at = inner;
            }
        }
    }
    spans
}

/// Where `close` stands next, escaped signs aside. A single `$` does not reach beyond its paragraph.
fn closing(bytes: &[u8], from: usize, close: &[u8], one_paragraph: bool) -> Option<usize> {
    let mut at = from;
    while at < bytes.len() {
        if bytes[at..].starts_with(close) {
            return Some(at);
        }
        if one_paragraph && bytes[at..].starts_with(b"\n\n") {
            return None;
        }
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    None
}

/// The last `**…**` that holds more than a label.
pub(super) fn last_bold(text: &str) -> Option<Range<usize>> {
    let marks: Vec<usize> = text.match_indices("**").map(|(at, _)| at).collect();
    let pairs = marks.chunks_exact(2);
    let mut found = None;
    for pair in pairs {
        let [open, close] = pair else { continue };
        let inner = open + 2..*close;
        let content = text.get(inner.clone())?.trim();
        let label = content.ends_with(':') || content.contains('\n') || content.len() > 200;
        let says_something = content.chars().any(|c| c.is_ascii_digit())
            || content.len() == 1
            || content.contains('$')
            || content.contains('\\');
        if !label && says_something {
            found = Some(inner);
        }
    }
    let inner = found?;
    // `**$5$**`
    Some(
        math_at(text, inner.start)
            .filter(|math| math.end <= inner.end)
            .unwrap_or(inner),
    )
}

/// Whether a gap between two passages only continues a list.
fn lists(gap: &str) -> bool {
    matches!(gap.trim(), "," | ";" | "and" | "or" | ", and" | ", or")
}

/// Whether a gap between two boxes joins them: nothing but layout, or a short passage with a comma, "and" or "or".
pub(super) fn joins(gap: &str) -> bool {
    const FAR: usize = 40;
    const NEAR: usize = 10;
    if gap.len() > FAR || gap.contains("\n\n") {
        return false;
    }
    let mut plain = gap.to_owned();
    for layout in [
        r"\quad", r"\qquad", r"\text", r"\(", r"\)", r"\[", r"\]", r"\,", r"\;", r"\ ", r"\\", "$",
        "&", "{", "}", "**",
    ] {
        plain = plain.replace(layout, " ");
    }
    let mut plain = plain.trim();
    // `and y_2 =` names the next value.
    if let Some(named) = plain.strip_suffix('=') {
        let name = named.trim_end().rsplit(' ').next().unwrap_or("");
        if name.len() > 8 || named.trim_end().len() == name.len() {
            return false;
        }
        plain = named.trim_end().strip_suffix(name).unwrap_or(plain).trim();
    }
    if plain.contains(['.', '!', '?', ':', '=', '\n']) {
        return false;
    }
    let words: Vec<&str> = plain
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let connective =
        plain.contains([',', ';']) || words.iter().any(|word| matches!(*word, "and" | "or"));
    connective || words.is_empty() && gap.len() <= NEAR
}
