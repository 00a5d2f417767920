//! From verdicts to advantages: the implicit PRM, the process stream, the estimator.

use burn::module::Module;
use prime_advantage::{Advantages, PromptGroup, Response as RewardedResponse, RewardBatch};
use prime_policy::{CausalLm, Sequence, SequenceBatch, log_probs};
use prime_reward::{Rollout, auc, group_ranking, pair_accuracy, sign_accuracy};

use super::{Environment, JudgedGroup, JudgedResponse, Learner, ref_kl, rounding};
use crate::config::{KlPlacement, PrmReference, PrmTrust, ProcessCredit, ProcessGroups};
use crate::error::TrainError;
use crate::metrics::StepMetrics;

/// Per group and response: one number per token, or nothing where a group has none.
pub(super) type Streams = Vec<Vec<Vec<f32>>>;

/// The process rewards of a step.
pub(super) struct ProcessRewards {
    /// r_t as the PRM (or the oracle) gives it; empty lists for groups it did not see.
    pub rewards: Streams,
    /// What the estimator adds up: `process_coef`·r_t − `kl.coef`·KL_t. `None` while the process term is off.
    pub stream: Option<Streams>,
    /// Whether the policy update reads the PRM's reward of every token itself (`prm.process_credit`).
    pub all_actions: bool,
}

impl ProcessRewards {
    /// Whether process rewards count in this step at all.
    pub(super) fn is_on(&self) -> bool {
        self.stream.is_some() || self.all_actions
    }
}

/// Whether a group takes part in the policy update.
pub(super) fn takes_part(group: &JudgedGroup, env: &Environment<'_>, process: bool) -> bool {
    group.kept || (process && env.config.prm.process_groups == ProcessGroups::All)
}

fn sequence<'a>(group: &'a JudgedGroup, response: &'a JudgedResponse) -> Sequence<'a> {
    Sequence {
        prompt: &group.problem.prompt_ids,
        response: &response.response.tokens,
    }
}

/// Lines 4 and 5 of Algorithm 1: token rewards, and the PRM's update on the outcomes.
pub(super) fn process_rewards<M: CausalLm>(
    learner: &mut Learner<M>,
    env: &Environment<'_>,
    groups: &[JudgedGroup],
    metrics: &mut StepMetrics,
) -> Result<ProcessRewards, TrainError> {
    let config = env.config;
    let prm = &config.prm;
    let mut rewards: Streams = groups
        .iter()
        .map(|g| vec![vec![]; g.responses.len()])
        .collect();
    let seen: Vec<usize> = (0..groups.len())
        .filter(|&g| takes_part(&groups[g], env, true))
        .collect();
    if prm.oracle {
        for &g in &seen {
            for (r, response) in groups[g].responses.iter().enumerate() {
                rewards[g][r] = oracle(env, response);
            }
        }
    } else if learner.prm.is_some() && !seen.is_empty() {
        run_prm(learner, env, groups, &seen, &mut rewards, metrics)?;
    }
    let trusted = prm.oracle || prm.trust == PrmTrust::Always || learner.trust.is_earned();
    let warm = learner.step >= prm.process_warmup_steps as u64;
    let on = prm.enabled && warm && trusted && !seen.is_empty();
    let all_actions = on && prm.process_credit == ProcessCredit::AllActions;
    let sampled = on && !all_actions;
    let kl = match config.kl.placement {
        KlPlacement::Reward if config.kl.coef > 0.0 => {
            Some(reward_kl(learner, env, groups, metrics)?)
        }
        _ => None,
    };
    let stream = (sampled || kl.is_some()).then(|| {
        let process_coef = if sampled {
            config.advantage.process_coef
        } else {
            0.0
        };
        let kl_coef = config.kl.coef;
        let one = |g: usize, r: usize, tokens: usize| -> Vec<f32> {
            (0..tokens)
                .map(|t| {
                    let reward = rewards[g][r].get(t).copied().unwrap_or(0.0);
                    let penalty = kl.as_ref().map_or(0.0, |kl| kl[g][r][t]);
                    (process_coef * f64::from(reward) - kl_coef * f64::from(penalty)) as f32
                })
                .collect()
        };
        groups
            .iter()
            .enumerate()
            .map(|(g, group)| {
                let responses = group.responses.iter().enumerate();
                responses
                    .map(|(r, response)| one(g, r, response.response.tokens.len()))
                    .collect()
            })
            .collect()
    });
    Ok(ProcessRewards {
        rewards,
        stream,
        all_actions,
    })
}

