//! `rl.objective`: the policy loss, and which keys of `[rl]` belong to it.

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::{LossAgg, Rl};

/// The policy loss. What each is, and who published it: `prime_policy::objective`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// PPO's clipped surrogate, with clip-higher and dual clip (verl `vanilla`).
    #[serde(alias = "vanilla")]
    PpoClip,
    /// The clip on the ratio of whole responses.
    Gspo,
    /// A smooth gate instead of the clip.
    Sapo,
    /// The clip on the weight of a token's gradient.
    Cispo,
    /// The geometric mean of a response's clipped ratios (verl `geo_mean`).
    #[serde(alias = "geo_mean")]
    Gmpo,
    /// `ppo_clip` without a few tokens of high covariance between log-prob and advantage.
    ClipCov,
    /// A penalty on the tokens of highest covariance.
    KlCov,
    /// A trust region in total variation.
    DppoTv,
    /// A trust region in KL.
    DppoKl,
    /// A quadratic pull to the old policy.
    Dro,
    /// The plain policy gradient, as the GPG method names it.
    Gpg,
    /// The plain policy gradient.
    Reinforce,
}

/// A key of `[rl]` that belongs to some objectives.
pub(super) struct Parameter {
    /// The key, dotted.
    pub(super) key: &'static str,
    /// Its value in a configuration.
    pub(super) value: fn(&Rl) -> f64,
    /// Who reads it.
    pub(super) readers: &'static [Objective],
}

const CLIPPED: &[Objective] = &[
    Objective::PpoClip,
    Objective::Gspo,
    Objective::Cispo,
    Objective::Gmpo,
    Objective::ClipCov,
    Objective::DppoTv,
    Objective::DppoKl,
];
const CAPPED: &[Objective] = &[Objective::PpoClip, Objective::DppoTv, Objective::DppoKl];

/// All of them.
pub(super) const PARAMETERS: [Parameter; 11] = [
    parameter("rl.clip_ratio_low", |rl| rl.clip_ratio_low, CLIPPED),
    parameter("rl.clip_ratio_high", |rl| rl.clip_ratio_high, CLIPPED),
    parameter("rl.clip_ratio_c", |rl| rl.clip_ratio_c, CAPPED),
    parameter("rl.tau_pos", |rl| rl.tau_pos, &[Objective::Sapo]),
    parameter("rl.tau_neg", |rl| rl.tau_neg, &[Objective::Sapo]),
    parameter("rl.dro_beta", |rl| rl.dro_beta, &[Objective::Dro]),
    parameter(
        "rl.clip_cov_ratio",
        |rl| rl.clip_cov_ratio,
        &[Objective::ClipCov],
    ),
    parameter("rl.clip_cov_lb", |rl| rl.clip_cov_lb, &[Objective::ClipCov]),
    parameter("rl.clip_cov_ub", |rl| rl.clip_cov_ub, &[Objective::ClipCov]),
    parameter("rl.kl_cov_ratio", |rl| rl.kl_cov_ratio, &[Objective::KlCov]),
    parameter("rl.ppo_kl_coef", |rl| rl.ppo_kl_coef, &[Objective::KlCov]),
];

const fn parameter(
    key: &'static str,
    value: fn(&Rl) -> f64,
    readers: &'static [Objective],
) -> Parameter {
    Parameter {
        key,
        value,
        readers,
    }
}

impl Parameter {
    fn name(&self) -> &'static str {
        self.key.strip_prefix("rl.").unwrap_or(self.key)
    }

    /// The parameter that prime-policy calls `name`.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        PARAMETERS.iter().find(|parameter| parameter.name() == name)
    }
}

impl Objective {
    /// The name in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PpoClip => "ppo_clip",
            Self::Gspo => "gspo",
            Self::Sapo => "sapo",
            Self::Cispo => "cispo",
            Self::Gmpo => "gmpo",
            Self::ClipCov => "clip_cov",
            Self::KlCov => "kl_cov",
            Self::DppoTv => "dppo_tv",
            Self::DppoKl => "dppo_kl",
            Self::Dro => "dro",
            Self::Gpg => "gpg",
            Self::Reinforce => "reinforce",
        }
    }

    /// The average that the method is defined with, if it is.
    pub(super) fn loss_agg(self) -> Option<LossAgg> {
        let of_responses = matches!(self, Self::Gspo | Self::Sapo | Self::Gmpo);
        of_responses.then_some(LossAgg::SeqMeanTokenMean)
    }

    /// Defaults of the keys that belong to an objective, as a layer: `[rl]` with all [`PARAMETERS`].
    pub(super) fn defaults(self) -> Table {
        let rl = self.default_rl();
        let mut keys: Table = PARAMETERS
            .iter()
            .map(|p| (p.name().to_owned(), Value::Float((p.value)(&rl))))
            .collect();
        if let Some(Ok(loss_agg)) = self.loss_agg().map(Value::try_from) {
            keys.insert("loss_agg".to_owned(), loss_agg);
        }
        Table::from_iter([("rl".to_owned(), Value::Table(keys))])
    }

    fn default_rl(self) -> Rl {
        let clip = |clip_ratio_low, clip_ratio_high, clip_ratio_c| Rl {
            clip_ratio_low,
            clip_ratio_high,
            clip_ratio_c,
            ..Rl::default()
        };
        match self {
            Self::Gspo => clip(3e-4, 4e-4, 0.0),
            Self::Cispo => clip(1.0, 0.2, 0.0),
            Self::Gmpo => clip(0.4, 0.4, 0.0),
            Self::DppoTv => clip(0.15, 0.15, 20.0),
            Self::DppoKl => clip(0.05, 0.05, 20.0),
            Self::PpoClip
            | Self::Sapo
            | Self::ClipCov
            | Self::KlCov
            | Self::Dro
            | Self::Gpg
            | Self::Reinforce => Rl::default(),
        }
    }

    /// The objective of the topmost of `layers` that names one this program knows.
    pub(super) fn named_by<'a>(layers: impl DoubleEndedIterator<Item = &'a Table>) -> Option<Self> {
        let named = layers
            .rev()
            .find_map(|keys| keys.get("rl")?.as_table()?.get("objective"));
        // A name that is not known is refused when its layer is decoded.
        named.and_then(|name| Self::deserialize(name.clone()).ok())
    }
}
