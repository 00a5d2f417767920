//! Characters that stand for plain ones: full-width digits, letters of the mathematical alphabets, raised runs, roots.

use std::borrow::Cow;

use super::unicode::{Script, script, script_value};

/// The text with plain characters for such, if there is any.
pub(super) fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(needs_folding) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let mut length = first.len_utf8();
        if let Some((run, raised)) = script(rest)
            && rest[..run].chars().count() > 1
        {
            // `x⁵⁶`
            length = run;
            out.push_str(if raised { "^{" } else { "_{" });
            for character in rest[..run].chars() {
                match script_value(character) {
                    Some(Script::Digit(digit)) => out.push(char::from(b'0' + digit)),
                    Some(Script::Plus) => out.push('+'),
                    Some(Script::Minus) => out.push('-'),
                    Some(Script::Letter(letter)) => out.push(letter),
                    None => {}
                }
            }
            out.push('}');
        } else {
            match first {
                '∛' => out.push_str(r"\sqrt[3]"),
                '∜' => out.push_str(r"\sqrt[4]"),
                '\u{a0}' => out.push(' '),
                other => out.push(plain(other)),
            }
        }
        rest = &rest[length..];
    }
    Cow::Owned(out)
}

fn needs_folding(character: char) -> bool {
    script_value(character).is_some()
        || matches!(character, '∛' | '∜' | '\u{a0}')
        || plain(character) != character
}

fn plain(character: char) -> char {
    let code = u32::from(character);
    let letter = |at: u32| {
        let at = (at % 52) as u8;
        char::from(if at < 26 { b'A' + at } else { b'a' + at - 26 })
    };
    match code {
        // Punctuation keeps the meaning that the lexer gives it.
        0xff10..=0xff19 | 0xff21..=0xff3a | 0xff41..=0xff5a => {
            char::from_u32(code - 0xfee0).unwrap_or(character)
        }
        0x1d400..=0x1d6a3 => letter(code - 0x1d400),
        0x1d7ce..=0x1d7ff => char::from(b'0' + ((code - 0x1d7ce) % 10) as u8),
        _ => character,
    }
}
