//! One estimator a file. They know the batch and the shared transforms, not each other.

/// The part of `AdvantageEstimator` that every `ScoreEstimator` has in common.
macro_rules! score_estimator {
    ($estimator:ty, $name:literal) => {
        impl crate::AdvantageEstimator for $estimator {
            fn name(&self) -> &str {
                $name
            }

            fn estimate(
                &self,
                batch: &crate::RewardBatch<'_>,
            ) -> Result<crate::Advantages, crate::AdvantageError> {
                crate::ScoreEstimator::estimate_scores(self, batch)
            }

            fn validate(&self) -> Result<(), crate::AdvantageError> {
                self.check()
            }

            fn process_half(&self) -> crate::ProcessHalf<'_> {
                crate::ProcessHalf::Scores(self)
            }

            fn as_scores(&self) -> Option<&dyn crate::ScoreEstimator> {
                Some(self)
            }
        }
    };
}

mod gae;
mod gdpo;
mod gpg;
mod grpo;
mod grpo_passk;
mod opo;
mod optimal_token_baseline;
mod reinforce;
mod reinforce_plus_plus;
mod reinforce_plus_plus_baseline;
mod remax;
mod rloo;
mod value_baseline;

pub use gae::Gae;
pub use gdpo::Gdpo;
pub use gpg::Gpg;
pub use grpo::Grpo;
pub use grpo_passk::GrpoPassk;
pub use opo::Opo;
pub use optimal_token_baseline::OptimalTokenBaseline;
pub use reinforce::{Baseline, Reinforce};
pub use reinforce_plus_plus::ReinforcePlusPlus;
pub use reinforce_plus_plus_baseline::ReinforcePlusPlusBaseline;
pub use remax::Remax;
pub use rloo::{LooScaling, Rloo};
pub use value_baseline::ValueBaseline;
