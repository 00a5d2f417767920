//! PRIME's presets and the paper's equations against their formulas in plain `f64`.
//!
//! Two differences from the reference trainers are on purpose. A response without a
//! policy token has the mean process reward 0, where theirs is 0/0; and discounts
//! count policy tokens, where theirs also count the positions of a gap.
#![allow(clippy::needless_range_loop)] // formulas have indices

mod common;

use common::naive::{Estimate, Matrix, Padded, assert_near};
use common::random::{Rows, Shape};
use common::run;
use prime_advantage::{
    AdvantageEstimator, Grpo, Prime, ProcessNorm, Reinforce, Term, ValueBaseline,
};

const SEEDS: u64 = 150;

fn check(name: &str, estimator: &dyn AdvantageEstimator, expected: impl Fn(&Padded) -> Estimate) {
    for seed in 0..SEEDS {
        let shape = Shape {
            least_size: 2,
            gaps: seed % 4 > 1,
            empty: seed % 4 == 3,
            process: true,
        };
        let rows = Rows::new(seed, shape);
        let padded = Padded::of(&rows);
        let (batch, places) = rows.batch();
        let found = run(estimator, &batch);
        let what = format!("{name}, seed {seed}, {shape:?}");
        assert_near(&what, &found, &places, &padded, &expected(&padded));
    }
}

fn plus(a: &Matrix, b: &Matrix) -> Matrix {
    let rows = a.iter().zip(b);
    let sum = |(a, b): (&Vec<f64>, &Vec<f64>)| a.iter().zip(b).map(|(a, b)| a + b).collect();
    rows.map(sum).collect()
}

fn times(a: &Matrix, factor: f64) -> Matrix {
    let row = |row: &Vec<f64>| row.iter().map(|x| x * factor).collect();
    a.iter().map(row).collect()
}

/// Token rewards as the reward model hands them over.
fn scores(p: &Padded, drop_last_token: bool, batch_norm: bool) -> Matrix {
    let mut scores = p.zeros();
    for i in 0..p.height() {
        for t in (0..p.width()).filter(|&t| p.mask[i][t]) {
            let dropped = drop_last_token && p.last(i) == Some(t);
            scores[i][t] = if dropped {
                0.0
            } else {
                p.process.as_ref().unwrap()[i][t]
            };
        }
    }
    if !batch_norm {
        return scores;
    }
    let sums = p.to_go(&scores, 1.0);
    let peak = sums.iter().flatten().fold(0.0, |m: f64, x| m.max(x.abs()));
    times(&scores, 1.0 / (peak + 1e-6))
}

/// Both trainers' leave-one-out on token rewards: the row's own rewards grow by
/// K/(K−1), and all the group's means are subtracted, K−1 of them at full weight.
fn masked_rloo(p: &Padded, x: &Matrix) -> Matrix {
    let mut out = p.zeros();
    for i in 0..p.height() {
        let members = p.members(i);
        let k = members.len() as f64;
        let means: f64 = members.iter().map(|&j| p.token_mean(x, j)).sum();
        for t in (0..p.width()).filter(|&t| p.mask[i][t]) {
            out[i][t] = x[i][t] * k / (k - 1.0) - means / (k - 1.0);
        }
    }
    out
}

/// The same where each row has one reward, at its last policy token.
fn outcome_rloo(p: &Padded) -> Matrix {
    let mut out = p.zeros();
    for i in 0..p.height() {
        let members = p.members(i);
        let k = members.len() as f64;
        let sum: f64 = members.iter().map(|&j| p.outcome[j]).sum();
        if let Some(last) = p.last(i) {
            out[i][last] = p.outcome[i] * k / (k - 1.0) - sum / (k - 1.0);
        }
    }
    out
}

fn whitened(p: &Padded, returns: Matrix) -> Estimate {
    Estimate {
        advantages: p.whiten(&returns),
        returns,
    }
}

fn plain(advantages: Matrix) -> Estimate {
    Estimate {
        returns: advantages.clone(),
        advantages,
    }
}

#[test]
fn recipe() {
    for (process, outcome) in [(5.0, 5.0), (2.0, 5.0), (0.5, 0.0)] {
        let prime = Prime::recipe()
            .with_process_coef(process)
            .with_outcome_coef(outcome);
        check("recipe", &prime, |p| {
            let dense = times(&masked_rloo(p, &scores(p, true, true)), process);
            let sparse = times(&outcome_rloo(p), outcome);
            whitened(p, p.to_go(&plus(&dense, &sparse), 1.0))
        });
    }
}

