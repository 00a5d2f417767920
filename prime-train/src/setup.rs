//! From the configuration's sections to the settings of the crates below.

use std::num::NonZeroUsize;
use std::time::Duration;

use prime_advantage::{
    AdvantageEstimator, Baseline as ReinforceBaseline, Gae, Gpg, Grpo, GrpoPassk,
    LooScaling as AdvantageLooScaling, Opo, Prime, ProcessHalf,
    ProcessNorm as AdvantageProcessNorm, PromptFilter, Reinforce, ReinforcePlusPlus,
    ReinforcePlusPlusBaseline, Rloo, Term,
};
use prime_policy::objective::{
    Cispo, ClipCov, DppoKl, DppoTv, Dro, Gmpo, Gpg as PolicyGpg, Gspo, ImportanceLevel,
    ImportanceWeights, KlCov, KlEstimator as LossKl, LossAggregation, ObjectiveConfig, PpoClip,
    Reinforce as PolicyReinforce, Sapo,
};
use prime_policy::{
    DecoderConfig, Family, MicroBatching, OptimizerConfig, SamplingConfig, Tokenizer,
};
use prime_reward::{
    Granularity as RewardGranularity, LabelPrior as RewardPrior, PrmConfig, PrmLoss, Reference,
    ReplayConfig, TokenRewardConfig, UpdateOrder,
};
use prime_verifier::code::CodeConfig;

use crate::config::{
    Baseline, Config, Estimator, Granularity, KlEstimator, LabelPrior, LooScaling, LossAgg,
    LrSchedule, Objective, PrmReference, PrmTrust, PrmUpdate, ProcessEstimator, ProcessNorm,
    RolloutIs, Schedule,
};

