//! `[watch]`.

use super::{Checked, at_least_one, ensure};
use crate::config::{Config, nearest};
use crate::watch::names;

pub(super) fn watch(config: &Config) -> Checked {
    at_least_one("watch.patience", config.watch.patience)?;
    for name in &config.watch.stop {
        let meant = nearest(&name.to_lowercase(), names());
        let hint = meant.map_or(String::new(), |meant| format!(" (did you mean `{meant}`?)"));
        let known: Vec<&str> = names().collect();
        ensure(
            known.contains(&name.as_str()),
            "watch.stop",
            format_args!("{name:?}"),
            format_args!("names of rules, of {}{hint}", known.join(", ")),
        )?;
    }
    Ok(())
}
