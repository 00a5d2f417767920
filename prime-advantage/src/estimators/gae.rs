//! Generalised advantage estimation.

use serde::{Deserialize, Serialize};

use crate::error::check_unit;
use crate::kernel::{self, GaeDecay};
use crate::knobs::knobs;
use crate::packed::scatter;
use crate::token_rewards::{TokenRewards, required, zeros};
use crate::whiten::{Before, combined, whiten_batch};
use crate::{
    AdvantageError, AdvantageEstimator, Advantages, ProcessHalf, ResponseField, RewardBatch,
    parallel,
};

/// `δ_t = r_t + γ V_{t+1} − V_t`, `A_t = δ_t + γλ A_{t+1}` (Schulman et al. 2015,
/// arXiv 1506.02438; verl `gae`, TRL `PPOTrainer`); returns are `A_t + V_t` from
/// before whitening: the critic's targets.
///
/// The token rewards are the process rewards, where the batch has them, plus the
/// outcome reward at the last policy token (nothing there for a process-only group).
///
/// # Edge cases
/// `V` past the end is 0. Masked tokens are skipped: the token before a gap sees the
/// value and advantage of the token after it. Groups of one are fine. A response
/// without values is an error, unless it is empty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Gae {
    /// The discount γ per policy token, in `[0, 1]`. Default: 1.
    pub gamma: f64,
    /// GAE's λ, in `[0, 1]`: 0 is the TD error, 1 return minus value. Default: 1.
    pub lam: f64,
    /// Whiten the advantages over the batch, as verl always does. Default: no.
    #[serde(alias = "whiten_advantages")]
    pub whiten: bool,
}

impl Default for Gae {
    fn default() -> Self {
        Self::new(1.0, 1.0)
    }
}

knobs!(Gae {
    with_gamma(gamma: f64);
    with_lam(lam: f64);
    with_whiten(whiten: bool);
});

impl Gae {
    /// GAE(γ, λ), not whitened.
    pub fn new(gamma: f64, lam: f64) -> Self {
        Self {
            gamma,
            lam,
            whiten: false,
        }
    }
}

impl AdvantageEstimator for Gae {
    fn name(&self) -> &str {
        "gae"
    }

    fn validate(&self) -> Result<(), AdvantageError> {
        check_unit("gae", "gamma", self.gamma)?;
        check_unit("gae", "lam", self.lam)
    }

    fn process_half(&self) -> ProcessHalf<'_> {
        ProcessHalf::Tokens
    }

    fn uses_values(&self) -> bool {
        true
    }

    fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
        self.validate()?;
        let values: Vec<_> = batch
            .places()
            .map(|(place, response)| {
                let values = (ResponseField::Values, response.values());
                required(self.name(), (place, response), values)
            })
            .collect::<Result<_, _>>()?;
        let zeros = zeros(batch);
        let rewards = TokenRewards::of_batch(self.name(), batch, &zeros)?;
        let responses: Vec<_> = batch.responses().collect();
        let decay = GaeDecay::new(self.gamma, self.lam);
        let mut result = Advantages::zeros_with_returns(batch);
        let moments = parallel::map(result.responses_mut(), |r, (advantages, returns)| {
            let (TokenRewards { process, last }, values) = (&rewards[r], &values[r]);
            let Some(mask) = responses[r].mask() else {
                return kernel::gae(process, *last, values, &decay, advantages, returns);
            };
            let mut packed = (vec![0.0; values.len()], vec![0.0; values.len()]);
            let (a, g) = (&mut packed.0, &mut packed.1);
            let moments = kernel::gae(process, *last, values, &decay, a, g);
            scatter(a, mask, advantages);
            scatter(g, mask, returns);
            moments
        });
        let moments = combined(&result, &moments)?;
        // An advantage may fit where its return does not.
        let mut result = result.into_finite()?;
        if self.whiten {
            whiten_batch(&mut result, batch, Before::Advantages, moments)?;
        }
        Ok(result)
    }
}
