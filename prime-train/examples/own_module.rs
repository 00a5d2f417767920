//! A model of your own as the policy: a causal convolution in plain burn, no attention anywhere, trained by PRIME.
//!
//! What it takes is [`CausalLm`]: the same function of the tokens twice, once over whole sequences (`hidden`, which is
//! differentiated) and once token by token (`decode`, which samples), and a [`KvCache`] for what the second has to
//! remember. `log_probs`, `generate`, the implicit PRM and `prime_train`'s step then work as with the built-in decoder.
//!
//! ```text
//! cargo run -p prime-train --example own_module    # half a minute; `cargo test --example own_module` is shorter
//! ```

use std::error::Error;

use burn::module::{Initializer, Module, Param};
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor, activation};
use prime_policy::{CausalLm, KvCache, Tokenizer, device_by_name};
use prime_train::config::{Config, Layer, resolve};
use prime_train::data::problems::Problems;
use prime_train::eval::evaluate;
use prime_train::metrics::StepMetrics;
use prime_train::sft::warm_up;
use prime_train::step::{Environment, Learner, step};

/// Sixteen products modulo 3 in a row, the mark being the share of right answers. The implicit PRM is on by default.
const SETTINGS: &str = r#"
preset = "paper"
[data]
task = "mod3"
pass_mark = "fraction"
[warmup]
steps = 120
[sampling]
max_new_tokens = 32
[rl]
steps = 30
lr = 1e-3
[filter]
accuracy = false
[prm]
lr = 1e-3
[eval]
problems = 64
"#;

/// Tokens that the model looks back on, itself included: on this task the question is 32 tokens before its answer.
const WINDOW: usize = 34;

/// `h_t = m_t + W₂·gelu(W₁·m_t)` with `m_t = Σ_o filter_o ⊙ embedding(token_{t−o})`, o < [`WINDOW`].
#[derive(Module, Debug)]
struct ConvolutionLm {
    embedding: Embedding,
    /// `[WINDOW, width]`, the oldest token's weights first.
    filter: Param<Tensor<2>>,
    up: Linear,
    down: Linear,
    head: Linear,
    vocab: usize,
    width: usize,
}

impl ConvolutionLm {
    fn new(vocab: usize, width: usize, device: &Device) -> Self {
        let std = (WINDOW as f64).powf(-0.5);
        let filter = Initializer::Normal { mean: 0.0, std };
        let model = Self {
            embedding: EmbeddingConfig::new(vocab, width).init(device),
            filter: filter.init([WINDOW, width], device),
            up: LinearConfig::new(width, 4 * width).init(device),
            down: LinearConfig::new(4 * width, width).init(device),
            head: LinearConfig::new(width, vocab).init(device),
            vocab,
            width,
        };
        // Forking draws the weights now and in this order; burn would draw each when it is first read.
        model.fork(device)
    }

    /// What both paths do with the mixed embeddings.
    fn feed_forward<const D: usize>(&self, mixed: Tensor<D>) -> Tensor<D> {
        let inner = activation::gelu(self.up.forward(mixed.clone()));
        mixed + self.down.forward(inner)
    }
}

/// The embeddings of the last [`WINDOW`] tokens of every row.
struct Recent {
    /// `[rows, WINDOW, width]`, zeros before the first token.
    embeddings: Tensor<3>,
    lengths: Vec<usize>,
    capacity: usize,
}

impl Recent {
    fn set_row(&mut self, to: usize, row: Tensor<3>, length: usize) {
        let [_, window, width] = row.dims();
        let place = [to..to + 1, 0..window, 0..width];
        self.embeddings = self.embeddings.clone().slice_assign(place, row);
        self.lengths[to] = length;
    }
}

impl KvCache for Recent {
    fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    fn capacity(&self) -> usize {
        self.capacity
    }

    fn copy_row(&mut self, to: usize, source: &Self, from: usize) {
        let row = source.embeddings.clone().narrow(0, from, 1);
        self.set_row(to, row, source.lengths[from]);
    }

    fn move_row(&mut self, to: usize, from: usize) {
        let row = self.embeddings.clone().narrow(0, from, 1);
        self.set_row(to, row, self.lengths[from]);
    }
}

impl CausalLm for ConvolutionLm {
    type Cache = Recent;

    fn vocab_size(&self) -> usize {
        self.vocab
    }

    fn hidden_size(&self) -> usize {
        self.width
    }

    fn hidden(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        let x = self.embedding.forward(tokens);
        let [rows, time, width] = x.dims();
        let before = Tensor::zeros([rows, WINDOW - 1, width], &x.device());
        let padded = Tensor::cat(vec![before, x], 1);
        let term = |o: usize| {
            let weights = self.filter.val().narrow(0, o, 1).unsqueeze::<3>();
            padded.clone().narrow(1, o, time) * weights
        };
        let mixed = (1..WINDOW).fold(term(0), |sum, o| sum + term(o));
        self.feed_forward(mixed)
    }

    fn logits(&self, hidden: Tensor<2>) -> Tensor<2> {
        self.head.forward(hidden)
    }

    fn cache(&self, rows: usize, capacity: usize) -> Recent {
        let device = self.filter.val().device();
        Recent {
            embeddings: Tensor::zeros([rows, WINDOW, self.width], &device),
            lengths: vec![0; rows],
            capacity,
        }
    }

