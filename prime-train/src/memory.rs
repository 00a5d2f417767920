//! How much memory a training step takes, computed before it is taken.
//!
//! One step changes everything or nothing, so while it runs, the state before it is kept beside the new one: a trained
//! model counts twice, and three times where one step makes several optimiser steps (before, now, next). With adapters
//! that concerns only them; the base is there once, whoever reads it.

use std::fmt;

use prime_policy::{ComputeDtype, DecoderConfig, DecoderMemory};

use crate::config::{Config, KlPlacement, PrmReference, PrmUpdate, ProcessCredit};
use crate::error::TrainError;
use crate::step::rows_per_batch;

/// The memory of one training step in bytes, by what it is for. Its total is the peak: parts that are never there at the
/// same time are not added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryPlan {
    /// Weights of the policy, the reward model and the reference; each base once.
    pub weights: u64,
    /// What weights are cast to, once for many passes, when products are not in f32. The casts of weights that train belong to
    /// the activations.
    pub operands: u64,
    /// Gradients: their sum, and one per thread on its way to it.
    pub gradients: u64,
    /// AdamW's two moments of everything that trains.
    pub optimizer: u64,
    /// Keys, values and logits while sampling.
    pub cache: u64,
    /// What forward passes keep for backward passes, and logits, of all micro-batches that are worked on at once.
    pub activations: u64,
    /// Work space of the allocator and of matrix products, by measurement: it does not depend on the model.
    pub runtime: u64,
    /// The most that is there at once.
    pub peak: u64,
    /// What products are computed in.
    pub compute_dtype: ComputeDtype,
    /// The longest response that is reckoned with, in tokens: what is trained on has that length.
    pub response_tokens: usize,
    /// The peak with responses a quarter as long, where this plan is the one for the longest that there can be.
    pub shorter: Option<u64>,
}

/// Work space of the process, and of each thread that passes run on, by measurement: most of it is memory that the
/// allocator has back and has not returned yet.
const RUNTIME: u64 = 32 << 20;
const RUNTIME_PER_THREAD: u64 = 12 << 20;

/// The CPU multiplies bfloat16 by way of f32 copies of both operands: besides that of the output head, this much per
/// thread, by measurement.
const COPIES_PER_THREAD: u64 = 8 << 20;

/// What a thread takes for such copies, beside an output head of `head` bytes in f32.
fn copies(config: &Config, head: u64) -> u64 {
    let emulated = config.model.compute_dtype != ComputeDtype::Float32
        && config.device.split(':').next() == Some("flex");
    match emulated {
        true => COPIES_PER_THREAD + head,
        false => 0,
    }
}

/// Bytes of one model that trains, and of its passes.
struct Trained {
    /// Everything that trains, once.
    size: u64,
    /// Optimiser steps in a training step.
    steps: usize,
    /// Passes at once, and what each of them keeps until it is done.
    threads: u64,
    activations: u64,
    /// Gradients that only a backward pass has: of an embedding that is read and, tied, written.
    passing: u64,
    /// What frozen weights are cast to, once for all passes.
    operands: u64,
}

impl Trained {
    /// Sum of gradients, and one per thread.
    fn gradients(&self) -> u64 {
        (1 + self.threads) * self.size
    }

    /// What stays of it until the step is done: new weights and moments beside those from before the step.
    fn kept(&self) -> u64 {
        match self.steps {
            0 => 0,
            _ => 3 * self.size,
        }
    }

    /// The most that its update takes at once, besides what stays of it.
    fn passing(&self) -> u64 {
        if self.steps == 0 {
            return 0;
        }
        let state = if self.steps > 1 { 3 * self.size } else { 0 };
        let backward = self.gradients() + self.threads * self.passing;
        // A gradient is given back as its weight is updated; by measurement, that of an earlier optimiser step is not yet
        // when the next one's is there.
        let update = if self.steps > 1 { 4 } else { 3 } * self.size;
        // The allocator keeps what passes have given back, so the activations are still there in the update.
        state + self.operands + self.threads * self.activations + backward.max(update)
    }
}

