//! Whether a run is healthy: the ranges that the README states, looked at after every step.
//!
//! A rule that is broken for as long as it takes is said once, with the reason and the way out, and again only after it had
//! gone away. Every record has it as `watch/<rule>`, 0 or 1, and the rules of `watch.stop` end the run.

mod rules;
mod seen;
mod spells;

#[cfg(test)]
mod tests;

use crate::config::Config;
use crate::error::TrainError;
use crate::metrics::StepMetrics;
use crate::unjudged::Unjudged;
use rules::{Lasting, RULES, Rule};
use seen::{History, Seen};

pub(crate) use rules::names;
pub(crate) use spells::spells;

/// The metric of a rule.
pub(crate) const STEM: &str = "watch/";

/// Looks after a run.
pub(crate) struct Watch {
    config: Config,
    history: History,
    /// Of each rule.
    states: Vec<State>,
    /// Whether it was said that something could not be judged.
    unjudged: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// Steps in a row that showed it.
    in_a_row: usize,
    broken: bool,
}

/// What there is to say about a step.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    /// Warnings that begin with this step.
    pub(crate) warnings: Vec<String>,
    /// The words for a rule of `watch.stop` that is broken from this step on.
    pub(crate) stop: Option<String>,
}

impl Watch {
    /// Of a new run.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            config: config.clone(),
            history: History::default(),
            states: vec![State::default(); RULES.len()],
            unjudged: false,
        }
    }

    /// Of a run that goes on: what was said is not said again.
    ///
    /// # Errors
    /// None but those of a metric that is no number.
    pub(crate) fn resume(config: &Config, records: &[StepMetrics]) -> Result<Self, TrainError> {
        let mut watch = Self::new(config);
        for record in records {
            watch.look(&mut record.clone(), None)?;
            watch.unjudged |= record
                .get("verifier/could_not_judge")
                .is_some_and(|n| n > 0.0);
        }
        Ok(watch)
    }

    /// Looks at a step that is over, and adds what it finds to its record.
    ///
    /// # Errors
    /// None but those of a metric that is no number.
    pub(crate) fn look(
        &mut self,
        record: &mut StepMetrics,
        unjudged: Option<&Unjudged>,
    ) -> Result<Looked, TrainError> {
        let mut looked = Looked::default();
        let step = record.step();
        if let Some(found) = unjudged
            && !std::mem::replace(&mut self.unjudged, true)
        {
            looked.warnings.push(found.warning(step));
        }
        if !self.config.watch.enabled {
            return Ok(looked);
        }
        self.history.add(record, &self.config);
        let mut found = vec![];
        for (rule, state) in RULES.iter().zip(&mut self.states) {
            let seen = Seen {
                record,
                config: &self.config,
                history: &self.history,
            };
            let shows = (rule.shows)(&seen);
            let needed = match rule.lasting {
                Lasting::Patience => self.config.watch.patience,
                Lasting::OneStep => 1,
            };
            match shows {
                Some(true) => state.in_a_row = state.in_a_row.saturating_add(1),
                Some(false) => *state = State::default(),
                None => {}
            }
            if state.in_a_row >= needed && !state.broken {
                state.broken = true;
                let text = words(rule, &seen, state.in_a_row);
                looked
                    .warnings
                    .push(format!("warning: step {step}: {text}"));
                let stops = self.config.watch.stop.iter().any(|name| name == rule.name);
                if stops && looked.stop.is_none() {
                    looked.stop = Some(text);
                }
            }
            if shows.is_some() || state.broken {
                found.push((rule.name, state.broken));
            }
        }
        for (name, broken) in found {
            record.set_count(&format!("{STEM}{name}"), usize::from(broken));
        }
        Ok(looked)
    }
}

/// What is seen, by which numbers and for how long, and the way out.
fn words(rule: &Rule, seen: &Seen<'_>, steps: usize) -> String {
    let figures = rule.figures.iter().filter_map(|name| {
        let value = seen.get(name)?;
        Some(format!("{name} {}", crate::report::significant(value)))
    });
    let mut why: Vec<String> = figures.collect();
    if rule.lasting == Lasting::Patience {
        why.insert(0, format!("{steps} steps in a row"));
    }
    format!(
        "{} ({}). What helps: {} [watch/{}]",
        rule.about,
        why.join(", "),
        rule.way_out,
        rule.name
    )
}
