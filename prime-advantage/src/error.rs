//! What can be wrong with a batch, a knob or a result.

use std::fmt;

/// Everything this crate can refuse.
///
/// Indices are zero-based: `group` counts in the batch, `response` in its group,
/// `token` in its response.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AdvantageError {
    /// A batch without groups.
    #[error("the reward batch has no prompt groups; skip the update when the filter keeps none")]
    EmptyBatch,

    /// A group without responses.
    #[error("a prompt group has no responses; leave the prompt out instead")]
    EmptyGroup,

    /// Something was wrong inside the named group.
    #[error("prompt group {group}: {error}")]
    InGroup {
        /// Which group.
        group: usize,
        /// What was wrong in it.
        error: Box<AdvantageError>,
    },

    /// Something was wrong in a group's greedy response.
    #[error("the greedy response: {error}")]
    InGreedy {
        /// What was wrong in it; the response it counts is the greedy one.
        error: Box<AdvantageError>,
    },

    /// A group is not as large as the batch was said to be.
    #[error(
        "prompt group {group} has {size} response(s), expected {expected}; look for rows with a wrong prompt id"
    )]
    GroupSize {
        /// Which group.
        group: usize,
        /// Its responses.
        size: usize,
        /// The size required.
        expected: usize,
    },

    /// Responses of one batch name their rewards differently.
    #[error(
        "response {response} has named rewards [{found}], but the first response of the batch has [{expected}]; \
         give every response the same names in the same order"
    )]
    NamesDiffer {
        /// Which response of the group.
        response: usize,
        /// The names of the batch's first response.
        expected: String,
        /// Its own names.
        found: String,
    },

    /// Two rewards of one response have the same name.
    #[error("the reward `{name}` is given twice; add the two up or rename one")]
    NameTwice {
        /// The name.
        name: String,
    },

    /// A per-token slice does not have one entry per token.
    #[error("response {response} has {tokens} tokens but {found} {field}; pass one per token")]
    LengthMismatch {
        /// Which response of the group.
        response: usize,
        /// The slice of the wrong length.
        field: ResponseField,
        /// Tokens in the response.
        tokens: usize,
        /// Entries in the slice.
        found: usize,
    },

    /// NaN or infinity in an outcome reward.
    #[error(
        "response {response} has outcome reward {value}; drop the response or repair its verdict"
    )]
    OutcomeNotFinite {
        /// Which response of the group.
        response: usize,
        /// The offending reward.
        value: f32,
    },

    /// NaN or infinity in one of several named rewards.
    #[error(
        "response {response} has {value} as its reward `{name}`; drop the response or repair its verdict"
    )]
    NamedRewardNotFinite {
        /// Which response of the group.
        response: usize,
        /// The reward's name.
        name: String,
        /// The offending reward.
        value: f32,
    },

    /// NaN or infinity in a per-token input.
    #[error(
        "response {response} has {value} in its {field} at token {token}; drop the response or repair what made it"
    )]
    TokenNotFinite {
        /// Which response of the group.
        response: usize,
        /// The slice it was found in.
        field: ResponseField,
        /// The position in the response.
        token: usize,
        /// The offending number.
        value: f32,
    },

    /// A number that its field cannot hold.
    #[error(
        "response {response} has {value} in its {field} at token {token}, but each must be {range}"
    )]
    TokenOutOfRange {
        /// Which response of the group.
        response: usize,
        /// The slice it was found in.
        field: ResponseField,
        /// The position in the response.
        token: usize,
        /// The offending number.
        value: f32,
        /// What it may be, in words.
        range: &'static str,
    },

    /// An estimator that compares responses got too few of them.
    #[error(
        "{estimator} compares a response with the others of its prompt, but group {group} has {size} \
         response(s); sample at least {needed} per prompt, or use `reinforce`"
    )]
    GroupTooSmall {
        /// The estimator's name.
        estimator: String,
        /// Which group.
        group: usize,
        /// Its responses.
        size: usize,
        /// The least it needs.
        needed: usize,
    },

    /// A per-token input that the estimator cannot do without.
    #[error(
        "{estimator} needs {field}, but response {response} of group {group} has none; give every response \
         its own, or choose another estimator"
    )]
    MissingInput {
        /// The estimator's name.
        estimator: String,
        /// The missing slice.
        field: ResponseField,
        /// Which group.
        group: usize,
        /// Which response of it.
        response: usize,
    },

    /// ReMax without the response it compares with.
    #[error(
        "{estimator} subtracts the reward of a greedy response, but group {group} has none; add it with \
         `PromptGroup::with_greedy`"
    )]
    MissingGreedy {
        /// The estimator's name.
        estimator: String,
        /// Which group.
        group: usize,
    },

    /// A greedy response without the process rewards that the others have.
    #[error(
        "{estimator} compares token rewards, but the greedy response of group {group} has no process rewards; \
         add them, or give it length 0 where only its outcome reward is known"
    )]
    GreedyWithoutProcess {
        /// The estimator's name.
        estimator: String,
        /// Which group.
        group: usize,
    },

    /// A weight for a reward that the batch does not have.
    #[error(
        "{estimator}: there is a weight for `{name}`, but the batch has the rewards [{found}]; take the weight \
         out or rename it"
    )]
    UnknownReward {
        /// The estimator's name.
        estimator: String,
        /// The name with a weight.
        name: String,
        /// The names in the batch.
        found: String,
    },

    /// A configuration that selects no estimator.
    #[error("{message}")]
    Config {
        /// What is wrong with it, and the way out.
        message: String,
    },

    /// A knob outside its range.
    #[error("{owner}: `{knob}` is {value}, but must be {range}")]
    OutOfRange {
        /// The estimator or function that owns the knob.
        owner: &'static str,
        /// The knob.
        knob: &'static str,
        /// What it was set to.
        value: f64,
        /// What it may be, in words.
        range: &'static str,
    },

    /// Two knobs that contradict each other.
    #[error("{owner}: {problem}")]
    Conflict {
        /// The estimator that owns the knobs.
        owner: &'static str,
        /// Which knobs, and the way out.
        problem: String,
    },

    /// Whitening divides by a standard deviation, which needs two numbers.
    #[error(
        "whitening needs at least 2 policy tokens in the batch, found {found}; switch it off or enlarge the batch"
    )]
    TooFewToWhiten {
        /// Policy tokens found.
        found: usize,
    },

    /// Finite inputs whose result does not fit an `f32`.
    #[error(
        "the result at token {token} of response {response} in group {group} does not fit an f32; scale the rewards down"
    )]
    ResultNotFinite {
        /// Which group.
        group: usize,
        /// Which response of it.
        response: usize,
        /// Which token of that.
        token: usize,
    },

    /// Two slices that should have been equally long.
    #[error("`{name}` has {found} entries, expected {expected}")]
    SliceLength {
        /// The slice's name.
        name: &'static str,
        /// Its length.
        found: usize,
        /// The length it should have.
        expected: usize,
    },

    /// NaN, infinity or overflow in a plain slice.
    #[error("`{name}` has {value} at position {index}; it must be finite")]
    SliceNotFinite {
        /// The slice's name.
        name: &'static str,
        /// The position.
        index: usize,
        /// The offending number.
        value: f64,
    },

    /// For estimators outside this crate whose failure fits nothing above.
    #[error("{estimator}: {message}")]
    Estimator {
        /// The estimator's name.
        estimator: String,
        /// What went wrong, and the way out.
        message: String,
    },
}

