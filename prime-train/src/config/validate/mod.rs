//! Ranges, and keys that have to agree with each other. Types are right by the time this runs.

mod bounds;
mod credit;
mod data;
mod model;
mod reward;
mod rl;
mod run;
mod warmup;
mod watch;

use std::fmt::Display;

use prime_policy::DEVICE_NAMES;

use super::presets::nearest;
use super::{Config, Purpose};
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

fn device(config: &Config) -> Checked {
    let given = config.device.as_str();
    let backend = given.split(':').next().unwrap_or_default();
    let meant = nearest(&backend.to_lowercase(), DEVICE_NAMES.into_iter());
    let hint = meant.map_or(String::new(), |meant| format!(" (did you mean `{meant}`?)"));
    ensure(
        DEVICE_NAMES.contains(&backend),
        "device",
        format_args!("{given:?}"),
        format_args!(
            "one of the known devices: {}{hint}",
            DEVICE_NAMES.join(", ")
        ),
    )
}

pub(super) fn validate(config: &Config, purpose: Purpose) -> Checked {
    device(config)?;
    model::model(config)?;
    model::lora(config)?;
    warmup::warmup(config)?;
    rl::sampling(config)?;
    rl::rl(config)?;
    rl::filter(config)?;
    credit::advantage(config)?;
    credit::kl_and_critic(config)?;
    credit::prm(config)?;
    data::data(config, purpose)?;
    reward::reward(config)?;
    run::code(config)?;
    watch::watch(config)?;
    run::eval_and_run(config)?;
    bounds::bounds(config)
}
