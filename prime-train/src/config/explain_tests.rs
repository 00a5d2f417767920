//! Every key in words.

use super::*;
use crate::error::ConfigError;

#[test]
fn every_key_has_a_meaning_and_every_word_is_taken() {
    let base = write::encode(&Config::base()).unwrap();
    let known: Vec<&str> = docs::keys().map(|key| key.key.as_str()).collect();
    for (key, _) in tables::leaves(&base) {
        assert!(known.contains(&key.as_str()), "{key} is not documented");
    }
    for key in docs::keys() {
        assert!(!key.about.is_empty(), "{}", key.key);
        for (word, about) in &key.words {
            assert!(!about.is_empty(), "{} {word}", key.key);
            let error = resolve(&[Layer::set(&format!("{}={word}", key.key)).unwrap()]).err();
            let refused = matches!(error, Some(ConfigError::WrongType { .. }));
            assert!(!refused, "{} = {word}: {error:?}", key.key);
        }
    }
    for section in docs::sections() {
        assert!(!section.about.is_empty(), "[{}]", section.name);
    }
}

#[test]
fn the_page_of_all_keys_is_what_the_program_says() {
    let written = include_str!("../../CONFIG.md");
    let page = page().unwrap();
    assert!(
        page == written,
        "prime-train/CONFIG.md is out of date: cargo xtask config --markdown > prime-train/CONFIG.md"
    );
}

#[test]
fn a_key_or_a_section_is_explained() {
    let lr = explain("rl.lr").unwrap();
    for part in [
        "Policy learning rate",
        "a number",
        "1e-4",
        "prime 3e-4",
        "prime_full 1e-6",
    ] {
        assert!(lr.contains(part), "{part} in\n{lr}");
    }
    let estimator = explain("advantage.estimator").unwrap();
    assert!(
        estimator.contains("reinforce_plus_plus_baseline"),
        "{estimator}"
    );
    assert!(
        explain("rl.gspo.clip_ratio_low")
            .unwrap()
            .contains("read with rl.objective = \"gspo\" only")
    );
    for section in ["rl", "[prm]", "rl.gspo"] {
        assert!(explain(section).unwrap().contains("default"), "{section}");
    }
    let slip = explain("rl.lrr").unwrap_err().to_string();
    assert!(slip.contains("did you mean `rl.lr`?"), "{slip}");
    let all = list().unwrap();
    assert_eq!(all.lines().count(), docs::keys().count());
    assert!(
        all.lines()
            .all(|line| line.contains(" = ") && line.contains("# "))
    );
}
