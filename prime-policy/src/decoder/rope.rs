//! Rotary position angles.

use std::f64::consts::PI;

use burn::tensor::{Device, Tensor, TensorData};

use crate::config::{RopeScaling, Yarn};

/// cos and sin of `position · frequency` (RoFormer, Hugging Face half-split layout).
///
/// Frequencies and angles are rounded to f32 where `transformers` rounds them: at large positions the last bit of a
/// frequency shows in the angle, and models were trained with those angles.
#[derive(Debug, Clone)]
pub(crate) struct Rope {
    /// Radians a position, `head_dim / 2` of them.
    frequencies: Vec<f32>,
    /// Factor on cos and sin.
    attention_factor: f32,
}

impl Rope {
    pub(crate) fn new(theta: f64, scaling: Option<RopeScaling>, head_dim: usize) -> Self {
        let plain: Vec<f32> = (0..head_dim / 2)
            .map(|d| {
                let exponent = (2 * d) as f32 / head_dim as f32;
                1.0 / theta.powf(f64::from(exponent)) as f32
            })
            .collect();
        let (frequencies, attention_factor) = match scaling {
            None => (plain, 1.0),
            Some(RopeScaling::Linear { factor }) => {
                (plain.iter().map(|f| f / factor as f32).collect(), 1.0)
            }
            Some(RopeScaling::Llama3 {
                factor,
                low_freq_factor,
                high_freq_factor,
                original_max_position_embeddings,
            }) => {
                let context = original_max_position_embeddings as f64;
                let stretched = |&f: &f32| {
                    let turns = context * f64::from(f) / (2.0 * PI);
                    let kept = (turns - low_freq_factor) / (high_freq_factor - low_freq_factor);
                    blend(f, factor, kept.clamp(0.0, 1.0))
                };
                (plain.iter().map(stretched).collect(), 1.0)
            }
            Some(RopeScaling::Yarn(yarn)) => {
                let kept = yarn_kept(&yarn, theta, head_dim);
                let frequencies = plain.iter().zip(kept);
                let frequencies = frequencies.map(|(&f, kept)| blend(f, yarn.factor, kept));
                (frequencies.collect(), yarn.cos_sin_factor())
            }
        };
        Self {
            frequencies,
            attention_factor: attention_factor as f32,
        }
    }

    /// Two `[positions.len(), head_dim/2]` tables.
    pub(crate) fn tables(
        &self,
        positions: impl ExactSizeIterator<Item = usize> + Clone,
        device: &Device,
    ) -> [Tensor<2>; 2] {
        let shape = [positions.len(), self.frequencies.len()];
        let table = |f: fn(f64) -> f64| {
            let values: Vec<f32> = positions
                .clone()
                .flat_map(|position| {
                    self.frequencies.iter().map(move |frequency| {
                        let angle = position as f32 * frequency;
                        f(f64::from(angle)) as f32 * self.attention_factor
                    })
                })
                .collect();
            Tensor::from_data(TensorData::new(values, shape), device)
        };
        [table(f64::cos), table(f64::sin)]
    }
}

/// `kept` of the frequency as it is and the rest of it divided by `factor`.
fn blend(frequency: f32, factor: f64, kept: f64) -> f32 {
    let frequency = f64::from(frequency);
    ((1.0 - kept) * frequency / factor + kept * frequency) as f32
}

/// Of each frequency, the share that YaRN leaves as it is: one minus the ramp between the dimensions that turn
/// `beta_fast` and `beta_slow` times in the original context.
fn yarn_kept(yarn: &Yarn, theta: f64, head_dim: usize) -> impl Iterator<Item = f64> {
    let width = head_dim as f64;
    let context = yarn.original_max_position_embeddings as f64;
    let dimension = |turns: f64| width * (context / (turns * 2.0 * PI)).ln() / (2.0 * theta.ln());
    let (mut low, mut high) = (dimension(yarn.beta_fast), dimension(yarn.beta_slow));
    if yarn.truncate {
        (low, high) = (low.floor(), high.ceil());
    }
    let (low, high) = (low.max(0.0), high.min(width - 1.0));
    // A ramp of no length would divide by zero.
    let high = if low == high { high + 0.001 } else { high };
    (0..head_dim / 2).map(move |d| 1.0 - ((d as f64 - low) / (high - low)).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::*;
    use crate::config::DecoderConfig;

    /// The cases of `tests/fixtures/make_rope.py`, read as a `config.json` has them.
    #[test]
    fn frequencies_are_those_of_transformers() {
        let golden: Value =
            serde_json::from_str(include_str!("../../tests/golden/rope.json")).unwrap();
        let cases = golden["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 19);
        for case in cases {
            let config = json!({
                "model_type": "llama", "vocab_size": 2, "hidden_size": 2, "intermediate_size": 2,
                "num_hidden_layers": 1, "num_attention_heads": 1, "head_dim": case["head_dim"],
                "max_position_embeddings": case["max_position_embeddings"],
                "rope_theta": case["rope_theta"], "rope_scaling": case["rope_scaling"],
            });
            let config = DecoderConfig::from_json(&config.to_string(), Path::new("case")).unwrap();
            let rope = Rope::new(config.rope_theta, config.rope_scaling, config.head_dim());
            let wanted = case["frequencies"].as_array().unwrap();
            assert_eq!(rope.frequencies.len(), wanted.len());
            for (d, (ours, wanted)) in rope.frequencies.iter().zip(wanted).enumerate() {
                let wanted = wanted.as_f64().unwrap();
                let off = (f64::from(*ours) - wanted).abs() / wanted;
                assert!(off < 1e-6, "{case}: frequency {d} is {ours}");
            }
            let wanted = case["attention_factor"].as_f64().unwrap();
            let off = (f64::from(rope.attention_factor) - wanted).abs();
            assert!(off < 1e-6, "{case}: factor {}", rope.attention_factor);
        }
    }

    #[test]
    fn tables_hold_the_scaled_cosine_and_sine_of_each_position() {
        let yarn = RopeScaling::Yarn(Yarn {
            attention_factor: Some(1.5),
            ..Yarn::new(1.0, 16)
        });
        let rope = Rope::new(100.0, Some(yarn), 4);
        let [cos, sin] = rope.tables([3, 0].into_iter(), &Device::default());
        let rows = |t: Tensor<2>| t.into_data().iter::<f32>().collect::<Vec<_>>();
        let wanted = [3.0_f32.cos(), 0.3_f32.cos(), 1.0, 1.0].map(|x| x * 1.5);
        assert!(
            rows(cos)
                .iter()
                .zip(wanted)
                .all(|(a, b)| (a - b).abs() < 1e-6)
        );
        let wanted = [3.0_f32.sin(), 0.3_f32.sin(), 0.0, 0.0].map(|x| x * 1.5);
        assert!(
            rows(sin)
                .iter()
                .zip(wanted)
                .all(|(a, b)| (a - b).abs() < 1e-6)
        );
    }
}
