//! Tokens per second of training and sampling at the demo's size.
use burn::tensor::Device;
use prime_policy::*;
use std::time::Instant;

fn main() {
    let args: Vec<usize> = std::env::args()
        .skip(1)
        .map(|a| a.parse().unwrap())
        .collect();
    let (micro, threads) = (args[0], args[1]);
    let device = Device::flex().autodiff();
    let mut config = DecoderConfig::new(20, 64, 128, 2, 4);
    config.tie_word_embeddings = true;
    let mut model = config.init(&device).unwrap();
    use burn::module::Module;
    println!("{} parameters", model.num_params());
    let mut optimizer = OptimizerConfig::default().init();
    let rows: Vec<Vec<u32>> = (0..64)
        .map(|r| (0..74).map(|t| (r * 7 + t * 3) % 20).collect())
        .collect();
    let seqs: Vec<Sequence<'_>> = rows
        .iter()
        .map(|r| Sequence {
            prompt: &r[..38],
            response: &r[38..],
        })
        .collect();
    let mut t0 = Instant::now();
    let n = 20;
    let (mut ta, mut tb) = (0.0, 0.0);
    for i in 0..n + 3 {
        if i == 3 {
            t0 = Instant::now();
            ta = 0.0;
            tb = 0.0;
        }
        let a = Instant::now();
        let chunks: Vec<&[Sequence<'_>]> = seqs.chunks(micro).collect();
        let acc = accumulate_gradients(&model, &chunks, threads, |m, c| {
            let batch = SequenceBatch::new(c, 20, &Device::flex())?;
            let s = token_statistics(m, &batch, 1.0);
            Ok((s.log_probs.sum().div_scalar(-1000.0), ()))
        })
        .unwrap();
        ta += a.elapsed().as_secs_f64();
        let b = Instant::now();
        model = optimizer.step(model, acc.gradients, 1e-3).unwrap().0;
        tb += b.elapsed().as_secs_f64();
    }
    let s = t0.elapsed().as_secs_f64();
    println!(
        "train micro {micro} threads {threads}: {:.0} tok/s (grad {:.4} s, optim {:.4} s per step)",
        (n * 64 * 74) as f64 / s,
        ta / n as f64,
        tb / n as f64
    );
    let prompts: Vec<&[u32]> = rows.iter().map(|r| &r[..38]).collect();
    let ids: Vec<u64> = (0..64).collect();
    let sampling = SamplingConfig {
        max_new_tokens: 36,
        ..Default::default()
    };
    let t = Instant::now();
    for step in 0..10 {
        let r = GenerationRequest {
            samples: 4,
            stop: &[99],
            step,
            prompt_ids: &ids[..8],
            rows_per_batch: micro,
            batches: 32,
            threads,
            ..GenerationRequest::new(&prompts[..8], &sampling)
        };
        generate(&model, &r).unwrap();
    }
    println!(
        "sample: {:.0} tok/s",
        (10 * 32 * 36) as f64 / t.elapsed().as_secs_f64()
    );
}
