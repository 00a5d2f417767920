//! Takes out of a counterexample what has nothing to do with it.
//!
//! Shrinking cannot do this: it would end at a batch that lacks what the estimator
//! needs, and any law fails there.

use proptest::strategy::Just;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::compare::Verdict;
use super::edit::responses;
use crate::{AdvantageEstimator, OwnedBatch};

/// Drops inputs one by one, as long as the batch still fails the test and the estimator
/// takes it as it took the whole one. Also says what was found in what is left.
pub(super) fn tidied(
    estimator: &dyn AdvantageEstimator,
    test: &impl Fn(&OwnedBatch) -> Verdict,
    mut batch: OwnedBatch,
    mut found: String,
) -> (OwnedBatch, String) {
    let taken = |batch: &OwnedBatch| {
        // Panics become errors here, too.
        caught(batch, &|batch| {
            let borrowed = batch.borrow().map_err(|error| error.to_string())?;
            let result = estimator.estimate(&borrowed);
            result.map(drop).map_err(|error| error.to_string())
        })
    };
    let before = taken(&batch);
    let drops: [fn(&mut OwnedBatch); 8] = [
        |batch| responses(batch).for_each(|r| r.named_rewards.clear()),
        |batch| responses(batch).for_each(|r| r.importance_weights = None),
        |batch| responses(batch).for_each(|r| r.sum_pi_squared = None),
        |batch| responses(batch).for_each(|r| r.ref_log_probs = None),
        |batch| responses(batch).for_each(|r| r.old_log_probs = None),
        |batch| responses(batch).for_each(|r| r.values = None),
        |batch| responses(batch).for_each(|r| r.process_rewards = None),
        |batch| batch.groups.iter_mut().for_each(|g| g.greedy = None),
    ];
    for drop in drops {
        let mut smaller = batch.clone();
        drop(&mut smaller);
        if smaller != batch
            && taken(&smaller).is_ok() == before.is_ok()
            && let Err(still) = caught(&smaller, test)
        {
            (batch, found) = (smaller, still);
        }
    }
    (batch, found)
}

fn caught(batch: &OwnedBatch, test: &impl Fn(&OwnedBatch) -> Verdict) -> Verdict {
    let config = Config {
        cases: 1,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&Just(batch.clone()), |batch| {
            test(&batch).map_err(TestCaseError::fail)
        })
        .map_err(|error| match error {
            proptest::test_runner::TestError::Fail(reason, _)
            | proptest::test_runner::TestError::Abort(reason) => reason.to_string(),
        })
}
