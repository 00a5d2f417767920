//! The models of `fixtures/make_models.py`, and what is measured on them.

use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Int, Tensor, TensorData, activation};
use prime_policy::{CausalLm, ComputeDtype, Decoder, DecoderConfig, load_weights};
use serde::Deserialize;

pub const FIXTURES: [&str; 10] = [
    "llama3",
    "llama_biases_linear",
    "llama_yarn_mscale",
    "mistral",
    "mistral_full_yarn",
    "qwen2",
    "qwen2_windows",
    "qwen2_yarn",
    "qwen3",
    "qwen3_bias_layers",
];

pub struct Fixture {
    pub name: &'static str,
    pub config: DecoderConfig,
    pub sequences: Vec<Vec<u32>>,
    folder: PathBuf,
}

impl Fixture {
    pub fn read(name: &'static str) -> Self {
        #[derive(Deserialize)]
        struct Expected {
            sequences: Vec<Vec<u32>>,
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures/families")
            .join(name);
        let text = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
        let expected: Expected = serde_json::from_str(&text("expected.json")).unwrap();
        let path = folder.join("config.json");
        Self {
            name,
            config: DecoderConfig::from_json(&text("config.json"), &path).unwrap(),
            sequences: expected.sequences,
            folder,
        }
    }

    pub fn all() -> impl Iterator<Item = Self> {
        FIXTURES.into_iter().map(Self::read)
    }

    pub fn model(&self, dtype: ComputeDtype, device: &Device) -> Decoder {
        let fresh = self.config.init(device).unwrap();
        load_weights(fresh, &self.folder.join("model.safetensors"))
            .unwrap()
            .with_compute_dtype(dtype)
            .unwrap()
    }

    /// Roundings on the longest way through the model: fifteen in a block (x, weight and output of q; q turned, scores,
    /// probabilities, output of the attention; weight and output of o; x, weight and output of the gate; x, weight and
    /// output of down), and operands and output of the head.
    pub fn roundings(&self) -> usize {
        15 * self.config.num_hidden_layers + 3
    }

    /// The relative error that so many roundings to eight bits (each at most 2⁻⁸ of the number) add up to if they are
    /// independent and each as large as can be; and twice that, since the softmax multiplies the relative error of a score
    /// by its size.
    pub fn bound(&self) -> f64 {
        2.0 * (self.roundings() as f64).sqrt() / 256.0
    }
}

pub fn ids<const D: usize>(ids: &[u32], shape: [usize; D], device: &Device) -> Tensor<D, Int> {
    let ids: Vec<i32> = ids.iter().map(|&id| id as i32).collect();
    Tensor::from_data(TensorData::new(ids, shape), device)
}

pub fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    assert_eq!(tensor.dtype(), DType::F32);
    tensor.into_data().iter::<f32>().collect()
}

/// Hidden states of one sequence, `[time, hidden]`.
pub fn hidden(model: &Decoder, tokens: &[u32], device: &Device) -> Tensor<2> {
    let hidden = model.hidden(ids(tokens, [1, tokens.len()], device));
    hidden.reshape([tokens.len(), model.hidden_size()])
}

/// Logits of one sequence, position by position.
pub fn logits(model: &Decoder, tokens: &[u32], device: &Device) -> Vec<f32> {
    numbers(model.logits(hidden(model, tokens, device)))
}

/// The mean next-token loss.
pub fn loss(model: &Decoder, tokens: &[u32], device: &Device) -> Tensor<1> {
    let last = tokens.len() - 1;
    let logits = model.logits(hidden(model, &tokens[..last], device));
    activation::log_softmax(logits, 1)
        .gather(1, ids(&tokens[1..], [last, 1], device))
        .mean()
        .neg()
}

/// The gradient of each parameter that has one, by its path; all f32.
pub fn gradients<M: Module>(model: &M, gradients: &GradientsParams) -> Vec<(String, Vec<f32>)> {
    struct Collect<'a>(&'a GradientsParams, Vec<String>, Vec<(String, Vec<f32>)>);
    impl ModuleVisitor for Collect<'_> {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.1.push(name.to_owned());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.1.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.0.get::<D>(param.id) {
                self.2.push((self.1.join("."), numbers(gradient)));
            }
        }
    }
    let mut collect = Collect(gradients, vec![], vec![]);
    model.visit(&mut collect);
    collect.2
}

/// √(mean of squares).
pub fn rms(values: &[f32]) -> f64 {
    let squares: f64 = values.iter().map(|&x| f64::from(x).powi(2)).sum();
    (squares / values.len() as f64).sqrt()
}

/// The root mean square of a − b.
pub fn distance(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let differences: Vec<f32> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    rms(&differences)
}

pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let dot: f64 = a
        .iter()
        .zip(b)
        .map(|(&a, &b)| f64::from(a) * f64::from(b))
        .sum();
    dot / (rms(a) * rms(b) * a.len() as f64)
}

/// Whether a number has no more than the eight bits of bfloat16.
pub fn is_bfloat16(x: f32) -> bool {
    x.to_bits() & 0xffff == 0
}
