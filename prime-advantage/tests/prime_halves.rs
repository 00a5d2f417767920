//! PRIME with every pair of estimators: the sum of its halves, each done by itself.
#![allow(clippy::needless_range_loop)] // formulas have indices

mod common;

use common::naive::{self, Estimate, Matrix, Padded, assert_near};
use common::random::{Rows, Shape};
use common::{assert_words, batch, every_term, run};
use prime_advantage::{
    AdvantageError, AdvantageEstimator, Gae, Prime, ProcessNorm, Reinforce, Response, Term,
};

/// Everything that any estimator reads, in groups of two and more.
fn rows(seed: u64) -> Rows {
    let shape = Shape {
        least_size: 2,
        gaps: seed % 2 == 1,
        empty: seed % 4 == 3,
        process: true,
    };
    Rows::new(seed, shape)
}

/// The batch as the process half is to see it: rewards dropped and normed, outcomes 0.
fn process_alone(prime: &Prime, p: &Padded) -> Padded {
    let mut alone = p.clone();
    alone.outcome = vec![0.0; p.height()];
    alone.named.clear();
    let rewards = alone.process.as_mut().expect("process rewards");
    for i in 0..p.height() {
        if let Some(last) = p.last(i).filter(|_| prime.drop_last_token) {
            rewards[i][last] = 0.0;
        }
        let (outcome, greedy) = &mut alone.greedy[i];
        *outcome = 0.0;
        if let Some(last) = greedy.last_mut().filter(|_| prime.drop_last_token) {
            *last = 0.0;
        }
    }
    if prime.process_norm == ProcessNorm::BatchNorm {
        let sums = p.to_go(rewards, 1.0);
        let peak = sums.iter().flatten().fold(0.0, |m: f64, x| m.max(x.abs()));
        let scale = 1.0 / (peak + 1e-6);
        let greedy = alone.greedy.iter_mut().flat_map(|(_, rewards)| rewards);
        let all = rewards.iter_mut().flatten().chain(greedy);
        all.for_each(|r| *r *= scale);
    }
    alone
}

fn process_half(prime: &Prime, p: &Padded) -> Matrix {
    let alone = process_alone(prime, p);
    if !naive::scores_responses(&prime.process) {
        return naive::estimate(&prime.process, &alone).advantages;
    }
    let rewards = alone.process.as_ref().expect("process rewards");
    let means: Vec<_> = (0..p.height())
        .map(|i| Some(p.token_mean(rewards, i)))
        .collect();
    let maps = naive::score_maps(&prime.process, p, &means);
    let mut mapped = p.zeros();
    for i in 0..p.height() {
        let (baseline, scale) = maps[i];
        mapped[i] = rewards[i].iter().map(|r| (r - baseline) * scale).collect();
    }
    let sums = p.to_go(&mapped, prime.process_gamma);
    if naive::whitens(&prime.process) {
        p.whiten(&sums)
    } else {
        sums
    }
}

/// Both halves, before they are weighted and added.
fn outcome_half(prime: &Prime, p: &Padded) -> Estimate {
    let mut alone = p.clone();
    alone.process = None;
    naive::estimate(&prime.outcome, &alone)
}

fn is_gae(term: &Term) -> bool {
    matches!(term, Term::Gae(_))
}

