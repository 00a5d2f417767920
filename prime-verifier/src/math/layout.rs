//! Texts without their layout: for what does not parse.

/// Whether two texts differ in layout only.
pub(super) fn same_without_layout(a: &str, b: &str) -> bool {
    a == b || without_layout(a) == without_layout(b) || same_prose(a, b)
}

/// Whether two sentences without LaTeX differ in case, blanks and punctuation at the ends of words only.
fn same_prose(a: &str, b: &str) -> bool {
    let prose = |text: &str| !text.contains('\\') && text.trim().contains(' ');
    prose(a) && prose(b) && words(a) == words(b)
}

/// The text without blanks, spacing commands, delimiter sizes and mathematics marks; `\dfrac` as `\frac`. Linear.
fn without_layout(text: &str) -> String {
    const DROPPED: [&str; 14] = [
        "left",
        "right",
        "displaystyle",
        "textstyle",
        "quad",
        "qquad",
        "limits",
        "big",
        "Big",
        "bigl",
        "bigr",
        "Bigl",
        "Bigr",
        "boxed",
    ];
    // Numbers beside each other stay two numbers.
    let push = |out: &mut String, piece: &str, gap: &mut bool| {
        if *gap
            && out.ends_with(|c: char| c.is_ascii_digit())
            && piece.starts_with(|c: char| c.is_ascii_digit())
        {
            out.push(' ');
        }
        *gap = false;
        out.push_str(piece);
    };
    let mut gap = false;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first == '\\' {
            let letters = rest[1..]
                .bytes()
                .take_while(u8::is_ascii_alphabetic)
                .count();
            if letters == 0 {
                let second = rest[1..].chars().next();
                let length = 1 + second.map_or(0, char::len_utf8);
                if matches!(
                    second,
                    Some(',' | ';' | ':' | '!' | '>' | ' ' | '(' | ')' | '[' | ']')
                ) {
                    gap = true;
                } else {
                    push(&mut out, &rest[..length], &mut gap);
                }
                rest = &rest[length..];
                continue;
            }
            let name = &rest[1..=letters];
            match name {
                "dfrac" | "tfrac" | "cfrac" => push(&mut out, "\\frac", &mut gap),
                name if DROPPED.contains(&name) => gap = true,
                name => {
                    out.push('\\');
                    out.push_str(name);
                    // `\pi r` and `\pir` differ.
                    out.push(' ');
                }
            }
            rest = &rest[1 + letters..];
            continue;
        }
        if first.is_whitespace() || first == '$' || first == '~' {
            gap = true;
        } else {
            push(&mut out, &rest[..first.len_utf8()], &mut gap);
        }
        rest = &rest[first.len_utf8()..];
    }
    while out.ends_with(['.', ',', ' ']) {
        out.pop();
    }
    out
}

/// Whether a text marks maths off from prose.
pub(super) fn has_math_marks(text: &str) -> bool {
    [r"\boxed", r"\fbox", "$", r"\(", r"\[", "nswer"]
        .iter()
        .any(|mark| text.contains(mark))
}

/// The beginning of a text, for a message.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// Words in lower case, blanks and punctuation between and around them evened out.
pub(super) fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';')) {
        let word =
            word.trim_matches(|c: char| matches!(c, '.' | '"' | '\'' | '!' | '?' | ':' | '`'));
        if word.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().flat_map(char::to_lowercase));
    }
    out
}
