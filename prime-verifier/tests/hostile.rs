//! No text makes a verifier panic, overflow the stack or take its time.
#![cfg(feature = "math")]

use std::time::{Duration, Instant};

use prime_verifier::math::{Extraction, MathPolicy, MathVerifier, compare};
use prime_verifier::{AnswerList, ExactMatch, Mark, Verifier};
use proptest::prelude::*;

fn verifiers() -> [Box<dyn Verifier>; 4] {
    // Nothing is cut off, so that every search sees the whole text.
    let mut everything = Extraction::anywhere();
    everything.tail = usize::MAX;
    [
        Box::new(ExactMatch),
        Box::new(MathVerifier::default()),
        Box::new(MathVerifier::new(everything, MathPolicy::default())),
        Box::new(AnswerList::new(',', Mark::Fraction).unwrap()),
    ]
}

/// Far above what linear work takes, far below what quadratic work on megabytes would.
const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn megabytes_of_anything_are_judged_in_linear_time() {
    const SIZE: usize = 2 << 20;
    let filled = |piece: &str| piece.repeat(SIZE / piece.len());
    let mut texts: Vec<String> = [
        "{",
        "}",
        "{}",
        "\\",
        "\\{",
        r"\boxed",
        r"\boxed{",
        r"\boxed{}",
        r"\\boxed{",
        r"\fbox {",
        "\\boxed ",
        ",",
        "9",
        "9,",
        ",999",
        "0.",
        "/",
        "-",
        "$",
        r"\frac",
        r"\frac{",
        "e9",
        "é",
        "\u{0}",
        " ",
        "$ ",
        r"\( $",
        "**",
        "answer is ",
        "final answer: ",
        "the answer",
        "<think>",
        "</think>",
        "A ",
        "1/",
        "1 000 ",
        "\n\n$",
    ]
    .into_iter()
    .map(filled)
    .collect();
    texts.push(format!("{}{}", filled(r"\boxed{"), filled("}")));
    texts.push(format!(r"\boxed{}{}", filled(" "), filled("{")));
    texts.push(format!(r"\boxed{{{}}}", filled("9")));
    for text in &texts {
        let named: String = text.chars().take(12).collect();
        for verifier in verifiers() {
            let started = Instant::now();
            verifier.verify(text, "1,2");
            verifier.verify("1,2", text);
            verifier.verify(text, "12");
            verifier.verify(text, text);
            assert!(
                started.elapsed() < PATIENCE,
                "{} on {named}…: {:?}",
                verifier.name(),
                started.elapsed()
            );
        }
    }
}

#[test]
fn the_longest_numbers_compare_quickly() {
    let nines = "9".repeat(2000);
    let fraction = format!(
        r"\frac{{{nines}e1200}}{{{nines}.{nines}e-1200}}",
        nines = &nines[..1300]
    );
    let policy = MathPolicy::default();
    let started = Instant::now();
    // Another spelling, so that the texts alone do not settle it.
    let respelled = fraction.replace(r"\frac", r"\dfrac 1{1}\cdot\frac");
    assert!(compare(&fraction, &respelled, &policy).is_equal());
    assert!(!compare(&fraction, &format!("{nines}/7"), &policy).is_equal());
    assert!(
        started.elapsed() < Duration::from_millis(500),
        "{:?}",
        started.elapsed()
    );
}

fn soup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "\\",
        "boxed",
        r"\boxed{",
        r"\fbox",
        "{",
        "}",
        r"\frac",
        r"\dfrac{",
        "$",
        "$$",
        r"\(",
        ",",
        ",\\!",
        "{,}",
        ".",
        "/",
        "-",
        "−",
        "+",
        "e",
        "E9",
        "0",
        "1",
        "999",
        " ",
        "\n",
        "é",
        "𝟙",
        "\u{0}",
        "%",
        "^",
        "_",
        r"\sqrt[",
        r"\begin{cases}",
        r"\end{cases}",
        r"\sum_{",
        r"\int_0^1 ",
        "x",
        "<",
        "=",
        "(",
        "[",
        ")",
        r"\{",
        r"\pm",
        "!",
        "**",
        "answer is ",
        "<think>",
        "</think>",
    ]);
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_panics(response in prop_oneof![soup(), any::<String>()], truth in prop_oneof![soup(), any::<String>()]) {
        for verifier in verifiers() {
            let verdict = verifier.verify(&response, &truth);
            prop_assert!(verdict.score().is_none_or(|score| (0.0..=1.0).contains(&score)));
        }
        compare(&truth, &response, &MathPolicy::default());
        compare(&truth, &response, &MathPolicy::prime_compat());
    }
}

/// Shapes that a careless reader reads twice on every level, or an evaluator evaluates once for every item.
#[test]
fn nesting_and_length_cost_no_more_than_their_size() {
    let policy = MathPolicy::default();
    let deep = |open: &str, inner: &str, close: &str| {
        format!("{}{inner}{}", open.repeat(60), close.repeat(60))
    };
    let numbers = ["11"; 900].join(",");
    let texts = [
        deep(r"\frac{d}{dt}", "t", ""),
        deep(r"\frac{d ", "y", "}{dt}"),
        deep(r"1\frac{1", "", "}{2}"),
        deep("f^{", "-1", "}(x)"),
        deep(r"\lfloor x_ ", "1", ""),
        deep(r"\frac1", r"\int_{", ""),
        deep(r"\lim_{x \to 0} \frac1x ", "x", ""),
        deep(r"\sum_{k=1}^{2} ", "k", ""),
        deep("2^{", "x", "}"),
        deep("5%", "", "%"),
        r"\begin{pmatrix} 2 & x \\ 1 & 0 \end{pmatrix}".repeat(60),
        format!(r"\sqrt[999]{{{}}}", "9".repeat(4000)),
        format!(r"\sqrt[7]{{{}}}", "7".repeat(6000)),
        format!(r"\max({numbers})"),
        format!(r"\gcd({numbers})"),
        numbers,
        "1 m ".repeat(1500),
        "\\mathbb{Z\u{222a}".to_owned(),
    ];
    for text in &texts {
        for other in &texts {
            let best = (0..3)
                .map(|_| {
                    let started = Instant::now();
                    let _ = compare(text, other, &policy);
                    started.elapsed()
                })
                .min();
            let named: String = text.chars().take(30).collect();
            assert!(
                best < Some(Duration::from_millis(200)),
                "{named}…: {best:?}"
            );
        }
    }
}
