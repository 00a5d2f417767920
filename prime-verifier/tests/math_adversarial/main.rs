//! Denial of service, near-coincidences, injections: each with the verdict it deserves and a limit on its time.
//!
//! The cases are generated, so that a text of a megabyte is a line here.
#![cfg(feature = "math")]

mod coincidences;
mod extraction;
mod malformed;
mod nesting;
mod sizes;

use std::time::{Duration, Instant};

use prime_verifier::math::{MathPolicy, MathVerdict, compare};

/// What may come of a case.
#[derive(Clone, Copy, PartialEq)]
enum Want {
    Equal,
    NotEqual,
    /// Not equal, whether or not it can be read.
    Unequal,
    /// Equal in truth, and possibly beyond the bounds.
    EqualOrOpen,
    /// Nothing in particular, soon.
    Any,
}

impl Want {
    fn allows(self, verdict: MathVerdict) -> bool {
        match self {
            Self::Equal => verdict == MathVerdict::Equal,
            Self::NotEqual => verdict == MathVerdict::NotEqual,
            Self::Unequal => verdict != MathVerdict::Equal,
            Self::EqualOrOpen => verdict != MathVerdict::NotEqual,
            Self::Any => true,
        }
    }
}

/// What one comparison may take. The default budget is some 15 ms of work; the rest is for a busy machine.
const LIMIT: Duration = Duration::from_millis(200);

struct Case {
    name: String,
    gold: String,
    answer: String,
    want: Want,
}

fn case(
    name: impl Into<String>,
    gold: impl Into<String>,
    answer: impl Into<String>,
    want: Want,
) -> Case {
    Case {
        name: name.into(),
        gold: gold.into(),
        answer: answer.into(),
        want,
    }
}

/// All of them, in both orders, under the default policy and the one with the widest tolerances.
fn check(cases: &[Case]) {
    let mut failures = vec![];
    let policies = [MathPolicy::default(), MathPolicy::prime_compat()];
    for Case {
        name,
        gold,
        answer,
        want,
    } in cases
    {
        for (gold, answer) in [(gold, answer), (answer, gold)] {
            for (index, policy) in policies.iter().enumerate() {
                let (verdict, took) = timed(|| compare(gold, answer, policy).verdict);
                if took > LIMIT {
                    failures.push(format!("  {name}: took {took:?}"));
                }
                // The second policy is there for its time: it calls much equal that is only close.
                if index == 0 && !want.allows(verdict) {
                    let ends = |text: &str| text.chars().take(60).collect::<String>();
                    failures.push(format!(
                        "  {name}: {verdict:?} for {} ~ {}",
                        ends(gold),
                        ends(answer)
                    ));
                }
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// A result and the best time of up to three.
fn timed<T>(work: impl Fn() -> T) -> (T, Duration) {
    let once = || {
        let started = Instant::now();
        (work(), started.elapsed())
    };
    let (result, mut best) = once();
    for _ in 0..2 {
        if best > LIMIT {
            best = best.min(once().1);
        }
    }
    (result, best)
}

/// Numbers that look random and are the same in every run.
struct Stream(u64);

impl Stream {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