#[test]
fn orig() {
    for (process, outcome) in [(1.0, 1.0), (0.95, 1.0), (0.9, 0.8), (0.0, 0.0)] {
        let prime = Prime::orig()
            .with_process_gamma(process)
            .with_outcome_gamma(outcome);
        check("orig", &prime, |p| {
            let dense = p.to_go(&masked_rloo(p, &scores(p, false, true)), process);
            let sparse = p.to_go(&outcome_rloo(p), outcome);
            whitened(p, plus(&dense, &sparse))
        });
    }
}

/// Eq. 5, with the token means of Eq. 7 for what it prints as sequence sums.
#[test]
fn paper_equation_5() {
    for gamma in [1.0, 0.9] {
        check("eq. 5", &Prime::paper().with_process_gamma(gamma), |p| {
            let scores = scores(p, false, false);
            let mut centred = p.zeros();
            let mut outcome = vec![0.0; p.height()];
            for i in 0..p.height() {
                let mut others = p.members(i);
                others.retain(|&j| j != i);
                let mean = |of: &dyn Fn(usize) -> f64| {
                    others.iter().map(|&j| of(j)).sum::<f64>() / others.len() as f64
                };
                let baseline = mean(&|j| p.token_mean(&scores, j));
                centred[i] = scores[i].iter().map(|r| r - baseline).collect();
                outcome[i] = p.outcome[i] - mean(&|j| p.outcome[j]);
            }
            let dense = p.to_go(&centred, gamma);
            plain(plus(&dense, &p.broadcast(&outcome)))
        });
    }
}

/// Mean and unbiased deviation.
fn spread(xs: &[f64]) -> (f64, f64) {
    let mean = xs.iter().sum::<f64>() / xs.len() as f64;
    let squares: f64 = xs.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, (squares / (xs.len() as f64 - 1.0)).sqrt())
}

#[test]
fn paper_equation_7() {
    let epsilon = 1e-6;
    for gamma in [1.0, 0.9] {
        let prime = Prime::paper()
            .with_process_gamma(gamma)
            .with_process(Grpo::default())
            .with_outcome(Grpo::default());
        check("eq. 7", &prime, |p| {
            let scores = scores(p, false, false);
            let mut scaled = p.zeros();
            let mut outcome = vec![0.0; p.height()];
            for i in 0..p.height() {
                let members = p.members(i);
                let means: Vec<f64> = members.iter().map(|&j| p.token_mean(&scores, j)).collect();
                let (mean, std) = spread(&means);
                // Where no member has a token, all means are the same 0 and unread.
                let standardised = |r: &f64| (r - mean) / (std + epsilon);
                scaled[i] = scores[i].iter().map(standardised).collect();
                let rewards: Vec<f64> = members.iter().map(|&j| p.outcome[j]).collect();
                let (mean, std) = spread(&rewards);
                outcome[i] = (p.outcome[i] - mean) / (std + epsilon);
            }
            let dense = p.to_go(&scaled, gamma);
            plain(plus(&dense, &p.broadcast(&outcome)))
        });
    }
}

#[test]
fn paper_equation_8() {
    let term = Term::from(Reinforce::default());
    let prime = Prime::paper()
        .with_process(term.clone())
        .with_outcome(term)
        .with_process_gamma(0.9);
    check("eq. 8", &prime, |p| {
        let dense = p.to_go(&scores(p, false, false), 0.9);
        plain(plus(&dense, &p.broadcast(&p.outcome)))
    });
}

/// §5.4, with the recipe's preparations of the rewards.
#[test]
fn paper_section_5_4() {
    let prime = Prime::paper()
        .with_process(ValueBaseline::default())
        .with_outcome(Reinforce::default())
        .with_process_norm(ProcessNorm::BatchNorm)
        .with_drop_last_token(true);
    check("§5.4", &prime, |p| {
        let scores = scores(p, true, true);
        let mut advantages = p.broadcast(&p.outcome);
        for i in 0..p.height() {
            let mut value = 0.0;
            for t in (0..p.width()).filter(|&t| p.mask[i][t]) {
                advantages[i][t] -= value;
                value += scores[i][t];
            }
        }
        plain(advantages)
    });
}
