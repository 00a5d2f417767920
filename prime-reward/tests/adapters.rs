//! A PRM with adapters: it starts as a copy of the policy, over the base that both share with the reference.

mod toy;

use prime_policy::{Decoder, LoraConfig, Optimizer, OptimizerConfig, Sequence, log_probs};
use prime_reward::{ImplicitPrm, PrmConfig, Rollout};
use toy::{Example, decoder, examples};

fn config() -> PrmConfig {
    PrmConfig {
        lr: 1e-2,
        micro_batch_size: 4,
        ..PrmConfig::default()
    }
}

fn sequences(examples: &[Example]) -> Vec<Sequence<'_>> {
    examples
        .iter()
        .map(|example| Sequence {
            prompt: &example.prompt,
            response: &example.response,
        })
        .collect()
}

/// One PRM step on `examples`, with the policy's own log-probs.
fn step(prm: &mut ImplicitPrm<Decoder>, examples: &[Example]) -> Vec<Vec<f32>> {
    let sequences = sequences(examples);
    let acting: Vec<Vec<f32>> = examples
        .iter()
        .map(|e| vec![0.0; e.response.len()])
        .collect();
    let rollouts: Vec<Rollout<'_>> = examples
        .iter()
        .zip(&sequences)
        .zip(&acting)
        .map(|((example, sequence), policy_log_probs)| Rollout {
            sequence: sequence.clone(),
            label: example.label,
            policy_log_probs,
        })
        .collect();
    prm.step(&rollouts).unwrap().rewards
}

#[test]
fn a_prm_with_adapters_starts_at_zero_reward_and_leaves_its_start_alone() {
    let base = decoder(1);
    let policy = LoraConfig::new(4, 8.0).attach(base.clone(), 3).unwrap();
    let batch = examples(0, 16);
    let before = log_probs(&policy, &sequences(&batch), 1.0, 4, 1).unwrap();
    let mut prm = ImplicitPrm::new(&policy, config()).unwrap();
    let zero = |rewards: Vec<Vec<f32>>| rewards.iter().flatten().all(|&r| r == 0.0);
    assert!(
        zero(step(&mut prm, &batch)),
        "the first rewards are of the start"
    );
    assert!(!zero(step(&mut prm, &batch)), "then it has learned");
    // A fresh adapter computes what the base does, so the frozen reference is the base.
    let reference = prm.reference().unwrap();
    let of_reference = log_probs(reference, &sequences(&batch), 1.0, 4, 1).unwrap();
    assert_eq!(
        of_reference,
        log_probs(&base, &sequences(&batch), 1.0, 4, 1).unwrap()
    );
    assert_eq!(
        before,
        log_probs(&policy, &sequences(&batch), 1.0, 4, 1).unwrap()
    );
}

#[test]
fn a_trained_adapter_is_part_of_the_reference() {
    let base = decoder(2);
    let mut policy = LoraConfig::new(4, 8.0).attach(base.clone(), 3).unwrap();
    let mut optimizer: Optimizer = OptimizerConfig::default().init();
    let batch = examples(0, 16);
    let sequences = sequences(&batch);
    let chunks = [&sequences[..]];
    let done = prime_policy::accumulate_gradients(&policy, &chunks, 1, |model, chunk| {
        let device = burn::module::Module::devices(model)[0].clone();
        let batch = prime_policy::SequenceBatch::new(chunk, 12, &device)?;
        let statistics = prime_policy::token_statistics(model, &batch, 1.0);
        Ok((statistics.log_probs.sum(), ()))
    });
    policy = optimizer
        .step(policy, done.unwrap().gradients, 0.05)
        .unwrap()
        .0;
    let of = |model: &Decoder| log_probs(model, &sequences, 1.0, 4, 1).unwrap();
    assert_ne!(of(&policy), of(&base), "the adapter is trained");
    let mut prm = ImplicitPrm::new(&policy, config()).unwrap();
    assert_eq!(of(prm.reference().unwrap()), of(&policy));
    let rewards = step(&mut prm, &batch);
    assert!(rewards.iter().flatten().all(|&r| r == 0.0));
    assert_eq!(
        of(prm.reference().unwrap()),
        of(&policy),
        "it never changes"
    );
}
