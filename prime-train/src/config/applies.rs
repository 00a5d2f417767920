//! Which keys a configuration reads: the others are neither written nor different from their defaults.

use toml::Table;

use super::{
    Config, Estimator, KlPlacement, LossAgg, Objective, PrmUpdate, ProcessEstimator, tables,
};

/// Keys that are read under a condition only.
struct Rule {
    /// Dotted keys; one with a dot at its end stands for all that begin so.
    keys: &'static [&'static str],
    /// The condition, for people.
    when: &'static str,
    /// The condition.
    holds: fn(&Config) -> bool,
}

fn learns_prm(config: &Config) -> bool {
    config.prm.enabled && !config.prm.oracle
}

fn updates_prm(config: &Config) -> bool {
    learns_prm(config) && config.prm.update != PrmUpdate::None
}

fn gae(config: &Config) -> bool {
    config.advantage.estimator == Estimator::Gae
}

const RULES: &[Rule] = &[
    Rule {
        keys: &["model.ignore_config_fields"],
        when: "with model.path",
        holds: |config| {
            !config.model.path.is_empty() || !config.model.ignore_config_fields.is_empty()
        },
    },
    Rule {
        keys: &[
            "model.hidden_size",
            "model.num_hidden_layers",
            "model.num_attention_heads",
            "model.num_key_value_heads",
            "model.intermediate_size",
            "model.rope_theta",
            "model.rms_norm_eps",
            "model.attention_bias",
            "model.tie_word_embeddings",
            "model.initializer_range",
        ],
        when: "without model.path",
        holds: |config| config.model.path.is_empty(),
    },
    Rule {
        keys: &[
            "lora.alpha",
            "lora.target_modules",
            "lora.use_rslora",
            "lora.dropout",
        ],
        when: "with lora.rank above 0",
        holds: |config| config.lora.rank > 0,
    },
    Rule {
        keys: &[
            "warmup.batch_size",
            "warmup.micro_batch_size",
            "warmup.packing",
            "warmup.turns",
            "warmup.max_tokens",
            "warmup.lr",
            "warmup.lr_warmup_steps",
            "warmup.beta1",
            "warmup.beta2",
            "warmup.weight_decay",
            "warmup.grad_clip",
        ],
        when: "with warmup.steps above 0",
        holds: |config| config.warmup.steps > 0,
    },
    Rule {
        keys: &[
            "warmup.eval_file",
            "warmup.eval_every",
            "warmup.eval_demonstrations",
        ],
        when: "with warmup.train_file",
        holds: |config| !config.warmup.train_file.is_empty(),
    },
    Rule {
        keys: &[
            "data.columns.",
            "data.ability",
            "data.extract",
            "data.eval_sets",
            "run.preflight",
        ],
        when: "with data.task = \"rows\"",
        holds: |config| config.data.task.builtin().is_none(),
    },
    Rule {
        keys: &["reward.overlong_penalty"],
        when: "with reward.overlong_buffer above 0",
        holds: |config| config.reward.overlong_buffer > 0,
    },
    Rule {
        keys: &["rl.loss_scale_factor"],
        when: "with rl.loss_agg = \"seq_mean_token_sum_norm\"",
        holds: |config| config.rl.loss_agg == LossAgg::SeqMeanTokenSumNorm,
    },
    Rule {
        keys: &["filter.accuracy_lower_bound", "filter.accuracy_upper_bound"],
        when: "with filter.accuracy = true",
        holds: |config| config.filter.accuracy,
    },
    Rule {
        keys: &[
            "advantage.process_coef",
            "advantage.process_gamma",
            "advantage.process_norm",
            "advantage.drop_last_token",
        ],
        when: "with prm.enabled = true or kl.placement = \"reward\"",
        holds: token_rewards,
    },
    Rule {
        keys: &["advantage.process_estimator"],
        when: "with prm.enabled = true or kl.placement = \"reward\", and without advantage.estimator = \"gae\"",
        holds: |config| token_rewards(config) && !gae(config),
    },
    Rule {
        keys: &["advantage.reinforce."],
        when: "with advantage.estimator = \"reinforce\"",
        holds: |config| config.advantage.estimator == Estimator::Reinforce,
    },
    Rule {
        keys: &["advantage.rloo."],
        when: "with advantage.process_estimator = \"rloo\"",
        holds: |config| {
            let rloo = config.advantage.process_estimator == ProcessEstimator::Rloo;
            rloo && token_rewards(config) && !gae(config)
        },
    },
    Rule {
        keys: &["advantage.grpo."],
        when: "with advantage.estimator = \"grpo\"",
        holds: |config| config.advantage.estimator == Estimator::Grpo,
    },
    Rule {
        keys: &["advantage.gae.", "critic."],
        when: "with advantage.estimator = \"gae\"",
        holds: gae,
    },
    Rule {
        keys: &["kl.coef", "kl.estimator"],
        when: "with kl.placement \"reward\" or \"loss\"",
        holds: |config| config.kl.placement != KlPlacement::None,
    },
    Rule {
        keys: &[
            "prm.process_credit",
            "prm.process_groups",
            "prm.process_warmup_steps",
            "prm.oracle",
        ],
        when: "with prm.enabled = true",
        holds: |config| config.prm.enabled,
    },
    Rule {
        keys: &[
            "prm.beta",
            "prm.update",
            "prm.reference",
            "prm.reward_reference",
            "prm.micro_batch_size",
            "prm.micro_batch_tokens",
            "prm.positive_clip",
            "prm.granularity",
            "prm.trust",
        ],
        when: "with prm.enabled = true and prm.oracle = false",
        holds: learns_prm,
    },
    Rule {
        keys: &[
            "prm.prior",
            "prm.lr",
            "prm.lr_",
            "prm.beta1",
            "prm.beta2",
            "prm.weight_decay",
            "prm.grad_clip",
            "prm.mini_batch_size",
            "prm.passes",
            "prm.replay.",
        ],
        when: "with prm.enabled = true, prm.oracle = false, prm.update other than \"none\"",
        holds: updates_prm,
    },
    Rule {
        keys: &["prm.replay.mini_batches", "prm.replay.batch_size"],
        when: "with prm.replay.steps above 0",
        holds: |config| config.prm.replay.steps > 0,
    },
    Rule {
        keys: &["watch.patience", "watch.stop"],
        when: "with watch.enabled = true",
        holds: |config| config.watch.enabled,
    },
    Rule {
        keys: &["rl.oversample_rounds"],
        when: "with filter.accuracy = true or filter.truncated = true",
        holds: |config| config.filter.accuracy || config.filter.truncated,
    },
    Rule {
        keys: &["eval.every_problems"],
        when: "with eval.every above 0",
        holds: |config| config.eval.every > 0,
    },
];

