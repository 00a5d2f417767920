//! Responses made of thousands of marks: searched in time, and not fooled about where the answer is.

use prime_verifier::math::{Extraction, MathPolicy, MathVerdict, MathVerifier, Source};

use super::{LIMIT, timed};

/// A search of the whole text, whatever its length.
fn everywhere() -> Extraction {
    let mut extraction = Extraction::anywhere();
    extraction.tail = usize::MAX;
    extraction
}

#[test]
fn thousands_of_marks() {
    const TIMES: usize = 5000;
    let pieces = [
        r"\boxed{",
        r"\boxed{}",
        r"\boxed{1}",
        r"\boxed{1}, ",
        r"\boxed{1} and ",
        r"\fbox{\boxed{1}} ",
        "}",
        "{",
        "\\",
        "$",
        "$$",
        "$ ",
        "$1$ ",
        "$1$, ",
        "$\n\n",
        r"\(",
        r"\)",
        r"\( $",
        r"\[ \(",
        "**",
        "**1** ",
        "**a:** ",
        "answer is ",
        "answer ",
        "the answer is: ",
        "final answer is ",
        "final answer: 1 ",
        "answer is $",
        "solution = ",
        "result",
        "is is is ",
        "<think>",
        "</think>",
        "<think></think>",
        "1 ",
        "1,",
        "1/",
        "1 000 ",
        "-",
        "1.",
        "A",
        "A ",
        "(A) ",
        "1st ",
        "a1",
        "é",
        "\u{0}",
        "\n",
    ];
    let verifier = MathVerifier::new(everywhere(), MathPolicy::default());
    let mut failures = vec![];
    for piece in pieces {
        let many = piece.repeat(TIMES);
        for text in [
            many.clone(),
            format!(r"{many} \boxed{{5}}"),
            format!(r"\boxed{{5}} {many}"),
            format!("The answer is {many}"),
            format!("{many} so the final answer is 5."),
        ] {
            for gold in ["12345", "B"] {
                let (grade, took) = timed(|| verifier.grade(&text, &[gold]));
                let start: String = text.chars().take(40).collect();
                if took > LIMIT {
                    failures.push(format!("  {start}… × {TIMES}: took {took:?}"));
                }
                if grade.comparison.verdict == MathVerdict::Equal {
                    failures.push(format!("  {start}…: equal to {gold}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn a_box_behind_megabytes_is_found_and_one_beyond_the_tail_is_not() {
    let filler = "nothing to see here ".repeat(100_000);
    let verifier = MathVerifier::default();
    let verdict = |text: &str| timed(|| verifier.grade(text, &["5"]).comparison.verdict);
    let (found, took) = verdict(&format!(r"{filler}\boxed{{5}}"));
    assert_eq!(found, MathVerdict::Equal);
    assert!(took < LIMIT, "{took:?}");
    let (lost, took) = verdict(&format!(r"\boxed{{5}}{filler}"));
    assert_eq!(lost, MathVerdict::NoAnswer);
    assert!(took < LIMIT, "{took:?}");
}

#[test]
fn a_tail_that_begins_inside_a_character_is_cut_at_one() {
    for tail in 0..20 {
        let mut extraction = Extraction::anywhere();
        extraction.tail = tail;
        extraction.find("ééé→→→ \u{10ffff} 5 €");
    }
}

#[test]
fn spans_point_into_the_response() {
    let texts = [
        r"é <think>\boxed{1}</think> → \boxed{2}, \boxed{3} ü",
        "→ The final answer is: é5ü.",
        "é **7** é",
        "ü $x$, $y$ ü",
        "é 12,345 € é",
    ];
    for text in texts {
        for source in Source::ALL {
            if let Some(found) = everywhere().with_sources([source]).find(text) {
                let piece = text.get(found.span.clone());
                assert!(
                    piece.is_some_and(|piece| {
                        found.text.split(", ").all(|part| piece.contains(part))
                    }),
                    "{found:?} in {text:?}"
                );
            }
        }
    }
}
