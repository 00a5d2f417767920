//! What a broken law tells, and what it takes to be found.

use super::laws;
use super::wrappers::Made;
use prime_advantage::laws::{self as one_line, LawBroken, Laws};
use prime_advantage::strategies::BatchShape;
use prime_advantage::*;

/// A counterexample has no more in it than it takes: two responses of a token or two and
/// their outcomes.
#[test]
fn counterexamples_are_small() {
    let broken = laws().zero_mean(&GrpoPassk::default()).unwrap_err();
    let batch = broken.counterexample().expect("a batch");
    assert_eq!(batch.groups.len(), 1, "{broken}");
    let responses = &batch.groups[0].responses;
    assert_eq!(responses.len(), 2);
    for response in responses {
        assert!(response.tokens <= 2);
        assert!(response.named_rewards.is_empty() && response.values.is_none());
        assert!(response.process_rewards.is_none() && response.old_log_probs.is_none());
    }
    let json = serde_json::to_string(batch).unwrap();
    assert!(broken.to_string().ends_with(&json));
    assert_eq!(serde_json::from_str::<OwnedBatch>(&json).unwrap(), *batch);
    // `unwrap` prints this, not a heap of fields.
    assert_eq!(format!("{broken:?}"), broken.to_string());
}

/// An input that the estimator cannot do without stays in the counterexample.
#[test]
fn counterexamples_are_accepted() {
    let broken = laws().zero_mean(&Gae::default()).unwrap_err();
    let batch = broken.counterexample().expect("a batch");
    assert!(Gae::default().estimate(&batch.borrow().unwrap()).is_ok());
    assert!(!broken.found().contains("refuses"), "{broken}");
}

#[test]
fn the_same_batches_every_time() {
    let find = |laws: Laws| laws.zero_mean(&Opo::default()).unwrap_err();
    assert_eq!(find(laws()), find(laws()));
    let cases = |laws: &Laws| {
        let seen = std::sync::Arc::new(std::sync::Mutex::new(vec![]));
        let inner = seen.clone();
        let spy = Made::new("spy", move |batch| {
            inner.lock().unwrap().push(batch.token_count());
            Rloo::default().estimate(batch)
        });
        laws.shape(&spy).unwrap();
        seen.lock().unwrap().clone()
    };
    let few = laws().with_cases(30);
    assert_eq!(cases(&few).len(), 30);
    assert_eq!(cases(&few), cases(&few));
    assert_ne!(cases(&few), cases(&few.clone().with_seed(1)));
}

/// An estimator that refuses what it is given obeys nothing.
#[test]
fn refusing_is_no_way_out() {
    let refuses = Made::new("refuses", |_| Err(AdvantageError::EmptyBatch));
    let broken = one_line::universal(&refuses).unwrap_err();
    let names: Vec<&str> = broken.all().iter().map(LawBroken::law).collect();
    assert_eq!(
        names,
        [
            "shape",
            "determinism",
            "permutation",
            "group_permutation",
            "masked_tokens",
            "padding",
            "process_only",
            "finite"
        ]
    );
    assert!(broken.to_string().contains("it refuses the batch"));
    for name in names {
        assert!(broken.to_string().contains(&format!("`{name}`")), "{name}");
    }

    // Groups of one, for an estimator that compares.
    let single = Laws::default().with_batches(BatchShape::default().with_group_size(1..=1));
    let broken = single.permutation(&Rloo::default()).unwrap_err();
    assert!(broken.found().contains("at least 2"), "{broken}");
}

/// The functions are the methods.
#[test]
fn one_line_each() {
    let (rloo, gae) = (Rloo::default(), Gae::new(0.9, 1.0));
    let grpo = Grpo::default().with_epsilon(0.0);
    one_line::universal(&rloo).unwrap();
    one_line::shape(&rloo).unwrap();
    one_line::determinism(&rloo).unwrap();
    one_line::permutation(&rloo).unwrap();
    one_line::group_permutation(&rloo).unwrap();
    one_line::masked_tokens(&rloo).unwrap();
    one_line::padding(&rloo).unwrap();
    one_line::gaps(&rloo).unwrap();
    one_line::process_only(&rloo).unwrap();
    one_line::finite(&rloo).unwrap();
    one_line::shift_invariance(&rloo).unwrap();
    one_line::scale_equivariance(&rloo).unwrap();
    one_line::scale_invariance(&grpo).unwrap();
    one_line::zero_variance(&rloo).unwrap();
    one_line::zero_mean(&rloo).unwrap();
    one_line::pair_antisymmetry(&rloo).unwrap();
    one_line::gae_lambda_one(&gae, 0.9).unwrap();
    one_line::gae_lambda_zero(&Gae::new(0.9, 0.0), 0.9).unwrap();
    one_line::prime_without_process(&Prime::paper(), &rloo).unwrap();

    let boxed: Box<dyn AdvantageEstimator> = Box::new(rloo);
    one_line::permutation(&boxed).unwrap();
    let gae: &dyn AdvantageEstimator = &gae;
    let broken = [
        one_line::gaps(&OptimalTokenBaseline::default()),
        one_line::shift_invariance(gae),
        one_line::scale_equivariance(&grpo),
        one_line::scale_invariance(gae),
        one_line::zero_variance(gae),
        one_line::zero_mean(gae),
        one_line::pair_antisymmetry(gae),
        one_line::gae_lambda_one(gae, 0.8),
        one_line::gae_lambda_zero(gae, 0.9),
        one_line::prime_without_process(&Prime::orig(), &boxed),
    ];
    let laws: Vec<&str> = broken.map(|verdict| verdict.unwrap_err().law()).into();
    assert_eq!(
        laws,
        [
            "gaps",
            "shift_invariance",
            "scale_equivariance",
            "scale_invariance",
            "zero_variance",
            "zero_mean",
            "pair_antisymmetry",
            "gae_lambda_one",
            "gae_lambda_zero",
            "prime_without_process"
        ]
    );
}
