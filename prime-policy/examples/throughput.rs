//! The Rust side of `benchmarks/policy_throughput.sh`: seconds of sampling and of training steps, one order a line.
//!
//! ```text
//! throughput MODEL_FOLDER
//! < sample ROWS PROMPT NEW ROWS_PER_BATCH THREADS
//! < train ROWS PROMPT RESPONSE ROWS_PER_MICRO_BATCH THREADS
//! < adapters RANK
//! < score ROWS PROMPT RESPONSE
//! > seconds, or for `score` the mean log-prob of the response tokens
//! ```
//!
//! `adapters` freezes the model and puts low-rank adapters on all linear layers but the head. Sequences are made by
//! `token`, on both sides alike.

use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use burn::module::{Lora, Module, ParamGroup};
use burn::tensor::Device;
use prime_policy::{
    CausalLm, Decoder, DecoderConfig, GenerationRequest, Optimizer, OptimizerConfig,
    SamplingConfig, Sequence, SequenceBatch, accumulate_gradients, generate, load_weights,
    log_probs, token_statistics,
};

/// What the trainer allocates with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error>;

fn token(row: usize, at: usize, vocab: usize) -> u32 {
    ((row * 131 + at * 31 + 7) % vocab) as u32
}

struct Bench {
    model: Decoder,
    optimizer: Optimizer,
    step: u64,
}

impl Bench {
    fn load(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join("config.json");
        let config = DecoderConfig::from_json(&std::fs::read_to_string(&path)?, &path)?;
        let model = config.init(&Device::flex().autodiff())?;
        Ok(Self {
            model: load_weights(model, &folder.join("model.safetensors"))?,
            optimizer: OptimizerConfig::default().init(),
            step: 0,
        })
    }

    fn rows(&self, rows: usize, length: usize) -> Vec<Vec<u32>> {
        let vocab = self.model.vocab_size();
        (0..rows)
            .map(|row| (0..length).map(|at| token(row, at, vocab)).collect())
            .collect()
    }

    fn sample(&mut self, [rows, prompt, new, chunk, threads]: [usize; 5]) -> Result<f64, Failure> {
        let prompts = self.rows(rows, prompt);
        let prompts: Vec<&[u32]> = prompts.iter().map(Vec::as_slice).collect();
        let sampling = SamplingConfig {
            max_new_tokens: new,
            ..SamplingConfig::default()
        };
        let request = GenerationRequest {
            step: self.step,
            rows_per_batch: chunk,
            batches: rows.div_ceil(chunk),
            threads,
            ..GenerationRequest::new(&prompts, &sampling)
        };
        self.step += 1;
        let start = Instant::now();
        let responses = generate(&self.model, &request)?;
        let seconds = start.elapsed().as_secs_f64();
        let sampled: usize = responses.iter().flatten().map(|r| r.tokens.len()).sum();
        if sampled != rows * new {
            return Err(format!("sampled {sampled} tokens instead of {}", rows * new).into());
        }
        Ok(seconds)
    }

    fn train(
        &mut self,
        [rows, prompt, response, micro, threads]: [usize; 5],
    ) -> Result<f64, Failure> {
        let rows = self.rows(rows, prompt + response);
        let sequences = split(&rows, prompt);
        let chunks: Vec<&[Sequence<'_>]> = sequences.chunks(micro).collect();
        let scale = -1.0 / (rows.len() * response) as f32;
        let vocab = self.model.vocab_size();
        let start = Instant::now();
        let sum = accumulate_gradients(&self.model, &chunks, threads, |model, chunk| {
            let batch = SequenceBatch::new(chunk, vocab, &Device::flex())?;
            let statistics = token_statistics(model, &batch, 1.0);
            let mask = burn::tensor::Tensor::from_inner(batch.mask());
            Ok(((statistics.log_probs * mask).sum().mul_scalar(scale), ()))
        })?;
        let (model, _) = self
            .optimizer
            .step(self.model.clone(), sum.gradients, 1e-5)?;
        self.model = model;
        Ok(start.elapsed().as_secs_f64())
    }

    fn adapters(&mut self, rank: usize) {
        let linear = ParamGroup::all().exclude(ParamGroup::from_predicate("embed_tokens"));
        let lora = Lora::new(rank, 2.0 * rank as f64).set_param_group(linear);
        self.model = self.model.clone().apply_lora(lora);
        self.optimizer = OptimizerConfig::default().init();
    }

    fn score(&self, rows: usize, prompt: usize, response: usize) -> Result<f64, Failure> {
        let all = self.rows(rows, prompt + response);
        let scores = log_probs(&self.model, &split(&all, prompt), 1.0, rows, 1)?;
        let sum: f64 = scores.iter().flatten().map(|&v| f64::from(v)).sum();
        Ok(sum / (rows * response) as f64)
    }
}

fn split(rows: &[Vec<u32>], prompt: usize) -> Vec<Sequence<'_>> {
    rows.iter()
        .map(|row| Sequence {
            prompt: &row[..prompt],
            response: &row[prompt..],
        })
        .collect()
}

fn obey(bench: &mut Bench, order: &str) -> Result<f64, Failure> {
    let (name, numbers) = order.split_once(' ').unwrap_or((order, ""));
    let numbers = numbers
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<Vec<usize>, _>>()?;
    match (name, numbers.as_slice()) {
        ("sample", &[rows, prompt, new, chunk, threads]) => {
            bench.sample([rows, prompt, new, chunk, threads])
        }
        ("train", &[rows, prompt, response, micro, threads]) => {
            bench.train([rows, prompt, response, micro, threads])
        }
        ("adapters", &[rank]) => {
            bench.adapters(rank);
            Ok(0.0)
        }
        ("score", &[rows, prompt, response]) => bench.score(rows, prompt, response),
        _ => Err(format!("{order:?} is no order; see the head of throughput.rs").into()),
    }
}

fn main() -> Result<(), Failure> {
    let folder = std::env::args()
        .nth(1)
        .ok_or("usage: throughput MODEL_FOLDER, then orders on the standard input")?;
    let mut bench = Bench::load(Path::new(&folder))?;
    for order in std::io::stdin().lock().lines() {
        println!("{}", obey(&mut bench, &order?)?);
        std::io::stdout().flush()?;
    }
    Ok(())
}
