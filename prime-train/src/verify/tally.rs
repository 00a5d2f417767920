//! How many rows got which verdict.

use std::fmt;

use prime_verifier::code::TestVerdict;
use prime_verifier::math::MathVerdict;

use super::judge::COULD_NOT_JUDGE;

/// Verdicts counted. Its [`Display`](fmt::Display) is one line.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Tally {
    /// Verdicts by the names that files carry, with the number of rows that got each.
    pub verdicts: Vec<(&'static str, u64)>,
    /// Rows with a score.
    pub judged: u64,
    /// The sum of the scores.
    pub score_sum: f64,
    /// Broken rows that were left out.
    pub skipped: u64,
    /// How long it took.
    pub seconds: f64,
}

impl Default for Tally {
    fn default() -> Self {
        let maths = [
            MathVerdict::Equal.name(),
            MathVerdict::NotEqual.name(),
            MathVerdict::NoAnswer.name(),
            MathVerdict::Unparsed.name(),
            MathVerdict::Undecided.name(),
        ];
        let code = TestVerdict::ALL.map(TestVerdict::name);
        let names = maths.into_iter().chain(code).chain([COULD_NOT_JUDGE]);
        Self {
            verdicts: names.map(|name| (name, 0)).collect(),
            judged: 0,
            score_sum: 0.0,
            skipped: 0,
            seconds: 0.0,
        }
    }
}

impl Tally {
    pub(super) fn add(&mut self, verdict: &'static str, score: Option<f32>) {
        match self.verdicts.iter_mut().find(|(name, _)| *name == verdict) {
            Some((_, rows)) => *rows += 1,
            None => self.verdicts.push((verdict, 1)),
        }
        if let Some(score) = score {
            self.judged += 1;
            self.score_sum += f64::from(score);
        }
    }

    /// Rows with a verdict.
    pub fn rows(&self) -> u64 {
        self.verdicts.iter().map(|(_, rows)| rows).sum()
    }

    /// The mean over rows that have a score.
    pub fn mean_score(&self) -> Option<f64> {
        (self.judged > 0).then(|| self.score_sum / self.judged as f64)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows();
        let plural = |count: u64| if count == 1 { "row" } else { "rows" };
        write!(f, "{rows} {}", plural(rows))?;
        let given = self.verdicts.iter().filter(|(_, rows)| *rows > 0);
        for (index, (name, rows)) in given.enumerate() {
            let before = if index == 0 { ":" } else { "," };
            write!(f, "{before} {rows} {}", name.replace('_', " "))?;
        }
        match self.mean_score() {
            Some(mean) => write!(f, "; mean score {mean:.4} of {} judged", self.judged)?,
            None => f.write_str("; none judged")?,
        }
        if self.skipped > 0 {
            write!(
                f,
                "; {} broken {} left out",
                self.skipped,
                plural(self.skipped)
            )?;
        }
        let all = (rows + self.skipped) as f64;
        write!(f, "; {:.0} rows/s", all / self.seconds.max(1e-9))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_what_there_was() {
        let mut tally = Tally::default();
        for (verdict, score) in [
            ("not_equal", Some(0.0)),
            ("no_answer", Some(0.0)),
            ("equal", Some(1.0)),
            (COULD_NOT_JUDGE, None),
            ("time_limit_exceeded", Some(0.5)),
            ("accepted", Some(1.0)),
            ("equal", Some(1.0)),
        ] {
            tally.add(verdict, score);
        }
        tally.skipped = 1;
        tally.seconds = 0.5;
        assert_eq!(
            tally.to_string(),
            "7 rows: 2 equal, 1 not equal, 1 no answer, 1 accepted, 1 time limit exceeded, 1 could not judge; \
             mean score 0.5833 of 6 judged; 1 broken row left out; 16 rows/s"
        );
        let nothing = Tally {
            seconds: 1.0,
            ..Tally::default()
        };
        assert_eq!(nothing.to_string(), "0 rows; none judged; 0 rows/s");
    }
}