fn by_hand(prime: &Prime, p: &Padded) -> Estimate {
    let mut sum = p.zeros();
    let mut targets = None;
    if is_gae(&prime.process) && is_gae(&prime.outcome) {
        // One critic: GAE once, on the sum of both rewards.
        let mut both = process_alone(prime, p);
        let rewards = both.process.iter_mut().flatten().flatten();
        rewards.for_each(|r| *r *= prime.process_coef);
        both.outcome = p.outcome.iter().map(|r| r * prime.outcome_coef).collect();
        let fused = naive::estimate(&prime.outcome, &both);
        (sum, targets) = (fused.advantages, Some(fused.returns));
    } else {
        let (outcome, process) = (outcome_half(prime, p), process_half(prime, p));
        for i in 0..p.height() {
            let mut weight = prime.outcome_coef;
            for t in (0..p.width()).rev().filter(|&t| p.mask[i][t]) {
                sum[i][t] = weight * outcome.advantages[i][t] + prime.process_coef * process[i][t];
                weight *= prime.outcome_gamma;
            }
        }
        if is_gae(&prime.outcome) {
            targets = Some(outcome.returns);
        } else if is_gae(&prime.process) {
            let alone = process_alone(prime, p);
            targets = Some(naive::estimate(&prime.process, &alone).returns);
        }
    }
    Estimate {
        advantages: if prime.whiten {
            p.whiten(&sum)
        } else {
            sum.clone()
        },
        returns: targets.unwrap_or(sum),
    }
}

/// The same halves under other knobs; discounts only where PRIME itself discounts.
fn knobs(process: &Term, outcome: &Term) -> Vec<Prime> {
    let plain = Prime::paper()
        .with_process(process.clone())
        .with_outcome(outcome.clone());
    let gamma = |term| {
        if naive::scores_responses(term) {
            0.9
        } else {
            1.0
        }
    };
    let all = plain
        .clone()
        .with_process_norm(ProcessNorm::BatchNorm)
        .with_drop_last_token(true)
        .with_process_coef(-0.7)
        .with_outcome_coef(-1.3)
        .with_process_gamma(gamma(process))
        .with_outcome_gamma(gamma(outcome));
    vec![plain, all.clone(), all.with_whiten(true)]
}

/// What cannot work, and the words that say why.
fn refusal(outcome: &Term) -> Option<[&'static str; 3]> {
    let needs_process = matches!(outcome, Term::ValueBaseline(_));
    needs_process.then_some(["value_baseline", "`outcome` half does not see", "`process`"])
}

#[test]
fn every_pair_is_the_sum_of_its_halves() {
    let (mut sums, mut refused) = (0, 0);
    for (process, outcome) in pairs() {
        for prime in knobs(&process, &outcome) {
            assert_eq!(prime.validate(), Ok(()));
            for seed in 0..8 {
                let rows = rows(seed);
                let padded = Padded::of(&rows);
                let (batch, places) = rows.batch();
                let what = format!("{prime:?}, seed {seed}");
                if let Some(words) = refusal(&outcome) {
                    let error = prime.estimate(&batch).expect_err(&what);
                    assert!(matches!(
                        error,
                        AdvantageError::Conflict { owner: "prime", .. }
                    ));
                    assert_words(&error, &words);
                    refused += 1;
                    continue;
                }
                let found = run(&prime, &batch);
                assert_near(&what, &found, &places, &padded, &by_hand(&prime, &padded));
                sums += 1;
            }
        }
    }
    assert_eq!((sums, refused), (13 * 12 * 3 * 8, 13 * 3 * 8));
}

fn pairs() -> Vec<(Term, Term)> {
    let terms = every_term();
    let with = |process: &Term| {
        let pair = |outcome: &Term| (process.clone(), outcome.clone());
        terms.iter().map(pair).collect::<Vec<_>>()
    };
    terms.iter().flat_map(with).collect()
}

/// A group whose outcome does not count still has its process half, and changes
/// nobody else's outcome half.
#[test]
fn process_only_groups_keep_their_process_half() {
    for (process, outcome) in pairs() {
        if refusal(&outcome).is_some() {
            continue;
        }
        for prime in knobs(&process, &outcome) {
            for seed in 0..6 {
                let mut rows = rows(seed);
                rows.process_only = vec![rows.rows[0].group];
                let padded = Padded::of(&rows);
                let (batch, places) = rows.batch();
                let what = format!("{prime:?}, seed {seed}");
                let found = run(&prime, &batch);
                assert_near(&what, &found, &places, &padded, &by_hand(&prime, &padded));
            }
        }
    }
}

