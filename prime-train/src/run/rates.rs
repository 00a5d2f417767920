//! What a step cost, as rates, and what was done between steps.

use crate::error::TrainError;
use crate::metrics::StepMetrics;

/// Response tokens a second, of the whole step and of the sampling alone, from the step's own numbers. A step that sampled
/// nothing, or in no time, has none.
pub(super) fn record(record: &mut StepMetrics) -> Result<(), TrainError> {
    let (Some(rollouts), Some(length)) =
        (record.get("rollouts"), record.get("response_length/mean"))
    else {
        return Ok(());
    };
    for (rate, seconds) in [
        ("perf/tokens_per_s", "timing_s/step"),
        ("perf/rollout_tokens_per_s", "timing_s/rollout"),
    ] {
        if let Some(seconds) = record.get(seconds).filter(|seconds| *seconds > 0.0) {
            record.set(rate, rollouts * length / seconds)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_counted_by_the_second() {
        let mut step = StepMetrics::new(1);
        record(&mut step).unwrap();
        assert_eq!(step.iter().count(), 0);
        step.set_count("rollouts", 32);
        step.set("response_length/mean", 10.0).unwrap();
        step.set("timing_s/step", 4.0).unwrap();
        step.set("timing_s/rollout", 0.0).unwrap();
        record(&mut step).unwrap();
        assert_eq!(step.get("perf/tokens_per_s"), Some(80.0));
        assert_eq!(step.get("perf/rollout_tokens_per_s"), None);
    }
}
