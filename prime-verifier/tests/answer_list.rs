//! Lists are marked position by position, and length cannot be traded for points.
#![cfg(feature = "math")]

use std::num::NonZeroUsize;

use prime_verifier::{AnswerList, Detail, Mark, Verdict, Verifier};
use proptest::prelude::*;

fn pass_mark(marks: usize) -> Mark {
    Mark::PassMark(NonZeroUsize::new(marks).unwrap())
}

fn verify(mark: Mark, response: &str, truth: &str) -> Verdict {
    AnswerList::new(',', mark).unwrap().verify(response, truth)
}

#[test]
fn scores_under_each_mark() {
    let truth = "12,07,31,40";
    // Response, right answers, score under All, PassMark(2) and Fraction.
    let table = [
        ("12,07,31,40", 4, 1.0, 1.0, 1.0),
        (" 12 , 07,31,40\n", 4, 1.0, 1.0, 1.0),
        ("12,07,31,41", 3, 0.0, 1.0, 0.75),
        ("12,7,31,40", 3, 0.0, 1.0, 0.75),
        ("07,12,31,40", 2, 0.0, 1.0, 0.5),
        ("12,07", 2, 0.0, 1.0, 0.5),
        ("12", 1, 0.0, 0.0, 0.25),
        ("12,,,", 1, 0.0, 0.0, 0.25),
        ("12,07,31,40,99", 4, 0.0, 0.0, 0.0),
        ("12,07,31,40,", 4, 0.0, 0.0, 0.0),
        (",12,07,31,40", 0, 0.0, 0.0, 0.0),
        ("12;07;31;40", 0, 0.0, 0.0, 0.0),
        ("", 0, 0.0, 0.0, 0.0),
    ];
    for (response, right, all, pass, fraction) in table {
        for (mark, score) in [
            (Mark::All, all),
            (pass_mark(2), pass),
            (Mark::Fraction, fraction),
        ] {
            let verdict = verify(mark, response, truth);
            assert_eq!(verdict.score(), Some(score), "{response:?} under {mark:?}");
            let steps = verdict.steps().unwrap();
            assert_eq!(steps.len(), 4);
            assert_eq!(
                steps.iter().filter(|&&step| step).count(),
                right,
                "{response:?}"
            );
        }
    }
}

#[test]
fn the_pass_mark_is_met_exactly_at_the_mark() {
    let truth = "01,02,03,04,05,06,07,08,09,10,11,12";
    let ten_right = "01,02,03,04,05,06,07,08,09,10,00,00";
    let nine_right = "01,02,03,04,05,06,07,08,09,00,00,00";
    assert_eq!(
        verify(pass_mark(10), ten_right, truth).is_correct(),
        Some(true)
    );
    assert_eq!(
        verify(pass_mark(10), nine_right, truth).is_correct(),
        Some(false)
    );
}

#[test]
fn steps_stand_at_their_positions() {
    assert_eq!(
        verify(Mark::All, "1,9,3", "1,2,3").steps(),
        Some([true, false, true].as_slice())
    );
    assert_eq!(
        verify(Mark::All, "1", "1,2,3").steps(),
        Some([true, false, false].as_slice())
    );
    assert_eq!(
        verify(Mark::All, "1,2,3,4", "1,2,3").steps(),
        Some([true; 3].as_slice())
    );
}

#[test]
fn only_a_box_around_the_whole_last_answer_comes_off() {
    let table = [
        (r"3,7,\boxed{4}", "3,7,4", true),
        (r"3,7,\boxed{4}", r"3,7,\boxed{4}", true),
        ("3,7,4", r"3,7,\boxed{4}", true),
        (r"3,7, \boxed{ 4 } ", "3,7,4", true),
        (r"\boxed{4}", "4", true),
        (r"3,7,\boxed{5}", "3,7,4", false),
        (r"3,7,\boxed{4}.", "3,7,4", false),
        (r"3,\boxed{7},4", "3,7,4", false),
        (r"3,7,\boxed{4", "3,7,4", false),
        (r"\boxed{3,7,4}", "3,7,4", false),
        (r"3,7,1\boxed{4}", "3,7,4", false),
    ];
    for (response, truth, right) in table {
        assert_eq!(
            verify(Mark::All, response, truth).is_correct(),
            Some(right),
            "{response:?} against {truth:?}"
        );
    }
}

#[test]
fn the_detail_tells_lengths_and_silence() {
    let detail = |response| {
        verify(Mark::All, response, "1,2")
            .judgement()
            .unwrap()
            .detail
            .clone()
    };
    assert_eq!(detail("1,3"), Detail::Compared);
    assert_eq!(
        detail("1"),
        Detail::WrongCount {
            found: 1,
            expected: 2
        }
    );
    assert_eq!(
        detail("1,2,3"),
        Detail::WrongCount {
            found: 3,
            expected: 2
        }
    );
    assert_eq!(detail(" "), Detail::NoAnswer);
}

#[test]
fn a_ground_truth_that_does_not_fit_is_nobodys_mistake() {
    for (mark, truth, named) in [
        (Mark::All, "", "no answers"),
        (Mark::Fraction, " \n", "no answers"),
        (Mark::All, "1,,3", "answer 2 of the ground truth's 3"),
        (Mark::All, "1,2,", "answer 3 of the ground truth's 3"),
        (Mark::All, r"1,\boxed{}", "answer 2 of the ground truth's 2"),
        (
            pass_mark(3),
            "1,2",
            "pass mark is 3, but the ground truth has only 2",
        ),
    ] {
        match verify(mark, "1,2,3", truth) {
            Verdict::CouldNotJudge { reason } => {
                assert!(reason.contains(named), "{reason:?} does not say {named:?}")
            }
            judged => panic!("{truth:?} under {mark:?} was judged: {judged:?}"),
        }
    }
}

proptest! {
    #[test]
    fn agrees_with_a_plain_count(
        truth in prop::collection::vec(0u8..4, 1..8),
        response in prop::collection::vec(0u8..4, 1..10),
        marks in 1usize..8,
    ) {
        let text = |answers: &[u8]| answers.iter().map(|a| format!("{a:02}")).collect::<Vec<_>>().join(",");
        let (text_response, text_truth) = (text(&response), text(&truth));
        let right = (0..truth.len()).filter(|&at| response.get(at) == Some(&truth[at])).count();
        let fits = response.len() <= truth.len();

        let all = verify(Mark::All, &text_response, &text_truth).is_correct();
        prop_assert_eq!(all, Some(response == truth));
        let fraction = verify(Mark::Fraction, &text_response, &text_truth).score();
        prop_assert_eq!(fraction, Some(if fits { (right as f64 / truth.len() as f64) as f32 } else { 0.0 }));
        let passed = verify(pass_mark(marks), &text_response, &text_truth).is_correct();
        prop_assert_eq!(passed, (marks <= truth.len()).then_some(fits && right >= marks));
    }

    #[test]
    fn any_usable_list_is_right_against_itself(truth in prop::collection::vec("[a-z0-9 ]{0,3}[a-z0-9]", 1..6)) {
        let truth = truth.join(",");
        prop_assert_eq!(verify(Mark::All, &truth, &truth).is_correct(), Some(true));
    }
}
