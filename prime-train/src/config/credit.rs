//! `[advantage]`, `[kl]` and `[critic]`: who gets the credit for an outcome.

use serde::{Deserialize, Serialize};

use super::LrSchedule;
use super::estimator_keys::{GaeKeys, GrpoKeys, ReinforceKeys, RlooKeys};

/// How outcome rewards become advantages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimator {
    /// The return less `advantage.reinforce.baseline`.
    Reinforce,
    /// The return less the mean of the group's other responses.
    #[serde(alias = "loo")]
    Rloo,
    /// The return less the group's mean, over its standard deviation.
    Grpo,
    /// Generalised advantage estimation with a critic.
    #[serde(alias = "ppo")]
    Gae,
    /// The return less the group's length-weighted mean.
    Opo,
    /// The return less the group's mean, scaled up for responses without a reward.
    Gpg,
    /// Credit for the best response of a group only, by its lead over the second.
    GrpoPassk,
    /// The return, whitened over the batch.
    ReinforcePlusPlus,
    /// The return less the group's mean, whitened over the batch.
    ReinforcePlusPlusBaseline,
}

impl Estimator {
    /// Whether a response is compared with the others of its group.
    pub fn compares_group(self) -> bool {
        match self {
            Self::Reinforce | Self::Gae | Self::ReinforcePlusPlus => false,
            Self::Rloo
            | Self::Grpo
            | Self::Opo
            | Self::Gpg
            | Self::GrpoPassk
            | Self::ReinforcePlusPlusBaseline => true,
        }
    }
}

/// How process rewards become advantages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessEstimator {
    /// The discounted sum to go of the token rewards as they are (paper eq. 8).
    Reinforce,
    /// Token rewards less the leave-one-out mean (paper eq. 5).
    #[serde(alias = "loo")]
    Rloo,
    /// Token rewards less the group's mean, over its standard deviation (paper eq. 7).
    Grpo,
    /// Token rewards less the group's length-weighted mean.
    Opo,
    /// Token rewards less the group's mean, scaled as `gpg` scales.
    Gpg,
    /// The response with the best mean only, less the second's.
    GrpoPassk,
    /// The discounted sum to go, whitened over the batch.
    ReinforcePlusPlus,
    /// Token rewards less the group's mean, summed to go and whitened over the batch.
    ReinforcePlusPlusBaseline,
}

impl ProcessEstimator {
    /// Whether a response is compared with the others of its group.
    pub fn compares_group(self) -> bool {
        !matches!(self, Self::Reinforce | Self::ReinforcePlusPlus)
    }
}

/// What `reinforce` subtracts from the return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Baseline {
    /// Nothing.
    None,
    /// The mean over the batch.
    BatchMean,
    /// The mean over the prompt's group.
    GroupMean,
}

/// How process rewards are scaled before they are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessNorm {
    /// Not at all.
    None,
    /// By the largest absolute return of the batch; β then cancels.
    BatchNorm,
}

/// How the leave-one-out mean of process rewards is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LooScaling {
    /// r − mean of the others (paper eq. 5).
    Paper,
    /// r·K/(K−1) − sum of all means/(K−1), as both PRIME code bases do.
    Code,
}

/// `[advantage]`: keys of one estimator are in its own table, which only that estimator reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advantage {
    /// For outcome rewards (`gae`: for the sum of both).
    pub estimator: Estimator,
    /// Discount γ of outcome rewards, `[0, 1]`.
    pub gamma: f64,
    /// Weight of outcome advantages, ≥ 0.
    pub outcome_coef: f64,
    /// For process rewards.
    pub process_estimator: ProcessEstimator,
    /// Weight of process advantages, ≥ 0.
    pub process_coef: f64,
    /// Discount γ of process rewards, `[0, 1]`.
    pub process_gamma: f64,
    /// Scaling of process rewards.
    pub process_norm: ProcessNorm,
    /// No process reward on the last token of a response.
    pub drop_last_token: bool,
    /// Shift and scale all advantages of a batch to mean 0, variance 1.
    pub whiten_advantages: bool,
    /// Keys of `reinforce`.
    pub reinforce: ReinforceKeys,
    /// Keys of `rloo`.
    pub rloo: RlooKeys,
    /// Keys of `grpo`.
    pub grpo: GrpoKeys,
    /// Keys of `gae`.
    pub gae: GaeKeys,
}

impl Default for Advantage {
    fn default() -> Self {
        Advantage {
            estimator: Estimator::Rloo,
            gamma: 1.0,
            outcome_coef: 1.0,
            process_estimator: ProcessEstimator::Rloo,
            process_coef: 1.0,
            process_gamma: 1.0,
            process_norm: ProcessNorm::None,
            drop_last_token: false,
            whiten_advantages: false,
            reinforce: ReinforceKeys::default(),
            rloo: RlooKeys::default(),
            grpo: GrpoKeys::default(),
            gae: GaeKeys::default(),
        }
    }
}

/// The estimate of the divergence from the reference, with d = log π − log π_ref. verl's names are accepted too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KlEstimator {
    /// d: unbiased, high variance.
    #[serde(alias = "kl")]
    K1,
    /// |d|: biased, never negative.
    Abs,
    /// d²/2: biased, low variance.
    #[serde(alias = "mse")]
    K2,
    /// e⁻ᵈ − 1 + d: unbiased, low variance, never negative.
    #[serde(alias = "low_var_kl")]
    K3,
    /// The value of `k1`; in the loss, the gradient of `k2`, which is right in expectation.
    #[serde(rename = "k1+", alias = "kl+")]
    K1Plus,
    /// The value of `k3`; in the loss, the gradient of `k2`.
    #[serde(rename = "k3+", alias = "low_var_kl+")]
    K3Plus,
}

/// Where the divergence is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KlPlacement {
    /// Nowhere.
    None,
    /// Subtracted from the token rewards.
    Reward,
    /// Added to the policy loss.
    Loss,
}

/// `[kl]`: keeping the policy near the warm-up model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kl {
    /// Weight, ≥ 0; above 0 only with a placement.
    pub coef: f64,
    /// How the divergence is estimated.
    pub estimator: KlEstimator,
    /// Where it is charged.
    pub placement: KlPlacement,
}

impl Default for Kl {
    fn default() -> Self {
        Kl {
            coef: 0.0,
            estimator: KlEstimator::K3,
            placement: KlPlacement::None,
        }
    }
}

/// `[critic]`: the value model of the `gae` estimator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Critic {
    /// Learning rate, > 0; the peak where `lr_schedule` changes it.
    pub lr: f64,
    /// How the rate goes on after its warm-up steps, as `rl.lr_schedule`.
    pub lr_schedule: LrSchedule,
    /// Steps in which the rate rises in a line to `lr`, ≥ 0; 0 = none.
    pub lr_warmup_steps: usize,
    /// The least rate of `linear` and `cosine` as a share of `lr`, `[0, 1]`.
    pub lr_min_ratio: f64,
    /// Values move at most this far from the old ones in the loss, > 0.
    pub value_clip: f64,
    /// Weight of the value loss, > 0.
    pub vf_coef: f64,
}

impl Default for Critic {
    fn default() -> Self {
        Critic {
            lr: 1e-3,
            lr_schedule: LrSchedule::Constant,
            lr_warmup_steps: 0,
            lr_min_ratio: 0.0,
            value_clip: 0.5,
            vf_coef: 1.0,
        }
    }
}
