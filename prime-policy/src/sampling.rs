//! Choosing the next token from logits.

use serde::{Deserialize, Serialize};

use crate::error::PolicyError;

/// How the next token is drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SamplingConfig {
    /// Divides the logits; 0 means greedy. Range [0, ∞).
    pub temperature: f32,
    /// Only the `top_k` likeliest tokens; 0 means all.
    pub top_k: usize,
    /// Only the smallest set of likeliest tokens with at least this much probability. Range (0, 1].
    pub top_p: f32,
    /// The most tokens a response may have, its stop token included.
    pub max_new_tokens: usize,
}

impl Default for SamplingConfig {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            max_new_tokens: 256,
        }
    }
}

impl SamplingConfig {
    /// Always the likeliest token.
    pub fn greedy(max_new_tokens: usize) -> Self {
        Self {
            temperature: 0.0,
            max_new_tokens,
            ..Self::default()
        }
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// [`PolicyError::Sampling`] names the parameter.
    pub fn validate(&self) -> Result<(), PolicyError> {
        let fail = |name, value: f32, accepted| {
            Err(PolicyError::Sampling {
                name,
                value: value.to_string(),
                accepted,
            })
        };
        if !(self.temperature.is_finite() && self.temperature >= 0.0) {
            return fail("temperature", self.temperature, "a finite number ≥ 0");
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            return fail("top_p", self.top_p, "a number in (0, 1]");
        }
        if self.max_new_tokens == 0 {
            return fail("max_new_tokens", 0.0, "at least 1");
        }
        Ok(())
    }

    /// The temperature at which log-probs are reported: 1 when greedy.
    pub fn log_prob_temperature(&self) -> f32 {
        if self.temperature == 0.0 {
            1.0
        } else {
            self.temperature
        }
    }
}

/// A counter-based generator: the number drawn is a function of the key and the token's index only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleKey(u64);

impl SampleKey {
    /// The key of one sample; equal arguments give equal keys, whatever else is sampled beside it.
    pub fn new(seed: u64, step: u64, prompt: u64, sample: u64) -> Self {
        let key = [seed, step, prompt, sample]
            .into_iter()
            .fold(0x9e37_79b9_7f4a_7c15, |state, part| {
                mix(state ^ mix(part.wrapping_add(0x9e37_79b9_7f4a_7c15)))
            });
        Self(key)
    }