    fn decode(&self, tokens: Tensor<1, Int>, cache: &mut Recent) -> Tensor<2> {
        let [rows] = tokens.dims();
        let x = self.embedding.forward(tokens.reshape([rows, 1]));
        let recent = cache.embeddings.clone().narrow(0, 0, rows);
        let recent = Tensor::cat(vec![recent.narrow(1, 1, WINDOW - 1), x], 1);
        let mixed = (recent.clone() * self.filter.val().unsqueeze::<3>()).sum_dim(1);
        let place = [0..rows, 0..WINDOW, 0..self.width];
        cache.embeddings = cache.embeddings.clone().slice_assign(place, recent);
        for length in &mut cache.lengths[..rows] {
            *length += 1;
        }
        self.feed_forward(mixed.reshape([rows, self.width]))
    }

    // `prefill` has a default: `decode`, token by token. A model that is slow to read prompts so overrides it.
}

/// Warms the model up, takes `rl.steps` steps of PRIME, and returns the held-out score before and after.
fn train(
    config: &Config,
    mut report: impl FnMut(&StepMetrics),
) -> Result<[f64; 2], Box<dyn Error>> {
    let device = device_by_name(&config.device)?.autodiff();
    device.seed(config.seed);
    let task = config.data.task.builtin().ok_or("a built-in task")?;
    let tokenizer = Tokenizer::characters("0123456789=,".chars())?;
    let fresh = ConvolutionLm::new(tokenizer.vocab_size(), 48, &device);
    let policy = warm_up(fresh, config, task.as_ref(), &tokenizer, |_| Ok(()))?;

    let problems = Problems::open(config, &tokenizer)?;
    let score = |model: &ConvolutionLm| {
        let measured = evaluate(model, config, &problems, &tokenizer, config.eval.problems);
        measured.map(|evaluation| evaluation.avg_at_k)
    };
    let before = score(&policy)?;
    let mut learner = Learner::new(policy, config)?;
    let environment = Environment {
        config,
        problems: &problems,
        tokenizer: &tokenizer,
        estimator: &config.estimator(true),
        outcome_estimator: &config.estimator(false),
        objective: &config.objective(),
    };
    for _ in 0..config.rl.steps {
        report(&step(&mut learner, &environment)?.metrics);
    }
    Ok([before, score(&learner.actor.policy)?])
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut layers = vec![Layer::text("own_module", SETTINGS)?];
    for argument in std::env::args().skip(1) {
        layers.push(Layer::set(&argument)?);
    }
    let [before, after] = train(&resolve(&layers)?, |metrics| {
        let value = |name| metrics.get(name).unwrap_or(f64::NAN);
        println!(
            "step {:2}: reward {:.3}, PRM loss {:.3}, entropy {:.3}",
            metrics.step(),
            value("reward/mean"),
            value("reward_model/prm_loss"),
            value("actor/entropy"),
        );
    })?;
    println!("held-out answers right: {before:.3} after the warm-up, {after:.3} after PRIME");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use prime_policy::{GenerationRequest, SamplingConfig, Sequence, generate, log_probs};

    /// Prompts of several lengths, more responses than rows: rows are copied, moved and taken over.
    #[test]
    fn sampling_token_by_token_equals_whole_sequences() {
        let device = device_by_name("flex").unwrap();
        device.seed(2);
        let model = ConvolutionLm::new(11, 16, &device);
        let long: Vec<u32> = (0..50).map(|t| t * t % 11).collect();
        let prompts: [&[u32]; 4] = [&[1], &long, &[3, 4, 5], &long[..7]];
        let sampling = SamplingConfig {
            max_new_tokens: 45,
            ..SamplingConfig::default()
        };
        let request = GenerationRequest {
            samples: 3,
            stop: &[2],
            rows_per_batch: 4,
            ..GenerationRequest::new(&prompts, &sampling)
        };
        let mut lengths = std::collections::BTreeSet::new();
        for (prompt, group) in prompts.iter().zip(generate(&model, &request).unwrap()) {
            for response in group {
                let response_ids = &response.tokens;
                lengths.insert(response_ids.len());
                let sequence = Sequence {
                    prompt,
                    response: response_ids,
                };
                let whole = log_probs(&model, &[sequence], 1.0, 1, 1).unwrap();
                for (sampled, whole) in response.log_probs.iter().zip(&whole[0]) {
                    assert!((sampled - whole).abs() < 1e-4, "{sampled} {whole}");
                }
            }
        }
        assert!(lengths.len() > 2, "{lengths:?}");
    }

    #[test]
    fn prime_teaches_it() {
        let shorter = ["warmup.steps=60", "rl.steps=10"];
        let mut layers = vec![Layer::text("own_module", SETTINGS).unwrap()];
        layers.extend(shorter.map(|setting| Layer::set(setting).unwrap()));
        let mut steps = 0;
        let [before, after] = train(&resolve(&layers).unwrap(), |metrics| {
            steps += 1;
            assert!(
                metrics
                    .get("reward_model/prm_loss")
                    .is_some_and(f64::is_finite)
            );
            assert!(
                metrics
                    .get("actor/grad_norm")
                    .is_some_and(|norm| norm > 0.0)
            );
        })
        .unwrap();
        assert_eq!(steps, 10);
        assert!(after > before + 0.05, "{before} {after}");
    }
}