fn run_prm<M: CausalLm>(
    learner: &mut Learner<M>,
    env: &Environment<'_>,
    groups: &[JudgedGroup],
    seen: &[usize],
    rewards: &mut Streams,
    metrics: &mut StepMetrics,
) -> Result<(), TrainError> {
    let config = env.config;
    let pairs: Vec<(usize, usize)> = seen
        .iter()
        .flat_map(|&g| (0..groups[g].responses.len()).map(move |r| (g, r)))
        .collect();
    let at = |&(g, r): &(usize, usize)| (&groups[g], &groups[g].responses[r]);
    let anchored =
        [config.prm.reference, config.prm.reward_reference].contains(&PrmReference::Policy);
    // The PRM and its references work at temperature 1; rollouts may have been drawn at another.
    let recomputed = if anchored && config.sampling.temperature != 1.0 {
        let sequences: Vec<_> = pairs.iter().map(|p| sequence(at(p).0, at(p).1)).collect();
        Some(log_probs(
            &learner.actor.policy,
            &sequences,
            1.0,
            config.micro_batching(),
            config.worker_threads(),
        )?)
    } else {
        None
    };
    let rollouts: Vec<Rollout<'_>> = pairs
        .iter()
        .enumerate()
        .map(|(i, pair)| {
            let (group, response) = at(pair);
            Rollout {
                sequence: sequence(group, response),
                label: response.outcome,
                policy_log_probs: match &recomputed {
                    Some(log_probs) => &log_probs[i],
                    None => &response.response.log_probs,
                },
            }
        })
        .collect();
    let step = learner.step;
    let Some(prm) = learner.prm.as_mut() else {
        return Ok(());
    };
    let lr = config.prm_schedule().at(step);
    prm.set_lr(lr)?;
    let done = prm.step(&rollouts)?;

    let mut grouped: Vec<Vec<(f64, f32)>> = vec![];
    let mut answers: Vec<(f32, bool)> = vec![];
    let mut last = None;
    for (i, pair) in pairs.iter().enumerate() {
        let (_, response) = at(pair);
        if last != Some(pair.0) {
            grouped.push(vec![]);
            last = Some(pair.0);
        }
        if let Some(group) = grouped.last_mut() {
            group.push((done.scores_before_update[i], response.outcome));
        }
        answers.extend(answer_scores(env, response, &done.rewards_before_update[i]));
    }
    for ((g, r), token_rewards) in pairs.iter().zip(done.rewards) {
        rewards[*g][*r] = token_rewards;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    if !done.losses.is_empty() {
        metrics.set("perf/prm_padding_waste", done.padding.waste())?;
        metrics.set("reward_model/prm_loss", mean(&done.losses))?;
        metrics.set("reward_model/grad_norm", mean(&done.grad_norms))?;
        metrics.set("reward_model/lr", lr)?;
    }
    let rankings = grouped.iter().filter_map(|group| group_ranking(group));
    learner
        .trust
        .see(rankings.map(|accuracy| accuracy as f32).collect());
    if config.prm.trust == PrmTrust::Earned {
        let earned = learner.trust.is_earned();
        metrics.set_count("reward_model/trusted", usize::from(earned));
        if let Some(found) = learner.trust.ranking() {
            metrics.set("reward_model/rank_acc", found.mean)?;
            metrics.set("reward_model/rank_acc_stderr", found.stderr)?;
        }
    }
    if let Some(accuracy) = pair_accuracy(&grouped) {
        metrics.set("reward_model/dpo_acc_before", accuracy)?;
    }
    let flat = grouped.iter().flatten().copied();
    if let Some(accuracy) = sign_accuracy(flat) {
        metrics.set("reward_model/dpo_acc_abs_before", accuracy)?;
    }
    metrics.set("reward_model/raw_reward", mean(&done.scores_before_update))?;
    // A policy whose reference the PRM has at hand is measured on the way.
    if config.sampling.temperature == 1.0
        && let Some(reference) = &done.frozen_log_probs
    {
        let ours = pairs.iter().map(|p| &at(p).1.response.log_probs[..]);
        if let Some(kl) = ref_kl::mean(ours.zip(reference.iter().map(Vec::as_slice))) {
            metrics.set("actor/ref_kl", kl)?;
        }
    }
    let sums = pairs
        .iter()
        .map(|p| at(p).1.response.log_probs.iter().sum());
    let told_apart = rounding::can_be_ranked(answers.iter().map(|a| a.0), sums, config.prm.beta);
    if let Some(area) = auc(&answers).filter(|_| told_apart) {
        metrics.set("reward_model/step_auc", area)?;
        for (name, wanted) in [("right", true), ("wrong", false)] {
            let chosen: Vec<f64> = answers
                .iter()
                .filter(|a| a.1 == wanted)
                .map(|a| f64::from(a.0))
                .collect();
            metrics.set(
                &format!("reward_model/reward_{name}_answers"),
                mean(&chosen),
            )?;
        }
    }
    Ok(())
}

/// The reward summed over each answer, with whether that answer is right; nothing where the task knows no answers.
pub(crate) fn answer_scores(
    env: &Environment<'_>,
    response: &JudgedResponse,
    rewards: &[f32],
) -> Vec<(f32, bool)> {
    let (Some(task), Some(right)) = (env.problems.task(), &response.steps) else {
        return vec![];
    };
    let pieces = env.tokenizer.pieces(&response.response.tokens);
    task.answer_spans(&pieces)
        .into_iter()
        .zip(right)
        .filter(|(span, _)| !span.is_empty())
        .map(|(span, &right)| (rewards[span].iter().sum(), right))
        .collect()
}

/// +1 on every token of a right answer, −1 on every token of a wrong one: what the task itself knows.
fn oracle(env: &Environment<'_>, response: &JudgedResponse) -> Vec<f32> {
    let mut rewards = vec![0.0; response.response.tokens.len()];
    if let (Some(task), Some(right)) = (env.problems.task(), &response.steps) {
        let pieces = env.tokenizer.pieces(&response.response.tokens);
        for (span, &right) in task.answer_spans(&pieces).into_iter().zip(right) {
            rewards[span].fill(if right { 1.0 } else { -1.0 });
        }
    }
    rewards
}

/// KL to the reference per token, for the reward (Ziegler et al. 2019).
fn reward_kl<M: CausalLm>(
    learner: &Learner<M>,
    env: &Environment<'_>,
    groups: &[JudgedGroup],
    metrics: &mut StepMetrics,
) -> Result<Streams, TrainError> {
    let reference = ref_log_probs(learner, env, groups)?;
    ref_kl::record(groups, &reference, metrics)?;
    groups
        .iter()
        .zip(reference)
        .map(|(group, reference)| {
            let both = group.responses.iter().zip(reference);
            both.map(|(r, reference)| {
                Ok(env
                    .config
                    .reward_kl()
                    .penalties(&r.response.log_probs, &reference)?)
            })
            .collect()
        })
        .collect()
}

/// Log-probs of all responses under the reference, at the rollout temperature.
pub(super) fn ref_log_probs<M: CausalLm>(
    learner: &Learner<M>,
    env: &Environment<'_>,
    groups: &[JudgedGroup],
) -> Result<Streams, TrainError> {
    let Some(reference) = &learner.reference else {
        return Err(TrainError::Usage("kl needs a reference model".to_owned()));
    };
    let config = env.config;
    let sequences: Vec<_> = groups
        .iter()
        .flat_map(|g| g.responses.iter().map(move |r| sequence(g, r)))
        .collect();
    let temperature = config.sampling().log_prob_temperature();
    let (micro, threads) = (config.micro_batching(), config.worker_threads());
    let mut flat = log_probs(reference, &sequences, temperature, micro, threads)?.into_iter();
    Ok(groups
        .iter()
        .map(|g| flat.by_ref().take(g.responses.len()).collect())
        .collect())
}

/// The critic's value before each token; `None` without a critic.
pub(super) fn values<M: CausalLm>(
    learner: &Learner<M>,
    env: &Environment<'_>,
    groups: &[JudgedGroup],
) -> Result<Option<Streams>, TrainError> {
    if learner.actor.value_head.is_none() {
        return Ok(None);
    }
    let actor = learner.actor.valid().prepared();
    let device = actor.policy.devices().first().cloned().unwrap_or_default();
    let sequences: Vec<_> = groups
        .iter()
        .flat_map(|g| g.responses.iter().map(move |r| sequence(g, r)))
        .collect();
    let (micro, threads) = (env.config.micro_batching(), env.config.worker_threads());
    let flat = micro.map(&sequences, threads, |chunk| {
        let batch = SequenceBatch::new(chunk, actor.policy.vocab_size(), &device)?;
        let values = actor.values(&batch);
        Ok(values.map_or_else(Vec::new, |values| batch.gather(values)))
    })?;
    let mut flat = flat.into_iter();
    let split = groups
        .iter()
        .map(|g| flat.by_ref().take(g.responses.len()).collect());
    Ok(Some(split.collect()))
}

/// Line 6: both rewards to one advantage per token. Groups that take no part get empty lists.
pub(super) struct TokenAdvantages {
    /// Advantages.
    pub advantages: Streams,
    /// Returns, for the critic.
    pub returns: Streams,
}

/// Calls the estimator on the groups that take part.
pub(super) fn advantages(
    env: &Environment<'_>,
    step: u64,
    groups: &[JudgedGroup],
    process: &ProcessRewards,
    values: Option<&[Vec<Vec<f32>>]>,
    metrics: &mut StepMetrics,
) -> Result<TokenAdvantages, TrainError> {
    let on = process.is_on();
    let mut out = TokenAdvantages {
        advantages: groups
            .iter()
            .map(|g| vec![vec![]; g.responses.len()])
            .collect(),
        returns: groups
            .iter()
            .map(|g| vec![vec![]; g.responses.len()])
            .collect(),
    };
    let members: Vec<usize> = (0..groups.len())
        .filter(|&g| takes_part(&groups[g], env, on))
        .collect();
    metrics.set_count("actor/groups", members.len());
    if members.is_empty() {
        return Ok(out);
    }
    let batch = members
        .iter()
        .map(|&g| {
            let responses = groups[g].responses.iter().enumerate().map(|(r, response)| {
                let mut rewarded =
                    RewardedResponse::new(response.response.tokens.len(), response.reward);
                if let Some(stream) = &process.stream {
                    rewarded = rewarded.with_process_rewards(&stream[g][r]);
                }
                if let Some(values) = values {
                    rewarded = rewarded.with_values(&values[g][r]);
                }
                rewarded
            });
            let group = PromptGroup::new(responses.collect())?;
            Ok(if groups[g].kept {
                group
            } else {
                group.process_only()
            })
        })
        .collect::<Result<Vec<_>, prime_advantage::AdvantageError>>()?;
    let batch = RewardBatch::new(batch)?;
    let estimator = match process.stream {
        Some(_) => env.estimator,
        None => env.outcome_estimator,
    };
    let estimated: Advantages = estimator.estimate(&batch)?;
    let (mut sum, mut n) = (0.0, 0usize);
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for (&g, group) in members.iter().zip(estimated.groups()) {
        for (r, response) in group.iter().enumerate() {
            if let Some(t) = response.advantages().iter().position(|a| !a.is_finite()) {
                return Err(TrainError::NonFiniteMetric {
                    step,
                    name: format!(
                        "advantage of token {t}, response {r}, problem {}",
                        groups[g].problem.id
                    ),
                    value: f64::from(response.advantages()[t]),
                });
            }
            for &advantage in response.advantages() {
                let advantage = f64::from(advantage);
                sum += advantage;
                n += 1;
                least = least.min(advantage);
                most = most.max(advantage);
            }
            out.advantages[g][r] = response.advantages().to_vec();
            out.returns[g][r] = response.returns().to_vec();
        }
    }
    if n > 0 {
        metrics.set("critic/advantages/mean", sum / n as f64)?;
        metrics.set("critic/advantages/min", least)?;
        metrics.set("critic/advantages/max", most)?;
    }
    Ok(out)
}
