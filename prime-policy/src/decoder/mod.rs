//! A decoder-only transformer of the families that [`crate::Family`] lists.

mod block;
mod cache;
mod layers;
mod linear;
mod rope;

use burn::module::{Initializer, Module, Param, ParamId};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::compute::{CastFrozen, ComputeDtype};
use crate::config::DecoderConfig;
use crate::error::PolicyError;
use crate::kernels::Ragged;
use crate::kernels::head::{HeadLayout, head_log_probs};
use crate::lm::CausalLm;
use crate::logprob::token_log_probs_in_chunks;
use block::Block;
pub use cache::DecoderCache;
use layers::{Embedding, RmsNorm};
pub(crate) use linear::project;
use rope::Rope;

/// The trunk: embedding, blocks, final norm (`model.*` in a checkpoint).
#[derive(Module, Debug)]
struct Trunk {
    embed_tokens: Embedding,
    layers: Vec<Block>,
    norm: RmsNorm,
}

/// A causal language model in the shape of a [`DecoderConfig`]; parameters are named as in `transformers`.
#[derive(Module, Debug)]
pub struct Decoder {
    model: Trunk,
    lm_head: Option<Linear>,
    vocab_size: usize,
    hidden_size: usize,
    #[module(skip)]
    rope: Rope,
    max_position_embeddings: usize,
    #[module(skip)]
    compute: ComputeDtype,
}

impl DecoderConfig {
    /// A decoder of this shape with fresh weights drawn from `device`'s generator (see [`Device::seed`]).
    ///
    /// # Errors
    /// Those of [`DecoderConfig::validate`].
    pub fn init(&self, device: &Device) -> Result<Decoder, PolicyError> {
        self.validate()?;
        let (hidden, std) = (self.hidden_size, self.initializer_range);
        let lm_head = (!self.tie_word_embeddings).then(|| {
            LinearConfig::new(hidden, self.vocab_size)
                .with_bias(false)
                .with_initializer(Initializer::Normal { mean: 0.0, std })
                .init(device)
        });
        Ok(Decoder {
            model: Trunk {
                embed_tokens: Embedding::init(self.vocab_size, hidden, std, device),
                layers: (0..self.num_hidden_layers)
                    .map(|layer| Block::init(self, layer, device))
                    .collect(),
                norm: RmsNorm::init(hidden, self.rms_norm_eps, device),
            },
            lm_head,
            vocab_size: self.vocab_size,
            hidden_size: hidden,
            rope: Rope::new(self.rope_theta, self.rope_scaling, self.head_dim()),
            max_position_embeddings: self.max_position_embeddings,
            compute: ComputeDtype::default(),
        })
    }
}

impl Decoder {
    /// The same model, computing its products in `dtype` from now on; so do its clones, and what adapters are attached
    /// to. Parameters stay as they are. A model that is built or loaded computes in f32.
    ///
    /// # Errors
    /// [`PolicyError::Device`] if the device that the model is on does not compute in `dtype`.
    ///
    /// ```
    /// use burn::tensor::Device;
    /// use prime_policy::{ComputeDtype, DecoderConfig};
    ///
    /// let model = DecoderConfig::new(20, 32, 64, 2, 4).init(&Device::flex())?;
    /// let model = model.with_compute_dtype(ComputeDtype::BFloat16)?;
    /// # Ok::<(), prime_policy::PolicyError>(())
    /// ```
    pub fn with_compute_dtype(mut self, dtype: ComputeDtype) -> Result<Self, PolicyError> {
        dtype.check(&self.model.norm.weight.lazy_device())?;
        self.compute = dtype;
        Ok(self)
    }

    /// The element type of the model's products.
    pub fn compute_dtype(&self) -> ComputeDtype {
        self.compute
    }

    /// Final hidden states of the sequences, `[tokens, hidden]`.
    fn hidden_of(&self, tokens: Tensor<1, Int>, ragged: &Ragged) -> Tensor<2> {
        let tables = self.rope.tables(0..ragged.longest(), &self.device());
        let mut x = self.model.embed_tokens.forward(tokens);
        for layer in &self.model.layers {
            x = layer.forward(x, ragged, tables.clone(), self.compute);
        }
        self.model.norm.forward(x)
    }

    fn device(&self) -> Device {
        self.model.norm.weight.val().device()
    }
}

impl CausalLm for Decoder {
    type Cache = DecoderCache;

    fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    fn hidden_size(&self) -> usize {
        self.hidden_size
    }

    fn max_length(&self) -> Option<usize> {
        Some(self.max_position_embeddings)
    }

    fn hidden(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        let [batch, time] = tokens.dims();
        let tokens = tokens.reshape([batch * time]);
        self.hidden_of(tokens, &Ragged::even(batch, time))
            .reshape([batch, time, self.hidden_size])
    }

    fn hidden_packed(&self, tokens: Tensor<1, Int>, lengths: &[usize]) -> Tensor<2> {
        self.hidden_of(tokens, &Ragged::new(lengths.iter().copied()))
    }

    fn prepared(&self) -> Self {
        if self.compute == ComputeDtype::Float32 {
            return self.clone();
        }
        let mut model = self.clone().map(&mut CastFrozen::to(self.compute));
        let embedding = &self.model.embed_tokens.weight;
        if self.lm_head.is_none() && !embedding.is_require_grad() {
            // Ids are looked up in f32, so that the head needs a matrix of its own.
            let weight = self.compute.operand(embedding.val()).transpose();
            model.lm_head = Some(Linear {
                weight: Param::initialized(ParamId::new(), weight),
                bias: None,
            });
        }
        model
    }

    fn logits(&self, hidden: Tensor<2>) -> Tensor<2> {
        let hidden = self.compute.operand(hidden);
        match &self.lm_head {
            Some(head) => project(head, hidden),
            None => self.model.embed_tokens.as_head(hidden),
        }
    }

    fn token_log_probs(
        &self,
        hidden: Tensor<2>,
        targets: Tensor<1, Int>,
        temperature: f32,
    ) -> Tensor<2> {
        let (parameter, layout, bias) = match &self.lm_head {
            Some(head) => (&head.weight, HeadLayout::VocabColumns, head.bias.is_some()),
            None => {
                let tied = &self.model.embed_tokens.weight;
                (tied, HeadLayout::VocabRows, false)
            }
        };
        if bias || parameter.adapter().is_some() {
            return token_log_probs_in_chunks(self, hidden, targets, temperature);
        }
        let (hidden, weight) = (self.compute.operand(hidden), parameter.val());
        head_log_probs(hidden, weight, layout, targets, temperature)
    }

    fn cache(&self, rows: usize, capacity: usize) -> DecoderCache {
        let layers = self.model.layers.iter();
        DecoderCache {
            layers: layers
                .map(|layer| layer.cache(rows, capacity, self.compute))
                .collect(),
            lengths: vec![0; rows],
            capacity,
        }
    }

    fn prefill(
        &self,
        tokens: Tensor<2, Int>,
        lengths: &[usize],
        capacity: usize,
    ) -> (Tensor<2>, DecoderCache) {
        let [batch, time] = tokens.dims();
        let tables = self.rope.tables(0..time, &self.device());
        let mut x = self
            .model
            .embed_tokens
            .forward(tokens.reshape([batch * time]));
        let mut layers = Vec::with_capacity(self.model.layers.len());
        for layer in &self.model.layers {
            let (next, cache) =
                layer.prefill(x, [batch, time], capacity, tables.clone(), self.compute);
            x = next;
            layers.push(cache);
        }
        let last: Vec<i64> = lengths
            .iter()
            .enumerate()
            .map(|(row, &length)| (row * time + length - 1) as i64)
            .collect();
        let last = Tensor::<1, Int>::from_data(TensorData::new(last, [batch]), &x.device());
        let hidden = self.model.norm.forward(x.select(0, last));
        (
            hidden,
            DecoderCache {
                layers,
                lengths: lengths.to_vec(),
                capacity,
            },
        )
    }

    fn decode(&self, tokens: Tensor<1, Int>, cache: &mut DecoderCache) -> Tensor<2> {
        let [rows] = tokens.dims();
        let DecoderCache {
            layers, lengths, ..
        } = cache;
        let lengths = &mut lengths[..rows];
        let tables = self.rope.tables(lengths.iter().copied(), &self.device());
        let mut x = self.model.embed_tokens.forward(tokens);
        for (layer, layer_cache) in self.model.layers.iter().zip(layers) {
            x = layer.decode(x, lengths, layer_cache, tables.clone(), self.compute);
        }
        for length in lengths {
            *length += 1;
        }
        self.model.norm.forward(x)
    }
}
