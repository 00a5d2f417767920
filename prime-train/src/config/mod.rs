//! The configuration: typed TOML in layers, built-in recipe ← preset ← file ← `--set`.
//!
//! Every key has a default, so a file holds only what it changes. A later layer wins key by key. The
//! preset named by the topmost layer that names one is used ([`DEFAULT_PRESET`] otherwise), whatever
//! layer that is. [`Config::to_toml`] writes what a reader wants to see, [`Config::to_full_toml`]
//! every key that is read; reading either text gives an equal configuration.
//!
//! Learning rates are for the built-in tasks and a model of 10⁵ parameters. The published rates
//! (policy 5e-7, reward model 1e-6) belong to models of 7·10⁹ and teach a small one nothing.

mod applies;
mod code;
mod columns;
mod credit;
mod data;
mod docs;
mod estimator_keys;
mod explain;
mod foreign;
mod layers;
mod lora;
mod model;
mod names;
mod notes;
mod objective;
mod objective_keys;
mod presets;
mod prm;
mod rebase;
mod resolve;
mod reward;
mod rl;
mod run;
mod schedule;
mod tables;
mod validate;
mod warmup;
mod watch;
mod write;

#[cfg(test)]
mod explain_tests;
#[cfg(test)]
mod model_folder_tests;
#[cfg(test)]
mod names_tests;
#[cfg(test)]
mod objective_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod write_tests;
#[cfg(test)]
mod wrong_tests;

use serde::{Deserialize, Serialize};

pub use code::Code;
pub use columns::Columns;
pub use credit::{
    Advantage, Baseline, Critic, Estimator, Kl, KlEstimator, KlPlacement, LooScaling,
    ProcessEstimator, ProcessNorm,
};
pub use data::{Data, DataTask};
pub use estimator_keys::{GaeKeys, GrpoKeys, ReinforceKeys, RlooKeys};
pub use explain::{explain, list, page};
pub use layers::Layer;
pub use lora::Lora;
pub use model::Model;
pub use objective::Objective;
pub use objective_keys::{
    CispoKeys, ClipCovKeys, DppoKlKeys, DppoTvKeys, DroKeys, GmpoKeys, GspoKeys, KlCovKeys,
    PlainKeys, PpoClipKeys, RolloutIs, SapoKeys,
};
pub(crate) use presets::nearest;
pub use presets::{DEFAULT_PRESET, MODEL_PRESETS, preset_names};
pub use prm::{
    Granularity, LabelPrior, Prm, PrmReference, PrmTrust, PrmUpdate, ProcessCredit, ProcessGroups,
    Replay,
};
pub use resolve::{Purpose, Resolved, resolve, resolve_for};
pub use reward::{Reward, RewardKind, RewardPart};
pub use rl::{Filter, LossAgg, Rl, Sampling};
pub use run::{Eval, EvalResponses, Run};
pub use schedule::{LrSchedule, Schedule};
pub use warmup::{Turns, Warmup};
pub use watch::Watch;

/// A resolved and validated configuration. Made by [`resolve`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The preset this configuration started from: one of [`preset_names`].
    pub preset: String,
    /// Seed of everything random, `0..2⁶³`.
    pub seed: u64,
    /// Where tensors live: `flex` (the CPU), or `cuda`, `rocm`, `vulkan`, `metal`, `wgpu` in a build with that
    /// feature, with a number as in `cuda:1` where there are several.
    pub device: String,
    /// Worker threads; 0 = all cores.
    pub threads: usize,
    /// The model, or the shape of a fresh one.
    pub model: Model,
    /// Adapters instead of all weights.
    pub lora: Lora,
    /// What is trained on.
    pub data: Data,
    /// What a response earns.
    pub reward: Reward,
    /// How responses to rows of code are graded.
    pub code: Code,
    /// Supervised warm-up before reinforcement.
    pub warmup: Warmup,
    /// How responses are sampled.
    pub sampling: Sampling,
    /// The policy update.
    pub rl: Rl,
    /// Which prompt groups are kept.
    pub filter: Filter,
    /// From rewards to advantages.
    pub advantage: Advantage,
    /// Keeping the policy near the reference.
    pub kl: Kl,
    /// The value model, read only by the `gae` estimator.
    pub critic: Critic,
    /// The implicit process reward model.
    pub prm: Prm,
    /// Evaluation on held-out problems.
    pub eval: Eval,
    /// Whether a run is healthy.
    pub watch: Watch,
    /// The run folder.
    pub run: Run,
}

impl Config {
    /// The built-in recipe before any preset.
    fn base() -> Self {
        Config {
            preset: DEFAULT_PRESET.to_string(),
            seed: 0,
            device: "flex".to_string(),
            threads: 0,
            model: Model::default(),
            lora: Lora::default(),
            data: Data::default(),
            reward: Reward::default(),
            code: Code::default(),
            warmup: Warmup::default(),
            sampling: Sampling::default(),
            rl: Rl::default(),
            filter: Filter::default(),
            advantage: Advantage::default(),
            kl: Kl::default(),
            critic: Critic::default(),
            prm: Prm::default(),
            eval: Eval::default(),
            watch: Watch::default(),
            run: Run::default(),
        }
    }

    /// Responses sampled in a step: prompts × group size × over-sampling, rounded up to whole groups.
    pub fn responses_per_step(&self) -> usize {
        let prompts = (self.rl.prompts_per_step as f64 * self.rl.oversample_factor).ceil();
        prompts as usize * self.rl.group_size
    }
}
