//! AdamW with global gradient clipping, and its state on disk.

use std::path::Path;

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::{Module, ModuleMapper, Param};
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::error::PolicyError;
use crate::parallel::global_norm;
use crate::parameters::{Identity, adopt, identities};

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
            stepped: vec![],
        }
    }
}

/// The optimiser of one module.
#[derive(Clone)]
pub struct Optimizer {
    adamw: ModuleOptimizer,
    grad_clip: f64,
    /// The parameters that train, to which the moments belong; empty before the first step.
    stepped: Vec<Identity>,
}

/// First line of a saved state, before burn's record.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    optimizer: Kind,
    parameters: Vec<Identity>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Adamw,
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
    /// [`PolicyError::NotFinite`] when the norm is not finite; [`PolicyError::OptimizerState`] when the moments belong
    /// to another module than `model`. Nothing has been changed then, and `model` is lost only to the caller who did
    /// not keep a clone.
    pub fn step<M: Module>(
        &mut self,
        model: M,
        gradients: GradientsParams,
        learning_rate: f64,
    ) -> Result<(M, f64), PolicyError> {
        let stepped = identities(&model);
        self.check_owner(&stepped)?;
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
        self.stepped = stepped;
        Ok((self.adamw.step(rate, model, gradients), norm))
    }

    fn check_owner(&self, model: &[Identity]) -> Result<(), PolicyError> {
        if self.stepped.is_empty() || self.stepped == model {
            return Ok(());
        }
        let reason = "its moments belong to another module; go on with the model that Optimizer::load returns, or \
                      begin with a fresh optimiser";
        Err(PolicyError::OptimizerState(reason.to_owned()))
    }

    /// Writes the moments, the step count and the identities of `model`'s parameters, by which burn finds the moments
    /// again. The weights are the caller's to save.
    ///
    /// # Errors
    /// [`PolicyError::OptimizerState`] when this optimiser has been updating another module than `model`, or its state
    /// cannot be encoded; [`PolicyError::Io`].
    pub fn save<M: Module>(&self, model: &M, path: &Path) -> Result<(), PolicyError> {
        let parameters = identities(model);
        self.check_owner(&parameters)?;
        let encode = |reason: String| PolicyError::OptimizerState(reason);
        let header = Header {
            optimizer: Kind::Adamw,
            parameters,
        };
        let mut bytes = serde_json::to_vec(&header).map_err(|e| encode(e.to_string()))?;
        bytes.push(b'\n');
        let state = self.adamw.into_bytes().map_err(|e| encode(e.to_string()))?;
        bytes.extend_from_slice(&state);
        crate::checkpoint::write_atomically(path, &bytes)
    }

    /// Reads what [`Optimizer::save`] wrote, and gives `model` (built anew, its weights loaded) the identities that the
    /// moments belong to. Go on with the two that come back: for any other copy of the model the moments do not exist.
    ///
    /// # Errors
    /// [`PolicyError::Io`], or [`PolicyError::Format`] for a file that is not an optimiser state, or not one of a model
    /// with as many parameters of the same shapes.
    pub fn load<M: Module>(self, model: M, path: &Path) -> Result<(Self, M), PolicyError> {
        let bytes = std::fs::read(path).map_err(|source| PolicyError::Io {
            path: path.to_owned(),
            source,
        })?;
        let format = |reason: String| PolicyError::Format {
            path: path.to_owned(),
            reason,
        };
        let broken = |reason: &str| format(format!("not an optimiser state: {reason}"));
        let end = bytes
            .iter()
            .position(|&byte| byte == b'\n')
            .ok_or_else(|| broken("its first line has no end"))?;
        let (header, state) = bytes.split_at(end + 1);
        let Header {
            optimizer: Kind::Adamw,
            parameters,
        } = serde_json::from_slice(header).map_err(|e| broken(&e.to_string()))?;
        let model = adopt(model, &parameters).map_err(format)?;
        let adamw = self
            .adamw
            .from_bytes(burn::tensor::Bytes::from_bytes_vec(state.to_vec()))
            .map_err(|e| broken(&e.to_string()))?;
        let optimizer = Self {
            adamw,
            grad_clip: self.grad_clip,
            stepped: parameters,
        };
        Ok((optimizer, model))
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

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::module::Initializer;
    use burn::tensor::Device;

    use super::*;
    use crate::checkpoint::{load_weights, save_weights};

    #[derive(Module, Debug)]
    struct Toy {
        weight: Param<Tensor<2>>,
        bias: Param<Tensor<1>>,
    }

    fn toy(width: usize) -> Toy {
        let device = Device::flex().autodiff();
        Toy {
            weight: Initializer::Ones.init([3, width], &device),
            bias: Initializer::Zeros.init([width], &device),
        }
    }

    /// One step on a loss whose gradient depends on `number`.
    fn step(optimizer: &mut Optimizer, model: Toy, number: usize) -> Toy {
        let scale = 1.0 + number as f32;
        let loss = (model.weight.val().powi_scalar(2).mul_scalar(scale)).sum()
            + (model.bias.val() - 1.0).powi_scalar(2).sum();
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        optimizer.step(model, gradients, 0.05).unwrap().0
    }

    fn weights(model: &Toy) -> Vec<f32> {
        let both = [model.weight.val().into_data(), model.bias.val().into_data()];
        both.iter()
            .flat_map(|data| data.iter::<f32>().collect::<Vec<_>>())
            .collect()
    }

    fn run(optimizer: &mut Optimizer, mut model: Toy, steps: std::ops::Range<usize>) -> Toy {
        for number in steps {
            model = step(optimizer, model, number);
        }
        model
    }

    #[test]
    fn a_loaded_optimizer_remembers_for_a_model_built_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (state, file) = (
            folder.path().join("optimizer.bin"),
            folder.path().join("w.safetensors"),
        );
        let config = OptimizerConfig::default();
        let mut optimizer = config.init();
        let model = run(&mut optimizer, toy(2), 0..4);
        optimizer.save(&model, &state).unwrap();
        save_weights(&model, &file).unwrap();
        let expected = weights(&run(&mut optimizer, model, 4..8));

        let anew = load_weights(toy(2), &file).unwrap();
        let (mut loaded, model) = config.init().load(anew.clone(), &state).unwrap();
        assert_eq!(weights(&run(&mut loaded, model.clone(), 4..8)), expected);
        let amnesiac = run(&mut config.init(), model, 4..8);
        assert_ne!(weights(&amnesiac), expected, "the moments must matter");

        // The copy that was not handed back has other identities.
        let gradients = GradientsParams::new();
        let error = loaded.step(anew.clone(), gradients, 0.1).unwrap_err();
        assert!(error.to_string().contains("another module"), "{error}");
        let error = loaded.save(&anew, &state).unwrap_err();
        assert!(error.to_string().contains("another module"), "{error}");
    }

    #[test]
    fn a_state_that_does_not_fit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("optimizer.bin");
        let config = OptimizerConfig::default();
        let mut optimizer = config.init();
        let model = run(&mut optimizer, toy(2), 0..1);
        optimizer.save(&model, &path).unwrap();
        let message = |model: Toy| config.init().load(model, &path).unwrap_err().to_string();
        assert!(message(toy(5)).contains("trained parameter 0 of the model has shape [3, 5]"));

        let head = crate::ValueHead::init(3, &Device::flex().autodiff());
        assert!(config.init().load(head, &path).is_err());
        let one = identities(&toy(2))[..1].to_vec();
        let error = adopt(toy(2), &one).unwrap_err();
        assert_eq!(
            error,
            "the model has 2 parameters that train, the saved optimiser knows 1"
        );

        let whole = std::fs::read(&path).unwrap();
        for broken in [&b"hello"[..], b"{}\n", &whole[..whole.len() - 7]] {
            std::fs::write(&path, broken).unwrap();
            let error = message(toy(2));
            assert!(
                error.contains("optimizer.bin: not an optimiser state"),
                "{error}"
            );
        }
        std::fs::remove_file(&path).unwrap();
        assert!(message(toy(2)).contains("optimizer.bin"));
    }
}
