//! The clipped surrogate in expectation over every token that could have been sampled.

use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

/// PPO's surrogate, summed over the whole next-token distribution instead of estimated from the sampled token:
/// ℓ_t = −Σ_a π_old(a)·min(ρ_a·A_a, clip(ρ_a, 1−ε_low, 1+ε_high)·A_a) with ρ_a = π_θ(a)/π_old(a).
///
/// It needs an advantage for every token of the vocabulary, which an implicit PRM has: its forward pass says
/// r(a) = β·(log π_φ(a) − log π_old(a)) of all of them at once. A_a is r(a) less its mean under π_old. The gradient at
/// π_θ = π_old is the expectation of the sampled one (an all-action policy gradient; Sutton et al. 2001), without the
/// variance of sampling.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AllActions {
    /// ε_low in [0, 1].
    pub clip_ratio_low: f32,
    /// ε_high ≥ 0.
    pub clip_ratio_high: f32,
}

impl AllActions {
    /// Per-position loss `[n, 1]`.
    ///
    /// All tensors are `[n, vocab]`: logits of π_θ (they carry the gradient) and of π_old, both already divided by the
    /// temperature, and the reward of every token, log π_φ − log π_old. `scale` is the coefficient times β.
    pub fn per_position(
        &self,
        logits: Tensor<2>,
        old_logits: Tensor<2>,
        reward: Tensor<2>,
        scale: f64,
    ) -> Tensor<2> {
        let log_probs = activation::log_softmax(logits, 1);
        let old = activation::log_softmax(old_logits, 1);
        let old_probs = old.clone().exp();
        let mean = (old_probs.clone() * reward.clone()).sum_dim(1);
        let advantages = (reward - mean).mul_scalar(scale);
        let ratio = (log_probs - old).clamp(-20.0, 20.0).exp();
        let clipped = ratio
            .clone()
            .clamp(1.0 - self.clip_ratio_low, 1.0 + self.clip_ratio_high);
        let gain = (ratio * advantages.clone()).min_pair(clipped * advantages);
        (old_probs * gain).sum_dim(1).neg()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

    const CLIP: AllActions = AllActions {
        clip_ratio_low: 0.2,
        clip_ratio_high: 0.3,
    };

    fn numbers(t: Tensor<2>) -> Vec<f64> {
        t.into_data().iter::<f32>().map(f64::from).collect()
    }

    fn random(rows: usize, vocab: usize) -> Tensor<2> {
        Tensor::random(
            [rows, vocab],
            Distribution::Normal(0.0, 1.0),
            &Device::flex(),
        )
    }

    #[test]
    fn the_gradient_is_the_expected_policy_gradient() {
        let (rows, vocab, scale) = (3, 5, 0.7);
        let (logits, reward) = (random(rows, vocab), random(rows, vocab));
        let leaf = Tensor::from_inner(logits.clone()).require_grad();
        let loss = CLIP.per_position(
            leaf.clone(),
            Tensor::from_inner(logits.clone()),
            Tensor::from_inner(reward.clone()),
            scale,
        );
        let found = numbers(
            leaf.grad(&loss.sum().backward())
                .expect("the loss reads its logits"),
        );
        let probs = numbers(activation::softmax(logits, 1));
        let reward = numbers(reward);
        for row in 0..rows {
            let at = row * vocab..(row + 1) * vocab;
            let (p, r) = (&probs[at.clone()], &reward[at.clone()]);
            let mean: f64 = p.iter().zip(r).map(|(p, r)| p * r).sum();
            for b in 0..vocab {
                // Σ_a π(a)·A(a)·∂log π(a)/∂logit_b, by definition.
                let expected: f64 = (0..vocab)
                    .map(|a| p[a] * scale * (r[a] - mean) * (f64::from(u8::from(a == b)) - p[b]))
                    .sum();
                assert!(
                    (found[at.start + b] + expected).abs() < 1e-6,
                    "row {row}, logit {b}"
                );
            }
        }
    }

    #[test]
    fn the_value_is_the_clipped_surrogate_summed_over_tokens() {
        let (logits, old, reward) = (random(1, 6) * 2.0, random(1, 6), random(1, 6));
        let log_softmax = |t: &Tensor<2>| numbers(activation::log_softmax(t.clone(), 1));
        let (new_lp, old_lp, r) = (
            log_softmax(&logits),
            log_softmax(&old),
            numbers(reward.clone()),
        );
        let mean: f64 = old_lp.iter().zip(&r).map(|(l, r)| l.exp() * r).sum();
        let (mut expected, mut clipped) = (0.0, 0);
        for a in 0..6 {
            let (ratio, advantage) = ((new_lp[a] - old_lp[a]).exp(), 2.0 * (r[a] - mean));
            let bounded = ratio.clamp(0.8, 1.3);
            clipped += usize::from(bounded != ratio);
            expected -= old_lp[a].exp() * (ratio * advantage).min(bounded * advantage);
        }
        assert!(clipped > 0, "the case must reach the clip");
        let found = numbers(CLIP.per_position(logits, old, reward, 2.0))[0];
        assert!(
            (found - expected).abs() < 1e-5,
            "{found} instead of {expected}"
        );
    }
}
