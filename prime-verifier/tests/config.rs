//! A configuration file names its verifier, and every slip in it is an error.
#![cfg(feature = "math")]

use std::num::NonZeroUsize;

use prime_verifier::{AnswerList, Mark, VerifierConfig, VerifierError};

fn parse(text: &str) -> Result<VerifierConfig, toml::de::Error> {
    toml::from_str(text)
}

#[test]
fn every_verifier_can_be_named() {
    let table = [
        ("verifier = 'exact_match'", "exact_match"),
        ("verifier = 'boxed_answer'", "boxed_answer"),
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
fn slips_are_errors() {
    for (text, named) in [
        ("verifier = 'boxed'", "boxed"),
        ("verifier = 'exact_match'\nmark = 'all'", "mark"),
        ("verifier = 'boxed_answer'\ntolerance = 1", "tolerance"),
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