impl MemoryPlan {
    /// The plan for a model of this shape, prompts of up to `prompt_tokens` tokens and responses of
    /// `sampling.max_new_tokens`: the most that a step can take. Responses that end earlier take less, see
    /// [`Self::for_lengths`].
    ///
    /// # Errors
    /// [`TrainError::Policy`] for a shape or for adapters that cannot be.
    pub fn new(
        config: &Config,
        shape: &DecoderConfig,
        prompt_tokens: usize,
    ) -> Result<Self, TrainError> {
        let limit = config.sampling.max_new_tokens;
        let of = |tokens| Self::for_lengths(config, shape, prompt_tokens, tokens);
        Ok(Self {
            shorter: Some(of(quarter(limit))?.peak),
            ..of(limit)?
        })
    }

    /// The plan for prompts of up to `prompt_tokens` tokens and responses that end after at most `response_tokens`. The
    /// cache has room for `sampling.max_new_tokens` all the same.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub fn for_lengths(
        config: &Config,
        shape: &DecoderConfig,
        prompt_tokens: usize,
        response_tokens: usize,
    ) -> Result<Self, TrainError> {
        let lora = config.lora.settings();
        let model = DecoderMemory::new(shape, lora.as_ref())?
            .with_compute_dtype(config.model.compute_dtype);
        let response_tokens = response_tokens.clamp(1, config.sampling.max_new_tokens.max(1));
        let time = prompt_tokens + response_tokens;
        let capacity = prompt_tokens + config.sampling.max_new_tokens;
        let responses = config.rl.prompts_per_step * config.rl.group_size;
        let sampled = config.responses_per_step();

        let policy_steps = match config.rl.mini_batch_size {
            0 => 1,
            size => responses.div_ceil(size),
        } * config.rl.epochs_per_step;
        let mini = match config.rl.mini_batch_size {
            0 => responses,
            size => size.min(responses),
        };
        let rows = rows_at_once(
            config.rl.micro_batch_size,
            config.rl.micro_batch_tokens,
            time,
        );
        let mut policy = trained(config, &model, [time, response_tokens], rows, mini);
        policy.steps = policy_steps;
        let prm = config.implicit_prm();
        let prm = prm
            .as_ref()
            .map(|_| prm_work(config, &model, [time, response_tokens], responses));
        if config.prm.process_credit == ProcessCredit::AllActions && prm.is_some() {
            // Logits of three models, and of the loss between them, for every token of a micro-batch.
            let rows = rows.min(mini);
            policy.activations += ALL_ACTIONS * model.sampled_logits(rows * time) / 2;
            policy.operands += 2 * model.operands();
        }

        let trained_models = [Some(&policy), prm.as_ref()];
        let trains = trained_models.into_iter().flatten().filter(|m| m.steps > 0);
        let count = trains.count() as u64;
        let state = 3 * model.trained() * count;
        let frozen = prm.is_some()
            && [config.prm.reference, config.prm.reward_reference].contains(&PrmReference::Frozen)
            || config.kl.placement != KlPlacement::None;
        let references = u64::from(frozen) * model.trained();
        // With adapters the base comes on top of what trains; without, it is what trains.
        let base = match model.trains_everything() {
            true => 0,
            false => model.weights(),
        };

        let chunk = rows_per_batch(sampled)
            .min(sampled)
            .max(config.rl.group_size);
        let at_once = config.worker_threads().min(sampled.div_ceil(chunk));
        let rows = (at_once * chunk).min(sampled);
        let cache = model.cache(rows, capacity) + model.sampled_logits(rows);
        let copies = at_once as u64 * copies(config, model.embedding());
        let sampling = cache + model.operands() + copies;

        let standing = base + references + state;
        // The policy learns last, beside what the reward model has become.
        let of_prm = prm.as_ref().map_or(0, Trained::passing);
        let of_policy = prm.as_ref().map_or(0, Trained::kept) + policy.passing();
        let phases = trained_models.into_iter().flatten();
        let threads = phases.clone().map(|m| m.threads).max().unwrap_or(1);
        let runtime = RUNTIME + threads * RUNTIME_PER_THREAD;
        Ok(Self {
            weights: base + references + model.trained() * count,
            operands: phases
                .clone()
                .map(|m| m.operands)
                .fold(model.operands(), u64::max),
            gradients: phases.clone().map(Trained::gradients).max().unwrap_or(0),
            optimizer: 2 * model.trained() * count,
            cache,
            activations: phases.map(|m| m.threads * m.activations).max().unwrap_or(0),
            runtime,
            peak: runtime + standing + sampling.max(of_prm).max(of_policy),
            compute_dtype: config.model.compute_dtype,
            response_tokens,
            shorter: None,
        })
    }
}

