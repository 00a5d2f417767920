//! Choosing a policy objective by name.

use serde::{Deserialize, Serialize};

use super::{
    Cispo, ClipCov, DppoKl, DppoTv, Dro, Gmpo, Gpg, Gspo, KlCov, LossAggregation, ObjectiveInput,
    PolicyObjective, PpoClip, Reinforce, Sapo, TokenLoss,
};
use crate::error::PolicyError;

/// Chooses a [`PolicyObjective`] by name, with its parameters beside the name. It is one itself: the one chosen.
///
/// ```
/// use prime_policy::objective::{ObjectiveConfig, PolicyObjective};
///
/// let config: ObjectiveConfig = serde_json::from_str(r#"{"objective": "gspo", "clip_ratio_low": 1e-3}"#)?;
/// assert_eq!(config.build()?.name(), "gspo");
///
/// let config: ObjectiveConfig = serde_json::from_str(r#"{"objective": "sapo", "tau_neg": 0.0}"#)?;
/// assert_eq!(
///     config.build().unwrap_err().to_string(),
///     "objective sapo: tau_neg is 0; accepted: a finite number above 0"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "objective", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ObjectiveConfig {
    /// Clipped surrogate of PPO.
    #[serde(alias = "vanilla")]
    PpoClip(PpoClip),
    /// Ratios of whole responses.
    Gspo(Gspo),
    /// A smooth gate instead of the clip.
    Sapo(Sapo),
    /// Clipped weights, no dropped gradients.
    Cispo(Cispo),
    /// Geometric mean of a response's ratios.
    #[serde(alias = "geo_mean")]
    Gmpo(Gmpo),
    /// PPO that drops a few tokens of high covariance.
    ClipCov(ClipCov),
    /// A penalty on the tokens of highest covariance.
    KlCov(KlCov),
    /// Trust region in total variation.
    DppoTv(DppoTv),
    /// Trust region in KL.
    DppoKl(DppoKl),
    /// Quadratic pull to the old policy.
    Dro(Dro),
    /// Plain policy gradient of the GPG method.
    Gpg(Gpg),
    /// Plain policy gradient.
    Reinforce(Reinforce),
}

impl Default for ObjectiveConfig {
    fn default() -> Self {
        Self::PpoClip(PpoClip::default())
    }
}

impl ObjectiveConfig {
    /// The objective.
    ///
    /// # Errors
    /// [`PolicyError::Objective`] for a parameter out of range.
    pub fn build(&self) -> Result<Box<dyn PolicyObjective>, PolicyError> {
        self.validate()?;
        Ok(Box::new(self.clone()))
    }

    fn chosen(&self) -> &dyn PolicyObjective {
        match self {
            Self::PpoClip(objective) => objective,
            Self::Gspo(objective) => objective,
            Self::Sapo(objective) => objective,
            Self::Cispo(objective) => objective,
            Self::Gmpo(objective) => objective,
            Self::ClipCov(objective) => objective,
            Self::KlCov(objective) => objective,
            Self::DppoTv(objective) => objective,
            Self::DppoKl(objective) => objective,
            Self::Dro(objective) => objective,
            Self::Gpg(objective) => objective,
            Self::Reinforce(objective) => objective,
        }
    }
}

impl PolicyObjective for ObjectiveConfig {
    fn name(&self) -> &str {
        self.chosen().name()
    }

    fn token_loss(&self, input: &ObjectiveInput) -> TokenLoss {
        self.chosen().token_loss(input)
    }

    fn aggregation(&self) -> Option<LossAggregation> {
        self.chosen().aggregation()
    }

    fn validate(&self) -> Result<(), PolicyError> {
        self.chosen().validate()
    }
}
