//! PRIME ("Process Reinforcement through Implicit Rewards", arXiv 2502.01456) in one file: Algorithm 1
//! from a fresh decoder to held-out pass@1, on the built-in task `exam`: a sheet of twelve sums and
//! products that is passed or failed as a whole.
//!
//! ```text
//! cargo run -p prime-train --example prime_in_one_file             # a minute or so
//! cargo run -p prime-train --example prime_in_one_file -- --quick  # seconds; learns nothing
//! ```
//!
//! `prime-train` is this loop with configuration, checkpoints, metrics and reports around it.

use std::error::Error;
use std::time::Instant;

use burn::module::Module;
use burn::tensor::Tensor;
use prime_advantage::{
    AdvantageError, AdvantageEstimator, GroupVerdict, Prime, PromptFilter, PromptGroup, Response,
    RewardBatch,
};
use prime_policy::objective::{
    BatchTotals, LossAggregation, ObjectiveInput, PolicyObjective, PpoClip,
};
use prime_policy::{
    CausalLm, Decoder, DecoderConfig, GenerationRequest, Optimizer, OptimizerConfig, PolicyError,
    SamplingConfig, Sequence, SequenceBatch, Tokenizer, accumulate_gradients, device_by_name,
    generate, token_statistics,
};
use prime_reward::{ImplicitPrm, PrmConfig, Rollout};
use prime_train::data::tasks::{Split, Task, TaskName};
use prime_verifier::Verifier;

const SEED: u64 = 1;
/// Prompts a step, and responses to each of them.
const PROMPTS: u64 = 8;
const K: usize = 4;
/// Policy updates on each step's responses.
const PPO_EPOCHS: usize = 4;
const POLICY_LR: f64 = 1e-4;
const PRM_LR: f64 = 1e-4;
/// Supervised warm-up: demonstrations a step; the rate rises for some steps, then falls to 0.
const DEMONSTRATIONS: u64 = 64;
const WARM_UP_LR: f64 = 6e-3;
const WARM_UP_RISE: f64 = 30.0;
/// Sequences a forward pass, and threads that share the passes: speed and rounding only.
const MICRO_BATCH: usize = 16;
const THREADS: usize = 4;

type Fallible<T> = Result<T, Box<dyn Error>>;

/// A response, and what is known of it by the end of a step; lists have one entry per token.
#[derive(Default)]
struct Sample {
    prompt: Vec<u32>,
    response: Vec<u32>,
    /// log π_old, as the sampler recorded them.
    log_probs: Vec<f32>,
    outcome: f32,
    process_rewards: Vec<f32>,
    advantages: Vec<f32>,
}

