//! One step of PRIME: Algorithm 1 of the paper, one call an arrow.

mod credit;
mod filtering;
mod ref_kl;
mod rollout;
mod rounding;
mod rounds;
mod stats;
mod trust;
mod update;

#[cfg(test)]
mod tests;

use std::time::Instant;

use burn::module::Module;
use prime_advantage::AdvantageEstimator;
use prime_policy::objective::PolicyObjective;
use prime_policy::{ActorCritic, CausalLm, Optimizer, Tokenizer, ValueHead};
use prime_reward::ImplicitPrm;

use crate::activity;
use crate::config::{Config, Estimator, KlPlacement};
use crate::data::problems::Problems;
use crate::error::TrainError;
use crate::metrics::StepMetrics;
use crate::not_finite::Stage;
use crate::report::Transcript;
use crate::unjudged::Unjudged;
use credit::{ProcessRewards, TokenAdvantages};

pub(crate) use rollout::{BATCHES, rows_per_batch};
pub use rollout::{JudgedGroup, JudgedResponse, VerdictDetail};
pub use trust::Trust;

/// Everything that training changes, and how it changes it. The architecture is a parameter: any [`CausalLm`].
#[derive(Clone)]
pub struct Learner<M: CausalLm> {
    /// The policy π_θ, with a value head where the estimator needs values.
    pub actor: ActorCritic<M>,
    /// The policy's optimiser.
    pub policy_optimizer: Optimizer,
    /// The value head's optimiser.
    pub critic_optimizer: Optimizer,
    /// The implicit PRM π_φ, unless process rewards are off or come from the oracle.
    pub prm: Option<ImplicitPrm<M>>,
    /// How the PRM has ranked fresh responses lately.
    pub trust: Trust,
    /// The policy before the first step: where KL is charged against it, and where keeping it costs next to nothing.
    pub reference: Option<M>,
    /// Steps taken.
    pub step: u64,
    /// The next training problem.
    pub next_problem: u64,
}

impl<M: CausalLm> Learner<M> {
    /// The state before the first step; `policy` lives on an autodiff device.
    ///
    /// # Errors
    /// [`TrainError::Reward`] for settings that the PRM refuses.
    pub fn new(policy: M, config: &Config) -> Result<Self, TrainError> {
        let device = policy.devices().first().cloned().unwrap_or_default();
        let prm = config
            .implicit_prm()
            .map(|prm| ImplicitPrm::new(&policy, prm))
            .transpose()?;
        let value_head = (config.advantage.estimator == Estimator::Gae)
            .then(|| ValueHead::init(policy.hidden_size(), &device));
        Ok(Self {
            reference: keeps_reference(&policy, config).then(|| policy.valid()),
            actor: ActorCritic { policy, value_head },
            policy_optimizer: config.policy_optimizer().init(),
            critic_optimizer: config.critic_optimizer().init(),
            prm,
            trust: Trust::default(),
            step: 0,
            next_problem: 0,
        })
    }
}

/// Parameters of a model that may be kept a second time for a metric alone.
const SMALL: usize = 10_000_000;

/// Whether the policy before the first step is kept: KL is charged against it, or it is small, or all but its adapters is the
/// policy's own anyway.
fn keeps_reference<M: CausalLm>(policy: &M, config: &Config) -> bool {
    config.kl.placement != KlPlacement::None
        || config.lora.rank > 0
        || Module::num_params(policy) <= SMALL
}

/// What a step reads but does not change. The two trait objects may be a user's own.
pub struct Environment<'a> {
    /// The settings.
    pub config: &'a Config,
    /// Problems and their verifier.
    pub problems: &'a Problems,
    /// Text at the edges.
    pub tokenizer: &'a Tokenizer,
    /// Rewards to advantages, with the process term.
    pub estimator: &'a dyn AdvantageEstimator,
    /// The same without the process term, for the steps of `prm.process_warmup_steps`.
    pub outcome_estimator: &'a dyn AdvantageEstimator,
    /// The policy loss.
    pub objective: &'a dyn PolicyObjective,
}

/// What a step has to show.
#[derive(Debug)]
pub struct StepReport {
    /// Metrics, timings included.
    pub metrics: StepMetrics,
    /// Every judged response with its rewards, then those that could not be judged.
    pub transcripts: Vec<Transcript>,
    /// What could not be judged, if there was something.
    pub unjudged: Option<Unjudged>,
}

