//! Problems of code with their tests.

use super::super::ability::Ability;
use super::super::broken::Broken;
use super::super::conversation::text_of;
use super::super::json::{Object, string};
use super::super::path::find;
use super::super::row::Message;
use super::super::test_cases::{self, together, with_starter};
use super::{Gold, Layout, PLAIN, Prompt};

/// For the layouts here.
const CODE: Layout = Layout {
    implied: Some(Ability::Code),
    ..PLAIN
};

pub(super) const LAYOUTS: &[Layout] = &[
    Layout {
        name: "input_output",
        data_sets: "APPS, TACO",
        columns: &["question", "input_output"],
        prompt: Prompt::Made(question_and_starter),
        gold: Gold::Tests(|row| column(row, "input_output")),
        ..CODE
    },
    Layout {
        name: "public_tests",
        data_sets: "CodeContests",
        columns: &["description", "public_tests"],
        prompt: Prompt::At("description"),
        gold: Gold::Tests(contests),
        ..CODE
    },
    Layout {
        name: "tests",
        data_sets: "DeepCoder",
        columns: &["problem", "tests"],
        prompt: Prompt::Made(problem_and_starter),
        gold: Gold::Tests(deep_coder),
        ..CODE
    },
    Layout {
        name: "public_test_cases",
        data_sets: "LiveCodeBench",
        columns: &["question_content", "public_test_cases"],
        prompt: Prompt::At("question_content"),
        gold: Gold::Missing(
            "most tests of LiveCodeBench are in `private_test_cases`, compressed by Python's pickle; decompress them, or, to \
             judge by the few public ones alone, set data.columns = { prompt = \"question_content\", answer = \"public_test_cases\" } \
             and data.ability = \"code\"",
        ),
        ..CODE
    },
    Layout {
        name: "prompt, test",
        data_sets: "HumanEval",
        columns: &["prompt", "test", "entry_point"],
        prompt: Prompt::At("prompt"),
        gold: Gold::Missing(TEST_CODE),
        ..CODE
    },
    Layout {
        name: "question, test",
        data_sets: "KodCode",
        columns: &["question", "test"],
        prompt: Prompt::At("question"),
        gold: Gold::Missing(TEST_CODE),
        ..CODE
    },
    Layout {
        name: "test_list",
        data_sets: "MBPP",
        columns: &["test_list"],
        prompt: Prompt::At("text"),
        gold: Gold::Missing(TEST_CODE),
        ..CODE
    },
];

const TEST_CODE: &str = "the tests are Python code, and what is run here is inputs and outputs; rewrite them as \
     {\"inputs\": [[…]], \"outputs\": […], \"fn_name\": \"…\"} in a column, and name it with data.columns.answer";

fn question_and_starter(row: &Object<'_>) -> Result<Vec<Message>, Broken> {
    problem(row, "question")
}

fn problem_and_starter(row: &Object<'_>) -> Result<Vec<Message>, Broken> {
    problem(row, "problem")
}

fn problem(row: &Object<'_>, column: &str) -> Result<Vec<Message>, Broken> {
    let text = text_of(row.get(column).unwrap_or("null"), column)?;
    let whole = with_starter(text, row.get("starter_code"));
    Ok(vec![Message::new("user", whole)])
}

fn column(row: &Object<'_>, name: &str) -> Result<String, Broken> {
    test_cases::read(row.get(name).unwrap_or("null"), name, None)
}

/// All three lists of tests.
fn contests(row: &Object<'_>) -> Result<String, Broken> {
    let (mut inputs, mut outputs) = (vec![], vec![]);
    for name in ["public_tests", "private_tests", "generated_tests"] {
        if !row.has(name) {
            continue;
        }
        let Some(tests) = row.get(name).and_then(Object::of) else {
            return Err(Broken::tests(
                name,
                "expected {\"input\": […], \"output\": […]}",
            ));
        };
        inputs.extend(tests.get("input"));
        outputs.extend(tests.get("output"));
    }
    Ok(together(&inputs, &outputs, None))
}

/// Tests that call a function have its name in them, or in `metadata`.
fn deep_coder(row: &Object<'_>) -> Result<String, Broken> {
    let name = find(row, "metadata.func_name")
        .and_then(|name| string(&name))
        .filter(|name| !name.is_empty());
    test_cases::read(row.get("tests").unwrap_or("null"), "tests", name.as_deref())
}
