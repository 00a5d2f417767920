//! What a policy objective reads, and what it gives back.

use burn::tensor::Tensor;

/// What an objective sees of one micro-batch. All tensors are `[rows, window]`, one response a row, 0 outside the mask.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use prime_policy::objective::{ObjectiveInput, PolicyObjective, PpoClip};
///
/// let row = |values: [f32; 3]| Tensor::<2>::from_data([values], &Device::flex());
/// let input = ObjectiveInput::new(
///     row([-0.5, -1.0, f32::NAN]),
///     row([-0.7, -1.0, 0.0]),
///     row([1.0, 1.0, 0.0]),
///     row([1.0, 1.0, 0.0]),
/// );
/// let loss: Vec<f32> = PpoClip::default().token_loss(&input).loss.into_data().iter().collect();
/// // The first ratio is clipped at 1.2; the third position is padding.
/// assert_eq!(loss, [-1.2, -1.0, 0.0]);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ObjectiveInput {
    /// log π_θ of the sampled tokens; carries the gradient.
    pub log_probs: Tensor<2>,
    /// log π_old: the policy that the step began with.
    pub old_log_probs: Tensor<2>,
    /// One advantage per token.
    pub advantages: Tensor<2>,
    /// 1 on response tokens, 0 elsewhere.
    pub mask: Tensor<2>,
    /// Factors for the tokens' losses, without gradient: [`ImportanceWeights`](super::ImportanceWeights), verl's
    /// `rollout_is_weights`. `None` = 1.
    pub importance_weights: Option<Tensor<2>>,
    /// What random choices of an objective are a function of. Give every micro-batch another.
    pub seed: u64,
}

impl ObjectiveInput {
    /// No importance weights, seed 0.
    ///
    /// Whatever stands outside the mask is replaced by 0, so that padding, even NaN, reaches neither a loss nor a gradient.
    pub fn new(
        log_probs: Tensor<2>,
        old_log_probs: Tensor<2>,
        advantages: Tensor<2>,
        mask: Tensor<2>,
    ) -> Self {
        Self {
            log_probs: inside(log_probs, &mask),
            old_log_probs: inside(old_log_probs, &mask),
            advantages: inside(advantages, &mask),
            mask,
            importance_weights: None,
            seed: 0,
        }
    }

    /// The same with importance weights, `[rows, window]`. They get no gradient.
    pub fn with_importance_weights(mut self, weights: Tensor<2>) -> Self {
        self.importance_weights = Some(inside(weights.detach(), &self.mask));
        self
    }

    /// The same with another seed.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// log π_θ − log π_old, in nats.
    pub fn log_ratio(&self) -> Tensor<2> {
        self.log_probs.clone() - self.old_log_probs.clone()
    }

    /// ρ = π_θ / π_old, its logarithm clamped to ±20 so that it stays finite.
    pub fn ratio(&self) -> Tensor<2> {
        self.log_ratio().clamp(-20.0, 20.0).exp()
    }

    /// Σ of `x` over the mask, summed in f64 on the host: what [`TokenLoss::metric_sums`] holds.
    pub fn masked_sum(&self, x: Tensor<2>) -> f64 {
        masked_sum(x, &self.mask)
    }

    /// The metric that every objective with a ratio reports: Σ of log π_old − log π_θ, an estimate of
    /// KL(π_old ‖ π_θ).
    pub(super) fn ppo_kl(&self) -> (&'static str, f64) {
        ("actor/ppo_kl", self.masked_sum(self.log_ratio().neg()))
    }
}

/// A per-token loss and what to report of it.
#[derive(Debug)]
pub struct TokenLoss {
    /// `[rows, window]`, not yet masked or averaged.
    pub loss: Tensor<2>,
    /// Named sums over the mask; divided by the mini-batch's token count they are the metrics.
    pub metric_sums: Vec<(&'static str, f64)>,
}

impl TokenLoss {
    /// The loss of each token times its importance weight. Metrics stay as they are.
    pub fn weighted(self, input: &ObjectiveInput) -> Self {
        match &input.importance_weights {
            Some(weights) => Self {
                loss: self.loss * weights.clone(),
                ..self
            },
            None => self,
        }
    }
}

/// `x` with 0 outside the mask, in value and in gradient.
pub(super) fn inside(x: Tensor<2>, mask: &Tensor<2>) -> Tensor<2> {
    x.mask_fill(mask.clone().equal_scalar(0.0), 0.0)
}

/// Σ of `x` over the mask, on the host.
pub(super) fn masked_sum(x: Tensor<2>, mask: &Tensor<2>) -> f64 {
    let (x, mask) = (x.inner().into_data(), mask.clone().inner().into_data());
    x.iter::<f32>()
        .zip(mask.iter::<f32>())
        .filter(|(_, m)| *m != 0.0)
        .map(|(x, m)| f64::from(x) * f64::from(m))
        .sum()
}
