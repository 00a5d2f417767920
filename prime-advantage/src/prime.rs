//! PRIME: an outcome half plus a dense process half.

mod combine;
mod file;
mod process;

use serde::{Deserialize, Serialize};

use crate::error::{check_finite, check_unit};
use crate::knobs::knobs;
use crate::{
    AdvantageError, AdvantageEstimator, Advantages, LooScaling, ProcessHalf, RewardBatch, Rloo,
    Term,
};

/// `A_t = c_o · γ_o^{n−t} · O_t + c_p · P_t` (arXiv 2502.01456, Eq. 5): any two
/// estimators, one for the outcome rewards and one for the process rewards. `n` is
/// the last policy token and distances count policy tokens.
///
/// - `O` is the outcome estimator's advantage from the batch without process rewards.
/// - `P` depends on what the process estimator is ([`ProcessHalf`]):
///   one that scores responses ([`ScoreEstimator`](crate::ScoreEstimator): RLOO, GRPO,
///   REINFORCE, …) takes baseline `b` and scale `a` from the responses' mean process
///   rewards and `P_t = Σ_{s≥t} γ_p^{s−t} (r_s − b) a`; one that reads token rewards
///   (GAE, REINFORCE++, …) estimates from them, with outcome rewards 0 and its own γ.
/// - Two halves with a critic ([`Gae`](crate::Gae) and `Gae`) would subtract its values
///   twice. They must have the same knobs, and run once on the sum of both rewards:
///   PPO with PRIME.
///
/// Three presets follow the paper ([`Prime::paper`], the default), the authors'
/// trainer ([`Prime::orig`]) and the maintained verl recipe ([`Prime::recipe`]);
/// every difference between them is one knob here or in [`Rloo::scaling`]. In a config
/// file `preset = "recipe"` starts from one of them, and the knobs beside it change it.
///
/// The returns are the critic's targets where a half has one, else the advantages
/// from before whitening.
///
/// # Edge cases
/// Process rewards are required unless `process_coef` is 0. When they are all exactly
/// 0, `outcome_coef` is 1 and nothing is whitened or discounted here, the advantages
/// equal the outcome estimator's alone, bit for bit. A response without policy tokens
/// has the mean process reward 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(
    from = "file::PrimeTable",
    bound(deserialize = "Self: From<file::PrimeTable>")
)]
#[non_exhaustive]
pub struct Prime<P = Term, O = Term> {
    /// Weight of the outcome half, finite. Without whitening the scale matters.
    pub outcome_coef: f64,
    /// Weight of the process half, finite; 0 switches it off.
    pub process_coef: f64,
    /// Discount of the outcome from the last policy token backwards, in `[0, 1]`
    /// (authors' trainer `verifier_gamma`). Must be 1 for an outcome estimator that sums
    /// token rewards by itself ([`ProcessHalf::Tokens`]), whether it discounts or not.
    pub outcome_gamma: f64,
    /// Discount of the process rewards, in `[0, 1]` (authors' trainer
    /// `reward_model_gamma`). Must be 1 for a process estimator that sums token rewards
    /// by itself.
    pub process_gamma: f64,
    /// How process rewards are scaled before anything else.
    pub process_norm: ProcessNorm,
    /// Zero the process reward of the last policy token, which still counts in the
    /// token means, as the verl recipe does.
    pub drop_last_token: bool,
    /// Whiten the sum over the policy tokens of the batch; the returns keep the
    /// numbers from before.
    pub whiten: bool,
    /// The estimator for process rewards.
    pub process: P,
    /// The estimator for outcome rewards.
    pub outcome: O,
}

/// How process rewards are scaled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProcessNorm {
    /// As given.
    #[default]
    None,
    /// Divided by `max |Σ_{s≥t} r_s| + 1e-6` over every policy token of the batch.
    /// (The reference takes the maximum over each data-parallel rank's share.)
    BatchNorm,
}

// For one pair of types only, so that `Prime::default()` needs no annotation.
impl Default for Prime {
    fn default() -> Self {
        Self {
            outcome_coef: 1.0,
            process_coef: 1.0,
            outcome_gamma: 1.0,
            process_gamma: 1.0,
            process_norm: ProcessNorm::None,
            drop_last_token: false,
            whiten: false,
            process: Term::default(),
            outcome: Term::default(),
        }
    }
}

