//! Names that other programs have for what is set here: TRL's, verl's and OpenRLHF's.

use toml::Value;

use super::tables;

/// What a name of another program is here.
enum Ours {
    /// A key that takes the same values.
    Same(&'static str),
    /// A key, with other words for its values.
    Words(&'static str, &'static [(&'static str, &'static str)]),
    /// Something that takes a sentence.
    Told(&'static str),
}

use Ours::{Same, Told, Words};

const ESTIMATORS: &[(&str, &str)] = &[
    ("gae", "advantage.estimator = \"gae\""),
    ("grpo", "advantage.estimator = \"grpo\""),
    ("group_norm", "advantage.estimator = \"grpo\""),
    ("grpo_vectorized", "advantage.estimator = \"grpo\""),
    (
        "dr_grpo",
        "advantage.estimator = \"grpo\" with advantage.grpo.normalize_by_std = false",
    ),
    ("grpo_passk", "advantage.estimator = \"grpo_passk\""),
    ("rloo", "advantage.estimator = \"rloo\""),
    ("rloo_vectorized", "advantage.estimator = \"rloo\""),
    ("opo", "advantage.estimator = \"opo\""),
    ("gpg", "advantage.estimator = \"gpg\""),
    ("reinforce", "advantage.estimator = \"reinforce\""),
    (
        "reinforce_plus_plus",
        "advantage.estimator = \"reinforce_plus_plus\"",
    ),
    (
        "reinforce_plus_plus_baseline",
        "advantage.estimator = \"reinforce_plus_plus_baseline\"",
    ),
    (
        "reinforce_baseline",
        "advantage.estimator = \"reinforce_plus_plus_baseline\"",
    ),
];

const SCHEDULES: &[(&str, &str)] = &[
    ("constant", "rl.lr_schedule = \"constant\""),
    (
        "constant_with_warmup",
        "rl.lr_schedule = \"constant\" with rl.lr_warmup_steps",
    ),
    ("linear", "rl.lr_schedule = \"linear\""),
    ("cosine", "rl.lr_schedule = \"cosine\""),
    (
        "cosine_with_min_lr",
        "rl.lr_schedule = \"cosine\" with rl.lr_min_ratio",
    ),
];

const LOSSES: &[(&str, &str)] = &[
    ("grpo", "rl.loss_agg = \"seq_mean_token_mean\""),
    ("bnpo", "rl.loss_agg = \"token_mean\""),
    ("dapo", "rl.loss_agg = \"token_mean\""),
    ("dr_grpo", "rl.loss_agg = \"seq_mean_token_sum_norm\""),
    ("cispo", "rl.objective = \"cispo\""),
    ("sapo", "rl.objective = \"sapo\""),
];

const OBJECTIVES: &[(&str, &str)] = &[
    ("vanilla", "rl.objective = \"ppo_clip\""),
    ("ppo", "rl.objective = \"ppo_clip\""),
    ("gspo", "rl.objective = \"gspo\""),
    ("sapo", "rl.objective = \"sapo\""),
    ("cispo", "rl.objective = \"cispo\""),
    ("gpg", "rl.objective = \"gpg\""),
    ("geo_mean", "rl.objective = \"gmpo\""),
    ("clip_cov", "rl.objective = \"clip_cov\""),
    ("kl_cov", "rl.objective = \"kl_cov\""),
    ("dppo_tv", "rl.objective = \"dppo_tv\""),
    ("dppo_kl", "rl.objective = \"dppo_kl\""),
    ("reinforce", "rl.objective = \"reinforce\""),
];

const AVERAGES: &[(&str, &str)] = &[
    ("token_mean", "rl.loss_agg = \"token_mean\""),
    ("token_sum", "rl.loss_agg = \"token_sum\""),
    (
        "seq_mean_token_mean",
        "rl.loss_agg = \"seq_mean_token_mean\"",
    ),
    ("seq_mean_token_sum", "rl.loss_agg = \"seq_mean_token_sum\""),
    (
        "seq_mean_token_sum_norm",
        "rl.loss_agg = \"seq_mean_token_sum_norm\"",
    ),
];

const DIVERGENCES: &[(&str, &str)] = &[
    ("kl", "kl.estimator = \"k1\""),
    ("k1", "kl.estimator = \"k1\""),
    ("abs", "kl.estimator = \"abs\""),
    ("mse", "kl.estimator = \"k2\""),
    ("k2", "kl.estimator = \"k2\""),
    ("low_var_kl", "kl.estimator = \"k3\""),
    ("k3", "kl.estimator = \"k3\""),
];

const KL_IN_LOSS: &[(&str, &str)] = &[
    ("true", "kl.placement = \"loss\""),
    ("false", "kl.placement = \"none\""),
];
const KL_IN_REWARD: &[(&str, &str)] = &[
    ("true", "kl.placement = \"reward\""),
    ("false", "kl.placement = \"none\""),
];
const STD: &[(&str, &str)] = &[
    ("true", "advantage.grpo.normalize_by_std = true"),
    ("group", "advantage.grpo.normalize_by_std = true"),
    ("false", "advantage.grpo.normalize_by_std = false"),
    ("none", "advantage.grpo.normalize_by_std = false"),
];
const PRM_UPDATES: &[(&str, &str)] = &[
    ("after", "prm.update = \"after\""),
    ("before", "prm.update = \"before\""),
    ("none", "prm.update = \"none\""),
    ("reverse", "prm.update = \"before\""),
];

const REWARDS: &str = "`reward.parts` lists rewards with their weights; one of your own is of the kind `command` (a process) or `http` (an address)";
const CLIP: &str =
    "the clip of the ratio: `rl.ppo_clip.clip_ratio_low` and `rl.ppo_clip.clip_ratio_high`";
const MICRO: &str = "memory only: `rl.micro_batch_tokens` tokens a forward pass, or `rl.micro_batch_size` responses; an \
                     optimiser step takes `rl.mini_batch_size` responses";
const EPOCHS: &str =
    "a run is as long as `rl.steps` says; a step takes `rl.prompts_per_step` prompts";
const ALWAYS: &str = "not a setting here: it is always done where it helps";
const NOT_HERE: &str = "there is nothing like it here: leave it out";

/// Names, dotted from the right as far as they have to be told apart.
const NAMES: &[(&str, Ours)] = &[
    // Responses and batches.
    ("num_generations", Same("rl.group_size")),
    ("rollout.n", Same("rl.group_size")),
    ("n_samples_per_prompt", Same("rl.group_size")),
    ("num_samples_per_prompt", Same("rl.group_size")),
    ("rloo_k", Same("rl.group_size")),
    ("val_kwargs.n", Same("eval.k")),
    ("val_kwargs.temperature", Same("eval.temperature")),
    ("num_generations_eval", Same("eval.k")),
    ("data.train_batch_size", Same("rl.prompts_per_step")),
    ("rollout_batch_size", Same("rl.prompts_per_step")),
    (
        "gen_batch_size",
        Told("prompts sampled a step: `rl.prompts_per_step` times `rl.oversample_factor`"),
    ),
    ("oversampling_factor", Same("rl.oversample_factor")),
    ("oversample", Same("rl.oversample_factor")),
    ("max_num_gen_batches", Same("rl.oversample_rounds")),
    (
        "generation_batch_size",
        Told("responses a step: `rl.prompts_per_step` times `rl.group_size`"),
    ),
    (
        "train_batch_size",
        Told("responses an optimiser step: `rl.mini_batch_size`"),
    ),
    (
        "ppo_mini_batch_size",
        Told(
            "verl counts prompts; `rl.mini_batch_size` counts responses: that number times `rl.group_size`",
        ),
    ),
    ("reward_model.mini_batch_size", Same("prm.mini_batch_size")),
    ("ppo_micro_batch_size", Told(MICRO)),
    ("ppo_micro_batch_size_per_gpu", Told(MICRO)),
    ("log_prob_micro_batch_size_per_gpu", Told(MICRO)),
    ("micro_train_batch_size", Told(MICRO)),
    ("micro_rollout_batch_size", Told(MICRO)),
    ("per_device_train_batch_size", Told(MICRO)),
    ("per_device_eval_batch_size", Told(MICRO)),
    ("gradient_accumulation_steps", Told(MICRO)),
    ("ppo_max_token_len_per_gpu", Same("rl.micro_batch_tokens")),
    ("max_tokens_per_gpu", Same("rl.micro_batch_tokens")),
    (
        "use_dynamic_bsz",
        Told("`rl.micro_batch_tokens` above 0 cuts forward passes by tokens"),
    ),
    (
        "use_dynamic_batch",
        Told("`rl.micro_batch_tokens` above 0 cuts forward passes by tokens"),
    ),
    ("ppo_epochs", Same("rl.epochs_per_step")),
    ("num_iterations", Same("rl.epochs_per_step")),
    ("num_ppo_epochs", Same("rl.epochs_per_step")),
    ("max_epochs", Same("rl.epochs_per_step")),
    // Lengths and sampling.
    ("max_completion_length", Same("sampling.max_new_tokens")),
    ("max_response_length", Same("sampling.max_new_tokens")),
    ("response_length", Same("sampling.max_new_tokens")),
    ("generate_max_len", Same("sampling.max_new_tokens")),
    ("max_new_tokens", Same("sampling.max_new_tokens")),
    ("max_tokens", Same("sampling.max_new_tokens")),
    ("max_prompt_length", Same("data.max_prompt_tokens")),
    ("prompt_length", Same("data.max_prompt_tokens")),
    ("prompt_max_len", Same("data.max_prompt_tokens")),
    (
        "filter_overlong_prompts",
        Told("rows with a prompt above `data.max_prompt_tokens` are left out and counted"),
    ),
    (
        "truncation",
        Told(
            "nothing is cut: rows with a prompt above `data.max_prompt_tokens` are left out and counted",
        ),
    ),
    ("repetition_penalty", Told(NOT_HERE)),
    ("stop", Same("sampling.stop_strings")),
    // Rewards.
    ("reward_funcs", Told(REWARDS)),
    ("reward_weights", Told(REWARDS)),
    ("custom_reward_function", Told(REWARDS)),
    ("custom_reward_function.path", Told(REWARDS)),
    ("remote_rm_url", Told(REWARDS)),
    ("overlong_buffer.len", Same("reward.overlong_buffer")),
    ("overlong_buffer_len", Same("reward.overlong_buffer")),
    (
        "overlong_buffer.penalty_factor",
        Same("reward.overlong_penalty"),
    ),
    ("overlong_penalty_factor", Same("reward.overlong_penalty")),
    ("mask_truncated_completions", Same("rl.mask_truncated")),
    ("overlong_filtering", Same("rl.mask_truncated")),
    (
        "do_sample",
        Told("training samples; `eval.temperature = 0` is greedy"),
    ),
    // The loss.
    ("clip_ratio", Told(CLIP)),
    ("epsilon", Told(CLIP)),
    ("cliprange", Told(CLIP)),
    ("eps_clip", Told(CLIP)),
    ("eps_clip_low_high", Told(CLIP)),
    ("epsilon_low", Same("rl.ppo_clip.clip_ratio_low")),
    (
        "epsilon_high",
        Told("the upper clip of the ratio: `rl.ppo_clip.clip_ratio_high`"),
    ),
    ("delta", Same("rl.ppo_clip.clip_ratio_c")),
    ("dual_clip", Same("rl.ppo_clip.clip_ratio_c")),
    ("loss_type", Words("rl.loss_agg", LOSSES)),
    ("loss_mode", Words("rl.objective", OBJECTIVES)),
    ("policy_loss_type", Words("rl.objective", OBJECTIVES)),
    ("loss_agg_mode", Words("rl.loss_agg", AVERAGES)),
    (
        "importance_sampling_level",
        Words(
            "rl.objective",
            &[
                ("token", "rl.objective = \"ppo_clip\""),
                ("sequence", "rl.objective = \"gspo\""),
            ],
        ),
    ),
    ("sapo_temperature_pos", Same("rl.sapo.tau_pos")),
    ("sapo_temperature_neg", Same("rl.sapo.tau_neg")),
    ("entropy_coeff", Same("rl.entropy_coef")),
    ("entropy_loss_coef", Same("rl.entropy_coef")),
    ("max_grad_norm", Same("rl.grad_clip")),
    ("max_norm", Same("rl.grad_clip")),
    ("actor.grad_clip", Same("rl.grad_clip")),
    (
        "rollout_is",
        Told("`rl.reinforce.rollout_is` or `rl.gpg.rollout_is`, of the objectives without a ratio"),
    ),
    (
        "tis_imp_ratio_cap",
        Told("`rl.reinforce.rollout_is_threshold`, of the objectives without a ratio"),
    ),
    // KL.
    (
        "beta",
        Told(
            "TRL's KL coefficient is `kl.coef`, with `kl.placement = \"loss\"`; `prm.beta` is that of the reward model",
        ),
    ),
    (
        "kl_loss_coef",
        Told("`kl.coef`, with `kl.placement = \"loss\"`"),
    ),
    (
        "kl_coef",
        Told("`kl.coef`, with `kl.placement = \"reward\"` or `\"loss\"`"),
    ),
    (
        "kl_ctrl.kl_coef",
        Told("`kl.coef`, with `kl.placement = \"reward\"`"),
    ),
    (
        "init_kl_coef",
        Told("`kl.coef`, with `kl.placement = \"reward\"`"),
    ),
    ("use_kl_loss", Words("kl.placement", KL_IN_LOSS)),
    ("use_kl_in_reward", Words("kl.placement", KL_IN_REWARD)),
    ("kl_loss_type", Words("kl.estimator", DIVERGENCES)),
    ("kl_penalty", Words("kl.estimator", DIVERGENCES)),
    ("kl_estimator", Words("kl.estimator", DIVERGENCES)),
    ("sync_ref_model", Told(NOT_HERE)),
    // Advantages.
    ("adv_estimator", Words("advantage.estimator", ESTIMATORS)),
    (
        "advantage_estimator",
        Words("advantage.estimator", ESTIMATORS),
    ),
    (
        "scale_rewards",
        Words("advantage.grpo.normalize_by_std", STD),
    ),
    (
        "norm_adv_by_std_in_grpo",
        Words("advantage.grpo.normalize_by_std", STD),
    ),
    ("lambd", Same("advantage.gae.lam")),
    ("gae_lambda", Same("advantage.gae.lam")),
    ("algorithm.gamma", Same("advantage.gamma")),
    (
        "whiten_rewards",
        Told("`advantage.whiten_advantages` whitens advantages"),
    ),
    ("normalize_advantages", Same("advantage.whiten_advantages")),
    ("reward_dpo_coef", Same("advantage.process_coef")),
    ("reward_gt_coef", Same("advantage.outcome_coef")),
    ("reward_dpo_gamma", Same("advantage.process_gamma")),
    // Optimisers.
    ("learning_rate", Same("rl.lr")),
    ("actor_learning_rate", Same("rl.lr")),
    ("actor.optim.lr", Same("rl.lr")),
    ("optim.lr", Same("rl.lr")),
    ("critic.optim.lr", Same("critic.lr")),
    ("critic_learning_rate", Same("critic.lr")),
    ("reward_model.model.optim.lr", Same("prm.lr")),
    ("reward_model.optim.lr", Same("prm.lr")),
    ("lr_scheduler_type", Words("rl.lr_schedule", SCHEDULES)),
    ("lr_scheduler", Words("rl.lr_schedule", SCHEDULES)),
    ("warmup_style", Words("rl.lr_schedule", SCHEDULES)),
    (
        "warmup_ratio",
        Told("`rl.lr_warmup_steps` counts steps: that share of `rl.steps`"),
    ),
    (
        "lr_warmup_ratio",
        Told("`rl.lr_warmup_steps` counts steps: that share of `rl.steps`"),
    ),
    (
        "lr_warmup_steps_ratio",
        Told("`rl.lr_warmup_steps` counts steps: that share of `rl.steps`"),
    ),
    ("warmup_steps", Same("rl.lr_warmup_steps")),
    ("num_warmup_steps", Same("rl.lr_warmup_steps")),
    ("optim.lr_warmup_steps", Same("rl.lr_warmup_steps")),
    ("min_lr_ratio", Same("rl.lr_min_ratio")),
    ("adam_beta1", Same("rl.beta1")),
    ("adam_beta2", Same("rl.beta2")),
    ("adam_betas", Told("`rl.beta1` and `rl.beta2`")),
    ("betas", Told("`rl.beta1` and `rl.beta2`")),
    ("optim.weight_decay", Same("rl.weight_decay")),
    // Critic.
    ("cliprange_value", Same("critic.value_clip")),
    ("value_clip_range", Same("critic.value_clip")),
    ("vf_coef", Same("critic.vf_coef")),
    ("vf_loss_coef", Same("critic.vf_coef")),
    // The PRM.
    ("beta_train", Same("prm.beta")),
    ("reward_model.enable", Same("prm.enabled")),
    ("prime_model.update", Words("prm.update", PRM_UPDATES)),
    (
        "reward_model.model.update",
        Words("prm.update", PRM_UPDATES),
    ),
    ("prime_granularity", Same("prm.granularity")),
    ("prime_norm", Same("advantage.process_norm")),
    // Filtering.
    ("filter_accuracy", Same("filter.accuracy")),
    ("filter_groups.enable", Same("filter.accuracy")),
    ("dynamic_filtering", Same("filter.accuracy")),
    (
        "dynamic_filtering_reward_range",
        Told("`filter.accuracy_lower_bound` and `filter.accuracy_upper_bound`"),
    ),
    ("filter_truncate", Same("filter.truncated")),
    // Models and data.
    ("model_name_or_path", Same("model.path")),
    ("pretrain", Same("model.path")),
    ("model.partial_pretrain", Same("model.path")),
    (
        "torch_dtype",
        Told("weights are f32; `model.compute_dtype` is what products are computed in"),
    ),
    (
        "bf16",
        Told("`model.compute_dtype = \"bfloat16\"`, for GPUs"),
    ),
    ("lora_r", Same("lora.rank")),
    ("lora_rank", Same("lora.rank")),
    ("lora_alpha", Same("lora.alpha")),
    ("lora_target_modules", Same("lora.target_modules")),
    ("use_peft", Told("`lora.rank` above 0")),
    ("padding_free", Same("warmup.packing")),
    (
        "packing_strategy",
        Told("`warmup.packing`: best-fit decreasing, nothing is cut off"),
    ),
    ("train_files", Same("data.train_file")),
    ("val_files", Same("data.eval_file")),
    ("prompt_data", Same("data.train_file")),
    (
        "dataset_name",
        Told("`data.train_file`: a file on this machine"),
    ),
    ("prompt_key", Same("data.columns.prompt")),
    ("input_key", Same("data.columns.prompt")),
    ("label_key", Same("data.columns.answer")),
    ("reward_fn_key", Same("data.columns.data_source")),
    (
        "enable_thinking",
        Told(
            "`data.chat_template_kwargs` are handed to the chat template: { enable_thinking = false }",
        ),
    ),
    (
        "apply_chat_template",
        Told("`data.chat_template`: \"auto\" takes the model's, \"none\" takes none"),
    ),
    // Runs.
    ("max_steps", Same("rl.steps")),
    ("total_training_steps", Same("rl.steps")),
    ("total_epochs", Told(EPOCHS)),
    ("num_train_epochs", Told(EPOCHS)),
    ("num_episodes", Told(EPOCHS)),
    ("total_episodes", Told(EPOCHS)),
    ("save_steps", Same("run.save_every")),
    ("save_freq", Same("run.save_every")),
    ("save_total_limit", Same("run.keep_last")),
    ("max_actor_ckpt_to_keep", Same("run.keep_last")),
    ("max_ckpt_num", Same("run.keep_last")),
    ("eval_steps", Same("eval.every")),
    ("test_freq", Same("eval.every")),
    ("output_dir", Same("run.out_dir")),
    ("save_path", Same("run.out_dir")),
    ("default_local_dir", Same("run.out_dir")),
    (
        "log_completions",
        Told("`run.transcripts_every`: responses are written every so many steps"),
    ),
    (
        "logging_steps",
        Told("every step is logged, in metrics.jsonl"),
    ),
    (
        "report_to",
        Told("metrics go to metrics.jsonl and report.html"),
    ),
    (
        "project_name",
        Told("`--name` names a run's folder in `run.out_dir`"),
    ),
    (
        "experiment_name",
        Told("`--name` names a run's folder in `run.out_dir`"),
    ),
    (
        "run_name",
        Told("`--name` names a run's folder in `run.out_dir`"),
    ),
    ("resume_from_checkpoint", Told("`train --resume RUN`")),
    ("resume_mode", Told("`train --resume RUN`")),
    ("gradient_checkpointing", Told(NOT_HERE)),
    ("enable_gradient_checkpointing", Told(NOT_HERE)),
    ("use_vllm", Told(NOT_HERE)),
    ("tensor_model_parallel_size", Told(NOT_HERE)),
    ("n_gpus_per_node", Told("`device` names one device")),
    ("nnodes", Told("`device` names one device")),
    ("gpu_memory_utilization", Told(NOT_HERE)),
    ("packing_samples", Told(ALWAYS)),
    ("use_remove_padding", Told(ALWAYS)),
];

/// What the dotted name of another program, and its value, are here.
pub(super) fn translation(dotted: &str, value: Option<&Value>) -> Option<String> {
    let given = dotted
        .trim_start_matches('+')
        .to_lowercase()
        .replace('-', "_");
    let mut suffix = given.as_str();
    let ours = loop {
        if let Some((_, ours)) = NAMES.iter().find(|(name, _)| *name == suffix) {
            break ours;
        }
        suffix = suffix.split_once('.')?.1;
    };
    Some(match ours {
        Told(text) => format!("here: {text}"),
        Same(key) => match value.filter(|value| !value.is_table()) {
            Some(value) => format!("here it is `{key} = {}`", tables::text(value)),
            None => format!("here it is `{key}`"),
        },
        Words(key, words) => match value.and_then(|value| translated(words, value)) {
            Some(assignment) => format!("here it is `{assignment}`"),
            None => format!("here it is `{key}`"),
        },
    })
}

fn translated(words: &[(&str, &'static str)], value: &Value) -> Option<&'static str> {
    let given = match value {
        Value::String(text) => word(text),
        Value::Boolean(flag) => flag.to_string(),
        _ => return None,
    };
    words
        .iter()
        .find(|(from, _)| *from == given)
        .map(|(_, to)| *to)
}

/// A word as the tables spell it.
fn word(text: &str) -> String {
    text.trim().to_lowercase().replace(['-', ' '], "_")
}

const PRECISIONS: &[(&str, &str)] = &[
    ("bf16", "model.compute_dtype = \"bfloat16\""),
    ("fp16", "model.compute_dtype = \"bfloat16\""),
    ("float16", "model.compute_dtype = \"bfloat16\""),
    ("half", "model.compute_dtype = \"bfloat16\""),
    ("fp32", "model.compute_dtype = \"float32\""),
    ("f32", "model.compute_dtype = \"float32\""),
    ("float", "model.compute_dtype = \"float32\""),
];

/// What the words of other programs for the values of a key are here.
pub(super) fn word_for(key: &str, given: &str) -> Option<&'static str> {
    let tables: &[&[(&str, &'static str)]] = match key {
        "advantage.estimator" => &[ESTIMATORS],
        // An estimator where the loss belongs is a frequent slip.
        "rl.objective" => &[OBJECTIVES, ESTIMATORS],
        "rl.lr_schedule" => &[SCHEDULES],
        "rl.loss_agg" => &[AVERAGES, LOSSES],
        "kl.estimator" => &[DIVERGENCES],
        "kl.placement" => &[KL_IN_LOSS],
        "prm.update" => &[PRM_UPDATES],
        "model.compute_dtype" => &[PRECISIONS],
        _ => &[],
    };
    let given = word(given);
    let mut all = tables.iter().flat_map(|words| words.iter());
    all.find(|(from, _)| *from == given).map(|(_, to)| *to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::docs;

    /// The dotted names in backquotes and assignments.
    fn keys_in(text: &str) -> Vec<&str> {
        let parts = text.split(['`', ' ', '"', ';', ',']);
        let dotted = parts.filter(|part| part.contains('.') && !part.ends_with('.'));
        dotted
            .filter(|part| !part.starts_with("metrics") && !part.starts_with("report"))
            .collect()
    }

    #[test]
    fn every_translation_is_a_key_that_exists() {
        for (name, ours) in NAMES {
            let mut texts = vec![];
            match ours {
                Same(key) => texts.push(*key),
                Words(key, words) => {
                    texts.push(key);
                    texts.extend(words.iter().map(|(_, to)| *to));
                }
                Told(text) => texts.push(text),
            }
            for key in texts.iter().flat_map(|text| keys_in(text)) {
                assert!(docs::key(key).is_some(), "{name}: {key}");
            }
            assert!(docs::key(name).is_none(), "{name} is a key of our own");
        }
    }

    #[test]
    fn sixty_names_and_more_none_twice() {
        let mut names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        assert!(names.len() >= 60);
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