/// Tensors of `[tokens, vocab]` that the loss over all actions has at once.
const ALL_ACTIONS: u64 = 8;

/// The most responses of full length in a micro-batch: given in responses, or in padded tokens where that is not 0.
fn rows_at_once(responses: usize, tokens: usize, time: usize) -> usize {
    match tokens {
        0 => responses,
        tokens => (tokens / time.max(1)).max(1),
    }
}

/// A quarter of a response's length, at least one token.
fn quarter(tokens: usize) -> usize {
    tokens.div_ceil(4).max(1)
}

/// One model's passes over micro-batches of `rows` responses, `mini` to an optimiser step; each of `time` tokens, of which
/// `response_tokens` are predicted.
fn trained(
    config: &Config,
    model: &DecoderMemory,
    [time, response_tokens]: [usize; 2],
    rows: usize,
    mini: usize,
) -> Trained {
    let rows = rows.min(mini);
    let tokens = rows * time;
    let predictions = rows * response_tokens;
    Trained {
        size: model.trained(),
        steps: 1,
        threads: config.worker_threads().min(mini.div_ceil(rows)) as u64,
        activations: model.tape(rows, time)
            + model.block_gradients(tokens)
            + model.head(predictions)
            + copies(config, model.head_block(predictions)),
        passing: match model.trains_everything() {
            true => model.embedding(),
            false => 0,
        },
        operands: model.frozen_operands(),
    }
}

fn prm_work(
    config: &Config,
    model: &DecoderMemory,
    lengths: [usize; 2],
    responses: usize,
) -> Trained {
    let prm = &config.prm;
    let (steps, mini) = match (prm.update, prm.replay.steps, prm.mini_batch_size) {
        (PrmUpdate::None, _, _) => (0, responses),
        (_, 0, 0) => (prm.passes, responses),
        (_, 0, size) => (prm.passes * responses.div_ceil(size), size.min(responses)),
        _ => (prm.replay.mini_batches, prm.replay.batch_size),
    };
    let rows = rows_at_once(prm.micro_batch_size, prm.micro_batch_tokens, lengths[0]);
    Trained {
        steps,
        ..trained(config, model, lengths, rows, mini)
    }
}

impl fmt::Display for MemoryPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = [
            ("weights", self.weights),
            ("cast weights", self.operands),
            ("gradients", self.gradients),
            ("optimiser moments", self.optimizer),
            ("key/value cache", self.cache),
            ("activations", self.activations),
            ("work space", self.runtime),
        ];
        writeln!(
            f,
            "memory plan, products in {} (parts that are not there at the same time do not add up):",
            self.compute_dtype.name()
        )?;
        let is_f32 = self.compute_dtype == ComputeDtype::Float32;
        for (name, bytes) in rows {
            if is_f32 && name == "cast weights" {
                continue;
            }
            writeln!(f, "  {name:<20}{:>10.1} MiB", mib(bytes))?;
        }
        let longest = self.response_tokens;
        write!(
            f,
            "  {:<20}{:>10.1} MiB with responses of {longest} tokens",
            "peak",
            mib(self.peak)
        )?;
        match self.shorter {
            Some(peak) => write!(
                f,
                "\n  {:<20}{:>10.1} MiB where all end by {}",
                "",
                mib(peak),
                quarter(longest)
            ),
            None => Ok(()),
        }
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / (1 << 20) as f64
}

#[cfg(test)]
mod tests {
    use prime_policy::Tokenizer;

    use super::*;
    use crate::config::{Layer, resolve};

