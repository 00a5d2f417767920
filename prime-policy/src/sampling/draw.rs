//! One draw: softmax weights in one pass over the logits, then a walk to the token that a uniform number points at.

use super::truncate::Truncation;
use super::{SampleKey, SamplingConfig};
use crate::kernels::math::{exp, max, sum, vectorised};

/// Logits that are summed, and searched, together.
pub(super) const BLOCK: usize = 128;

/// A token and how likely it was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Draw {
    pub token: u32,
    /// Under softmax(logits / temperature) over the *whole* vocabulary: the quantity that a trainer recomputes,
    /// whatever was cut off.
    pub log_prob: f32,
    /// Under the distribution that was drawn from: what was left, renormalised. 0 when greedy.
    pub sampling_log_prob: f32,
}

/// Unnormalised probabilities of one row of logits.
#[derive(Debug, Default)]
pub(super) struct Weights {
    /// The largest logit.
    pub top: f32,
    /// 1 / temperature.
    pub inverse: f32,
    /// `exp((logit − top) / temperature)`.
    pub values: Vec<f32>,
    /// Sum of each block's values.
    sums: Vec<f64>,
    /// Largest logit of each block.
    pub tops: Vec<f32>,
    /// Sum of all values.
    pub total: f64,
}

impl Weights {
    pub(super) fn read(&mut self, logits: &[f32], temperature: f32) {
        let Self {
            values, sums, tops, ..
        } = self;
        values.resize(logits.len(), 0.0);
        sums.clear();
        tops.clear();
        let inverse = 1.0 / temperature;
        let top = vectorised(
            #[inline(always)]
            || {
                tops.extend(logits.chunks(BLOCK).map(max));
                let top = max(tops);
                for (values, logits) in values.chunks_mut(BLOCK).zip(logits.chunks(BLOCK)) {
                    for (value, logit) in values.iter_mut().zip(logits) {
                        *value = exp((logit - top) * inverse);
                    }
                    sums.push(f64::from(sum(values)));
                }
                top
            },
        );
        self.total = sums.iter().sum();
        self.top = top;
        self.inverse = inverse;
    }

    /// log of (the weight of a token with this logit / `total`).
    fn log_share(&self, logit: f32, total: f64) -> f32 {
        (f64::from((logit - self.top) * self.inverse) - total.ln()) as f32
    }

    /// The token at which the running sum of all weights passes `target`.
    fn at(&self, target: f64) -> u32 {
        let mut left = target;
        for (block, &sum) in self.sums.iter().enumerate() {
            if left < sum {
                let first = block * BLOCK;
                let end = (first + BLOCK).min(self.values.len());
                return walk((first..end).map(|id| (id as u32, self.values[id])), left);
            }
            left -= sum;
        }
        // Only rounding leads here.
        self.values.iter().rposition(|&w| w > 0.0).unwrap_or(0) as u32
    }
}

/// The token at which the running sum passes `target`; the last one with any weight if rounding lets none.
fn walk(tokens: impl Iterator<Item = (u32, f32)>, target: f64) -> u32 {
    let (mut left, mut last) = (target, 0);
    for (id, weight) in tokens.filter(|&(_, weight)| weight > 0.0) {
        last = id;
        left -= f64::from(weight);
        if left < 0.0 {
            break;
        }
    }
    last
}

/// Draws tokens, keeping its working memory from one draw to the next.
#[derive(Debug)]
pub(crate) struct Sampler<'a> {
    config: &'a SamplingConfig,
    weights: Weights,
    truncation: Truncation,
}

impl<'a> Sampler<'a> {
    pub(crate) fn new(config: &'a SamplingConfig) -> Self {
        Self {
            config,
            weights: Weights::default(),
            truncation: Truncation::default(),
        }
    }

    /// Draws token number `index` of the sample with this key. Logits that are not finite numbers (−∞ excepted)
    /// give a log-prob that is not finite either.
    pub(crate) fn draw(&mut self, logits: &[f32], key: SampleKey, index: usize) -> Draw {
        let weights = &mut self.weights;
        weights.read(logits, self.config.log_prob_temperature());
        let total = weights.total;
        let (token, sampling_log_prob) = if self.config.temperature == 0.0 {
            let best = logits.iter().position(|&l| l == weights.top).unwrap_or(0);
            (best as u32, Some(0.0))
        } else {
            let uniform = key.uniform(index as u64);
            if self.config.is_whole() {
                (weights.at(uniform * total), None)
            } else {
                let kept = self.truncation.keep(logits, weights, self.config);
                let weight = |&id: &u32| weights.values[id as usize];
                let mass: f64 = kept.iter().map(|id| f64::from(weight(id))).sum();
                let token = walk(kept.iter().map(|id| (*id, weight(id))), uniform * mass);
                let logit = logits[token as usize];
                (token, Some(weights.log_share(logit, mass)))
            }
        };
        let log_prob = weights.log_share(logits[token as usize], total);
        Draw {
            token,
            log_prob,
            sampling_log_prob: sampling_log_prob.unwrap_or(log_prob),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_that_just_reaches_the_target_has_not_passed_it() {
        let tokens = || [(3, 1.0), (4, 0.0), (5, 1.0)].into_iter();
        let found = [0.0, 0.999, 1.0, 1.999].map(|target| walk(tokens(), target));
        assert_eq!(found, [3, 3, 5, 5]);
        // Rounding may leave more than there is.
        assert_eq!(walk(tokens(), 2.5), 5);
    }
}
