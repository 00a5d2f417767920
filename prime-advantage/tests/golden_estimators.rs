//! GRPO, RLOO and GAE against verl's and the authors' numbers.

mod common;

use common::{Case, advantages, assert_close, assert_rows, cases, returns, run};
use prime_advantage::{
    AdvantageEstimator, Gae, Grpo, PromptGroup, Reinforce, Response, RewardBatch, Rloo,
};

/// Cases whose input is one score per response, in named groups.
fn check_outcome(case: &Case, estimator: &dyn AdvantageEstimator, single: Single) {
    let name = case.name();
    let masks = case.masks();
    let outcomes: Vec<f32> = case
        .rows("token_level_rewards")
        .iter()
        .map(|row| row.iter().sum())
        .collect();
    let index: Vec<&str> = case
        .input("index")
        .as_array()
        .expect("names")
        .iter()
        .map(|i| i.as_str().expect("a name"))
        .collect();
    let expected = case.expected("advantages");

    let mut names = index.clone();
    names.dedup(); // groups are contiguous in these cases
    let members: Vec<Vec<usize>> = names
        .iter()
        .map(|n| (0..index.len()).filter(|&i| index[i] == *n).collect())
        .collect();
    let kept: Vec<_> = members
        .iter()
        .filter(|m| m.len() > 1 || single == Single::Zero)
        .collect();
    let groups = kept.iter().map(|m| {
        m.iter()
            .map(|&i| Response::new(masks[i].len(), outcomes[i]).with_mask(&masks[i]))
            .collect()
    });
    let batch = RewardBatch::from_responses(groups.collect()).expect("golden input is valid");
    let result = run(estimator, &batch);

    let mut singles = 0;
    for (g, members) in kept.iter().enumerate() {
        for (i, &row) in members.iter().enumerate() {
            let found = result.response(g, i).expect("in range").advantages();
            if members.len() == 1 {
                singles += 1;
                assert!(
                    found.iter().all(|&a| a == 0.0),
                    "{name}: a group of one gets 0.0"
                );
                continue;
            }
            assert_rows(
                name,
                &format!("advantages of row {row}"),
                &[found],
                &expected[row..=row],
                &masks[row..=row],
            );
        }
    }
    assert_eq!(singles, usize::from(single == Single::Zero), "{name}");
}

/// verl gives a group of one its raw score (or 0 in one variant). Ours, on
/// purpose: GRPO gives 0.0, RLOO refuses the group.
#[derive(Clone, Copy, PartialEq)]
enum Single {
    Zero,
    LeftOut,
}

fn check_gae(case: &Case) {
    let (rewards, values, masks) = (
        case.rows("token_level_rewards"),
        case.rows("values"),
        case.masks(),
    );
    let gae = Gae {
        gamma: case.number("gamma"),
        lam: case.number("lam"),
        whiten: true,
    };
    let responses: Vec<_> = (0..rewards.len())
        .map(|i| {
            let n = rewards[i].len();
            Response::new(n, 0.0)
                .with_process_rewards(&rewards[i])
                .with_values(&values[i])
                .with_mask(&masks[i])
        })
        .collect();
    let batch = RewardBatch::from_responses(vec![responses]).expect("golden input is valid");
    let result = run(&gae, &batch);
    assert_rows(
        case.name(),
        "advantages",
        &advantages(&result),
        &case.expected("advantages"),
        &masks,
    );
    assert_rows(
        case.name(),
        "returns",
        &returns(&result),
        &case.expected("returns"),
        &masks,
    );
}

#[test]
fn every_golden_case() {
    let cases = cases(include_str!("golden/estimators.json"));
    assert_eq!(cases.len(), 10);
    for case in &cases {
        let grpo = Grpo::default();
        let plain = Grpo {
            normalize_by_std: false,
            ..grpo
        };
        match case.name() {
            "adv.grpo.std" | "adv.grpo_vectorized" => check_outcome(case, &grpo, Single::Zero),
            "adv.grpo.nostd_drgrpo" => {
                check_outcome(case, &plain, Single::Zero);
                let same = Reinforce {
                    baseline: prime_advantage::Baseline::GroupMean,
                };
                check_outcome(case, &same, Single::Zero);
            }
            "adv.rloo" | "adv.rloo_vectorized" => check_outcome(case, &Rloo {}, Single::LeftOut),
            name if name.starts_with("adv.gae.") => check_gae(case),
            name => panic!("golden case {name} is not covered"),
        }
    }
}

/// By hand, because no reference has a batch-mean baseline or process-only groups.
#[test]
fn batch_mean_leaves_process_only_groups_out() {
    let outcome = PromptGroup::new(common::group(&[2, 1], &[1.0, 0.0])).expect("valid");
    let dropped = PromptGroup::new(common::group(&[1, 1], &[1.0, 1.0]))
        .expect("valid")
        .process_only();
    let one = PromptGroup::new(common::group(&[1], &[0.5])).expect("valid");
    let batch = RewardBatch::new(vec![outcome, dropped, one]).expect("valid");
    let baseline = prime_advantage::Baseline::BatchMean;
    let result = run(&Reinforce { baseline }, &batch);
    let expected = [0.5, 0.5, -0.5, 0.0, 0.0, 0.0];
    for (t, (&found, &expected)) in result.advantages().iter().zip(&expected).enumerate() {
        assert_close("batch_mean", &format!("token {t}"), found, expected);
    }
}
