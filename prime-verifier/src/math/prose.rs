//! Answers in words: conditions at their end, words that say nothing, and texts that are no more than themselves.

/// What begins a condition on letters that were named before.
const CONDITIONS: [&str; 12] = [
    "for some",
    "for any",
    "for all",
    "for every",
    "for each",
    "for a",
    "for an",
    "for arbitrary",
    "where",
    "with",
    "such that",
    "in which",
];

/// Words around an answer that add nothing to it.
const FILLERS: [&str; 42] = [
    "the",
    "answer",
    "answers",
    "is",
    "are",
    "so",
    "thus",
    "hence",
    "therefore",
    "then",
    "we",
    "get",
    "have",
    "it",
    "value",
    "values",
    "final",
    "result",
    "solution",
    "solutions",
    "equals",
    "to",
    "of",
    "in",
    "which",
    "this",
    "that",
    "gives",
    "obtain",
    "find",
    "our",
    "be",
    "must",
    "can",
    "only",
    "possible",
    "a",
    "an",
    "as",
    "required",
    "desired",
    "where",
];

/// Words that join a condition or its kind, and do not tell one condition from another.
const JOINTS: [&str; 20] = [
    "for",
    "some",
    "any",
    "all",
    "every",
    "each",
    "where",
    "with",
    "such",
    "that",
    "is",
    "are",
    "a",
    "an",
    "the",
    "be",
    "and",
    "arbitrary",
    "which",
    "in",
];

/// A text as what it says and the condition behind it, if one stands there.
pub(super) fn conditioned(text: &str) -> Option<(&str, &str)> {
    if text.len() > 2000 {
        return None;
    }
    let bytes = text.as_bytes();
    let mut braces = 0usize;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            // The words of `\text{…}` stand outside.
            b'\\' => {
                let rest = &text[at..];
                let font = [r"\text{", r"\mathrm{", r"\textrm{", r"\mbox{", r"\textit{"]
                    .iter()
                    .find(|font| rest.starts_with(**font));
                at += font.map_or(2, |font| font.len());
                continue;
            }
            b'{' => braces += 1,
            b'}' => braces = braces.saturating_sub(1),
            _ => {}
        }
        let begins = braces == 0
            && byte.is_ascii_lowercase()
            && at > 0
            && !bytes.get(at - 1).is_some_and(u8::is_ascii_alphanumeric)
            && bytes.get(at - 1) != Some(&b'\\');
        let rest = text.get(at..).unwrap_or("");
        if begins
            && CONDITIONS.iter().any(|word| {
                rest.strip_prefix(word)
                    .is_some_and(|behind| behind.starts_with([' ', '$', '\\', '}']))
            })
        {
            let mut head = text[..at].trim_end();
            for ending in [r"\text{", r"\mathrm{", r"\textrm{", r"\mbox{", r"\textit{"] {
                head = head.strip_suffix(ending).unwrap_or(head).trim_end();
            }
            let head = head
                .trim_end_matches([',', ';', ' ', '(', '~', ':'])
                .trim_end_matches(r"\quad")
                .trim_end_matches(r"\")
                .trim_end_matches([',', ' ']);
            return (!head.is_empty() && names_a_letter(rest)).then_some((head, rest));
        }
        at += 1;
    }
    None
}

/// Whether a condition is about a letter, as "with multiplicity 3" is not.
fn names_a_letter(condition: &str) -> bool {
    let plain = plain(condition);
    let mut words = plain.split(' ').filter(|word| !word.is_empty()).peekable();
    while let Some(word) = words.next() {
        let letters = |c: char| c.is_ascii_alphabetic();
        // The article stands before a word.
        let article = word == "a"
            && words
                .peek()
                .is_some_and(|next| next.len() > 1 && next.chars().all(letters));
        let lone = word.split(|c: char| !letters(c)).any(|run| run.len() == 1);
        if lone && !article {
            return true;
        }
    }
    false
}

/// The letter of `Option (B)`, `\\text{Option B}`, `choice b`.
pub(super) fn named_choice(text: &str) -> Option<&str> {
    const NAMES: [&str; 6] = ["Option", "option", "Choice", "choice", "OPTION", "CHOICE"];
    let inner = text
        .strip_prefix(r"\text{")
        .and_then(|inner| inner.strip_suffix('}'))
        .unwrap_or(text)
        .trim();
    let rest = NAMES.iter().find_map(|name| inner.strip_prefix(name))?;
    let letter = rest
        .strip_prefix([' ', '~', ':'])?
        .trim_matches([' ', '(', ')', '.', ':', '{', '}', '$']);
    (letter.len() == 1 && letter.starts_with(|c: char| ('A'..='J').contains(&c))).then_some(letter)
}

