//! `[model]` and `[lora]`.

use prime_policy::TargetModules;

use super::{Checked, at_least_one, ensure, positive};
use crate::config::Config;

pub(super) fn model(config: &Config) -> Checked {
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

pub(super) fn lora(config: &Config) -> Checked {
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
