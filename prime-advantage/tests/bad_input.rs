//! Responses, groups and batches that are refused: each with a typed error whose
//! message names the place and the way out.

mod common;

use AdvantageError as E;
use common::{assert_words, batch, group};
use prime_advantage::{
    AdvantageError, NamedReward, PromptGroup, Response, ResponseField, RewardBatch,
};

const NAN: f32 = f32::NAN;
const INF: f32 = f32::INFINITY;

/// One broken response is the same mistake in a group, in a batch and as the greedy
/// response, and says each time where it is.
#[track_caller]
fn check_response(
    broken: Response<'_>,
    expected: impl Fn(usize) -> AdvantageError,
    words: &[&str],
) {
    let fine = Response::new(1, 0.0);
    let error = PromptGroup::new(vec![fine, broken]).expect_err("broken");
    assert_same(&error, &expected(1));
    assert_words(&error, words);
    assert_words(&error, &["response 1"]);

    let located = RewardBatch::from_responses(vec![vec![fine], vec![broken]]);
    let located = located.expect_err("broken");
    let E::InGroup { group: 1, error } = &located else {
        panic!("{located:?}");
    };
    assert_same(error, &expected(0));
    assert_words(&located, &["prompt group 1: response 0"]);

    let greedy = PromptGroup::new(vec![fine])
        .expect("valid")
        .with_greedy(broken);
    let greedy = greedy.expect_err("broken");
    let E::InGreedy { error } = &greedy else {
        panic!("{greedy:?}");
    };
    assert_same(error, &expected(0));
    assert_words(&greedy, &["the greedy response: "]);
    assert_words(&greedy, words);
}

/// By their debug texts, in which NaN equals itself.
#[track_caller]
fn assert_same(found: &AdvantageError, expected: &AdvantageError) {
    assert_eq!(format!("{found:?}"), format!("{expected:?}"));
}

/// Every slice of numbers, its name in messages and a number that it can hold.
const FIELDS: [(ResponseField, &str, f32); 6] = [
    (ResponseField::ProcessRewards, "process rewards", -0.5),
    (ResponseField::Values, "values", 0.5),
    (ResponseField::OldLogProbs, "old log-probs", -0.5),
    (ResponseField::RefLogProbs, "reference log-probs", -0.5),
    (
        ResponseField::SumPiSquared,
        "sums of squared probabilities",
        0.5,
    ),
    (ResponseField::ImportanceWeights, "importance weights", 1.5),
];

fn set<'a>(field: ResponseField, response: Response<'a>, numbers: &'a [f32]) -> Response<'a> {
    match field {
        ResponseField::ProcessRewards => response.with_process_rewards(numbers),
        ResponseField::Values => response.with_values(numbers),
        ResponseField::OldLogProbs => response.with_old_log_probs(numbers),
        ResponseField::RefLogProbs => response.with_ref_log_probs(numbers),
        ResponseField::SumPiSquared => response.with_sum_pi_squared(numbers),
        ResponseField::ImportanceWeights => response.with_importance_weights(numbers),
        other => panic!("{other} are no numbers"),
    }
}

#[test]
fn outcome_rewards_are_finite() {
    for value in [NAN, INF, -INF] {
        let words = ["outcome reward", &value.to_string(), "repair its verdict"];
        let expected = |response| E::OutcomeNotFinite { response, value };
        check_response(Response::new(2, value), expected, &words);
        check_response(Response::new(0, value), expected, &words);
    }
}

#[test]
fn named_rewards_are_finite() {
    for value in [NAN, INF, -INF] {
        let named = [NamedReward::new("a", 1.0), NamedReward::new("b", value)];
        let broken = Response::new(1, 0.5).with_named_rewards(&named);
        let error = PromptGroup::new(vec![broken]).expect_err("not finite");
        let (response, name) = (0, "b".to_owned());
        assert_same(
            &error,
            &E::NamedRewardNotFinite {
                response,
                name,
                value,
            },
        );
        assert_words(&error, &["reward `b`", &value.to_string()]);
    }
}

#[test]
fn token_numbers_are_finite() {
    for (field, name, good) in FIELDS {
        for value in [NAN, INF, -INF] {
            let numbers = [good, good, value];
            let expected = |response| E::TokenNotFinite {
                response,
                field,
                token: 2,
                value,
            };
            let words = [name, "at token 2", &value.to_string(), "drop the response"];
            check_response(
                set(field, Response::new(3, 0.0), &numbers),
                expected,
                &words,
            );
            // Under a mask too: nothing that is not a number gets in.
            let masked =
                set(field, Response::new(3, 0.0), &numbers).with_mask(&[true, true, false]);
            check_response(masked, expected, &words);
        }
    }
}

