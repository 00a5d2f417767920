//! Texts made from other texts.

use crate::generate::Grammar;
use crate::random::Random;

/// Characters that mean something to the lexer or the extractor.
const SPECIAL: &[char] = &[
    '\\', '{', '}', '(', ')', '[', ']', '$', '^', '_', '&', '%', '!', '|', '.', ',', ';', ':', '/',
    '*', '+', '-', '=', '<', '>', '\'', '"', '~', '#', '@', ' ', '\n', '\t', '\0', '0', '1', '9',
    'e', 'i', 'x', '±', '√', '½', '²', '°', 'π', '∞', '∪', '∈', '−', '，', '。', '（', '９', 'é',
    '\u{301}', '\u{200b}', '\u{a0}', '\u{202e}', '𝑥', '日', '\u{fffd}', '\u{feff}', '١', '\r',
];

/// `text` with one to a few changes.
pub fn mutated(text: &str, other: &str, grammar: &Grammar, random: &mut Random) -> String {
    let mut text = text.to_owned();
    for _ in 0..1 + random.skewed(4) {
        change(&mut text, other, grammar, random);
        shorten(&mut text, 8_000);
    }
    text
}

fn change(text: &mut String, other: &str, grammar: &Grammar, random: &mut Random) {
    let at = random.position(text);
    match random.below(14) {
        0 => {
            if let Some(character) = text[at..].chars().next() {
                text.replace_range(at..at + character.len_utf8(), "");
            }
        }
        1 => text.insert(at, random.pick(SPECIAL)),
        2 => {
            if let Some(character) = text[at..].chars().next() {
                let new = random.pick(SPECIAL).to_string();
                text.replace_range(at..at + character.len_utf8(), &new);
            }
        }
        3 => digit(text, random),
        4 => {
            if let Some(token) = token(text, random) {
                text.replace_range(token, "");
            }
        }
        5 => {
            if let Some(token) = token(text, random) {
                let copy = text[token].to_owned();
                text.insert_str(at, &copy);
            }
        }
        6 => {
            if let (Some(here), Some(there)) = (token(text, random), token(other, random)) {
                text.replace_range(here, &other[there]);
            }
        }
        7 => {
            let from = random.position(other);
            *text = format!("{}{}", &text[..at], &other[from..]);
        }
        8 => text.truncate(at),
        9 => {
            let end = random.position(text);
            let slice = text[at.min(end)..at.max(end)].to_owned();
            let times = 1 + random.skewed(40);
            text.insert_str(at, &slice.repeat(times));
        }
        10 => text.insert_str(at, &grammar.fragment(random)),
        11 => text.insert_str(at, &grammar.scalar(random)),
        12 => text.insert_str(at, other),
        _ => *text = related(text, grammar, random),
    }
}

/// `text` written in another way that often means the same.
pub fn related(text: &str, grammar: &Grammar, random: &mut Random) -> String {
    let scalar = grammar.scalar(random);
    match random.below(24) {
        0 => format!("({text})"),
        1 => format!(r"\left({text}\right)"),
        2 => format!("${text}$"),
        3 => format!("{text}+0"),
        4 => format!(r"1\cdot({text})"),
        5 => format!("-(-({text}))"),
        6 => format!("{text}+{scalar}-({scalar})"),
        7 => format!(r"\frac{{({scalar})({text})}}{{{scalar}}}"),
        8 => format!(r"\boxed{{{text}}}"),
        9 => format!("x = {text}"),
        10 => format!(r"\{{{text}\}}"),
        11 => text.replace(r"\frac", r"\dfrac").replace(r"\left", ""),
        12 => text.replace(' ', ""),
        13 => reversed(text, ","),
        14 => reversed(text, "+"),
        15 => reversed(text, r"\cup"),
        16 => reversed(text, "="),
        17 => text.replace('x', "t"),
        18 => format!(
            "{text} {}",
            random.pick(&["cm", r"\text{cm}", r"\%", r"^\circ", "i", "°", "!"])
        ),
        19 => format!(r"\sqrt{{({text})^2}}"),
        20 => format!("({text})^1"),
        21 => format!("[{text}]"),
        22 => format!(r"\text{{{text}}}"),
        _ => text
            .replace('-', "−")
            .replace(r"\cdot", "*")
            .replace(r"\pi", "π"),
    }
}

fn reversed(text: &str, separator: &str) -> String {
    let mut parts: Vec<&str> = text.split(separator).collect();
    parts.reverse();
    parts.join(separator)
}

fn digit(text: &mut String, random: &mut Random) {
    let digits: Vec<usize> = (0..text.len())
        .filter(|at| text.as_bytes()[*at].is_ascii_digit())
        .collect();
    if !digits.is_empty() {
        let at = random.pick(&digits);
        text.replace_range(at..=at, &random.below(10).to_string());
    }
}

/// A command, a run of letters or digits, or one character, about where a random position is.
fn token(text: &str, random: &mut Random) -> Option<std::ops::Range<usize>> {
    let mut start = random.position(text);
    let same_run = |a: char, b: char| {
        (a.is_ascii_alphabetic() && b.is_ascii_alphabetic())
            || (a.is_ascii_digit() && b.is_ascii_digit())
    };
    let first = text[start..].chars().next()?;
    while let Some(before) = text[..start].chars().next_back() {
        let command = before == '\\' && first.is_ascii_alphabetic();
        if !command && !same_run(before, first) {
            break;
        }
        start -= before.len_utf8();
        if command {
            break;
        }
    }
    let mut end = start;
    for (index, character) in text[start..].chars().enumerate() {
        if index > 0 && !same_run(character, first) {
            break;
        }
        end += character.len_utf8();
    }
    Some(start..end)
}

fn shorten(text: &mut String, most: usize) {
    if text.len() > most {
        let mut end = most;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
}

/// Characters without any order.
pub fn soup(random: &mut Random) -> String {
    let length = 1 + random.skewed(60);
    let kind = random.below(3);
    (0..length)
        .map(|_| match kind {
            0 => char::from(32 + random.below(95) as u8),
            1 => random.pick(SPECIAL),
            _ => char::from_u32(random.below(0x11_0000) as u32).unwrap_or('\u{fffd}'),
        })
        .collect()
}
