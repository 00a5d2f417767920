//! What the engine reads otherwise than jinja2 is rewritten before it is compiled.

/// `template` with line feeds only, with `{% generation %}` as the scope that it is, and with raw blocks and long
/// escapes that mean what they mean in jinja2. Lines keep their numbers.
pub(super) fn prepare(template: &str) -> String {
    let text = template.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = next_tag(rest) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = match rest.as_bytes()[1] {
            b'#' => rest[2..].find("#}").map_or(rest.len(), |end| end + 4),
            b'{' => expression(rest, "}}", &mut out),
            _ => block(rest, &mut out),
        };
        if rest.starts_with("{#") {
            out.push_str(&rest[..length]);
        }
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
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
    let end = inner
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(inner.len());
    (&tag[..before], &inner[..end], &inner[end..])
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
fn block(tag: &str, out: &mut String) -> usize {
    let (before, name, after) = statement(tag);
    let Some((sign, end)) = bare_end(after) else {
        return expression(tag, "%}", out);
    };
    // jinja2 calls the body of `generation` as a macro: what is set inside stays inside.
    let renamed = match name {
        "generation" => "with",
        "endgeneration" => "endwith",
        "raw" => return raw(tag, before, sign, before.len() + name.len() + end, out),
        other => other,
    };
    out.extend([before, renamed, &after[..end]]);
    before.len() + name.len() + end
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

/// Writes a tag with an expression in it up to `close`; returns its length.
fn expression(tag: &str, close: &str, out: &mut String) -> usize {
    let bytes = tag.as_bytes();
    let mut depth = 0usize;
    let mut quote = None;
    let mut copied = 0;
    let mut at = 2;
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (Some(_), b'\\') => {
                if let Some(character) = long_escape(&tag[at..]) {
                    out.push_str(&tag[copied..at]);
                    match u32::from(character) {
                        // A quote or a line feed would end the string or the line.
                        code @ ..=0xffff => out.push_str(&format!("\\u{code:04x}")),
                        _ => out.push(character),
                    }
                    copied = at + 10;
                    at = copied - 2;
                }
                at += 1;
            }
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(bytes[at]),
            (None, _) if depth == 0 && bytes[at..].starts_with(close.as_bytes()) => {
                at += close.len();
                out.push_str(&tag[copied..at]);
                return at;
            }
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        at += 1;
    }
    out.push_str(&tag[copied..]);
    tag.len()
}

/// The character of `\U0001F600`.
fn long_escape(text: &str) -> Option<char> {
    let digits = text.strip_prefix("\\U")?.get(..8)?;
    char::from_u32(u32::from_str_radix(digits, 16).ok()?)
}
