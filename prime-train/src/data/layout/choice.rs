//! Multiple choice: the question alone does not say what the letters stand for.

use super::{Gold, Layout, PLAIN, Prompt};

const REASON: &str = "the choices are in a column of their own, so the question alone does not say what its letters stand for; \
     write them into the prompt, and the letter of the right one into a column that data.columns.answer names";

/// For the layouts here.
const CHOICE: Layout = Layout {
    name: "multiple choice",
    prompt: Prompt::At("question"),
    gold: Gold::Missing(REASON),
    ..PLAIN
};

pub(super) const LAYOUTS: &[Layout] = &[
    Layout {
        data_sets: "MMLU, ARC, CommonsenseQA",
        columns: &["question", "choices"],
        ..CHOICE
    },
    Layout {
        data_sets: "AQuA-RAT, MedQA, MMLU-Pro",
        columns: &["question", "options"],
        ..CHOICE
    },
    Layout {
        data_sets: "MathQA",
        columns: &["Problem", "options"],
        prompt: Prompt::At("Problem"),
        ..CHOICE
    },
    Layout {
        data_sets: "GPQA",
        columns: &["Question", "Correct Answer", "Incorrect Answer 1"],
        prompt: Prompt::At("Question"),
        ..CHOICE
    },
];
