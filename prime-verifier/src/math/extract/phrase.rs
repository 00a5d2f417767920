//! "The final answer is …", "Answer: …".

use std::ops::Range;

use super::span;

/// Behind the last "final answer is", "final answer:".
pub(super) fn final_answer(text: &str) -> Option<Range<usize>> {
    last_phrase(text, &["final answer", "final result"])
}

/// Behind the last "answer is", "answer:", "solution is".
pub(super) fn answer(text: &str) -> Option<Range<usize>> {
    last_phrase(text, &["answer", "solution", "result"])
}

const MAX_TRIES: usize = 32;

fn last_phrase(text: &str, phrases: &[&str]) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut end = bytes.len();
    // From the right: the last phrase that something follows. Few tries, so that a text made of phrases stays cheap.
    for _ in 0..MAX_TRIES {
        let (start, phrase) = phrases
            .iter()
            .filter_map(|phrase| {
                Some((
                    rfind_ignoring_case(&bytes[..end], phrase.as_bytes())?,
                    phrase,
                ))
            })
            .max_by_key(|(start, _)| *start)?;
        let behind = start + phrase.len();
        if let Some(from) = introduced(text, behind)
            && let Some(found) = sentence(text, from)
        {
            return Some(found);
        }
        end = start;
    }
    None
}

fn rfind_ignoring_case(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len())
        .rposition(|window| window.eq_ignore_ascii_case(word))
}

/// Where the answer begins, if "is", ":" or "=" introduces one soon behind the phrase.
fn introduced(text: &str, behind: usize) -> Option<usize> {
    // "answer to the question is", "answers are"
    const REACH: usize = 60;
    let rest = text.get(behind..)?;
    let line = rest.lines().next().unwrap_or("");
    let mut limit = line.len().min(REACH);
    while !line.is_char_boundary(limit) {
        limit -= 1;
    }
    let window = &line[..limit];
    let colon = window.find([':', '=']).map(|at| at + 1);
    let verb = [
        " is",
        " are",
        " should be",
        " will be",
        " would be",
        " equals",
    ]
    .iter()
    .filter_map(|verb| {
        let at = window.find(verb)? + verb.len();
        // "is" as a word
        window[at..]
            .starts_with(|c: char| !c.is_alphanumeric())
            .then_some(at)
            .or((at == line.len()).then_some(at))
    })
    .min();
    let mut at = match (colon, verb) {
        (Some(colon), Some(verb)) => colon.min(verb),
        (colon, verb) => colon.or(verb)?,
    };
    // "The answer is: $5$", "**Answer:** 5", "answer is therefore 5"
    loop {
        let rest = &rest[at..];
        let skipped = rest.len()
            - rest
                .trim_start_matches([' ', '\t', ':', '\n', '\r', '>', '"', '“'])
                .len();
        at += skipped;
        let rest = &rest[skipped..];
        let word = [
            "**",
            "\\\"",
            "therefore ",
            "thus ",
            "indeed ",
            "simply ",
            "then ",
            "given by ",
            "option ",
            "choice ",
        ]
        .iter()
        .find(|word| {
            rest.len() >= word.len()
                && rest.as_bytes()[..word.len()].eq_ignore_ascii_case(word.as_bytes())
        });
        match word {
            // Bold that begins here is closed again behind the answer.
            Some(word) => at += word.len(),
            None if skipped == 0 => break,
            None => {}
        }
    }
    Some(behind + at)
}

/// The answer that begins at `from`: maths if it opens with it, the sentence otherwise.
pub(super) fn sentence(text: &str, from: usize) -> Option<Range<usize>> {
    let rest = text.get(from..)?;
    if let Some(found) = span::math_at(text, from) {
        return Some(found);
    }
    let line_end = rest.find('\n').unwrap_or(rest.len());
    let line = &rest[..line_end];
    let stops = [
        ". ",
        "**",
        "<|",
        "; ",
        " I hope",
        ".\u{201d}",
        "\"",
        " because ",
        " since ",
        " which ",
        "[/",
    ];
    let end = stops
        .iter()
        .filter_map(|stop| line.find(stop))
        .min()
        .unwrap_or(line.len());
    let content = line[..end].trim_end_matches(['.', ' ', ',']);
    let found = from..from + content.len();
    (!content.trim().is_empty()).then_some(found)
}
