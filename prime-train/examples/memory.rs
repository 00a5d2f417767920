//! One whole PRIME step of a model of any shape, its peak memory held against the plan.
//!
//! ```text
//! cargo run -p prime-train --example memory                                  # 0.5B, adapters on policy and PRM
//! cargo run -p prime-train --example memory -- steps=2 vocab=512 lora.rank=0 model.hidden_size=128 …
//! ```
//!
//! The default is the shape of Qwen2.5-0.5B with random weights, 2 prompts × 4 responses × 256 tokens. Arguments are
//! settings as in `--set`, besides `vocab=`, `prompt=` (tokens), `steps=`, and `answers=` (their mean length, where they are
//! to end before `sampling.max_new_tokens`; the plan is then that for the longest of them). `steps=0` prints the plan alone and
//! allocates no model. Random weights answer no question, so the
//! verifier calls about half of the responses right by their characters; everything else is the trainer's own step.
//! `benchmarks/memory.sh` runs a range of shapes, each in a process of its own. Linux only: it reads `/proc/self`.

use std::error::Error;
use std::fs;
use std::time::Instant;

use burn::module::Module;
use prime_policy::{SampleKey, Tokenizer, device_by_name};
use prime_train::config::{Layer, resolve};
use prime_train::data::problems::{PreparedProblem, Problems};
use prime_train::memory::MemoryPlan;
use prime_train::step::{Environment, Learner, step};
use prime_verifier::{FnVerifier, Verdict};

// The allocator of the `prime-train` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SETTINGS: [&str; 18] = [
    "model.hidden_size=896",
    "model.intermediate_size=4864",
    "model.num_hidden_layers=24",
    "model.num_attention_heads=14",
    "model.num_key_value_heads=2",
    "model.tie_word_embeddings=true",
    "model.initializer_range=0.02",
    "lora.rank=16",
    "sampling.max_new_tokens=256",
    "rl.prompts_per_step=2",
    "rl.group_size=4",
    "rl.oversample_factor=1.0",
    "rl.epochs_per_step=1",
    "rl.micro_batch_size=1",
    "prm.micro_batch_size=1",
    "filter.accuracy=false",
    "kl.placement=none",
    "rl.lr=1e-6",
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut layers = vec![Layer::preset("paper")];
    for setting in SETTINGS {
        layers.push(Layer::set(setting)?);
    }
    let (mut vocab, mut prompt_tokens, mut steps, mut answers) = (151_936, 32, 1, 0);
    for argument in std::env::args().skip(1) {
        match argument.split_once('=') {
            Some(("vocab", n)) => vocab = n.parse()?,
            Some(("prompt", n)) => prompt_tokens = n.parse()?,
            Some(("steps", n)) => steps = n.parse()?,
            Some(("answers", n)) => answers = n.parse()?,
            _ => layers.push(Layer::set(&argument)?),
        }
    }
    let config = resolve(&layers)?;

    // As many characters as the vocabulary has room for beside four special tokens.
    let characters = (0x100..).filter_map(char::from_u32).take(vocab - 4);
    let tokenizer = ending(Tokenizer::characters(characters)?, vocab, answers)?;
    let problem = |id: u64| {
        let key = SampleKey::new(7, id, 0, 0);
        let one = |at: usize| 4 + (key.uniform(at as u64) * (vocab - 4) as f64) as u32;
        PreparedProblem {
            id,
            prompt: format!("problem {id}"),
            prompt_ids: (0..prompt_tokens).map(one).collect(),
            ground_truth: String::new(),
            ..PreparedProblem::default()
        }
    };
    let about_half = FnVerifier::new("about half", |response: &str, _: &str| {
        Verdict::compared(response.chars().map(u32::from).sum::<u32>() % 2 == 0)
    });
    let prompts = config.rl.prompts_per_step as u64;
    let problems = Problems::own((0..prompts).map(problem).collect(), Box::new(about_half));
    let shape = config.decoder(&tokenizer);
    let plan = MemoryPlan::new(&config, &shape, problems.longest_prompt())?;

    if steps == 0 {
        println!("{plan}");
        return Ok(());
    }
    fs::write("/proc/self/clear_refs", "5")?;
    let before = resident("VmRSS")?;
    let clock = Instant::now();
    let device = device_by_name("flex")?.autodiff();
    device.seed(config.seed);
    let fresh = shape.init(&device)?;
    let mut policy = fresh.with_compute_dtype(config.model.compute_dtype)?;
    // burn draws a weight when it is first read.
    drop(policy.valid());
    println!(
        "{} weights, {:.1} s to draw them",
        policy.num_params(),
        clock.elapsed().as_secs_f64()
    );
    if let Some(lora) = config.lora.settings() {
        policy = lora.attach(policy, config.seed)?;
    }
    println!("{plan}");

    let mut learner = Learner::new(policy, &config)?;
    let environment = Environment {
        config: &config,
        problems: &problems,
        tokenizer: &tokenizer,
        estimator: &config.estimator(true),
        outcome_estimator: &config.estimator(false),
        objective: &config.objective(),
    };
    let mut longest = 0;
    for _ in 0..steps {
        let report = step(&mut learner, &environment)?;
        for name in [
            "acc",
            "response_length/mean",
            "reward_model/prm_loss",
            "reward_model/grad_norm",
            "actor/grad_norm",
        ] {
            println!(
                "{name:<24}{:.4}",
                report.metrics.get(name).unwrap_or(f64::NAN)
            );
        }
        let length = report.metrics.get("response_length/max").unwrap_or(0.0);
        longest = longest.max(length as usize);
        for phase in ["rollout", "verify", "prm", "advantages", "policy", "step"] {
            let seconds = report.metrics.get(&format!("timing_s/{phase}"));
            println!("{phase:<24}{:.2} s", seconds.unwrap_or(f64::NAN));
        }
        println!(
            "peak so far             {:.0} MiB",
            (resident("VmHWM")? - before) / 1024.0
        );
    }
    println!("longest response        {longest}");
    let plan = MemoryPlan::for_lengths(&config, &shape, problems.longest_prompt(), longest)?;
    let (measured, planned) = (
        (resident("VmHWM")? - before) / 1024.0,
        plan.peak as f64 / f64::from(1 << 20),
    );
    println!(
        "peak: planned {planned:.1} MiB, measured {measured:.1} MiB, planned/measured {:.3}",
        planned / measured
    );
    Ok(())
}

/// The same with as many end tokens as make a response of random tokens `mean` long; as it is for 0.
fn ending(tokenizer: Tokenizer, vocab: usize, mean: usize) -> Result<Tokenizer, Box<dyn Error>> {
    if mean == 0 {
        return Ok(tokenizer);
    }
    let folder = std::env::temp_dir().join(format!("prime-memory-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    tokenizer.save(&folder)?;
    let ends: Vec<usize> = (0..vocab).step_by(mean).collect();
    let text = format!("{{\"eos_token_id\": {ends:?}}}");
    fs::write(folder.join("generation_config.json"), text)?;
    let tokenizer = Tokenizer::from_folder(&folder);
    fs::remove_dir_all(&folder)?;
    Ok(tokenizer?)
}

/// A line of `/proc/self/status`, in KiB.
fn resident(name: &str) -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.trim_start_matches(':').split_whitespace().next());
    Ok(number
        .ok_or("/proc/self/status has no such line")?
        .parse()?)
}
