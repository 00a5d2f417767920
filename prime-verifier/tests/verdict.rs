//! Scores stay in range, could-not-judge has no score, and verdicts survive JSON.

use prime_verifier::{
    Detail, ExactMatch, FnVerifier, Judgement, Score, Verdict, Verifier, VerifierConfig,
    VerifierError,
};

#[test]
fn a_score_is_a_number_from_zero_to_one() {
    for score in [0.0, 0.25, 1.0] {
        assert_eq!(Score::new(score).map(Score::get), Ok(score));
    }
    for score in [-0.001, 1.001, f32::INFINITY, f32::NEG_INFINITY] {
        assert_eq!(
            Score::new(score),
            Err(VerifierError::ScoreOutOfRange { score })
        );
    }
    assert!(Score::new(f32::NAN).is_err());
    assert!(serde_json::from_str::<Score>("2.0").is_err());
}

#[test]
fn could_not_judge_is_neither_right_nor_wrong_nor_zero() {
    let verdict = Verdict::could_not_judge("no ground truth");
    assert_eq!(
        (verdict.score(), verdict.is_correct(), verdict.steps()),
        (None, None, None)
    );
}

#[test]
fn only_the_full_score_is_correct() {
    let verdict = |score| Verdict::judged(Score::new(score).unwrap(), Detail::Compared);
    assert_eq!(verdict(1.0).is_correct(), Some(true));
    assert_eq!(verdict(0.99).is_correct(), Some(false));
    assert_eq!(verdict(0.99).score(), Some(0.99));
}

#[test]
fn json_is_flat_and_survives_the_round_trip() {
    let judged = Verdict::Judged(Judgement {
        score: Score::new(0.5).unwrap(),
        detail: Detail::WrongCount {
            found: 1,
            expected: 2,
        },
        steps: Some(vec![true, false]),
    });
    let text = serde_json::to_string(&judged).unwrap();
    let expected = r#"{"verdict":"judged","score":0.5,"detail":{"wrong_count":{"found":1,"expected":2}},"steps":[true,false]}"#;
    assert_eq!(text, expected);
    for verdict in [
        judged,
        Verdict::compared(true),
        Verdict::could_not_judge("x"),
    ] {
        let text = serde_json::to_string(&verdict).unwrap();
        assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), verdict);
    }
}

#[test]
fn exact_match_trims_and_nothing_else() {
    let table = [
        (" 42\n", "42", Some(1.0)),
        ("42.0", "42", Some(0.0)),
        ("Yes", "yes", Some(0.0)),
        ("a  b", "a b", Some(0.0)),
        ("", "42", Some(0.0)),
        ("", " ", None),
        ("42", "", None),
    ];
    for (response, truth, score) in table {
        assert_eq!(
            ExactMatch.verify(response, truth).score(),
            score,
            "{response:?} against {truth:?}"
        );
    }
    assert_eq!(
        ExactMatch.verify(" ", "42").judgement().unwrap().detail,
        Detail::NoAnswer
    );
}

#[test]
fn a_closure_gets_both_texts_in_order() {
    let prefix = FnVerifier::new("prefix", |response: &str, truth: &str| {
        Verdict::compared(response.starts_with(truth))
    });
    let boxed: Box<dyn Verifier> = Box::new(prefix);
    assert_eq!(boxed.name(), "prefix");
    assert_eq!(boxed.verify("abc", "ab").is_correct(), Some(true));
    assert_eq!(boxed.verify("ab", "abc").is_correct(), Some(false));
}

#[test]
fn the_default_free_verifier_is_chosen_by_name() {
    let config: VerifierConfig = toml::from_str("verifier = 'exact_match'").unwrap();
    assert_eq!(config.build().unwrap().name(), "exact_match");
}
