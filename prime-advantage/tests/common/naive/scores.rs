//! The estimators that score whole responses.

use prime_advantage::{Baseline, Gdpo, Grpo, LooScaling, Rloo, Singleton, Term};

use super::{Estimate, Padded};

pub fn of_outcomes(term: &Term, p: &Padded) -> Estimate {
    let scores = counted(p, &p.outcome);
    let maps = maps(term, p, &scores);
    let advantage = |i: usize| scores[i].map_or(0.0, |s| (s - maps[i].0) * maps[i].1);
    let advantages: Vec<f64> = (0..p.height()).map(advantage).collect();
    spread(p, &advantages, super::whitens(term))
}

/// Each named reward normalised like GRPO's, then added up with its weight.
pub fn gdpo(p: &Padded, e: &Gdpo) -> Estimate {
    let mut total = vec![0.0; p.height()];
    let grpo = Grpo::default().with_epsilon(e.epsilon);
    let grpo = Term::Grpo(grpo.with_singleton(e.singleton));
    for (name, rewards) in &p.named {
        let scores = counted(p, rewards);
        let maps = maps(&grpo, p, &scores);
        for i in 0..p.height() {
            let own = scores[i].map_or(0.0, |s| (s - maps[i].0) * maps[i].1);
            total[i] += e.weights.get(name).unwrap_or(&1.0) * own;
        }
    }
    spread(p, &total, true)
}

fn counted(p: &Padded, rewards: &[f64]) -> Vec<Option<f64>> {
    let rewards = rewards.iter().zip(&p.counts);
    rewards.map(|(&r, &counts)| counts.then_some(r)).collect()
}

fn spread(p: &Padded, numbers: &[f64], whiten: bool) -> Estimate {
    let returns = p.broadcast(numbers);
    let advantages = if whiten {
        p.whiten(&returns)
    } else {
        returns.clone()
    };
    Estimate {
        advantages,
        returns,
    }
}

fn mean(xs: &[f64]) -> f64 {
    xs.iter().sum::<f64>() / xs.len() as f64
}

fn std(xs: &[f64]) -> f64 {
    let m = mean(xs);
    (xs.iter().map(|x| (x - m).powi(2)).sum::<f64>() / (xs.len() as f64 - 1.0)).sqrt()
}

pub fn maps(term: &Term, p: &Padded, scores: &[Option<f64>]) -> Vec<(f64, f64)> {
    let all: Vec<f64> = scores.iter().copied().flatten().collect();
    // GPG: the batch's responses per response that was rewarded.
    let rewarded = all.iter().filter(|s| **s != 0.0).count();
    let alpha = all.len() as f64 / f64::max(rewarded as f64, 1.0);
    let one = |i: usize| {
        if scores[i].is_none() {
            return (0.0, 0.0);
        }
        let members = p.members(i);
        let group: Vec<f64> = members.iter().filter_map(|&j| scores[j]).collect();
        let size = group.len() as f64;
        let scale = match term {
            Term::Gpg(e) => alpha / e.f_norm,
            _ => 1.0,
        };
        if group.len() == 1
            && let Some(singleton) = singleton(term)
        {
            return match singleton {
                Singleton::Raw => (0.0, scale),
                _ => (0.0, 0.0),
            };
        }
        let others: Vec<f64> = members
            .iter()
            .filter(|&&j| j != i)
            .filter_map(|&j| scores[j])
            .collect();
        match term {
            Term::Reinforce(e) => match e.baseline {
                Baseline::None => (0.0, 1.0),
                Baseline::BatchMean => (mean(&all), 1.0),
                _ => (mean(&group), 1.0),
            },
            Term::ReinforcePlusPlusBaseline(_) => (mean(&group), 1.0),
            Term::Rloo(Rloo {
                scaling: LooScaling::Paper,
                ..
            }) => (mean(&others), 1.0),
            Term::Rloo(_) => (mean(&group), size / (size - 1.0)),
            Term::Grpo(e) if !e.normalize_by_std => (mean(&group), 1.0),
            Term::Grpo(Grpo { epsilon, .. }) | Term::Gdpo(Gdpo { epsilon, .. }) => {
                (mean(&group), 1.0 / (std(&group) + epsilon))
            }
            Term::GrpoPassk(e) => {
                let own = scores[i].expect("checked");
                if others.iter().any(|&other| other >= own) {
                    return (0.0, 0.0);
                }
                let second = others.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let divisor = if e.normalize_by_std {
                    std(&group) + e.epsilon
                } else {
                    1.0
                };
                (second, 1.0 / divisor)
            }
            Term::Opo(_) => {
                let lengths: f64 = members.iter().map(|&j| p.length(j) as f64).sum();
                let weighed = members
                    .iter()
                    .map(|&j| p.length(j) as f64 * scores[j].unwrap());
                // Without any token the baseline is 0/0, and nobody reads it.
                (
                    if lengths == 0.0 {
                        0.0
                    } else {
                        weighed.sum::<f64>() / lengths
                    },
                    1.0,
                )
            }
            Term::Gpg(_) => (mean(&group), scale),
            _ => panic!("{term:?} does not score responses"),
        }
    };
    (0..p.height()).map(one).collect()
}

fn singleton(term: &Term) -> Option<Singleton> {
    match term {
        Term::ReinforcePlusPlusBaseline(e) => Some(e.singleton),
        Term::Rloo(e) => Some(e.singleton),
        Term::Grpo(e) => Some(e.singleton),
        Term::Opo(e) => Some(e.singleton),
        Term::Gpg(e) => Some(e.singleton),
        Term::Gdpo(e) => Some(e.singleton),
        _ => None,
    }
}
