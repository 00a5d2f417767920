//! `[advantage.reinforce]` to `[advantage.gae]`: the keys that belong to one estimator.

use serde::{Deserialize, Serialize};

use super::{Baseline, LooScaling};

/// `[advantage.reinforce]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReinforceKeys {
    /// What is subtracted from the return.
    pub baseline: Baseline,
}

impl Default for ReinforceKeys {
    fn default() -> Self {
        ReinforceKeys {
            baseline: Baseline::None,
        }
    }
}

/// `[advantage.rloo]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RlooKeys {
    /// How the leave-one-out mean of process rewards is taken; read with `advantage.process_estimator = "rloo"`.
    pub loo_scaling: LooScaling,
}

impl Default for RlooKeys {
    fn default() -> Self {
        RlooKeys {
            loo_scaling: LooScaling::Paper,
        }
    }
}

/// `[advantage.grpo]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrpoKeys {
    /// Divide outcome advantages by the group's standard deviation; false is Dr. GRPO's.
    pub normalize_by_std: bool,
}

impl Default for GrpoKeys {
    fn default() -> Self {
        GrpoKeys {
            normalize_by_std: true,
        }
    }
}

/// `[advantage.gae]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaeKeys {
    /// λ: how far a return looks beyond the critic's next value, `[0, 1]`.
    pub lam: f64,
}

impl Default for GaeKeys {
    fn default() -> Self {
        GaeKeys { lam: 1.0 }
    }
}
