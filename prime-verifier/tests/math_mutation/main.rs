//! Golds in the styles of the sets that people train on, and what becomes of them by one change.
//!
//! A near-miss differs in a digit, a sign, a bracket, an exponent, a letter, an end or a word: none is equal. A
//! respelling differs in layout: every one is equal. Changes that happen to say the same are listed beside the golds.
#![cfg(feature = "math")]

mod golds;
mod near;
mod respelled;

use prime_verifier::math::Extraction;
use prime_verifier::math::{MathPolicy, MathVerdict, MathVerifier};

fn graders() -> [(&'static str, MathVerifier); 2] {
    ["default", "strict"].map(|name| {
        let policy = MathPolicy::by_name(name).unwrap();
        (name, MathVerifier::new(Extraction::boxed(), policy))
    })
}

fn is_equal(verifier: &MathVerifier, answer: &str, gold: &str) -> bool {
    verifier.grade_answer(answer, &[gold]).comparison.verdict == MathVerdict::Equal
}

#[test]
fn every_gold_equals_itself() {
    for (name, verifier) in graders() {
        for (style, gold) in golds::all() {
            assert!(is_equal(&verifier, &gold, &gold), "{style}, {name}: {gold}");
        }
    }
}

#[test]
fn no_near_miss_is_equal() {
    let mut count = 0;
    let mut wrong = vec![];
    for (name, verifier) in graders() {
        for (style, gold) in golds::all() {
            for (change, answer) in near::misses(&gold) {
                count += 1;
                let same = golds::SAME.contains(&(gold.as_str(), answer.as_str()));
                if is_equal(&verifier, &answer, &gold) && !same {
                    wrong.push(format!("  {style}, {change}, {name}: {answer}  ~  {gold}"));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(count > 5000, "only {count} near-misses");
}

#[test]
fn every_respelling_is_equal() {
    let mut count = 0;
    let mut lost = vec![];
    for (name, verifier) in graders() {
        for (style, gold) in golds::all() {
            for (change, answer) in respelled::all(&gold) {
                count += 1;
                if !is_equal(&verifier, &answer, &gold) {
                    lost.push(format!("  {style}, {change}, {name}: {answer}  ~  {gold}"));
                }
            }
        }
    }
    assert!(
        lost.is_empty(),
        "{} of {count}:\n{}",
        lost.len(),
        lost.join("\n")
    );
    assert!(count > 2000, "only {count} respellings");
}

#[test]
fn a_part_of_a_gold_in_words_is_not_the_gold() {
    let (_, verifier) = &graders()[0];
    for (style, gold) in golds::all()
        .into_iter()
        .filter(|(style, _)| *style == "prose")
    {
        let passages: Vec<&str> = gold.split('$').skip(1).step_by(2).collect();
        let condition = golds::says_it_first(&gold);
        for passage in passages.iter().skip(usize::from(condition)) {
            assert!(
                !is_equal(verifier, passage, &gold),
                "{style}: {passage}  ~  {gold}"
            );
        }
        if condition {
            assert!(is_equal(verifier, passages[0], &gold), "{gold}");
        }
    }
}

#[test]
fn there_are_golds_and_changes_enough() {
    let golds = golds::all();
    assert!(golds.len() >= 250, "{}", golds.len());
    let kinds: std::collections::BTreeSet<&str> = golds
        .iter()
        .flat_map(|(_, gold)| near::misses(gold))
        .map(|(change, _)| change)
        .collect();
    assert_eq!(kinds.len(), 7, "{kinds:?}");
}
