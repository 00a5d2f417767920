//! Pairs of answers by topic: what is the same in another spelling, and what only looks like it.
//!
//! Every pair is compared in both orders, and all rows of a table that fail are named at once.
#![cfg(feature = "math")]

mod fragments;
mod functions;
mod numbers;
mod powers;
mod statements;
mod structures;
mod words;

use prime_verifier::math::{MathPolicy, MathVerdict, compare};

type Pairs<'t> = &'t [(&'t str, &'t str)];

/// Mathematics: equal under every preset.
fn always(pairs: Pairs<'_>) {
    check(pairs, "equal", &MathPolicy::NAMES, |verdict| {
        verdict == MathVerdict::Equal
    });
}

/// Conventions of writing: equal under the default policy.
fn equal(pairs: Pairs<'_>) {
    check(pairs, "equal", &["default"], |verdict| {
        verdict == MathVerdict::Equal
    });
}

/// Both sides are understood and say different things, also to a lenient reader. (The presets that imitate other
/// graders have tolerances, which some of these pairs are within.)
fn different(pairs: Pairs<'_>) {
    check(pairs, "different", &["strict", "default"], |verdict| {
        verdict == MathVerdict::NotEqual
    });
}

/// Equal to no reader, understood or not.
fn never(pairs: Pairs<'_>) {
    check(pairs, "anything but equal", &MathPolicy::NAMES, |verdict| {
        verdict != MathVerdict::Equal
    });
}

fn check(pairs: Pairs<'_>, wanted: &str, policies: &[&str], holds: impl Fn(MathVerdict) -> bool) {
    let mut failures = vec![];
    for name in policies {
        let policy = MathPolicy::by_name(name).unwrap();
        for &(left, right) in pairs {
            for (gold, answer) in [(left, right), (right, left)] {
                let comparison = compare(gold, answer, &policy);
                if !holds(comparison.verdict) {
                    failures.push(format!(
                        "  {gold}  ~  {answer}: {:?} under {name}, read as {} ~ {}",
                        comparison.verdict, comparison.gold, comparison.answer
                    ));
                }
            }
        }
    }
    assert!(
        failures.is_empty(),
        "wanted {wanted}:\n{}",
        failures.join("\n")
    );
}
