//! `[watch]`: whether a run is healthy.

use serde::{Deserialize, Serialize};

/// `[watch]`: warnings where a run leaves the healthy ranges.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// Look at every step; what is found is said once, with the way out, and is in every record as `watch/<rule>`, 0 or 1.
    pub enabled: bool,
    /// Steps in a row that most rules have to be broken before it is said, ≥ 1.
    pub patience: usize,
    /// Rules that end the run with a checkpoint and exit code 3 when they are broken, e.g. `["all_wrong", "held_out_fell"]`;
    /// empty = none. The README lists the rules.
    pub stop: Vec<String>,
}

impl Default for Watch {
    fn default() -> Self {
        Watch {
            enabled: true,
            patience: 10,
            stop: vec![],
        }
    }
}
