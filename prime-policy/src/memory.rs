//! What a decoder takes in memory, computed from its shape: nothing is allocated to find out.
//!
//! Numbers are f32, 4 bytes, but for operands of products (below in *italics*), which are of the type that is computed in.
//! With n tokens in a micro-batch of sequences of length T, hidden width H, query width Q = heads·head_dim, key/value width
//! K, feed-forward width F and rank r, the tape of one block (what its forward pass keeps for the backward pass) is
//!
//! | kept | numbers | when |
//! |---|---|---|
//! | input and 1/rms of both norms | 2n(H + 1) | the norm's input has a gradient |
//! | *input of q, k, v* | nH | one of them trains |
//! | q and k before their norms, 1/rms of each head (Qwen3) | n(Q + K + heads + kv_heads) | q, k or v has a gradient |
//! | q, k, v and two normalisers a head of the attention | n(Q + 2K + 2 heads) | q, k or v has a gradient; f32 |
//! | output of the attention | nQ | q, k or v has a gradient, or o trains; f32 |
//! | *rotated q and k, v, probabilities*; these before rounding | n(Q + 2K + heads·T); n·heads·T | q, k or v has a gradient; bfloat16 |
//! | *input of o* | nQ | it trains; bfloat16 |
//! | *input of gate and up* | nH | one of them trains |
//! | gate and up | 2nF | one of them has a gradient |
//! | *input of down* | nF | it trains |
//! | *x · A* | nr | for each adapter |
//! | *the weights*, but for f32, where they are there anyway | a block's matrices | they train |
//!
//! A frozen layer keeps only its weight, which is there anyway or was cast once for all passes, and a layer below the first
//! that trains keeps nothing.

use crate::compute::ComputeDtype;
use crate::config::DecoderConfig;
use crate::error::PolicyError;
use crate::kernels::head::{TILE_BYTES, Tiling};
use crate::lora::{LinearLayer, LoraConfig};

/// Bytes of a number.
const F32: u64 = 4;

/// The most bytes of logits that a pass over the head holds at once, on one thread.
pub const HEAD_CHUNK_BYTES: u64 = TILE_BYTES as u64;

/// The projections of a block, in the order of a walk through it.
const PROJECTIONS: [&str; 7] = [
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
];

/// Bytes of a decoder's weights, gradients, activations and cache.
#[derive(Debug, Clone)]
pub struct DecoderMemory {
    vocab: u64,
    hidden: u64,
    query: u64,
    key: u64,
    inner: u64,
    heads: u64,
    kv_heads: u64,
    qk_norm: bool,
    parameters: u64,
    tied: bool,
    /// With adapters: the rank, and which projections of each block have one.
    adapters: Option<(u64, Vec<[bool; 7]>)>,
    layers: usize,
    compute: ComputeDtype,
}

impl DecoderMemory {
    /// A decoder of this shape of which all weights train, or the adapters that `lora` describes.
    ///
    /// # Errors
    /// Those of [`DecoderConfig::validate`] and of the adapters' settings.
    pub fn new(config: &DecoderConfig, lora: Option<&LoraConfig>) -> Result<Self, PolicyError> {
        config.validate()?;
        let head_dim = config.head_dim() as u64;
        let layers = config.num_hidden_layers;
        let mut memory = Self {
            vocab: config.vocab_size as u64,
            hidden: config.hidden_size as u64,
            query: config.num_attention_heads as u64 * head_dim,
            key: config.num_key_value_heads as u64 * head_dim,
            inner: config.intermediate_size as u64,
            heads: config.num_attention_heads as u64,
            kv_heads: config.num_key_value_heads as u64,
            qk_norm: config.qk_norm(),
            parameters: 0,
            tied: config.tie_word_embeddings,
            adapters: None,
            layers,
            compute: ComputeDtype::default(),
        };
        let projections: u64 = memory.widths().iter().map(|(input, out)| input * out).sum();
        let if_so = |condition: bool, numbers: u64| if condition { numbers } else { 0 };
        let biases = if_so(config.input_bias(), memory.query + 2 * memory.key)
            + if_so(config.output_bias(), memory.hidden)
            + if_so(config.mlp_bias, 2 * memory.inner + memory.hidden);
        let norms = 2 * memory.hidden + if_so(memory.qk_norm, 2 * head_dim);
        let block = projections + biases + norms;
        let matrices = if memory.tied { 1 } else { 2 };
        memory.parameters =
            matrices * memory.vocab * memory.hidden + layers as u64 * block + memory.hidden;
        if let Some(lora) = lora {
            lora.validate()?;
            memory.adapters = Some((lora.rank as u64, memory.adapted(lora)?));
        }
        Ok(memory)
    }

    /// The same for a decoder that computes in `dtype`.
    #[must_use]
    pub fn with_compute_dtype(self, dtype: ComputeDtype) -> Self {
        Self {
            compute: dtype,
            ..self
        }
    }

