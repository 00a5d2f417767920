//! Ranges, and keys that have to agree with each other. Types are right by the time this runs.

use std::fmt::Display;

use prime_policy::objective::PolicyObjective;
use prime_policy::{PolicyError, TargetModules};

use super::objective::{PARAMETERS, Parameter};
use super::{
    Baseline, Config, DataTask, Estimator, Granularity, KlPlacement, LossAgg, Objective,
    PrmReference, PrmUpdate, ProcessCredit, ProcessNorm, Rl, RolloutIs,
};
use crate::code_args::{MEMORY_MIB, MOST_SECONDS};
use crate::data::tasks::PassMark;
use crate::error::ConfigError;

type Checked = Result<(), ConfigError>;

fn ensure(holds: bool, key: &'static str, given: impl Display, need: impl Display) -> Checked {
    if holds {
        return Ok(());
    }
    Err(ConfigError::Range {
        key,
        given: given.to_string(),
        need: need.to_string(),
    })
}

fn at_least_one(key: &'static str, value: usize) -> Checked {
    ensure(value >= 1, key, value, "at least 1")
}

fn positive(key: &'static str, value: f64) -> Checked {
    let holds = value.is_finite() && value > 0.0;
    ensure(holds, key, value, "a finite number above 0")
}

fn not_negative(key: &'static str, value: f64) -> Checked {
    let holds = value.is_finite() && value >= 0.0;
    ensure(holds, key, value, "a finite number, 0 or more")
}

fn fraction(key: &'static str, value: f64) -> Checked {
    ensure((0.0..=1.0).contains(&value), key, value, "from 0 to 1")
}

fn below_one(key: &'static str, value: f64) -> Checked {
    let holds = (0.0..1.0).contains(&value);
    ensure(holds, key, value, "from 0 to below 1")
}

pub(super) fn validate(config: &Config) -> Checked {
    model(config)?;
    lora(config)?;
    warmup(config)?;
    sampling(config)?;
    rl(config)?;
    filter(config)?;
    advantage(config)?;
    kl_and_critic(config)?;
    prm(config)?;
    data(config)?;
    code(config)?;
    eval_and_run(config)
}

fn model(config: &Config) -> Checked {
    let m = &config.model;
    at_least_one("model.hidden_size", m.hidden_size)?;
    at_least_one("model.num_hidden_layers", m.num_hidden_layers)?;
    at_least_one("model.num_attention_heads", m.num_attention_heads)?;
    at_least_one("model.num_key_value_heads", m.num_key_value_heads)?;
    at_least_one("model.intermediate_size", m.intermediate_size)?;
    positive("model.rope_theta", m.rope_theta)?;
    positive("model.rms_norm_eps", m.rms_norm_eps)?;
    positive("model.initializer_range", m.initializer_range)?;
    let pair = 2 * m.num_attention_heads;
    ensure(
        m.hidden_size.is_multiple_of(pair),
        "model.hidden_size",
        m.hidden_size,
        format_args!(
            "a multiple of {pair} (2 × model.num_attention_heads: the rotary embedding turns pairs)"
        ),
    )?;
    ensure(
        m.num_attention_heads.is_multiple_of(m.num_key_value_heads),
        "model.num_key_value_heads",
        m.num_key_value_heads,
        format_args!(
            "a divisor of model.num_attention_heads ({})",
            m.num_attention_heads
        ),
    )
}

fn lora(config: &Config) -> Checked {
    let l = &config.lora;
    positive("lora.alpha", l.alpha)?;
    ensure(
        l.target_modules != TargetModules::Names(vec![]),
        "lora.target_modules",
        "[]",
        "\"all-linear\" or at least one layer name",
    )?;
    ensure(
        l.dropout == 0.0,
        "lora.dropout",
        l.dropout,
        "0: the sampler and the trainer have to be one model",
    )
}

fn warmup(config: &Config) -> Checked {
    let w = &config.warmup;
    at_least_one("warmup.batch_size", w.batch_size)?;
    at_least_one("warmup.micro_batch_size", w.micro_batch_size)?;
    positive("warmup.lr", w.lr)?;
    below_one("warmup.beta1", w.beta1)?;
    below_one("warmup.beta2", w.beta2)?;
    not_negative("warmup.weight_decay", w.weight_decay)?;
    positive("warmup.grad_clip", w.grad_clip)?;
    ensure(
        w.steps == 0 || w.lr_warmup_steps < w.steps,
        "warmup.lr_warmup_steps",
        w.lr_warmup_steps,
        format_args!("less than warmup.steps ({})", w.steps),
    )
}

fn sampling(config: &Config) -> Checked {
    let s = &config.sampling;
    positive("sampling.temperature", s.temperature)?;
    let holds = s.top_p > 0.0 && s.top_p <= 1.0;
    ensure(holds, "sampling.top_p", s.top_p, "above 0, up to 1")?;
    fraction("sampling.min_p", s.min_p)?;
    at_least_one("sampling.max_new_tokens", s.max_new_tokens)
}