    /// A uniform number in [0, 1) for the token (or other counter) with this index.
    pub fn uniform(self, token: u64) -> f64 {
        let bits = mix(self
            .0
            .wrapping_add((token + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        (bits >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Draws token number `index` of a sample. Returns its id and its log-prob under softmax(logits / temperature)
/// over the *whole* vocabulary: the quantity that a trainer recomputes, whatever top-k and top-p cut away.
pub(crate) fn draw(
    logits: &[f32],
    config: &SamplingConfig,
    key: SampleKey,
    index: usize,
    scratch: &mut Vec<(u32, f32)>,
) -> (u32, f32) {
    let temperature = config.log_prob_temperature();
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f64 = logits
        .iter()
        .map(|&l| f64::from((l - top) / temperature).exp())
        .sum();
    let log_prob =
        |id: u32| (f64::from((logits[id as usize] - top) / temperature) - total.ln()) as f32;
    if config.temperature == 0.0 {
        let best = logits.iter().position(|&l| l == top).unwrap_or(0) as u32;
        return (best, log_prob(best));
    }
    let target = key.uniform(index as u64);
    let whole = config.top_k == 0 && config.top_p >= 1.0;
    if whole {
        let mut left = target * total;
        let mut last = 0;
        for (id, &logit) in logits.iter().enumerate() {
            let weight = f64::from((logit - top) / temperature).exp();
            if weight > 0.0 {
                last = id as u32;
                left -= weight;
                if left < 0.0 {
                    break;
                }
            }
        }
        return (last, log_prob(last));
    }
    scratch.clear();
    scratch.extend(logits.iter().enumerate().map(|(id, &l)| (id as u32, l)));
    scratch.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    if config.top_k > 0 {
        scratch.truncate(config.top_k);
    }
    let weight = |l: f32| f64::from((l - top) / temperature).exp();
    let kept: f64 = scratch.iter().map(|&(_, l)| weight(l)).sum();
    let mut mass = 0.0;
    let nucleus = scratch
        .iter()
        .position(|&(_, l)| {
            mass += weight(l);
            mass >= f64::from(config.top_p) * kept
        })
        .map_or(scratch.len(), |last| last + 1);
    scratch.truncate(nucleus.max(1));
    let kept: f64 = scratch.iter().map(|&(_, l)| weight(l)).sum();
    let mut left = target * kept;
    let mut chosen = scratch[0].0;
    for &(id, l) in scratch.iter() {
        chosen = id;
        left -= weight(l);
        if left < 0.0 {
            break;
        }
    }
    (chosen, log_prob(chosen))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frequencies(config: &SamplingConfig, logits: &[f32]) -> Vec<f64> {
        let n = 20_000;
        let mut counts = vec![0.0; logits.len()];
        for i in 0..n {
            let (id, _) = draw(
                logits,
                config,
                SampleKey::new(1, 2, 3, i),
                0,
                &mut Vec::new(),
            );
            counts[id as usize] += 1.0 / n as f64;
        }
        counts
    }

    #[test]
    fn frequencies_follow_the_softmax() {
        let logits: Vec<f32> = [0.5f32, 0.25, 0.2, 0.05].iter().map(|p| p.ln()).collect();
        let all = frequencies(&SamplingConfig::default(), &logits);
        for (seen, p) in all.iter().zip([0.5, 0.25, 0.2, 0.05]) {
            assert!((seen - p).abs() < 0.015, "{all:?}");
        }
        let config = SamplingConfig {
            top_k: 2,
            ..SamplingConfig::default()
        };
        let two = frequencies(&config, &logits);
        assert!((two[0] - 2.0 / 3.0).abs() < 0.015 && two[2] == 0.0 && two[3] == 0.0);
        let config = SamplingConfig {
            top_p: 0.9,
            ..SamplingConfig::default()
        };
        let nucleus = frequencies(&config, &logits);
        assert!(nucleus[3] == 0.0 && (nucleus[2] - 0.2 / 0.95).abs() < 0.015);
        let config = SamplingConfig {
            temperature: 0.5,
            ..SamplingConfig::default()
        };
        let sharp = frequencies(&config, &logits);
        let norm = 0.25 + 0.0625 + 0.04 + 0.0025;
        assert!((sharp[0] - 0.25 / norm).abs() < 0.015);
    }

    #[test]
    fn greedy_takes_the_first_maximum_and_reports_log_probs_at_temperature_one() {
        let (id, log_prob) = draw(
            &[0.0, 1.0, 1.0],
            &SamplingConfig::greedy(1),
            SampleKey::new(0, 0, 0, 0),
            0,
            &mut Vec::new(),
        );
        assert_eq!(id, 1);
        assert!((f64::from(log_prob) - (1.0 - (1.0 + 2.0 * 1f64.exp()).ln())).abs() < 1e-6);
    }

    #[test]
    fn a_key_depends_on_every_part() {
        let base = SampleKey::new(1, 2, 3, 4);
        for other in [
            SampleKey::new(2, 2, 3, 4),
            SampleKey::new(1, 3, 3, 4),
            SampleKey::new(1, 2, 4, 4),
            SampleKey::new(1, 2, 3, 5),
            SampleKey::new(2, 1, 3, 4),
        ] {
            assert_ne!(base, other);
            assert_ne!(base.uniform(0), other.uniform(0));
        }
        assert_ne!(base.uniform(0), base.uniform(1));
    }

    #[test]
    fn out_of_range_parameters_are_named() {
        let bad = SamplingConfig {
            top_p: 0.0,
            ..SamplingConfig::default()
        };
        assert!(bad.validate().unwrap_err().to_string().contains("top_p"));
        let bad = SamplingConfig {
            temperature: -1.0,
            ..SamplingConfig::default()
        };
        assert!(
            bad.validate()
                .unwrap_err()
                .to_string()
                .contains("temperature")
        );
    }
}
