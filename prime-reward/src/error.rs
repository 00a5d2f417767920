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
    #[error(
        "{what} of rollout {rollout}: expected {expected} values (one per response token), got {found}"
    )]
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
    /// A list that describes rollouts has another length than the list of rollouts.
    #[error("{what}: expected {expected} lists (one per rollout), got {found}")]
    CountMismatch {
        /// The input.
        what: &'static str,
        /// Number of rollouts.
        expected: usize,
        /// Lists given.
        found: usize,
    },
    /// A log-ratio is not a finite number.
    #[error(
        "log-ratio of rollout {rollout}, token {token} is {value} (PRM log-prob {prm}, reference {reference}); both must be finite"
    )]
    NotFinite {
        /// Position in the batch.
        rollout: usize,
        /// Position in the response.
        token: usize,
        /// PRM minus reference.
        value: f32,
        /// log π_φ of the token.
        prm: f32,
        /// log π_ref of the token.
        reference: f32,
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
    /// The PRM is to learn, but no gradient can reach its start.
    #[error(
        "no parameter of the PRM's start takes gradients; build or load the model on an autodiff device (device.autodiff()), or set update = \"none\""
    )]
    NotTrainable,
    /// The PRM's start and its reference have different vocabularies.
    #[error(
        "the PRM starts from a model with {start} token ids, its reference has {reference}; both must share one tokenizer"
    )]
    Vocabulary {
        /// Token ids of the start.
        start: usize,
        /// Token ids of the reference.
        reference: usize,
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

impl RewardError {
    /// The same error with the position in the batch that a function of one response cannot know.
    pub(crate) fn in_rollout(mut self, number: usize) -> Self {
        if let Self::LengthMismatch { rollout, .. } | Self::NotFinite { rollout, .. } = &mut self {
            *rollout = number;
        }
        self
    }
}
