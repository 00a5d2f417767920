//! An estimator selected by name.

use serde::{Deserialize, Serialize};

use crate::{AdvantageError, AdvantageEstimator, Gae, Grpo, Prime, Reinforce, Rloo};

/// Any estimator of this crate, as a config file writes it: the name under
/// `estimator`, its knobs beside it. Unknown knobs are errors.
///
/// ```
/// # use prime_advantage::EstimatorConfig;
/// let config: EstimatorConfig = toml::from_str("estimator = 'grpo'\nnormalize_by_std = false")?;
/// let estimator = config.build()?;
/// assert_eq!(estimator.name(), "grpo");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "estimator", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EstimatorConfig {
    /// `estimator = "reinforce"`.
    Reinforce(Reinforce),
    /// `estimator = "rloo"`; `"loo"`, its name in some trainers, is read too.
    #[serde(alias = "loo")]
    Rloo(Rloo),
    /// `estimator = "grpo"`.
    Grpo(Grpo),
    /// `estimator = "gae"`; `"ppo"`, which names the algorithm around it, is read too.
    #[serde(alias = "ppo")]
    Gae(Gae),
    /// `estimator = "prime"`.
    Prime(Prime),
}

impl Default for EstimatorConfig {
    fn default() -> Self {
        Self::Prime(Prime::default())
    }
}

impl EstimatorConfig {
    /// Checks the knobs and hands the estimator over.
    ///
    /// # Errors
    /// [`AdvantageError::OutOfRange`] or [`AdvantageError::Conflict`], naming the knob.
    pub fn build(&self) -> Result<Box<dyn AdvantageEstimator>, AdvantageError> {
        Ok(match self {
            Self::Reinforce(reinforce) => Box::new(*reinforce),
            Self::Rloo(rloo) => Box::new(*rloo),
            Self::Grpo(grpo) => {
                grpo.validate()?;
                Box::new(*grpo)
            }
            Self::Gae(gae) => {
                gae.validate()?;
                Box::new(*gae)
            }
            Self::Prime(prime) => {
                prime.validate()?;
                Box::new(*prime)
            }
        })
    }
}
