//! Whether the fields of a [`DecoderConfig`] fit together.

use super::family::{AttentionBias, Windows};
use super::{DecoderConfig, LayerType, RopeScaling};
use crate::error::PolicyError;

/// Larger than any model's, small enough that the product of two sizes fits a `usize`.
const LARGEST: usize = i32::MAX as usize;

fn refuse(field: &'static str, value: impl ToString, accepted: &'static str) -> PolicyError {
    PolicyError::Config {
        field,
        value: value.to_string(),
        accepted,
    }
}

fn positive(field: &'static str, value: f64) -> Result<(), PolicyError> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(refuse(field, value, "a finite number above 0"))
}

impl DecoderConfig {
    /// Checks that the sizes fit together and that every field is one that the family honours.
    ///
    /// # Errors
    /// [`PolicyError::Config`] names the field, its value and what is accepted.
    pub fn validate(&self) -> Result<(), PolicyError> {
        self.check_sizes()?;
        self.check_heads()?;
        positive("rms_norm_eps", self.rms_norm_eps)?;
        positive("initializer_range", self.initializer_range)?;
        self.check_rope()?;
        self.check_biases()?;
        self.check_windows()
    }

    fn check_sizes(&self) -> Result<(), PolicyError> {
        let sizes = [
            ("vocab_size", Some(self.vocab_size)),
            ("hidden_size", Some(self.hidden_size)),
            ("intermediate_size", Some(self.intermediate_size)),
            ("num_hidden_layers", Some(self.num_hidden_layers)),
            ("num_attention_heads", Some(self.num_attention_heads)),
            ("num_key_value_heads", Some(self.num_key_value_heads)),
            ("head_dim", self.head_dim),
            (
                "max_position_embeddings",
                Some(self.max_position_embeddings),
            ),
            ("sliding_window", self.sliding_window),
        ];
        for (field, value) in sizes {
            match value {
                Some(0) => return Err(refuse(field, 0, "at least 1")),
                Some(n) if n > LARGEST => return Err(refuse(field, n, "at most 2147483647")),
                _ => {}
            }
        }
        Ok(())
    }

    fn check_heads(&self) -> Result<(), PolicyError> {
        let heads = self.num_attention_heads;
        let divides = self.hidden_size.is_multiple_of(heads);
        match self.head_dim {
            Some(width) if !width.is_multiple_of(2) => {
                return Err(refuse("head_dim", width, "an even number"));
            }
            None if !divides || !self.head_dim().is_multiple_of(2) => {
                return Err(refuse(
                    "num_attention_heads",
                    heads,
                    "a divisor of hidden_size with an even quotient",
                ));
            }
            Some(_) if !divides && self.family.spec().heads_divide_hidden => {
                return Err(refuse(
                    "num_attention_heads",
                    heads,
                    "a divisor of hidden_size, whatever head_dim is",
                ));
            }
            _ => {}
        }
        if heads.is_multiple_of(self.num_key_value_heads) {
            return Ok(());
        }
        Err(refuse(
            "num_key_value_heads",
            self.num_key_value_heads,
            "a divisor of num_attention_heads",
        ))
    }

    fn check_rope(&self) -> Result<(), PolicyError> {
        if !(self.rope_theta.is_finite() && self.rope_theta > 1.0) {
            return Err(refuse(
                "rope_theta",
                self.rope_theta,
                "a finite number above 1",
            ));
        }
        let context = |tokens: usize| match tokens {
            1..=LARGEST => Ok(()),
            _ => Err(refuse(
                "rope_scaling.original_max_position_embeddings",
                tokens,
                "from 1 to 2147483647",
            )),
        };
        match self.rope_scaling {
            None => Ok(()),
            Some(RopeScaling::Linear { factor }) => positive("rope_scaling.factor", factor),
            Some(RopeScaling::Llama3 {
                factor,
                low_freq_factor,
                high_freq_factor,
                original_max_position_embeddings,
            }) => {
                positive("rope_scaling.factor", factor)?;
                positive("rope_scaling.low_freq_factor", low_freq_factor)?;
                positive("rope_scaling.high_freq_factor", high_freq_factor)?;
                if high_freq_factor <= low_freq_factor {
                    return Err(refuse(
                        "rope_scaling.high_freq_factor",
                        high_freq_factor,
                        "a number above low_freq_factor",
                    ));
                }
                context(original_max_position_embeddings)
            }
            Some(RopeScaling::Yarn(yarn)) => {
                let numbers = [
                    ("rope_scaling.factor", Some(yarn.factor)),
                    ("rope_scaling.attention_factor", yarn.attention_factor),
                    ("rope_scaling.mscale", yarn.mscale),
                    ("rope_scaling.mscale_all_dim", yarn.mscale_all_dim),
                    ("rope_scaling.beta_fast", Some(yarn.beta_fast)),
                    ("rope_scaling.beta_slow", Some(yarn.beta_slow)),
                ];
                for (field, value) in numbers {
                    value.map_or(Ok(()), |value| positive(field, value))?;
                }
                context(yarn.original_max_position_embeddings)
            }
        }
    }

    fn check_biases(&self) -> Result<(), PolicyError> {
        let spec = self.family.spec();
        match (spec.attention_bias, self.attention_bias) {
            (AttentionBias::QueryKeyValue, false) => Err(refuse(
                "attention_bias",
                false,
                "true for this family; llama is the same without",
            )),
            (AttentionBias::Never, true) => {
                Err(refuse("attention_bias", true, "false for this family"))
            }
            _ if self.mlp_bias && !spec.mlp_bias => {
                Err(refuse("mlp_bias", true, "false for this family"))
            }
            _ => Ok(()),
        }
    }

    fn check_windows(&self) -> Result<(), PolicyError> {
        let windows = self.family.spec().windows;
        if let (Windows::Never, Some(window)) = (windows, self.sliding_window) {
            return Err(refuse("sliding_window", window, "null for this family"));
        }
        if windows != Windows::ByLayer && self.use_sliding_window {
            return Err(refuse("use_sliding_window", true, "false for this family"));
        }
        let Some(types) = &self.layer_types else {
            return Ok(());
        };
        if windows != Windows::ByLayer {
            return Err(refuse("layer_types", "given", "null for this family"));
        }
        if types.len() != self.num_hidden_layers {
            return Err(refuse(
                "layer_types",
                format!("a list of {}", types.len()),
                "as many entries as num_hidden_layers",
            ));
        }
        let windowed = self.use_sliding_window && self.sliding_window.is_some();
        if !windowed && types.contains(&LayerType::Sliding) {
            return Err(refuse(
                "layer_types",
                "\"sliding_attention\"",
                "\"full_attention\" only, unless use_sliding_window is true and sliding_window a number",
            ));
        }
        Ok(())
    }
}
