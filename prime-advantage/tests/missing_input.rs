//! What an estimator reads and the batch does not have: named, with its place.

mod common;

use AdvantageError as E;
use common::{assert_words, batch, group};
use prime_advantage::{
    AdvantageError, AdvantageEstimator, Gae, Gdpo, NamedReward, OptimalTokenBaseline, Prime,
    PromptGroup, ReinforcePlusPlus, Remax, Response, ResponseField, RewardBatch, Rloo,
    ValueBaseline,
};

#[test]
fn weights_are_for_rewards_that_exist() {
    let weights = |name: &str| Gdpo::default().with_weights([(name.to_owned(), 1.0)].into());
    let named = [
        NamedReward::new("accuracy", 1.0),
        NamedReward::new("format", 0.0),
    ];
    let known = Response::new(2, 0.0).with_named_rewards(&named);
    let known = batch(vec![vec![known; 2]]);
    assert!(weights("format").estimate(&known).is_ok());
    let error = weights("formt").estimate(&known).expect_err("unknown");
    let expected = E::UnknownReward {
        estimator: "gdpo".to_owned(),
        name: "formt".to_owned(),
        found: "accuracy, format".to_owned(),
    };
    assert_eq!(error, expected);
    assert_words(
        &error,
        &[
            "gdpo",
            "`formt`",
            "[accuracy, format]",
            "take the weight out",
        ],
    );
    // A batch with one nameless reward has none to weigh.
    let bare = batch(vec![group(&[2, 2], &[1.0, 0.0])]);
    let error = weights("format").estimate(&bare).expect_err("nameless");
    assert!(matches!(error, E::UnknownReward { .. }));
}

/// What an estimator reads is asked for by name, where it is missing first.
#[test]
fn missing_inputs_are_located() {
    let (rewards, squares) = ([0.5], [0.5]);
    let full = Response::new(1, 1.0)
        .with_process_rewards(&rewards)
        .with_values(&rewards)
        .with_old_log_probs(&[-0.5])
        .with_sum_pi_squared(&squares);
    let bare = Response::new(1, 0.0);
    let process = bare.with_process_rewards(&rewards);
    let log_probs = process.with_old_log_probs(&[-0.5]);
    let table: [(&dyn AdvantageEstimator, Response<'_>, ResponseField); 8] = [
        (&Prime::paper(), bare, ResponseField::ProcessRewards),
        (
            &ValueBaseline::default(),
            bare,
            ResponseField::ProcessRewards,
        ),
        (&Gae::default(), process, ResponseField::Values),
        (
            &OptimalTokenBaseline::default(),
            process,
            ResponseField::OldLogProbs,
        ),
        (
            &OptimalTokenBaseline::default(),
            log_probs,
            ResponseField::SumPiSquared,
        ),
        // Process rewards for some responses only: lost, not left out.
        (
            &ReinforcePlusPlus::default(),
            bare,
            ResponseField::ProcessRewards,
        ),
        (
            &Gae::default(),
            bare.with_values(&rewards),
            ResponseField::ProcessRewards,
        ),
        (
            &OptimalTokenBaseline::default(),
            bare.with_old_log_probs(&[-0.5])
                .with_sum_pi_squared(&squares),
            ResponseField::ProcessRewards,
        ),
    ];
    for (estimator, broken, field) in table {
        let mixed = batch(vec![vec![full, full], vec![full, broken]]);
        let error = estimator.estimate(&mixed).expect_err(estimator.name());
        let expected = E::MissingInput {
            estimator: estimator.name().to_owned(),
            field,
            group: 1,
            response: 1,
        };
        assert_eq!(error, expected);
        assert_words(
            &error,
            &[
                estimator.name(),
                "response 1 of group 1",
                "give every response",
            ],
        );

        // Nobody asks an empty response for numbers.
        let empty = batch(vec![vec![full, full], vec![full, Response::new(0, 1.0)]]);
        assert!(estimator.estimate(&empty).is_ok(), "{}", estimator.name());
    }
}

#[test]
fn remax_needs_its_greedy_response() {
    let rewards = [0.5f32];
    let dense = Response::new(1, 1.0).with_process_rewards(&rewards);
    let bare = Response::new(1, 1.0);
    let groups = |greedy: Option<Response<'static>>, member| {
        let first = PromptGroup::new(vec![member]).expect("valid");
        let first = first.with_greedy(Response::new(0, 0.5)).expect("valid");
        let mut second = PromptGroup::new(vec![member]).expect("valid");
        if let Some(greedy) = greedy {
            second = second.with_greedy(greedy).expect("valid");
        }
        RewardBatch::new(vec![first, second]).expect("valid")
    };
    let remax = Remax::default();
    let error = remax.estimate(&groups(None, bare)).expect_err("none");
    let expected = E::MissingGreedy {
        estimator: "remax".to_owned(),
        group: 1,
    };
    assert_eq!(error, expected);
    assert_words(&error, &["remax", "group 1", "PromptGroup::with_greedy"]);

    let error = remax
        .estimate(&groups(Some(bare), dense))
        .expect_err("bare");
    let expected = E::GreedyWithoutProcess {
        estimator: "remax".to_owned(),
        group: 1,
    };
    assert_eq!(error, expected);
    assert_words(&error, &["group 1", "no process rewards", "length 0"]);
    // Where only its reward is known, and where nobody has process rewards.
    assert!(
        remax
            .estimate(&groups(Some(Response::new(0, 1.0)), dense))
            .is_ok()
    );
    assert!(remax.estimate(&groups(Some(bare), bare)).is_ok());
    // Without comparing, nobody asks for it.
    assert!(
        Rloo::default()
            .estimate(&batch(vec![vec![bare; 2]]))
            .is_ok()
    );
}
