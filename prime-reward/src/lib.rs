//! The implicit process reward model of PRIME (arXiv 2502.01456).
//!
//! **Comes in:** sampled responses as token ids, their outcome labels in [0, 1], and the log-probs of the policy that
//! sampled them. **Goes out:** one reward per token, r_t = β·(log π_φ − log π_ref), from a language model π_φ that
//! starts as a copy of the policy and learns from the labels alone, online.
//!
//! This crate deliberately does not know where labels come from, what an advantage is, or which architecture π_φ has:
//! it sees any [`prime_policy::CausalLm`].
//!
//! ```
//! use burn::tensor::Device;
//! use prime_policy::{DecoderConfig, Sequence};
//! use prime_reward::{ImplicitPrm, PrmConfig, Rollout};
//!
//! let policy = DecoderConfig::new(11, 16, 32, 1, 2).init(&Device::flex().autodiff())?;
//! let mut prm = ImplicitPrm::new(&policy, PrmConfig { lr: 1e-3, ..PrmConfig::default() })?;
//! let sequence = Sequence { prompt: &[1, 5], response: &[7, 2] };
//! let log_probs = prm.log_probs(&[sequence.clone()])?;
//! let rollout = Rollout { sequence, label: 1.0, policy_log_probs: &log_probs[0] };
//! let step = prm.step(&[rollout.clone()])?;
//! assert_eq!(step.rewards[0], [0.0, 0.0]); // a fresh PRM equals its reference
//! let step = prm.step(&[rollout])?;
//! assert!(step.rewards[0].iter().sum::<f32>() > 0.0); // it has learned that this response was right
//! # Ok::<(), prime_reward::RewardError>(())
//! ```
mod config;
mod error;
mod implicit;
mod metrics;
mod objective;
mod prm;
mod rank;
mod replay;

pub use config::{LabelPrior, PrmConfig, Reference, ReplayConfig, UpdateOrder};
pub use error::RewardError;
pub use implicit::{Granularity, TokenRewardConfig, token_rewards};
pub use metrics::{group_ranking, pair_accuracy, sign_accuracy};
pub use objective::{CrossEntropy, PrmLoss, PrmObjective};
pub use prm::{ImplicitPrm, PrmStep, Rollout};
pub use rank::auc;
pub use replay::{LabelledRollout, ReplayBuffer};

#[cfg(all(doctest, feature = "flex"))]
#[doc = include_str!("../README.md")]
struct ReadMe;
