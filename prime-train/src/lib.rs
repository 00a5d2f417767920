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
//! let sheet: Vec<String> = problem.ground_truth.chars().map(String::from).collect();
//! assert_eq!(task.mark(&problem, &sheet, task.pass_mark()).outcome, 1.0);
//! # Ok::<(), prime_train::error::ConfigError>(())
//! ```

pub mod config;
pub mod data;
pub mod error;
mod files;
pub mod metrics;
pub mod progress;
pub mod report;
pub mod rng;
pub mod summary;
