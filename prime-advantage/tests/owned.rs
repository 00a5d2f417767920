//! Batches that own their numbers, and rows grouped by key.

mod common;

use common::random::{Rows, Shape};
use common::{batch, group, run};
use prime_advantage::{
    AdvantageError, Grpo, NamedReward, OwnedBatch, OwnedGroup, OwnedResponse, Place, Prime,
    PromptGroup, Response, ResponseField, RewardBatch,
};

const SHAPE: Shape = Shape {
    least_size: 1,
    gaps: true,
    empty: true,
    process: true,
};

/// The rows of a random batch as an owned one.
fn owned(seed: u64) -> OwnedBatch {
    let rows = Rows::new(seed, SHAPE);
    let groups = rows.greedy.iter().enumerate().map(|(g, greedy)| {
        let members = rows.rows.iter().filter(|row| row.group == g);
        let mut group = OwnedGroup::new(members.map(|row| row.response.clone()).collect());
        group.greedy = Some(greedy.clone());
        group.process_only = g == 1;
        group
    });
    OwnedBatch::new(groups.collect())
}

#[test]
fn an_owned_batch_reads_back_what_it_wrote() {
    for seed in 0..20 {
        let mut before = owned(seed);
        before.groups[0].responses[0].truncated = true;
        let json = serde_json::to_string(&before).expect("writes");
        let after: OwnedBatch = serde_json::from_str(&json).expect("reads");
        assert_eq!(after, before);
        assert_eq!(after.borrow(), before.borrow());
        let toml = toml::to_string(&before).expect("writes");
        assert_eq!(toml::from_str::<OwnedBatch>(&toml).expect("reads"), before);
    }
}

