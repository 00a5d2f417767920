//! Every estimator against the numbers of verl and of the authors' trainer.

mod common;

use common::golden::{Case, Layout, check_all};
use common::run;
use prime_advantage::{
    AdvantageEstimator, Baseline, Gae, Gdpo, Gpg, Grpo, GrpoPassk, Opo, OptimalTokenBaseline,
    PromptGroup, Reinforce, ReinforcePlusPlus, ReinforcePlusPlusBaseline, Remax, Response,
    RewardBatch, Rloo, Singleton,
};

/// What a case's functions read, row by row.
struct Inputs {
    groups: Vec<String>,
    masks: Vec<Vec<bool>>,
    token_rewards: Vec<Vec<f32>>,
    values: Option<Vec<Vec<f32>>>,
    old_log_probs: Option<Vec<Vec<f32>>>,
    sum_pi_squared: Option<Vec<Vec<f32>>>,
    greedy: Option<Vec<f32>>,
}

/// As what a row's token rewards are given.
#[derive(Debug, Clone, Copy)]
enum Given {
    /// Their sum, as the outcome reward: verl puts an outcome at the last token.
    Outcome,
    /// Themselves, as process rewards.
    Tokens,
}

fn cut(rows: &Option<Vec<Vec<f32>>>, row: usize, len: usize) -> Option<&[f32]> {
    rows.as_ref().map(|rows| &rows[row][..len])
}

impl Inputs {
    fn of(case: &Case) -> Self {
        let token_rewards = case.rows("token_level_rewards");
        let one_group = || vec![String::new(); token_rewards.len()];
        Self {
            groups: case.maybe("index").unwrap_or_else(one_group),
            masks: case.masks(),
            values: case.maybe("values"),
            old_log_probs: case.maybe("old_log_probs"),
            sum_pi_squared: case.maybe("sum_pi_squared"),
            greedy: case.maybe("reward_baselines"),
            token_rewards,
        }
    }

    fn response(&self, row: usize, given: Given, layout: Layout) -> Response<'_> {
        let rewards = &self.token_rewards[row];
        let len = layout.len(&self.masks[row]);
        let mut response = match given {
            Given::Outcome => layout.respond(&self.masks[row], rewards.iter().sum()),
            Given::Tokens => layout
                .respond(&self.masks[row], 0.0)
                .with_process_rewards(&rewards[..len]),
        };
        if let Some(values) = cut(&self.values, row, len) {
            response = response.with_values(values);
        }
        if let Some(log_probs) = cut(&self.old_log_probs, row, len) {
            response = response.with_old_log_probs(log_probs);
        }
        if let Some(sums) = cut(&self.sum_pi_squared, row, len) {
            response = response.with_sum_pi_squared(sums);
        }
        response
    }

    /// The rows grouped by their index, in the order asked for, with each row's place.
    fn check(
        &self,
        case: &Case,
        estimator: &dyn AdvantageEstimator,
        given: Given,
        layout: Layout,
        order: &[usize],
    ) {
        let rows = order.iter().map(|&row| {
            let response = self.response(row, given, layout);
            (&self.groups[row], response)
        });
        let (batch, places) = RewardBatch::from_keyed(rows).expect("golden input is valid");
        let mut groups = batch.into_groups();
        if let Some(greedy) = &self.greedy {
            for (&row, place) in order.iter().zip(&places) {
                // Only its reward is known, so that it has no tokens.
                let response = Response::new(0, greedy[row]);
                let group: PromptGroup<'_> = groups[place.group].clone();
                groups[place.group] = group.with_greedy(response).expect("finite");
            }
        }
        let batch = RewardBatch::new(groups).expect("golden input is valid");
        let result = run(estimator, &batch);
        for what in ["advantages", "returns"] {
            if what == "returns" && !case.expects(what) {
                continue;
            }
            let expected: Vec<Vec<f64>> = case.expected(what);
            assert_eq!(expected.len(), order.len(), "{}", case.name());
            for (&row, place) in order.iter().zip(&places) {
                let own = result.response(place.group, place.response);
                let own = own.expect("in range");
                let found = if what == "returns" {
                    own.returns()
                } else {
                    own.advantages()
                };
                let at = format!("{given:?}, {layout:?}: {what}[{row}]");
                case.assert_row(&at, found, &expected[row], &self.masks[row]);
            }
        }
    }
}

/// Every row of the case, padded and ragged, in order and backwards.
fn check(case: &Case, estimator: &dyn AdvantageEstimator, given: Given) {
    let inputs = Inputs::of(case);
    let forwards: Vec<usize> = (0..inputs.masks.len()).collect();
    let backwards: Vec<usize> = forwards.iter().rev().copied().collect();
    for layout in Layout::BOTH {
        inputs.check(case, estimator, given, layout, &forwards);
        inputs.check(case, estimator, given, layout, &backwards);
    }
}

