//! What the engine reads otherwise than jinja2 is rewritten before it is compiled, and what it cannot bear is refused.

use super::limits::{Chain, MAX_BRANCHES, MAX_LINE, MAX_SOURCE, Refusal};
use super::values::{BOUNDED, MEMBER};

/// `template` with line feeds only, with `{% generation %}` as the scope that it is, and with raw blocks and long
/// escapes that mean what they mean in jinja2. What is bound to a name goes through [`BOUNDED`] or [`MEMBER`]. Lines keep
/// their numbers.
pub(super) fn prepare(template: &str) -> Result<String, Refusal> {
    if template.len() > MAX_SOURCE {
        return Err(Refusal::whole(format!(
            "the template has {} bytes; accepted: up to {MAX_SOURCE}",
            template.len()
        )));
    }
    let text = template.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(text.len());
    let mut branches = 0;
    let mut done = 0;
    while let Some(at) = next_tag(&text[done..]) {
        out.push_str(&text[done..done + at]);
        done += at;
        let tag = &text[done..];
        let refuse = |reason| Refusal::at(&text, done, reason);
        let length = match tag.as_bytes()[1] {
            b'#' => {
                let length = tag[2..].find("#}").map_or(tag.len(), |end| end + 4);
                out.push_str(&tag[..length]);
                length
            }
            b'{' => expression(tag, "}}", Binding::Nothing, &mut out).map_err(refuse)?,
            _ => {
                branches += usize::from(statement(tag).1 == "elif");
                if branches > MAX_BRANCHES {
                    return Err(refuse(format!(
                        "the template has more than {MAX_BRANCHES} `elif`"
                    )));
                }
                block(tag, &mut out).map_err(refuse)?
            }
        };
        done += length;
    }
    out.push_str(&text[done..]);
    let too_long = |line: &str| line.len() > MAX_LINE;
    match out.split('\n').position(too_long) {
        Some(line) => Err(Refusal {
            line: Some(line + 1),
            reason: format!("the line is longer than {MAX_LINE} bytes; break it"),
        }),
        None => Ok(out),
    }
}

fn next_tag(text: &str) -> Option<usize> {
    text.match_indices('{')
        .map(|(at, _)| at)
        .find(|&at| matches!(text.as_bytes().get(at + 1), Some(b'{' | b'%' | b'#')))
}

/// `{%`, an optional sign, and the statement's name: (what is before the name, the name, what is after).
fn statement(tag: &str) -> (&str, &str, &str) {
    let inner = tag[2..].trim_start_matches(['-', '+']).trim_start();
    let before = tag.len() - inner.len();
    let name = name(inner);
    (&tag[..before], name, &inner[name.len()..])
}

/// The name that `text` starts with; empty if it does not.
fn name(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    &text[..end.unwrap_or(text.len())]
}

/// The sign at the end of a tag without arguments, and the length of that end; `None` if there are arguments.
fn bare_end(after: &str) -> Option<(&str, usize)> {
    let end = after.trim_start();
    let blank = after.len() - end.len();
    ["-%}", "+%}", "%}"]
        .into_iter()
        .find(|close| end.starts_with(close))
        .map(|close| (&close[..close.len() - 2], blank + close.len()))
}

/// Writes a block tag, or a whole raw block; returns how much of `tag` that was.
fn block(tag: &str, out: &mut String) -> Result<usize, String> {
    let (before, name, after) = statement(tag);
    let Some((sign, end)) = bare_end(after) else {
        let binding = match name {
            "set" => Binding::One,
            "with" => Binding::Several,
            "for" => Binding::Loop,
            _ => Binding::Nothing,
        };
        let length = expression(tag, "%}", binding, out)?;
        if matches!(name, "macro" | "call") {
            bound_parameters(name, &tag[before.len()..length], out);
        }
        return Ok(length);
    };
    // jinja2 calls the body of `generation` as a macro: what is set inside stays inside.
    let renamed = match name {
        "generation" => "with",
        "endgeneration" => "endwith",
        "raw" => {
            let start = before.len() + name.len() + end;
            return Ok(raw(tag, before, sign, start, out));
        }
        other => other,
    };
    out.extend([before, renamed, &after[..end]]);
    Ok(before.len() + name.len() + end)
}

/// Bounds the parameters of `macro name(..)` or `call(..)` in its body, which follows the tag that `rest` ends with.
fn bound_parameters(keyword: &str, rest: &str, out: &mut String) {
    let sign = match rest
        .strip_suffix("%}")
        .and_then(|tag| tag.chars().next_back())
    {
        Some('-') => "-",
        Some('+') => "+",
        _ => "",
    };
    let Some(open) = rest.find('(') else { return };
    if keyword == "call" && !rest[keyword.len()..open].trim().is_empty() {
        return;
    }
    let (mut depth, mut quote, mut at, mut expected) = (0, None, open, false);
    while at < rest.len() {
        let byte = rest.as_bytes()[at];
        let word = name(&rest[at..]);
        match (quote, byte) {
            (Some(_), b'\\') => at += 1,
            (Some(open), byte) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') if depth == 1 => return,
            (None, b')' | b']' | b'}') => depth -= 1,
            (None, b',') => {}
            (None, _) if word.is_empty() => {}
            (None, _) => {
                if depth == 1 && expected {
                    out.push_str(&format!("{{% set {word} = ({word})|{BOUNDED} {sign}%}}"));
                }
                at += word.len() - 1;
            }
        }
        expected = depth == 1 && matches!(byte, b'(' | b',') || expected && byte == b' ';
        at += 1;
    }
}

