//! The last whole outer box is found, against a slow search by the definition.
#![cfg(feature = "math")]

use std::ops::Range;

use prime_verifier::math::last_boxed;
use proptest::prelude::*;

#[test]
fn finds_the_last_whole_box() {
    let table = [
        (r"\boxed{5}", Some("5")),
        (r"\boxed{1} then \boxed{2}.", Some("2")),
        (r"\fbox{7}", Some("7")),
        (r"\boxed{1} \fbox{2}", Some("2")),
        (r"\boxed {8}", Some("8")),
        (r"\boxed{\frac{1}{2}}", Some(r"\frac{1}{2}")),
        (r"\boxed{a{b{c}d}e}}}", Some("a{b{c}d}e")),
        (r"\boxed{\boxed{3}}", Some(r"\boxed{3}")),
        (r"\boxed{x=\boxed{3}+1}", Some(r"x=\boxed{3}+1")),
        (
            r"\boxed{1} \fbox{\boxed{2} or \boxed{3}}",
            Some(r"\boxed{2} or \boxed{3}"),
        ),
        (r"\boxed{\boxed{3}} \boxed{4}", Some("4")),
        (r"\boxed{\boxed{3}, \boxed{4}", Some("4")),
        (r"\boxed{4} and \boxed{5", Some("4")),
        (r"\boxed{4 and \boxed{5}", Some("5")),
        (r"{{{ \boxed{6}", Some("6")),
        (r"}}} \boxed{6}", Some("6")),
        (r"\boxed{\{1,2\}}", Some(r"\{1,2\}")),
        (r"\boxed{\{}", Some(r"\{")),
        (r"\\boxed{9}", Some("9")),
        (r"\\\boxed{9}", Some("9")),
        (r"\boxed{}", Some("")),
        (r"\boxed{é→ü}", Some("é→ü")),
        (r"\boxed{4\}", None),
        (r"\boxed 5", Some("5")),
        (r"\boxedx{5}", None),
        (r"boxed{5}", None),
        (r"\boxed", None),
        (r"\", None),
        ("", None),
    ];
    for (text, content) in table {
        assert_eq!(
            last_boxed(text).map(|found| found.content),
            content,
            "in {text:?}"
        );
    }
}

#[test]
fn the_span_covers_the_box() {
    let text = r"é \boxed { 5 } x";
    let found = last_boxed(text).unwrap();
    assert_eq!(&text[found.span.clone()], r"\boxed { 5 }");
    assert_eq!(found.span, 3..15);
    assert_eq!(found.content, " 5 ");
}

/// The definition, word for word: of all closed boxes that stand in no other closed box, the last.
fn by_definition(text: &str) -> Option<&str> {
    let closed: Vec<Range<usize>> = (0..text.len())
        .filter(|&at| text.is_char_boundary(at))
        .filter_map(|at| Some(at..at + closing_brace(&text[at..])?))
        .collect();
    let within = |inner: &Range<usize>, outer: &Range<usize>| {
        outer.start < inner.start && inner.end < outer.end
    };
    let last = closed
        .iter()
        .rfind(|inner| !closed.iter().any(|outer| within(inner, outer)))?;
    let opening = text[last.start..].find('{')?;
    Some(&text[last.start + opening + 1..last.end])
}

/// Where the box that `text` begins with is closed.
fn closing_brace(text: &str) -> Option<usize> {
    let rest = [r"\boxed", r"\fbox"]
        .into_iter()
        .find_map(|name| text.strip_prefix(name))?;
    let inner = rest
        .trim_start_matches(|c: char| c.is_ascii_whitespace())
        .strip_prefix('{')?;
    let mut depth = 1;
    let mut escaped = false;
    for (end, character) in inner.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match character {
            '\\' => escaped = true,
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(text.len() - inner.len() + end);
        }
    }
    None
}

fn latex() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        r"\boxed{",
        r"\fbox{",
        r"\boxed {",
        "{",
        "}",
        "}",
        "}",
        r"\{",
        r"\}",
        "5",
        "é",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn agrees_with_the_definition(text in latex()) {
        prop_assert_eq!(last_boxed(&text).map(|found| found.content), by_definition(&text));
    }

    #[test]
    fn a_box_is_found_whatever_stands_before_it(before in "[^\\\\]*", content in "[a-z0-9]{0,5}") {
        let text = format!(r"{before}\boxed{{{content}}}");
        prop_assert_eq!(last_boxed(&text).map(|found| found.content), Some(content.as_str()));
    }
}
