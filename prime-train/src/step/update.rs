//! Line 7: clipped policy updates on the step's rollouts, and the critic's beside them.

use burn::tensor::{Tensor, activation};
use prime_policy::objective::{
    AllActions, BatchTotals, ClippedValueLoss, LossAggregation, ObjectiveInput,
};
use prime_policy::{
    ActorCritic, CausalLm, FinishReason, HeadLoss, MicroBatchLoss, Padding, PolicyError, Sequence,
    SequenceBatch, accumulate_losses, head_loss, token_hidden,
};

use super::credit::{ProcessRewards, TokenAdvantages, ref_log_probs};
use super::{Environment, JudgedGroup, Learner, ref_kl};
use crate::activity;
use crate::config::{Config, KlPlacement, PrmTrust};
use crate::error::TrainError;
use crate::metrics::StepMetrics;
use crate::rng::Stream;

/// One response with everything the loss reads.
struct Sample<'a> {
    sequence: Sequence<'a>,
    old_log_probs: &'a [f32],
    advantages: &'a [f32],
    returns: &'a [f32],
    old_values: &'a [f32],
    ref_log_probs: &'a [f32],
    /// A random number of this response and step, for objectives that draw.
    draw: u64,
}

/// Sums over a micro-batch that the metrics divide.
#[derive(Default)]
struct Sums {
    loss: f64,
    value_loss: f64,
    entropy: f64,
    tokens: usize,
    padding: Padding,
    named: Vec<(&'static str, f64)>,
}

#[allow(clippy::too_many_arguments)]
/// `rl.epochs_per_step` passes over the responses in shuffled mini-batches.
pub(super) fn policy<M: CausalLm>(
    learner: &mut Learner<M>,
    env: &Environment<'_>,
    step: u64,
    groups: &[JudgedGroup],
    process: &ProcessRewards,
    advantages: &TokenAdvantages,
    values: Option<&[Vec<Vec<f32>>]>,
    metrics: &mut StepMetrics,
) -> Result<(), TrainError> {
    let (config, all_actions) = (env.config, process.all_actions);
    let reference = match config.kl.placement {
        KlPlacement::Loss if config.kl.coef > 0.0 => {
            let reference = ref_log_probs(learner, env, groups)?;
            ref_kl::record(groups, &reference, metrics)?;
            Some(reference)
        }
        _ => None,
    };
    let (mut samples, mut masked) = (vec![], 0);
    for (g, group) in groups.iter().enumerate() {
        for (r, response) in group.responses.iter().enumerate() {
            if advantages.advantages[g][r].is_empty() {
                continue;
            }
            if config.rl.mask_truncated && response.response.finish == FinishReason::Length {
                masked += 1;
                continue;
            }
            let key = [config.seed, OBJECTIVE_DRAW, step, samples.len() as u64];
            samples.push(Sample {
                draw: Stream::new(key).word(),
                sequence: Sequence {
                    prompt: &group.problem.prompt_ids,
                    response: &response.response.tokens,
                },
                old_log_probs: &response.response.log_probs,
                advantages: &advantages.advantages[g][r],
                returns: &advantages.returns[g][r],
                old_values: values.map_or(&[], |values| &values[g][r]),
                ref_log_probs: reference.as_ref().map_or(&[], |reference| &reference[g][r]),
            });
        }
    }
    // Steps are numbered from 1, rates from 0.
    let rates = Rates {
        policy: config.policy_schedule().at(step - 1) * evidence(config, process, advantages),
        critic: config.critic_schedule().at(step - 1),
    };
    metrics.set("actor/lr", rates.policy)?;
    if learner.actor.value_head.is_some() {
        metrics.set("critic/lr", rates.critic)?;
    }
    if config.rl.mask_truncated {
        metrics.set_count("actor/masked_responses", masked);
    }
    // An optimiser goes on by what it remembers where there is no gradient.
    let still = learner.actor.value_head.is_none()
        && !all_actions
        && reference.is_none()
        && config.rl.entropy_coef == 0.0
        && samples
            .iter()
            .all(|sample| sample.advantages.iter().all(|&advantage| advantage == 0.0));
    if still {
        metrics.set_count("actor/optimizer_steps", 0);
        return Ok(());
    }
    let mini_batch_size = match config.rl.mini_batch_size {
        0 => samples.len(),
        size => size,
    };
    let passes = samples.len() * config.rl.epochs_per_step;
    activity::phase("policy update", "responses", passes as u64);
    let tilted = Tilted::of(learner, config, all_actions);
    let mut all = Sums::default();
    let mut norms = vec![];
    for epoch in 0..config.rl.epochs_per_step {
        let mut order: Vec<usize> = (0..samples.len()).collect();
        Stream::new([config.seed, MINI_BATCH_ORDER, step, epoch as u64]).shuffle(&mut order);
        for mini_batch in order.chunks(mini_batch_size) {
            let mini_batch: Vec<&Sample<'_>> = mini_batch.iter().map(|&i| &samples[i]).collect();
            norms.push(mini_batch_step(
                learner,
                env,
                &mini_batch,
                tilted.as_ref(),
                rates,
                &mut all,
            )?);
        }
    }
    let steps = norms.len() as f64;
    let tokens = all.tokens.max(1) as f64;
    metrics.set_count("actor/optimizer_steps", norms.len());
    metrics.set("actor/pg_loss", all.loss / steps)?;
    metrics.set("actor/grad_norm", norms.iter().sum::<f64>() / steps)?;
    metrics.set("actor/entropy", all.entropy / tokens)?;
    metrics.set("perf/padding_waste", all.padding.waste())?;
    if learner.actor.value_head.is_some() {
        metrics.set("critic/vf_loss", all.value_loss / steps)?;
    }
    for (name, sum) in all.named {
        metrics.set(name, sum / tokens)?;
    }
    Ok(())
}

/// The share of prompts that say anything, which the policy's rate is multiplied by while process rewards that have to be
/// earned do not count; else 1. AdamW's step has one size whatever the gradient is: without this a single lucky response
/// moves the policy as far as a batch in which every prompt has right and wrong ones.
fn evidence(config: &Config, process: &ProcessRewards, advantages: &TokenAdvantages) -> f64 {
    let waits = config.prm.enabled && config.prm.trust == PrmTrust::Earned && !process.is_on();
    if !waits {
        return 1.0;
    }
    let groups = &advantages.advantages;
    let speaks = |group: &Vec<Vec<f32>>| group.iter().flatten().any(|&a| a != 0.0);
    groups.iter().filter(|group| speaks(group)).count() as f64 / groups.len().max(1) as f64
}

/// Learning rates of a step.
#[derive(Clone, Copy)]
struct Rates {
    policy: f64,
    critic: f64,
}

const MINI_BATCH_ORDER: u64 = 0x6d62;
const OBJECTIVE_DRAW: u64 = 0x6f64;

/// The two distributions whose log-ratio rewards every token of the vocabulary: π_φ and the policy that acted.
struct Tilted<M> {
    prm: M,
    acting: M,
    objective: AllActions,
    /// Coefficient times β.
    scale: f64,
}

impl<M: CausalLm> Tilted<M> {
    fn of(learner: &Learner<M>, config: &Config, all_actions: bool) -> Option<Self> {
        let prm = learner.prm.as_ref().filter(|_| all_actions)?;
        Some(Self {
            prm: prm.model().valid().prepared(),
            acting: learner.actor.policy.valid().prepared(),
            objective: AllActions {
                clip_ratio_low: config.rl.ppo_clip.clip_ratio_low as f32,
                clip_ratio_high: config.rl.ppo_clip.clip_ratio_high as f32,
            },
            scale: config.advantage.process_coef * config.prm.beta,
        })
    }