/// jinja2 keeps the line feed after `{% raw %}`, whatever `trim_blocks` says.
fn raw(tag: &str, before: &str, sign: &str, start: usize, out: &mut String) -> usize {
    let mut at = start;
    let mut length = tag.len();
    while let Some(next) = tag[at..].find("{%") {
        at += next;
        let (open, name, after) = statement(&tag[at..]);
        if name == "endraw"
            && let Some((_, end)) = bare_end(after)
        {
            length = at + open.len() + name.len() + end;
            break;
        }
        at += 2;
    }
    let sign = if sign.is_empty() { "+" } else { sign };
    out.extend([before, "raw ", sign, "%}", &tag[start..length]]);
    length
}

/// What a tag binds to names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Binding {
    Nothing,
    /// `name = value`
    One,
    /// `name = value, name = value`
    Several,
    /// `name in values`, with `if` or `recursive` after it.
    Loop,
}

/// A tag with an expression in it, on its way out.
struct Writer<'a> {
    tag: &'a str,
    close: &'a str,
    out: &'a mut String,
    /// So much of the tag is written.
    copied: usize,
    /// The filter that waits for the end of a bound value.
    open: Option<&'static str>,
}

impl Writer<'_> {
    fn copy_to(&mut self, at: usize) {
        self.out.push_str(&self.tag[self.copied..at]);
        self.copied = at;
    }

    /// A value starts at `at`, unless there is none.
    fn open(&mut self, at: usize, filter: &'static str) {
        let rest = self.tag[at..].trim_start();
        let signless = rest.trim_start_matches(['-', '+']);
        let missing = signless.starts_with(self.close) || rest.starts_with(',');
        if !missing && !matches!(name(rest), "if" | "recursive") {
            self.copy_to(at);
            self.out.push('(');
            self.open = Some(filter);
        }
    }

    /// A value ends at `at`.
    fn shut(&mut self, at: usize) {
        if let Some(filter) = self.open.take() {
            self.copy_to(at);
            self.out.extend([")|", filter, " "]);
        }
    }
}

/// Writes a tag with an expression in it up to `close`; returns its length.
fn expression(tag: &str, close: &str, binding: Binding, out: &mut String) -> Result<usize, String> {
    let bytes = tag.as_bytes();
    let mut chain = Chain::default();
    let mut depth = 0usize;
    let mut quote = None;
    let mut bound = binding == Binding::Nothing;
    let mut writer = Writer {
        tag,
        close,
        out,
        copied: 0,
        open: None,
    };
    let mut at = 2;
    while at < bytes.len() {
        let byte = bytes[at];
        let top = depth == 0;
        match (quote, byte) {
            (Some(_), b'\\') => {
                if let Some(character) = long_escape(&tag[at..]) {
                    writer.copy_to(at);
                    match u32::from(character) {
                        // A quote or a line feed would end the string or the line.
                        code @ ..=0xffff => writer.out.push_str(&format!("\\u{code:04x}")),
                        _ => writer.out.push(character),
                    }
                    writer.copied = at + 10;
                    at += 8;
                }
                at += 1;
            }
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, _) if top && bytes[at..].starts_with(close.as_bytes()) => {
                let signed = matches!(bytes[at - 1], b'-' | b'+');
                writer.shut(at - usize::from(signed));
                writer.copy_to(at + close.len());
                return Ok(at + close.len());
            }
            (None, b'(' | b'[' | b'{') => {
                depth += 1;
                chain.operator()?;
            }
            (None, b')' | b']' | b'}') => {
                if top && writer.open.is_some() {
                    return Err(format!("`{}` closes nothing", char::from(byte)));
                }
                depth = depth.saturating_sub(1);
            }
            (None, b',') if top && binding == Binding::Several => {
                writer.shut(at);
                bound = false;
            }
            (None, b'=')
                if top
                    && !bound
                    && binding != Binding::Loop
                    && bytes.get(at + 1) != Some(&b'=')
                    && !matches!(bytes[at - 1], b'=' | b'!' | b'<' | b'>') =>
            {
                // `namespace.member = value`
                let member = binding == Binding::One && tag[..at].contains('.');
                writer.open(at + 1, if member { MEMBER } else { BOUNDED });
                bound = true;
            }
            (None, b',' | b':') => {}
            (None, byte) if byte.is_ascii_punctuation() && byte != b'_' => chain.operator()?,
            (None, _) => {
                let word = name(&tag[at..]);
                chain.word(word)?;
                match word {
                    "in" if top && !bound && binding == Binding::Loop => {
                        writer.open(at + word.len(), BOUNDED);
                        bound = true;
                    }
                    "if" | "recursive" if top && binding == Binding::Loop => writer.shut(at),
                    _ => {}
                }
                // On to the end of the word, or of the character.
                let length = tag[at..].chars().next().map_or(1, char::len_utf8);
                at += word.len().max(length) - 1;
            }
        }
        at += 1;
    }
    writer.copy_to(tag.len());
    Ok(tag.len())
}

/// The character of `\U0001F600`.
fn long_escape(text: &str) -> Option<char> {
    let digits = text.strip_prefix("\\U")?.get(..8)?;
    char::from_u32(u32::from_str_radix(digits, 16).ok()?)
}