impl Prime {
    /// Eq. 5 as printed, with token-mean baselines: RLOO for both halves, weights 1,
    /// no discount, no normalisation, no whitening.
    pub fn paper() -> Self {
        Self::default()
    }

    /// The authors' trainer (PRIME-RL/PRIME `compute_rloo_returns`): batch-normed
    /// process rewards, weights 1, the code's leave-one-out, whitened.
    pub fn orig() -> Self {
        Self {
            process_norm: ProcessNorm::BatchNorm,
            process: Rloo::default().with_scaling(LooScaling::Code).into(),
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
}

knobs!(Prime<P, O> {
    with_outcome_coef(outcome_coef: f64);
    with_process_coef(process_coef: f64);
    with_outcome_gamma(outcome_gamma: f64);
    with_process_gamma(process_gamma: f64);
    with_process_norm(process_norm: ProcessNorm);
    with_drop_last_token(drop_last_token: bool);
    with_whiten(whiten: bool);
});

impl<P, O> Prime<P, O> {
    /// The same with another estimator for process rewards, of any type.
    #[must_use]
    pub fn with_process<Q>(self, process: Q) -> Prime<Q, O> {
        self.with_halves(|_, outcome| (process, outcome))
    }

    /// The same with another estimator for outcome rewards, of any type.
    #[must_use]
    pub fn with_outcome<Q>(self, outcome: Q) -> Prime<P, Q> {
        self.with_halves(|process, _| (process, outcome))
    }

    fn with_halves<Q, R>(self, change: impl FnOnce(P, O) -> (Q, R)) -> Prime<Q, R> {
        let (process, outcome) = change(self.process, self.outcome);
        Prime {
            outcome_coef: self.outcome_coef,
            process_coef: self.process_coef,
            outcome_gamma: self.outcome_gamma,
            process_gamma: self.process_gamma,
            process_norm: self.process_norm,
            drop_last_token: self.drop_last_token,
            whiten: self.whiten,
            process,
            outcome,
        }
    }
}

impl<P: AdvantageEstimator, O: AdvantageEstimator> Prime<P, O> {
    fn uses_process(&self) -> bool {
        self.process_coef != 0.0
    }

    /// Whether both halves read the critic, so that they run as one.
    fn is_fused(&self) -> bool {
        self.uses_process() && self.process.uses_values() && self.outcome.uses_values()
    }
}

fn conflict<T>(problem: String) -> Result<T, AdvantageError> {
    Err(AdvantageError::Conflict {
        owner: "prime",
        problem,
    })
}

impl<P: AdvantageEstimator, O: AdvantageEstimator> AdvantageEstimator for Prime<P, O> {
    fn name(&self) -> &str {
        "prime"
    }

    fn uses_values(&self) -> bool {
        (self.uses_process() && self.process.uses_values()) || self.outcome.uses_values()
    }

    fn validate(&self) -> Result<(), AdvantageError> {
        check_finite("prime", "outcome_coef", self.outcome_coef)?;
        check_finite("prime", "process_coef", self.process_coef)?;
        check_unit("prime", "outcome_gamma", self.outcome_gamma)?;
        check_unit("prime", "process_gamma", self.process_gamma)?;
        self.outcome.validate()?;
        let own_gamma = |half: &str, name: &str| {
            conflict(format!(
                "{half} `{name}` sums token rewards by itself, with its own discount if it has one; \
                 leave `{half}_gamma` at 1"
            ))
        };
        let tokens = matches!(self.outcome.process_half(), ProcessHalf::Tokens);
        if tokens && self.outcome_gamma != 1.0 {
            return own_gamma("outcome", self.outcome.name());
        }
        if !self.uses_process() {
            return Ok(());
        }
        self.process.validate()?;
        match self.process.process_half() {
            ProcessHalf::Unsupported => {
                return conflict(format!(
                    "`{}` does not say how it works on process rewards; implement \
                     `AdvantageEstimator::process_half`, or choose another `process`",
                    self.process.name()
                ));
            }
            ProcessHalf::Tokens if self.process_gamma != 1.0 => {
                return own_gamma("process", self.process.name());
            }
            _ => {}
        }
        if self.is_fused() && format!("{:?}", self.process) != format!("{:?}", self.outcome) {
            return conflict(format!(
                "`process` ({:?}) and `outcome` ({:?}) both read the critic's values and run as one, \
                 so give them the same knobs",
                self.process, self.outcome
            ));
        }
        Ok(())
    }

    fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
        self.validate()?;
        combine::estimate(self, batch)
    }
}
