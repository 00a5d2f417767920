//! Top-k, top-p and min-p without sorting the vocabulary.
//!
//! Each rule keeps the tokens above some logit, so what matters is that logit and never the order above it. It is
//! found by selection among the few tokens that a cheap bound cannot rule out.

use super::SamplingConfig;
use super::draw::{BLOCK, Weights};
use crate::kernels::math::exp;

/// Working memory of the truncation.
#[derive(Debug, Default)]
pub(super) struct Truncation {
    kept: Vec<u32>,
    logits: Vec<f32>,
    masses: Vec<(f32, f32)>,
}

impl Truncation {
    /// The ids that may be drawn, in ascending order; at least one.
    pub(super) fn keep(
        &mut self,
        logits: &[f32],
        weights: &Weights,
        config: &SamplingConfig,
    ) -> &[u32] {
        let k = config.top_k;
        let limits_k = k > 0 && k < logits.len();
        let limits_p = config.top_p < 1.0;
        if limits_k {
            let bound = self.top_k_bound(weights, k);
            self.collect(logits, weights, bound, 0.0);
            self.top_k(logits, k);
        } else if limits_p {
            // Lighter tokens weigh less than 1 − top_p even if all the vocabulary were of them: the nucleus is full
            // before it reaches them. The factor leaves room for rounding.
            let share = f64::from(1.0 - config.top_p) * weights.total / logits.len() as f64;
            self.collect(logits, weights, f32::NEG_INFINITY, (share * 0.99) as f32);
        } else {
            self.collect(logits, weights, f32::NEG_INFINITY, config.min_p);
        }
        if limits_p {
            let mass = if limits_k {
                let kept = self.kept.iter();
                kept.map(|&id| f64::from(weights.values[id as usize])).sum()
            } else {
                weights.total
            };
            self.top_p(logits, &weights.values, f64::from(config.top_p) * mass);
        }
        if config.min_p > 0.0 {
            // The likeliest token has weight 1.
            self.kept
                .retain(|&id| weights.values[id as usize] >= config.min_p);
        }
        if self.kept.is_empty() {
            // No logit is a number; the log-prob of this token will say so.
            self.kept.push(0);
        }
        &self.kept
    }

    /// A logit that the k-th largest cannot be below: the k-th largest of the blocks' largest.
    fn top_k_bound(&mut self, weights: &Weights, k: usize) -> f32 {
        if k > weights.tops.len() {
            return f32::NEG_INFINITY;
        }
        self.logits.clone_from(&weights.tops);
        kth_largest(&mut self.logits, k)
    }

    /// Collects the ids with at least this logit and at least this weight.
    fn collect(&mut self, logits: &[f32], weights: &Weights, logit: f32, weight: f32) {
        self.kept.clear();
        for (block, &top) in weights.tops.iter().enumerate() {
            // The kernel's exp is monotonic up to rounding only.
            let most = exp((top - weights.top) * weights.inverse) * 1.001;
            if top < logit || most < weight {
                continue;
            }
            let first = block * BLOCK;
            let end = (first + BLOCK).min(logits.len());
            self.kept.extend((first..end).filter_map(|id| {
                (logits[id] >= logit && weights.values[id] >= weight).then_some(id as u32)
            }));
        }
    }

    /// Keeps the k likeliest, and those as likely as the k-th.
    fn top_k(&mut self, logits: &[f32], k: usize) {
        if k >= self.kept.len() {
            return;
        }
        self.logits.clear();
        let candidates = self.kept.iter().map(|&id| logits[id as usize]);
        self.logits.extend(candidates);
        let floor = kth_largest(&mut self.logits, k);
        self.kept.retain(|&id| logits[id as usize] >= floor);
    }

    /// Keeps the fewest of the likeliest tokens that weigh `needed` together.
    fn top_p(&mut self, logits: &[f32], weights: &[f32], needed: f64) {
        self.masses.clear();
        let candidates = self.kept.iter();
        self.masses
            .extend(candidates.map(|&id| (logits[id as usize], weights[id as usize])));
        let Some((floor, count)) = nucleus(&mut self.masses, needed) else {
            return;
        };
        let above = self.masses.iter().filter(|(logit, _)| *logit > floor);
        let mut ties = count - above.count();
        self.kept.retain(|&id| {
            let logit = logits[id as usize];
            let tied = logit == floor && ties > 0;
            ties -= usize::from(tied);
            logit > floor || tied
        });
    }
}

/// The k-th largest value, 1 ≤ k ≤ `values.len()`. Reorders the values.
fn kth_largest(values: &mut [f32], k: usize) -> f32 {
    *values
        .select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a))
        .1
}

/// Of (logit, weight) pairs: the logit of the last one needed for this much weight, likeliest first, and how many
/// that takes. `None` if all together do not weigh so much. Linear in expectation: the half that does not hold the
/// end is never looked at again.
fn nucleus(pairs: &mut [(f32, f32)], needed: f64) -> Option<(f32, usize)> {
    let (mut rest, mut above, mut count) = (pairs, 0.0f64, 0);
    // The same weights added in another order may miss `needed` by a rounding error: then this is the end.
    let mut end = None;
    while !rest.is_empty() {
        let middle = rest.len() / 2;
        let (likelier, &mut (logit, weight), others) =
            rest.select_nth_unstable_by(middle, |a, b| b.0.total_cmp(&a.0));
        let mass: f64 = likelier.iter().map(|&(_, weight)| f64::from(weight)).sum();
        if !likelier.is_empty() && above + mass >= needed {
            let lowest = likelier.iter().map(|pair| pair.0);
            end = lowest
                .min_by(f32::total_cmp)
                .map(|logit| (logit, count + likelier.len()));
            rest = likelier;
            continue;
        }
        above += mass + f64::from(weight);
        count += likelier.len() + 1;
        if above >= needed {
            return Some((logit, count));
        }
        rest = others;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nucleus_is_full_when_it_weighs_just_enough() {
        let pairs = [(1.0, 0.25), (3.0, 0.5), (2.0, 0.25)];
        for (needed, expected) in [
            (0.5, Some((3.0, 1))),
            (0.75, Some((2.0, 2))),
            (0.76, Some((1.0, 3))),
            (1.0, Some((1.0, 3))),
            (1.1, None),
        ] {
            assert_eq!(nucleus(&mut pairs.clone(), needed), expected, "{needed}");
        }
    }
}
