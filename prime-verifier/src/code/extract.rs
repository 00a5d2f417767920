//! Finding the program in a response.

use std::borrow::Cow;

/// The program that a response ends up with.
///
/// It is the last fenced block tagged `python`, `py` or `python3`; without one, the last block without a tag;
/// without any fence, the whole text. Blocks in other languages and blank ones are passed over, so a response
/// that has nothing else has no program.
///
/// What stands before `</think>` is passed over, and so is what stands behind a `<think>` that is not closed.
///
/// A fence is a line of three or more `` ` `` or `~`, indented by up to three spaces, or by more if its tag is Python's, with the tag behind it
/// in any case (`` ```Python ``, `` ```python title="a.py" ``, `` ```{.python} ``). Three `` ` `` with a tag of Python
/// at the end of a line of prose are one too. The block ends at a line of at least as many of the same marks and nothing else, or at
/// the end of the text, with or without marks there. Spaces that indent the
/// fence are taken off each line of the block.
///
/// ```
/// use prime_verifier::code::last_code_block;
///
/// let response = "First try:\n```python\nprint(1)\n```\nBetter:\n```py\nprint(2)\n```\nIt prints\n```\n2\n```\n";
/// assert_eq!(last_code_block(response).as_deref(), Some("print(2)\n"));
/// assert_eq!(last_code_block("print(3)").as_deref(), Some("print(3)"));
/// assert_eq!(last_code_block("<think>print(4)"), None);
/// ```
pub fn last_code_block(response: &str) -> Option<Cow<'_, str>> {
    let text = answer_part(response);
    let mut python = None;
    let mut untagged = None;
    let mut any_fence = false;
    let mut open: Option<(Fence<'_>, usize)> = None;
    let mut keep = |fence: &Fence<'_>, start: usize, end: usize| {
        let place = match fence.language() {
            Language::Python => &mut python,
            Language::Untagged => &mut untagged,
            Language::Other => return,
        };
        if !text[start..end].trim().is_empty() {
            *place = Some((fence.indent, start..end));
        }
    };
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        match (&open, Fence::read(line)) {
            (None, Some(fence)) if fence.can_open() => {
                any_fence = true;
                open = Some((fence, end));
            }
            (Some((opened, content)), Some(fence)) if fence.closes(opened) => {
                keep(opened, *content, start);
                open = None;
            }
            (None, None) => {
                if let Some(fence) = Fence::behind_prose(line) {
                    any_fence = true;
                    open = Some((fence, end));
                }
            }
            _ => {}
        }
        start = end;
    }
    if let Some((opened, content)) = open {
        // The marks may stand at the end of the last line of code.
        let all = text.trim_end();
        let marks = all.len() - all.trim_end_matches(opened.mark).len();
        let end = match marks >= opened.length {
            true => content.max(all.len() - marks),
            false => text.len(),
        };
        keep(&opened, content, end);
    }
    match python.or(untagged) {
        Some((indent, range)) => Some(dedent(&text[range], indent)),
        None => {
            let whole = text.trim();
            (!any_fence && !whole.is_empty()).then_some(Cow::Borrowed(whole))
        }
    }
}

fn answer_part(response: &str) -> &str {
    let behind = match response.rsplit_once("</think>") {
        Some((_, behind)) => behind,
        None => response,
    };
    match behind.split_once("<think>") {
        Some((before, _)) => before,
        None => behind,
    }
}

/// A line that begins with three marks or more.
struct Fence<'t> {
    indent: usize,
    mark: char,
    length: usize,
    /// What stands behind the marks, trimmed.
    info: &'t str,
}

enum Language {
    Python,
    Untagged,
    Other,
}

impl<'t> Fence<'t> {
    fn read(line: &'t str) -> Option<Self> {
        let unindented = line.trim_start_matches(' ');
        let indent = line.len() - unindented.len();
        let mark = unindented
            .chars()
            .next()
            .filter(|first| matches!(first, '`' | '~'))?;
        let info = unindented.trim_start_matches(mark);
        let length = unindented.len() - info.len();
        (length >= 3).then(|| Self {
            indent,
            mark,
            length,
            info: info.trim(),
        })
    }

    /// A line of prose with the marks and a tag of Python at its end: no fence by the rules, but meant as one.
    fn behind_prose(line: &'t str) -> Option<Self> {
        let (_, info) = line.rsplit_once("```")?;
        let fence = Self {
            indent: 0,
            mark: '`',
            length: 3,
            info: info.trim(),
        };
        matches!(fence.language(), Language::Python).then_some(fence)
    }

    /// Inline code may begin a line, and has marks at its end too.
    fn can_open(&self) -> bool {
        let plain = self.mark == '~' || !self.info.contains('`');
        plain && (self.indent <= 3 || matches!(self.language(), Language::Python))
    }

    fn closes(&self, opened: &Self) -> bool {
        let outside = self.indent <= opened.indent.max(3);
        outside && self.mark == opened.mark && self.length >= opened.length && self.info.is_empty()
    }

    fn language(&self) -> Language {
        if self.info.is_empty() {
            return Language::Untagged;
        }
        // `python3.11`, `python,linenos` and `{.python}` are Python; `python-repl` and `python2` are not.
        let tag = self.info.trim_start_matches(['{', '.', ' ']);
        let end = tag
            .find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '+' | '#'))
            .unwrap_or(tag.len());
        let is_python = ["python", "py", "python3"]
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&tag[..end]));
        if is_python {
            Language::Python
        } else {
            Language::Other
        }
    }
}

/// The text with up to `indent` spaces less at the beginning of each line.
fn dedent(text: &str, indent: usize) -> Cow<'_, str> {
    if indent == 0 {
        return Cow::Borrowed(text);
    }
    let mut dedented = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let spaces = line
            .bytes()
            .take(indent)
            .take_while(|byte| *byte == b' ')
            .count();
        dedented.push_str(&line[spaces..]);
    }
    Cow::Owned(dedented)
}
