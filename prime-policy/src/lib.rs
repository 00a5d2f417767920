//! Decoder-only language models as reinforcement-learning policies.
//!
//! **Comes in:** token ids (prompts to answer, or prompts with responses to score) and Hugging Face model folders.
//! **Goes out:** sampled [`Response`]s with the log-prob of every token, the log-probs of given responses with or without
//! gradients, updated models, and folders that `transformers` reads.
//!
//! This crate deliberately does not know what a reward or an advantage is, where prompts come from, or when to stop
//! training. An [`objective`] reads advantages as plain numbers. Everything but [`ModelFolder`] sees a model only through
//! [`CausalLm`], so a burn module of your own can take the place of [`Decoder`].
//!
//! ```
//! use burn::tensor::Device;
//! use prime_policy::{DecoderConfig, GenerationRequest, SamplingConfig, Sequence, generate, log_probs};
//!
//! let policy = DecoderConfig::new(20, 32, 64, 2, 4).init(&Device::flex())?;
//! let sampling = SamplingConfig { max_new_tokens: 8, ..SamplingConfig::default() };
//! let request = GenerationRequest {
//!     samples: 4, stop: &[2], ..GenerationRequest::new(&[&[1, 5, 9]], &sampling)
//! };
//! let response = &generate(&policy, &request)?[0][3];
//! let sequence = Sequence { prompt: &[1, 5, 9], response: &response.tokens };
//! let trainer = &log_probs(&policy, &[sequence], 1.0, 8, 1)?[0];
//! assert!(response.log_probs.iter().zip(trainer).all(|(a, b)| (a - b).abs() < 1e-4));
//! # Ok::<(), prime_policy::PolicyError>(())
//! ```
#![deny(missing_docs)]
mod chat;
mod checkpoint;
mod compute;
mod config;
mod decoder;
mod device;
mod error;
mod generate;
mod generation_config;
mod head_loss;
mod kernels;
mod lm;
mod logprob;
mod lora;
mod memory;
mod micro_batch;
pub mod objective;
mod optimizer;
mod parallel;
mod parameters;
mod sampling;
mod sequences;
mod tokenizer;
mod value_head;

pub use chat::{ChatMessage, ChatOptions, ChatTemplate, ChatTemplates, ChatValue};
pub use checkpoint::{
    Fingerprint, ModelFolder, SideFiles, WeightDtype, WeightFormat, load_weights, save_sharded,
    save_weights, sha256, write_atomically,
};
pub use compute::ComputeDtype;
pub use config::{DecoderConfig, Family, LayerType, RopeScaling, Yarn};
pub use decoder::{Decoder, DecoderCache};
pub use device::{DEVICE_NAMES, device_by_name};
pub use error::{PolicyError, RefusedField};
pub use generate::{
    FinishReason, GenerationRequest, OnToken, Response, StopMatch, StreamControl, TextOptions,
    TokenEvent, generate,
};
pub use generation_config::{GenerationConfig, SamplingDefaults};
pub use head_loss::{HeadLoss, head_loss};
pub use kernels::head::{HeadLayout, head_log_probs};
pub use lm::{CausalLm, KvCache};
pub use logprob::{TokenStatistics, log_probs, token_hidden, token_statistics};
pub use lora::{
    AdapterFolder, AdapterUse, BaseReference, LinearLayer, LoraConfig, TargetModules, adapter_base,
    has_adapters, linear_layers, load_adapter, save_adapter,
};
pub use memory::{DecoderMemory, HEAD_CHUNK_BYTES};
pub use micro_batch::{MicroBatching, Padding, in_order, micro_batches, packs};
pub use optimizer::{Optimizer, OptimizerConfig};
pub use parallel::{
    Accumulated, MicroBatchLoss, accumulate_gradients, accumulate_losses, map as parallel_map,
};
pub use parameters::any_trainable;
pub use sampling::{SampleKey, SamplingConfig};
pub use sequences::{Sequence, SequenceBatch};
pub use tokenizer::{SpecialTokens, TokenStream, Tokenizer};
pub use value_head::{ActorCritic, ValueHead};

#[cfg(all(doctest, feature = "flex"))]
#[doc = include_str!("../README.md")]
struct ReadMe;