/// A per-token input of a [`Response`](crate::Response).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseField {
    /// [`Response::with_process_rewards`](crate::Response::with_process_rewards).
    ProcessRewards,
    /// [`Response::with_values`](crate::Response::with_values).
    Values,
    /// [`Response::with_old_log_probs`](crate::Response::with_old_log_probs).
    OldLogProbs,
    /// [`Response::with_ref_log_probs`](crate::Response::with_ref_log_probs).
    RefLogProbs,
    /// [`Response::with_sum_pi_squared`](crate::Response::with_sum_pi_squared).
    SumPiSquared,
    /// [`Response::with_importance_weights`](crate::Response::with_importance_weights).
    ImportanceWeights,
    /// [`Response::with_mask`](crate::Response::with_mask).
    Mask,
}

impl fmt::Display for ResponseField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ProcessRewards => "process rewards",
            Self::Values => "values",
            Self::OldLogProbs => "old log-probs",
            Self::RefLogProbs => "reference log-probs",
            Self::SumPiSquared => "sums of squared probabilities",
            Self::ImportanceWeights => "importance weights",
            Self::Mask => "mask entries",
        })
    }
}

/// A discount or decay: finite and in `[0, 1]`.
pub(crate) fn check_unit(
    owner: &'static str,
    knob: &'static str,
    value: f64,
) -> Result<(), AdvantageError> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(AdvantageError::OutOfRange {
        owner,
        knob,
        value,
        range: "in [0, 1]",
    })
}

/// A coefficient: any finite number.
pub(crate) fn check_finite(
    owner: &'static str,
    knob: &'static str,
    value: f64,
) -> Result<(), AdvantageError> {
    if value.is_finite() {
        return Ok(());
    }
    Err(AdvantageError::OutOfRange {
        owner,
        knob,
        value,
        range: "finite",
    })
}

/// An addend or a bound: finite and at least 0.
pub(crate) fn check_not_negative(
    owner: &'static str,
    knob: &'static str,
    value: f64,
) -> Result<(), AdvantageError> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(AdvantageError::OutOfRange {
        owner,
        knob,
        value,
        range: "finite and at least 0",
    })
}
