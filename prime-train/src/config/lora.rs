//! `[lora]`: training a low-rank correction instead of all weights.

use prime_policy::{LoraConfig, TargetModules};
use serde::{Deserialize, Serialize};

/// `[lora]`: adapters for the policy and for the reward model, which then share one frozen base with the reference.
///
/// With `model.path` the adapters are there from the start, the warm-up included. A fresh model's weights are random and
/// have to be trained first: its warm-up trains all of them, and the adapters come after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lora {
    /// Rank r of the correction; 0 = off, all weights train.
    pub rank: usize,
    /// α > 0: the correction is scaled by α/r.
    pub alpha: f64,
    /// Linear layers by name, as in `["q_proj", "v_proj"]`; or `"all-linear"`, all but the output head.
    pub target_modules: TargetModules,
    /// Scale by α/√r instead.
    pub use_rslora: bool,
    /// Must be 0: with dropout the log-probs that are trained on are not those of the model that sampled.
    pub dropout: f64,
}

impl Default for Lora {
    fn default() -> Self {
        Lora {
            rank: 0,
            alpha: 32.0,
            target_modules: TargetModules::AllLinear,
            use_rslora: false,
            dropout: 0.0,
        }
    }
}

impl Lora {
    /// The adapters' settings; `None` when they are off.
    pub fn settings(&self) -> Option<LoraConfig> {
        (self.rank > 0).then(|| LoraConfig {
            rank: self.rank,
            alpha: self.alpha,
            target_modules: self.target_modules.clone(),
            use_rslora: self.use_rslora,
            dropout: self.dropout,
        })
    }
}
