//! `[prm]`: the implicit process reward model.

use serde::{Deserialize, Serialize};

use super::LrSchedule;

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
    /// The log-odds of the prompt's mean outcome in the step: what right and wrong responses share carries no blame. Prompts whose
    /// responses are all right or all wrong are not learned from.
    GroupMean,
}

/// When process rewards count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrmTrust {
    /// From `process_warmup_steps` on, as published.
    Always,
    /// Also only while the reward model ranks fresh responses to a prompt better than chance, before it has learned from them:
    /// over the last 20 steps by one standard error to begin with, then at all. While all outcomes that it could learn from
    /// are alike it does not learn.
    Earned,
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
    /// Learning rate, > 0; the peak where `lr_schedule` changes it.
    pub lr: f64,
    /// How the rate goes on after its warm-up steps, as `rl.lr_schedule`.
    pub lr_schedule: LrSchedule,
    /// Steps in which the rate rises in a line to `lr`, ≥ 0; 0 = none.
    pub lr_warmup_steps: usize,
    /// The least rate of `linear` and `cosine` as a share of `lr`, `[0, 1]`.
    pub lr_min_ratio: f64,
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
    /// Which tokens' process rewards the policy learns from at each position. `all_actions` needs
    /// `reward_reference = "policy"`, `process_gamma = 0` and token granularity.
    pub process_credit: ProcessCredit,
    /// Which groups' process rewards the policy learns from.
    pub process_groups: ProcessGroups,
    /// Steps before process rewards count; the reward model trains from the first.
    pub process_warmup_steps: usize,
    /// When they count after that.
    pub trust: PrmTrust,
    /// Token rewards are clipped above at this, > 0; 0 = off.
    pub positive_clip: f64,
    /// What gets a process reward.
    pub granularity: Granularity,
    /// Built-in tasks: the task's own verdict, +1 or −1 an answer, in place of the reward model's. Not
    /// a method: the ceiling that a perfect reward model would reach.
    pub oracle: bool,
    /// Training on rollouts of earlier steps.
    pub replay: Replay,
}

impl Default for Prm {
    fn default() -> Self {
        Prm {
            enabled: true,
            beta: 0.05,
            prior: LabelPrior::None,
            lr: 3e-4,
            lr_schedule: LrSchedule::Constant,
            lr_warmup_steps: 0,
            lr_min_ratio: 0.0,
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
            process_credit: ProcessCredit::Sampled,
            process_groups: ProcessGroups::Kept,
            process_warmup_steps: 0,
            trust: PrmTrust::Always,
            positive_clip: 0.0,
            granularity: Granularity::Token,
            oracle: false,
            replay: Replay::default(),
        }
    }
}

/// `[prm.replay]`: training on rollouts of earlier steps too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// Train on rollouts of this many last steps; 0 = only on the step's own batch.
    pub steps: usize,
    /// Mini-batches a step, ≥ 1.
    pub mini_batches: usize,
    /// Responses a mini-batch, ≥ 1.
    pub batch_size: usize,
}

impl Default for Replay {
    fn default() -> Self {
        Replay {
            steps: 0,
            mini_batches: 8,
            batch_size: 64,
        }
    }
}