fn rl(config: &Config) -> Checked {
    let r = &config.rl;
    at_least_one("rl.prompts_per_step", r.prompts_per_step)?;
    at_least_one("rl.group_size", r.group_size)?;
    ensure(
        r.oversample_factor.is_finite() && r.oversample_factor >= 1.0,
        "rl.oversample_factor",
        r.oversample_factor,
        "a finite number, 1 or more",
    )?;
    at_least_one("rl.epochs_per_step", r.epochs_per_step)?;
    at_least_one("rl.micro_batch_size", r.micro_batch_size)?;
    positive("rl.lr", r.lr)?;
    below_one("rl.beta1", r.beta1)?;
    below_one("rl.beta2", r.beta2)?;
    not_negative("rl.weight_decay", r.weight_decay)?;
    positive("rl.grad_clip", r.grad_clip)?;
    objective(config)?;
    not_negative("rl.entropy_coef", r.entropy_coef)
}

fn objective(config: &Config) -> Checked {
    let r = &config.rl;
    let name = r.objective.as_str();
    for parameter in &PARAMETERS {
        let (value, default) = ((parameter.value)(r), (parameter.value)(&Rl::default()));
        ensure(
            parameter.readers.contains(&r.objective) || value == default,
            parameter.key,
            value,
            format_args!("{default}: rl.objective = \"{name}\" does not read it"),
        )?;
    }
    ensure(
        r.objective != Objective::PpoClip
            || r.clip_ratio_c == 0.0
            || (r.clip_ratio_c.is_finite() && r.clip_ratio_c > 1.0),
        "rl.clip_ratio_c",
        r.clip_ratio_c,
        "0 (off) or above 1",
    )?;
    match config.objective().validate() {
        Ok(()) => {}
        Err(PolicyError::Objective {
            field,
            value,
            accepted,
            ..
        }) => {
            let key = Parameter::named(field).map_or("rl.objective", |parameter| parameter.key);
            return ensure(false, key, value, accepted);
        }
        Err(other) => return ensure(false, "rl.objective", name, other),
    }
    if let Some(loss_agg) = r.objective.loss_agg() {
        ensure(
            r.loss_agg == loss_agg,
            "rl.loss_agg",
            r.loss_agg.as_str(),
            format_args!(
                "{}: rl.objective = \"{name}\" is defined with it",
                loss_agg.as_str()
            ),
        )?;
    }
    not_negative("rl.loss_scale_factor", r.loss_scale_factor)?;
    ensure(
        r.loss_scale_factor == 0.0 || r.loss_agg == LossAgg::SeqMeanTokenSumNorm,
        "rl.loss_scale_factor",
        r.loss_scale_factor,
        "0 unless rl.loss_agg = \"seq_mean_token_sum_norm\"",
    )?;
    positive("rl.rollout_is_threshold", r.rollout_is_threshold)?;
    let level = match r.rollout_is {
        RolloutIs::Off => return Ok(()),
        RolloutIs::Token => "token",
        RolloutIs::Sequence => "sequence",
    };
    ensure(
        matches!(r.objective, Objective::Reinforce | Objective::Gpg),
        "rl.rollout_is",
        level,
        "off unless rl.objective is reinforce or gpg: the others compare with the policy that acted themselves",
    )
}

fn filter(config: &Config) -> Checked {
    let f = &config.filter;
    fraction("filter.accuracy_lower_bound", f.accuracy_lower_bound)?;
    fraction("filter.accuracy_upper_bound", f.accuracy_upper_bound)?;
    ensure(
        f.accuracy_lower_bound <= f.accuracy_upper_bound,
        "filter.accuracy_lower_bound",
        f.accuracy_lower_bound,
        format_args!(
            "at most filter.accuracy_upper_bound ({})",
            f.accuracy_upper_bound
        ),
    )
}

fn advantage(config: &Config) -> Checked {
    let a = &config.advantage;
    fraction("advantage.gamma", a.gamma)?;
    fraction("advantage.lam", a.lam)?;
    fraction("advantage.process_gamma", a.process_gamma)?;
    not_negative("advantage.outcome_coef", a.outcome_coef)?;
    not_negative("advantage.process_coef", a.process_coef)?;
    let reinforce = a.estimator == Estimator::Reinforce;
    let word = match a.baseline {
        Baseline::None => "none",
        Baseline::BatchMean => "batch_mean",
        Baseline::GroupMean => "group_mean",
    };
    ensure(
        reinforce || a.baseline == Baseline::None,
        "advantage.baseline",
        word,
        "none unless advantage.estimator = \"reinforce\"",
    )?;
    let grouped = a.estimator.compares_group()
        || a.baseline == Baseline::GroupMean
        || (config.prm.enabled && a.process_estimator.compares_group());
    ensure(
        !grouped || config.rl.group_size >= 2,
        "rl.group_size",
        config.rl.group_size,
        "at least 2: the chosen estimators compare a response with the others of its group",
    )
}

