//! `[sampling]`, `[rl]` and `[filter]`: what a step samples, keeps and learns from.

use serde::{Deserialize, Serialize};

use super::Objective;

/// `[sampling]`: how training and evaluation sample, whatever a model's `generation_config.json` says: what is trained on
/// has to come from the distribution that the objective is about. Only the command `generate` takes that file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// Softmax temperature of rollouts, > 0; policy log-probs are taken at the same temperature.
    pub temperature: f64,
    /// Only the k most likely tokens; 0 = all.
    pub top_k: usize,
    /// Only the smallest set of tokens with this probability, `(0, 1]`; 1 = all.
    pub top_p: f64,
    /// Only tokens at least this times as likely as the likeliest, `[0, 1]`; 0 = all. Applied after top_k and top_p.
    pub min_p: f64,
    /// Longest response, `<eos>` included, ≥ 1.
    pub max_new_tokens: usize,
}

impl Default for Sampling {
    fn default() -> Self {
        Sampling {
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            max_new_tokens: 40,
        }
    }
}

/// How token losses become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossAgg {
    /// The mean over all tokens.
    TokenMean,
    /// The sum over all tokens; the size of a step grows with the batch.
    TokenSum,
    /// The mean over responses of their token means.
    SeqMeanTokenMean,
    /// The mean over responses of their token sums.
    SeqMeanTokenSum,
    /// The same, divided by `loss_scale_factor` (Dr. GRPO).
    SeqMeanTokenSumNorm,
}

impl LossAgg {
    /// The name in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TokenMean => "token_mean",
            Self::TokenSum => "token_sum",
            Self::SeqMeanTokenMean => "seq_mean_token_mean",
            Self::SeqMeanTokenSum => "seq_mean_token_sum",
            Self::SeqMeanTokenSumNorm => "seq_mean_token_sum_norm",
        }
    }
}

/// Importance weights of the tokens' losses: how much likelier the policy being trained is to sample what the policy that
/// acted has sampled (verl's `rollout_correction.rollout_is` in bypass mode). For the objectives without a ratio, which
/// otherwise take every pass over the batch for the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutIs {
    /// All 1.
    Off,
    /// Of each token.
    Token,
    /// Of the whole response.
    Sequence,
}