#[test]
fn token_numbers_are_in_range() {
    let log_prob = ["at most 0", "0.1"];
    let square = ["in [0, 1]"];
    let table: [(usize, f32, &[&str]); 6] = [
        (2, 0.1, &log_prob),
        (3, 0.1, &log_prob),
        (4, -0.25, &square),
        (4, 1.25, &square),
        (5, -0.5, &["at least 0", "-0.5"]),
        (5, -f32::MIN_POSITIVE, &["at least 0"]),
    ];
    for (which, value, words) in table {
        let (field, name, good) = FIELDS[which];
        let numbers = [good, value];
        let error = PromptGroup::new(vec![set(field, Response::new(2, 0.0), &numbers)]);
        let error = error.expect_err(name);
        let found = match error {
            E::TokenOutOfRange {
                response: 0,
                field,
                token: 1,
                value,
                ..
            } => (field, value),
            ref other => panic!("{other}"),
        };
        assert_eq!(found, (field, value));
        assert_words(&error, words);
        assert_words(&error, &["response 0", "at token 1", name, "must be"]);
    }
}

/// The edges of the ranges, and what rounding may leave beyond them.
#[test]
fn what_rounding_leaves_is_accepted() {
    let table: [(usize, &[f32]); 4] = [
        (2, &[0.0, -0.0, 1e-6, -1e30]),
        (3, &[0.0, -0.0, 1e-6, -1e30]),
        (4, &[0.0, -0.0, 1.0, 1.0 + 1e-6]),
        (5, &[0.0, -0.0, 1.0, 1e30]),
    ];
    for (which, numbers) in table {
        let (field, name, _) = FIELDS[which];
        let response = set(field, Response::new(numbers.len(), 0.0), numbers);
        assert!(
            PromptGroup::new(vec![response]).is_ok(),
            "{name}: {numbers:?}"
        );
    }
}

#[test]
fn one_number_per_token() {
    for (field, name, good) in FIELDS {
        for (tokens, found) in [(2, 1), (2, 0), (2, 3), (0, 1)] {
            let numbers = vec![good; found];
            let expected = |response| E::LengthMismatch {
                response,
                field,
                tokens,
                found,
            };
            let counts = (format!("{tokens} tokens"), format!("{found} {name}"));
            let words = [&*counts.0, &*counts.1, "pass one per token"];
            check_response(
                set(field, Response::new(tokens, 0.0), &numbers),
                expected,
                &words,
            );
        }
    }
    for (tokens, found) in [(2, 1), (1, 2), (0, 1), (1, 0)] {
        let mask = vec![true; found];
        let expected = |response| E::LengthMismatch {
            response,
            field: ResponseField::Mask,
            tokens,
            found,
        };
        let words = ["mask entries", "pass one per token"];
        check_response(
            Response::new(tokens, 0.0).with_mask(&mask),
            expected,
            &words,
        );
    }
}

#[test]
fn nothing_to_estimate() {
    assert_eq!(PromptGroup::new(vec![]), Err(E::EmptyGroup));
    assert_words(&E::EmptyGroup, &["no responses", "leave the prompt out"]);
    assert_eq!(RewardBatch::new(vec![]), Err(E::EmptyBatch));
    assert_eq!(RewardBatch::from_responses(vec![]), Err(E::EmptyBatch));
    assert_words(&E::EmptyBatch, &["no prompt groups", "skip the update"]);
    let error = RewardBatch::from_responses(vec![group(&[1], &[1.0]), vec![]]);
    let expected = E::InGroup {
        group: 1,
        error: Box::new(E::EmptyGroup),
    };
    assert_eq!(error, Err(expected));
}

#[test]
fn rewards_have_the_same_names_everywhere() {
    let named = |names: &[&'static str]| -> Vec<NamedReward<'static>> {
        names
            .iter()
            .map(|name| NamedReward::new(*name, 1.0))
            .collect()
    };
    let (both, swapped) = (
        named(&["accuracy", "format"]),
        named(&["format", "accuracy"]),
    );
    let (one, twice) = (named(&["accuracy"]), named(&["format", "format"]));
    let respond = |named| Response::new(1, 0.0).with_named_rewards(named);
    let bare = Response::new(1, 0.0);
    for other in [respond(&swapped), respond(&one), bare] {
        let found = other.named_rewards().iter().map(|named| &*named.name);
        let found = found.collect::<Vec<_>>().join(", ");
        let differ = |response| E::NamesDiffer {
            response,
            expected: "accuracy, format".to_owned(),
            found: found.clone(),
        };
        let error = PromptGroup::new(vec![respond(&both), other]).expect_err("names");
        assert_eq!(error, differ(1));
        assert_words(&error, &["response 1", "same names in the same order"]);
        let error = RewardBatch::from_responses(vec![vec![respond(&both)], vec![other]]);
        let expected = E::InGroup {
            group: 1,
            error: Box::new(differ(0)),
        };
        assert_eq!(error, Err(expected));
    }
    let error = PromptGroup::new(vec![respond(&twice)]).expect_err("twice");
    let expected = E::NameTwice {
        name: "format".to_owned(),
    };
    assert_eq!(error, expected);
    assert_words(&error, &["`format`", "twice", "rename one"]);
}

#[test]
fn groups_have_the_size_that_was_asked_for() {
    let sizes = batch(vec![group(&[1, 1], &[1.0, 0.0]), group(&[1], &[1.0])]);
    let error = sizes.require_group_size(2).expect_err("a group of one");
    assert_eq!(
        error,
        E::GroupSize {
            group: 1,
            size: 1,
            expected: 2
        }
    );
    assert_words(&error, &["group 1", "expected 2", "wrong prompt id"]);
    assert!(sizes.require_group_size(1).is_err());
}
