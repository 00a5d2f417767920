//! Each law against estimators that are broken on purpose: it catches them, the other
//! laws that the whole estimator obeys do not, and it lets the whole one pass.
#![cfg(feature = "proptest")]

#[path = "broken_estimators/critics.rs"]
mod critics;
#[path = "broken_estimators/messages.rs"]
mod messages;
#[path = "broken_estimators/scores.rs"]
mod scores;
#[path = "broken_estimators/wrappers.rs"]
mod wrappers;

use std::collections::BTreeMap;
use std::sync::Mutex;

use prime_advantage::AdvantageEstimator;
use prime_advantage::laws::{LawBroken, Laws};

type Law = fn(&Laws, &dyn AdvantageEstimator) -> Result<(), LawBroken>;

const LAWS: [(&str, Law); 17] = [
    ("shape", Laws::shape),
    ("determinism", Laws::determinism),
    ("permutation", Laws::permutation),
    ("group_permutation", Laws::group_permutation),
    ("masked_tokens", Laws::masked_tokens),
    ("padding", Laws::padding),
    ("process_only", Laws::process_only),
    ("finite", Laws::finite),
    ("gaps", Laws::gaps),
    ("shift_invariance", Laws::shift_invariance),
    ("scale_equivariance", Laws::scale_equivariance),
    ("scale_invariance", Laws::scale_invariance),
    ("zero_variance", Laws::zero_variance),
    ("zero_mean", Laws::zero_mean),
    ("pair_antisymmetry", Laws::pair_antisymmetry),
    ("gae_lambda_one(0.9)", |laws, e| laws.gae_lambda_one(e, 0.9)),
    ("gae_lambda_zero(0.9)", |laws, e| {
        laws.gae_lambda_zero(e, 0.9)
    }),
];

/// Whatever `PROPTEST_CASES` says: a law that sees one batch catches little.
fn laws() -> Laws {
    Laws::default().with_cases(256)
}

/// The laws an estimator breaks, with what they say.
fn broken_by(estimator: &dyn AdvantageEstimator) -> Vec<(&'static str, LawBroken)> {
    let verdicts = LAWS.map(|(name, law)| (name, law(&laws(), estimator)));
    let broken = verdicts.into_iter();
    broken
        .filter_map(|(name, verdict)| Some((name, verdict.err()?)))
        .collect()
}

/// The laws that a whole estimator does not obey; most tests ask about the same one.
fn not_for(whole: &dyn AdvantageEstimator) -> Vec<&'static str> {
    static KNOWN: Mutex<BTreeMap<String, Vec<&'static str>>> = Mutex::new(BTreeMap::new());
    let key = format!("{whole:?}");
    if let Some(known) = KNOWN.lock().unwrap().get(&key) {
        return known.clone();
    }
    let names: Vec<_> = broken_by(whole).into_iter().map(|(name, _)| name).collect();
    KNOWN.lock().unwrap().insert(key, names.clone());
    names
}

/// Checks that `broken` breaks exactly the named laws of all those that `whole` obeys.
fn breaks_only(whole: &dyn AdvantageEstimator, broken: &dyn AdvantageEstimator, names: &[&str]) {
    let not_for_whole = not_for(whole);
    for name in names {
        assert!(
            !not_for_whole.contains(name),
            "{whole:?} does not obey `{name}`, so that breaking it shows nothing"
        );
    }
    let mut found = vec![];
    for (name, law) in broken_by(broken) {
        if not_for_whole.contains(&name) {
            continue;
        }
        let text = law.to_string();
        let short = name.split('(').next().unwrap_or(name);
        assert!(text.contains(&format!("`{short}`")), "{text}");
        assert!(text.contains(&format!("`{}`", broken.name())), "{text}");
        assert!(text.contains("counterexample: {"), "{text}");
        found.push((name, text));
    }
    let found_names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
    let texts: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(found_names, names, "{broken:?}: {}", texts.join("\n"));
}