fn main() -> Fallible<()> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let (warm_up_steps, steps, held_out) = if quick { (10, 2, 8) } else { (400, 40, 128) };
    let clock = Instant::now();
    let exam = Exam::new()?;

    // The policy π_θ: a fresh decoder, warmed up on demonstrations.
    let device = device_by_name("flex")?.autodiff();
    device.seed(SEED);
    let mut shape = DecoderConfig::new(exam.tokenizer.vocab_size(), 64, 128, 2, 4);
    shape.tie_word_embeddings = true;
    shape.initializer_range = 0.08;
    // Forking draws all weights now, in order: burn draws each when it is first read.
    let fresh = shape.init(&device)?.fork(&device);
    let mut policy = warm_up(fresh, &exam, warm_up_steps)?;
    let mut optimizer = OptimizerConfig::default().init();
    let pass = mean(&exam.sample(&policy, Split::Eval, 0, held_out)?);
    println!(
        "warm-up: held-out pass@1 {pass:.3} in {:.0?}",
        clock.elapsed()
    );

    // The implicit PRM π_φ and its frozen reference π_ref, both copies of the policy.
    let settings = PrmConfig {
        lr: PRM_LR,
        threads: THREADS,
        ..PrmConfig::default()
    };
    let mut prm = ImplicitPrm::new(&policy, settings)?;

    let mut filter = PromptFilter::default();
    if quick {
        filter.accuracy_lower_bound = 0.0; // ten steps of warm-up pass nothing
    }

    for step in 1..=steps {
        // K responses of the acting policy to each prompt, judged right (1) or wrong (0).
        let mut samples = exam.sample(&policy, Split::Train, step, PROMPTS)?;
        print!("step {step:2}: pass@1 {:.2}", mean(&samples));

        // Online filter: only prompts of medium difficulty, 0.2 ≤ mean outcome ≤ 0.8.
        let kept = filter.apply(&groups(&samples)?)?;
        let mut verdicts = kept.verdicts.iter().flat_map(|verdict| [verdict; K]);
        samples.retain(|_| verdicts.next() == Some(&GroupVerdict::Keep));
        print!(", {} of {PROMPTS} prompts kept", kept.counts.kept);

        if !samples.is_empty() {
            // Process rewards r_t = β·(log π_φ − log π_ref) of all tokens, and the PRM's update by
            // cross-entropy of σ(Σ_t r_t) against the outcome: one forward pass for both.
            let rollouts = samples.iter().map(|sample| Rollout {
                sequence: sample.sequence(),
                label: sample.outcome,
                policy_log_probs: &sample.log_probs,
            });
            let judged = prm.step(&rollouts.collect::<Vec<_>>())?;
            for (sample, rewards) in samples.iter_mut().zip(judged.rewards) {
                sample.process_rewards = rewards;
            }
            print!(", PRM loss {:.3}", judged.losses[0]);

            // Advantages: leave-one-out of the outcomes and of the process rewards' returns (Eq. 5).
            let advantages = Prime::paper().estimate(&RewardBatch::new(groups(&samples)?)?)?;
            for (sample, estimated) in samples.iter_mut().zip(advantages.iter()) {
                sample.advantages = estimated.advantages().to_vec();
            }

            // Clipped policy updates (Eq. 6).
            for _ in 0..PPO_EPOCHS {
                policy = update(policy, &mut optimizer, POLICY_LR, &samples, ppo)?;
            }
        }
        if step % 10 == 0 || step == steps {
            let pass = mean(&exam.sample(&policy, Split::Eval, 0, held_out)?);
            print!("; held-out pass@1 {pass:.3} in {:.0?}", clock.elapsed());
        }
        println!();
    }
    Ok(())
}

/// A batch, log π_θ of its tokens and its samples → one loss per token.
type Loss = fn(&SequenceBatch, Tensor<2>, &[Sample]) -> Result<Tensor<2>, PolicyError>;

/// −min(ρ·A, clip(ρ, 0.8, 1.2)·A) with ρ = π_θ / π_old.
fn ppo(
    batch: &SequenceBatch,
    log_probs: Tensor<2>,
    samples: &[Sample],
) -> Result<Tensor<2>, PolicyError> {
    let old = samples.iter().map(|sample| &sample.log_probs[..]);
    let advantages = samples.iter().map(|sample| &sample.advantages[..]);
    let old_log_probs = batch.scatter("old log-probs", old)?;
    let advantages = batch.scatter("advantages", advantages)?;
    let input = ObjectiveInput::new(log_probs, old_log_probs, advantages, batch.mask());
    Ok(PpoClip::default().token_loss(&input).loss)
}

/// One optimiser step on the mean of a loss over all response tokens.
fn update(
    policy: Decoder,
    optimizer: &mut Optimizer,
    rate: f64,
    samples: &[Sample],
    loss: Loss,
) -> Fallible<Decoder> {
    let totals = BatchTotals::of(samples.iter().map(|sample| sample.response.len()));
    let micro_batches: Vec<&[Sample]> = samples.chunks(MICRO_BATCH).collect();
    let device = device_by_name("flex")?;
    let done = accumulate_gradients(&policy, &micro_batches, THREADS, |policy, samples| {
        let sequences: Vec<Sequence<'_>> = samples.iter().map(Sample::sequence).collect();
        let batch = SequenceBatch::new(&sequences, policy.vocab_size(), &device)?;
        let log_probs = token_statistics(policy, &batch, 1.0).log_probs;
        let per_token = loss(&batch, log_probs, samples)?;
        let mean = LossAggregation::TokenMean.aggregate(per_token, batch.mask(), totals);
        Ok((mean, ()))
    })?;
    Ok(optimizer.step(policy, done.gradients, rate)?.0)
}

