//! The program in a response.
#![cfg(feature = "code")]

use std::borrow::Cow;
use std::time::{Duration, Instant};

use prime_verifier::code::last_code_block;
use proptest::prelude::*;

#[track_caller]
fn finds(response: &str, expected: Option<&str>) {
    assert_eq!(
        last_code_block(response).as_deref(),
        expected,
        "{response:?}"
    );
}

#[test]
fn the_last_python_block_wins() {
    finds("```python\na\n```", Some("a\n"));
    finds("x\n```python\na\n```\ny\n```python\nb\n```\nz", Some("b\n"));
    finds(
        "```python\na\n```\n```\nb\n```\n```cpp\nc\n```",
        Some("a\n"),
    );
    finds("```\na\n```\n```py\nb\n```\n```\nc\n```", Some("b\n"));
    // One that is blank is not a program.
    finds("```python\na\n```\n```python\n \n```", Some("a\n"));
}

#[test]
fn without_python_the_last_untagged_block() {
    finds("```\na\n```\n```\nb\n```\n```json\n{}\n```", Some("b\n"));
    finds("```\na\n```\n```\n", Some("a\n"));
    finds("```cpp\na\n```", None);
    finds("```python2\na\n```", None);
    finds("```python-repl\n>>> a\n```", None);
    finds("```python\n```", None);
    finds("```\n\n```\nprint(1)", None);
}

#[test]
fn without_a_fence_the_whole_text() {
    finds("\nprint(1)\n", Some("print(1)"));
    finds(
        "Use `print` or ```inline``` marks",
        Some("Use `print` or ```inline``` marks"),
    );
    finds("```inline``` marks", Some("```inline``` marks"));
    finds(" \r\n", None);
    finds("", None);
}

#[test]
fn tags_of_python() {
    for tag in [
        "python",
        "py",
        "python3",
        "Python",
        "PY",
        " python ",
        "python title=\"a.py\"",
        "{.python}",
        "{.python .numberLines}",
        "{python}",
        "python3.11",
        "python,linenos",
        "python:a.py",
        "python\r",
    ] {
        finds(&format!("```{tag}\na\n```\n```\nb\n```"), Some("a\n"));
        finds(&format!("~~~{tag}\na\n~~~\n~~~\nb\n~~~"), Some("a\n"));
    }
    for tag in [
        "pyt",
        "pypy",
        "cython",
        "python_2",
        "c++",
        "text python",
        "pyth\u{f6}n",
        "{#python}",
    ] {
        finds(&format!("```{tag}\na\n```\n```\nb\n```"), Some("b\n"));
    }
}

#[test]
fn where_a_block_ends() {
    // Closed by as many marks of the same kind, with nothing behind.
    finds("````python\na\n```\nb\n````\nc", Some("a\n```\nb\n"));
    finds("```python\na\n~~~\nb\n`````  \nc", Some("a\n~~~\nb\n"));
    finds("~~~python\na\n```\nb\n~~~", Some("a\n```\nb\n"));
    finds("```python\na\n``` b\n```", Some("a\n``` b\n"));
    finds("```python\na\n```python\nb\n```", Some("a\n```python\nb\n"));
    finds("```python\na ```\n    ```\n```", Some("a ```\n    ```\n"));
    // Not at all: the end of the text.
    finds("```python\na\nb", Some("a\nb"));
    finds("```python\na\n```\n```py\nb\n``", Some("b\n``"));
    finds("```python", None);
    // Two marks are no fence, and four spaces only are one for Python, as in lists within lists.
    finds("``python\na\n``", Some("``python\na\n``"));
    finds(
        "x\n    ```\n    a\n    ```",
        Some("x\n    ```\n    a\n    ```"),
    );
    finds(
        "x\n    ```python\n    a\n      b\n    ```\ny",
        Some("a\n  b\n"),
    );
}

