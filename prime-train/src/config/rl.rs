//! `[sampling]`, `[rl]` and `[filter]`: what a step samples, keeps and learns from.

use serde::{Deserialize, Serialize};

use super::objective_keys::{
    CispoKeys, ClipCovKeys, DppoKlKeys, DppoTvKeys, DroKeys, GmpoKeys, GspoKeys, KlCovKeys,
    PlainKeys, PpoClipKeys, SapoKeys,
};
use super::{LrSchedule, Objective};

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
    /// Texts that end a response, in training and evaluation; none of them empty. What is judged is the text before the one
    /// that came, or through it where it closes an element (`</answer>`). `[]` = the model's own stop tokens alone.
    pub stop_strings: Vec<String>,
}

impl Default for Sampling {
    fn default() -> Self {
        Sampling {
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            max_new_tokens: 40,
            stop_strings: vec![],
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

/// `[rl]`
///
/// The keys of an objective are in its own table, `[rl.ppo_clip]` to `[rl.reinforce]`, with its own defaults. Only the table
/// that `objective` names is read; a key in another one is refused.
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
    /// Rounds of sampling a step at most, ≥ 1 (DAPO's dynamic sampling): while fewer than `prompts_per_step` prompts have passed
    /// the filter, as many others are sampled again. 1 = once, whatever the filter leaves.
    pub oversample_rounds: usize,
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
    /// Policy learning rate, > 0; the peak where `lr_schedule` changes it.
    pub lr: f64,
    /// How the rate goes on after its warm-up steps. `linear` and `cosine` end with `steps`, so that a run that is given more
    /// steps has other rates from where it goes on.
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
    /// The policy loss.
    pub objective: Objective,
    /// How token losses become one number.
    pub loss_agg: LossAgg,
    /// Divisor of `seq_mean_token_sum_norm`, ≥ 0; 0 = `sampling.max_new_tokens`.
    pub loss_scale_factor: f64,
    /// Weight of the entropy bonus, ≥ 0.
    pub entropy_coef: f64,
    /// Leave responses that reached the length limit out of the loss of the policy and the critic (DAPO's overlong filtering):
    /// their reward says more about the limit than about them. They still count in the baselines of their group, in the
    /// filter and for the PRM. `filter.truncated` drops whole groups instead.
    pub mask_truncated: bool,
    /// Keys of `ppo_clip`.
    pub ppo_clip: PpoClipKeys,
    /// Keys of `gspo`.
    pub gspo: GspoKeys,
    /// Keys of `sapo`.
    pub sapo: SapoKeys,
    /// Keys of `cispo`.
    pub cispo: CispoKeys,
    /// Keys of `gmpo`.
    pub gmpo: GmpoKeys,
    /// Keys of `clip_cov`.
    pub clip_cov: ClipCovKeys,
    /// Keys of `kl_cov`.
    pub kl_cov: KlCovKeys,
    /// Keys of `dppo_tv`.
    pub dppo_tv: DppoTvKeys,
    /// Keys of `dppo_kl`.
    pub dppo_kl: DppoKlKeys,
    /// Keys of `dro`.
    pub dro: DroKeys,
    /// Keys of `gpg`.
    pub gpg: PlainKeys,
    /// Keys of `reinforce`.
    pub reinforce: PlainKeys,
}

impl Default for Rl {
    fn default() -> Self {
        Rl {
            steps: 40,
            prompts_per_step: 8,
            group_size: 4,
            oversample_factor: 1.0,
            oversample_rounds: 1,
            epochs_per_step: 4,
            mini_batch_size: 32,
            micro_batch_size: 16,
            micro_batch_tokens: 0,
            lr: 1e-4,
            lr_schedule: LrSchedule::Constant,
            lr_warmup_steps: 0,
            lr_min_ratio: 0.0,
            beta1: 0.9,
            beta2: 0.99,
            weight_decay: 0.0,
            grad_clip: 1.0,
            objective: Objective::PpoClip,
            loss_agg: LossAgg::TokenMean,
            loss_scale_factor: 0.0,
            entropy_coef: 0.0,
            mask_truncated: false,
            ppo_clip: PpoClipKeys::default(),
            gspo: GspoKeys::default(),
            sapo: SapoKeys::default(),
            cispo: CispoKeys::default(),
            gmpo: GmpoKeys::default(),
            clip_cov: ClipCovKeys::default(),
            kl_cov: KlCovKeys::default(),
            dppo_tv: DppoTvKeys::default(),
            dppo_kl: DppoKlKeys::default(),
            dro: DroKeys::default(),
            gpg: PlainKeys::default(),
            reinforce: PlainKeys::default(),
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