/// Supervised training on the sheets of a pupil who mostly gets half of the facts wrong.
fn warm_up(mut policy: Decoder, exam: &Exam, steps: u64) -> Fallible<Decoder> {
    let mut optimizer = OptimizerConfig::default().init();
    for step in 0..steps {
        let numbers = step * DEMONSTRATIONS..(step + 1) * DEMONSTRATIONS;
        let sheets: Result<Vec<_>, _> = numbers.map(|n| exam.demonstration(n)).collect();
        let rise = (step + 1) as f64 / WARM_UP_RISE;
        let fall = (steps - step) as f64 / (steps as f64 - WARM_UP_RISE).max(1.0);
        let rate = WARM_UP_LR * rise.min(fall).min(1.0);
        let cross_entropy: Loss = |_, log_probs, _| Ok(log_probs.neg());
        policy = update(policy, &mut optimizer, rate, &sheets?, cross_entropy)?;
    }
    Ok(policy)
}

/// The task, and what stands between its text and tokens and verdicts.
struct Exam {
    task: Box<dyn Task>,
    tokenizer: Tokenizer,
    verifier: Box<dyn Verifier>,
}

impl Exam {
    fn new() -> Fallible<Self> {
        let task = TaskName::Exam.build();
        Ok(Self {
            tokenizer: Tokenizer::characters("0123456789+*=,".chars())?,
            verifier: task.verifier(task.pass_mark())?,
            task,
        })
    }

    fn demonstration(&self, number: u64) -> Result<Sample, PolicyError> {
        let sheet = self.task.demonstration(SEED, number);
        Ok(Sample {
            prompt: self.tokenizer.encode_prompt(&sheet.prompt)?,
            response: self.tokenizer.encode_response(&sheet.response)?,
            ..Sample::default()
        })
    }

    /// K judged responses to each of `count` fresh problems, those to the same problem side by side.
    fn sample(
        &self,
        policy: &Decoder,
        split: Split,
        step: u64,
        count: u64,
    ) -> Fallible<Vec<Sample>> {
        let ids: Vec<u64> = (step * count..(step + 1) * count).collect();
        let (mut prompts, mut truths) = (vec![], vec![]);
        for &id in &ids {
            let problem = self.task.problem(SEED, split, id);
            prompts.push(self.tokenizer.encode_prompt(&problem.prompt)?);
            truths.push(problem.ground_truth);
        }
        let slices = prompts.iter().map(Vec::as_slice).collect::<Vec<_>>();
        let sampling = SamplingConfig {
            max_new_tokens: self.task.response_tokens(),
            ..SamplingConfig::default()
        };
        let request = GenerationRequest {
            samples: K,
            stop: &[self.tokenizer.eos()],
            seed: SEED,
            step,
            prompt_ids: &ids,
            batches: THREADS,
            threads: THREADS,
            ..GenerationRequest::new(&slices, &sampling)
        };
        let mut samples = vec![];
        for (at, responses) in generate(policy, &request)?.into_iter().enumerate() {
            for response in responses {
                let text = self.tokenizer.decode_response(&response.tokens)?;
                let verdict = self.verifier.verify(&text, &truths[at]);
                samples.push(Sample {
                    prompt: prompts[at].clone(),
                    process_rewards: vec![0.0; response.tokens.len()],
                    response: response.tokens,
                    log_probs: response.log_probs,
                    outcome: verdict.score().ok_or_else(|| format!("{verdict:?}"))?,
                    ..Sample::default()
                });
            }
        }
        Ok(samples)
    }
}

impl Sample {
    fn sequence(&self) -> Sequence<'_> {
        Sequence {
            prompt: &self.prompt,
            response: &self.response,
        }
    }
}

/// What the filter and the estimator read.
fn groups<'a>(samples: &'a [Sample]) -> Result<Vec<PromptGroup<'a>>, AdvantageError> {
    let response = |s: &'a Sample| {
        Response::new(s.response.len(), s.outcome).with_process_rewards(&s.process_rewards)
    };
    let group = |group: &'a [Sample]| PromptGroup::new(group.iter().map(response).collect());
    samples.chunks(K).map(group).collect()
}

fn mean(samples: &[Sample]) -> f32 {
    samples.iter().map(|sample| sample.outcome).sum::<f32>() / samples.len() as f32
}