    /// The surrogate of every response token times its weight (`[tokens, 1]`), summed. `hidden` is `policy`'s
    /// (see [`token_hidden`]).
    fn loss(
        &self,
        policy: &M,
        hidden: Tensor<2>,
        batch: &SequenceBatch,
        temperature: f32,
        weights: Tensor<2>,
    ) -> HeadLoss {
        let acting_hidden = token_hidden(&self.acting, batch);
        let prm_hidden = token_hidden(&self.prm, batch);
        head_loss(policy, hidden, |positions, logits| {
            let part = |of: &Tensor<2>| of.clone().narrow(0, positions.start, positions.len());
            let acting = self.acting.logits(part(&acting_hidden));
            let prm = self.prm.logits(part(&prm_hidden));
            // The reward compares the models as they are; the ratio is of what is sampled from.
            let reward =
                activation::log_softmax(prm, 1) - activation::log_softmax(acting.clone(), 1);
            let logits = logits.div_scalar(temperature);
            let acting = acting.div_scalar(temperature);
            let loss = self
                .objective
                .per_position(logits, acting, reward, self.scale);
            (loss * part(&weights)).sum()
        })
    }
}

/// One optimiser step; returns the policy's gradient norm before clipping.
fn mini_batch_step<M: CausalLm>(
    learner: &mut Learner<M>,
    env: &Environment<'_>,
    samples: &[&Sample<'_>],
    tilted: Option<&Tilted<M>>,
    rates: Rates,
    all: &mut Sums,
) -> Result<f64, TrainError> {
    let config = env.config;
    let totals = BatchTotals::of(samples.iter().map(|s| s.sequence.response.len()));
    let lengths: Vec<usize> = samples.iter().map(|s| s.sequence.tokens()).collect();
    let parts = config.micro_batching().cut(&lengths);
    all.padding = all.padding + Padding::of(&lengths, &parts);
    let micro_batches: Vec<Vec<&Sample<'_>>> = parts
        .iter()
        .map(|part| part.iter().map(|&i| samples[i]).collect())
        .collect();
    let threads = config.worker_threads();
    let actor = learner.actor.prepared();
    let done = accumulate_losses(&actor, &micro_batches, threads, |actor, samples| {
        let loss = micro_batch_loss(actor, env, samples, tilted, totals);
        activity::done(samples.len() as u64);
        loss
    })?;
    drop(actor);
    for part in done.statistics {
        all.loss += part.loss;
        all.value_loss += part.value_loss;
        all.entropy += part.entropy;
        all.tokens += part.tokens;
        for (name, sum) in part.named {
            match all.named.iter_mut().find(|(known, _)| *known == name) {
                Some((_, total)) => *total += sum,
                None => all.named.push((name, sum)),
            }
        }
    }
    let (for_policy, for_critic) = learner.actor.split_gradients(done.gradients);
    let actor = learner.actor.clone();
    let (policy, norm) = learner
        .policy_optimizer
        .step(actor.policy, for_policy, rates.policy)?;
    let value_head = match actor.value_head {
        Some(head) => Some(
            learner
                .critic_optimizer
                .step(head, for_critic, rates.critic)?
                .0,
        ),
        None => None,
    };
    learner.actor = ActorCritic { policy, value_head };
    Ok(norm)
}

fn micro_batch_loss<M: CausalLm>(
    actor: &ActorCritic<M>,
    env: &Environment<'_>,
    samples: &[&Sample<'_>],
    tilted: Option<&Tilted<M>>,
    totals: BatchTotals,
) -> Result<MicroBatchLoss<Sums>, PolicyError> {
    let config = env.config;
    let sequences: Vec<Sequence<'_>> = samples.iter().map(|s| s.sequence.clone()).collect();
    let device = actor.policy.devices().first().cloned().unwrap_or_default();
    let batch = SequenceBatch::new(&sequences, actor.policy.vocab_size(), &device)?;
    let (statistics, values) =
        actor.token_statistics(&batch, config.sampling().log_prob_temperature());
    let mask = batch.mask();
    let input = objective_input(config, &batch, samples, statistics.log_probs.clone())?;
    let aggregation = env
        .objective
        .aggregation()
        .unwrap_or_else(|| config.loss_aggregation());
    let token_loss = env.objective.token_loss(&input);
    let mut sums = Sums {
        tokens: batch.response_tokens(),
        named: token_loss.metric_sums,
        ..Sums::default()
    };
    let mut loss = aggregation.aggregate(token_loss.loss, mask.clone(), totals);
    sums.loss = scalar(&loss);
    sums.entropy = batch
        .gather(statistics.entropy.clone().inner())
        .iter()
        .flatten()
        .map(|&e| f64::from(e))
        .sum();
    if config.rl.entropy_coef > 0.0 {
        let entropy = aggregation.aggregate(statistics.entropy, mask.clone(), totals);
        loss = loss - entropy.mul_scalar(config.rl.entropy_coef);
    }
    let mut extra = None;
    if let Some(tilted) = tilted {
        let temperature = config.sampling().log_prob_temperature();
        let weights = token_weights(aggregation, &batch, totals);
        let process = tilted.loss(
            &actor.policy,
            statistics.hidden,
            &batch,
            temperature,
            weights,
        );
        sums.loss += scalar(&process.loss);
        loss = loss + process.loss;
        extra = process.extra;
    }
    if config.kl.placement == KlPlacement::Loss && config.kl.coef > 0.0 {
        let reference = batch.scatter(
            "reference log-probs",
            samples.iter().map(|s| s.ref_log_probs),
        )?;
        let kl = config.loss_kl().per_token(statistics.log_probs, reference);
        let kl = aggregation.aggregate(kl, mask.clone(), totals);
        sums.named
            .push(("actor/kl_loss", scalar(&kl) * totals.tokens as f64));
        loss = loss + kl.mul_scalar(config.kl.coef);
    }
    if let Some(values) = values {
        let old = batch.scatter("old values", samples.iter().map(|s| s.old_values))?;
        let returns = batch.scatter("returns", samples.iter().map(|s| s.returns))?;
        let clipped = ClippedValueLoss {
            value_clip: config.critic.value_clip as f32,
        };
        let token_loss = clipped.token_loss(values, old, returns, &mask);
        sums.named.extend(token_loss.metric_sums);
        let value_loss = aggregation.aggregate(token_loss.loss, mask, totals);
        sums.value_loss = scalar(&value_loss);
        loss = loss + value_loss.mul_scalar(config.critic.vf_coef);
    }
    Ok(MicroBatchLoss {
        loss,
        extra,
        statistics: sums,
    })
}

/// What each response token's loss is multiplied by in the aggregated loss (`[tokens, 1]`): an aggregation is linear, so
/// this is its gradient.
fn token_weights(
    aggregation: LossAggregation,
    batch: &SequenceBatch,
    totals: BatchTotals,
) -> Tensor<2> {
    let mask = batch.mask();
    let losses = Tensor::from_inner(mask.zeros_like()).require_grad();
    let aggregated =
        aggregation.aggregate(losses.clone(), Tensor::from_inner(mask.clone()), totals);
    let weights = losses.grad(&aggregated.backward());
    batch.response_entries(weights.unwrap_or_else(|| mask.zeros_like()))
}

/// What the objective reads: with `rl.rollout_is`, weights of π_θ against the policy that acted.
fn objective_input(
    config: &Config,
    batch: &SequenceBatch,
    samples: &[&Sample<'_>],
    log_probs: Tensor<2>,
) -> Result<ObjectiveInput, PolicyError> {
    let old = batch.scatter("old log-probs", samples.iter().map(|s| s.old_log_probs))?;
    let advantages = batch.scatter("advantages", samples.iter().map(|s| s.advantages))?;
    let seed = samples
        .iter()
        .fold(0, |seed: u64, sample| seed.rotate_left(1) ^ sample.draw);
    let input = ObjectiveInput::new(log_probs, old, advantages, batch.mask()).with_seed(seed);
    Ok(match config.importance_weights() {
        Some(weights) => {
            let [new, old] = [&input.log_probs, &input.old_log_probs].map(Tensor::clone);
            let weights = weights.per_token(new, old, input.mask.clone());
            input.with_importance_weights(weights)
        }
        None => input,
    })
}

fn scalar(x: &Tensor<1>) -> f64 {
    f64::from(x.clone().inner().into_scalar::<f32>())
}
