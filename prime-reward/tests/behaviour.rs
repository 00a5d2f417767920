//! What the implicit PRM promises whatever the numbers are, on the crate's own decoder.

mod toy;

use burn::module::Module;
use burn::tensor::Device;
use prime_policy::{
    Decoder, DecoderConfig, OptimizerConfig, load_weights, log_probs, save_weights,
};
use prime_reward::{
    ImplicitPrm, PrmConfig, Reference, ReplayConfig, RewardError, TokenRewardConfig, UpdateOrder,
};
use toy::{Batch, Example, decoder, examples};

fn config() -> PrmConfig {
    PrmConfig {
        reward: TokenRewardConfig {
            beta: 0.5,
            ..TokenRewardConfig::default()
        },
        lr: 1e-2,
        micro_batch_size: 4,
        ..PrmConfig::default()
    }
}

fn replay() -> Option<ReplayConfig> {
    Some(ReplayConfig {
        steps: 3,
        mini_batches: 2,
        batch_size: 7,
    })
}

/// All that a step reports, as bits.
fn bits(steps: &[prime_reward::PrmStep]) -> Vec<u64> {
    let of_step = |step: &prime_reward::PrmStep| {
        let rewards = step
            .rewards
            .iter()
            .flatten()
            .map(|&r| f64::from(r))
            .collect::<Vec<_>>();
        [
            rewards,
            step.scores_before_update.clone(),
            step.losses.clone(),
            step.grad_norms.clone(),
        ]
        .concat()
    };
    steps.iter().flat_map(of_step).map(f64::to_bits).collect()
}

fn close(a: &[Vec<f32>], b: &[Vec<f32>]) -> bool {
    a.iter()
        .flatten()
        .zip(b.iter().flatten())
        .all(|(a, b)| (a - b).abs() < 1e-5)
}

#[test]
fn a_fresh_prm_rewards_nothing() {
    let start = decoder(1);
    let data = examples(0, 10);
    // Micro-batches of 4 in mini-batches of 6 and 4: the update's forward passes are cut differently from the
    // reference's.
    for (update, mini_batch_size, passes, exact, updates) in [
        (UpdateOrder::None, 0, 1, 10, 0),
        (UpdateOrder::After, 0, 1, 10, 1),
        (UpdateOrder::After, 0, 3, 10, 3),
        (UpdateOrder::After, 6, 1, 6, 2),
        (UpdateOrder::After, 6, 2, 6, 4),
    ] {
        let config = PrmConfig {
            update,
            mini_batch_size,
            passes,
            ..config()
        };
        let mut prm = ImplicitPrm::new(&start, config).unwrap();
        let step = prm.step(&Batch::of(&data).rollouts()).unwrap();
        for (row, rewards) in step.rewards.iter().enumerate() {
            assert_eq!(rewards.len(), data[row].response.len());
            let zero = rewards.iter().all(|&r| r == 0.0);
            assert_eq!(
                zero,
                row < exact,
                "{update:?}, {mini_batch_size}, row {row}: {rewards:?}"
            );
        }
        assert_eq!(step.losses.len(), updates);
        assert_eq!(step.grad_norms.len(), updates);
    }
}

#[test]
fn before_scores_with_what_after_has_just_learned() {
    let start = decoder(2);
    let data = examples(0, 9);
    let batch = Batch::of(&data);
    for replay in [None, replay()] {
        let run = |update| {
            let mut prm = ImplicitPrm::new(
                &start,
                PrmConfig {
                    update,
                    replay,
                    ..config()
                },
            )
            .unwrap();
            let step = prm.step(&batch.rollouts()).unwrap();
            (prm, step)
        };
        let (after, first) = run(UpdateOrder::After);
        let (before, rescored) = run(UpdateOrder::Before);
        assert!(first.rewards.iter().flatten().all(|&r| r == 0.0));
        assert!(rescored.rewards.iter().flatten().any(|&r| r != 0.0));
        assert_eq!(
            after.score(&batch.sequences(), &[]).unwrap(),
            rescored.rewards
        );
        assert_eq!(
            before.score(&batch.sequences(), &[]).unwrap(),
            rescored.rewards
        );
        assert_eq!(first.losses, rescored.losses);
        assert!(rescored.scores_before_update.iter().all(|&s| s == 0.0));
        for step in [&first, &rescored] {
            assert!(
                step.rewards_before_update
                    .iter()
                    .flatten()
                    .all(|&r| r == 0.0)
            );
        }
    }
}

