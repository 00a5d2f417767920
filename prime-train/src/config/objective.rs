//! `rl.objective`: the policy loss.

use serde::{Deserialize, Serialize};
use toml::Table;

use super::LossAgg;

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

impl Objective {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::PpoClip,
        Self::Gspo,
        Self::Sapo,
        Self::Cispo,
        Self::Gmpo,
        Self::ClipCov,
        Self::KlCov,
        Self::DppoTv,
        Self::DppoKl,
        Self::Dro,
        Self::Gpg,
        Self::Reinforce,
    ];

    /// The name in a configuration, and of its table in `[rl]`.
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

    /// The objective of the topmost of `layers` that names one this program knows.
    pub(super) fn named_by<'a>(layers: impl DoubleEndedIterator<Item = &'a Table>) -> Option<Self> {
        let named = layers
            .rev()
            .find_map(|keys| keys.get("rl")?.as_table()?.get("objective"));
        // A name that is not known is refused when its layer is decoded.
        named.and_then(|name| Self::deserialize(name.clone()).ok())
    }
}
