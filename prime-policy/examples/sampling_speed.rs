//! Sampled tokens per second of a fresh decoder, and what drawing costs over a large vocabulary.
//!
//! ```text
//! cargo run -p prime-policy --example sampling_speed -- demo
//! cargo run -p prime-policy --example sampling_speed -- vocabulary    # a trunk of next to nothing, 151,936 tokens
//! cargo run -p prime-policy --example sampling_speed -- half-billion  # 24 layers, 896 wide; 2 GB
//! ```
//!
//! Every response has full length; reading the prompts counts as time, not as tokens.

use std::time::Instant;

use burn::module::Module;
use burn::tensor::Device;
use prime_policy::{DecoderConfig, GenerationRequest, PolicyError, SamplingConfig, generate};

/// A model and how it is asked: prompts × samples through `rows` rows in each of `batches` batches.
struct Case {
    model: DecoderConfig,
    prompts: usize,
    prompt_tokens: usize,
    samples: usize,
    response_tokens: usize,
    rows: usize,
    batches: usize,
}

fn case(name: &str) -> Option<Case> {
    const VOCABULARY: usize = 151_936;
    let demo = Case {
        model: DecoderConfig::new(20, 64, 128, 2, 4),
        prompts: 8,
        prompt_tokens: 38,
        samples: 4,
        response_tokens: 36,
        rows: 16,
        batches: 2,
    };
    let case = match name {
        "demo" => demo,
        "vocabulary" => Case {
            model: DecoderConfig::new(VOCABULARY, 4, 4, 1, 1),
            prompts: 1,
            rows: 4,
            batches: 1,
            ..demo
        },
        "half-billion" => {
            let mut model = DecoderConfig::new(VOCABULARY, 896, 4864, 24, 14);
            model.num_key_value_heads = 2;
            Case {
                model,
                prompts: 2,
                prompt_tokens: 64,
                response_tokens: 16,
                rows: 8,
                batches: 1,
                ..demo
            }
        }
        _ => return None,
    };
    Some(case)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "demo".to_owned());
    let mut case = case(&name).ok_or("demo, vocabulary or half-billion")?;
    case.model.tie_word_embeddings = true;
    let device = Device::flex();
    device.seed(1);
    let model = case.model.init(&device)?;
    println!("{} parameters", model.num_params());

    let settings = |top_k, top_p, min_p| SamplingConfig {
        top_k,
        top_p,
        min_p,
        max_new_tokens: case.response_tokens,
        ..SamplingConfig::default()
    };
    measure(&case, &model, "everything", &settings(0, 1.0, 0.0))?;
    measure(&case, &model, "top-k 50", &settings(50, 1.0, 0.0))?;
    measure(&case, &model, "top-p 0.95", &settings(0, 0.95, 0.0))?;
    measure(&case, &model, "min-p 0.05", &settings(0, 1.0, 0.05))?;
    let greedy = SamplingConfig::greedy(case.response_tokens);
    measure(&case, &model, "greedy", &greedy).map_err(Into::into)
}

fn measure(
    case: &Case,
    model: &prime_policy::Decoder,
    name: &str,
    sampling: &SamplingConfig,
) -> Result<(), PolicyError> {
    let vocab = case.model.vocab_size as u32;
    let ids = |p: u32| (0..case.prompt_tokens as u32).map(move |t| (p * 7 + t * 3) % vocab);
    let prompts: Vec<Vec<u32>> = (0..case.prompts as u32).map(|p| ids(p).collect()).collect();
    let prompts: Vec<&[u32]> = prompts.iter().map(Vec::as_slice).collect();
    let run = |step| {
        let request = GenerationRequest {
            samples: case.samples,
            step,
            rows_per_batch: case.rows,
            batches: case.batches,
            threads: case.batches,
            ..GenerationRequest::new(&prompts, sampling)
        };
        let clock = Instant::now();
        let responses = generate(model, &request)?;
        let tokens: usize = responses.iter().flatten().map(|r| r.tokens.len()).sum();
        Ok(tokens as f64 / clock.elapsed().as_secs_f64())
    };
    // The best of some: the machine may have other things to do.
    let repeats = if vocab < 1000 { 30 } else { 3 };
    let rates: Result<Vec<f64>, PolicyError> = (0..repeats).map(run).collect();
    let best = rates?.into_iter().fold(0.0, f64::max);
    println!("{name:>12}: {best:.0} tokens/s");
    Ok(())
}
