//! Laws about one estimator.

use super::laws;
use prime_advantage::*;

#[test]
fn gae_at_the_ends_of_lambda() {
    for gamma in [0.0, 0.5, 0.99, 1.0] {
        laws().gae_lambda_one(&Gae::new(gamma, 1.0), gamma).unwrap();
        laws()
            .gae_lambda_zero(&Gae::new(gamma, 0.0), gamma)
            .unwrap();
    }
    // PPO with PRIME is GAE on the sum of both rewards.
    let fused = Prime::paper()
        .with_process(Gae::new(0.9, 1.0))
        .with_outcome(Gae::new(0.9, 1.0));
    laws().gae_lambda_one(&fused, 0.9).unwrap();
}

/// Every outcome half beside every process half that has nothing to say.
#[test]
fn prime_without_process_is_the_outcome_estimator() {
    let silent = |name: &&&str| !["gae", "ppo", "loo"].contains(*name);
    let processes = || Term::NAMES.iter().filter(silent);
    // The value baseline reads process rewards, which an outcome half does not see.
    let outcomes = Term::NAMES.iter().filter(|name| **name != "value_baseline");
    let few = laws().with_cases(40);
    for outcome in outcomes {
        let outcome = Term::from_name(outcome).unwrap();
        for process in processes() {
            let process = Term::from_name(process).unwrap();
            let prime = Prime::paper()
                .with_process(process)
                .with_outcome(outcome.clone());
            few.prime_without_process(&prime, &outcome).unwrap();
        }
        let prime = Prime::paper().with_outcome(outcome.clone());
        for prime in [
            Prime::orig()
                .with_whiten(false)
                .with_outcome(outcome.clone()),
            prime.clone().with_drop_last_token(true),
            prime.clone().with_process_gamma(0.5),
            prime.with_process_coef(0.0),
        ] {
            few.prime_without_process(&prime, &outcome).unwrap();
        }
    }
    let gae = Gae::new(0.9, 0.7);
    let fused = Prime::paper().with_process(gae).with_outcome(gae);
    laws().prime_without_process(&fused, &gae).unwrap();
}
