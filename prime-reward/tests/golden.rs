//! The implicit PRM against values computed by the reference implementations (`golden/prm.json` names them), with a
//! language model that this crate has never heard of.

mod bigram;

use bigram::Bigram;
use burn::tensor::{Device, Tensor, TensorData};
use prime_policy::{
    GenerationRequest, OptimizerConfig, SamplingConfig, Sequence, generate, log_probs,
};
use prime_reward::{
    Granularity, ImplicitPrm, PrmConfig, PrmLoss, PrmStep, Rollout, TokenRewardConfig, UpdateOrder,
    pair_accuracy, sign_accuracy,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

const TOLERANCE: f64 = 1e-5;

/// One reference case.
struct Case {
    name: &'static str,
    json: Value,
}

impl Case {
    fn load(name: &'static str) -> Self {
        let file: Value = serde_json::from_str(include_str!("golden/prm.json")).unwrap();
        let cases = file["cases"].as_array().unwrap();
        let json = cases.iter().find(|case| case["name"] == name);
        Self {
            name,
            json: json.unwrap_or_else(|| panic!("no case {name}")).clone(),
        }
    }

    fn input<T: DeserializeOwned>(&self, field: &str) -> T {
        self.get(&format!("/inputs/{field}"))
    }

    fn expected<T: DeserializeOwned>(&self, field: &str) -> T {
        self.get(&format!("/expected/{field}"))
    }

    fn get<T: DeserializeOwned>(&self, pointer: &str) -> T {
        let value = self
            .json
            .pointer(pointer)
            .unwrap_or_else(|| panic!("{}: no {pointer}", self.name));
        serde_json::from_value(value.clone())
            .unwrap_or_else(|e| panic!("{}{pointer}: {e}", self.name))
    }

    /// Equal to 1e-5 of the largest value expected.
    fn assert_close(&self, what: &str, found: &[f64], expected: &[f64]) {
        assert_eq!(
            found.len(),
            expected.len(),
            "{}: length of {what}",
            self.name
        );
        let scale = expected.iter().fold(0.0f64, |scale, x| scale.max(x.abs()));
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!(
                (found - expected).abs() <= TOLERANCE * scale,
                "{}: {what}[{i}] is {found}, expected {expected}",
                self.name
            );
        }
    }

    fn model(&self, field: &str) -> Bigram {
        Bigram::new(
            &self.input::<Vec<Vec<f32>>>(field),
            &Device::flex().autodiff(),
        )
    }

    /// Prompts and responses, without the padding on either side.
    fn tokens(&self) -> Vec<(Vec<u32>, Vec<u32>)> {
        let (ids, mask): (Vec<Vec<u32>>, Vec<Vec<u8>>) =
            (self.input("input_ids"), self.input("attention_mask"));
        let split: usize = self.input("prompt_length");
        let real = |row: &[u32], mask: &[u8]| -> Vec<u32> {
            row.iter()
                .zip(mask)
                .filter(|(_, m)| **m == 1)
                .map(|(id, _)| *id)
                .collect()
        };
        ids.iter()
            .zip(&mask)
            .map(|(ids, m)| {
                (
                    real(&ids[..split], &m[..split]),
                    real(&ids[split..], &m[split..]),
                )
            })
            .collect()
    }

    fn prm(&self, config: PrmConfig) -> ImplicitPrm<Bigram> {
        let (start, reference) = (
            self.model("prm_bigram_logits"),
            self.model("ref_bigram_logits"),
        );
        ImplicitPrm::with_start(&start, &reference, config).unwrap()
    }

    fn step(&self, prm: &mut ImplicitPrm<Bigram>) -> PrmStep {
        let (tokens, labels): (_, Vec<f32>) = (self.tokens(), self.input("acc"));
        let rollouts: Vec<Rollout<'_>> = tokens
            .iter()
            .zip(labels)
            .map(|((prompt, response), label)| Rollout {
                sequence: Sequence { prompt, response },
                label,
                policy_log_probs: &[],
            })
            .collect();
        prm.step(&rollouts).unwrap()
    }

    /// Rewards of an untrained PRM.
    fn rewards(&self, beta: f32, granularity: Granularity) -> Vec<Vec<f32>> {
        let reward = TokenRewardConfig {
            beta,
            granularity,
            ..TokenRewardConfig::default()
        };
        let mut prm = self.prm(PrmConfig {
            reward,
            update: UpdateOrder::None,
            ..PrmConfig::default()
        });
        self.step(&mut prm).rewards
    }

    /// Compares rewards with a padded matrix; all but each response's last token if the reference drops it.
    fn assert_rewards(&self, found: &[Vec<f32>], expected: &[Vec<f64>], last_dropped: bool) {
        for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
            let compared = found.len() - usize::from(last_dropped);
            let found: Vec<f64> = found[..compared].iter().map(|&r| f64::from(r)).collect();
            self.assert_close(
                &format!("rewards of row {row}"),
                &found,
                &expected[..compared],
            );
            assert!(
                expected[compared..].iter().all(|&r| r == 0.0),
                "{}: row {row}",
                self.name
            );
        }
    }

    /// Settings of an update case.
    fn update_config(&self, update: UpdateOrder, threads: usize) -> PrmConfig {
        let betas: Vec<f32> = self.input("optimizer/betas");
        PrmConfig {
            reward: TokenRewardConfig {
                beta: self.input("beta"),
                ..TokenRewardConfig::default()
            },
            update,
            lr: self.input("optimizer/lr"),
            optimizer: OptimizerConfig {
                beta1: betas[0],
                beta2: betas[1],
                eps: self.input("optimizer/eps"),
                weight_decay: self.input("optimizer/weight_decay"),
                grad_clip: 10.0,
            },
            mini_batch_size: self.input("mini_batch_size"),
            micro_batch_size: self.input("micro_batch_size"),
            threads,
            ..PrmConfig::default()
        }
    }

    fn assert_parameters(&self, prm: &ImplicitPrm<Bigram>) {
        let found: Vec<f64> = prm.model().table().into_iter().map(f64::from).collect();
        let expected: Vec<Vec<f64>> = self.expected("prm_bigram_logits_after");
        self.assert_close("updated parameters", &found, &expected.concat());
    }
}

