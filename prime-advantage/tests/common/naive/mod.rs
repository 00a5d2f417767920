//! Every estimator once more, as slow and plain as its formula: padded matrices in
//! `f64`, a row per response in any order, groups by id.
#![allow(clippy::needless_range_loop)] // formulas have indices

mod scores;
mod tokens;

use prime_advantage::{Advantages, Place, Term};

use super::is_plain_zero;
use super::random::{Row, Rows};

pub type Matrix = Vec<Vec<f64>>;

/// What a reference function is given.
#[derive(Clone)]
pub struct Padded {
    pub group: Vec<usize>,
    pub mask: Vec<Vec<bool>>,
    pub outcome: Vec<f64>,
    /// Whether a row's outcome counts.
    pub counts: Vec<bool>,
    /// Per reward, one number per row.
    pub named: Vec<(String, Vec<f64>)>,
    pub process: Option<Matrix>,
    pub values: Matrix,
    pub log_probs: Matrix,
    pub sum_pi_squared: Matrix,
    pub importance: Matrix,
    /// Per row, the greedy response to its prompt: the outcome reward and the process
    /// rewards of its policy tokens.
    pub greedy: Vec<(f64, Vec<f64>)>,
}

/// Advantages and returns.
pub struct Estimate {
    pub advantages: Matrix,
    pub returns: Matrix,
}

impl Padded {
    pub fn of(rows: &Rows) -> Self {
        let width = rows.rows.iter().map(|row| row.response.tokens).max();
        let width = width.expect("rows");
        let pad = |numbers: &Option<Vec<f32>>| {
            let mut row: Vec<f64> = numbers.iter().flatten().map(|&x| f64::from(x)).collect();
            row.resize(width, 0.0);
            row
        };
        let all = || rows.rows.iter().map(|row| &row.response);
        let process = all().any(|r| r.process_rewards.is_some());
        let names = &rows.rows[0].response.named_rewards;
        let named = names.iter().enumerate().map(|(k, named)| {
            let own = all().map(|r| f64::from(r.named_rewards[k].value));
            (named.name.to_string(), own.collect())
        });
        let greedy = rows.rows.iter().map(|row| {
            let greedy = rows.greedy[row.group].borrow();
            let mask = greedy.mask();
            let tokens = greedy.process_rewards().unwrap_or_default().iter();
            let own = tokens
                .enumerate()
                .filter(|(t, _)| mask.is_none_or(|m| m[*t]));
            let own = own.map(|(_, &r)| f64::from(r)).collect();
            (f64::from(greedy.outcome_reward()), own)
        });
        let left_out = |row: &Row| rows.process_only.contains(&row.group);
        let counts = rows.rows.iter().map(|row| !left_out(row));
        let mask = all().map(|r| {
            let mut mask = r.mask.clone().unwrap_or_else(|| vec![true; r.tokens]);
            mask.resize(width, false);
            mask
        });
        Self {
            group: rows.rows.iter().map(|row| row.group).collect(),
            mask: mask.collect(),
            outcome: all().map(|r| f64::from(r.outcome_reward)).collect(),
            counts: counts.collect(),
            named: named.collect(),
            process: process.then(|| all().map(|r| pad(&r.process_rewards)).collect()),
            values: all().map(|r| pad(&r.values)).collect(),
            log_probs: all().map(|r| pad(&r.old_log_probs)).collect(),
            sum_pi_squared: all().map(|r| pad(&r.sum_pi_squared)).collect(),
            importance: all().map(|r| pad(&r.importance_weights)).collect(),
            greedy: greedy.collect(),
        }
    }

    pub fn height(&self) -> usize {
        self.group.len()
    }

    pub fn width(&self) -> usize {
        self.mask[0].len()
    }

    pub fn zeros(&self) -> Matrix {
        vec![vec![0.0; self.width()]; self.height()]
    }

    /// The rows of the same group, the row itself included.
    pub fn members(&self, row: usize) -> Vec<usize> {
        let same = |&other: &usize| self.group[other] == self.group[row];
        (0..self.height()).filter(same).collect()
    }

    /// How many tokens of a row are the policy's.
    pub fn length(&self, row: usize) -> usize {
        self.mask[row].iter().filter(|&&own| own).count()
    }

    pub fn last(&self, row: usize) -> Option<usize> {
        self.mask[row].iter().rposition(|&own| own)
    }

    /// A number per row, at each of the row's policy tokens.
    pub fn broadcast(&self, numbers: &[f64]) -> Matrix {
        let mut all = self.zeros();
        for i in 0..self.height() {
            for t in 0..self.width() {
                if self.mask[i][t] {
                    all[i][t] = numbers[i];
                }
            }
        }
        all
    }