    /// Input and output width of each projection.
    fn widths(&self) -> [(u64, u64); 7] {
        let (h, q, k, f) = (self.hidden, self.query, self.key, self.inner);
        [(h, q), (h, k), (h, k), (q, h), (h, f), (h, f), (f, h)]
    }

    fn adapted(&self, lora: &LoraConfig) -> Result<Vec<[bool; 7]>, PolicyError> {
        let widths = self.widths();
        let layers: Vec<LinearLayer> = (0..self.layers)
            .flat_map(|block| {
                (0..7).map(move |at| LinearLayer {
                    name: format!("model.layers.{block}.{}", PROJECTIONS[at]),
                    input: widths[at].0 as usize,
                    output: widths[at].1 as usize,
                })
            })
            .collect();
        let mut blocks = vec![[false; 7]; self.layers];
        for at in lora.target_modules.choose(&layers)? {
            blocks[at / 7][at % 7] = true;
        }
        Ok(blocks)
    }

    /// The model's own weights, adapters aside.
    pub fn weights(&self) -> u64 {
        F32 * self.parameters
    }

    /// What trains: the adapters, or all weights. Its gradients take as much, and AdamW's moments twice as much.
    pub fn trained(&self) -> u64 {
        let Some((rank, blocks)) = &self.adapters else {
            return self.weights();
        };
        let widths = self.widths();
        let of = |block: &[bool; 7]| -> u64 {
            let adapted = widths.iter().zip(block).filter(|(_, adapted)| **adapted);
            adapted.map(|((input, output), _)| input + output).sum()
        };
        F32 * rank * blocks.iter().map(of).sum::<u64>()
    }

    /// Whether all weights train, the embedding among them.
    pub fn trains_everything(&self) -> bool {
        self.adapters.is_none()
    }

    /// One `[vocab, hidden]` matrix.
    pub fn embedding(&self) -> u64 {
        F32 * self.vocab * self.hidden
    }

    /// Numbers in the projections of all blocks.
    fn projections(&self) -> u64 {
        let block: u64 = self.widths().iter().map(|(input, out)| input * out).sum();
        self.layers as u64 * block
    }

    /// What a decoder that is [prepared](crate::CausalLm::prepared) for scoring or sampling has besides its parameters:
    /// all operands in the type that is computed in. 0 for f32.
    pub fn operands(&self) -> u64 {
        let adapters = match self.adapters {
            Some(_) => self.trained() / F32,
            None => 0,
        };
        self.cast(self.projections() + self.vocab * self.hidden + adapters)
    }

    /// What a decoder that is prepared for training has besides its parameters: the frozen operands.
    pub fn frozen_operands(&self) -> u64 {
        match self.trains_everything() {
            true => 0,
            false => self.cast(self.projections() + self.vocab * self.hidden),
        }
    }

    /// Bytes of so many numbers in another type than they are stored in.
    fn cast(&self, numbers: u64) -> u64 {
        match self.compute {
            ComputeDtype::Float32 => 0,
            other => other.bytes() * numbers,
        }
    }

    /// Keys and values of `rows` sequences with room for `capacity` tokens each.
    pub fn cache(&self, rows: usize, capacity: usize) -> u64 {
        self.compute.bytes() * 2 * self.key * self.layers as u64 * rows as u64 * capacity as u64
    }

    /// What a forward pass over `rows` sequences of `time` tokens (padding included) keeps for the backward pass, up to the
    /// final norm.
    pub fn tape(&self, rows: usize, time: usize) -> u64 {
        let (h, q, k, f) = (self.hidden, self.query, self.key, self.inner);
        let scores = self.heads * time as u64;
        // Numbers a token: in f32, and operands of products.
        let (mut kept, mut operands) = (0, 0);
        // Whether a gradient has to reach the residual stream.
        let mut tracked = self.trains_everything();
        for block in 0..self.layers {
            let (rank, on) = match &self.adapters {
                Some((rank, blocks)) => (*rank, blocks[block]),
                None => (0, [true; 7]),
            };
            let one = |condition: bool, numbers: u64| if condition { numbers } else { 0 };
            let attends = on[0] || on[1] || on[2];
            kept += one(tracked, h + 1);
            operands += one(attends, h);
            tracked |= attends;
            kept += one(tracked && self.qk_norm, q + k + self.heads + self.kv_heads);
            match self.compute {
                ComputeDtype::Float32 => {
                    kept += one(tracked, q + 2 * k + 2 * self.heads) + one(tracked || on[3], q);
                }
                ComputeDtype::BFloat16 => {
                    kept += one(tracked, scores);
                    operands += one(tracked, q + 2 * k + scores) + one(on[3], q);
                }
            }
            tracked |= on[3];
            kept += one(tracked, h + 1);
            operands += one(on[4] || on[5], h);
            tracked |= on[4] || on[5];
            kept += one(tracked, 2 * f);
            operands += one(on[6], f);
            tracked |= on[6];
            operands += rank * on.iter().filter(|&&on| on).count() as u64;
        }
        kept += if tracked { h + 1 } else { 0 };
        let weights = match self.trains_everything() {
            true => self.cast(self.projections()),
            false => 0,
        };
        (rows * time) as u64 * (F32 * kept + self.compute.bytes() * operands) + weights
    }

