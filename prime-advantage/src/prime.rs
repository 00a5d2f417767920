//! PRIME: an outcome term plus a dense process term.

mod combine;
mod outcome_term;
mod process;

use serde::{Deserialize, Serialize};

pub use outcome_term::OutcomeTerm;

use crate::error::{check_finite, check_unit};
use crate::{AdvantageError, AdvantageEstimator, Advantages, RewardBatch};

/// `A_t = c_o · γ_o^{n−t} · outcome + c_p · Σ_{s≥t} γ_p^{s−t} x_s`, where `x` are the
/// process rewards less their baseline ([`ProcessTerm`]), `n` is the last policy
/// token and distances count policy tokens (arXiv 2502.01456, Eq. 5).
///
/// Three presets follow the paper ([`Prime::paper`], the default), the authors'
/// trainer ([`Prime::orig`]) and the maintained verl recipe ([`Prime::recipe`]);
/// every difference between them is one knob here.
///
/// With [`OutcomeTerm::Gae`] the two rewards are summed per token first and GAE
/// runs on the sum; this needs `process = "reinforce"` and both gammas 1, because
/// GAE has its own baseline and discount.
///
/// Process rewards are required unless `process_coef` is 0. When they are all
/// exactly 0 and both coefficients are 1, nothing is whitened and nothing is
/// discounted, the result equals the outcome estimator's alone, bit for bit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prime {
    /// How process rewards become advantages.
    pub process: ProcessTerm,
    /// Weight of the outcome term, finite. Without whitening the scale matters.
    pub outcome_coef: f64,
    /// Weight of the process term, finite; 0 switches it off.
    pub process_coef: f64,
    /// Discount of the outcome from the last policy token backwards, in `[0, 1]`
    /// (authors' trainer `verifier_gamma`).
    pub outcome_gamma: f64,
    /// Discount of the process rewards, in `[0, 1]` (authors' trainer `reward_model_gamma`).
    pub process_gamma: f64,
    /// How process rewards are scaled before anything else.
    pub process_norm: ProcessNorm,
    /// Zero the process reward of the last policy token, which still counts in the
    /// token means, as the verl recipe does.
    pub drop_last_token: bool,
    /// Which leave-one-out formula; read by [`ProcessTerm::Rloo`] only.
    pub loo_scaling: LooScaling,
    /// Whiten the sum over the policy tokens of the batch; the returns keep the
    /// numbers from before.
    #[serde(alias = "whiten_advantages")]
    pub whiten: bool,
    /// How outcome rewards become advantages: in a config file a name
    /// (`outcome = "grpo"`) or a table (`outcome = { estimator = "grpo", epsilon = 1e-4 }`).
    pub outcome: OutcomeTerm,
}

/// How process rewards become advantages. `mean_j` is the mean process reward over
/// the policy tokens of response `j`, 0 for a response without any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProcessTerm {
    /// `x_t = r_t` (paper Eq. 8).
    Reinforce,
    /// `x_t = r_t` less the mean of the others' `mean_j` (paper Eq. 5); see [`LooScaling`].
    /// Needs groups of at least two.
    #[default]
    #[serde(alias = "loo")]
    Rloo,
    /// `x_t = (r_t − mean of mean_j) / (std of mean_j + 1e-6)`, unbiased std (paper
    /// Eq. 7). Exactly 0.0 where the group's `mean_j` are all equal: there is
    /// nothing to divide by.
    Grpo,
    /// Subtracts `Σ_{s<t} r_s`: the implicit PRM as a value function (paper §5.4).
    /// Needs `process_gamma = 1`.
    ValueBaseline,
}

/// How process rewards are scaled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessNorm {
    /// As given.
    #[default]
    None,
    /// Divided by `max |Σ_{s≥t} r_s| + 1e-6` over every policy token of the batch.
    /// (The reference takes the maximum over each data-parallel rank's share.)
    BatchNorm,
}

/// The two leave-one-out formulas for process rewards, in groups of `K`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LooScaling {
    /// `x_t = r_t − mean_{j≠i} mean_j`.
    #[default]
    Paper,
    /// `x_t = r_t · K/(K−1) − Σ_j mean_j / (K−1)`, own response included in the sum:
    /// what both reference trainers compute. Returns differ from `Paper` inside a
    /// response, not at its first token (γ = 1).
    Code,
}

impl Default for Prime {
    fn default() -> Self {
        Self::paper()
    }
}

impl Prime {
    /// Eq. 5 as printed, with token-mean baselines: RLOO for both terms, weights 1,
    /// no discount, no normalisation, no whitening.
    pub fn paper() -> Self {
        Self {
            process: ProcessTerm::Rloo,
            outcome_coef: 1.0,
            process_coef: 1.0,
            outcome_gamma: 1.0,
            process_gamma: 1.0,
            process_norm: ProcessNorm::None,
            drop_last_token: false,
            loo_scaling: LooScaling::Paper,
            whiten: false,
            outcome: OutcomeTerm::default(),
        }
    }

    /// The authors' trainer (PRIME-RL/PRIME `compute_rloo_returns`): batch-normed
    /// process rewards, weights 1, the code's leave-one-out, whitened.
    pub fn orig() -> Self {
        Self {
            process_norm: ProcessNorm::BatchNorm,
            loo_scaling: LooScaling::Code,
            whiten: true,
            ..Self::paper()
        }
    }

    /// The maintained port (verl-recipe `prime`): as [`Prime::orig`] with weights
    /// 5 and 5 and the last token's process reward dropped.
    pub fn recipe() -> Self {
        Self {
            outcome_coef: 5.0,
            process_coef: 5.0,
            drop_last_token: true,
            ..Self::orig()
        }
    }

    /// Checks the knobs; [`AdvantageEstimator::estimate`] does it too.
    ///
    /// # Errors
    /// [`AdvantageError::OutOfRange`] or [`AdvantageError::Conflict`].
    pub fn validate(&self) -> Result<(), AdvantageError> {
        check_finite("prime", "outcome_coef", self.outcome_coef)?;
        check_finite("prime", "process_coef", self.process_coef)?;
        check_unit("prime", "outcome_gamma", self.outcome_gamma)?;
        check_unit("prime", "process_gamma", self.process_gamma)?;
        self.outcome.validate()?;
        let conflict = |problem| {
            Err(AdvantageError::Conflict {
                owner: "prime",
                problem,
            })
        };
        if let OutcomeTerm::Gae(_) = self.outcome {
            if self.uses_process() && self.process != ProcessTerm::Reinforce {
                return conflict(
                    "outcome `gae` has its own baseline; set `process = \"reinforce\"`",
                );
            }
            if (self.outcome_gamma, self.process_gamma) != (1.0, 1.0) {
                return conflict(
                    "outcome `gae` has its own `gamma`; leave `outcome_gamma` and `process_gamma` at 1",
                );
            }
        }
        let prefix = self.process == ProcessTerm::ValueBaseline;
        if self.uses_process() && prefix && self.process_gamma != 1.0 {
            return conflict(
                "`value_baseline` sums undiscounted prefixes; leave `process_gamma` at 1",
            );
        }
        Ok(())
    }

    fn uses_process(&self) -> bool {
        self.process_coef != 0.0
    }
}

impl AdvantageEstimator for Prime {
    fn name(&self) -> &str {
        "prime"
    }

    fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
        self.validate()?;
        combine::estimate(self, batch)
    }
}
