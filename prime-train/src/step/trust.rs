//! Whether the implicit PRM has earned that the policy listens to it.
//!
//! An untrained reward model rewards noise, and one that is wrong leads the policy astray. What it is worth is known at every
//! step: how it ranks fresh responses to a prompt, before it has learned from them, against the verifier's outcomes.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Steps that count.
const WINDOW: usize = 20;
/// Prompts with right and wrong responses that it takes at least.
const GROUPS: usize = 8;

/// The PRM's rankings of the last steps, and whether they are better than chance.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Trust {
    /// Of each step, the accuracy in each group that had something to rank.
    steps: VecDeque<Vec<f32>>,
    earned: bool,
}

/// What a window of rankings says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ranking {
    /// Groups in the window.
    pub groups: usize,
    /// Their mean accuracy, ½ being chance.
    pub mean: f64,
    /// Its standard error.
    pub stderr: f64,
}

impl Trust {
    /// Whether process rewards count.
    pub fn is_earned(&self) -> bool {
        self.earned
    }

    /// Takes in a step. Trust comes once the mean is above chance by its standard error, over at least [`GROUPS`] groups, and
    /// stays until the mean is at chance or there is nothing left in the window to judge it by.
    pub(super) fn see(&mut self, accuracies: Vec<f32>) {
        if self.steps.len() == WINDOW {
            self.steps.pop_front();
        }
        self.steps.push_back(accuracies);
        self.earned = match self.ranking() {
            None => false,
            Some(found) if self.earned => found.mean > 0.5,
            Some(found) => found.groups >= GROUPS && found.mean - 0.5 > found.stderr,
        };
    }

    pub(super) fn ranking(&self) -> Option<Ranking> {
        let all = || self.steps.iter().flatten().map(|&a| f64::from(a));
        let groups = all().count();
        if groups == 0 {
            return None;
        }
        let n = groups as f64;
        let mean = all().sum::<f64>() / n;
        let variance = all().map(|a| (a - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
        Some(Ranking {
            groups,
            mean,
            stderr: (variance / n).sqrt(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(steps: &[&[f32]]) -> Trust {
        let mut trust = Trust::default();
        for step in steps {
            trust.see(step.to_vec());
        }
        trust
    }

    #[test]
    fn trust_takes_a_ranking_better_than_chance_by_more_than_its_error() {
        assert!(!after(&[]).is_earned());
        assert!(!after(&[&[1.0; 7]]).is_earned(), "too few groups");
        assert!(after(&[&[1.0; 4], &[1.0; 4]]).is_earned());
        // Mean 0.6 of ten groups that are right or wrong: an error of 0.16.
        let coin = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0];
        assert!(!after(&[&coin]).is_earned());
        assert!(after(&[&coin, &coin, &coin]).is_earned());
        assert!(!after(&[&[0.5; 40]]).is_earned(), "chance is not enough");
    }

    #[test]
    fn trust_is_lost_at_chance_and_where_nothing_is_left_to_rank() {
        let mut trust = after(&[&[1.0; 8]]);
        trust.see(vec![]);
        assert!(trust.is_earned(), "one step without a word is no evidence");
        let mut wrong = trust.clone();
        wrong.see(vec![0.0; 8]);
        assert!(!wrong.is_earned());
        for _ in 0..WINDOW {
            trust.see(vec![]);
        }
        assert!(!trust.is_earned());
        assert_eq!(trust.ranking(), None);
    }

    #[test]
    fn a_file_keeps_it() {
        let trust = after(&[&[0.1, 0.7, 1.0 / 3.0], &[], &[1.0; 9]]);
        let text = serde_json::to_string(&trust).unwrap();
        assert_eq!(serde_json::from_str::<Trust>(&text).unwrap(), trust);
    }
}
