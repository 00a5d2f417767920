//! Maths problems with an answer, or with a worked solution that holds it.

use super::super::broken::Broken;
use super::super::conversation::text_of;
use super::super::gold;
use super::super::json::{Object, string};
use super::super::row::Message;
use super::{Gold, How, Layout, PLAIN, Prompt};

pub(super) const LAYOUTS: &[Layout] = &[
    Layout {
        name: "prompt, ground_truth",
        data_sets: "TRL, OpenRLHF",
        columns: &["prompt", "ground_truth"],
        gold: Gold::At(&["ground_truth"], How::Exact),
        ..PLAIN
    },
    Layout {
        name: "prompt, answer",
        data_sets: "TRL, verifiers",
        columns: &["prompt", "answer"],
        ..PLAIN
    },
    Layout {
        name: "prompt, label",
        data_sets: "slime, OpenRLHF",
        columns: &["prompt", "label"],
        gold: Gold::At(&["label"], How::Answer),
        ..PLAIN
    },
    Layout {
        name: "prompt, solutions",
        data_sets: "AReaL",
        columns: &["prompt", "solutions"],
        gold: Gold::At(&["solutions"], How::Solution),
        ability: "task",
        ..PLAIN
    },
    Layout {
        name: "prompt, solution",
        data_sets: "TRL (DeepMath-103K, NuminaMath-TIR as TRL has them)",
        columns: &["prompt", "solution"],
        gold: Gold::At(&["solution"], How::Solution),
        ..PLAIN
    },
    Layout {
        name: "prompt, completion",
        data_sets: "TRL",
        columns: &["prompt", "completion"],
        gold: Gold::Made(completion),
        reference: &["completion"],
        ..PLAIN
    },
    Layout {
        name: "question, final_answer",
        data_sets: "OlympiadBench, DeepMath-103K",
        columns: &["question", "final_answer"],
        prompt: Prompt::Made(olympiad),
        gold: Gold::At(&["final_answer"], How::Answer),
        reference: &["r1_solution_1"],
        ..PLAIN
    },
    Layout {
        name: "problem, expected_answer",
        data_sets: "OpenMathReasoning, OpenMathInstruct-2, Nemotron",
        columns: &["problem", "expected_answer"],
        prompt: Prompt::At("problem"),
        gold: Gold::At(&["expected_answer"], How::Answer),
        reference: &["generated_solution"],
        ..PLAIN
    },
    Layout {
        name: "question, expected_answer",
        data_sets: "OpenMathInstruct-1",
        columns: &["question", "expected_answer"],
        prompt: Prompt::At("question"),
        gold: Gold::At(&["expected_answer"], How::Answer),
        reference: &["generated_solution"],
        ..PLAIN
    },
    Layout {
        name: "question, answer_number",
        data_sets: "MGSM",
        columns: &["question", "answer_number"],
        prompt: Prompt::At("question"),
        gold: Gold::At(&["answer_number"], How::Answer),
        reference: &["answer"],
        ..PLAIN
    },
    Layout {
        name: "Body, Question, Answer",
        data_sets: "SVAMP",
        columns: &["Body", "Question", "Answer"],
        prompt: Prompt::Made(|row| both(row, "Body", "Question")),
        gold: Gold::At(&["Answer"], How::Answer),
        ..PLAIN
    },
    Layout {
        name: "body, question, answer",
        data_sets: "ASDiv",
        columns: &["body", "question", "answer"],
        prompt: Prompt::Made(|row| both(row, "body", "question")),
        gold: Gold::Made(without_unit),
        ..PLAIN
    },
    Layout {
        name: "problem, answer",
        data_sets: "MATH-500, DeepScaleR, Big-Math, Polaris, NuminaMath-1.5, OpenR1-Math, Omni-MATH, AIME 2024 and 2025, AMC",
        columns: &["problem", "answer"],
        prompt: Prompt::At("problem"),
        reference: &["solution"],
        ..PLAIN
    },
    Layout {
        name: "question, answer",
        data_sets: "gsm8k, LIMO, Minerva, AMC 23, GSM-Symbolic",
        columns: &["question", "answer"],
        prompt: Prompt::At("question"),
        reference: &["solution", "answer"],
        ..PLAIN
    },
    Layout {
        name: "Problem, Answer",
        data_sets: "AIME 2024 (Maxwell-Jia)",
        columns: &["Problem", "Answer"],
        prompt: Prompt::At("Problem"),
        gold: Gold::At(&["Answer"], How::Answer),
        reference: &["Solution"],
        ..PLAIN
    },
    Layout {
        name: "Question, Answer",
        data_sets: "AIME 1983 to 2024",
        columns: &["Question", "Answer"],
        prompt: Prompt::At("Question"),
        gold: Gold::At(&["Answer"], How::Answer),
        ..PLAIN
    },
    Layout {
        name: "problem, ground_truth_solution",
        data_sets: "OpenThoughts (its metadata)",
        columns: &["problem", "ground_truth_solution"],
        prompt: Prompt::At("problem"),
        gold: Gold::At(&["ground_truth_solution"], How::Solution),
        ability: "domain",
        reference: &["deepseek_solution"],
        ..PLAIN
    },
    Layout {
        name: "problem, solution",
        data_sets: "MATH, NuminaMath-CoT, NuminaMath-TIR",
        columns: &["problem", "solution"],
        prompt: Prompt::At("problem"),
        gold: Gold::At(&["solution"], How::Solution),
        reference: &["solution"],
        ..PLAIN
    },
    Layout {
        name: "question, solution",
        data_sets: "s1K",
        columns: &["question", "solution"],
        prompt: Prompt::At("question"),
        gold: Gold::At(&["solution"], How::Solution),
        reference: &["solution"],
        ..PLAIN
    },
    Layout {
        name: "query, response",
        data_sets: "MetaMathQA, ScaleQuest-Math",
        columns: &["query", "response"],
        prompt: Prompt::At("query"),
        gold: Gold::At(&["response"], How::Solution),
        reference: &["response"],
        ..PLAIN
    },
];

