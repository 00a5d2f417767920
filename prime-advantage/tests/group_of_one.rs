//! A group of one has nothing to be compared with: an error or a documented number.

mod common;

use AdvantageError as E;
use common::{assert_words, batch, full, is_plain_zero, run, with_greedy};
use prime_advantage::{
    AdvantageError, AdvantageEstimator, Baseline, Gae, Gdpo, Gpg, Grpo, GrpoPassk, Opo,
    OptimalTokenBaseline, Prime, PromptGroup, Reinforce, ReinforcePlusPlus,
    ReinforcePlusPlusBaseline, Remax, RewardBatch, Rloo, Singleton, Term, ValueBaseline,
};

/// What each estimator makes of a group of one with reward 0.75 and two tokens, beside
/// a group of two. `None` is an error; else its returns.
#[test]
fn a_group_of_one() {
    use Singleton::{Error, Raw, Zero};
    let zero = Some([0.0, 0.0]);
    let raw = Some([0.75, 0.75]);
    let table: Vec<(Term, Option<[f32; 2]>)> = vec![
        (Reinforce::default().into(), raw),
        (
            Reinforce::default()
                .with_baseline(Baseline::GroupMean)
                .into(),
            zero,
        ),
        (Rloo::default().into(), None),
        (Rloo::default().with_singleton(Zero).into(), zero),
        (Rloo::default().with_singleton(Raw).into(), raw),
        (Grpo::default().into(), zero),
        (Grpo::default().with_singleton(Raw).into(), raw),
        (Grpo::default().with_singleton(Error).into(), None),
        (GrpoPassk::default().into(), None),
        (Opo::default().into(), zero),
        (Opo::default().with_singleton(Raw).into(), raw),
        (Opo::default().with_singleton(Error).into(), None),
        // Three responses, of which two were rewarded.
        (Gpg::default().into(), zero),
        (
            Gpg::default().with_singleton(Raw).into(),
            Some([0.75 * 1.5; 2]),
        ),
        (Gpg::default().with_singleton(Error).into(), None),
        (Gdpo::default().into(), zero),
        (Gdpo::default().with_singleton(Raw).into(), raw),
        (Gdpo::default().with_singleton(Error).into(), None),
        (ReinforcePlusPlusBaseline::default().into(), zero),
        (
            ReinforcePlusPlusBaseline::default()
                .with_singleton(Raw)
                .into(),
            raw,
        ),
        (
            ReinforcePlusPlusBaseline::default()
                .with_singleton(Error)
                .into(),
            None,
        ),
        (OptimalTokenBaseline::default().into(), None),
        (
            OptimalTokenBaseline::default().with_singleton(Raw).into(),
            raw,
        ),
        (ReinforcePlusPlus::default().into(), raw),
        (Remax::default().into(), raw),
        (Gae::default().into(), raw),
    ];
    let bare = |tokens, outcome| full(tokens, outcome).without_process_rewards();
    let groups = [vec![bare(1, 1.0), bare(2, 0.0)], vec![bare(2, 0.75)]];
    let groups = groups.map(|group| with_greedy(group).into_groups().remove(0));
    let beside = RewardBatch::new(groups.to_vec()).expect("valid");
    for (term, expected) in table {
        match (term.estimate(&beside), expected) {
            (Ok(result), Some(expected)) => {
                let own = result.response(1, 0).expect("in range");
                assert_eq!(own.returns(), expected, "{term:?}");
                assert!(own.advantages().iter().all(|a| a.is_finite()), "{term:?}");
            }
            (Err(error), None) => {
                let expected = E::GroupTooSmall {
                    estimator: term.name().to_owned(),
                    group: 1,
                    size: 1,
                    needed: 2,
                };
                assert_eq!(error, expected);
                assert_words(
                    &error,
                    &["group 1 has 1 response(s)", "at least 2", "`reinforce`"],
                );
            }
            (found, _) => panic!("{term:?}: {found:?}"),
        }
    }
    // §5.4 has no use for a group.
    let dense = batch(vec![vec![full(2, 0.75)]]);
    let found = run(&ValueBaseline::default(), &dense);
    assert_eq!(found.advantages(), [0.75, 0.75 - 0.6]);
}

/// Alone in its group, OTB's response is its own baseline.
#[test]
fn a_group_of_one_under_the_optimal_token_baseline() {
    for tail in [false, true] {
        let zero = OptimalTokenBaseline::default()
            .with_handle_zero_tail(tail)
            .with_singleton(Singleton::Zero);
        let result = run(&zero, &batch(vec![vec![full(3, 0.75)]]));
        assert!(result.advantages().iter().copied().all(is_plain_zero));
        assert_ne!(result.returns(), [0.0; 3]);
    }
}

/// As the process half it is refused too, in words that say which half.
#[test]
fn a_group_of_one_in_prime() {
    let single = PromptGroup::new(vec![full(2, 1.0)]).expect("valid");
    // Where the outcome does not count, only the process half can mind.
    let marked = RewardBatch::new(vec![single.process_only()]).expect("valid");
    let error = Prime::paper().estimate(&marked).expect_err("leave-one-out");
    assert!(matches!(error, E::GroupTooSmall { group: 0, .. }));
    let message = error.to_string();
    assert!(
        message.starts_with("as the process half of prime, rloo"),
        "{message}"
    );
    assert_eq!(run(&Rloo::default(), &marked).advantages(), [0.0, 0.0]);

    let grpo = Prime::paper()
        .with_process(Grpo::default())
        .with_outcome(Grpo::default());
    let single = batch(vec![vec![full(2, 1.0)]]);
    assert_eq!(run(&grpo, &single).advantages(), [0.0, 0.0]);
}
