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
