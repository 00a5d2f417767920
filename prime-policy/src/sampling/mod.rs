//! Choosing the next token from logits.

mod draw;
mod truncate;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::error::PolicyError;
use crate::generation_config::SamplingDefaults;
pub(crate) use draw::{Draw, Sampler};

/// How the next token is drawn.
///
/// The logits are divided by the temperature; then `top_k`, `top_p` and `min_p` cut tokens off, in this order and each
/// as `transformers` defines it. (vLLM applies `min_p` first: with both set, its `top_p` is a share of less.) What is
/// left is drawn from in proportion to its probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SamplingConfig {
    /// Divides the logits; 0 means greedy. Range [0, ∞).
    pub temperature: f32,
    /// Only the `top_k` likeliest tokens, and those exactly as likely as the last of them; 0 means all.
    pub top_k: usize,
    /// Only the smallest set of likeliest tokens with at least this share of the probability that `top_k` has left;
    /// among equally likely tokens the lower ids are kept. Range (0, 1].
    pub top_p: f32,
    /// Only tokens at least this times as likely as the likeliest one. Range [0, 1]; 0 means all.
    pub min_p: f32,
    /// The most tokens a response may have, its stop token included.
    pub max_new_tokens: usize,
}

impl Default for SamplingConfig {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
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

    /// How a model's makers would sample after a prompt of `prompt_tokens` tokens.
    ///
    /// `max_new_tokens` is theirs; else what their `max_length` leaves after the prompt; else the one given. Their
    /// [`stop_strings`](SamplingDefaults::stop_strings) are no part of this: they go to
    /// [`TextOptions::stop`](crate::TextOptions::stop).
    ///
    /// # Errors
    /// [`PolicyError::Sampling`] names what is out of range, `max_length` if it leaves nothing after the prompt.
    pub fn from_defaults(
        defaults: &SamplingDefaults,
        prompt_tokens: usize,
        max_new_tokens: usize,
    ) -> Result<Self, PolicyError> {
        let max_new_tokens = match (defaults.max_new_tokens, defaults.max_length) {
            (Some(tokens), _) => tokens,
            (None, Some(length)) if length > prompt_tokens => length - prompt_tokens,
            (None, Some(length)) => {
                return Err(PolicyError::Sampling {
                    name: "max_length",
                    value: length.to_string(),
                    accepted: "more than the prompt has tokens; shorten the prompt, or give max_new_tokens",
                });
            }
            (None, None) => max_new_tokens,
        };
        let sampling = Self {
            temperature: defaults.temperature,
            top_k: defaults.top_k,
            top_p: defaults.top_p,
            min_p: defaults.min_p,
            max_new_tokens,
        };
        sampling.validate()?;
        Ok(sampling)
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
        if !(self.min_p >= 0.0 && self.min_p <= 1.0) {
            return fail("min_p", self.min_p, "a number in [0, 1]");
        }
        if self.max_new_tokens == 0 {
            return fail("max_new_tokens", 0.0, "at least 1");
        }
        Ok(())
    }

    /// Whether any token may be drawn, however unlikely.
    pub(crate) fn is_whole(&self) -> bool {
        self.top_k == 0 && self.top_p >= 1.0 && self.min_p == 0.0
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