impl Config {
    /// Threads to use: `threads`, or all cores.
    pub fn worker_threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n,
        }
    }

    /// How the policy's sequences are cut into forward passes.
    pub fn micro_batching(&self) -> MicroBatching {
        MicroBatching::new(self.rl.micro_batch_size, self.rl.micro_batch_tokens)
    }

    /// How the warm-up's demonstrations are cut into forward passes: a budget of tokens is that of the model, whoever is
    /// read.
    pub fn warmup_micro_batching(&self) -> MicroBatching {
        if self.warmup.packing {
            return MicroBatching::Packed(self.rl.micro_batch_tokens);
        }
        MicroBatching::new(self.warmup.micro_batch_size, self.rl.micro_batch_tokens)
    }

    /// The shape of a fresh model for a tokenizer.
    pub fn decoder(&self, tokenizer: &Tokenizer) -> DecoderConfig {
        let model = &self.model;
        // Qwen2 always has biases on q, k and v; the same decoder without them is Llama.
        let family = if model.attention_bias {
            Family::Qwen2
        } else {
            Family::Llama
        };
        let mut shape = DecoderConfig::for_family(
            family,
            tokenizer.vocab_size(),
            model.hidden_size,
            model.intermediate_size,
            model.num_hidden_layers,
            model.num_attention_heads,
        );
        shape.num_key_value_heads = model.num_key_value_heads;
        shape.rope_theta = model.rope_theta;
        shape.rms_norm_eps = model.rms_norm_eps;
        shape.tie_word_embeddings = model.tie_word_embeddings;
        shape.initializer_range = model.initializer_range;
        shape.max_position_embeddings = self.data.max_prompt_tokens + self.sampling.max_new_tokens;
        shape.eos_token_id = vec![tokenizer.eos()];
        shape
    }

    /// How programs are graded.
    pub fn code(&self) -> CodeConfig {
        let given = &self.code;
        let mut code = CodeConfig::default();
        code.limits = code
            .limits
            .with_cpu(Duration::from_secs_f64(given.time_limit).max(Duration::from_nanos(1)))
            .with_memory(given.memory_limit_mib << 20);
        code.checker = given.checker;
        code.scoring = given.scoring;
        code.max_tests = NonZeroUsize::new(given.max_tests);
        code.stop_early = given.stop_early;
        code.workers = given.workers;
        code.allow_unsandboxed = given.allow_unsandboxed;
        code
    }

    /// How rollouts are drawn.
    pub fn sampling(&self) -> SamplingConfig {
        SamplingConfig {
            temperature: self.sampling.temperature as f32,
            top_k: self.sampling.top_k,
            top_p: self.sampling.top_p as f32,
            min_p: self.sampling.min_p as f32,
            max_new_tokens: self.sampling.max_new_tokens,
        }
    }

    /// How evaluation responses are drawn.
    pub fn eval_sampling(&self) -> SamplingConfig {
        SamplingConfig {
            temperature: self.eval.temperature as f32,
            max_new_tokens: self.sampling.max_new_tokens,
            ..SamplingConfig::default()
        }
    }

    /// The estimator: [`Prime`], whose process term may be off.
    ///
    /// The process stream that the trainer hands over is already weighted (`advantage.process_coef`, and KL in the
    /// reward), so its coefficient here is 1.
    pub fn estimator(&self, process: bool) -> Prime {
        let advantage = &self.advantage;
        let gae = Gae::new(advantage.gamma, advantage.gae.lam);
        let reward_to_go = |gamma| ReinforcePlusPlus::default().with_gamma(gamma).into();
        let outcome: Term = match advantage.estimator {
            Estimator::Reinforce => Reinforce::default()
                .with_baseline(match advantage.reinforce.baseline {
                    Baseline::None => ReinforceBaseline::None,
                    Baseline::BatchMean => ReinforceBaseline::BatchMean,
                    Baseline::GroupMean => ReinforceBaseline::GroupMean,
                })
                .into(),
            Estimator::Rloo => Rloo::default().into(),
            Estimator::Grpo => Grpo::default()
                .with_normalize_by_std(advantage.grpo.normalize_by_std)
                .into(),
            Estimator::Gae => gae.into(),
            Estimator::Opo => Opo::default().into(),
            Estimator::Gpg => Gpg::default().into(),
            Estimator::GrpoPassk => GrpoPassk::default().into(),
            Estimator::ReinforcePlusPlus => reward_to_go(advantage.gamma),
            Estimator::ReinforcePlusPlusBaseline => ReinforcePlusPlusBaseline::default().into(),
        };
        // A critic predicts the sum of both rewards, so that GAE runs once, on the sum.
        let critic = advantage.estimator == Estimator::Gae;
        let process_term: Term = match advantage.process_estimator {
            _ if critic => gae.into(),
            ProcessEstimator::Reinforce => Reinforce::default().into(),
            ProcessEstimator::Rloo => Rloo::default()
                .with_scaling(match advantage.rloo.loo_scaling {
                    LooScaling::Paper => AdvantageLooScaling::Paper,
                    LooScaling::Code => AdvantageLooScaling::Code,
                })
                .into(),
            ProcessEstimator::Grpo => Grpo::default().into(),
            ProcessEstimator::Opo => Opo::default().into(),
            ProcessEstimator::Gpg => Gpg::default().into(),
            ProcessEstimator::GrpoPassk => GrpoPassk::default().into(),
            ProcessEstimator::ReinforcePlusPlus => reward_to_go(advantage.process_gamma),
            ProcessEstimator::ReinforcePlusPlusBaseline => {
                ReinforcePlusPlusBaseline::default().into()
            }
        };
        // Estimators of token rewards discount themselves.
        let gamma = |term: &Term, gamma| match term.process_half() {
            ProcessHalf::Tokens => 1.0,
            _ => gamma,
        };
        let outcome_gamma = gamma(&outcome, advantage.gamma);
        let process_gamma = gamma(&process_term, advantage.process_gamma);
        Prime::default()
            .with_outcome(outcome)
            .with_process(process_term)
            .with_outcome_coef(advantage.outcome_coef)
            .with_process_coef(if process { 1.0 } else { 0.0 })
            .with_outcome_gamma(outcome_gamma)
            .with_process_gamma(process_gamma)
            .with_process_norm(match advantage.process_norm {
                ProcessNorm::None => AdvantageProcessNorm::None,
                ProcessNorm::BatchNorm => AdvantageProcessNorm::BatchNorm,
            })
            .with_drop_last_token(advantage.drop_last_token)
            .with_whiten(advantage.whiten_advantages)
    }

    /// The accuracy filter; `None` keeps everything.
    pub fn prompt_filter(&self) -> Option<PromptFilter> {
        let filter = &self.filter;
        let (lower, upper) = if filter.accuracy {
            (filter.accuracy_lower_bound, filter.accuracy_upper_bound)
        } else {
            (0.0, 1.0)
        };
        (filter.accuracy || filter.truncated).then(|| {
            PromptFilter::default()
                .with_accuracy_lower_bound(lower)
                .with_accuracy_upper_bound(upper)
                .with_filter_truncated(filter.truncated)
        })
    }

    /// The policy's optimiser.
    pub fn policy_optimizer(&self) -> OptimizerConfig {
        let rl = &self.rl;
        optimizer([rl.beta1, rl.beta2], rl.weight_decay, rl.grad_clip)
    }

    /// The critic's optimiser.
    pub fn critic_optimizer(&self) -> OptimizerConfig {
        OptimizerConfig {
            weight_decay: 0.0,
            ..self.policy_optimizer()
        }
    }

    /// The policy's learning rate over the run.
    pub fn policy_schedule(&self) -> Schedule {
        let rl = &self.rl;
        self.schedule(rl.lr, rl.lr_schedule, rl.lr_warmup_steps, rl.lr_min_ratio)
    }

    /// The critic's learning rate over the run.
    pub fn critic_schedule(&self) -> Schedule {
        let critic = &self.critic;
        let (shape, warmup) = (critic.lr_schedule, critic.lr_warmup_steps);
        self.schedule(critic.lr, shape, warmup, critic.lr_min_ratio)
    }

    /// The PRM's learning rate over the run.
    pub fn prm_schedule(&self) -> Schedule {
        let prm = &self.prm;
        self.schedule(
            prm.lr,
            prm.lr_schedule,
            prm.lr_warmup_steps,
            prm.lr_min_ratio,
        )
    }

    fn schedule(
        &self,
        lr: f64,
        shape: LrSchedule,
        warmup_steps: usize,
        min_ratio: f64,
    ) -> Schedule {
        Schedule {
            lr,
            shape,
            warmup_steps,
            min_ratio,
            steps: self.rl.steps,
        }
    }

    /// The warm-up's optimiser.
    pub fn warmup_optimizer(&self) -> OptimizerConfig {
        let warmup = &self.warmup;
        optimizer(
            [warmup.beta1, warmup.beta2],
            warmup.weight_decay,
            warmup.grad_clip,
        )
    }

    /// The policy loss.
    pub fn objective(&self) -> ObjectiveConfig {
        let rl = &self.rl;
        match rl.objective {
            Objective::PpoClip => ObjectiveConfig::PpoClip(PpoClip {
                clip_ratio_low: rl.ppo_clip.clip_ratio_low as f32,
                clip_ratio_high: rl.ppo_clip.clip_ratio_high as f32,
                clip_ratio_c: (rl.ppo_clip.clip_ratio_c > 0.0)
                    .then_some(rl.ppo_clip.clip_ratio_c as f32),
            }),
            Objective::Gspo => ObjectiveConfig::Gspo(Gspo {
                clip_ratio_low: rl.gspo.clip_ratio_low as f32,
                clip_ratio_high: rl.gspo.clip_ratio_high as f32,
            }),
            Objective::Sapo => ObjectiveConfig::Sapo(Sapo {
                tau_pos: rl.sapo.tau_pos as f32,
                tau_neg: rl.sapo.tau_neg as f32,
            }),
            Objective::Cispo => ObjectiveConfig::Cispo(Cispo {
                clip_ratio_low: rl.cispo.clip_ratio_low as f32,
                clip_ratio_high: rl.cispo.clip_ratio_high as f32,
            }),
            Objective::Gmpo => ObjectiveConfig::Gmpo(Gmpo {
                clip_ratio_low: rl.gmpo.clip_ratio_low as f32,
                clip_ratio_high: rl.gmpo.clip_ratio_high as f32,
            }),
            Objective::ClipCov => ObjectiveConfig::ClipCov(ClipCov {
                clip_ratio_low: rl.clip_cov.clip_ratio_low as f32,
                clip_ratio_high: rl.clip_cov.clip_ratio_high as f32,
                clip_cov_ratio: rl.clip_cov.clip_cov_ratio,
                clip_cov_lb: rl.clip_cov.clip_cov_lb,
                clip_cov_ub: rl.clip_cov.clip_cov_ub,
            }),
            Objective::KlCov => ObjectiveConfig::KlCov(KlCov {
                kl_cov_ratio: rl.kl_cov.kl_cov_ratio,
                ppo_kl_coef: rl.kl_cov.ppo_kl_coef as f32,
            }),
            Objective::DppoTv => ObjectiveConfig::DppoTv(DppoTv {
                clip_ratio_low: rl.dppo_tv.clip_ratio_low as f32,
                clip_ratio_high: rl.dppo_tv.clip_ratio_high as f32,
                clip_ratio_c: rl.dppo_tv.clip_ratio_c as f32,
            }),
            Objective::DppoKl => ObjectiveConfig::DppoKl(DppoKl {
                clip_ratio_low: rl.dppo_kl.clip_ratio_low as f32,
                clip_ratio_high: rl.dppo_kl.clip_ratio_high as f32,
                clip_ratio_c: rl.dppo_kl.clip_ratio_c as f32,
            }),
            Objective::Dro => ObjectiveConfig::Dro(Dro {
                dro_beta: rl.dro.dro_beta as f32,
            }),
            Objective::Gpg => ObjectiveConfig::Gpg(PolicyGpg {}),
            Objective::Reinforce => ObjectiveConfig::Reinforce(PolicyReinforce {}),
        }
    }

    /// Importance weights of π_θ against the policy that acted; `None` = all 1.
    pub fn importance_weights(&self) -> Option<ImportanceWeights> {
        let keys = match self.rl.objective {
            Objective::Gpg => &self.rl.gpg,
            Objective::Reinforce => &self.rl.reinforce,
            _ => return None,
        };
        let level = match keys.rollout_is {
            RolloutIs::Off => return None,
            RolloutIs::Token => ImportanceLevel::Token,
            RolloutIs::Sequence => ImportanceLevel::Sequence,
        };
        let cap = keys.rollout_is_threshold as f32;
        Some(ImportanceWeights { level, cap })
    }

    /// How token losses are averaged.
    pub fn loss_aggregation(&self) -> LossAggregation {
        match self.rl.loss_agg {
            LossAgg::TokenMean => LossAggregation::TokenMean,
            LossAgg::TokenSum => LossAggregation::TokenSum,
            LossAgg::SeqMeanTokenMean => LossAggregation::SeqMeanTokenMean,
            LossAgg::SeqMeanTokenSum => LossAggregation::SeqMeanTokenSum,
            LossAgg::SeqMeanTokenSumNorm => LossAggregation::SeqMeanTokenSumNorm {
                scale: match self.rl.loss_scale_factor {
                    0.0 => self.sampling.max_new_tokens as f64,
                    given => given,
                },
            },
        }
    }

    /// The KL estimator for the loss.
    pub fn loss_kl(&self) -> LossKl {
        match self.kl.estimator {
            KlEstimator::K1 => LossKl::K1,
            KlEstimator::Abs => LossKl::Abs,
            KlEstimator::K2 => LossKl::K2,
            KlEstimator::K3 => LossKl::K3,
            KlEstimator::K1Plus => LossKl::K1Plus,
            KlEstimator::K3Plus => LossKl::K3Plus,
        }
    }

    /// The KL estimator for the reward, which has a value and no gradient.
    pub fn reward_kl(&self) -> prime_advantage::KlEstimator {
        match self.kl.estimator {
            KlEstimator::K1 | KlEstimator::K1Plus => prime_advantage::KlEstimator::K1,
            KlEstimator::Abs => prime_advantage::KlEstimator::Abs,
            KlEstimator::K2 => prime_advantage::KlEstimator::K2,
            KlEstimator::K3 | KlEstimator::K3Plus => prime_advantage::KlEstimator::K3,
        }
    }

    /// The implicit PRM; `None` when process rewards are off or come from the oracle.
    pub fn implicit_prm(&self) -> Option<PrmConfig> {
        let prm = &self.prm;
        let reference = |reference| match reference {
            PrmReference::Frozen => Reference::Frozen,
            PrmReference::Policy => Reference::Policy,
        };
        (prm.enabled && !prm.oracle).then(|| PrmConfig {
            reward: TokenRewardConfig {
                beta: prm.beta as f32,
                granularity: match prm.granularity {
                    Granularity::Token => RewardGranularity::Token,
                    Granularity::Whole => RewardGranularity::Whole,
                },
                positive_clip: (prm.positive_clip > 0.0).then_some(prm.positive_clip as f32),
            },
            loss: PrmLoss::Ce,
            prior: match prm.prior {
                LabelPrior::None => RewardPrior::None,
                LabelPrior::BatchMean => RewardPrior::BatchMean,
                LabelPrior::GroupMean => RewardPrior::GroupMean,
            },
            one_class: prm.trust == PrmTrust::Always,
            update: match prm.update {
                PrmUpdate::After => UpdateOrder::After,
                PrmUpdate::Before => UpdateOrder::Before,
                PrmUpdate::None => UpdateOrder::None,
            },
            reference: reference(prm.reference),
            reward_reference: reference(prm.reward_reference),
            lr: prm.lr,
            optimizer: optimizer([prm.beta1, prm.beta2], prm.weight_decay, prm.grad_clip),
            mini_batch_size: prm.mini_batch_size,
            micro_batch_size: prm.micro_batch_size,
            micro_batch_tokens: prm.micro_batch_tokens,
            passes: prm.passes,
            replay: (prm.replay.steps > 0).then_some(ReplayConfig {
                steps: prm.replay.steps,
                mini_batches: prm.replay.mini_batches,
                batch_size: prm.replay.batch_size,
            }),
            seed: self.seed,
            threads: self.worker_threads(),
        })
    }
}

fn optimizer([beta1, beta2]: [f64; 2], weight_decay: f64, grad_clip: f64) -> OptimizerConfig {
    OptimizerConfig {
        beta1: beta1 as f32,
        beta2: beta2 as f32,
        weight_decay: weight_decay as f32,
        grad_clip,
        ..OptimizerConfig::default()
    }
}