/// Whether two conditions are the same, words that only join them and blanks aside.
pub(super) fn same_condition(a: &str, b: &str) -> bool {
    let (x, y) = (bag(a), bag(b));
    x == y || x.concat() == y.concat()
}

/// The words of a condition that matter, in one order.
fn bag(condition: &str) -> Vec<String> {
    let plain = plain(condition)
        .replace(r"\neq", r"\ne")
        .replace(r"\geq", r"\ge")
        .replace(r"\leq", r"\le")
        .replace('≠', r"\ne ")
        .replace('≥', r"\ge ")
        .replace('≤', r"\le ")
        .replace("non-", "non");
    let mut words: Vec<String> = plain
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '.' | ';'))
        .filter(|word| !word.is_empty() && !JOINTS.contains(word))
        .map(|word| {
            word.strip_suffix('s')
                .filter(|stem| stem.len() > 3)
                .unwrap_or(word)
                .to_owned()
        })
        .collect();
    words.sort();
    words
}

/// A text without the marks and fonts that set words and maths apart.
fn plain(text: &str) -> String {
    let mut plain = text.to_owned();
    for mark in [
        r"\text", r"\mathrm", r"\textrm", r"\mbox", r"\left", r"\right", r"\quad", r"\(", r"\)",
        r"\[", r"\]", r"\,", r"\;", r"\ ", "$", "{", "}", "~",
    ] {
        plain = plain.replace(mark, " ");
    }
    plain
}

/// Whether a text that cannot be read as maths is words, rather than broken LaTeX.
pub(super) fn is_words(text: &str) -> bool {
    let balanced =
        |open: &str, close: &str| text.matches(open).count() == text.matches(close).count();
    let whole = balanced("{", "}")
        && balanced(r"\left", r"\right")
        && balanced(r"\begin", r"\end")
        && balanced(r"\(", r"\)")
        && text.len() <= 4000;
    whole && words_outside(text).any(|word| word.len() >= 3)
}

/// The words of a text that are no commands.
fn words_outside(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphabetic() && c != '\\')
        .filter(|word| !word.is_empty() && !word.contains('\\'))
}

/// The one passage of maths of a sentence that says nothing else: "Thus the answer is $5$."
pub(super) fn only_passage(text: &str) -> Option<&str> {
    for (open, close) in [("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]")] {
        let Some(start) = text.find(open) else {
            continue;
        };
        let inner = start + open.len();
        let length = text.get(inner..)?.find(close)?;
        let rest = text.get(inner + length + close.len()..)?;
        if rest.contains('$') || rest.contains(r"\(") || rest.contains(r"\[") {
            return None;
        }
        let before = text[..start].trim_end();
        let ends = !rest.chars().any(char::is_alphanumeric);
        let digits = |text: &str| text.chars().any(|c| c.is_ascii_digit());
        // `Half of ten is $5$.`, `Half of ten: \[x=5\]`
        let stated = [" is", " are", " equals"]
            .iter()
            .any(|verb| before.ends_with(verb))
            || matches!(open, "$$" | r"\[") && text[inner..inner + length].contains('=');
        if ends && stated && !before.contains('\\') && !digits(before) {
            return Some(text[inner..inner + length].trim());
        }
        let filler = words_outside(&text[..start])
            .chain(words_outside(rest))
            .all(|word| FILLERS.contains(&word.to_ascii_lowercase().as_str()));
        let bare = !text[..start].contains('\\')
            && !rest.contains('\\')
            && !text[..start]
                .chars()
                .chain(rest.chars())
                .any(|c| c.is_ascii_digit());
        return (filler && bare).then(|| text[inner..inner + length].trim());
    }
    None
}

/// A text in words in one form: marks and fonts away, blanks evened out, words in small letters.
fn in_words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in plain(text).split_whitespace() {
        let word = word.trim_end_matches(['.', ',', ';', '!']);
        if word.is_empty() {
            continue;
        }
        let letters = word.chars().all(char::is_alphabetic) && word.chars().count() > 1;
        if letters {
            if !out.is_empty() {
                out.push(' ');
            }
            out.extend(word.chars().flat_map(char::to_lowercase));
            out.push(' ');
        } else {
            out.push_str(word);
        }
    }
    out.replace("  ", " ").trim().to_owned()
}

/// Whether two texts in words are the same text.
pub(super) fn same_text(a: &str, b: &str) -> bool {
    in_words(a) == in_words(b)
}