fn kl_and_critic(config: &Config) -> Checked {
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
    positive("critic.value_clip", c.value_clip)?;
    positive("critic.vf_coef", c.vf_coef)
}

fn prm(config: &Config) -> Checked {
    let p = &config.prm;
    positive("prm.beta", p.beta)?;
    positive("prm.lr", p.lr)?;
    below_one("prm.beta1", p.beta1)?;
    below_one("prm.beta2", p.beta2)?;
    not_negative("prm.weight_decay", p.weight_decay)?;
    positive("prm.grad_clip", p.grad_clip)?;
    at_least_one("prm.micro_batch_size", p.micro_batch_size)?;
    at_least_one("prm.passes", p.passes)?;
    at_least_one("prm.replay_mini_batches", p.replay_mini_batches)?;
    at_least_one("prm.replay_batch_size", p.replay_batch_size)?;
    not_negative("prm.positive_clip", p.positive_clip)?;
    ensure(
        p.replay_steps == 0 || p.update != PrmUpdate::None,
        "prm.replay_steps",
        p.replay_steps,
        "0 with prm.update = \"none\": a model that is not updated replays nothing",
    )?;
    ensure(
        p.replay_steps == 0 || p.reference == PrmReference::Frozen,
        "prm.replay_steps",
        p.replay_steps,
        "0 unless prm.reference = \"frozen\": replayed rollouts come from several policies",
    )?;
    ensure(
        !p.oracle || p.enabled,
        "prm.oracle",
        p.oracle,
        "false unless prm.enabled = true",
    )?;
    ensure(
        !p.oracle || config.data.task != DataTask::Jsonl,
        "prm.oracle",
        p.oracle,
        "false with data.task = \"jsonl\": only built-in tasks know which answers are right",
    )?;
    let all_actions = p.process_credit == ProcessCredit::AllActions;
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

fn data(config: &Config) -> Checked {
    let d = &config.data;
    at_least_one("data.max_prompt_tokens", d.max_prompt_tokens)?;
    ensure(
        !d.chat_template.is_empty(),
        "data.chat_template",
        "\"\"",
        "\"auto\", \"none\" or the path of a Jinja template",
    )?;
    let Some(task) = d.task.builtin() else {
        ensure(
            !d.train_file.is_empty(),
            "data.train_file",
            "\"\"",
            "a file with data.task = \"jsonl\"",
        )?;
        ensure(
            !config.model.path.is_empty(),
            "model.path",
            "\"\"",
            "a model folder with data.task = \"jsonl\": rows need its tokenizer",
        )?;
        let given = d.pass_mark.map(|mark| mark.to_string()).unwrap_or_default();
        let need = "\"\" with data.task = \"jsonl\": the verifier judges whole responses";
        return ensure(d.pass_mark.is_none(), "data.pass_mark", given, need);
    };
    let name = task.name().as_str();
    ensure(
        d.max_prompt_tokens >= task.prompt_tokens(),
        "data.max_prompt_tokens",
        d.max_prompt_tokens,
        format_args!(
            "at least {}: prompts of `{name}` are that long",
            task.prompt_tokens()
        ),
    )?;
    ensure(
        config.sampling.max_new_tokens >= task.response_tokens(),
        "sampling.max_new_tokens",
        config.sampling.max_new_tokens,
        format_args!(
            "at least {}: responses of `{name}` are that long",
            task.response_tokens()
        ),
    )?;
    match d.pass_mark {
        Some(PassMark::AtLeast(mark)) => ensure(
            (1..=task.answers()).contains(&mark),
            "data.pass_mark",
            mark,
            format_args!("from 1 to {}, the answers of `{name}`", task.answers()),
        ),
        _ => Ok(()),
    }
}

fn code(config: &Config) -> Checked {
    let c = &config.code;
    ensure(
        c.time_limit > 0.0 && c.time_limit <= MOST_SECONDS,
        "code.time_limit",
        c.time_limit,
        format_args!("above 0, up to {MOST_SECONDS} seconds"),
    )?;
    ensure(
        MEMORY_MIB.contains(&c.memory_limit_mib),
        "code.memory_limit_mib",
        c.memory_limit_mib,
        format_args!("from {} to {}", MEMORY_MIB.start(), MEMORY_MIB.end()),
    )
}

fn eval_and_run(config: &Config) -> Checked {
    let e = &config.eval;
    at_least_one("eval.problems", e.problems)?;
    at_least_one("eval.every_problems", e.every_problems)?;
    at_least_one("eval.k", e.k)?;
    not_negative("eval.temperature", e.temperature)?;
    ensure(
        !config.run.out_dir.is_empty(),
        "run.out_dir",
        "\"\"",
        "a folder",
    )?;
    at_least_one("run.keep_last", config.run.keep_last)
}
