//! The number of cores changes no bit.
#![cfg(feature = "rayon")]

mod common;

use common::random::{Rows, Shape};
use common::{assert_same_bits, every_term, run};
use prime_advantage::{AdvantageEstimator, Prime};
use rayon::ThreadPoolBuilder;

#[test]
fn one_thread_or_many() {
    let shape = Shape {
        least_size: 2,
        gaps: true,
        empty: true,
        process: true,
    };
    let pool = |threads| ThreadPoolBuilder::new().num_threads(threads).build();
    let pools = [1, 2, 7].map(|threads| pool(threads).expect("a thread pool"));
    let terms = every_term()
        .into_iter()
        .map(|term| Box::new(term) as Box<_>);
    let primes = [Prime::paper(), Prime::orig(), Prime::recipe()];
    let primes = primes.map(|prime| Box::new(prime) as Box<dyn AdvantageEstimator>);
    let estimators: Vec<Box<dyn AdvantageEstimator>> = terms.chain(primes).collect();
    for seed in 0..20 {
        let rows = Rows::new(seed, shape);
        let (batch, _) = rows.batch();
        for estimator in &estimators {
            let on = |pool: &rayon::ThreadPool| pool.install(|| run(&**estimator, &batch));
            let one = on(&pools[0]);
            for pool in &pools[1..] {
                assert_same_bits(&one, &on(pool));
            }
        }
    }
}