/// Whether a process term has rewards of tokens to work with.
fn token_rewards(config: &Config) -> bool {
    config.prm.enabled || config.kl.placement == KlPlacement::Reward
}

impl Rule {
    fn is_about(&self, key: &str) -> bool {
        self.keys
            .iter()
            .any(|own| own == &key || (own.ends_with(['.', '_']) && key.starts_with(own)))
    }
}

/// The objective to whose table a key belongs.
fn objective_of(key: &str) -> Option<Objective> {
    let (table, _) = key.strip_prefix("rl.")?.split_once('.')?;
    Objective::ALL
        .into_iter()
        .find(|objective| objective.as_str() == table)
}

/// Whether `config` reads the dotted `key`.
pub(super) fn applies(config: &Config, key: &str) -> bool {
    objective_of(key).is_none_or(|objective| objective == config.rl.objective)
        && RULES
            .iter()
            .filter(|rule| rule.is_about(key))
            .all(|rule| (rule.holds)(config))
}

/// When the dotted `key` is read, in words; `None` = always.
pub(super) fn when(key: &str) -> Option<String> {
    if let Some(objective) = objective_of(key) {
        return Some(format!("with rl.objective = \"{}\"", objective.as_str()));
    }
    let rules = RULES.iter().filter(|rule| rule.is_about(key));
    let words: Vec<&str> = rules.map(|rule| rule.when).collect();
    (!words.is_empty()).then(|| words.join(" and "))
}

/// Gives `keys` (of `config`) the defaults of `base` where `config` does not read them; but `kept` ones stay. Whether any
/// changed.
pub(super) fn forget_unread(
    config: &Config,
    keys: &mut Table,
    base: &Table,
    kept: impl Fn(&str) -> bool,
) -> bool {
    let mut changed = false;
    for (key, default) in tables::leaves(base) {
        if !applies(config, &key) && !kept(&key) && tables::get(keys, &key) != Some(default) {
            tables::put(keys, &key, default.clone());
            changed = true;
        }
    }
    changed
}
