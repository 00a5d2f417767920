//! The settings of an adapter.

use burn::module::Module;
use serde::{Deserialize, Serialize};

use super::attach::{Factors, attach};
use super::layers::linear_layers;
use super::targets::TargetModules;
use crate::error::PolicyError;
use crate::sampling::SampleKey;

/// Keeps the draws of adapters apart from those of samples with the same seed.
const STREAM: u64 = 0x6c6f_7261;

/// Which layers are adapted and how: W = W₀ + scale · A · B with A `[in, rank]`, B `[rank, out]`.
///
/// The fields have the names and meanings of PEFT's `LoraConfig`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoraConfig {
    /// Rank r of the correction; at least 1.
    pub rank: usize,
    /// Numerator α of the scale; positive.
    pub alpha: f64,
    /// The linear layers that are adapted.
    #[serde(default)]
    pub target_modules: TargetModules,
    /// Scale by α/√r instead of α/r (rsLoRA, Kalajdzievski 2023), which keeps the size of the update at high ranks.
    #[serde(default)]
    pub use_rslora: bool,
    /// The part of a layer's input that PEFT's training drops before A (`lora_dropout`), in [0, 1). It acts in training
    /// only, and this crate does not train with it: above 0 it is that of an adapter that was
    /// [loaded for inference](crate::AdapterUse::Inference), and is written back as it was.
    #[serde(default)]
    pub dropout: f64,
}

impl LoraConfig {
    /// All linear layers but the output head, at scale α/r.
    pub fn new(rank: usize, alpha: f64) -> Self {
        Self {
            rank,
            alpha,
            target_modules: TargetModules::AllLinear,
            use_rslora: false,
            dropout: 0.0,
        }
    }

    /// What A · B is multiplied by: α/r, or α/√r with `use_rslora`.
    pub fn scale(&self) -> f64 {
        let rank = self.rank as f64;
        self.alpha / if self.use_rslora { rank.sqrt() } else { rank }
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// [`PolicyError::Lora`] names the field, its value and what is accepted.
    pub fn validate(&self) -> Result<(), PolicyError> {
        let fail = |message: String| Err(PolicyError::Lora(message));
        if self.rank == 0 {
            return fail("rank is 0; accepted: at least 1".to_owned());
        }
        if !(self.alpha.is_finite() && self.alpha > 0.0) {
            let alpha = self.alpha;
            return fail(format!(
                "alpha is {alpha}; accepted: a positive finite number"
            ));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            let dropout = self.dropout;
            return fail(format!(
                "lora_dropout is {dropout}; accepted: from 0 to below 1"
            ));
        }
        self.target_modules.validate()
    }

    /// Checks that the adapter may train on.
    pub(super) fn validate_for_training(&self) -> Result<(), String> {
        match self.dropout == 0.0 {
            true => Ok(()),
            false => Err(format!(
                "lora_dropout is {}; accepted for training: 0, because with dropout the model that trains is not the one \
                 that samples; set it to 0 to go on without dropout (inference and merging take any value: it has no \
                 effect there)",
                self.dropout
            )),
        }
    }

    /// Freezes all parameters of `model` and attaches fresh adapters, the only parameters that train afterwards.
    ///
    /// A is uniform in ±1/√in (PEFT's default: Kaiming-uniform with a = √5), drawn from `seed` and the layer's position
    /// among the model's linear layers, so that it does not depend on the other targets or on other threads. B is 0: the
    /// model computes what it computed before. The base's tensors are shared with every clone of `model`, not copied.
    ///
    /// # Errors
    /// Those of [`Self::validate`]; [`PolicyError::Lora`] for a target that no layer matches, a model that has adapters, or
    /// dropout.
    pub fn attach<M: Module>(&self, model: M, seed: u64) -> Result<M, PolicyError> {
        self.validate()?;
        self.validate_for_training().map_err(PolicyError::Lora)?;
        let layers = linear_layers(&model);
        let chosen = self.target_modules.choose(&layers)?;
        let factors = chosen.into_iter().map(|at| {
            let layer = &layers[at];
            let key = SampleKey::new(seed, STREAM, at as u64, 0);
            let bound = (layer.input as f64).powf(-0.5);
            let draw = |i: usize| ((2.0 * key.uniform(i as u64) - 1.0) * bound) as f32;
            let fresh = Factors {
                a: (0..layer.input * self.rank).map(draw).collect(),
                b: vec![0.0; self.rank * layer.output],
            };
            (layer.name.clone(), fresh)
        });
        let factors = factors.collect();
        attach(model, factors, self.rank, self.scale())
    }
}
