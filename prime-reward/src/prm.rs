//! The implicit process reward model: a language model that is trained on outcomes and rewards tokens.

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::{Tensor, TensorData};
use prime_policy::{
    CausalLm, MicroBatching, Optimizer, Padding, PolicyError, Sequence, SequenceBatch,
    accumulate_gradients, any_trainable, in_order, log_probs, token_statistics,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::{LabelPrior, PrmConfig, Reference, UpdateOrder};
use crate::error::RewardError;
use crate::implicit::token_rewards;
use crate::objective::PrmObjective;
use crate::replay::{LabelledRollout, ReplayBuffer};

/// One sampled and judged response, as the PRM sees it.
#[derive(Debug, Clone)]
pub struct Rollout<'a> {
    /// Prompt and response tokens.
    pub sequence: Sequence<'a>,
    /// Outcome in [0, 1].
    pub label: f32,
    /// Log-probs of the response under the policy that sampled it, at temperature 1.
    pub policy_log_probs: &'a [f32],
}

/// What a step of the PRM gives back.
#[derive(Debug, Clone)]
pub struct PrmStep {
    /// Token rewards r_t, one list per rollout, in order.
    pub rewards: Vec<Vec<f32>>,
    /// β·Σ_t q_t per rollout against the *training* reference, before the PRM learned from that rollout in this step:
    /// what accuracies are honestly measured on.
    pub scores_before_update: Vec<f64>,
    /// [`Self::rewards`] as they were before the PRM learned from that rollout in this step (the same numbers unless
    /// the update comes first).
    pub rewards_before_update: Vec<Vec<f32>>,
    /// Mean training loss per optimiser step, in order; empty when nothing was learned.
    pub losses: Vec<f64>,
    /// Gradient norm before clipping per optimiser step, in order.
    pub grad_norms: Vec<f64>,
    /// How much of the forward passes of those optimiser steps was padding.
    pub padding: Padding,
    /// Log-probs under the frozen reference at temperature 1, one list per rollout, where a reference is that.
    pub frozen_log_probs: Option<Vec<Vec<f32>>>,
}

/// The implicit PRM π_φ, its reference and its optimiser.
#[derive(Debug, Clone)]
pub struct ImplicitPrm<M: CausalLm> {
    model: M,
    reference: Option<M>,
    optimizer: Optimizer,
    replay: Option<ReplayBuffer>,
    config: PrmConfig,
}

/// A rollout with the sum of its training reference, ready for the loss.
struct Example<'a> {
    sequence: Sequence<'a>,
    label: f32,
    ref_sum: f64,
    /// Added to the label's log-odds (see [`LabelPrior`]).
    prior_logit: f32,
    /// Whether it is learned from; its score and rewards are wanted all the same.
    learned: bool,
}

impl<M: CausalLm> ImplicitPrm<M> {
    /// A PRM that starts as a copy of `start` (usually the policy); the frozen reference is a second copy.
    ///
    /// Copies share tensors until one of them trains. When `start` has adapters, only these train: policy, PRM and
    /// reference stay one base in memory, and the reference is that base with the adapters of `start` (fresh ones change
    /// nothing).
    ///
    /// `start` must live on an autodiff device. At this point every implicit reward against the frozen reference is
    /// exactly 0.
    ///
    /// # Errors
    /// [`RewardError::Config`]; [`RewardError::NotTrainable`] when the PRM is to learn but `start` cannot.
    pub fn new(start: &M, config: PrmConfig) -> Result<Self, RewardError> {
        Self::with_start(start, start, config)
    }

    /// A PRM that starts as a copy of `start`, measured against a frozen copy of another model with the same tokenizer
    /// (usually the policy's own start).
    ///
    /// # Errors
    /// Those of [`Self::new`], and [`RewardError::Vocabulary`].
    pub fn with_start(start: &M, reference: &M, config: PrmConfig) -> Result<Self, RewardError> {
        config.validate()?;
        if start.vocab_size() != reference.vocab_size() {
            return Err(RewardError::Vocabulary {
                start: start.vocab_size(),
                reference: reference.vocab_size(),
            });
        }
        if config.update != UpdateOrder::None && !any_trainable(start) {
            return Err(RewardError::NotTrainable);
        }
        let frozen =
            config.reference == Reference::Frozen || config.reward_reference == Reference::Frozen;
        let device = start.devices().first().cloned().unwrap_or_default();
        Ok(Self {
            model: start.clone().fork(&device),
            reference: frozen.then(|| reference.valid()),
            optimizer: config.optimizer.init(),
            replay: config
                .replay
                .map(|replay| ReplayBuffer::new(replay.steps, config.seed)),
            config,
        })
    }

