//! Verdicts as shares.

use std::collections::BTreeMap;

use prime_verifier::Verdict;

use super::Evaluation;
use super::pass_at_k::{ladder, pass_at_k};
use super::vote::winner;
use crate::error::TrainError;

/// Verdicts counted so far.
#[derive(Default)]
pub(super) struct Tally {
    /// The mean score of each problem that was judged.
    means: Vec<f64>,
    /// Of each the responses judged, and the fully right ones.
    right_of: Vec<(usize, usize)>,
    passed: usize,
    /// Problems that are voted on, and those whose winner is right.
    voted: usize,
    majority: usize,
    responses: usize,
    truncated: usize,
    right: usize,
    answers: usize,
    unjudged: usize,
    first_reason: Option<String>,
    sources: BTreeMap<String, (f64, usize)>,
}

/// What is counted of a response.
pub(super) struct Counted<'a> {
    pub(super) verdict: &'a Verdict,
    /// Whether the length limit cut it off.
    pub(super) truncated: bool,
}

impl Tally {
    /// The responses to one problem with their votes, if it is voted on, and with what metrics call its source.
    pub(super) fn add(
        &mut self,
        responses: &[Counted<'_>],
        votes: Option<&[Option<usize>]>,
        source: Option<&str>,
    ) {
        let (mut total, mut judged, mut all_right) = (0.0, 0usize, 0usize);
        self.responses += responses.len();
        self.truncated += responses.iter().filter(|r| r.truncated).count();
        for Counted { verdict, .. } in responses {
            match verdict {
                Verdict::CouldNotJudge { reason } => {
                    self.unjudged += 1;
                    self.first_reason.get_or_insert_with(|| reason.clone());
                }
                Verdict::Judged(judgement) => {
                    judged += 1;
                    total += f64::from(judgement.score.get());
                    all_right += usize::from(verdict.is_correct() == Some(true));
                    for &right in judgement.steps.iter().flatten() {
                        self.answers += 1;
                        self.right += usize::from(right);
                    }
                }
            }
        }
        if judged == 0 {
            return;
        }
        let mean = total / judged as f64;
        self.means.push(mean);
        self.right_of.push((judged, all_right));
        self.passed += usize::from(all_right > 0);
        if let Some(votes) = votes {
            let won = winner(votes).and_then(|at| responses.get(at));
            let right = won.is_some_and(|won| won.verdict.is_correct() == Some(true));
            self.voted += 1;
            self.majority += usize::from(right);
        }
        if let Some(source) = source {
            let (sum, n) = self.sources.entry(source.to_owned()).or_default();
            *sum += mean;
            *n += 1;
        }
    }

    /// The shares.
    ///
    /// # Errors
    /// [`TrainError::NothingJudged`].
    pub(super) fn finish(self, k: usize) -> Result<Evaluation, TrainError> {
        let n = self.means.len();
        if n == 0 {
            return Err(TrainError::NothingJudged {
                responses: self.unjudged,
                reason: self
                    .first_reason
                    .unwrap_or_else(|| "there were no problems".to_owned()),
            });
        }
        let share = |count: usize| count as f64 / n as f64;
        let of_all = |count: usize| count as f64 / self.responses.max(1) as f64;
        let average = self.means.iter().sum::<f64>() / n as f64;
        let estimates = ladder(k).into_iter().filter_map(|k| {
            let of = self.right_of.iter();
            let known: Vec<f64> = of
                .filter_map(|&(n, right)| pass_at_k(n, right, k))
                .collect();
            (!known.is_empty()).then(|| (k, known.iter().sum::<f64>() / known.len() as f64))
        });
        let pass_at = estimates.collect();
        let sources = self.sources.into_iter();
        Ok(Evaluation {
            n,
            k,
            avg_at_k: average,
            stderr: standard_error(&self.means, average),
            pass_at_k: share(self.passed),
            pass_at,
            maj_at_k: (self.voted > 0).then(|| self.majority as f64 / self.voted as f64),
            without_votes: n - self.voted,
            answers: (self.answers > 0).then(|| self.right as f64 / self.answers as f64),
            could_not_judge: self.unjudged,
            unjudged: of_all(self.unjudged),
            truncated: of_all(self.truncated),
            sources: sources
                .map(|(name, (sum, n))| (name, sum / n as f64))
                .collect(),
            sets: BTreeMap::new(),
            not_judged: BTreeMap::new(),
        })
    }
}

/// Of the mean over problems: responses to one problem are no independent draws.
fn standard_error(means: &[f64], average: f64) -> Option<f64> {
    if means.len() < 2 {
        return None;
    }
    let n = means.len() as f64;
    let squares = means.iter().map(|mean| (mean - average).powi(2));
    Some((squares.sum::<f64>() / (n - 1.0) / n).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn right() -> Verdict {
        Verdict::compared(true)
    }

    fn wrong() -> Verdict {
        Verdict::compared(false)
    }

    fn counted(verdicts: &[Verdict]) -> Vec<Counted<'_>> {
        let counted = |verdict| Counted {
            verdict,
            truncated: false,
        };
        verdicts.iter().map(counted).collect()
    }

    #[test]
    fn averages_majorities_and_what_could_not_be_judged() {
        let mut tally = Tally::default();
        let four = [wrong(), right(), right(), wrong()];
        let votes = [Some(0), Some(1), Some(1), Some(3)];
        tally.add(&counted(&four), Some(&votes), Some("s"));
        let two = [wrong(), right()];
        tally.add(&counted(&two), Some(&[Some(0), Some(1)]), Some("t"));
        let none = [Verdict::could_not_judge("no ground truth")];
        tally.add(&counted(&none), Some(&[None]), Some("u"));
        let result = tally.finish(4).unwrap();
        assert_eq!((result.n, result.could_not_judge), (2, 1));
        assert_eq!(result.unjudged, 1.0 / 7.0);
        assert_eq!(result.avg_at_k, 0.5);
        assert_eq!(result.pass_at_k, 1.0);
        let majority = Some(0.5);
        assert_eq!(result.maj_at_k, majority, "a tie goes to the first sampled");
        assert_eq!(result.without_votes, 0);
        assert_eq!(result.stderr, Some(0.0), "both problems have a mean of ½");
        // The second problem has two responses: it says nothing of four.
        let two = (5.0 / 6.0 + 1.0) / 2.0;
        assert!((result.pass_at[&2] - two).abs() < 1e-12);
        assert_eq!((result.pass_at[&1], result.pass_at[&4]), (0.5, 1.0));
        let sources: Vec<_> = result.sources.into_iter().collect();
        assert_eq!(sources, [("s".into(), 0.5), ("t".into(), 0.5)]);
        assert!(Tally::default().finish(1).is_err());
    }

    #[test]
    fn the_standard_error_is_that_of_a_mean_over_problems() {
        let mut tally = Tally::default();
        for at in 0..10 {
            let verdict = if at < 3 { right() } else { wrong() };
            tally.add(&counted(&[verdict.clone(), verdict]), None, None);
        }
        // Twenty responses, but ten draws: √(0.3 · 0.7 / 9).
        let found = tally.finish(2).unwrap();
        assert_eq!((found.maj_at_k, found.without_votes), (None, 10));
        let found = found.stderr.unwrap();
        assert!((found - (0.21f64 / 9.0).sqrt()).abs() < 1e-12, "{found}");
    }
}
