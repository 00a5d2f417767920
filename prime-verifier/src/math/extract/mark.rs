//! Answers where a layout puts them: `#### 42`, a line `Answer: 42`, `<answer>42</answer>`.

use std::ops::Range;

use super::{boxed, phrase};

/// Behind the last `####`, on its line.
pub(super) fn hash(text: &str) -> Option<Range<usize>> {
    const MARK: &str = "####";
    let from = text.rfind(MARK)? + MARK.len();
    let line = text[from..].lines().next()?;
    let from = from + line.len() - line.trim_start_matches(['#', ' ', '\t', '*', ':']).len();
    if from >= text.len() || text[from..].starts_with(['\n', '\r']) {
        return None;
    }
    Some(unboxed(text, phrase::sentence(text, from)?))
}

/// Behind the `Answer:` that the last such line begins with; the answer may stand on the line below.
pub(super) fn answer_line(text: &str) -> Option<Range<usize>> {
    let mut end = text.len();
    loop {
        let start = text[..end].rfind('\n').map_or(0, |at| at + 1);
        if let Some(behind) = label(&text[start..end]) {
            let from = start + behind;
            let rest = &text[from..];
            let skipped = rest.len() - rest.trim_start_matches(['*', ' ', '\t', '\r', '\n']).len();
            return Some(unboxed(text, phrase::sentence(text, from + skipped)?));
        }
        end = start.checked_sub(1)?;
    }
}

/// Where a line goes on behind `Answer:` or `Final answer:`, marks of layout before it aside.
fn label(line: &str) -> Option<usize> {
    let bare = line.trim_start_matches(['*', '#', '>', '-', ' ', '\t']);
    let mut rest = bare;
    for word in ["the ", "final "] {
        rest = without(rest, word).unwrap_or(rest);
    }
    let rest = without(rest, "answer")?.trim_start_matches(['*', ' ']);
    let rest = rest.strip_prefix(':')?;
    Some(line.len() - rest.len())
}

fn without<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word).then_some(rest)
}

/// Between the last `</answer>` and the `<answer>` before it.
pub(super) fn answer_tag(text: &str) -> Option<Range<usize>> {
    const OPEN: &str = "<answer>";
    let end = text.rfind("</answer>")?;
    let start = text[..end].rfind(OPEN)? + OPEN.len();
    Some(unboxed(text, start..end))
}

/// The content of the last box in `range`, if there is one.
fn unboxed(text: &str, range: Range<usize>) -> Range<usize> {
    let Some(last) = text.get(range.clone()).and_then(boxed::last_boxed) else {
        return range;
    };
    let end = range.start + last.span.end - 1;
    end - last.content.len()..end
}