    /// The model π_φ.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The frozen reference, if the configuration uses one.
    pub fn reference(&self) -> Option<&M> {
        self.reference.as_ref()
    }

    /// The settings.
    pub fn config(&self) -> &PrmConfig {
        &self.config
    }

    /// Sets the learning rate of the next updates, for rates that change over a run.
    ///
    /// # Errors
    /// [`RewardError::Config`] for a rate that [`PrmConfig::validate`] would refuse; the old one stays.
    pub fn set_lr(&mut self, lr: f64) -> Result<(), RewardError> {
        if !(lr.is_finite() && lr >= 0.0) {
            return Err(RewardError::Config {
                name: "lr",
                value: lr.to_string(),
                accepted: "a number ≥ 0",
            });
        }
        self.config.lr = lr;
        Ok(())
    }

    /// Log-probs of responses under π_φ at temperature 1.
    ///
    /// # Errors
    /// [`RewardError::Model`].
    pub fn log_probs(&self, sequences: &[Sequence<'_>]) -> Result<Vec<Vec<f32>>, RewardError> {
        self.log_probs_under(&self.model, sequences)
    }

    fn log_probs_under(
        &self,
        model: &M,
        sequences: &[Sequence<'_>],
    ) -> Result<Vec<Vec<f32>>, RewardError> {
        let threads = self.config.threads;
        Ok(log_probs(
            model,
            sequences,
            1.0,
            self.micro_batching(),
            threads,
        )?)
    }

    fn micro_batching(&self) -> MicroBatching {
        MicroBatching::new(self.config.micro_batch_size, self.config.micro_batch_tokens)
    }

    /// Token rewards of judged or unjudged responses, without learning: `policy_log_probs` are needed only when the
    /// reward's reference is the policy.
    ///
    /// # Errors
    /// [`RewardError::Model`]; about the policy's log-probs [`RewardError::CountMismatch`],
    /// [`RewardError::LengthMismatch`] and [`RewardError::NotFinite`].
    pub fn score(
        &self,
        sequences: &[Sequence<'_>],
        policy_log_probs: &[&[f32]],
    ) -> Result<Vec<Vec<f32>>, RewardError> {
        let references =
            self.references(self.config.reward_reference, sequences, policy_log_probs)?;
        self.rewards(&self.log_probs(sequences)?, &references)
    }

    fn references(
        &self,
        reference: Reference,
        sequences: &[Sequence<'_>],
        policy_log_probs: &[&[f32]],
    ) -> Result<Vec<Vec<f32>>, RewardError> {
        match (reference, &self.reference) {
            (Reference::Frozen, Some(model)) => self.log_probs_under(model, sequences),
            _ => {
                let (expected, found) = (sequences.len(), policy_log_probs.len());
                if expected != found {
                    return Err(RewardError::CountMismatch {
                        what: "policy log-probs",
                        expected,
                        found,
                    });
                }
                for (rollout, (sequence, given)) in
                    sequences.iter().zip(policy_log_probs).enumerate()
                {
                    let (expected, found) = (sequence.response.len(), given.len());
                    if expected != found {
                        return Err(RewardError::LengthMismatch {
                            what: "policy log-probs",
                            rollout,
                            expected,
                            found,
                        });
                    }
                }
                Ok(policy_log_probs.iter().map(|p| p.to_vec()).collect())
            }
        }
    }

    fn rewards(
        &self,
        prm: &[Vec<f32>],
        reference: &[Vec<f32>],
    ) -> Result<Vec<Vec<f32>>, RewardError> {
        let of_rollout = |(rollout, (p, r)): (usize, (&Vec<f32>, &Vec<f32>))| {
            token_rewards(p, r, &self.config.reward).map_err(|error| error.in_rollout(rollout))
        };
        prm.iter()
            .zip(reference)
            .enumerate()
            .map(of_rollout)
            .collect()
    }

    /// One step of PRIME's lines 4 and 5: rewards for every token of `rollouts`, and an update of π_φ on their
    /// outcomes, in the configured order.
    ///
    /// # Errors
    /// [`RewardError`]; the PRM is unchanged when the error comes before its first optimiser step.
    pub fn step(&mut self, rollouts: &[Rollout<'_>]) -> Result<PrmStep, RewardError> {
        if rollouts.is_empty() {
            return Err(RewardError::Empty);
        }
        for (rollout, r) in rollouts.iter().enumerate() {
            if !(0.0..=1.0).contains(&r.label) {
                return Err(RewardError::Label {
                    rollout,
                    label: r.label,
                });
            }
        }
        let sequences: Vec<Sequence<'_>> = rollouts.iter().map(|r| r.sequence.clone()).collect();
        let policy: Vec<&[f32]> = rollouts.iter().map(|r| r.policy_log_probs).collect();
        let training_ref = self.references(self.config.reference, &sequences, &policy)?;
        let reward_ref = if self.config.reward_reference == self.config.reference {
            training_ref.clone()
        } else {
            self.references(self.config.reward_reference, &sequences, &policy)?
        };
        let frozen_log_probs = match (self.config.reference, self.config.reward_reference) {
            (Reference::Frozen, _) => Some(training_ref.clone()),
            (_, Reference::Frozen) => Some(reward_ref.clone()),
            _ => None,
        };
        let examples: Vec<Example<'_>> = rollouts
            .iter()
            .zip(&training_ref)
            .zip(prior_logits(self.config.prior, rollouts))
            .map(|((r, reference), prior)| Example {
                sequence: r.sequence.clone(),
                label: r.label,
                ref_sum: reference.iter().map(|&l| f64::from(l)).sum(),
                prior_logit: prior.unwrap_or(0.0),
                learned: prior.is_some(),
            })
            .collect();

        let mut log = UpdateLog::default();
        let labels = examples.iter().filter(|e| e.learned).map(|e| e.label);
        let learns = self.replay.is_some() || self.config.one_class || !alike(labels);
        let single_forward =
            self.config.update == UpdateOrder::After && self.replay.is_none() && learns;
        let before = if single_forward {
            self.learn(&examples, &mut log)?
        } else {
            let before = self.log_probs(&sequences)?;
            match self.config.update {
                UpdateOrder::None => {}
                _ if !learns => {}
                _ if self.replay.is_some() => self.learn_from_replay(&examples, &mut log)?,
                _ => {
                    self.learn(&examples, &mut log)?;
                }
            }
            before
        };
        let scores_before_update = before
            .iter()
            .zip(&examples)
            .map(|(prm, example)| {
                let sum: f64 = prm.iter().map(|&l| f64::from(l)).sum();
                f64::from(self.config.reward.beta) * (sum - example.ref_sum)
            })
            .collect();
        let rewards_before_update = self.rewards(&before, &reward_ref)?;
        let rewards = match self.config.update {
            UpdateOrder::Before => self.rewards(&self.log_probs(&sequences)?, &reward_ref)?,
            UpdateOrder::After | UpdateOrder::None => rewards_before_update.clone(),
        };
        Ok(PrmStep {
            rewards,
            rewards_before_update,
            scores_before_update,
            losses: log.losses,
            grad_norms: log.grad_norms,
            padding: log.padding,
            frozen_log_probs,
        })
    }

    /// Passes over `examples` in mini-batches; returns the log-probs seen in the first pass, each mini-batch's from just
    /// before its own update.
    fn learn(
        &mut self,
        examples: &[Example<'_>],
        log: &mut UpdateLog,
    ) -> Result<Vec<Vec<f32>>, RewardError> {
        let size = match self.config.mini_batch_size {
            0 => examples.len(),
            size => size,
        };
        let mut seen = Vec::with_capacity(examples.len());
        for pass in 0..self.config.passes {
            for mini_batch in examples.chunks(size) {
                let scored = self.update(mini_batch, log)?;
                if pass == 0 {
                    seen.extend(scored);
                }
            }
        }
        Ok(seen)
    }

    fn learn_from_replay(
        &mut self,
        examples: &[Example<'_>],
        log: &mut UpdateLog,
    ) -> Result<(), RewardError> {
        let (Some(mut buffer), Some(settings)) = (self.replay.take(), self.config.replay) else {
            return Ok(());
        };
        buffer.push(
            examples
                .iter()
                .filter(|e| e.learned)
                .map(|e| LabelledRollout {
                    prompt: e.sequence.prompt.to_vec(),
                    response: e.sequence.response.to_vec(),
                    label: e.label,
                    ref_sum: e.ref_sum as f32,
                    prior_logit: e.prior_logit,
                })
                .collect(),
        );
        let mut outcome = Ok(());
        let batches = match self.config.one_class || !alike(buffer.labels()) {
            true => settings.mini_batches,
            // Kept for when there is another class.
            false => 0,
        };
        for mini_batch in buffer.draw(batches, settings.batch_size) {
            let mini_batch: Vec<Example<'_>> = mini_batch
                .into_iter()
                .map(|r| Example {
                    sequence: Sequence {
                        prompt: &r.prompt,
                        response: &r.response,
                    },
                    label: r.label,
                    ref_sum: f64::from(r.ref_sum),
                    prior_logit: r.prior_logit,
                    learned: true,
                })
                .collect();
            outcome = self.update(&mini_batch, log).map(|_| ());
            if outcome.is_err() {
                break;
            }
        }
        self.replay = Some(buffer);
        outcome
    }

    /// One optimiser step on a mini-batch, none if there is nothing in it to learn from; returns its log-probs from just before
    /// the step.
    fn update(
        &mut self,
        mini_batch: &[Example<'_>],
        log: &mut UpdateLog,
    ) -> Result<Vec<Vec<f32>>, RewardError> {
        let learned = mini_batch.iter().filter(|e| e.learned).count();
        if learned == 0 {
            let sequences: Vec<_> = mini_batch.iter().map(|e| e.sequence.clone()).collect();
            return self.log_probs(&sequences);
        }
        let objective = self.config.loss.build();
        let beta = self.config.reward.beta;
        let n = learned as f64;
        let lengths: Vec<usize> = mini_batch.iter().map(|e| e.sequence.tokens()).collect();
        let parts = self.micro_batching().cut(&lengths);
        log.padding = log.padding + Padding::of(&lengths, &parts);
        let micro_batches: Vec<Vec<&Example<'_>>> = parts
            .iter()
            .map(|part| part.iter().map(|&i| &mini_batch[i]).collect())
            .collect();
        let threads = self.config.threads;
        let model = self.model.prepared();
        let done = accumulate_gradients(&model, &micro_batches, threads, |model, examples| {
            micro_batch_loss(model, examples, objective.as_ref(), beta, n)
        })?;
        drop(model);
        let (model, norm) =
            self.optimizer
                .step(self.model.clone(), done.gradients, self.config.lr)?;
        self.model = model;
        let (losses, seen): (Vec<f64>, Vec<_>) = done.statistics.into_iter().unzip();
        log.losses.push(losses.iter().sum());
        log.grad_norms.push(norm);
        Ok(in_order(&parts, seen, mini_batch.len())?)
    }

    /// Writes the optimiser's and the replay buffer's state beside the model (which the caller saves as a folder).
    ///
    /// # Errors
    /// [`RewardError::Model`] or [`RewardError::State`].
    pub fn save_state(&self, folder: &Path) -> Result<(), RewardError> {
        self.optimizer.save(&self.model, &folder.join(OPTIMIZER))?;
        if let Some(replay) = &self.replay {
            write_json(&folder.join(REPLAY), replay)?;
        }
        Ok(())
    }

    /// Continues from a saved model and what [`Self::save_state`] wrote beside it; `reference` is the frozen model the
    /// run began with.
    ///
    /// # Errors
    /// Those of [`Self::with_start`]; [`RewardError::Model`] or [`RewardError::State`] when the folder's files are
    /// missing, broken, or belong to a model of another shape.
    pub fn resume(
        model: &M,
        reference: &M,
        config: PrmConfig,
        folder: &Path,
    ) -> Result<Self, RewardError> {
        let mut prm = Self::with_start(model, reference, config)?;
        (prm.optimizer, prm.model) = prm.optimizer.load(prm.model, &folder.join(OPTIMIZER))?;
        if prm.replay.is_some() {
            prm.replay = Some(read_json(&folder.join(REPLAY))?);
        }
        Ok(prm)
    }
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), RewardError> {
    let text = serde_json::to_string(value).map_err(|error| RewardError::State {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(prime_policy::write_atomically(path, text.as_bytes())?)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RewardError> {
    let state = |reason: String| RewardError::State {
        path: path.to_owned(),
        reason,
    };
    let text = std::fs::read_to_string(path).map_err(|error| state(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| state(error.to_string()))
}

const OPTIMIZER: &str = "optimizer.bin";
const REPLAY: &str = "replay.json";

/// The log-odds that the loss takes for granted of each rollout; `None` where it is not to be learned from.
fn prior_logits(prior: LabelPrior, rollouts: &[Rollout<'_>]) -> Vec<Option<f32>> {
    match prior {
        LabelPrior::None => vec![Some(0.0); rollouts.len()],
        LabelPrior::BatchMean => {
            let odds = batch_log_odds(rollouts.iter().map(|r| r.label));
            vec![Some(odds); rollouts.len()]
        }
        LabelPrior::GroupMean => {
            let mut groups: HashMap<&[u32], Vec<f32>> = HashMap::new();
            for rollout in rollouts {
                let labels = groups.entry(rollout.sequence.prompt).or_default();
                labels.push(rollout.label);
            }
            let odds = |labels: &Vec<f32>| {
                let mean = labels.iter().map(|&l| f64::from(l)).sum::<f64>() / labels.len() as f64;
                (!alike(labels.iter().copied())).then(|| (mean / (1.0 - mean)).ln() as f32)
            };
            let of = |r: &Rollout<'_>| groups.get(r.sequence.prompt).and_then(odds);
            rollouts.iter().map(of).collect()
        }
    }
}

/// Whether there is one class only, or none at all.
fn alike(mut labels: impl Iterator<Item = f32>) -> bool {
    let first = labels.next();
    labels.all(|label| Some(label) == first)
}

/// Log-odds of the mean label, with one right and one wrong label added so that it is finite.
fn batch_log_odds(labels: impl ExactSizeIterator<Item = f32>) -> f32 {
    let n = labels.len() as f64;
    let right: f64 = labels.map(f64::from).sum();
    ((right + 1.0) / (n - right + 1.0)).ln() as f32
}

#[derive(Default)]
struct UpdateLog {
    losses: Vec<f64>,
    grad_norms: Vec<f64>,
    padding: Padding,
}

/// A micro-batch's part of its mini-batch's mean loss, and the log-probs that it was computed from.
type MicroBatch = (f64, Vec<Vec<f32>>);

/// The loss of a micro-batch with gradients, and without.
fn micro_batch_loss<M: CausalLm>(
    model: &M,
    examples: &[&Example<'_>],
    objective: &dyn PrmObjective,
    beta: f32,
    mini_batch: f64,
) -> Result<(Tensor<1>, MicroBatch), PolicyError> {
    let sequences: Vec<Sequence<'_>> = examples.iter().map(|e| e.sequence.clone()).collect();
    let device = model.devices().first().cloned().unwrap_or_default();
    let batch = SequenceBatch::new(&sequences, model.vocab_size(), &device)?;
    let log_probs = token_statistics(model, &batch, 1.0).log_probs;
    let seen = batch.gather(log_probs.clone().inner());
    let column = |values: Vec<f32>| {
        let rows = values.len();
        let data = TensorData::new(values, [rows, 1]);
        Tensor::<2>::from_data(data, &device.clone().without_autodiff())
    };
    let ref_sums = column(examples.iter().map(|e| e.ref_sum as f32).collect());
    let labels = column(examples.iter().map(|e| e.label).collect());
    // The objective multiplies by β, so a prior of b log-odds is b/β nats of the sum.
    let priors = column(examples.iter().map(|e| e.prior_logit / beta).collect());
    let sums = (log_probs * batch.mask()).sum_dim(1) - ref_sums + priors;
    let mut per_response = objective.per_response(sums, labels, beta);
    if examples.iter().any(|e| !e.learned) {
        let learned = examples.iter().map(|e| f32::from(e.learned));
        per_response = per_response * column(learned.collect());
    }
    let loss = per_response.sum().div_scalar(mini_batch);
    let value = f64::from(loss.clone().inner().into_scalar::<f32>());
    Ok((loss, (value, seen)))
}
