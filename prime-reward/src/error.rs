//! Everything that can go wrong in this crate.

use std::path::PathBuf;

/// An error of prime-reward.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RewardError {
    /// The language model underneath failed.
    #[error("implicit PRM: {0}")]
    Model(#[from] prime_policy::PolicyError),
    /// Two inputs that describe the same tokens have different lengths.
    #[error("{what} of rollout {rollout}: expected {expected} values (one per response token), got {found}")]
    LengthMismatch {
        /// The input.
        what: &'static str,
        /// Position in the batch.
        rollout: usize,
        /// Length of the response.
        expected: usize,
        /// Length given.
        found: usize,
    },
    /// An outcome label is not a probability.
    #[error("outcome label of rollout {rollout} is {label}; it must be in [0, 1]")]
    Label {
        /// Position in the batch.
        rollout: usize,
        /// The value given.
        label: f32,
    },
    /// A setting is out of range.
    #[error("prm.{name} is {value}; accepted: {accepted}")]
    Config {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What would be accepted.
        accepted: &'static str,
    },
    /// There is nothing to work on.
    #[error("no rollouts were given")]
    Empty,
    /// A saved state could not be read or written.
    #[error("{path}: {reason}", path = path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
}