    /// `Σ_{s≥t} γ^{n(s)−n(t)} x_s`, with `n` counting policy tokens: a gap takes no time.
    pub fn to_go(&self, x: &Matrix, gamma: f64) -> Matrix {
        let mut all = self.zeros();
        for i in 0..self.height() {
            for t in (0..self.width()).filter(|&t| self.mask[i][t]) {
                let mut discount = 1.0;
                for s in (t..self.width()).filter(|&s| self.mask[i][s]) {
                    all[i][t] += discount * x[i][s];
                    discount *= gamma;
                }
            }
        }
        all
    }

    /// The mean over a row's policy tokens; 0 where it has none.
    pub fn token_mean(&self, x: &Matrix, row: usize) -> f64 {
        let own = (0..self.width()).filter(|&t| self.mask[row][t]);
        own.map(|t| x[row][t]).sum::<f64>() / self.length(row).max(1) as f64
    }

    /// `(x − mean) / sqrt(var + 1e-8)` under the mask, with the unbiased variance.
    ///
    /// verl also adds 1e-8 to the count of tokens, which ours leaves out on purpose,
    /// as the authors' trainer does: equal numbers become exactly 0.
    pub fn whiten(&self, numbers: &Matrix) -> Matrix {
        let cells = || (0..self.height()).flat_map(|i| (0..self.width()).map(move |t| (i, t)));
        let own: Vec<f64> = cells()
            .filter(|&(i, t)| self.mask[i][t])
            .map(|(i, t)| numbers[i][t])
            .collect();
        let n = own.len() as f64;
        let mean = own.iter().sum::<f64>() / n;
        let variance = own.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let mut all = self.zeros();
        for (i, t) in cells().filter(|&(i, t)| self.mask[i][t]) {
            all[i][t] = (numbers[i][t] - mean) / (variance + 1e-8).sqrt();
        }
        all
    }
}

/// What the reference function behind a term gives.
pub fn estimate(term: &Term, p: &Padded) -> Estimate {
    match term {
        Term::ReinforcePlusPlus(e) => tokens::reinforce_plus_plus(p, e.gamma),
        Term::Gae(e) => tokens::gae(p, e.gamma, e.lam, e.whiten),
        Term::Remax(_) => tokens::remax(p),
        Term::OptimalTokenBaseline(e) => tokens::optimal_token_baseline(p, e),
        Term::ValueBaseline(_) => tokens::value_baseline(p),
        Term::Gdpo(e) if !p.named.is_empty() => scores::gdpo(p, e),
        _ => scores::of_outcomes(term, p),
    }
}

/// Baseline and scale of every row: the advantage of a score `x` is `(x − b) · a`.
/// Rows without a score are left out of the others' and get zeros.
pub fn score_maps(term: &Term, p: &Padded, scores: &[Option<f64>]) -> Vec<(f64, f64)> {
    scores::maps(term, p, scores)
}

/// Whether the term scores responses and whitens the token advantages afterwards.
pub fn whitens(term: &Term) -> bool {
    matches!(term, Term::ReinforcePlusPlusBaseline(_) | Term::Gdpo(_))
}

/// Whether the term scores whole responses.
pub fn scores_responses(term: &Term) -> bool {
    !matches!(
        term,
        Term::ReinforcePlusPlus(_)
            | Term::Gae(_)
            | Term::Remax(_)
            | Term::OptimalTokenBaseline(_)
            | Term::ValueBaseline(_)
    )
}

/// Relative error 1e-5 of the largest number in the batch; exactly 0.0 where masked.
#[track_caller]
pub fn assert_near(what: &str, found: &Advantages, places: &[Place], p: &Padded, own: &Estimate) {
    compare(what, p, &own.advantages, |row, t| {
        let own = found.response(places[row].group, places[row].response);
        own.expect("in range").advantages().get(t).copied()
    });
    compare(&format!("{what}: returns"), p, &own.returns, |row, t| {
        let own = found.response(places[row].group, places[row].response);
        own.expect("in range").returns().get(t).copied()
    });
}

#[track_caller]
fn compare(what: &str, p: &Padded, expected: &Matrix, found: impl Fn(usize, usize) -> Option<f32>) {
    let cells = || (0..p.height()).flat_map(|i| (0..p.width()).map(move |t| (i, t)));
    let own = cells().filter(|&(i, t)| p.mask[i][t]);
    let largest = own.fold(0.0, |m: f64, (i, t)| m.max(expected[i][t].abs()));
    for (i, t) in cells() {
        let found = found(i, t);
        if !p.mask[i][t] {
            assert!(
                found.is_none_or(is_plain_zero),
                "{what}: [{i}][{t}] is masked"
            );
            continue;
        }
        let found = f64::from(found.expect("a token"));
        let error = (found - expected[i][t]).abs();
        assert!(
            error <= 1e-5 * largest + 1e-9,
            "{what}: [{i}][{t}]: found {found}, expected {}",
            expected[i][t]
        );
    }
}
