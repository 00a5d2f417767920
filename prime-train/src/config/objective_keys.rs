//! `[rl.ppo_clip]` to `[rl.gpg]`: the keys that belong to one policy loss, with the defaults of its paper.

use serde::{Deserialize, Serialize};

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

/// `[rl.ppo_clip]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PpoClipKeys {
    /// The ratio is clipped below at 1 − this, `[0, 1]`.
    pub clip_ratio_low: f64,
    /// The ratio is clipped above at 1 + this, ≥ 0.
    pub clip_ratio_high: f64,
    /// Dual clip: bounds the loss of negative advantages at this ratio, > 1; 0 = off.
    pub clip_ratio_c: f64,
}

impl Default for PpoClipKeys {
    fn default() -> Self {
        PpoClipKeys {
            clip_ratio_low: 0.2,
            clip_ratio_high: 0.2,
            clip_ratio_c: 0.0,
        }
    }
}

/// `[rl.gspo]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GspoKeys {
    /// The response's ratio is clipped below at 1 − this, `[0, 1]`.
    pub clip_ratio_low: f64,
    /// The response's ratio is clipped above at 1 + this, ≥ 0.
    pub clip_ratio_high: f64,
}

impl Default for GspoKeys {
    fn default() -> Self {
        GspoKeys {
            clip_ratio_low: 3e-4,
            clip_ratio_high: 4e-4,
        }
    }
}

/// `[rl.sapo]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SapoKeys {
    /// How fast the gate closes for positive advantages, > 0.
    pub tau_pos: f64,
    /// How fast it closes for the others, > 0.
    pub tau_neg: f64,
}

impl Default for SapoKeys {
    fn default() -> Self {
        SapoKeys {
            tau_pos: 1.0,
            tau_neg: 1.05,
        }
    }
}

/// `[rl.cispo]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CispoKeys {
    /// The weight of a token is clipped below at 1 − this, ≥ 0; 1 and above: no bound.
    pub clip_ratio_low: f64,
    /// The weight of a token is clipped above at 1 + this, ≥ 0.
    pub clip_ratio_high: f64,
}

impl Default for CispoKeys {
    fn default() -> Self {
        CispoKeys {
            clip_ratio_low: 1.0,
            clip_ratio_high: 0.2,
        }
    }
}

/// `[rl.gmpo]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GmpoKeys {
    /// The log-ratio of a token is clipped below at minus this, ≥ 0.
    pub clip_ratio_low: f64,
    /// The log-ratio of a token is clipped above at this, ≥ 0.
    pub clip_ratio_high: f64,
}

impl Default for GmpoKeys {
    fn default() -> Self {
        GmpoKeys {
            clip_ratio_low: 0.4,
            clip_ratio_high: 0.4,
        }
    }
}

/// `[rl.clip_cov]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClipCovKeys {
    /// The ratio is clipped below at 1 − this, `[0, 1]`.
    pub clip_ratio_low: f64,
    /// The ratio is clipped above at 1 + this, ≥ 0.
    pub clip_ratio_high: f64,
    /// Share of tokens whose gradient is dropped, `[0, 1]`.
    pub clip_cov_ratio: f64,
    /// Drop only where the covariance is above this.
    pub clip_cov_lb: f64,
    /// Drop only where the covariance is below this.
    pub clip_cov_ub: f64,
}

impl Default for ClipCovKeys {
    fn default() -> Self {
        ClipCovKeys {
            clip_ratio_low: 0.2,
            clip_ratio_high: 0.2,
            clip_cov_ratio: 2e-4,
            clip_cov_lb: 1.0,
            clip_cov_ub: 5.0,
        }
    }
}

/// `[rl.kl_cov]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KlCovKeys {
    /// Share of tokens that are penalised, `[0, 1]`.
    pub kl_cov_ratio: f64,
    /// Weight of the penalty, ≥ 0.
    pub ppo_kl_coef: f64,
}

impl Default for KlCovKeys {
    fn default() -> Self {
        KlCovKeys {
            kl_cov_ratio: 2e-4,
            ppo_kl_coef: 0.1,
        }
    }
}

/// `[rl.dppo_tv]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DppoTvKeys {
    /// The divergence in total variation at which a token that grows less likely stops learning, ≥ 0.
    pub clip_ratio_low: f64,
    /// The divergence in total variation at which a token that grows likelier stops learning, ≥ 0.
    pub clip_ratio_high: f64,
    /// The largest importance weight, > 1.
    pub clip_ratio_c: f64,
}

impl Default for DppoTvKeys {
    fn default() -> Self {
        DppoTvKeys {
            clip_ratio_low: 0.15,
            clip_ratio_high: 0.15,
            clip_ratio_c: 20.0,
        }
    }
}

/// `[rl.dppo_kl]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DppoKlKeys {
    /// The KL divergence at which a token that grows less likely stops learning, ≥ 0.
    pub clip_ratio_low: f64,
    /// The KL divergence at which a token that grows likelier stops learning, ≥ 0.
    pub clip_ratio_high: f64,
    /// The largest importance weight, > 1.
    pub clip_ratio_c: f64,
}

impl Default for DppoKlKeys {
    fn default() -> Self {
        DppoKlKeys {
            clip_ratio_low: 0.05,
            clip_ratio_high: 0.05,
            clip_ratio_c: 20.0,
        }
    }
}

/// `[rl.dro]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DroKeys {
    /// Weight of the pull to the old policy, > 0.
    pub dro_beta: f64,
}

impl Default for DroKeys {
    fn default() -> Self {
        DroKeys { dro_beta: 0.05 }
    }
}

/// `[rl.gpg]` and `[rl.reinforce]`: the plain policy gradients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlainKeys {
    /// Importance weights of the tokens' losses.
    pub rollout_is: RolloutIs,
    /// The largest importance weight, > 0.
    pub rollout_is_threshold: f64,
}

impl Default for PlainKeys {
    fn default() -> Self {
        PlainKeys {
            rollout_is: RolloutIs::Off,
            rollout_is_threshold: 2.0,
        }
    }
}
