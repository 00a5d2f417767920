//! Rows of no known layout: which columns might be meant, and how to say so.

use super::super::broken::{Broken, Fault};
use super::super::json::{Object, string};

/// Names of columns that hold prompts.
pub(crate) const PROMPTS: [&str; 16] = [
    "prompt",
    "question",
    "problem",
    "query",
    "instruction",
    "messages",
    "conversations",
    "conversation",
    "input",
    "Question",
    "Problem",
    "question_content",
    "original_question",
    "problem_statement",
    "text",
    "description",
];
/// Names of columns that hold answers and nothing else: beside a prompt, one of them makes a row.
pub(crate) const SURE: [&str; 11] = [
    "ground_truth",
    "expected_answer",
    "final_answer",
    "answer",
    "Answer",
    "correct_answer",
    "gold",
    "gold_answer",
    "reference_answer",
    "solution",
    "Solution",
];
/// Names of columns that may hold answers, those included.
pub(crate) const ANSWERS: [&str; 15] = [
    "ground_truth",
    "expected_answer",
    "final_answer",
    "answer",
    "Answer",
    "correct_answer",
    "gold",
    "gold_answer",
    "reference_answer",
    "label",
    "target",
    "output",
    "response",
    "solution",
    "Solution",
];

/// What is said about a row whose columns are not recognised: which there are, and the lines to write.
pub(crate) fn guess(row: &Object<'_>, prompt_known: bool) -> Broken {
    let names: Vec<&str> = row.names().collect();
    if names.is_empty() {
        return Broken::row("the object has no columns");
    }
    let known = |list: &[&'static str]| list.iter().copied().find(|name| row.has(name));
    let longest = names.iter().copied().max_by_key(|name| {
        let text = row.get(name).and_then(string);
        text.map_or(0, |text| text.len())
    });
    let prompt = known(&PROMPTS).or(longest).unwrap_or("question");
    let answer = known(&ANSWERS)
        .filter(|name| *name != prompt)
        .or_else(|| names.iter().copied().find(|name| *name != prompt))
        .unwrap_or("answer");
    let columns = super::super::path::names(row);
    let reason = match prompt_known {
        true => format!(
            "no column is known to hold the gold answer; the row has {columns}; say which does, such as \
             data.columns.answer = {answer:?}"
        ),
        false => format!(
            "no layout is known with the columns {columns}; say which hold the prompt and the gold answer, such as \
             data.columns = {{ prompt = {prompt:?}, answer = {answer:?} }}"
        ),
    };
    Broken::new(Fault::Row, "row", reason)
}
