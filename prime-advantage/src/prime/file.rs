//! PRIME as a config file writes it: a preset, and what differs from it.

use serde::Deserialize;

use super::{Prime, ProcessNorm};
use crate::Term;

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Preset {
    #[default]
    Paper,
    Orig,
    Recipe,
}

/// `None` where the preset is kept.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PrimeTable {
    #[serde(default)]
    preset: Preset,
    outcome_coef: Option<f64>,
    process_coef: Option<f64>,
    outcome_gamma: Option<f64>,
    process_gamma: Option<f64>,
    process_norm: Option<ProcessNorm>,
    drop_last_token: Option<bool>,
    #[serde(alias = "whiten_advantages")]
    whiten: Option<bool>,
    process: Option<Term>,
    outcome: Option<Term>,
}

impl From<PrimeTable> for Prime {
    fn from(table: PrimeTable) -> Self {
        let preset = match table.preset {
            Preset::Paper => Self::paper(),
            Preset::Orig => Self::orig(),
            Preset::Recipe => Self::recipe(),
        };
        Self {
            outcome_coef: table.outcome_coef.unwrap_or(preset.outcome_coef),
            process_coef: table.process_coef.unwrap_or(preset.process_coef),
            outcome_gamma: table.outcome_gamma.unwrap_or(preset.outcome_gamma),
            process_gamma: table.process_gamma.unwrap_or(preset.process_gamma),
            process_norm: table.process_norm.unwrap_or(preset.process_norm),
            drop_last_token: table.drop_last_token.unwrap_or(preset.drop_last_token),
            whiten: table.whiten.unwrap_or(preset.whiten),
            process: table.process.unwrap_or(preset.process),
            outcome: table.outcome.unwrap_or(preset.outcome),
        }
    }
}