#[test]
fn threads_change_no_bit() {
    let start = decoder(3);
    let run = |threads| -> Vec<u64> {
        let config = PrmConfig {
            threads,
            mini_batch_size: 5,
            passes: 2,
            update: UpdateOrder::Before,
            ..config()
        };
        let mut prm = ImplicitPrm::new(&start, config).unwrap();
        let steps = [0, 1].map(|step| {
            prm.step(&Batch::of(&examples(step, 11)).rollouts())
                .unwrap()
        });
        bits(&steps)
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn micro_batches_change_rounding_only() {
    let start = decoder(4);
    let data = examples(0, 12);
    let run = |micro_batch_size, micro_batch_tokens| {
        let config = PrmConfig {
            micro_batch_size,
            micro_batch_tokens,
            update: UpdateOrder::Before,
            lr: 1e-3,
            ..config()
        };
        let mut prm = ImplicitPrm::new(&start, config).unwrap();
        prm.step(&Batch::of(&data).rollouts()).unwrap()
    };
    let whole = run(12, 0);
    for (size, tokens) in [(1, 0), (5, 0), (12, 1), (12, 25), (1, 10_000)] {
        let parts = run(size, tokens);
        assert!(close(&whole.rewards, &parts.rewards), "{size}, {tokens}");
        assert!(
            close(&whole.rewards_before_update, &parts.rewards_before_update),
            "{size}, {tokens}"
        );
        if tokens > 0 {
            assert!(parts.padding.tokens > 0 && parts.padding.waste() < 0.1);
        }
        assert!((whole.losses[0] - parts.losses[0]).abs() < 1e-5);
        assert!((whole.grad_norms[0] / parts.grad_norms[0] - 1.0).abs() < 1e-5);
    }
}

#[test]
fn the_policy_as_reference_speaks_through_its_log_probs() {
    let start = decoder(5);
    let data = examples(0, 6);
    let batch = Batch::of(&data);
    let given: Vec<Vec<f32>> = data
        .iter()
        .map(|e| e.response.iter().map(|&id| -0.1 * id as f32).collect())
        .collect();
    let beta = config().reward.beta;
    let own = log_probs(&start, &batch.sequences(), 1.0, 4, 1).unwrap();
    let expected: Vec<Vec<f32>> = own
        .iter()
        .zip(&given)
        .map(|(own, given)| own.iter().zip(given).map(|(o, g)| beta * (o - g)).collect())
        .collect();

    // Rewards against the policy, the loss against the frozen start.
    let anchored = PrmConfig {
        reward_reference: Reference::Policy,
        ..config()
    };
    let mut prm = ImplicitPrm::new(&start, anchored.clone()).unwrap();
    assert!(prm.reference().is_some());
    let step = prm.step(&batch.rollouts_with(&given)).unwrap();
    assert!(close(&step.rewards, &expected));
    assert!(step.scores_before_update.iter().all(|&s| s == 0.0));
    let plain = ImplicitPrm::new(&start, config())
        .unwrap()
        .step(&batch.rollouts())
        .unwrap();
    assert_eq!(plain.losses, step.losses);

    // Everything against the policy: no frozen model is kept.
    let both = PrmConfig {
        reference: Reference::Policy,
        ..anchored
    };
    let mut prm = ImplicitPrm::new(&start, both).unwrap();
    assert!(prm.reference().is_none());
    let step = prm.step(&batch.rollouts_with(&given)).unwrap();
    assert!(close(&step.rewards, &expected));
    for (score, rewards) in step.scores_before_update.iter().zip(&expected) {
        assert!((score - rewards.iter().map(|&r| f64::from(r)).sum::<f64>()).abs() < 1e-4);
    }
    assert_ne!(plain.losses, step.losses);
}

#[test]
fn positive_rewards_are_cut_and_negative_ones_kept() {
    let start = decoder(6);
    let run = |positive_clip| {
        let reward = TokenRewardConfig {
            positive_clip,
            ..config().reward
        };
        let config = PrmConfig {
            reward,
            update: UpdateOrder::Before,
            ..config()
        };
        let data = examples(0, 16);
        ImplicitPrm::new(&start, config)
            .unwrap()
            .step(&Batch::of(&data).rollouts())
            .unwrap()
            .rewards
    };
    let clip = 0.01;
    let (free, cut) = (run(None), run(Some(clip)));
    let expected: Vec<Vec<f32>> = free
        .iter()
        .map(|r| r.iter().map(|&r| r.min(clip)).collect())
        .collect();
    assert_eq!(cut, expected);
    assert!(free.iter().flatten().any(|&r| r > clip) && free.iter().flatten().any(|&r| r < -clip));
}

#[test]
fn bad_input_is_refused_by_name() {
    let start = decoder(7);
    let data = examples(0, 3);
    let batch = Batch::of(&data);
    let mut prm = ImplicitPrm::new(&start, config()).unwrap();
    let untouched = prm.log_probs(&batch.sequences()).unwrap();
    assert!(matches!(prm.step(&[]), Err(RewardError::Empty)));
    for label in [1.5, -0.1, f32::NAN] {
        let mut rollouts = batch.rollouts();
        rollouts[2].label = label;
        let error = prm.step(&rollouts).unwrap_err();
        assert!(
            matches!(error, RewardError::Label { rollout: 2, .. }),
            "{error}"
        );
    }
    let outside = [Example {
        prompt: vec![1],
        response: vec![99],
        label: 1.0,
    }];
    let error = prm.step(&Batch::of(&outside).rollouts()).unwrap_err();
    assert!(error.to_string().contains("token 99"), "{error}");

    let anchored = PrmConfig {
        reward_reference: Reference::Policy,
        ..config()
    };
    let mut against_policy = ImplicitPrm::new(&start, anchored).unwrap();
    let mut given = untouched.clone();
    let _ = given[1].pop();
    let error = against_policy
        .step(&batch.rollouts_with(&given))
        .unwrap_err();
    assert!(
        matches!(error, RewardError::LengthMismatch { rollout: 1, .. }),
        "{error}"
    );
    given[1].push(f32::NAN);
    let error = against_policy
        .step(&batch.rollouts_with(&given))
        .unwrap_err();
    assert!(
        matches!(error, RewardError::NotFinite { rollout: 1, .. }),
        "{error}"
    );
    for given in [&[][..], &[&[0.0][..]; 4]] {
        let error = against_policy.score(&batch.sequences(), given).unwrap_err();
        assert!(
            matches!(error, RewardError::CountMismatch { expected: 3, .. }),
            "{error}"
        );
    }
    assert_eq!(
        prm.log_probs(&batch.sequences()).unwrap(),
        untouched,
        "errors must not teach"
    );
}

#[test]
fn bad_starts_are_refused() {
    let start = decoder(8);
    let frozen = start.valid();
    let error = ImplicitPrm::new(&frozen, config()).unwrap_err();
    assert!(matches!(error, RewardError::NotTrainable), "{error}");
    let offline = PrmConfig {
        update: UpdateOrder::None,
        ..config()
    };
    assert!(ImplicitPrm::new(&frozen, offline).is_ok());
    let other = DecoderConfig::new(5, 8, 8, 1, 2)
        .init(&Device::flex().autodiff())
        .unwrap();
    let error = ImplicitPrm::with_start(&start, &other, config()).unwrap_err();
    assert!(
        matches!(
            error,
            RewardError::Vocabulary {
                start: 12,
                reference: 5
            }
        ),
        "{error}"
    );
}

#[test]
fn bad_settings_are_refused_by_name() {
    let reward = |beta, positive_clip| PrmConfig {
        reward: TokenRewardConfig {
            beta,
            positive_clip,
            ..TokenRewardConfig::default()
        },
        ..config()
    };
    let buffer = |steps, mini_batches, batch_size| PrmConfig {
        replay: Some(ReplayConfig {
            steps,
            mini_batches,
            batch_size,
        }),
        ..config()
    };
    let optimizer = |change: fn(&mut OptimizerConfig)| {
        let mut config = config();
        change(&mut config.optimizer);
        config
    };
    let cases = [
        ("beta", reward(0.0, None)),
        ("beta", reward(f32::NAN, None)),
        ("positive_clip", reward(0.1, Some(-1.0))),
        (
            "lr",
            PrmConfig {
                lr: -1.0,
                ..config()
            },
        ),
        (
            "lr",
            PrmConfig {
                lr: f64::INFINITY,
                ..config()
            },
        ),
        (
            "lr",
            PrmConfig {
                lr: 0.0,
                ..config()
            },
        ),
        (
            "micro_batch_size",
            PrmConfig {
                micro_batch_size: 0,
                ..config()
            },
        ),
        (
            "passes",
            PrmConfig {
                passes: 0,
                ..config()
            },
        ),
        ("replay_steps", buffer(0, 1, 1)),
        ("replay_mini_batches", buffer(1, 0, 1)),
        ("replay_batch_size", buffer(1, 1, 0)),
        ("beta1", optimizer(|o| o.beta1 = 1.0)),
        ("beta2", optimizer(|o| o.beta2 = -0.1)),
        ("eps", optimizer(|o| o.eps = 0.0)),
        ("weight_decay", optimizer(|o| o.weight_decay = f32::NAN)),
        ("grad_clip", optimizer(|o| o.grad_clip = -1.0)),
    ];
    for (expected, config) in cases {
        match config.validate() {
            Err(RewardError::Config { name, .. }) => assert_eq!(name, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
    let offline = PrmConfig {
        lr: 0.0,
        update: UpdateOrder::None,
        ..config()
    };
    assert!(offline.validate().is_ok());
    let json = serde_json::to_string(&config()).unwrap();
    assert_eq!(serde_json::from_str::<PrmConfig>(&json).unwrap(), config());
    assert!(serde_json::from_str::<PrmConfig>(r#"{"learning_rate": 1.0}"#).is_err());
}

#[test]
fn a_resumed_prm_continues_as_if_nothing_had_happened() {
    let start = decoder(9);
    let folder = tempfile::tempdir().unwrap();
    let weights = folder.path().join("model.safetensors");
    for replay in [None, replay()] {
        let config = PrmConfig {
            replay,
            update: UpdateOrder::Before,
            ..config()
        };
        let step = |prm: &mut ImplicitPrm<Decoder>, step| {
            prm.step(&Batch::of(&examples(step, 8)).rollouts()).unwrap()
        };
        let mut unbroken = ImplicitPrm::new(&start, config.clone()).unwrap();
        for number in 0..4 {
            let _ = step(&mut unbroken, number);
        }
        save_weights(unbroken.model(), &weights).unwrap();
        unbroken.save_state(folder.path()).unwrap();
        let expected: Vec<_> = (4..8).map(|number| step(&mut unbroken, number)).collect();

        // As in another process: models built anew, their weights read from files.
        let loaded = load_weights(decoder(77), &weights).unwrap();
        let reference = decoder(9);
        let mut resumed =
            ImplicitPrm::resume(&loaded, &reference, config.clone(), folder.path()).unwrap();
        let found: Vec<_> = (4..8).map(|number| step(&mut resumed, number)).collect();
        assert_eq!(
            bits(&found),
            bits(&expected),
            "replay: {}",
            replay.is_some()
        );

        let mut amnesiac = ImplicitPrm::with_start(&loaded, &reference, config).unwrap();
        let other: Vec<_> = (4..8).map(|number| step(&mut amnesiac, number)).collect();
        assert_ne!(
            bits(&other),
            bits(&expected),
            "the optimiser's memory must matter"
        );
    }
}

#[test]
fn a_state_that_does_not_fit_is_refused() {
    let start = decoder(10);
    let folder = tempfile::tempdir().unwrap();
    let plain = PrmConfig {
        replay: None,
        ..config()
    };
    let error = ImplicitPrm::resume(&start, &start, plain.clone(), folder.path()).unwrap_err();
    assert!(error.to_string().contains("optimizer.bin"), "{error}");
    ImplicitPrm::new(&start, plain.clone())
        .unwrap()
        .save_state(folder.path())
        .unwrap();
    let with_replay = PrmConfig {
        replay: replay(),
        ..plain.clone()
    };
    let error = ImplicitPrm::resume(&start, &start, with_replay, folder.path()).unwrap_err();
    assert!(error.to_string().contains("replay.json"), "{error}");
    let deeper = DecoderConfig::new(12, 16, 32, 2, 2)
        .init(&Device::flex().autodiff())
        .unwrap();
    let error = ImplicitPrm::resume(&deeper, &deeper, plain, folder.path()).unwrap_err();
    assert!(
        error.to_string().contains("optimizer.bin: the model has"),
        "{error}"
    );
}