#[test]
fn marks_on_lines_with_other_text_are_meant_as_fences() {
    finds("Here: ```python\nprint(1)\n```\nDone.", Some("print(1)\n"));
    finds("**Solution:**```Python3\nprint(1)\n```", Some("print(1)\n"));
    finds("```python\nprint(1)```", Some("print(1)"));
    finds("```python\nprint(1)```\n\n", Some("print(1)"));
    finds(
        "use ```python``` here\n```\nprint(1)\n```",
        Some("print(1)\n"),
    );
    finds("```python\ns = '```python'\n```", Some("s = '```python'\n"));
}

#[test]
fn line_ends_stay_and_indentation_of_the_fence_goes() {
    finds("```python\r\na\r\n  b\r\n```\r\nc", Some("a\r\n  b\r\n"));
    finds(
        "1. so\n   ```python\n   if a:\n       b\n\n  c\n   ```",
        Some("if a:\n    b\n\nc\n"),
    );
    finds(" ~~~py\n  a\n\tb\n ~~~", Some(" a\n\tb\n"));
    assert!(matches!(
        last_code_block("```python\n a\n```"),
        Some(Cow::Borrowed(" a\n"))
    ));
}

#[test]
fn thoughts_are_passed_over() {
    finds(
        "<think>```python\na\n```</think>\n```python\nb\n```",
        Some("b\n"),
    );
    finds("```python\na\n```</think>print(1)", Some("print(1)"));
    finds("<think>```python\na\n```", None);
    finds("<think>a</think>", None);
    finds("<think>a</think>b</think> c", Some("c"));
    finds("```python\na\n```\n<think>\n```python\nb\n```", Some("a\n"));
    finds(
        "<think>a</think>\n```python\nb\n```\n<think>```python\nc\n```",
        Some("b\n"),
    );
}

#[test]
fn long_responses_take_linear_time() {
    const SIZE: usize = 2 << 20;
    for piece in [
        "```",
        "```\n",
        "```python\n",
        "~~~\n```\n",
        "`",
        "\n",
        "   ",
        "   ```py\n",
        "<think>",
        "</think>",
        "</think",
        "```python\na\n```\n",
        "```a`\n",
        "\u{a0}```",
        "{",
    ] {
        for prefix in ["", "```python\n", "```python"] {
            let response = prefix.to_owned() + &piece.repeat(SIZE / piece.len());
            let started = Instant::now();
            let _ = last_code_block(&response);
            assert!(
                started.elapsed() < Duration::from_secs(5),
                "{prefix:?} {piece:?}"
            );
        }
    }
}

fn response() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "```", "````", "~~~", "`", "python", "py", "cpp", "\n", "\n", "\r\n", " ", "   ", "a", "é",
        "<think>", "</think>", "{.", "\u{2028}",
    ]);
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_program_is_a_part_of_the_response_and_not_blank(response in response()) {
        if let Some(program) = last_code_block(&response) {
            prop_assert!(!program.trim().is_empty());
            match program {
                Cow::Borrowed(text) => prop_assert!(response.contains(text)),
                Cow::Owned(text) => {
                    let mut rest = response.chars();
                    prop_assert!(text.chars().all(|c| rest.any(|other| other == c)));
                }
            }
        }
    }

    #[test]
    fn any_program_arrives_as_it_is(before in response(), program in "([a-z =()]{1,10}\n){1,5}") {
        // Whatever stands before: closed here, and thought.
        let response = format!("{before}\n</think>\n```python\n{program}```\nDone.");
        let found = last_code_block(&response);
        let expected = (!program.trim().is_empty()).then_some(program.as_str());
        prop_assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn text_behind_a_block_changes_nothing(program in "[a-z]{1,10}\n", behind in "[a-z `\n]{0,40}") {
        let response = format!("```python\n{program}```\n{behind}");
        let found = last_code_block(&response);
        prop_assert_eq!(found.as_deref(), Some(program.as_str()));
    }
}
