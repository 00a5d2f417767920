//! Laws of estimators, each tested on random batches in one line.
//!
//! ```
//! use prime_advantage::*;
//!
//! /// Reward less the group's median.
//! #[derive(Debug)]
//! struct Median;
//!
//! impl AdvantageEstimator for Median {
//!     fn name(&self) -> &str {
//!         "median"
//!     }
//!     fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
//!         self.estimate_scores(batch)
//!     }
//! }
//!
//! impl ScoreEstimator for Median {
//!     fn maps(&self, scores: &Scores) -> Result<Vec<Affine>, AdvantageError> {
//!         scores.map_groups(self.name(), Singleton::Zero, |group| {
//!             let mut sorted = group.scores().to_vec();
//!             sorted.sort_by(f64::total_cmp);
//!             let (low, high) = (sorted[(group.len() - 1) / 2], sorted[group.len() / 2]);
//!             vec![Affine::less((low + high) / 2.0); group.len()]
//!         })
//!     }
//! }
//!
//! // In your tests:
//! laws::universal(&Median)?;
//! laws::shift_invariance(&Median)?;
//! laws::zero_variance(&Median)?;
//! laws::pair_antisymmetry(&Median)?;
//!
//! // A median is no mean, and the law finds the smallest group that shows it.
//! let broken = laws::zero_mean(&Median).unwrap_err();
//! let counterexample = broken.counterexample().expect("a batch");
//! assert_eq!(counterexample.groups[0].responses.len(), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | law | in words | who obeys |
//! |---|---|---|
//! | [`shape`] | one number per token | all |
//! | [`determinism`] | the same batch, the same bits | all |
//! | [`permutation`] | the order of responses names nothing | all |
//! | [`group_permutation`] | the order of groups names nothing | all |
//! | [`masked_tokens`] | masked tokens get 0.0 and have no say | all |
//! | [`padding`] | masked tokens at the end change nothing | all |
//! | [`process_only`] | outcomes of process-only groups have no say | all |
//! | [`finite`] | finite in, finite out | all |
//! | [`universal`] | all of the above | all |
//! | [`gaps`] | masked tokens take no time | those that do not count positions |
//! | [`shift_invariance`] | `r + c` in a group: the same advantages | those with a group baseline |
//! | [`scale_equivariance`] | `r · c`: advantages times `c` | those that do not normalise |
//! | [`scale_invariance`] | `r · c`: the same advantages | those that normalise, with ε = 0 |
//! | [`zero_variance`] | equal rewards give exactly 0.0 | those with a group baseline |
//! | [`zero_mean`] | a group's advantages add up to 0 | those whose baseline is the mean |
//! | [`pair_antisymmetry`] | in a group of two, `A_1 = −A_2` | those whose baseline is the mean |
//! | [`gae_lambda_one`] | advantage = return − value | GAE with λ = 1 |
//! | [`gae_lambda_zero`] | advantage = TD error | GAE with λ = 0 |
//! | [`prime_without_process`] | no process rewards: the outcome estimator | PRIME |
//!
//! Each is also a method of [`Laws`], which sets the batches' shape, their number and
//! the seed. A law runs on the same batches every time.
//!
//! # When two numbers are the same
//! Where the arithmetic must be the same, a law compares bits. Elsewhere a sum may be
//! taken in another order, and two numbers count as equal if they differ by no more than
//! [`TOLERANCE`] of the largest number in either result, or by a hundredth of
//! [`TOLERANCE`] more where all results are about 0. The batches' numbers are tenths and
//! hundredths of order 1 (eighths where a law must add or multiply without rounding), so
//! that rounding even in `f32` stays well below and a wrong formula is well above.

mod broken;
mod compare;
mod edit;
mod everyone;
mod finite;
mod gae;
mod masks;
mod order;
mod outcomes;
mod prime;
mod structure;
mod tidy;
mod transforms;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

pub use broken::{LawBroken, LawsBroken};
pub use compare::TOLERANCE;
pub use everyone::universal;
pub use finite::{PROMISED_MAGNITUDE, finite};
pub use gae::{gae_lambda_one, gae_lambda_zero};
pub use masks::{gaps, masked_tokens, padding};
pub use order::{group_permutation, permutation};
pub use outcomes::{pair_antisymmetry, zero_mean, zero_variance};
pub use prime::prime_without_process;
pub use structure::{determinism, process_only, shape};
pub use transforms::{scale_equivariance, scale_invariance, shift_invariance};

use crate::knobs::knobs;
use crate::strategies::{BatchShape, reward_batches};
use crate::{AdvantageEstimator, OwnedBatch};
use compare::Verdict;
use tidy::tidied;

/// How laws are tested; the functions of this module test them with the defaults.
///
/// ```
/// use prime_advantage::laws::Laws;
/// use prime_advantage::strategies::{BatchShape, RewardKind};
/// use prime_advantage::GrpoPassk;
///
/// let binary = BatchShape::default().with_rewards(RewardKind::Binary);
/// let laws = Laws::default().with_batches(binary).with_cases(100);
/// laws.shift_invariance(&GrpoPassk::default())?;
/// # Ok::<(), prime_advantage::laws::LawBroken>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Laws {
    /// What batches are like. A law overrides what it is about: the group size, say,
    /// for [`Laws::pair_antisymmetry`].
    pub batches: BatchShape,
    /// How many batches a law sees. Default: proptest's, 256 unless the environment
    /// variable `PROPTEST_CASES` says otherwise.
    pub cases: u32,
    /// Other seeds, other batches. Default: 0.
    pub seed: u64,
}

impl Default for Laws {
    fn default() -> Self {
        Self {
            batches: BatchShape::default(),
            cases: Config::default().cases,
            seed: 0,
        }
    }
}

knobs!(Laws {
    with_batches(batches: BatchShape);
    with_cases(cases: u32);
    with_seed(seed: u64);
});

/// Enough to take the default batches down to a group or two and round numbers.
const SHRINK_STEPS: u32 = 8_192;

impl Laws {
    /// Puts batches of a shape, once they are prepared, to the test.
    fn check(
        &self,
        law: &'static str,
        estimator: &dyn AdvantageEstimator,
        shape: BatchShape,
        prepare: impl Fn(&mut OwnedBatch),
        test: impl Fn(&OwnedBatch) -> Verdict,
    ) -> Result<(), LawBroken> {
        let config = Config {
            cases: self.cases,
            // A seed that failed once fails again: there is nothing to remember.
            failure_persistence: None,
            max_shrink_iters: SHRINK_STEPS,
            ..Config::default()
        };
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let batches = reward_batches(shape).prop_map(|mut batch| {
            prepare(&mut batch);
            batch
        });
        let verdict = TestRunner::new_with_rng(config, rng)
            .run(&batches, |batch| test(&batch).map_err(TestCaseError::fail));
        let (found, counterexample) = match verdict {
            Ok(()) => return Ok(()),
            Err(TestError::Fail(reason, batch)) => {
                let (batch, found) = tidied(estimator, &test, batch, reason.to_string());
                (found, Some(batch))
            }
            Err(TestError::Abort(reason)) => (format!("the test stopped: {reason}"), None),
        };
        Err(LawBroken {
            law,
            estimator: estimator.name().to_owned(),
            found,
            counterexample,
        })
    }
}
