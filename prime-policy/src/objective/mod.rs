//! Losses of the policy and the critic, one family a file.
//!
//! A [`PolicyObjective`] turns the log-probs and advantages of one micro-batch ([`ObjectiveInput`]) into a loss per
//! token; a [`LossAggregation`] makes one number of them. [`ObjectiveConfig`] chooses an objective by name.
//!
//! | `objective` | type | published as | reads |
//! |---|---|---|---|
//! | `ppo_clip` (`vanilla`) | [`PpoClip`] | PPO (Schulman et al. 2017), dual clip (Ye et al. 2020), clip-higher (DAPO, Yu et al. 2025) | tokens |
//! | `gspo` | [`Gspo`] | Zheng et al. 2025, arXiv 2507.18071 | responses |
//! | `sapo` | [`Sapo`] | Gao et al. 2025, arXiv 2511.20347 | tokens |
//! | `cispo` | [`Cispo`] | MiniMax-M1, arXiv 2506.13585 | tokens |
//! | `gmpo` (`geo_mean`) | [`Gmpo`] | Zhao et al. 2025, arXiv 2507.20673 | responses |
//! | `clip_cov` | [`ClipCov`] | Cui et al. 2025, arXiv 2505.22617 | micro-batch |
//! | `kl_cov` | [`KlCov`] | Cui et al. 2025, arXiv 2505.22617 | micro-batch |
//! | `dppo_tv`, `dppo_kl` | [`DppoTv`], [`DppoKl`] | arXiv 2602.04879 | tokens |
//! | `dro` | [`Dro`] | Richemond et al. 2024, arXiv 2405.19107 | tokens |
//! | `gpg` | [`Gpg`] | Chu et al. 2025, arXiv 2504.02546 | tokens |
//! | `reinforce` | [`Reinforce`] | Williams 1992 | tokens |
//!
//! The last column says what a token's loss depends on, and so what cutting a mini-batch into micro-batches does to it.
//! *tokens*: on that token alone; any cut gives the same sum. *responses*: on all tokens of its response, which must
//! stand in one row of the tensors, as a [`SequenceBatch`](crate::SequenceBatch) lays them out; any cut between rows
//! gives the same sum. *micro-batch*: on statistics of all tokens that are handed over together, so that the cut changes
//! the result. The reference (verl `core_algos.py`) takes them per micro-batch too.
//!
//! Every loss may be weighted by importance weights for rollouts of another policy ([`ImportanceWeights`]).

mod aggregate;
mod all_actions;
mod cispo;
mod clip_cov;
mod config;
mod covariance;
mod dppo;
mod dro;
mod gmpo;
mod gspo;
mod importance;
mod input;
mod kl;
mod kl_cov;
mod ppo;
mod range;
mod reinforce;
mod sapo;
mod surrogate;
mod value;

use std::fmt::Debug;

pub use aggregate::{BatchTotals, LossAggregation};
pub use all_actions::AllActions;
pub use cispo::Cispo;
pub use clip_cov::ClipCov;
pub use config::ObjectiveConfig;
pub use dppo::{DppoKl, DppoTv};
pub use dro::Dro;
pub use gmpo::Gmpo;
pub use gspo::Gspo;
pub use importance::{ImportanceLevel, ImportanceWeights};
pub use input::{ObjectiveInput, TokenLoss};
pub use kl::KlEstimator;
pub use kl_cov::KlCov;
pub use ppo::PpoClip;
pub use reinforce::{Gpg, Reinforce};
pub use sapo::Sapo;
pub use value::ClippedValueLoss;

use crate::error::PolicyError;

/// A policy-gradient loss: turns log-probs and advantages into a per-token loss.
pub trait PolicyObjective: Debug + Send + Sync {
    /// The name that configurations use.
    fn name(&self) -> &str;

    /// The loss of every token, importance weights included; lower is better.
    fn token_loss(&self, input: &ObjectiveInput) -> TokenLoss;

    /// The aggregation that the method is defined with, when it is not the user's choice.
    fn aggregation(&self) -> Option<LossAggregation> {
        None
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`PolicyError::Objective`] names the parameter, its value and what is accepted.
    fn validate(&self) -> Result<(), PolicyError> {
        Ok(())
    }
}