/// One step of Algorithm 1. On an error the learner is as it was before the step.
///
/// # Errors
/// [`TrainError::Step`] names the step and what failed.
pub fn step<M: CausalLm>(
    learner: &mut Learner<M>,
    env: &Environment<'_>,
) -> Result<StepReport, TrainError> {
    let number = learner.step + 1;
    let mut next = learner.clone();
    let report = algorithm_1(&mut next, env, number).map_err(|source| TrainError::Step {
        step: number,
        source: Box::new(source),
    })?;
    *learner = next;
    Ok(report)
}

fn algorithm_1<M: CausalLm>(
    learner: &mut Learner<M>,
    env: &Environment<'_>,
    number: u64,
) -> Result<StepReport, TrainError> {
    let mut clock = Clock::start();
    let mut metrics = StepMetrics::new(number);
    let whole = Instant::now();

    let (groups, unjudged) = rounds::collect(learner, env, number, &mut clock, &mut metrics)?;
    if groups.is_empty() {
        // Nothing to learn from: the step is counted and over.
        learner.step = number;
        metrics.set("timing_s/step", whole.elapsed().as_secs_f64())?;
        return Ok(StepReport {
            metrics,
            transcripts: unjudged_transcripts(unjudged.as_ref()),
            unjudged,
        });
    }

    let (process, advantages) = learn(learner, env, number, &groups, &mut clock, &mut metrics)?;

    ref_kl::at_evaluation(learner, env, number, &groups, &mut metrics)?;
    learner.step = number;
    stats::responses(&groups, &mut metrics)?;
    stats::rewards(env, &groups, &mut metrics)?;
    metrics.set("timing_s/step", whole.elapsed().as_secs_f64())?;
    let mut transcripts = stats::transcripts(env, number, &groups, &process, &advantages);
    transcripts.extend(unjudged_transcripts(unjudged.as_ref()));
    Ok(StepReport {
        metrics,
        transcripts,
        unjudged,
    })
}

fn unjudged_transcripts(unjudged: Option<&Unjudged>) -> Vec<Transcript> {
    unjudged.map_or_else(Vec::new, |unjudged| unjudged.transcripts.clone())
}

/// The second half of Algorithm 1, from judged groups on.
fn learn<M: CausalLm>(
    learner: &mut Learner<M>,
    env: &Environment<'_>,
    number: u64,
    groups: &[JudgedGroup],
    clock: &mut Clock,
    metrics: &mut StepMetrics,
) -> Result<(ProcessRewards, TokenAdvantages), TrainError> {
    activity::phase("reward model", "", 0);
    let process = credit::process_rewards(learner, env, groups, metrics)
        .map_err(|error| Stage::Prm.explain(error))?;
    clock.lap("timing_s/prm", metrics)?;

    let explain = |error| Stage::Advantages.explain(error);
    let values = credit::values(learner, env, groups).map_err(explain)?;
    let advantages = credit::advantages(env, number, groups, &process, values.as_deref(), metrics)
        .map_err(explain)?;
    clock.lap("timing_s/advantages", metrics)?;

    activity::phase("policy update", "", 0);
    update::policy(
        learner,
        env,
        number,
        groups,
        &process,
        &advantages,
        values.as_deref(),
        metrics,
    )
    .map_err(|error| Stage::Update.explain(error))?;
    clock.lap("timing_s/policy", metrics)?;
    Ok((process, advantages))
}

/// Learns from groups on a copy, to see how long it takes: the learner stays as it is.
///
/// # Errors
/// Those of the second half of a step.
pub(crate) fn rehearse<M: CausalLm>(
    learner: &Learner<M>,
    env: &Environment<'_>,
    groups: &[JudgedGroup],
) -> Result<StepMetrics, TrainError> {
    let number = learner.step + 1;
    let mut metrics = StepMetrics::new(number);
    let mut clock = Clock::start();
    learn(
        &mut learner.clone(),
        env,
        number,
        groups,
        &mut clock,
        &mut metrics,
    )?;
    Ok(metrics)
}

struct Clock(Instant);

impl Clock {
    fn start() -> Self {
        Self(Instant::now())
    }

    fn lap(&mut self, name: &str, metrics: &mut StepMetrics) -> Result<(), TrainError> {
        let now = Instant::now();
        // A phase that comes again in a step takes longer.
        let before = metrics.get(name).unwrap_or(0.0);
        metrics.set(name, before + now.duration_since(self.0).as_secs_f64())?;
        self.0 = now;
        Ok(())
    }
}
