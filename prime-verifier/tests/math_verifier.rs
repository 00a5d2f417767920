//! From a comparison to a score: what each verdict becomes, several gold answers, budgets, names.
#![cfg(feature = "math")]

use std::time::{Duration, Instant};

use prime_verifier::math::{
    Answer, DEFAULT_BUDGET, Extraction, Kind, MathPolicy, MathVerdict, MathVerifier, Source,
    compare_answers,
};
use prime_verifier::{Detail, Verdict, Verifier, VerifierConfig};

#[test]
fn a_judged_response_has_a_score_and_a_detail() {
    let unreadable = |why: &str| Detail::Unreadable { why: why.into() };
    let table = [
        (r"\boxed{0.5}", r"\frac12", 1.0, Detail::Compared),
        (r"\boxed{0.6}", r"\frac12", 0.0, Detail::Compared),
        ("no box, 0.5", r"\frac12", 0.0, Detail::NoAnswer),
        ("", r"\frac12", 0.0, Detail::NoAnswer),
        (r"\boxed{}", r"\frac12", 0.0, Detail::NoAnswer),
        (r"\boxed{ \, }", r"\frac12", 0.0, Detail::NoAnswer),
        (
            r"\boxed{\frac1{2} \foo}",
            r"\frac12",
            0.0,
            unreadable(r"unknown command \foo at byte 10"),
        ),
        (
            r"\boxed{(1}",
            "(1,2)",
            0.0,
            unreadable("expected a closing bracket at byte 2"),
        ),
    ];
    for (response, truth, score, detail) in table {
        let verdict = MathVerifier::default().verify(response, truth);
        let judgement = verdict
            .judgement()
            .unwrap_or_else(|| panic!("{response:?}: {verdict:?}"));
        assert_eq!(judgement.score.get(), score, "{response:?}");
        assert_eq!(judgement.detail, detail, "{response:?}");
        assert_eq!(judgement.steps, None, "{response:?}");
    }
}

