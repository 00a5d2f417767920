//! `[sampling]`, `[rl]` and `[filter]`.

use prime_policy::PolicyError;
use prime_policy::objective::PolicyObjective;

use super::{Checked, at_least_one, below_one, ensure, fraction, not_negative, positive};
use crate::config::{Config, LossAgg, Objective, docs};

/// Each is looked for after every token.
const MOST_STOP_STRINGS: usize = 32;
/// A step that samples more often than this is no step.
const MOST_ROUNDS: usize = 1000;

pub(super) fn sampling(config: &Config) -> Checked {
    let s = &config.sampling;
    positive("sampling.temperature", s.temperature)?;
    let holds = s.top_p > 0.0 && s.top_p <= 1.0;
    ensure(holds, "sampling.top_p", s.top_p, "above 0, up to 1")?;
    fraction("sampling.min_p", s.min_p)?;
    ensure(
        !s.stop_strings.iter().any(String::is_empty) && s.stop_strings.len() <= MOST_STOP_STRINGS,
        "sampling.stop_strings",
        format_args!("{:?}", s.stop_strings),
        format_args!("a list of up to {MOST_STOP_STRINGS} texts, none of them empty"),
    )?;
    at_least_one("sampling.max_new_tokens", s.max_new_tokens)
}

pub(super) fn rl(config: &Config) -> Checked {
    let r = &config.rl;
    at_least_one("rl.prompts_per_step", r.prompts_per_step)?;
    at_least_one("rl.group_size", r.group_size)?;
    ensure(
        r.oversample_factor.is_finite() && r.oversample_factor >= 1.0,
        "rl.oversample_factor",
        r.oversample_factor,
        "a finite number, 1 or more",
    )?;
    ensure(
        (1..=MOST_ROUNDS).contains(&r.oversample_rounds),
        "rl.oversample_rounds",
        r.oversample_rounds,
        format_args!("from 1 to {MOST_ROUNDS}"),
    )?;
    at_least_one("rl.epochs_per_step", r.epochs_per_step)?;
    at_least_one("rl.micro_batch_size", r.micro_batch_size)?;
    positive("rl.lr", r.lr)?;
    fraction("rl.lr_min_ratio", r.lr_min_ratio)?;
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
    let dual_clip = r.ppo_clip.clip_ratio_c;
    ensure(
        r.objective != Objective::PpoClip
            || dual_clip == 0.0
            || (dual_clip.is_finite() && dual_clip > 1.0),
        "rl.ppo_clip.clip_ratio_c",
        dual_clip,
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
            let key = docs::key(&format!("rl.{name}.{field}"));
            let key = key.map_or("rl.objective", |known| &known.key);
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
    positive("rl.gpg.rollout_is_threshold", r.gpg.rollout_is_threshold)?;
    positive(
        "rl.reinforce.rollout_is_threshold",
        r.reinforce.rollout_is_threshold,
    )
}

pub(super) fn filter(config: &Config) -> Checked {
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