#[test]
fn only_what_is_known_is_written() {
    let batch = OwnedBatch::new(vec![OwnedGroup::new(vec![OwnedResponse::new(2, 1.0)])]);
    let json = serde_json::to_string(&batch).expect("writes");
    assert_eq!(
        json,
        r#"{"groups":[{"responses":[{"tokens":2,"outcome_reward":1.0,"truncated":false}],"process_only":false}]}"#
    );
    let short = r#"{"groups":[{"responses":[{"tokens":2,"outcome_reward":1}]}]}"#;
    assert_eq!(
        serde_json::from_str::<OwnedBatch>(short).expect("reads"),
        batch
    );
    let typo = r#"{"groups":[{"responses":[{"tokens":2,"outcome_reward":1,"value":[]}]}]}"#;
    let error = serde_json::from_str::<OwnedBatch>(typo).expect_err("unknown field");
    assert!(error.to_string().contains("`value`"), "{error}");
    assert!(serde_json::from_str::<OwnedBatch>(r#"{"group":[]}"#).is_err());
}

/// Lending loses nothing: every field arrives where the borrowing setters put it.
#[test]
fn borrowing_gives_every_field() {
    let mut owned = OwnedResponse::new(2, 0.5);
    owned.named_rewards = vec![NamedReward::new("format", 1.0)];
    owned.process_rewards = Some(vec![0.1, 0.2]);
    owned.values = Some(vec![0.3, 0.4]);
    owned.old_log_probs = Some(vec![-0.5, -0.6]);
    owned.ref_log_probs = Some(vec![-0.7, -0.8]);
    owned.sum_pi_squared = Some(vec![0.9, 1.0]);
    owned.importance_weights = Some(vec![1.1, 1.2]);
    owned.mask = Some(vec![true, false]);
    owned.truncated = true;
    let named = [NamedReward::new("format", 1.0)];
    let expected = Response::new(2, 0.5)
        .with_named_rewards(&named)
        .with_process_rewards(&[0.1, 0.2])
        .with_values(&[0.3, 0.4])
        .with_old_log_probs(&[-0.5, -0.6])
        .with_ref_log_probs(&[-0.7, -0.8])
        .with_sum_pi_squared(&[0.9, 1.0])
        .with_importance_weights(&[1.1, 1.2])
        .with_mask(&[true, false])
        .with_truncated(true);
    assert_eq!(owned.borrow(), expected);

    let greedy = OwnedResponse::new(0, 1.0);
    let mut group = OwnedGroup::new(vec![owned]);
    group.greedy = Some(greedy.clone());
    group.process_only = true;
    let by_hand = PromptGroup::new(vec![expected])
        .expect("valid")
        .process_only();
    let by_hand = by_hand.with_greedy(greedy.borrow()).expect("valid");
    let found = OwnedBatch::new(vec![group]);
    assert_eq!(found.borrow(), RewardBatch::new(vec![by_hand]));
}

#[test]
fn mistakes_show_when_it_is_borrowed() {
    let mut wrong = OwnedResponse::new(2, 1.0);
    wrong.values = Some(vec![0.0]);
    let fine = || OwnedGroup::new(vec![OwnedResponse::new(2, 1.0)]);
    let located = |batch: &OwnedBatch| match batch.borrow().expect_err("broken") {
        AdvantageError::InGroup { group, error } => (group, *error),
        other => panic!("{other}"),
    };
    let mismatch = |response| AdvantageError::LengthMismatch {
        response,
        field: ResponseField::Values,
        tokens: 2,
        found: 1,
    };
    let in_member = OwnedGroup::new(vec![OwnedResponse::new(1, 0.0), wrong.clone()]);
    let batch = OwnedBatch::new(vec![fine(), in_member]);
    assert_eq!(located(&batch), (1, mismatch(1)));
    let mut in_greedy = fine();
    in_greedy.greedy = Some(wrong);
    let (group, error) = located(&OwnedBatch::new(vec![fine(), fine(), in_greedy]));
    let expected = AdvantageError::InGreedy {
        error: Box::new(mismatch(0)),
    };
    assert_eq!((group, error), (2, expected));
    let empty = OwnedBatch::new(vec![OwnedGroup::default()]);
    assert_eq!(located(&empty), (0, AdvantageError::EmptyGroup));
    assert_eq!(
        OwnedBatch::default().borrow(),
        Err(AdvantageError::EmptyBatch)
    );
}

/// Rows in any order give each response what it gets in the ordered batch.
#[test]
fn shuffled_rows_find_their_groups() {
    for seed in 0..40 {
        let rows = Rows::new(seed, SHAPE);
        let ordered: Vec<Vec<Response<'_>>> = (0..rows.greedy.len())
            .map(|g| rows.rows.iter().filter(move |row| row.group == g))
            .map(|members| members.map(|row| row.response.borrow()).collect())
            .collect();
        let ordered = batch(ordered);
        let prime = Prime::paper()
            .with_process(Grpo::default())
            .with_outcome(Grpo::default());
        let expected = run(&prime, &ordered);

        let keyed = rows
            .rows
            .iter()
            .map(|row| (row.group, row.response.borrow()));
        let (shuffled, places) = RewardBatch::from_keyed(keyed).expect("valid");
        assert_eq!(places.len(), rows.rows.len());
        let found = run(&prime, &shuffled);
        let mut seen = vec![0; rows.greedy.len()];
        for (row, place) in rows.rows.iter().zip(&places) {
            let member = shuffled.groups()[place.group].responses()[place.response];
            assert_eq!(member, row.response.borrow());
            let own = found.response(place.group, place.response);
            assert_eq!(
                own,
                expected.response(row.group, seen[row.group]),
                "seed {seed}"
            );
            seen[row.group] += 1;
        }
        // Groups come in the order of their first rows.
        let firsts = places.iter().filter(|place| place.response == 0);
        let firsts: Vec<usize> = firsts.map(|place| place.group).collect();
        assert_eq!(firsts, (0..shuffled.groups().len()).collect::<Vec<_>>());
    }
}

/// A wrong prompt id makes a group of a wrong size, and that is an error.
#[test]
fn a_wrong_key_shows_in_the_sizes() {
    let rows = [("a", 1.0), ("b", 0.0), ("a", 0.0), ("c", 1.0)];
    let rows = rows.map(|(key, reward)| (key, Response::new(3, reward)));
    let (batch, places) = RewardBatch::from_keyed(rows).expect("valid");
    assert_eq!(
        places[2],
        Place {
            group: 0,
            response: 1
        }
    );
    let error = batch.require_group_size(2).expect_err("b has one");
    let expected = AdvantageError::GroupSize {
        group: 1,
        size: 1,
        expected: 2,
    };
    assert_eq!(error, expected);
    assert!(error.to_string().contains("wrong prompt id"), "{error}");

    let nothing: [(u8, Response<'_>); 0] = [];
    assert_eq!(
        RewardBatch::from_keyed(nothing),
        Err(AdvantageError::EmptyBatch)
    );
    let wrong = [(1, Response::new(1, 0.0)), (2, Response::new(1, f32::NAN))];
    let error = RewardBatch::from_keyed(wrong).expect_err("NaN");
    assert!(matches!(error, AdvantageError::InGroup { group: 1, .. }));
}

#[test]
fn a_batch_says_what_is_in_it() {
    let mask = [true, false, true, false];
    let long = Response::new(4, 0.5).with_mask(&mask);
    let shape = batch(vec![group(&[2, 0], &[1.0, 0.0]), vec![long]]);
    assert_eq!((shape.response_count(), shape.token_count()), (3, 6));
    assert_eq!(
        (long.policy_tokens(), long.last_policy_token()),
        (2, Some(2))
    );
    assert_eq!(Response::new(0, 0.0).last_policy_token(), None);
    assert_eq!(long.with_mask(&[false; 4]).last_policy_token(), None);
    let places: Vec<_> = shape.places().map(|(place, r)| (place, r.len())).collect();
    let place = |group, response| Place { group, response };
    assert_eq!(
        places,
        [(place(0, 0), 2), (place(0, 1), 0), (place(1, 0), 4)]
    );
    assert!(shape.groups()[1].has_equal_outcomes() && !shape.groups()[0].has_equal_outcomes());
    let groups = shape.clone().into_groups();
    assert_eq!(RewardBatch::new(groups), Ok(shape));
}
