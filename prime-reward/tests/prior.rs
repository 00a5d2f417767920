//! The loss's constant term.

mod toy;

use prime_reward::{ImplicitPrm, LabelPrior, PrmConfig, ReplayConfig};
use toy::{Batch, decoder, examples};

/// The mean loss of the first update, where every log-ratio is exactly 0.
fn first_loss(prior: LabelPrior, labels: &[f32], replay: bool) -> f64 {
    let start = decoder(5);
    let mut data = examples(0, labels.len());
    for (example, &label) in data.iter_mut().zip(labels) {
        example.label = label;
    }
    let config = PrmConfig {
        prior,
        lr: 1e-3,
        replay: replay.then_some(ReplayConfig {
            steps: 1,
            mini_batches: 1,
            batch_size: labels.len(),
        }),
        ..PrmConfig::default()
    };
    let mut prm = ImplicitPrm::new(&start, config).unwrap();
    prm.step(&Batch::of(&data).rollouts()).unwrap().losses[0]
}

#[test]
fn without_a_prior_a_fresh_prm_says_one_half() {
    let loss = first_loss(LabelPrior::None, &[1.0, 0.0, 0.0, 0.0], false);
    assert!((loss - 2f64.ln()).abs() < 1e-6, "{loss}");
}

#[test]
fn with_the_batch_mean_a_fresh_prm_says_how_often_responses_are_right() {
    // One right of four, and one of each added: 2 of 6.
    let p = 1.0f64 / 3.0;
    let expected = -(0.25 * p.ln() + 0.75 * (1.0 - p).ln());
    for replay in [false, true] {
        let loss = first_loss(LabelPrior::BatchMean, &[1.0, 0.0, 0.0, 0.0], replay);
        assert!(
            (loss - expected).abs() < 1e-6,
            "{loss} instead of {expected}"
        );
    }
    let all_wrong = first_loss(LabelPrior::BatchMean, &[0.0; 4], false);
    assert!(
        (all_wrong + (5.0f64 / 6.0).ln()).abs() < 1e-6,
        "finite where no label is right"
    );
}

/// Four responses to one prompt and four to another, with these labels.
fn two_groups(labels: [f32; 8]) -> Vec<toy::Example> {
    let mut data = examples(0, 8);
    let prompts = [vec![1, 2], vec![2, 1]];
    for (i, (example, label)) in data.iter_mut().zip(labels).enumerate() {
        example.prompt = prompts[i / 4].clone();
        example.label = label;
    }
    data
}

fn config(prior: LabelPrior, replay: bool) -> PrmConfig {
    PrmConfig {
        prior,
        one_class: false,
        lr: 1e-3,
        replay: replay.then_some(ReplayConfig {
            steps: 3,
            mini_batches: 1,
            batch_size: 64,
        }),
        ..PrmConfig::default()
    }
}

#[test]
fn with_the_group_mean_each_prompt_has_its_own_odds_and_one_without_contrast_is_left_out() {
    let start = decoder(5);
    let entropy = |p: f64| -(p * p.ln() + (1.0 - p) * (1.0 - p).ln());
    for (labels, expected) in [
        (
            [1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0],
            (entropy(0.25) + entropy(0.5)) / 2.0,
        ),
        // The second prompt is left out of the mean as well.
        ([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], entropy(0.25)),
        ([1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0], entropy(0.75)),
    ] {
        for replay in [false, true] {
            let data = two_groups(labels);
            let mut prm = ImplicitPrm::new(&start, config(LabelPrior::GroupMean, replay)).unwrap();
            let done = prm.step(&Batch::of(&data).rollouts()).unwrap();
            let loss = done.losses[0];
            assert!(
                (loss - expected).abs() < 1e-6,
                "{labels:?}: {loss} instead of {expected}"
            );
            assert_eq!(
                (done.rewards.len(), done.scores_before_update.len()),
                (8, 8)
            );
        }
    }
}

/// A right and three wrong responses that are the same text share everything: nothing is to be learned, and without the prior
/// all of it is pushed down.
#[test]
fn what_right_and_wrong_responses_share_carries_no_blame() {
    let start = decoder(5);
    let mut data = two_groups([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    for i in 0..8 {
        data[i].response = data[i / 4 * 4].response.clone();
    }
    let after = |prior| {
        let mut prm = ImplicitPrm::new(&start, config(prior, false)).unwrap();
        let done = prm.step(&Batch::of(&data).rollouts()).unwrap();
        let rewards = prm.score(&Batch::of(&data).sequences(), &[]).unwrap();
        let blame: f32 = rewards.iter().flatten().sum();
        (done.grad_norms[0], blame)
    };
    let (norm, _) = after(LabelPrior::GroupMean);
    assert!(norm < 1e-6, "{norm}");
    let (norm, blame) = after(LabelPrior::None);
    assert!(norm > 1e-2 && blame < -1e-3, "{norm} {blame}");
}

#[test]
fn one_class_alone_teaches_nothing_unless_it_is_asked_for() {
    let start = decoder(5);
    for label in [0.0, 1.0] {
        let data = two_groups([label; 8]);
        for prior in [
            LabelPrior::None,
            LabelPrior::BatchMean,
            LabelPrior::GroupMean,
        ] {
            for replay in [false, true] {
                let mut prm = ImplicitPrm::new(&start, config(prior, replay)).unwrap();
                let done = prm.step(&Batch::of(&data).rollouts()).unwrap();
                assert!(done.losses.is_empty(), "{prior:?} {replay}");
                assert!(done.rewards.iter().flatten().all(|&r| r == 0.0));
                let after = prm.score(&Batch::of(&data).sequences(), &[]).unwrap();
                assert!(
                    after.iter().flatten().all(|&r| r == 0.0),
                    "{prior:?} {replay}"
                );
            }
        }
        let published = PrmConfig {
            one_class: true,
            ..config(LabelPrior::None, false)
        };
        let mut prm = ImplicitPrm::new(&start, published).unwrap();
        let done = prm.step(&Batch::of(&data).rollouts()).unwrap();
        assert_eq!(done.losses.len(), 1);
    }
}

#[test]
fn what_was_kept_is_learned_from_once_there_is_another_class() {
    let start = decoder(5);
    let mut prm = ImplicitPrm::new(&start, config(LabelPrior::None, true)).unwrap();
    let wrong = two_groups([0.0; 8]);
    assert!(
        prm.step(&Batch::of(&wrong).rollouts())
            .unwrap()
            .losses
            .is_empty()
    );
    let mixed = two_groups([1.0; 8]);
    let done = prm.step(&Batch::of(&mixed).rollouts()).unwrap();
    // Eight of each class at ½: the earlier ones are among them.
    assert!(
        (done.losses[0] - 2f64.ln()).abs() < 1e-6,
        "{:?}",
        done.losses
    );
}
