//! GAE and PRIME, each broken in one place.

use super::wrappers::{At, Made};
use super::{breaks_only, laws};
use prime_advantage::*;

fn own(at: &At<'_, '_>) -> Vec<usize> {
    (0..at.response.len()).filter(|t| at.is_own(*t)).collect()
}

#[test]
fn subtracts_the_next_value() {
    let off_by_one = Made::after("off_by_one", Gae::new(0.9, 1.0), |at, numbers| {
        let values = at.response.values().unwrap_or_default();
        let own = own(at);
        for (k, &t) in own.iter().enumerate() {
            let next = own.get(k + 1).map_or(0.0, |&next| values[next]);
            numbers[t] = (f64::from(numbers[t]) + f64::from(values[t]) - f64::from(next)) as f32;
        }
    });
    let off_by_one = Made::new("off_by_one", move |batch| {
        off_by_one.estimate(batch)?.into_finite()
    });
    breaks_only(&Gae::new(0.9, 1.0), &off_by_one, &["gae_lambda_one(0.9)"]);
}

#[test]
fn knobs_that_are_not_what_they_should_be() {
    let near = &["gae_lambda_one(0.9)"];
    breaks_only(&Gae::new(0.9, 1.0), &Gae::new(0.9, 0.95), near);
    breaks_only(&Gae::new(0.9, 1.0), &Gae::new(0.95, 1.0), near);
    let near = &["gae_lambda_zero(0.9)"];
    breaks_only(&Gae::new(0.9, 0.0), &Gae::new(0.9, 0.05), near);
    breaks_only(&Gae::new(0.9, 0.0), &Gae::new(1.0, 0.0), near);
}

/// Pays the outcome one token early.
#[test]
fn pays_early() {
    let early = Made::before("pays_early", Gae::new(0.9, 0.0), |batch| {
        for group in &mut batch.groups {
            for response in &mut group.responses {
                let own = |t: &usize| response.mask.as_ref().is_none_or(|mask| mask[*t]);
                let own: Vec<usize> = (0..response.tokens).filter(own).collect();
                let Some(process) = &mut response.process_rewards else {
                    continue;
                };
                if let [.., early, _] = own[..]
                    && !group.process_only
                {
                    let paid = f64::from(process[early]) + f64::from(response.outcome_reward);
                    process[early] = paid.clamp(-1e38, 1e38) as f32;
                    response.outcome_reward = 0.0;
                }
            }
        }
    });
    breaks_only(&Gae::new(0.9, 0.0), &early, &["gae_lambda_zero(0.9)"]);
}

/// Starts again behind each gap, as if the response had ended there.
#[test]
fn ends_at_gaps() {
    let ends = Made::before("ends_at_gaps", Gae::new(0.9, 0.0), |batch| {
        for response in batch.groups.iter_mut().flat_map(|g| &mut g.responses) {
            let (Some(mask), Some(process), Some(values)) = (
                &response.mask,
                &mut response.process_rewards,
                &response.values,
            ) else {
                continue;
            };
            for t in 1..response.tokens {
                // Takes back what the value behind the gap will bring.
                let before = (0..t).rev().find(|&before| mask[before]);
                if mask[t]
                    && !mask[t - 1]
                    && let Some(before) = before
                {
                    let without = f64::from(process[before]) - 0.9 * f64::from(values[t]);
                    process[before] = without.clamp(-1e38, 1e38) as f32;
                }
            }
        }
    });
    breaks_only(
        &Gae::new(0.9, 0.0),
        &ends,
        &["gaps", "gae_lambda_zero(0.9)"],
    );
}

#[test]
fn prime_that_is_not_silent() {
    let rloo = Rloo::default();
    laws()
        .prime_without_process(&Prime::paper(), &rloo)
        .unwrap();
    let last_bit = Made::after("prime_but_for_a_bit", Prime::paper(), |_, numbers| {
        numbers.iter_mut().for_each(|x| *x = x.next_up());
    });
    let critic = Prime::paper().with_process(Gae::default());
    let weighted = Prime::paper().with_outcome_coef(1.0 + 1e-6);
    let another = Prime::paper().with_outcome(Grpo::default());
    let broken: [&dyn AdvantageEstimator; 4] = [&last_bit, &critic, &weighted, &another];
    for prime in broken {
        let error = laws().prime_without_process(prime, &rloo).unwrap_err();
        assert_eq!(error.law(), "prime_without_process");
        assert_eq!(error.estimator(), prime.name());
        assert!(error.to_string().contains("`rloo`"), "{error}");
    }
}

/// With a critic in the outcome half, its targets are compared as well.
#[test]
fn prime_with_other_targets() {
    let gae = Gae::new(0.9, 0.7);
    laws()
        .prime_without_process(&Prime::paper().with_outcome(gae), &gae)
        .unwrap();
    let targets = Made::new("targets", move |batch| {
        let mut result = Prime::paper().with_outcome(gae).estimate(batch)?;
        for (place, _) in batch.places() {
            let returns = result.returns_mut(place.group, place.response);
            returns.into_iter().flatten().for_each(|x| *x += 1.0);
        }
        Ok(result)
    });
    let error = laws().prime_without_process(&targets, &gae).unwrap_err();
    assert!(error.found().contains("the return at token"), "{error}");
}