/// PPO with PRIME: one critic, both rewards.
#[test]
fn gae_twice_is_gae_on_the_summed_rewards() {
    let (process, values) = ([0.2f32, -0.4, 0.6], [0.1f32, 0.3, -0.2]);
    let gae = Gae::new(0.9, 0.8);
    let prime = Prime::paper()
        .with_process(gae)
        .with_outcome(gae)
        .with_outcome_coef(3.0)
        .with_process_coef(2.0);
    assert!(prime.uses_values());
    let summed = [0.4f32, -0.8, 1.2 + 3.0];
    let plain = Response::new(3, 1.0)
        .with_process_rewards(&process)
        .with_values(&values);
    let by_hand = Response::new(3, 0.0)
        .with_process_rewards(&summed)
        .with_values(&values);
    let found = run(&prime, &batch(vec![vec![plain]]));
    let expected = run(&gae, &batch(vec![vec![by_hand]]));
    for (f, e) in found.advantages().iter().zip(expected.advantages()) {
        common::assert_close("prime gae", "advantage", *f, f64::from(*e));
    }
    for (f, e) in found.returns().iter().zip(expected.returns()) {
        common::assert_close("prime gae", "return", *f, f64::from(*e));
    }
}

/// One half with a critic: PRIME's returns are that half's targets, whitened or not,
/// and whatever its coefficient.
#[test]
fn returns_are_the_critics_targets() {
    let (process, values) = ([0.5f32, -0.25], [0.1f32, 0.3]);
    let response = |outcome| {
        Response::new(2, outcome)
            .with_process_rewards(&process)
            .with_values(&values)
    };
    let rewarded = batch(vec![vec![response(1.0), response(0.0)]]);
    let gae = Gae::new(1.0, 1.0);
    for whiten in [false, true] {
        let prime = Prime::paper()
            .with_outcome(gae)
            .with_outcome_coef(4.0)
            .with_whiten(whiten);
        let targets = run(&prime, &rewarded);
        assert_eq!(targets.returns(), [1.0, 1.0, 0.0, 0.0], "whiten {whiten}");
        let prime = Prime::paper().with_process(gae).with_whiten(whiten);
        let targets = run(&prime, &rewarded);
        assert_eq!(
            targets.returns(),
            [0.25, -0.25, 0.25, -0.25],
            "whiten {whiten}"
        );
    }
    // Without a critic they are the advantages from before whitening.
    let plain = Prime::paper();
    assert!(!plain.uses_values());
    let before = run(&plain, &rewarded);
    let after = run(&plain.with_whiten(true), &rewarded);
    assert_eq!(after.returns(), before.advantages());
    assert_ne!(after.advantages(), before.advantages());
}

/// γ of one source leaves the other alone.
#[test]
fn each_source_has_its_own_discount() {
    let process = [1.0f32, 1.0, 1.0];
    let response = Response::new(3, 8.0).with_process_rewards(&process);
    let batch = batch(vec![vec![response]]);
    let prime = Prime::paper()
        .with_process(Reinforce::default())
        .with_outcome(Reinforce::default());
    let table = [
        (1.0, 1.0, [11.0, 10.0, 9.0]),
        (0.5, 1.0, [2.0 + 3.0, 4.0 + 2.0, 8.0 + 1.0]),
        (1.0, 0.5, [8.0 + 1.75, 8.0 + 1.5, 8.0 + 1.0]),
        (0.0, 0.0, [1.0, 1.0, 9.0]),
    ];
    for (outcome_gamma, process_gamma, expected) in table {
        let prime = prime
            .with_outcome_gamma(outcome_gamma)
            .with_process_gamma(process_gamma);
        assert_eq!(run(&prime, &batch).advantages(), expected, "{prime:?}");
    }
}
