//! AdamW with global gradient clipping, and its state on disk.

use std::path::Path;

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::{Module, ModuleMapper, Param};
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::error::PolicyError;
use crate::parallel::global_norm;

/// AdamW (Loshchilov and Hutter 2019) and the clipping of what goes into it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OptimizerConfig {
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// ε added to the root of the second moment.
    pub eps: f32,
    /// Decoupled weight decay.
    pub weight_decay: f32,
    /// Gradients are scaled down to this global Euclidean norm; 0 leaves them.
    pub grad_clip: f64,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 0.0,
            grad_clip: 1.0,
        }
    }
}

impl OptimizerConfig {
    /// An optimiser with empty moments.
    pub fn init(&self) -> Optimizer {
        let adamw = AdamWConfig::new()
            .with_beta_1(self.beta1)
            .with_beta_2(self.beta2)
            .with_epsilon(self.eps)
            .with_weight_decay(self.weight_decay)
            .init();
        Optimizer {
            adamw,
            grad_clip: self.grad_clip,
        }
    }
}

/// The optimiser of one module.
#[derive(Clone)]
pub struct Optimizer {
    adamw: ModuleOptimizer,
    grad_clip: f64,
}

impl std::fmt::Debug for Optimizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Optimizer")
            .field("grad_clip", &self.grad_clip)
            .finish_non_exhaustive()
    }
}

impl Optimizer {
    /// One update of `model`. Returns it with the gradients' global norm before clipping.
    ///
    /// # Errors
    /// [`PolicyError::NotFinite`] when the norm is not finite; nothing has been changed then, and `model` is lost only
    /// to the caller who did not keep a clone.
    pub fn step<M: Module>(
        &mut self,
        model: M,
        gradients: GradientsParams,
        learning_rate: f64,
    ) -> Result<(M, f64), PolicyError> {
        let norm = global_norm(&model, &gradients);
        if !norm.is_finite() {
            return Err(PolicyError::NotFinite {
                what: "gradient norm",
                value: norm,
                at: String::new(),
            });
        }
        let gradients = if self.grad_clip > 0.0 && norm > self.grad_clip {
            scaled(&model, gradients, self.grad_clip / (norm + 1e-6))
        } else {
            gradients
        };
        let rate: ModuleLearningRate = learning_rate.into();
        Ok((self.adamw.step(rate, model, gradients), norm))
    }

    /// Writes the moments and the step count.
    ///
    /// # Errors
    /// [`PolicyError::OptimizerState`] or [`PolicyError::Io`].
    pub fn save(&self, path: &Path) -> Result<(), PolicyError> {
        let bytes = self
            .adamw
            .into_bytes()
            .map_err(|e| PolicyError::OptimizerState(e.to_string()))?;
        crate::checkpoint::write_atomically(path, &bytes)
    }

    /// Reads what [`Optimizer::save`] wrote.
    ///
    /// # Errors
    /// [`PolicyError::Io`], or [`PolicyError::OptimizerState`] for a file that is not an optimiser state.
    pub fn load(self, path: &Path) -> Result<Self, PolicyError> {
        let bytes = std::fs::read(path).map_err(|source| PolicyError::Io {
            path: path.to_owned(),
            source,
        })?;
        let adamw = self
            .adamw
            .from_bytes(burn::tensor::Bytes::from_bytes_vec(bytes))
            .map_err(|e| PolicyError::OptimizerState(format!("{}: {e}", path.display())))?;
        Ok(Self {
            adamw,
            grad_clip: self.grad_clip,
        })
    }
}

fn scaled<M: Module>(model: &M, gradients: GradientsParams, factor: f64) -> GradientsParams {
    struct Scale {
        gradients: GradientsParams,
        factor: f64,
    }
    impl ModuleMapper for Scale {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if let Some(gradient) = self.gradients.remove::<D>(param.id) {
                self.gradients
                    .register(param.id, gradient.mul_scalar(self.factor));
            }
            param
        }
    }
    let mut scale = Scale { gradients, factor };
    let _ = model.clone().map(&mut scale);
    scale.gradients
}
