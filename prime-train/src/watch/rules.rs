//! The healthy ranges as rules, one entry each.

use super::seen::Seen;

/// How long something has to last before it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lasting {
    /// `watch.patience` steps in a row.
    Patience,
    /// One step.
    OneStep,
}

/// Something that a healthy run does not show.
pub(crate) struct Rule {
    /// Its name in `watch.stop` and, behind `watch/`, in metrics.
    pub(crate) name: &'static str,
    /// What is seen, in plain words.
    pub(crate) about: &'static str,
    /// What to do about it, with the keys.
    pub(crate) way_out: &'static str,
    pub(super) lasting: Lasting,
    /// Whether a step shows it; `None` where a step says nothing about it.
    pub(super) shows: fn(&Seen<'_>) -> Option<bool>,
    /// The numbers that it is seen by.
    pub(super) figures: &'static [&'static str],
}

/// Share of responses at the length limit that leaves little to learn from.
const AT_THE_LIMIT: f64 = 0.5;
/// Nats a token: below this the next token is all but certain.
const COLLAPSED: f64 = 0.01;
/// Nearly all right: a policy that is sure of right answers has not collapsed.
const SOLVED: f64 = 0.95;
/// Nats a token between the policy that acted and the one after its updates; 0.01 is healthy.
const OFF_POLICY: f64 = 0.1;
/// Share of tokens whose ratio was clipped; 0.05 is healthy.
const CLIPPED: f64 = 0.3;
/// Gradient norms as multiples of what they are clipped to.
const EXPLODED: f64 = 100.0;
/// Magnitude of an advantage; 1 is healthy.
const ADVANTAGE: f64 = 50.0;
/// Standard errors of a difference between two evaluations that chance does not explain, and a share that matters.
const FELL: (f64, f64) = (4.0, 0.05);

