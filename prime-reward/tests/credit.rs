//! Does it learn? Outcomes in, credit for the token that decided them out.

mod toy;

use prime_reward::{ImplicitPrm, PrmConfig, ReplayConfig, TokenRewardConfig, UpdateOrder, auc};
use toy::{Batch, RIGHT, decoder, examples};

#[test]
fn outcomes_alone_teach_which_token_matters() {
    let config = PrmConfig {
        reward: TokenRewardConfig {
            beta: 0.5,
            ..TokenRewardConfig::default()
        },
        lr: 1e-2,
        micro_batch_size: 16,
        replay: Some(ReplayConfig {
            steps: 4,
            mini_batches: 2,
            batch_size: 16,
        }),
        update: UpdateOrder::After,
        ..PrmConfig::default()
    };
    let mut prm = ImplicitPrm::new(&decoder(1), config).unwrap();
    let mut losses = vec![];
    for step in 0..60 {
        let data = examples(step, 16);
        losses.extend(prm.step(&Batch::of(&data).rollouts()).unwrap().losses);
    }
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let last = mean(&losses[110..]);
    assert!(
        (losses[0] - std::f64::consts::LN_2).abs() < 1e-6,
        "a fresh PRM knows nothing: {losses:?}"
    );
    assert!(last < 0.5, "mean loss of the last ten updates is {last}");

    let fresh = examples(1000, 200);
    let rewards = prm.score(&Batch::of(&fresh).sequences(), &[]).unwrap();
    let scored: Vec<(f32, bool)> = rewards
        .iter()
        .zip(&fresh)
        .map(|(r, e)| (r.iter().sum(), e.label == 1.0))
        .collect();
    let area = auc(&scored).unwrap();
    let right: Vec<_> = fresh
        .iter()
        .zip(&rewards)
        .filter(|(e, _)| e.label == 1.0)
        .collect();
    let credited = right.iter().filter(|(example, rewards)| {
        let best = (0..rewards.len()).max_by(|&a, &b| rewards[a].total_cmp(&rewards[b]));
        best.is_some_and(|best| example.response[best] == RIGHT)
    });
    let share = credited.count() as f64 / right.len() as f64;
    assert!(right.len() > 50 && right.len() < 150);
    assert!(area > 0.9, "AUC {area}");
    assert!(
        share > 0.8,
        "token {RIGHT} is the best paid in {share} of the right responses only"
    );
}
