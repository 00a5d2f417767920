//! Learning rates that change over a run.

use serde::{Deserialize, Serialize};

/// How a learning rate goes on after its warm-up steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LrSchedule {
    /// It stays.
    Constant,
    /// In a straight line, to its least where the run ends.
    Linear,
    /// By half a period of a cosine, to its least where the run ends.
    Cosine,
}

/// A learning rate as a function of the step alone, so that a resumed run has the rates of an unbroken one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// The peak.
    pub lr: f64,
    /// What follows the warm-up.
    pub shape: LrSchedule,
    /// Steps of linear rise.
    pub warmup_steps: usize,
    /// The least rate, as a share of the peak.
    pub min_ratio: f64,
    /// Steps of the run.
    pub steps: usize,
}

impl Schedule {
    /// The rate of a step; the first is 0. From step `steps` on it stays where it is.
    ///
    /// Warm-up step i of w has (i + 1)/w of the peak, and the step behind it the peak. The least rate is that of step
    /// `steps`, the first that the run does not take.
    pub fn at(&self, step: u64) -> f64 {
        let warmup = self.warmup_steps as u64;
        if step < warmup {
            return self.lr * ((step + 1) as f64 / warmup as f64);
        }
        if self.shape == LrSchedule::Constant {
            return self.lr;
        }
        let fall = (self.steps as u64).saturating_sub(warmup).max(1);
        let done = ((step - warmup) as f64 / fall as f64).min(1.0);
        let left = match self.shape {
            LrSchedule::Constant => 1.0,
            LrSchedule::Linear => 1.0 - done,
            LrSchedule::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * done).cos()),
        };
        self.lr * (self.min_ratio + (1.0 - self.min_ratio) * left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(shape: LrSchedule, warmup_steps: usize, min_ratio: f64) -> Schedule {
        Schedule {
            lr: 2e-4,
            shape,
            warmup_steps,
            min_ratio,
            steps: 10,
        }
    }

    #[test]
    fn a_constant_rate_is_the_same_number_in_every_step() {
        let constant = schedule(LrSchedule::Constant, 0, 0.0);
        assert!((0..30).all(|step| constant.at(step) == 2e-4));
    }

    #[test]
    fn the_rise_ends_at_the_peak() {
        for shape in [LrSchedule::Constant, LrSchedule::Linear, LrSchedule::Cosine] {
            let rates = schedule(shape, 4, 0.0);
            let rise: Vec<f64> = (0..4).map(|step| rates.at(step) / 2e-4).collect();
            assert_eq!(rise, [0.25, 0.5, 0.75, 1.0]);
            assert_eq!(rates.at(4), 2e-4);
        }
    }

    #[test]
    fn the_least_rate_comes_with_the_end() {
        for shape in [LrSchedule::Linear, LrSchedule::Cosine] {
            let rates = schedule(shape, 0, 0.1);
            for step in [10, 11, 500] {
                assert!((rates.at(step) - 2e-5).abs() < 1e-18, "{shape:?} {step}");
            }
            assert!((rates.at(5) - 1.1e-4).abs() < 1e-12, "{shape:?}: half way");
            assert!((0..10).all(|step| rates.at(step) > rates.at(step + 1)));
            assert_eq!(rates.at(0), 2e-4);
        }
        let early = |shape| schedule(shape, 0, 0.0).at(2);
        assert!(early(LrSchedule::Cosine) > early(LrSchedule::Linear));
    }

    #[test]
    fn a_run_of_one_step_has_the_peak() {
        for shape in [LrSchedule::Linear, LrSchedule::Cosine] {
            let mut rates = schedule(shape, 0, 0.0);
            rates.steps = 1;
            assert_eq!(rates.at(0), 2e-4);
            rates.steps = 0;
            assert!(rates.at(0).is_finite());
        }
    }
}