/// `[rl]`
///
/// Naming an `objective` gives the keys that belong to it (`clip_ratio_low` to `ppo_kl_coef`, and `loss_agg` where the
/// objective is defined with one) its own defaults, below every key that a file or `--set` gives. A key that the
/// objective does not read must stay at its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rl {
    /// Training steps; 0 = warm-up only.
    pub steps: usize,
    /// Prompts a step learns from, ≥ 1.
    pub prompts_per_step: usize,
    /// Responses a prompt (K), ≥ 1; ≥ 2 where a response is compared with its group.
    pub group_size: usize,
    /// Prompts sampled for each prompt wanted, so that the filter leaves enough; ≥ 1.
    pub oversample_factor: f64,
    /// Passes over the step's batch (PPO epochs, μ), ≥ 1.
    pub epochs_per_step: usize,
    /// Responses an optimiser step; 0 = the whole batch.
    pub mini_batch_size: usize,
    /// Responses a forward pass, ≥ 1; memory only, no effect on the result beyond rounding, except for the objectives
    /// `clip_cov` and `kl_cov`, which choose tokens among those of one pass.
    pub micro_batch_size: usize,
    /// Tokens a forward pass, prompts and padding included, in place of `micro_batch_size`: responses are sorted by
    /// length and cut so that less than a tenth is padding; a longer one goes alone. The warm-up is cut
    /// by it too. 0 = `micro_batch_size` responses.
    pub micro_batch_tokens: usize,
    /// Policy learning rate, > 0, constant.
    pub lr: f64,
    /// AdamW β₁, `0..1`.
    pub beta1: f64,
    /// AdamW β₂, `0..1`.
    pub beta2: f64,
    /// AdamW weight decay, ≥ 0.
    pub weight_decay: f64,
    /// Largest gradient norm, > 0.
    pub grad_clip: f64,
    /// The policy loss.
    pub objective: Objective,
    /// The ratio is clipped below at 1 − this, `[0, 1]`; ≥ 0 for `cispo` (1 and above: no bound), `gmpo` (of the log-ratio)
    /// and `dppo_tv`, `dppo_kl` (of the divergence).
    pub clip_ratio_low: f64,
    /// The ratio is clipped above at 1 + this, ≥ 0; for `gmpo`, `dppo_tv` and `dppo_kl` as `clip_ratio_low`.
    pub clip_ratio_high: f64,
    /// `ppo_clip`: dual clip, bounds the loss of negative advantages at this ratio, > 1; 0 = off. `dppo_tv`, `dppo_kl`: the
    /// largest importance weight, > 1.
    pub clip_ratio_c: f64,
    /// `sapo`: how fast the gate closes for positive advantages, > 0.
    pub tau_pos: f64,
    /// `sapo`: how fast it closes for the others, > 0.
    pub tau_neg: f64,
    /// `dro`: weight of the pull to the old policy, > 0.
    pub dro_beta: f64,
    /// `clip_cov`: share of tokens whose gradient is dropped, `[0, 1]`.
    pub clip_cov_ratio: f64,
    /// `clip_cov`: drop only where the covariance is above this.
    pub clip_cov_lb: f64,
    /// `clip_cov`: drop only where the covariance is below this.
    pub clip_cov_ub: f64,
    /// `kl_cov`: share of tokens that are penalised, `[0, 1]`.
    pub kl_cov_ratio: f64,
    /// `kl_cov`: weight of the penalty, ≥ 0.
    pub ppo_kl_coef: f64,
    /// Importance weights for `reinforce` and `gpg`.
    pub rollout_is: RolloutIs,
    /// The largest importance weight, > 0.
    pub rollout_is_threshold: f64,
    /// How token losses become one number.
    pub loss_agg: LossAgg,
    /// Divisor of `seq_mean_token_sum_norm`, ≥ 0; 0 = `sampling.max_new_tokens`.
    pub loss_scale_factor: f64,
    /// Weight of the entropy bonus, ≥ 0.
    pub entropy_coef: f64,
}

impl Default for Rl {
    fn default() -> Self {
        Rl {
            steps: 40,
            prompts_per_step: 8,
            group_size: 4,
            oversample_factor: 1.0,
            epochs_per_step: 4,
            mini_batch_size: 32,
            micro_batch_size: 16,
            micro_batch_tokens: 0,
            lr: 1e-4,
            beta1: 0.9,
            beta2: 0.99,
            weight_decay: 0.0,
            grad_clip: 1.0,
            objective: Objective::PpoClip,
            clip_ratio_low: 0.2,
            clip_ratio_high: 0.2,
            clip_ratio_c: 0.0,
            tau_pos: 1.0,
            tau_neg: 1.05,
            dro_beta: 0.05,
            clip_cov_ratio: 2e-4,
            clip_cov_lb: 1.0,
            clip_cov_ub: 5.0,
            kl_cov_ratio: 2e-4,
            ppo_kl_coef: 0.1,
            rollout_is: RolloutIs::Off,
            rollout_is_threshold: 2.0,
            loss_agg: LossAgg::TokenMean,
            loss_scale_factor: 0.0,
            entropy_coef: 0.0,
        }
    }
}

/// `[filter]`: prompt groups too easy or too hard to learn from are dropped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Drop groups by their mean outcome.
    pub accuracy: bool,
    /// Smallest mean outcome kept, `[0, 1]`.
    pub accuracy_lower_bound: f64,
    /// Largest mean outcome kept, `[0, 1]`, ≥ the lower bound.
    pub accuracy_upper_bound: f64,
    /// Drop groups that hold a truncated response.
    pub truncated: bool,
}

impl Default for Filter {
    fn default() -> Self {
        Filter {
            accuracy: true,
            accuracy_lower_bound: 0.2,
            accuracy_upper_bound: 0.8,
            truncated: false,
        }
    }
}