    /// What the backward pass of one block over `tokens` tokens needs besides the tape, the largest of them: gradients of
    /// the gate's and the up projection's outputs and of the residual stream.
    pub fn block_gradients(&self, tokens: usize) -> u64 {
        F32 * tokens as u64 * (2 * self.inner + 2 * self.hidden)
    }

    /// Logits and their gradient for `predictions` tokens, as far as they are there at once, with the hidden states that
    /// they come from.
    pub fn head(&self, predictions: usize) -> u64 {
        let predictions = predictions as u64;
        let logits = (F32 * predictions * self.vocab).min(HEAD_CHUNK_BYTES);
        2 * logits + 2 * F32 * predictions * self.hidden
    }

    /// The part of the output head that a pass over `predictions` tokens multiplies with at once, in f32.
    pub fn head_block(&self, predictions: usize) -> u64 {
        let (_, width) = Tiling::default().sizes(predictions, self.vocab as usize);
        F32 * self.hidden * width as u64
    }

    /// A row of logits for each of `rows` sequences, twice: the tensor and the numbers that are drawn from.
    pub fn sampled_logits(&self, rows: usize) -> u64 {
        2 * F32 * rows as u64 * self.vocab
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::module::Module;
    use burn::tensor::Device;

    use super::*;
    use crate::config::Family;
    use crate::lora::TargetModules;

    #[test]
    fn parameters_are_counted_as_the_model_counts_them() {
        for (family, heads, kv_heads, tied, bias) in [
            (Family::Qwen2, 4, 4, true, true),
            (Family::Mistral, 6, 2, false, false),
            (Family::Llama, 2, 1, true, true),
            (Family::Qwen3, 3, 1, false, true),
        ] {
            let mut config = DecoderConfig::for_family(family, 31, 24, 40, 3, heads);
            config.num_key_value_heads = kv_heads;
            config.tie_word_embeddings = tied;
            config.attention_bias = bias;
            config.mlp_bias = family == Family::Llama;
            let model = config.init(&Device::flex()).unwrap();
            let full = DecoderMemory::new(&config, None).unwrap();
            assert_eq!(full.weights(), 4 * model.num_params() as u64);
            assert_eq!(full.trained(), full.weights());
            for targets in [
                TargetModules::AllLinear,
                TargetModules::Names(vec!["q_proj".to_owned(), "layers.2.mlp.up_proj".to_owned()]),
            ] {
                let lora = LoraConfig {
                    target_modules: targets,
                    ..LoraConfig::new(5, 1.0)
                };
                let with = DecoderMemory::new(&config, Some(&lora)).unwrap();
                let adapted = lora.attach(model.clone(), 0).unwrap();
                let extra = adapted.num_params() - model.num_params();
                assert_eq!(with.trained(), 4 * extra as u64);
                assert_eq!(with.weights(), full.weights());
            }
        }
    }

    #[test]
    fn blocks_below_the_first_that_trains_keep_nothing() {
        let config = DecoderConfig::new(31, 24, 40, 3, 4);
        let tape = |name: &str| {
            let lora = LoraConfig {
                target_modules: TargetModules::Names(vec![name.to_owned()]),
                ..LoraConfig::new(2, 1.0)
            };
            DecoderMemory::new(&config, Some(&lora)).unwrap().tape(2, 5)
        };
        // Input of down, x·A and the final norm: 40 + 2 + 25 numbers a token.
        assert_eq!(tape("layers.2.mlp.down_proj"), 4 * 10 * 67);
        assert!(tape("layers.1.mlp.down_proj") > tape("layers.2.mlp.down_proj"));
        let full = DecoderMemory::new(&config, None).unwrap();
        assert!(full.tape(2, 5) > tape("layers.0.self_attn.q_proj"));
        assert_eq!(full.tape(4, 5), 2 * full.tape(2, 5));
    }

    #[test]
    fn a_target_that_is_no_layer_is_refused() {
        let lora = LoraConfig {
            target_modules: TargetModules::Names(vec!["c_attn".to_owned()]),
            ..LoraConfig::new(2, 1.0)
        };
        let error = DecoderMemory::new(&DecoderConfig::new(31, 24, 40, 3, 4), Some(&lora));
        assert!(error.unwrap_err().to_string().contains("c_attn"));
    }
}
