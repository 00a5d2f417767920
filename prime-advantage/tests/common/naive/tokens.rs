//! The estimators that look at the rewards of single tokens.

use prime_advantage::{OptimalTokenBaseline, Singleton};

use super::{Estimate, Matrix, Padded};

/// The process rewards, with the outcome reward added at the last policy token.
fn token_rewards(p: &Padded) -> Matrix {
    let mut rewards = p.process.clone().unwrap_or_else(|| p.zeros());
    for i in 0..p.height() {
        if let Some(last) = p.last(i).filter(|_| p.counts[i]) {
            rewards[i][last] += p.outcome[i];
        }
    }
    rewards
}

pub fn reinforce_plus_plus(p: &Padded, gamma: f64) -> Estimate {
    let returns = p.to_go(&token_rewards(p), gamma);
    Estimate {
        advantages: p.whiten(&returns),
        returns,
    }
}

pub fn gae(p: &Padded, gamma: f64, lam: f64, whiten: bool) -> Estimate {
    let rewards = token_rewards(p);
    let (mut advantages, mut returns) = (p.zeros(), p.zeros());
    for i in 0..p.height() {
        // Value and advantage of the next policy token, carried over gaps.
        let (mut next_value, mut next) = (0.0, 0.0);
        for t in (0..p.width()).rev().filter(|&t| p.mask[i][t]) {
            let delta = rewards[i][t] + gamma * next_value - p.values[i][t];
            next = delta + gamma * lam * next;
            next_value = p.values[i][t];
            advantages[i][t] = next;
            returns[i][t] = next + p.values[i][t];
        }
    }
    if whiten {
        advantages = p.whiten(&advantages);
    }
    Estimate {
        advantages,
        returns,
    }
}

pub fn remax(p: &Padded) -> Estimate {
    let returns = p.to_go(&token_rewards(p), 1.0);
    let mut advantages = p.zeros();
    for i in 0..p.height() {
        let (outcome, process) = &p.greedy[i];
        let outcome = if p.counts[i] { *outcome } else { 0.0 };
        let process = if p.process.is_some() {
            process.iter().sum()
        } else {
            0.0
        };
        for t in (0..p.width()).filter(|&t| p.mask[i][t]) {
            advantages[i][t] = returns[i][t] - (outcome + process);
        }
    }
    Estimate {
        advantages,
        returns,
    }
}

pub fn optimal_token_baseline(p: &Padded, e: &OptimalTokenBaseline) -> Estimate {
    let returns = p.to_go(&token_rewards(p), 1.0);
    let mut weights = p.zeros();
    for i in 0..p.height() {
        let mut sum = 0.0;
        for t in (0..p.width()).filter(|&t| p.mask[i][t]) {
            let own = 1.0 - 2.0 * p.log_probs[i][t].exp() + p.sum_pi_squared[i][t];
            sum += own * p.importance[i][t].powi(2);
            weights[i][t] = sum;
        }
    }
    let end = |i: usize| p.last(i).map_or(0, |t| t + 1);
    let mut advantages = p.zeros();
    for i in 0..p.height() {
        let members = p.members(i);
        let others = members.iter().filter(|&&j| j != i);
        let second = others.map(|&j| end(j)).max();
        for t in (0..p.width()).filter(|&t| p.mask[i][t]) {
            let here = || members.iter().filter(|&&j| p.mask[j][t]);
            let above: f64 = here().map(|&j| returns[j][t] * weights[j][t]).sum();
            let below: f64 = here().map(|&j| weights[j][t]).sum();
            let baseline = match second {
                None if e.singleton == Singleton::Raw => 0.0,
                None => returns[i][t],
                // verl takes the number of tokens for the position of the last, which a
                // gap makes wrong; ours goes by the position.
                Some(second) if e.handle_zero_tail && t >= second => 0.0,
                // Where all rewards to go are the same, ours is exactly that number on
                // purpose: ε would leave a rest.
                Some(_) if here().all(|&j| (returns[j][t] - returns[i][t]).abs() < 1e-6) => {
                    returns[i][t]
                }
                Some(_) => above / (below + e.epsilon),
            };
            advantages[i][t] = returns[i][t] - baseline;
        }
    }
    Estimate {
        advantages,
        returns,
    }
}

/// Paper §5.4.
pub fn value_baseline(p: &Padded) -> Estimate {
    let process = p.process.as_ref().expect("process rewards");
    let mut advantages = p.zeros();
    for i in 0..p.height() {
        let outcome = if p.counts[i] { p.outcome[i] } else { 0.0 };
        for t in (0..p.width()).filter(|&t| p.mask[i][t]) {
            let before = (0..t).filter(|&s| p.mask[i][s]).map(|s| process[i][s]);
            advantages[i][t] = outcome - before.sum::<f64>();
        }
    }
    Estimate {
        returns: advantages.clone(),
        advantages,
    }
}
