//! Gold answers as data sets write them: a text, a number, a list of either, or inside a worked solution.

use prime_verifier::math::{Answer, Extraction, Kind, MathVerifier, Source};

use super::broken::{Broken, Fault};
use super::json::{Object, is_number, kind_of, list, string};
use super::path::names;

/// What stands before the answer in gsm8k.
const HASHES: &str = "####";
/// What stands where an answer should, in rows that have none (NuminaMath 1.5).
const NO_ANSWER: [&str; 2] = ["proof", "notfound"];
/// Longest text that may be an answer as a whole, in bytes.
const MAX_BARE: usize = 200;

/// Golds to the letter: a string or number, or a list of them, any of which counts. A string may hold the JSON of a list
/// of strings.
pub(crate) fn to_the_letter(json: &str, field: &str) -> Result<Vec<String>, Broken> {
    let Some(entries) = list(json) else {
        let text = scalar(json, field)?;
        let inner = match text.trim_start().starts_with("[\"") {
            true => list(&text),
            false => None,
        };
        return match inner {
            Some(entries) if entries.iter().all(|entry| entry.starts_with('"')) => {
                each(&entries, field)
            }
            _ => Ok(vec![text]),
        };
    };
    if entries.is_empty() {
        return Err(Broken::answer(field, "is an empty list"));
    }
    each(&entries, field)
}

fn each(entries: &[&str], field: &str) -> Result<Vec<String>, Broken> {
    entries
        .iter()
        .enumerate()
        .map(|(i, entry)| scalar(entry, &format!("{field}[{i}]")))
        .collect()
}

/// Golds from a column that holds answers: behind `####` or in the last box where there is one, else to the letter; of a text
/// that is no answer, what its "the answer is" says.
pub(crate) fn answers(json: &str, field: &str) -> Result<Vec<String>, Broken> {
    let mut golds = to_the_letter(json, field)?;
    for gold in &mut golds {
        if let Some(marked) = behind_hashes(gold).or_else(|| boxed(gold)) {
            *gold = marked;
        } else if NO_ANSWER.contains(&gold.trim()) {
            let reason = format!(
                "is {:?}: there is no answer to hold a response against",
                gold.trim()
            );
            return Err(Broken::answer(field, reason));
        } else if may_state(gold)
            && !reads(gold)
            && let Some(found) = stated(gold)
        {
            *gold = found;
        }
        if gold.trim().is_empty() {
            return Err(Broken::answer(field, "has nothing behind its last `####`"));
        }
    }
    Ok(golds)
}

/// The gold of a worked solution: behind its last `####`, in its last box, behind "the answer is", or all of it if it is
/// an answer and nothing else.
pub(crate) fn in_solution(json: &str, field: &str) -> Result<Vec<String>, Broken> {
    let solutions = to_the_letter(json, field)?;
    solutions
        .iter()
        .map(|solution| {
            behind_hashes(solution)
                .or_else(|| boxed(solution))
                .or_else(|| stated(solution))
                .or_else(|| {
                    (solution.len() <= MAX_BARE && reads(solution)).then(|| solution.trim().to_owned())
                })
                .ok_or_else(|| {
                    Broken::answer(
                        field,
                        "holds no `\\boxed{}`, no `####` and no \"the answer is\" that says what the answer is; \
                         name the column that does with data.columns.answer",
                    )
                })
        })
        .collect()
}

/// What is behind the last `####`, up to the end of the line.
fn behind_hashes(text: &str) -> Option<String> {
    let at = text.rfind(HASHES)? + HASHES.len();
    let line = text.get(at..)?.trim_start_matches(['#', ' ', '\n', '\r']);
    Some(line.lines().next().unwrap_or_default().trim().to_owned())
}

fn boxed(text: &str) -> Option<String> {
    if !text.contains("box") {
        return None;
    }
    let found = Extraction::boxed().find(text)?;
    Some(found.text.into_owned())
}

/// Whether it is worth to look for "the answer is": golds are short, and there may be a million of them.
fn may_state(text: &str) -> bool {
    text.len() > 12 && text.contains([' ', ':'])
}

fn stated(text: &str) -> Option<String> {
    let places = [Source::Boxed, Source::FinalAnswer, Source::Answer];
    let found = Extraction::anywhere().with_sources(places).find(text)?;
    Some(found.text.into_owned())
}

/// A string or a number, as text that is not blank.
fn scalar(json: &str, field: &str) -> Result<String, Broken> {
    if is_number(json) {
        return Ok(json.to_owned());
    }
    let reason = match string(json) {
        Some(text) if text.trim().is_empty() => "is empty".to_owned(),
        Some(text) => return Ok(text),
        None if json == "null" => "is null".to_owned(),
        None if json.starts_with('{') => {
            format!(
                "expected an answer, found an object with {}; name the one that is the answer with \
                 data.columns.answer = \"{field}.…\", or, where these are tests, say `\"ability\": \"code\"` or data.ability = \"code\"",
                names(&Object::of(json).unwrap_or_default())
            )
        }
        None if json.starts_with('"') => match serde_json::from_str::<String>(json) {
            Ok(_) => "cannot be read".to_owned(),
            Err(error) => error.to_string(),
        },
        None => format!(
            "expected a string or a number, found {}; write the answer as a string, as a response would give it",
            kind_of(json)
        ),
    };
    Err(Broken::answer(field, reason))
}

/// What the maths grader makes of a gold answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Something to compare with.
    Answer,
    /// Equal to the same words only.
    Words,
}

/// Checks that the maths grader can read the golds; whether one of them is mere words.
pub(crate) fn check(golds: &[String], field: &str) -> Result<bool, Broken> {
    let mut words = false;
    for gold in golds {
        words |= read_as_gold(gold, field)? == Reading::Words;
    }
    Ok(words)
}

fn read_as_gold(gold: &str, field: &str) -> Result<Reading, Broken> {
    if is_plain_number(gold) {
        return Ok(Reading::Answer);
    }
    if !gold.contains("box") {
        match Answer::read(gold) {
            words if words.kind() == Kind::Text => return Ok(Reading::Words),
            answer if answer.syntax_error().is_none() => return Ok(Reading::Answer),
            // The grader may find an answer in it.
            _ => {}
        }
    }
    // Against no answer nothing is compared: what comes back is the gold as the grader reads it.
    let read = MathVerifier::default()
        .grade_answer("", &[gold])
        .comparison
        .gold;
    match (read.syntax_error(), read.kind()) {
        (Some(error), _) => Err(Broken::new(
            Fault::Unreadable,
            field,
            format!(
                "{} cannot be read by the maths grader: {error}; responses could not be judged against it",
                shortened(gold)
            ),
        )),
        (None, Kind::Text) => Ok(Reading::Words),
        (None, _) => Ok(Reading::Answer),
    }
}

fn reads(text: &str) -> bool {
    is_plain_number(text) || Answer::read(text).syntax_error().is_none()
}

/// Most golds are: a million of them are looked at in a blink.
fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole) && all_digits(fraction) && digits.len() <= 40
}

/// The start of a long text, quoted.
pub(crate) fn shortened(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
