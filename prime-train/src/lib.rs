//! The training loop around the PRIME crates.
//!
//! **In:** a TOML configuration ([`config`]), a task or a data file ([`data`]).
//! **Out:** a run folder: the resolved configuration, one line of [`metrics`] a step, sampled
//! transcripts, a [`summary`] and a self-contained HTML [`report`].
//!
//! This is the only crate that knows files, the command line and all the other crates. It
//! deliberately does not know how an advantage is computed, how an answer is judged or what a
//! decoder looks like: those live in the crates below it, and the loop only calls them.
//!
//! # Example
//!
//! ```
//! use prime_train::config::{Layer, resolve};
//! use prime_train::data::tasks::{Split, TaskName};
//!
//! let config = resolve(&[Layer::preset("paper"), Layer::set("rl.steps=5")?])?;
//! assert_eq!((config.rl.steps, config.prm.beta), (5, 0.05));
//!
//! let task = TaskName::Exam.build();
//! let problem = task.problem(config.seed, Split::Eval, 0);
//! let verdict = task.verifier(task.pass_mark())?.verify(&problem.ground_truth, &problem.ground_truth);
//! assert_eq!(verdict.score(), Some(1.0));
//! # Ok::<(), prime_train::error::ConfigError>(())
//! ```

mod activity;
pub mod checkpoint;
pub mod cli;
mod code_args;
pub mod compare;
pub mod config;
pub mod data;
pub mod doctor;
pub mod error;
pub mod eval;
mod files;
mod generate;
pub mod memory;
mod memory_limit;
pub mod metrics;
mod model_argument;
mod not_finite;
mod opening;
pub mod preflight;
pub mod progress;
pub mod replay;
pub mod report;
mod response_text;
pub mod reward;
pub mod rng;
pub mod run;
mod setup;
pub mod sft;
pub mod signals;
mod start;
mod stdout;
pub mod step;
pub mod summary;
pub mod tensorboard;
pub mod unjudged;
pub mod verify;
pub mod view;
mod watch;

#[cfg(all(doctest, feature = "flex"))]
#[doc = include_str!("../README.md")]
struct ReadMe;