/// The reference's `batch_norm` on top of dropped last tokens: divides by the largest |return| of the batch.
fn drop_last_and_normalise(rewards: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let kept: Vec<&[f32]> = rewards.iter().map(|r| &r[..r.len() - 1]).collect();
    let largest = |row: &&[f32]| {
        let returns = row.iter().rev().scan(0.0f32, |sum, r| {
            *sum += r;
            Some(sum.abs())
        });
        returns.fold(0.0, f32::max)
    };
    let scale = kept.iter().map(largest).fold(0.0, f32::max) + 1e-6;
    let normalised = |row: &[f32]| row.iter().map(|r| r / scale).chain([0.0]).collect();
    kept.into_iter().map(normalised).collect()
}

#[test]
fn token_rewards_of_the_recipe() {
    let case = Case::load("implicit_reward.recipe.token.lambda0.norm_none");
    let found = case.rewards(case.input("beta"), Granularity::Token);
    case.assert_rewards(
        &found,
        &case.expected::<Vec<Vec<f64>>>("token_level_score"),
        true,
    );
}

#[test]
fn rewards_of_the_authors_trainer_have_no_beta() {
    for (name, granularity) in [
        ("implicit_reward.orig.token", Granularity::Token),
        ("implicit_reward.orig.whole", Granularity::Whole),
    ] {
        let case = Case::load(name);
        let found = case.rewards(1.0, granularity);
        case.assert_rewards(
            &found,
            &case.expected::<Vec<Vec<f64>>>("token_level_score"),
            false,
        );
    }
}

#[test]
fn one_adamw_step() {
    let case = Case::load("prm_update.recipe.ce.one_adamw_step");
    for (update, field) in [
        (UpdateOrder::After, "scores_during_update"),
        (UpdateOrder::Before, "scores_after_update"),
    ] {
        let mut prm = case.prm(case.update_config(update, 2));
        let step = case.step(&mut prm);
        case.assert_parameters(&prm);
        // The reference logs one loss per micro-batch and trains on their mean.
        let losses: Vec<f64> = case.expected("metrics/reward_model~1dpo_loss");
        case.assert_close("loss", &step.losses, &[losses.iter().sum::<f64>() / 2.0]);
        let norms: Vec<f64> = case.expected("metrics/reward_model~1grad_norm");
        case.assert_close("gradient norm", &step.grad_norms, &norms);
        let normalised = drop_last_and_normalise(&step.rewards);
        case.assert_rewards(&normalised, &case.expected::<Vec<Vec<f64>>>(field), false);
    }
    // The same scores with their last token and without the normalisation.
    let mut prm = case.prm(case.update_config(UpdateOrder::Before, 1));
    let beta: f64 = case.input("beta");
    let q: Vec<Vec<f64>> = case.expected("q_after");
    let expected: Vec<Vec<f64>> = q
        .iter()
        .map(|row| row.iter().map(|q| beta * q).collect())
        .collect();
    case.assert_rewards(&case.step(&mut prm).rewards, &expected, false);
}