    /// Settings that `examples/memory.rs` and `benchmarks/memory.sh` have in common for small shapes.
    const SMALL: &str = "model.hidden_size=256 model.intermediate_size=704 model.num_hidden_layers=8 \
        model.num_attention_heads=8 model.num_key_value_heads=2 rl.prompts_per_step=2";
    const HALF: &str = "model.hidden_size=896 model.intermediate_size=4864 model.num_hidden_layers=24 \
        model.num_attention_heads=14 model.num_key_value_heads=2 rl.prompts_per_step=1";
    const COMMON: &str = "threads=2 lora.rank=16 rl.group_size=4 rl.oversample_factor=1.0 rl.epochs_per_step=1 \
        rl.micro_batch_size=1 prm.micro_batch_size=1 filter.accuracy=false kl.placement=none";

    fn plan(vocab: usize, prompt: usize, settings: &[&str]) -> MemoryPlan {
        plan_for("paper", vocab, [prompt, usize::MAX], settings)
    }

    /// The plan for prompts and responses of these lengths; without the latter the one for the longest.
    fn plan_for(
        preset: &str,
        vocab: usize,
        [prompt, response]: [usize; 2],
        settings: &[&str],
    ) -> MemoryPlan {
        let mut layers = vec![Layer::preset("paper")];
        layers.push(Layer::preset(preset));
        let words = settings.iter().flat_map(|text| text.split_whitespace());
        layers.extend(words.map(|setting| Layer::set(setting).unwrap()));
        let config = resolve(&layers).unwrap();
        let mut shape = config.decoder(&Tokenizer::characters("01".chars()).unwrap());
        shape.vocab_size = vocab;
        match response {
            usize::MAX => MemoryPlan::new(&config, &shape, prompt).unwrap(),
            tokens => MemoryPlan::for_lengths(&config, &shape, prompt, tokens).unwrap(),
        }
    }

    /// The shape of SmolLM2-135M: 16 responses of at most 128 tokens to prompts of 50, all of which ended by the length
    /// given. Measured like the others, over two steps.
    #[test]
    fn responses_that_end_early_are_reckoned_with_at_their_length() {
        const SMOL: &str = "model.hidden_size=576 model.intermediate_size=1536 model.num_hidden_layers=30 \
            model.num_attention_heads=9 model.num_key_value_heads=3 model.tie_word_embeddings=true \
            rl.prompts_per_step=4 sampling.max_new_tokens=128";
        const RLOO: &str = "prm.enabled=false";
        const ROWS: &str = "rl.micro_batch_size=16 prm.micro_batch_size=16";
        let full = "lora.rank=0 rl.micro_batch_size=4 prm.micro_batch_size=4";
        let measured: [(&str, &[&str], usize, f64); 4] = [
            ("paper", &[ROWS], 42, 2322.9),
            ("rloo", &[ROWS, RLOO], 42, 2165.9),
            ("paper", &[full], 19, 7181.1),
            ("rloo", &[full, RLOO], 19, 3479.8),
        ];
        for (preset, own, longest, measured) in measured {
            let settings = [&[COMMON, SMOL][..], own].concat();
            let plan = plan_for(preset, 49_152, [50, longest], &settings);
            let ratio = mib(plan.peak) / measured;
            assert!((0.85..1.15).contains(&ratio), "{settings:?}: {ratio:.3}");
            // The plan that is shown before a run is the one for the longest, and says what shorter ones take.
            let most = plan_for(preset, 49_152, [50, usize::MAX], &settings);
            assert!(most.peak > plan.peak, "{settings:?}");
            let quarter = plan_for(preset, 49_152, [50, 32], &settings).peak;
            assert_eq!(most.shorter, Some(quarter));
            let text = most.to_string();
            for part in ["with responses of 128 tokens", "where all end by 32"] {
                assert!(text.contains(part), "{text}");
            }
        }
    }

