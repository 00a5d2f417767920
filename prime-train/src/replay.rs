//! A step once more, with everything that it says: a step is a function of configuration, seed and state.

use std::path::Path;

use prime_policy::device_by_name;

use crate::checkpoint::{Checkpoints, ResumeFrom, Resumed};
use crate::config::{Config, Layer, resolve};
use crate::data::problems::Problems;
use crate::error::TrainError;
use crate::files::write_atomically;
use crate::metrics::{StepMetrics, read_metrics};
use crate::report::write_transcripts;
use crate::run::Provenance;
use crate::step::{Environment, step};
use crate::{stdout, view};

/// The folder in a run that replayed steps go to.
const FOLDER: &str = "replay";

/// Beginnings of names that say how long something took.
const TIMES: [&str; 2] = ["timing_s/", "perf/"];

/// Takes step `number` of the run in `folder` again, from the checkpoint before it that is nearest, and says whether it is the
/// step that was recorded. The run is as it was; what the step says is in `replay/`: its metrics, and every response with
/// tokens, log-probs, rewards and advantages.
///
/// # Errors
/// Those of resuming; [`TrainError::Usage`] for a step that no checkpoint comes before, or that was not taken.
pub fn replay(folder: &Path, number: u64, accept_changed: bool) -> Result<(), TrainError> {
    let config: Config = resolve(&Layer::of_run(folder)?)?;
    let checkpoints = Checkpoints::new(folder, config.run.keep_last);
    if number == 0 {
        let message = "step 0 is the state before the first step: there is nothing to take again";
        return Err(TrainError::Usage(message.to_owned()));
    }
    if let Some(provenance) = Provenance::read(folder)?.filter(|_| !accept_changed) {
        provenance.check_data(&config)?;
    }
    let device = device_by_name(&config.device)?.autodiff();
    let from = ResumeFrom {
        step: Some(checkpoints.last_before(number)?),
        accept_changed,
    };
    let Resumed {
        mut learner,
        about,
        step: begin,
        ..
    } = checkpoints.resume(&config, &device, from)?;
    let problems = Problems::open(&config, &about.tokenizer)?;
    let (estimator, outcome_estimator) = (config.estimator(true), config.estimator(false));
    let objective = config.objective();
    let env = Environment {
        config: &config,
        problems: &problems,
        tokenizer: &about.tokenizer,
        estimator: &estimator,
        outcome_estimator: &outcome_estimator,
        objective: &objective,
    };
    view::say(&format!(
        "replay: from step {begin}, {} steps",
        number - begin
    ));
    let mut done = None;
    while learner.step < number {
        done = Some(step(&mut learner, &env)?);
        view::say(&format!("replay: step {} of {number}", learner.step));
    }
    let Some(report) = done else {
        return Ok(());
    };
    let place = folder.join(FOLDER);
    write_transcripts(&place, number, &report.transcripts)?;
    let encode = |error: serde_json::Error| TrainError::Encode {
        what: "a step's metrics",
        reason: error.to_string(),
    };
    let text = serde_json::to_string_pretty(&report.metrics).map_err(encode)?;
    // As the recorded ones went: reading may round the last bit of a number.
    let again: StepMetrics = serde_json::from_str(&text).map_err(encode)?;
    let metrics = place.join(format!("step-{number:06}.json"));
    write_atomically(&metrics, (text + "\n").as_bytes())?;
    for (name, value) in report.metrics.iter() {
        stdout::line(format_args!("{name:<44} {}", value.as_f64()))?;
    }
    let recorded = read_metrics(&folder.join("metrics.jsonl"))?;
    let recorded = recorded.iter().find(|record| record.step() == number);
    stdout::line(match recorded {
        None => format!("metrics.jsonl has no record of step {number} to compare with"),
        Some(recorded) => compared(&again, recorded),
    })?;
    stdout::line(format_args!(
        "{} responses with everything: {}",
        report.transcripts.len(),
        place.display()
    ))
}

/// Whether two records of a step are the same but for times, in words.
fn compared(again: &StepMetrics, recorded: &StepMetrics) -> String {
    let counts = |name: &str| !TIMES.iter().any(|times| name.starts_with(times));
    let mut differ = vec![];
    let mut same = 0;
    for (name, value) in again.iter().filter(|(name, _)| counts(name)) {
        let (now, then) = (value.as_f64(), recorded.get(name));
        match then {
            Some(then) if then == now => same += 1,
            Some(then) => differ.push(format!("{name}: {now}, recorded {then}")),
            None => differ.push(format!("{name}: {now}, not recorded")),
        }
    }
    match differ[..] {
        [] => format!("the step that was recorded: {same} of {same} numbers are equal"),
        _ => format!(
            "NOT the step that was recorded (another version, device or file?): {} of {} numbers differ\n  {}",
            differ.len(),
            differ.len() + same,
            differ.join("\n  ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_compared_but_for_times() {
        let record = |values: &[(&str, f64)]| {
            let mut record = StepMetrics::new(3);
            for (name, value) in values {
                record.set(name, *value).unwrap();
            }
            record
        };
        let recorded = record(&[("acc", 0.5), ("timing_s/step", 1.0), ("eval/pass@1", 0.1)]);
        let same = compared(&record(&[("acc", 0.5), ("timing_s/step", 2.0)]), &recorded);
        assert!(same.contains("1 of 1 numbers are equal"), "{same}");
        let other = compared(&record(&[("acc", 0.25), ("actor/lr", 1.0)]), &recorded);
        assert!(other.contains("2 of 2 numbers differ"), "{other}");
        assert!(other.contains("acc: 0.25, recorded 0.5"), "{other}");
    }
}
