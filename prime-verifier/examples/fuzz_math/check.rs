//! What must hold for every input.

use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use prime_verifier::math::{Answer, Extraction, MathPolicy, MathVerdict, MathVerifier, compare};

use crate::case::Case;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A call panicked.
    Panic,
    /// A call took too long, three times.
    Slow,
    /// Equal one way round only.
    Asymmetric,
    /// Not equal either way round, but for different reasons.
    AsymmetricReason,
    /// The same call, another verdict.
    Unsteady,
    /// Not equal to itself.
    Irreflexive,
    /// Not equal to itself behind a command for layout.
    Respelled,
    /// Equal for the strict policy and different for the default one.
    Stricter,
}

/// One way in which an input fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub kind: Kind,
    /// What violations of one cause may have in common.
    pub key: String,
    pub what: String,
}

impl Finding {
    pub fn is_like(&self, other: &Self) -> bool {
        self.kind == other.kind && self.key == other.key
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.what)
    }
}

pub struct Checker {
    limit: Duration,
    /// Grades each input once under the default policy, and compares no verdicts.
    once: bool,
    policies: Vec<(&'static str, MathPolicy, MathVerifier)>,
}

/// What one check came to.
#[derive(Default)]
pub struct Outcome {
    pub findings: Vec<Finding>,
    /// The verdict under the default policy.
    pub verdict: Option<MathVerdict>,
    pub slowest: (Duration, &'static str),
}

thread_local! {
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps the message and place of a panic instead of printing them.
pub fn catch_panics() {
    std::panic::set_hook(Box::new(|panic| {
        LAST_PANIC.with(|last| *last.borrow_mut() = panic.to_string());
    }));
}

impl Outcome {
    /// Runs and times one call.
    fn call<T>(&mut self, limit: Duration, name: &'static str, call: impl Fn() -> T) -> Option<T> {
        let start = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(&call));
        let mut took = start.elapsed();
        let Ok(value) = result else {
            let what = LAST_PANIC.with(|last| last.borrow().clone());
            let place = what.lines().next().unwrap_or_default().to_owned();
            self.finding(Kind::Panic, &place, format!("{name}: {what}"));
            return None;
        };
        if took > limit.min(self.slowest.0.max(limit / 50)) {
            // The machine may have been busy elsewhere.
            for _ in 0..3 {
                let start = Instant::now();
                drop(call());
                took = took.min(start.elapsed());
            }
        }
        if took > limit {
            self.finding(
                Kind::Slow,
                "",
                format!("{name}: {:.0} ms", took.as_secs_f64() * 1e3),
            );
        }
        if took > self.slowest.0 {
            self.slowest = (took, name);
        }
        Some(value)
    }

    fn finding(&mut self, kind: Kind, key: &str, what: String) {
        self.findings.push(Finding {
            kind,
            key: key.to_owned(),
            what,
        });
    }
}

impl Checker {
    pub fn new(limit: Duration, once: bool) -> Self {
        let policies = ["default", "strict", "math_verify_compat", "prime_compat"]
            .into_iter()
            .filter_map(|name| {
                let policy = MathPolicy::by_name(name)?;
                let verifier = MathVerifier::new(Extraction::anywhere(), policy.clone());
                Some((name, policy, verifier))
            })
            .collect();
        Self {
            limit,
            once,
            policies,
        }
    }

    pub fn check(&self, case: &Case) -> Outcome {
        let mut outcome = Outcome::default();
        let limit = self.limit;
        let (gold, answer) = (&*case.gold, &*case.answer);
        if self.once {
            if let Some((_, _, verifier)) = self.policies.first() {
                let grade = || verifier.grade(&case.response, &[gold]).comparison.verdict;
                outcome.verdict = outcome.call(limit, "grade", grade);
            }
            return outcome;
        }
        for text in [gold, answer] {
            outcome.call(limit, "read and display", || {
                let read = Answer::read(text);
                (read.to_string().len(), read.kind())
            });
        }
        let mut verdicts = vec![];
        for (name, policy, verifier) in &self.policies {
            outcome.call(limit, "grade", || verifier.grade(&case.response, &[gold]));
            let verdict = |a: &str, b: &str| compare(a, b, policy).verdict;
            let Some(there) = outcome.call(limit, "compare", || verdict(gold, answer)) else {
                continue;
            };
            verdicts.push(there);
            if let Some(back) = outcome.call(limit, "compare back", || verdict(answer, gold)) {
                symmetric(&mut outcome, name, there, back);
            }
            if *name != "default" {
                continue;
            }
            if let Some(again) = outcome.call(limit, "compare again", || verdict(gold, answer))
                && again != there
            {
                outcome.finding(
                    Kind::Unsteady,
                    "",
                    format!("{name}: {there:?}, then {again:?}"),
                );
            }
            for text in [gold, answer] {
                reflexive(&mut outcome, limit, text, &verdict);
            }
        }
        outcome.verdict = verdicts.first().copied();
        if let [MathVerdict::NotEqual, MathVerdict::Equal, ..] = *verdicts {
            outcome.finding(
                Kind::Stricter,
                "",
                "equal for strict, different for default".into(),
            );
        }
        outcome
    }
}

fn symmetric(outcome: &mut Outcome, name: &str, there: MathVerdict, back: MathVerdict) {
    // Only the answer's side can be missing.
    if there == back || [there, back].contains(&MathVerdict::NoAnswer) {
        return;
    }
    let kind = if [there, back].contains(&MathVerdict::Equal) {
        Kind::Asymmetric
    } else {
        Kind::AsymmetricReason
    };
    outcome.finding(kind, name, format!("{name}: {there:?}, back {back:?}"));
}

fn reflexive(
    outcome: &mut Outcome,
    limit: Duration,
    text: &str,
    verdict: &dyn Fn(&str, &str) -> MathVerdict,
) {
    let Some(own) = outcome.call(limit, "compare with itself", || verdict(text, text)) else {
        return;
    };
    if own == MathVerdict::NoAnswer {
        return;
    }
    if own != MathVerdict::Equal {
        outcome.finding(Kind::Irreflexive, "", format!("{own:?}"));
    }
    // The same tree from another text: equality of texts cannot decide.
    let respelled = format!(r"\displaystyle {text}");
    let other = outcome.call(limit, "compare with itself respelled", || {
        verdict(text, &respelled)
    });
    if other == Some(MathVerdict::NotEqual) {
        outcome.finding(Kind::Respelled, "", format!("{respelled:?}"));
    }
}