#[test]
fn the_second_mini_batch_is_scored_by_an_updated_prm() {
    let case = Case::load("prm_update.recipe.ce.two_minibatches");
    let mut prm = case.prm(case.update_config(UpdateOrder::After, 1));
    let step = case.step(&mut prm);
    case.assert_parameters(&prm);
    let losses: Vec<f64> = case.expected("metrics/reward_model~1dpo_loss");
    case.assert_close("losses", &step.losses, &losses);
    let norms: Vec<f64> = case.expected("metrics/reward_model~1grad_norm");
    case.assert_close("gradient norms", &step.grad_norms, &norms);
    let expected: Vec<Vec<f64>> = case.expected("scores_during_update");
    case.assert_rewards(&step.rewards, &expected, true);
    let sums: Vec<f64> = step
        .rewards
        .iter()
        .map(|r| r.iter().map(|&r| f64::from(r)).sum())
        .collect();
    case.assert_close(
        "scores before the update",
        &step.scores_before_update,
        &sums,
    );
}

#[test]
fn cross_entropy_and_its_gradient() {
    for name in ["prm_loss.ce.hard", "prm_loss.ce.soft"] {
        let case = Case::load(name);
        let (q, mask): (Vec<Vec<f32>>, Vec<Vec<f32>>) = (case.input("q"), case.input("mask"));
        let [rows, time] = [q.len(), q[0].len()];
        let plain = Device::flex();
        let tensor = |values: Vec<f32>, columns: usize, device: &Device| {
            Tensor::<2>::from_data(TensorData::new(values, [rows, columns]), device)
        };
        let q = tensor(q.concat(), time, &plain.clone().autodiff()).require_grad();
        let sums = (q.clone() * tensor(mask.concat(), time, &plain)).sum_dim(1);
        let labels = tensor(case.input("acc"), 1, &plain);
        let objective = PrmLoss::Ce.build();
        assert_eq!(objective.name(), "ce");
        let loss = objective.per_response(sums, labels, case.input("beta"));
        assert_eq!(loss.dims(), [rows, 1], "{name}");
        let loss = loss.mean();
        let value = f64::from(loss.clone().inner().into_scalar::<f32>());
        case.assert_close("loss", &[value], &[case.expected("loss")]);
        let gradient = q.grad(&loss.backward()).unwrap().into_data();
        let found: Vec<f64> = gradient.iter::<f32>().map(f64::from).collect();
        let expected: Vec<Vec<f64>> = case.expected("grad_q");
        case.assert_close("gradient", &found, &expected.concat());
    }
}

#[test]
fn agreement_of_scores_with_labels() {
    let case = Case::load("metric.dpo_accuracy");
    let (scores, mask): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (case.input("scores"), case.input("mask"));
    let labels: Vec<f32> = case.input("acc");
    let scored: Vec<(f64, f32)> = scores
        .iter()
        .zip(&mask)
        .map(|(scores, mask)| scores.iter().zip(mask).map(|(s, m)| s * m).sum())
        .zip(labels)
        .collect();
    let groups: Vec<Vec<(f64, f32)>> = scored
        .chunks(case.input("n_samples"))
        .map(<[_]>::to_vec)
        .collect();
    case.assert_close(
        "dpo_acc",
        &[pair_accuracy(&groups).unwrap()],
        &[case.expected("dpo_acc")],
    );
    let signs = sign_accuracy(scored).unwrap();
    case.assert_close("dpo_acc_abs", &[signs], &[case.expected("dpo_acc_abs")]);
}

#[test]
fn the_users_module_samples_what_it_scores() {
    let case = Case::load("implicit_reward.orig.token");
    let model = case.model("prm_bigram_logits");
    let sampling = SamplingConfig {
        max_new_tokens: 8,
        ..SamplingConfig::default()
    };
    let prompts: [&[u32]; 2] = [&[1, 4], &[3]];
    let groups = generate(
        &model,
        &GenerationRequest {
            samples: 4,
            stop: &[0],
            seed: 1,
            rows_per_batch: 3,
            ..GenerationRequest::new(&prompts, &sampling)
        },
    )
    .unwrap();
    for (prompt, group) in prompts.iter().zip(&groups) {
        for response in group {
            let sequence = Sequence {
                prompt,
                response: &response.tokens,
            };
            let scored = log_probs(&model, &[sequence], 1.0, 1, 1).unwrap();
            let (sampled, scored) = (&response.log_probs, &scored[0]);
            assert_eq!(sampled.len(), scored.len());
            assert!(
                sampled
                    .iter()
                    .zip(scored)
                    .all(|(a, b)| (a - b).abs() < 1e-5)
            );
        }
    }
}
