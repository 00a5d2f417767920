//! Rewards in, advantages out.
//!
//! **In:** a [`RewardBatch`]: groups of responses to the same prompt, each
//! response with an outcome reward and, where they exist, per-token process
//! rewards, values and a mask. **Out:** an [`Advantages`]: one number per
//! response token, ragged like the input.
//!
//! **Deliberately unknown here:** tokens, text, log-probability tensors, devices,
//! files. Everything is a borrowed slice of `f32`; sums run in `f64`.
//!
//! An estimator is anything that implements [`AdvantageEstimator`]; the ones
//! shipped are plain structs with public knobs, and [`EstimatorConfig`] selects
//! one by name from a config file.
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
//! - A group whose outcome rewards are all equal gets an outcome term of exactly
//!   `0.0` from RLOO, GRPO and REINFORCE with a group mean.
//! - An empty response has no advantages. Its outcome reward still counts in its
//!   group's baseline; its process-token mean counts as `0.0`.
//! - No result holds NaN or infinity: it is an error that names the token.

mod advantages;
mod batch;
mod config;
mod error;
mod estimator;
mod filter;
mod gae;
mod grpo;
mod kl;
mod outcome;
mod prime;
mod reinforce;
mod response;
mod rloo;
mod transform;

pub use advantages::{Advantages, GroupAdvantages, ResponseAdvantages};
pub use batch::{PromptGroup, RewardBatch};
pub use config::EstimatorConfig;
pub use error::{AdvantageError, ResponseField};
pub use estimator::AdvantageEstimator;
pub use filter::{FilterCounts, FilterReport, GroupVerdict, PromptFilter};
pub use gae::Gae;
pub use grpo::Grpo;
pub use kl::{KlEstimator, kl_shaped_rewards};
pub use prime::{LooScaling, OutcomeTerm, Prime, ProcessNorm, ProcessTerm};
pub use reinforce::{Baseline, Reinforce};
pub use response::Response;
pub use rloo::Rloo;
pub use transform::{masked_whiten, returns_to_go};

/// Compiles the README's examples.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
