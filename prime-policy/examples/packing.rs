//! Sequences of unlike lengths through a training pass: as they come, by tokens, and packed. CPU time of the process.
//!
//! ```text
//! packing [layers] [hidden]
//! ```

use std::collections::BTreeMap;
use std::process::ExitCode;

use burn::module::Module;
use burn::tensor::Device;
use prime_policy::{
    Decoder, DecoderConfig, MicroBatching, Padding, PolicyError, Sequence, accumulate_gradients,
    token_statistics,
};

/// What the trainer allocates with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BUDGET: usize = 2048;
const VOCABULARY: usize = 4096;
const ROUNDS: usize = 5;

/// Lengths of 48 demonstrations: log-normal around 120 tokens, as conversations are, up to 1,500.
fn lengths() -> Vec<usize> {
    let mut state = 7u64;
    let mut uniform = || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..48)
        .map(|_| {
            let normal: f64 = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
            (120.0 * (0.9 * normal).exp()).clamp(16.0, 1500.0) as usize
        })
        .collect()
}

/// Seconds of the process on all cores.
fn cpu_seconds() -> Result<f64, String> {
    let stat = std::fs::read_to_string("/proc/self/stat").map_err(|e| e.to_string())?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok());
    match (ticks(12), ticks(13)) {
        (Some(user), Some(system)) => Ok((user + system) / 100.0),
        _ => Err(format!("/proc/self/stat is {stat:?}")),
    }
}

fn pass(model: &Decoder, rows: &[Vec<u32>], micro: MicroBatching) -> Result<f64, PolicyError> {
    let sequences: Vec<Sequence<'_>> = rows
        .iter()
        .map(|row| Sequence {
            prompt: &row[..row.len() / 4],
            response: &row[row.len() / 4..],
        })
        .collect();
    let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
    let parts: Vec<Vec<Sequence<'_>>> = micro
        .cut(&lengths)
        .iter()
        .map(|part| part.iter().map(|&i| sequences[i].clone()).collect())
        .collect();
    let done = accumulate_gradients(model, &parts, 2, |model, part| {
        let batch = micro.batch(part, VOCABULARY, &Device::flex())?;
        let found = token_statistics(model, &batch, 1.0);
        let loss = found.log_probs.sum().div_scalar(-1000.0);
        let value = f64::from(loss.clone().inner().into_scalar::<f32>());
        Ok((loss, value))
    })?;
    Ok(done.statistics.iter().sum())
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut sizes = std::env::args().skip(1).map(|size| size.parse::<usize>());
    let layers = sizes.next().transpose()?.unwrap_or(4);
    let hidden = sizes.next().transpose()?.unwrap_or(256);
    let device = Device::flex().autodiff();
    let mut config = DecoderConfig::new(VOCABULARY, hidden, 3 * hidden, layers, hidden / 32);
    config.tie_word_embeddings = true;
    let model = config.init(&device)?;
    let lengths = lengths();
    let tokens: usize = lengths.iter().sum();
    println!(
        "{} parameters, {} demonstrations of {tokens} tokens, the longest {}",
        model.num_params(),
        lengths.len(),
        lengths.iter().max().unwrap_or(&0)
    );
    let rows: Vec<Vec<u32>> = lengths
        .iter()
        .enumerate()
        .map(|(row, &n)| {
            (0..n)
                .map(|at| ((row * 131 + at * 31 + 7) % VOCABULARY) as u32)
                .collect()
        })
        .collect();
    let ways = [
        ("8 as they come", MicroBatching::Sequences(8)),
        ("by tokens", MicroBatching::Tokens(BUDGET)),
        ("packed", MicroBatching::Packed(BUDGET)),
    ];
    for (_, way) in ways {
        pass(&model, &rows, way)?;
    }
    // In turns, so that what else the machine does meets all of them.
    let mut seconds: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for _ in 0..ROUNDS {
        for (name, way) in ways {
            let before = cpu_seconds()?;
            pass(&model, &rows, way)?;
            seconds
                .entry(name)
                .or_default()
                .push(cpu_seconds()? - before);
        }
    }
    let median = |name: &str| {
        let mut all = seconds.get(name).cloned().unwrap_or_default();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let packed = median("packed");
    for (name, way) in ways {
        let parts = way.cut(&lengths);
        let padding = match way {
            MicroBatching::Packed(_) => 0.0,
            _ => Padding::of(&lengths, &parts).waste(),
        };
        println!(
            "{name:15} {:2} passes, {:4.1} % padding, {:.2} s, {:.2}× packed, loss {:.6}",
            parts.len(),
            100.0 * padding,
            median(name),
            median(name) / packed,
            pass(&model, &rows, way)?
        );
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
