//! Every estimator of this crate against every law: those it obeys, and no others.
#![cfg(feature = "proptest")]

#[path = "laws/alone.rs"]
mod alone;
#[path = "laws/formulas.rs"]
mod formulas;
#[path = "laws/halves.rs"]
mod halves;
#[path = "laws/special.rs"]
mod special;
#[path = "laws/strategies.rs"]
mod strategies;

use prime_advantage::AdvantageEstimator;
use prime_advantage::laws::{LawBroken, Laws};
use prime_advantage::strategies::BatchShape;

type Law = fn(&Laws, &dyn AdvantageEstimator) -> Result<(), LawBroken>;

/// Laws that some estimators obey and some do not.
const CONDITIONAL: [(&str, Law); 7] = [
    ("gaps", Laws::gaps),
    ("shift_invariance", Laws::shift_invariance),
    ("scale_equivariance", Laws::scale_equivariance),
    ("scale_invariance", Laws::scale_invariance),
    ("zero_variance", Laws::zero_variance),
    ("zero_mean", Laws::zero_mean),
    ("pair_antisymmetry", Laws::pair_antisymmetry),
];

/// An estimator with the conditional laws that it obeys.
type Row = (Box<dyn AdvantageEstimator>, &'static [&'static str]);

fn row(estimator: impl AdvantageEstimator + 'static, obeys: &'static [&'static str]) -> Row {
    (Box::new(estimator), obeys)
}

/// Whatever `PROPTEST_CASES` says: laws that are not obeyed have to be caught.
fn laws() -> Laws {
    Laws::default().with_cases(128)
}

/// Checks a table of estimators, and names every entry that is wrong.
fn check(rows: &[Row]) {
    let mut wrong = vec![];
    for (estimator, obeys) in rows {
        if let Err(broken) = laws().universal(estimator) {
            wrong.push(format!("{estimator:?}: {broken}"));
        }
        for (name, law) in CONDITIONAL {
            match (law(&laws(), estimator), obeys.contains(&name)) {
                (Ok(()), true) => {}
                // Broken by what it says of a batch, not by saying nothing.
                (Err(broken), false) if !broken.found().contains("it refuses") => {}
                (Err(broken), _) => wrong.push(format!("{estimator:?}: {broken}")),
                (Ok(()), false) => wrong.push(format!("{estimator:?} obeys `{name}`: list it")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The universal laws with other batches.
fn check_universal(estimators: &[Box<dyn AdvantageEstimator>], batches: &BatchShape) {
    let laws = laws().with_batches(batches.clone());
    for estimator in estimators {
        let verdict = laws.universal(estimator);
        verdict.unwrap_or_else(|broken| panic!("{estimator:?}: {broken}"));
    }
}