#[test]
fn a_fault_that_is_not_the_models_has_a_reason_and_no_score() {
    // What the reason has to name.
    let table = [
        (r"\boxed{5}", r"\frac{5", r#""\\frac{5""#),
        (r"\boxed{5}", r"\frac{5", "ground truth"),
        (r"\boxed{5}", r"\foo", r"unknown command \foo"),
        (r"\boxed{5}", "", "ground truth"),
        (r"\boxed{5}", " \n", "nothing to read"),
        (r"\boxed{5}", "(10^{12})!", "budget"),
        (r"\boxed{5}", "(10^{12})!", "(10^{12})!"),
        // The fault of both is the fault of the ground truth: no answer could have been right.
        (r"\boxed{\foo}", r"\bar{", "ground truth"),
    ];
    for (response, truth, named) in table {
        match MathVerifier::default().verify(response, truth) {
            Verdict::CouldNotJudge { reason } => {
                assert!(reason.contains(named), "{reason:?} does not say {named:?}");
                assert!(reason.len() < 300, "{reason:?}");
            }
            judged => panic!("{response:?} against {truth:?} was judged: {judged:?}"),
        }
    }
}

#[test]
fn a_response_without_an_answer_is_wrong_whatever_the_ground_truth() {
    for truth in ["5", r"\frac{5", "(10^{12})!"] {
        let verdict = MathVerifier::default().verify("I do not know.", truth);
        assert_eq!(verdict.score(), Some(0.0), "{truth:?}: {verdict:?}");
    }
}

#[test]
fn a_reason_quotes_the_beginning_of_a_long_ground_truth() {
    let truth = r"\foo".repeat(10_000);
    match MathVerifier::default().verify(r"\boxed{5}", &truth) {
        Verdict::CouldNotJudge { reason } => {
            assert!(
                reason.contains(r"\\foo\\foo") && reason.len() < 400,
                "{reason}"
            );
        }
        judged => panic!("judged: {judged:?}"),
    }
}

#[test]
fn one_of_several_golds_is_enough() {
    let verifier = MathVerifier::default();
    let table: [(&str, &[&str], MathVerdict); 10] = [
        ("5", &["5"], MathVerdict::Equal),
        ("5", &["6", "5"], MathVerdict::Equal),
        ("5", &["5", "6"], MathVerdict::Equal),
        ("5", &["6", "7"], MathVerdict::NotEqual),
        ("5", &[r"\foo", "5"], MathVerdict::Equal),
        // One that cannot be read could have been the right one.
        ("5", &["6", r"\foo"], MathVerdict::Unparsed),
        ("5", &[r"\foo", "6"], MathVerdict::Unparsed),
        ("5", &["6", "(10^{12})!"], MathVerdict::Undecided),
        ("", &["5", "6"], MathVerdict::NoAnswer),
        ("5", &[], MathVerdict::Unparsed),
    ];
    for (answer, golds, verdict) in table {
        let bare = verifier.grade_answer(answer, golds);
        assert_eq!(
            bare.comparison.verdict, verdict,
            "{answer:?} against {golds:?}"
        );
        let boxed = verifier.grade(&format!(r"so \boxed{{{answer}}}"), golds);
        assert_eq!(
            boxed.comparison.verdict, verdict,
            "boxed {answer:?} against {golds:?}"
        );
        if verdict == MathVerdict::Equal {
            assert_eq!(bare.comparison.gold.text(), "5");
        }
    }
}

#[test]
fn a_gold_may_stand_in_prose() {
    let table = [
        (r"Half of ten, so \boxed{5}.", "5"),
        ("Half of ten is $5$.", "5"),
        ("The answer is 5.", "5"),
        ("The final answer is: 5", "5"),
        (r"Half of ten\[x=5\]", "5"),
    ];
    let verifier = MathVerifier::default();
    for (gold, answer) in table {
        let response = |answer: &str| format!(r"\boxed{{{answer}}}");
        let right = verifier.verify(&response(answer), gold);
        assert_eq!(right.score(), Some(1.0), "{gold:?}: {right:?}");
        let wrong = verifier.verify(&response("10"), gold);
        assert_eq!(wrong.score(), Some(0.0), "{gold:?}: {wrong:?}");
    }
    // Prose that does not say where its answer is equals itself, and no part of it.
    for gold in [
        "half of 10 gives 5 then",
        "half of $10$ gives $5$ then",
        "some $5$ apples",
    ] {
        let part = verifier.verify(r"\boxed{5}", gold);
        assert_eq!(part.score(), Some(0.0), "{gold:?}: {part:?}");
        let same = verifier.verify(&format!(r"\boxed{{{gold}}}"), gold);
        assert_eq!(same.score(), Some(1.0), "{gold:?}: {same:?}");
    }
}

#[test]
fn an_answer_that_cannot_be_decided_is_wrong_and_says_why() {
    let verifier = MathVerifier::default();
    for answer in [
        "(10^{12})!",
        "9^{9^{9^9}}",
        r"\lim_{n\to\infty}a_n",
        r"\int_0^1 f(x)dx",
    ] {
        for gold in ["5", r"\frac{\sqrt3}{2}", "(1,2)", "x=3", r"\{1,2\}"] {
            match verifier.verify(&format!(r"\boxed{{{answer}}}"), gold) {
                Verdict::Judged(judgement) => {
                    assert_eq!(judgement.score.get(), 0.0, "{answer} against {gold}");
                    if let Detail::Undecided { why } = judgement.detail {
                        assert!(why.contains("beyond the budget"), "{why}");
                    }
                }
                open => panic!("{answer:?} against {gold:?}: {open:?}"),
            }
        }
    }
}

#[test]
fn a_grade_tells_where_the_answer_stood() {
    let verifier = MathVerifier::new(Extraction::anywhere(), MathPolicy::default());
    let grade = verifier.grade("The answer is 1/2.", &["0.5"]);
    assert_eq!(grade.source, Some(Source::Answer));
    assert_eq!(grade.comparison.answer.text(), "1/2");
    assert_eq!(grade.comparison.answer.kind(), Kind::Number);
    let grade = verifier.grade("no", &["0.5"]);
    assert_eq!((grade.source, grade.comparison.answer.text()), (None, ""));
    assert_eq!(verifier.grade_answer("1/2", &["0.5"]).source, None);
}

#[test]
fn a_bare_answer_may_be_boxed() {
    let verifier = MathVerifier::default();
    for answer in ["5", r"\boxed{5}", r"$\boxed{5}$", r"so it is \boxed{5}"] {
        let verdict = verifier.grade_answer(answer, &["5"]).comparison.verdict;
        assert_eq!(verdict, MathVerdict::Equal, "{answer:?}");
    }
}

#[test]
fn a_small_budget_leaves_open_what_it_cannot_pay_for() {
    let pairs = [
        (r"\sqrt{5+2\sqrt6}", r"\sqrt2+\sqrt3"),
        (r"\sum_{k=1}^{1000} k^2", "333833500"),
        ("(x+1)^{20}(x-1)^{20}", "(x^2-1)^{20}"),
        (r"\int_0^1 x^2\,dx", r"\frac13"),
        (r"\{\sqrt2,\sqrt3,\sqrt5\}", r"\{\sqrt5,\sqrt3,\sqrt2\}"),
    ];
    for (gold, answer) in pairs {
        let verdict = |budget| {
            let policy = MathPolicy::default();
            compare_answers(Answer::read(gold), Answer::read(answer), &policy, budget).verdict
        };
        assert_eq!(verdict(0), MathVerdict::Undecided, "{gold} for nothing");
        assert_eq!(verdict(DEFAULT_BUDGET), MathVerdict::Equal, "{gold}");
        // More budget never turns one answer into the other.
        let mut decided = false;
        for budget in (0..18).map(|power| 1u64 << power) {
            match verdict(budget) {
                MathVerdict::Undecided => {
                    assert!(!decided, "{gold} was decided for less than {budget}")
                }
                MathVerdict::Equal => decided = true,
                other => panic!("{gold}: {other:?} for {budget}"),
            }
        }
    }
}

#[test]
fn a_budget_bounds_the_time() {
    let hard = r"\prod_{k=1}^{10^{9}} \left(\sqrt{k}+\sin k\right)";
    for (budget, limit) in [
        (1000, 100),
        (DEFAULT_BUDGET, 500),
        (10 * DEFAULT_BUDGET, 3000),
    ] {
        let verifier = MathVerifier::default().with_budget(budget);
        let started = Instant::now();
        let grade = verifier.grade_answer(hard, &["5"]);
        assert_eq!(grade.comparison.verdict, MathVerdict::Undecided);
        let took = started.elapsed();
        assert!(
            took < Duration::from_millis(limit),
            "{took:?} for a budget of {budget}"
        );
    }
}

#[test]
fn the_grader_is_chosen_by_name() {
    let config: VerifierConfig = toml::from_str("verifier = 'math'\npolicy = 'strict'").unwrap();
    let verifier = config.build().unwrap();
    assert_eq!(verifier.name(), "math");
    assert_eq!(
        verifier.verify(r"\boxed{\frac24}", "0.5").score(),
        Some(1.0)
    );
    assert_eq!(
        verifier.verify(r"\boxed{5\text{ cm}}", "5").score(),
        Some(0.0)
    );
}