/// All of them, in the order in which they are looked at.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "nothing_judged",
        about: "too little could be judged to learn from",
        way_out: "the grader is at fault, not the model: look at the reason above, at the ground truths and at reward.parts",
        lasting: Lasting::Patience,
        shows: |seen| {
            seen.get("rollouts")?;
            Some(seen.get("verifier/steps_unjudged").is_some_and(|n| n > 0.0))
        },
        figures: &["verifier/could_not_judge", "rollouts"],
    },
    Rule {
        name: "no_answer",
        about: "no response holds an answer where the verifier looks for one",
        way_out: "look at rollouts/: have the prompt ask for the form that is read (data.extract, data.system_prompt), and give \
                  responses room to reach it (sampling.max_new_tokens)",
        lasting: Lasting::Patience,
        shows: |seen| Some(seen.get("verifier/no_answer")? >= 1.0),
        figures: &["verifier/no_answer", "response_length/clip_ratio"],
    },
    Rule {
        name: "all_wrong",
        about: "no response is right",
        way_out: "nothing can be learned from failures alone: easier problems, a warm-up on demonstrations (warmup.steps), a \
                  larger rl.group_size, or a milder data.pass_mark",
        lasting: Lasting::Patience,
        shows: |seen| Some(seen.get("acc")? <= 0.0),
        figures: &["acc", "verifier/no_answer"],
    },
    Rule {
        name: "all_right",
        about: "every response is right",
        way_out: "there is nothing left to learn from these problems: harder ones, or the end of the run (rl.steps)",
        lasting: Lasting::Patience,
        shows: |seen| Some(seen.get("acc")? >= 1.0),
        figures: &["acc"],
    },
    Rule {
        name: "equal_outcomes",
        about: "the responses to each prompt earn all the same, so that no outcome can be told from another",
        way_out: "a larger rl.group_size or sampling.temperature, problems of another difficulty, or more prompts a step \
                  (rl.prompts_per_step)",
        lasting: Lasting::Patience,
        shows: |seen| Some(seen.get("frac_reward_zero_std")? >= 1.0),
        figures: &["frac_reward_zero_std", "acc"],
    },
    Rule {
        name: "filter_kept_nothing",
        about: "the filter kept no prompt",
        way_out: "problems of another difficulty, wider bounds (filter.accuracy_lower_bound, filter.accuracy_upper_bound), or \
                  more sampling for each step (rl.oversample_factor, rl.oversample_rounds)",
        lasting: Lasting::Patience,
        shows: |seen| {
            let judged = seen.get("verifier/steps_unjudged").is_none();
            let kept = seen.get("filter/kept_groups").filter(|_| judged)?;
            Some(kept <= 0.0)
        },
        figures: &["filter/groups", "filter/all_right", "filter/all_wrong"],
    },
    Rule {
        name: "length_limit",
        about: "half of the responses or more are cut off at the length limit",
        way_out: "more room (sampling.max_new_tokens), a reward that minds length (reward.overlong_buffer), or \
                  rl.mask_truncated = true, so that the limit is not learned from",
        lasting: Lasting::Patience,
        shows: |seen| Some(seen.get("response_length/clip_ratio")? >= AT_THE_LIMIT),
        figures: &["response_length/clip_ratio", "response_length/mean"],
    },
    Rule {
        name: "entropy_collapse",
        about: "the policy is all but certain of every token, and not because it is right: it no longer explores",
        way_out: "go back to an earlier checkpoint with a smaller rl.lr, an entropy bonus (rl.entropy_coef), a wider upper clip \
                  (rl.ppo_clip.clip_ratio_high) or KL to the reference (kl.placement)",
        lasting: Lasting::Patience,
        shows: |seen| {
            let entropy = seen.get("actor/entropy")?;
            Some(entropy < COLLAPSED && seen.get("acc").is_none_or(|acc| acc < SOLVED))
        },
        figures: &["actor/entropy", "acc"],
    },
    Rule {
        name: "prm_at_chance",
        about: "the process reward model ranks right and wrong no better than chance, on average over those steps",
        way_out: "its rewards are noise: a larger prm.lr or prm.passes, prm.replay.steps, a later start \
                  (prm.process_warmup_steps), a smaller advantage.process_coef, or a preset without it (rloo)",
        // The mean over so many steps is what is looked at.
        lasting: Lasting::OneStep,
        shows: |seen| Some(seen.ranking()? <= 0.5),
        figures: &["reward_model/step_auc", "reward_model/dpo_acc_before"],
    },
    Rule {
        name: "off_policy",
        about: "the updates of a step lead far from the policy that sampled it",
        way_out: "fewer rl.epochs_per_step, larger mini-batches (rl.mini_batch_size), or a smaller rl.lr",
        lasting: Lasting::Patience,
        shows: |seen| {
            let kl = seen.get("actor/ppo_kl").map(|kl| kl.abs() > OFF_POLICY);
            let clipped = seen.get("actor/pg_clipfrac").map(|share| share > CLIPPED);
            Some(kl? || clipped.unwrap_or(false))
        },
        figures: &["actor/ppo_kl", "actor/pg_clipfrac"],
    },
    Rule {
        name: "gradient_norm",
        about: "the policy's gradient is a hundred times what it is clipped to: what is left of it is noise",
        way_out: "a smaller rl.lr; advantages on a scale of 1 (critic/advantages/max; advantage.process_norm, \
                  advantage.process_coef)",
        lasting: Lasting::OneStep,
        shows: |seen| Some(seen.get("actor/grad_norm")? > EXPLODED * seen.config.rl.grad_clip),
        figures: &["actor/grad_norm", "critic/advantages/max"],
    },
    Rule {
        name: "prm_gradient_norm",
        about: "the process reward model's gradient is a hundred times what it is clipped to",
        way_out: "a smaller prm.lr or prm.beta",
        lasting: Lasting::OneStep,
        shows: |seen| {
            Some(seen.get("reward_model/grad_norm")? > EXPLODED * seen.config.prm.grad_clip)
        },
        figures: &["reward_model/grad_norm", "reward_model/raw_reward"],
    },
    Rule {
        name: "advantage_scale",
        about: "advantages are tens of times their healthy size: a norm divides by almost nothing",
        way_out: "another advantage.process_norm, a smaller advantage.process_coef, or kl.coef where KL is in the reward",
        lasting: Lasting::Patience,
        shows: |seen| {
            let sides = [
                seen.get("critic/advantages/max")?,
                seen.get("critic/advantages/min")?,
            ];
            Some(sides.iter().any(|side| side.abs() > ADVANTAGE))
        },
        figures: &["critic/advantages/min", "critic/advantages/max"],
    },
    Rule {
        name: "held_out_fell",
        about: "held-out pass@1 is below its best by more than chance explains: the policy has become worse",
        way_out: "go back to an earlier checkpoint with a smaller rl.lr, fewer rl.epochs_per_step, a smaller \
                  advantage.process_coef, or KL to the reference (kl.placement)",
        lasting: Lasting::OneStep,
        shows: |seen| {
            let (best, now) = (seen.history.best?, seen.held_out()?);
            let (errors, least) = FELL;
            let noise = best.stderr.hypot(now.stderr);
            Some(best.value - now.value > least.max(errors * noise))
        },
        figures: &["eval/pass@1", "eval/n"],
    },
];

/// The names, for messages.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|rule| rule.name)
}
