//! x
#![deny(missing_docs)]
mod checkpoint;
mod config;
mod decoder;
mod device;
mod error;
mod generate;
mod kernels;
mod lm;
mod logprob;
pub mod objective;
mod optimizer;
mod parallel;
mod sampling;
mod sequences;
mod tokenizer;
mod value_head;

pub use checkpoint::{ModelFolder, load_weights, save_weights, write_atomically};
pub use config::DecoderConfig;
pub use decoder::{Decoder, DecoderCache};
pub use device::device_by_name;
pub use error::PolicyError;
pub use generate::{FinishReason, GenerationRequest, Response, generate};
pub use lm::{CausalLm, KvCache};
pub use logprob::{TokenStatistics, log_probs, token_statistics};
pub use optimizer::{Optimizer, OptimizerConfig};
pub use parallel::{Accumulated, accumulate_gradients, map as parallel_map};
pub use sampling::{SampleKey, SamplingConfig};
pub use sequences::{Sequence, SequenceBatch};
pub use tokenizer::Tokenizer;
pub use value_head::{ActorCritic, ValueHead};