/// For estimators that read both kinds of rewards.
fn check_both(case: &Case, estimator: &dyn AdvantageEstimator) {
    check(case, estimator, Given::Outcome);
    check(case, estimator, Given::Tokens);
}

/// `raw` is verl's group of one: mean 0 and, where it divides, deviation 1.
const RAW: Singleton = Singleton::Raw;

fn grpo(case: &Case) {
    let estimator = Grpo::default()
        .with_singleton(RAW)
        .with_epsilon(case.maybe("epsilon").unwrap_or(1e-6))
        .with_normalize_by_std(case.maybe("norm_adv_by_std_in_grpo").unwrap_or(true));
    check(case, &estimator, Given::Outcome);
}

fn dr_grpo(case: &Case) {
    grpo(case);
    // Under its other name a group of one gets 0.0, so that the last row is left out.
    let inputs = Inputs::of(case);
    let same = Reinforce::default().with_baseline(Baseline::GroupMean);
    let (single, order) = (5, [0, 1, 2, 3, 4]);
    assert_eq!(inputs.groups[single], "c");
    let rows = order.map(|row| {
        let response = inputs.response(row, Given::Outcome, Layout::Padded);
        (&inputs.groups[row], response)
    });
    let (batch, places) = RewardBatch::from_keyed(rows).expect("golden input is valid");
    let expected: Vec<Vec<f64>> = case.expected("advantages");
    let result = run(&same, &batch);
    for (row, place) in order.into_iter().zip(places) {
        let own = result.response(place.group, place.response);
        let found = own.expect("in range").advantages();
        case.assert_row("reinforce", found, &expected[row], &inputs.masks[row]);
    }
}

fn reinforce_plus_plus(case: &Case) {
    let estimator = ReinforcePlusPlus::default().with_gamma(case.number("gamma"));
    check(case, &estimator, Given::Tokens);
}

fn gae(case: &Case) {
    let estimator = Gae::new(case.number("gamma"), case.number("lam")).with_whiten(true);
    check(case, &estimator, Given::Tokens);
}

fn optimal_token_baseline(case: &Case) {
    let estimator = OptimalTokenBaseline::default()
        .with_singleton(RAW)
        .with_handle_zero_tail(case.input("handle_zero_tail"))
        .with_epsilon(case.number("epsilon"));
    check_both(case, &estimator);
}

#[test]
fn every_golden_case() {
    check_all(
        include_str!("golden/estimators.json"),
        &[
            ("adv.grpo.std", grpo),
            ("adv.grpo.nostd_drgrpo", dr_grpo),
            ("adv.grpo_vectorized", grpo),
            ("adv.grpo_passk.std", |case| {
                check(case, &GrpoPassk::default(), Given::Outcome);
            }),
            ("adv.reinforce_plus_plus_baseline", |case| {
                let estimator = ReinforcePlusPlusBaseline::default().with_singleton(RAW);
                check(case, &estimator, Given::Outcome);
            }),
            ("adv.rloo", |case| {
                check(case, &Rloo::default().with_singleton(RAW), Given::Outcome);
            }),
            ("adv.rloo_vectorized", |case| {
                let estimator = Rloo::default().with_singleton(Singleton::Zero);
                check(case, &estimator, Given::Outcome);
            }),
            ("adv.opo", |case| {
                check(case, &Opo::default().with_singleton(RAW), Given::Outcome);
            }),
            ("adv.reinforce_plus_plus.gamma1", reinforce_plus_plus),
            ("adv.reinforce_plus_plus.gamma0.9", reinforce_plus_plus),
            ("adv.remax", |case| check_both(case, &Remax::default())),
            ("adv.gpg", |case| {
                let estimator = Gpg::default()
                    .with_singleton(RAW)
                    .with_f_norm(case.number("f_norm"));
                check(case, &estimator, Given::Outcome);
            }),
            ("adv.gdpo.single_reward_fallback", |case| {
                check(case, &Gdpo::default().with_singleton(RAW), Given::Outcome);
            }),
            ("adv.gae.plain.g1_l1", gae),
            ("adv.gae.plain.g0.99_l0.95", gae),
            ("adv.gae.observation_gap.g1_l1", gae),
            ("adv.gae.observation_gap.g0.99_l0.95", gae),
            ("adv.gae.orig", gae),
            (
                "adv.optimal_token_baseline.zero_tail_False",
                optimal_token_baseline,
            ),
            (
                "adv.optimal_token_baseline.zero_tail_True",
                optimal_token_baseline,
            ),
        ],
    );
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
    let estimator = Reinforce::default().with_baseline(Baseline::BatchMean);
    let found = run(&estimator, &batch);
    assert_eq!(found.advantages(), [0.5, 0.5, -0.5, 0.0, 0.0, 0.0]);
}
