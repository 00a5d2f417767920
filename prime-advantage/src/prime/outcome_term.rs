//! The outcome half of PRIME.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::outcome::OutcomeScores;
use crate::{AdvantageError, Gae, Grpo, Reinforce, Rloo};

/// How outcome rewards become advantages: one of the outcome estimators, with its
/// knobs. Default: [`Rloo`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "estimator", rename_all = "snake_case")]
#[non_exhaustive]
pub enum OutcomeTerm {
    /// Reward less an optional mean.
    Reinforce(Reinforce),
    /// Reward less the others' mean.
    Rloo(Rloo),
    /// Standardised within the group.
    Grpo(Grpo),
    /// GAE over the summed token rewards; its `whiten` counts as PRIME's.
    Gae(Gae),
}

impl Default for OutcomeTerm {
    fn default() -> Self {
        Self::Rloo(Rloo {})
    }
}

impl OutcomeTerm {
    pub(super) fn validate(&self) -> Result<(), AdvantageError> {
        match self {
            Self::Grpo(grpo) => grpo.validate(),
            Self::Gae(gae) => gae.validate(),
            Self::Reinforce(_) | Self::Rloo(_) => Ok(()),
        }
    }

    /// The per-response estimator, or the per-token one that works differently.
    pub(super) fn kind(&self) -> OutcomeKind<'_> {
        match self {
            Self::Reinforce(reinforce) => OutcomeKind::PerResponse(reinforce),
            Self::Rloo(rloo) => OutcomeKind::PerResponse(rloo),
            Self::Grpo(grpo) => OutcomeKind::PerResponse(grpo),
            Self::Gae(gae) => OutcomeKind::PerToken(gae),
        }
    }
}

pub(super) enum OutcomeKind<'e> {
    PerResponse(&'e dyn OutcomeScores),
    PerToken(&'e Gae),
}

/// The derived form, which a name alone does not fit.
#[derive(Deserialize)]
#[serde(tag = "estimator", rename_all = "snake_case")]
enum Table {
    Reinforce(Reinforce),
    #[serde(alias = "loo")]
    Rloo(Rloo),
    Grpo(Grpo),
    #[serde(alias = "ppo")]
    Gae(Gae),
}

impl From<Table> for OutcomeTerm {
    fn from(table: Table) -> Self {
        match table {
            Table::Reinforce(reinforce) => Self::Reinforce(reinforce),
            Table::Rloo(rloo) => Self::Rloo(rloo),
            Table::Grpo(grpo) => Self::Grpo(grpo),
            Table::Gae(gae) => Self::Gae(gae),
        }
    }
}

impl<'de> Deserialize<'de> for OutcomeTerm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrTable)
    }
}

struct NameOrTable;

impl<'de> Visitor<'de> for NameOrTable {
    type Value = OutcomeTerm;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an estimator's name or a table with `estimator` and its knobs")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<OutcomeTerm, E> {
        match name {
            "reinforce" => Ok(OutcomeTerm::Reinforce(Reinforce::default())),
            "rloo" | "loo" => Ok(OutcomeTerm::Rloo(Rloo::default())),
            "grpo" => Ok(OutcomeTerm::Grpo(Grpo::default())),
            "gae" | "ppo" => Ok(OutcomeTerm::Gae(Gae::default())),
            _ => Err(E::unknown_variant(
                name,
                &["reinforce", "rloo", "grpo", "gae"],
            )),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OutcomeTerm, A::Error> {
        Table::deserialize(MapAccessDeserializer::new(map)).map(OutcomeTerm::from)
    }
}
