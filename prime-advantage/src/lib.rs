//! Rewards in, advantages out.
//!
//! **In:** a [`RewardBatch`]: groups of responses to the same prompt, each
//! response with an outcome reward and, where they exist, per-token process
//! rewards, values, log-probabilities and a mask. **Out:** an [`Advantages`]: one
//! number per response token, ragged like the input.
//!
//! **Deliberately unknown here:** tokens, text, models, devices, files. Everything is
//! a borrowed slice of `f32` ([`OwnedBatch`] is the same with numbers of its own);
//! sums run in `f64`.
//!
//! An estimator is anything that implements [`AdvantageEstimator`]; the ones
//! shipped are plain structs with public knobs, and [`EstimatorConfig`] selects
//! one by name from a config file, [`Registry`] also one of yours. [`Prime`] combines
//! any two of them, one for each kind of reward.
//!
//! ```
//! use prime_advantage::{AdvantageEstimator, Prime, PromptGroup, Response, RewardBatch};
//!
//! let (right, wrong) = ([0.3, -0.1], [-0.2, 0.0, -0.4]);
//! let group = PromptGroup::new(vec![
//!     Response::new(2, 1.0).with_process_rewards(&right),
//!     Response::new(3, 0.0).with_process_rewards(&wrong),
//! ])?;
//! let batch = RewardBatch::new(vec![group])?;
//! let result = Prime::paper().estimate(&batch)?;
//! for response in result.iter() {
//!     println!("{:?}", response.advantages());
//! }
//! # Ok::<(), prime_advantage::AdvantageError>(())
//! ```
//!
//! # What holds for every estimator
//! - A token whose mask is `false` gets advantage and return exactly `0.0`.
//! - A group whose outcome rewards are all equal gets exactly `0.0` from estimators
//!   that compare within the group and do not whiten.
//! - An empty response has no advantages. Its outcome reward still counts in its
//!   group's baseline; its process-token mean counts as `0.0`.
//! - Inputs of magnitude up to 1e30 give finite results, for coefficients up to 10 and
//!   up to 100,000 tokens a response. No result ever holds NaN or infinity: one that
//!   does not fit an `f32` is an error that names the token.
//! - The same batch and knobs give the same bits, on one core or many.
//!
//! # Feature flags
//! None is on by default.
//! - `rayon`: estimates on all cores.
//! - `proptest`: the modules `strategies`, which generate batches, and `laws`, which
//!   property-test an estimator, ours or yours.
//!
//! # What may change
//! Structs and enums that may grow are `#[non_exhaustive]`: knobs are set with
//! `with_…` methods. Numbers may change in the last bits between versions; the formulas
//! and what they equal ([`AdvantageEstimator`] implementors name it) do not.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod advantages;
mod batch;
mod config;
mod error;
mod estimator;
mod estimators;
mod filter;
mod kernel;
mod kl;
mod kl_in_reward;
mod knobs;
#[cfg(feature = "proptest")]
pub mod laws;
mod moments;
mod overlong;
mod owned;
mod packed;
mod parallel;
mod prime;
mod registry;
mod response;
mod returns;
mod scores;
#[cfg(feature = "proptest")]
pub mod strategies;
mod token_rewards;
mod whiten;

pub use advantages::{Advantages, GroupAdvantages, ResponseAdvantages};
pub use batch::{Place, PromptGroup, RewardBatch};
pub use config::{EstimatorConfig, Term};
pub use error::{AdvantageError, ResponseField};
pub use estimator::{AdvantageEstimator, ProcessHalf};
pub use estimators::{
    Baseline, Gae, Gdpo, Gpg, Grpo, GrpoPassk, LooScaling, Opo, OptimalTokenBaseline, Reinforce,
    ReinforcePlusPlus, ReinforcePlusPlusBaseline, Remax, Rloo, ValueBaseline,
};
pub use filter::{FilterCounts, FilterReport, GroupVerdict, PromptFilter};
pub use kl::{KlEstimator, kl_shaped_rewards};
pub use kl_in_reward::{AdaptiveKl, KlInReward, KlPlacement, KlShaped};
pub use overlong::OverlongPenalty;
pub use owned::{OwnedBatch, OwnedGroup, OwnedResponse};
pub use prime::{Prime, ProcessNorm};
pub use registry::Registry;
pub use response::{NamedReward, Response};
pub use returns::returns_to_go;
pub use scores::{Affine, ScoreEstimator, ScoredGroup, Scores, Singleton};
pub use whiten::masked_whiten;

/// Compiles the README's examples.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
