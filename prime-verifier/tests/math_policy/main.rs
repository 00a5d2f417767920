//! Each field of a policy decides what its documentation says, and nothing else.
#![cfg(feature = "math")]

mod fields;
mod readme;

use prime_verifier::math::{MathPolicy, compare};

fn equal(gold: &str, answer: &str, policy: &MathPolicy) -> bool {
    compare(gold, answer, policy).is_equal()
}

#[test]
fn presets_have_names() {
    let presets = [
        MathPolicy::default(),
        MathPolicy::strict(),
        MathPolicy::math_verify_compat(),
        MathPolicy::prime_compat(),
    ];
    for (name, preset) in MathPolicy::NAMES.into_iter().zip(presets) {
        assert_eq!(MathPolicy::by_name(name), Some(preset), "{name}");
    }
    assert_eq!(MathPolicy::by_name("lenient"), None);
}

#[test]
fn a_policy_survives_a_file() {
    for name in MathPolicy::NAMES {
        let policy = MathPolicy::by_name(name).unwrap();
        let text = toml::to_string(&policy).unwrap();
        assert_eq!(
            toml::from_str::<MathPolicy>(&text).unwrap(),
            policy,
            "{text}"
        );
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(
            serde_json::from_str::<MathPolicy>(&text).unwrap(),
            policy,
            "{text}"
        );
    }
}
