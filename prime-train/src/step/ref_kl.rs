//! How far the policy has gone from the reference: a metric, whether or not KL is charged for.
//!
//! The numbers are taken where they are computed anyway: with KL in the reward or in the loss, and with a process reward model
//! whose reference is frozen, in every step. Otherwise they are computed in steps that evaluate, where a reference is in memory.

use prime_policy::{CausalLm, Sequence, log_probs};

use super::{Environment, JudgedGroup, Learner};
use crate::error::TrainError;
use crate::metrics::StepMetrics;

const NAME: &str = "actor/ref_kl";
/// Log-ratios above count as this: its exponential is finite, and no healthy token is near it.
const MOST: f64 = 20.0;

/// Mean of r − 1 − ln r over tokens that the policy sampled, with r = π_ref/π: an estimate of KL(π ‖ π_ref) that is never
/// below 0 (Schulman's k3). `None` without tokens.
pub(super) fn mean<'a>(pairs: impl Iterator<Item = (&'a [f32], &'a [f32])>) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0usize);
    for (policy, reference) in pairs {
        for (&policy, &reference) in policy.iter().zip(reference) {
            let log_ratio = (f64::from(reference) - f64::from(policy)).min(MOST);
            sum += log_ratio.exp_m1() - log_ratio;
            n += 1;
        }
    }
    (n > 0).then(|| sum / n as f64)
}

/// Records it from the reference's log-probs of these responses, by group and response, at the rollout temperature.
pub(super) fn record(
    groups: &[JudgedGroup],
    reference: &[Vec<Vec<f32>>],
    metrics: &mut StepMetrics,
) -> Result<(), TrainError> {
    let pairs = groups.iter().zip(reference).flat_map(|(group, reference)| {
        let both = group.responses.iter().zip(reference);
        both.map(|(response, reference)| (&response.response.log_probs[..], &reference[..]))
    });
    match mean(pairs) {
        Some(found) => metrics.set(NAME, found),
        None => Ok(()),
    }
}

/// Records it at a step that evaluates, where nothing else did and a reference is in memory. `learner` is the one that
/// sampled.
pub(super) fn at_evaluation<M: CausalLm>(
    learner: &Learner<M>,
    env: &Environment<'_>,
    step: u64,
    groups: &[JudgedGroup],
    metrics: &mut StepMetrics,
) -> Result<(), TrainError> {
    let config = env.config;
    let every = config.eval.every as u64;
    let due = step == config.rl.steps as u64 || (every > 0 && step.is_multiple_of(every));
    let of_prm = || learner.prm.as_ref().and_then(|prm| prm.reference());
    let Some(model) = learner.reference.as_ref().or_else(of_prm) else {
        return Ok(());
    };
    if !due || metrics.get(NAME).is_some() {
        return Ok(());
    }
    let responses = || {
        groups
            .iter()
            .flat_map(|group| group.responses.iter().map(move |r| (group, r)))
    };
    let sequences: Vec<Sequence<'_>> = responses()
        .map(|(group, response)| Sequence {
            prompt: &group.problem.prompt_ids,
            response: &response.response.tokens,
        })
        .collect();
    let temperature = config.sampling().log_prob_temperature();
    let (micro, threads) = (config.micro_batching(), config.worker_threads());
    let reference = log_probs(model, &sequences, temperature, micro, threads)?;
    let pairs = responses().zip(&reference);
    let pairs = pairs.map(|((_, r), reference)| (&r.response.log_probs[..], &reference[..]));
    match mean(pairs) {
        Some(found) => metrics.set(NAME, found),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_divergence_of_two_distributions_in_expectation() {
        // All tokens of a distribution, as often as it samples them.
        let (policy, reference) = ([0.5_f64, 0.25, 0.25], [0.25, 0.5, 0.25]);
        let sampled = [0, 0, 1, 2];
        let of = |p: &[f64; 3]| sampled.map(|token: usize| p[token].ln() as f32);
        let (ours, theirs) = (of(&policy), of(&reference));
        let exact: f64 = policy
            .iter()
            .zip(reference)
            .map(|(p, q)| p * (p / q).ln())
            .sum();
        let found = mean([(&ours[..], &theirs[..])].into_iter()).unwrap();
        assert!((found - exact).abs() < 1e-6, "{found} {exact}");
        assert_eq!(mean([(&ours[..], &ours[..])].into_iter()), Some(0.0));
        assert_eq!(mean([].into_iter()), None);
        let far = mean([(&[-90.0_f32][..], &[0.0_f32][..])].into_iter()).unwrap();
        assert!(far.is_finite() && far > 1e6, "{far}");
    }
}
