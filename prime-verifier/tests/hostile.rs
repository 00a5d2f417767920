//! No text makes a verifier panic, overflow the stack or take its time.
#![cfg(feature = "math")]

use std::time::{Duration, Instant};

use prime_verifier::math::Rational;
use prime_verifier::{AnswerList, BoxedAnswer, ExactMatch, Mark, Verifier};
use proptest::prelude::*;

fn verifiers() -> [Box<dyn Verifier>; 3] {
    [
        Box::new(ExactMatch),
        Box::new(BoxedAnswer),
        Box::new(AnswerList::new(',', Mark::Fraction).unwrap()),
    ]
}

/// Far above what linear work takes, far below what quadratic work on megabytes would.
const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn megabytes_of_anything_are_judged_in_linear_time() {
    const SIZE: usize = 4 << 20;
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
        r"\frac{{{nines}e4096}}{{{nines}.{nines}e-4096}}",
        nines = &nines[..1300]
    );
    let started = Instant::now();
    let (left, right) = (
        Rational::parse(&fraction).unwrap(),
        Rational::parse(&format!("{nines}/7")).unwrap(),
    );
    assert!(left == left.clone() && left != right);
    assert!(
        started.elapsed() < Duration::from_millis(500),
        "{:?}",
        started.elapsed()
    );
}

fn soup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "\\", "boxed", r"\boxed{", r"\fbox", "{", "}", r"\frac", r"\dfrac{", "$", "$$", r"\(", ",",
        ",\\!", "{,}", ".", "/", "-", "−", "+", "e", "E9", "0", "1", "999", " ", "\n", "é", "𝟙",
        "\u{0}", "%",
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
        let _ = Rational::parse(&response);
    }
}