    /// Peaks that `examples/memory.rs` measured on two x86-64 cores, in MiB.
    #[test]
    fn the_plan_is_within_15_percent_of_what_was_measured() {
        let rows = "sampling.max_new_tokens=150 rl.prompts_per_step=1 rl.micro_batch_size=4 prm.micro_batch_size=4";
        let untied = "model.tie_word_embeddings=false sampling.max_new_tokens=40";
        let several =
            "sampling.max_new_tokens=64 rl.epochs_per_step=2 rl.mini_batch_size=4 lora.rank=0";
        let measured: [(usize, usize, &str, &[&str], f64); 8] = [
            (1000, 20, SMALL, &["sampling.max_new_tokens=64"], 150.9),
            (
                1000,
                20,
                SMALL,
                &["sampling.max_new_tokens=64 lora.rank=0"],
                432.3,
            ),
            (1000, 20, SMALL, &[rows], 189.7),
            (
                1000,
                20,
                SMALL,
                &[rows, "lora.target_modules=[\"q_proj\",\"v_proj\"]"],
                143.4,
            ),
            (1000, 20, SMALL, &[several], 527.9),
            (20_000, 20, SMALL, &[untied], 176.7),
            (20_000, 20, SMALL, &[untied, "lora.rank=0"], 908.7),
            (151_936, 32, HALF, &["sampling.max_new_tokens=48"], 2514.2),
        ];
        for (vocab, prompt, shape, own, measured) in measured {
            let settings = [&[COMMON, shape][..], own].concat();
            let ratio = mib(plan(vocab, prompt, &settings).peak) / measured;
            assert!((0.85..1.15).contains(&ratio), "{settings:?}: {ratio:.3}");
        }
    }

    /// The same on the CPU in bfloat16, where it is not faster: for the plan.
    #[test]
    fn so_is_the_plan_in_bfloat16() {
        let rows = "sampling.max_new_tokens=150 rl.prompts_per_step=1 rl.micro_batch_size=4 prm.micro_batch_size=4";
        let untied = "model.tie_word_embeddings=false sampling.max_new_tokens=40";
        let all = "lora.rank=0";
        let measured: [(usize, &[&str], f64); 6] = [
            (1000, &["sampling.max_new_tokens=64"], 185.9),
            (1000, &[rows], 263.2),
            (20_000, &[untied], 254.2),
            (1000, &["sampling.max_new_tokens=64", all], 453.6),
            (1000, &[rows, all], 477.8),
            (20_000, &[untied, all], 1015.2),
        ];
        for (vocab, own, measured) in measured {
            let settings = [&[COMMON, SMALL, "model.compute_dtype=bfloat16"], own].concat();
            let plan = plan(vocab, 20, &settings);
            let ratio = mib(plan.peak) / measured;
            assert!((0.85..1.15).contains(&ratio), "{settings:?}: {ratio:.3}");
            assert!(plan.to_string().contains("products in bfloat16"));
        }
    }

    #[test]
    fn bfloat16_halves_the_cache_and_casts_what_is_frozen_once() {
        let of = |settings: &[&str]| plan(1000, 20, &[&[COMMON, SMALL], settings].concat());
        let (exact, rounded) = (of(&[]), of(&["model.compute_dtype=bfloat16"]));
        let logits = 2 * 4 * 1000 * 8;
        assert_eq!(exact.cache - logits, 2 * (rounded.cache - logits));
        assert_eq!((exact.operands, rounded.weights), (0, exact.weights));
        assert_eq!(exact.gradients, rounded.gradients);
        assert_eq!(exact.optimizer, rounded.optimizer);
        // Every matrix once, in half the bytes; the embedding is tied, and looked up in f32 besides.
        assert!(rounded.operands > exact.weights / 3 && rounded.operands < exact.weights);
        assert!(exact.to_string().contains("products in float32"));
        assert!(!exact.to_string().contains("cast weights"));
        assert!(rounded.to_string().contains("cast weights"));
    }

    #[test]
    fn half_a_billion_weights_fit_where_their_moments_would_not() {
        let step = "sampling.max_new_tokens=256 rl.prompts_per_step=2";
        let gib = |plan: MemoryPlan| mib(plan.peak) / 1024.0;
        let adapters = gib(plan(151_936, 32, &[COMMON, HALF, step]));
        let all = gib(plan(151_936, 32, &[COMMON, HALF, step, "lora.rank=0"]));
        assert!(adapters < 6.0, "{adapters}");
        assert!(all > 20.0, "{all}");
    }
}
