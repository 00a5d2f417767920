//! An estimator from outside the crate, used like ours.

mod common;

use std::sync::Arc;

use common::own::{FirstToken, Median, Myopic, dense};
use common::{assert_same_bits, assert_words, batch, group, run};
use prime_advantage::*;

#[test]
fn alone() {
    let found = run(&Median::default(), &dense());
    assert_eq!(found.advantages(), [0.5, 0.5, 0.5, -0.5, -0.5, 0.0]);
    let found = run(&FirstToken {}, &dense());
    assert_eq!(found.advantages(), [1.0, 0.0, 0.0, 0.0, 0.0, 0.5]);
    let one = batch(vec![group(&[1], &[1.0])]);
    let error = Median::default()
        .estimate(&one)
        .expect_err("a group of one");
    assert!(error.to_string().starts_with("median compares"), "{error}");
}

#[test]
fn as_the_outcome_half() {
    let without_process = Prime::paper().with_process_coef(0.0).with_outcome_coef(2.0);
    let prime = without_process.clone().with_outcome(Median { scale: 3.0 });
    let found = run(&prime, &dense());
    assert_eq!(found.advantages(), [3.0, 3.0, 3.0, -3.0, -3.0, 0.0]);
    // Token by token where it is no score: discounted from the last token back.
    let prime = without_process
        .with_outcome(FirstToken {})
        .with_outcome_gamma(0.5);
    let found = run(&prime, &dense());
    assert_eq!(found.advantages(), [0.5, 0.0, 0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn as_the_process_half() {
    // Token means 1.25/3, 0.125 and 0.5: the first is the median.
    let prime = Prime::paper()
        .with_outcome_coef(0.0)
        .with_process(Median { scale: 2.0 });
    let found = run(&prime, &dense());
    let to_go = [1.25, 0.75, 1.0, 0.25, -0.25, 0.5];
    let left = [3.0, 2.0, 1.0, 2.0, 1.0, 1.0];
    for (t, &found) in found.advantages().iter().enumerate() {
        let expected = 2.0 * (to_go[t] - left[t] * 1.25 / 3.0);
        common::assert_close("median", &format!("[{t}]"), found, expected);
    }
    let prime = Prime::paper()
        .with_outcome(FirstToken {})
        .with_process(Myopic {})
        .with_process_coef(2.0);
    let found = run(&prime, &dense());
    assert_eq!(found.advantages(), [2.0, -0.5, 2.0, 1.0, -0.5, 1.5]);
    assert_eq!(
        found.returns(),
        [7.0; 6],
        "a critic's targets are PRIME's returns"
    );
}

/// Without a word on process rewards it cannot be the process half.
#[test]
fn unsupported_as_the_process_half() {
    let prime = Prime::paper().with_process(FirstToken {});
    let error = prime.validate().expect_err("unsupported");
    assert!(matches!(
        error,
        AdvantageError::Conflict { owner: "prime", .. }
    ));
    assert_words(
        &error,
        &[
            "`first_token`",
            "AdvantageEstimator::process_half",
            "another `process`",
        ],
    );
    assert_eq!(prime.estimate(&dense()), Err(error));
    assert_eq!(prime.with_process_coef(0.0).validate(), Ok(()));
}

/// Behind a pointer nothing of it is lost.
#[test]
fn pointers_delegate() {
    #[track_caller]
    fn check(pointer: impl AdvantageEstimator, original: &dyn AdvantageEstimator) {
        let values = [0.25f32; 3];
        let groups = dense().into_groups().remove(0);
        let members = groups.responses().iter();
        let members = members.map(|r| r.with_values(&values[..r.len()]));
        let batch = batch(vec![members.collect()]);
        assert_eq!(pointer.name(), original.name());
        assert_eq!(pointer.uses_values(), original.uses_values());
        assert_eq!(
            pointer.as_scores().is_some(),
            original.as_scores().is_some()
        );
        let kind = |half: ProcessHalf<'_>| match half {
            ProcessHalf::Scores(_) => "scores",
            ProcessHalf::Tokens => "tokens",
            _ => "unsupported",
        };
        assert_eq!(kind(pointer.process_half()), kind(original.process_half()));
        assert_eq!(pointer.validate(), original.validate());
        let (found, expected) = (pointer.estimate(&batch), original.estimate(&batch));
        match (&found, &expected) {
            (Ok(found), Ok(expected)) => assert_same_bits(found, expected),
            _ => assert_eq!(found, expected),
        }
    }
    let ours = common::every_term()
        .into_iter()
        .map(Box::<dyn AdvantageEstimator>::from);
    let theirs: [Box<dyn AdvantageEstimator>; 3] = [
        Box::new(Median::default()),
        Box::new(FirstToken {}),
        Box::new(Myopic {}),
    ];
    let wrong: [Box<dyn AdvantageEstimator>; 1] = [Box::new(Gae::default().with_gamma(2.0))];
    for boxed in ours.chain(theirs).chain(wrong) {
        let original: &dyn AdvantageEstimator = &*boxed;
        check(original, original);
        check(Box::new(original), original);
        check(Arc::new(original), original);
    }
    let shared: Arc<dyn AdvantageEstimator> = Arc::new(Median::default());
    let boxed: Box<dyn AdvantageEstimator> = Box::new(Median::default());
    let prime = Prime::paper().with_outcome(shared).with_process(boxed);
    let by_value = Prime::paper()
        .with_outcome(Median::default())
        .with_process(Median::default());
    assert_same_bits(&run(&prime, &dense()), &run(&by_value, &dense()));
}
