//! `[advantage]`, `[kl]`, `[critic]` and `[prm]`.

use super::{Checked, at_least_one, below_one, ensure, fraction, not_negative, positive};
use crate::config::{
    Baseline, Config, DataTask, Estimator, Granularity, KlPlacement, Objective, PrmReference,
    PrmUpdate, ProcessCredit, ProcessNorm,
};

pub(super) fn advantage(config: &Config) -> Checked {
    let a = &config.advantage;
    fraction("advantage.gamma", a.gamma)?;
    fraction("advantage.gae.lam", a.gae.lam)?;
    fraction("advantage.process_gamma", a.process_gamma)?;
    not_negative("advantage.outcome_coef", a.outcome_coef)?;
    not_negative("advantage.process_coef", a.process_coef)?;
    let grouped = a.estimator.compares_group()
        || (a.estimator == Estimator::Reinforce && a.reinforce.baseline == Baseline::GroupMean)
        || (config.prm.enabled && a.process_estimator.compares_group());
    ensure(
        !grouped || config.rl.group_size >= 2,
        "rl.group_size",
        config.rl.group_size,
        "at least 2: the chosen estimators compare a response with the others of its group",
    )
}

pub(super) fn kl_and_critic(config: &Config) -> Checked {
    let k = &config.kl;
    not_negative("kl.coef", k.coef)?;
    ensure(
        k.coef == 0.0 || k.placement != KlPlacement::None,
        "kl.coef",
        k.coef,
        "0 unless kl.placement is reward or loss",
    )?;
    let c = &config.critic;
    positive("critic.lr", c.lr)?;
    fraction("critic.lr_min_ratio", c.lr_min_ratio)?;
    positive("critic.value_clip", c.value_clip)?;
    positive("critic.vf_coef", c.vf_coef)
}

pub(super) fn prm(config: &Config) -> Checked {
    let p = &config.prm;
    positive("prm.beta", p.beta)?;
    positive("prm.lr", p.lr)?;
    fraction("prm.lr_min_ratio", p.lr_min_ratio)?;
    below_one("prm.beta1", p.beta1)?;
    below_one("prm.beta2", p.beta2)?;
    not_negative("prm.weight_decay", p.weight_decay)?;
    positive("prm.grad_clip", p.grad_clip)?;
    at_least_one("prm.micro_batch_size", p.micro_batch_size)?;
    at_least_one("prm.passes", p.passes)?;
    at_least_one("prm.replay.mini_batches", p.replay.mini_batches)?;
    at_least_one("prm.replay.batch_size", p.replay.batch_size)?;
    not_negative("prm.positive_clip", p.positive_clip)?;
    ensure(
        p.replay.steps == 0 || p.update != PrmUpdate::None,
        "prm.replay.steps",
        p.replay.steps,
        "0 with prm.update = \"none\": a model that is not updated replays nothing",
    )?;
    ensure(
        p.replay.steps == 0 || p.reference == PrmReference::Frozen,
        "prm.replay.steps",
        p.replay.steps,
        "0 unless prm.reference = \"frozen\": replayed rollouts come from several policies",
    )?;
    ensure(
        !p.oracle || p.enabled,
        "prm.oracle",
        p.oracle,
        "false unless prm.enabled = true",
    )?;
    ensure(
        !p.oracle || config.data.task != DataTask::Rows,
        "prm.oracle",
        p.oracle,
        "false with data.task = \"rows\": only built-in tasks know which answers are right",
    )?;
    let all_actions = p.enabled && p.process_credit == ProcessCredit::AllActions;
    let fits = p.reward_reference == PrmReference::Policy
        && p.granularity == Granularity::Token
        && p.positive_clip == 0.0
        && !p.oracle
        && config.advantage.process_gamma == 0.0
        && config.advantage.estimator != Estimator::Gae
        && config.advantage.process_norm == ProcessNorm::None
        && config.rl.objective == Objective::PpoClip;
    ensure(
        !all_actions || fits,
        "prm.process_credit",
        "all_actions",
        "sampled, unless prm.reward_reference = \"policy\", prm.granularity = \"token\", prm.positive_clip = 0, \
         prm.oracle = false, advantage.process_gamma = 0, advantage.process_norm = \"none\", \
         rl.objective = \"ppo_clip\" and advantage.estimator is not gae: it is PPO's surrogate of the \
         policy-referenced reward of every next token at once",
    )
}
