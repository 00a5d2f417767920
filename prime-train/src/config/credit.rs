//! `[advantage]`, `[kl]`, `[critic]` and `[prm]`: who gets the credit for an outcome.

use serde::{Deserialize, Serialize};

/// How outcome rewards become advantages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimator {
    /// The return less `advantage.baseline`.
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

/// `[advantage]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advantage {
    /// For outcome rewards (`gae`: for the sum of both).
    pub estimator: Estimator,
    /// What `reinforce` subtracts.
    pub baseline: Baseline,
    /// `grpo`: divide by the group's standard deviation.
    pub normalize_by_std: bool,
    /// Discount γ of outcome rewards, `[0, 1]`.
    pub gamma: f64,
    /// λ of `gae`, `[0, 1]`.
    pub lam: f64,
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
    /// How `rloo` takes the mean of process rewards.
    pub loo_scaling: LooScaling,
    /// No process reward on the last token of a response.
    pub drop_last_token: bool,
    /// Shift and scale all advantages of a batch to mean 0, variance 1.
    pub whiten_advantages: bool,
}

impl Default for Advantage {
    fn default() -> Self {
        Advantage {
            estimator: Estimator::Rloo,
            baseline: Baseline::None,
            normalize_by_std: true,
            gamma: 1.0,
            lam: 1.0,
            outcome_coef: 1.0,
            process_estimator: ProcessEstimator::Rloo,
            process_coef: 1.0,
            process_gamma: 1.0,
            process_norm: ProcessNorm::None,
            loo_scaling: LooScaling::Paper,
            drop_last_token: false,
            whiten_advantages: false,
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
    /// Learning rate, > 0.
    pub lr: f64,
    /// Values move at most this far from the old ones in the loss, > 0.
    pub value_clip: f64,
    /// Weight of the value loss, > 0.
    pub vf_coef: f64,
}

impl Default for Critic {
    fn default() -> Self {
        Critic {
            lr: 1e-3,
            value_clip: 0.5,
            vf_coef: 1.0,
        }
    }
}

/// When the reward model is updated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrmUpdate {
    /// Rewards first, then the update: a single forward pass (paper algorithm 1).
    After,
    /// The update first, then rewards by the updated model: a second forward pass.
    Before,
    /// Never: an offline reward model.
    None,
}

/// What the log-ratio of the reward model is taken against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrmReference {
    /// The model before the first step.
    Frozen,
    /// The policy that sampled the response.
    Policy,
}

/// Which groups' process rewards the policy learns from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessGroups {
    /// Those that passed the filter.
    Kept,
    /// All that were sampled and judged.
    All,
}

/// What gets a process reward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Granularity {
    /// Each token its own.
    Token,
    /// The last token the sum.
    Whole,
}

/// What the reward model's loss takes for granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelPrior {
    /// Nothing, as published.
    None,
    /// The log-odds of the step's mean outcome.
    BatchMean,
}

/// Which tokens' process rewards the policy learns from at each position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessCredit {
    /// The sampled token's, through the advantage.
    Sampled,
    /// Every token's of the vocabulary, through the clipped surrogate in expectation.
    AllActions,
}

/// `[prm]`: the implicit process reward model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prm {
    /// Use process rewards at all.
    pub enabled: bool,
    /// Reward of a unit of log-ratio, > 0 (not a KL coefficient: that is `kl.coef`).
    pub beta: f64,
    /// What its loss takes for granted.
    pub prior: LabelPrior,
    /// Learning rate, > 0.
    pub lr: f64,
    /// AdamW β₁, `0..1`.
    pub beta1: f64,
    /// AdamW β₂, `0..1`.
    pub beta2: f64,
    /// AdamW weight decay, ≥ 0.
    pub weight_decay: f64,
    /// Largest gradient norm, > 0.
    pub grad_clip: f64,
    /// When it is updated.
    pub update: PrmUpdate,
    /// The reference of the loss.
    pub reference: PrmReference,
    /// The reference of the rewards that the policy sees. `policy` anchors them: the process term then
    /// pulls the policy towards the reward model, and cannot be gamed where the frozen one is improbable.
    pub reward_reference: PrmReference,
    /// Responses an optimiser step; 0 = the whole batch.
    pub mini_batch_size: usize,
    /// Responses a forward pass, ≥ 1.
    pub micro_batch_size: usize,
    /// Tokens a forward pass in place of `micro_batch_size`, as `rl.micro_batch_tokens`; 0 = `micro_batch_size` responses.
    pub micro_batch_tokens: usize,
    /// Passes over the step's batch, ≥ 1; not read with replay on.
    pub passes: usize,
    /// Train on rollouts of this many last steps; 0 = only on the step's own batch.
    pub replay_steps: usize,
    /// Mini-batches a step with replay on, ≥ 1.
    pub replay_mini_batches: usize,
    /// Responses a replayed mini-batch, ≥ 1.
    pub replay_batch_size: usize,
    /// Which tokens' process rewards the policy learns from at each position. `all_actions` needs
    /// `reward_reference = "policy"`, `process_gamma = 0` and token granularity.
    pub process_credit: ProcessCredit,
    /// Which groups' process rewards the policy learns from.
    pub process_groups: ProcessGroups,
    /// Steps before process rewards count; the reward model trains from the first.
    pub process_warmup_steps: usize,
    /// Token rewards are clipped above at this, > 0; 0 = off.
    pub positive_clip: f64,
    /// What gets a process reward.
    pub granularity: Granularity,
    /// Built-in tasks: the task's own verdict, +1 or −1 an answer, in place of the reward model's. Not
    /// a method: the ceiling that a perfect reward model would reach.
    pub oracle: bool,
}

impl Default for Prm {
    fn default() -> Self {
        Prm {
            enabled: true,
            beta: 0.05,
            prior: LabelPrior::None,
            lr: 3e-4,
            beta1: 0.9,
            beta2: 0.999,
            weight_decay: 0.0,
            grad_clip: 10.0,
            update: PrmUpdate::After,
            reference: PrmReference::Frozen,
            reward_reference: PrmReference::Frozen,
            mini_batch_size: 0,
            micro_batch_size: 16,
            micro_batch_tokens: 0,
            passes: 1,
            replay_steps: 0,
            replay_mini_batches: 8,
            replay_batch_size: 64,
            process_credit: ProcessCredit::Sampled,
            process_groups: ProcessGroups::Kept,
            process_warmup_steps: 0,
            positive_clip: 0.0,
            granularity: Granularity::Token,
            oracle: false,
        }
    }
}