/// The context, where a problem has one, and the question. Pictures cannot be shown to a model of text.
fn olympiad(row: &Object<'_>) -> Result<Vec<Message>, Broken> {
    for picture in ["image_1", "image", "images"] {
        if row
            .get(picture)
            .is_some_and(|value| value != "null" && value != "[]")
        {
            return Err(Broken::prompt(
                picture,
                "is a picture; only text can be read, so leave such rows out",
            ));
        }
    }
    let has_context = row
        .get("context")
        .and_then(string)
        .is_some_and(|text| !text.trim().is_empty());
    match has_context {
        true => both(row, "context", "question"),
        false => both(row, "", "question"),
    }
}

/// Two texts as one.
fn both(row: &Object<'_>, first: &str, second: &str) -> Result<Vec<Message>, Broken> {
    let mut texts = vec![];
    for column in [first, second] {
        if !column.is_empty() {
            texts.push(
                text_of(row.get(column).unwrap_or("null"), column)?
                    .trim()
                    .to_owned(),
            );
        }
    }
    Ok(vec![Message::new("user", texts.join(" "))])
}

/// "9 (apples)" is 9.
fn without_unit(row: &Object<'_>) -> Result<Vec<String>, Broken> {
    let mut golds = gold::answers(row.get("answer").unwrap_or("null"), "answer")?;
    for gold in &mut golds {
        if let Some((number, unit)) = gold.split_once(" (")
            && unit.ends_with(')')
        {
            *gold = number.trim().to_owned();
        }
    }
    Ok(golds)
}

/// The answer in a completion, which is a text or the assistant's message.
fn completion(row: &Object<'_>) -> Result<Vec<String>, Broken> {
    let json = row.get("completion").unwrap_or("null");
    match super::super::conversation::read(json, "completion")? {
        read if json.starts_with('[') => {
            let text = read.reference.unwrap_or_default();
            gold::in_solution(&super::super::json::quoted(&text), "completion")
        }
        _ => gold::in_solution(json, "completion"),
    }
}
