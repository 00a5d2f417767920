//! A configuration file names its verifier, and every slip in it is an error.
#![cfg(feature = "math")]

use std::num::NonZeroUsize;

use prime_verifier::math::{Extraction, MathPolicy, Source};
use prime_verifier::{AnswerList, Mark, VerifierConfig, VerifierError};

fn parse(text: &str) -> Result<VerifierConfig, toml::de::Error> {
    toml::from_str(text)
}

#[test]
fn every_verifier_can_be_named() {
    let table = [
        ("verifier = 'exact_match'", "exact_match"),
        ("verifier = 'math'", "math"),
        ("verifier = 'math'\npolicy = 'strict'", "math"),
        (
            "verifier = 'math'\npolicy = { units = 'exact', rounding = { relative = { tolerance = 0.01 } } }",
            "math",
        ),
        (
            "verifier = 'math'\nextraction = { sources = ['boxed', 'last_value'], tail = 4096, strip_thinking = false }",
            "math",
        ),
        ("verifier = 'answer_list'\nmark = 'all'", "answer_list"),
        (
            "verifier = 'answer_list'\nmark = 'fraction'\nseparator = ';'",
            "answer_list",
        ),
        (
            "verifier = 'answer_list'\nmark = { pass_mark = 10 }",
            "answer_list",
        ),
    ];
    for (text, name) in table {
        let config = parse(text).unwrap();
        assert_eq!(config.build().unwrap().name(), name);
        assert_eq!(parse(&toml::to_string(&config).unwrap()).unwrap(), config);
    }
}

#[test]
fn the_separator_is_a_comma_unless_said() {
    let mark = Mark::PassMark(NonZeroUsize::new(10).unwrap());
    let config = parse("verifier = 'answer_list'\nmark = { pass_mark = 10 }").unwrap();
    assert_eq!(
        config,
        VerifierConfig::AnswerList {
            separator: ',',
            mark
        }
    );
}

#[test]
fn the_settings_of_the_maths_grader_arrive() {
    let extraction = |sources: &[Source]| Extraction::boxed().with_sources(sources.to_vec());
    let table = [
        ("", MathPolicy::default(), Extraction::boxed()),
        (
            "policy = 'default'",
            MathPolicy::default(),
            Extraction::boxed(),
        ),
        (
            "policy = 'strict'",
            MathPolicy::strict(),
            Extraction::boxed(),
        ),
        (
            "policy = 'math_verify_compat'",
            MathPolicy::math_verify_compat(),
            Extraction::boxed(),
        ),
        (
            "policy = 'prime_compat'",
            MathPolicy::prime_compat(),
            Extraction::boxed(),
        ),
        (
            "extraction = { sources = ['boxed', 'final_answer'] }",
            MathPolicy::default(),
            extraction(&[Source::Boxed, Source::FinalAnswer]),
        ),
        (
            "extraction = { sources = [] }",
            MathPolicy::default(),
            extraction(&[]),
        ),
    ];
    for (text, policy, extraction) in table {
        let config = parse(&format!("verifier = 'math'\n{text}")).unwrap();
        let expected = VerifierConfig::Math { policy, extraction };
        assert_eq!(config, expected, "{text:?}");
    }
}

#[test]
fn a_table_of_policy_fields_changes_those_only() {
    let config = parse("verifier = 'math'\npolicy = { drop_left_side = false }").unwrap();
    let VerifierConfig::Math { policy, .. } = config else {
        panic!("not the maths grader: {config:?}");
    };
    let mut expected = MathPolicy::default();
    expected.drop_left_side = false;
    assert_eq!(policy, expected);
}

#[test]
fn the_settings_reach_the_verdict() {
    let verdict = |settings: &str, response: &str, truth: &str| {
        let config = parse(&format!("verifier = 'math'\n{settings}")).unwrap();
        config.build().unwrap().verify(response, truth).score()
    };
    assert_eq!(verdict("", r"\boxed{x=5}", "5"), Some(1.0));
    assert_eq!(verdict("policy = 'strict'", r"\boxed{x=5}", "5"), Some(0.0));
    assert_eq!(verdict("", "The answer is 5.", "5"), Some(0.0));
    assert_eq!(
        verdict(
            "extraction = { sources = ['answer'] }",
            "The answer is 5.",
            "5"
        ),
        Some(1.0)
    );
}

#[test]
fn slips_are_errors() {
    for (text, named) in [
        ("verifier = 'boxed'", "boxed"),
        ("verifier = 'exact_match'\nmark = 'all'", "mark"),
        ("verifier = 'math'\ntolerance = 1", "tolerance"),
        ("verifier = 'math'\npolicy = 'lenient'", "lenient"),
        ("verifier = 'math'\npolicy = 'lenient'", "strict"),
        ("verifier = 'math'\npolicy = 3", "presets"),
        ("verifier = 'math'\npolicy = { unit = 'exact' }", "unit"),
        ("verifier = 'math'\npolicy = { units = 'some' }", "some"),
        (
            "verifier = 'math'\npolicy = { rounding = { absolute = { tolerance = 0.1, digits = 2 } } }",
            "digits",
        ),
        (
            "verifier = 'math'\nextraction = { sources = ['box'] }",
            "box",
        ),
        ("verifier = 'math'\nextraction = { source = [] }", "source"),
        ("verifier = 'answer_list'", "mark"),
        ("verifier = 'answer_list'\nmark = 'most'", "most"),
        (
            "verifier = 'answer_list'\nmark = { pass_mark = 0 }",
            "nonzero",
        ),
        (
            "verifier = 'answer_list'\nmark = 'all'\nseperator = ';'",
            "seperator",
        ),
    ] {
        let error = parse(text).expect_err(text).to_string();
        assert!(
            error.contains(named),
            "{text:?} gives {error:?}, which does not say {named:?}"
        );
    }
}

#[test]
fn a_separator_that_could_be_part_of_an_answer_is_refused() {
    for separator in ['1', 'x', '\\', '{', '}', '-', '.', '/', '+'] {
        assert_eq!(
            AnswerList::new(separator, Mark::All),
            Err(VerifierError::BadSeparator { separator })
        );
        assert!(
            VerifierConfig::AnswerList {
                separator,
                mark: Mark::All
            }
            .build()
            .is_err()
        );
    }
    for separator in [',', ';', '\n', ' ', '|'] {
        assert!(AnswerList::new(separator, Mark::All).is_ok());
    }
}
