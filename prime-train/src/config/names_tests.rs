//! Keys and words that do not exist, and those of other programs.

use super::*;

fn message(argument: &str) -> String {
    let layer = Layer::set(argument).unwrap();
    resolve(&[layer]).unwrap_err().to_string()
}

#[test]
fn names_of_other_programs_are_translated() {
    for (given, ours) in [
        ("num_generations=8", "here it is `rl.group_size = 8`"),
        ("rl.num_generations=8", "here it is `rl.group_size = 8`"),
        (
            "max_completion_length=512",
            "`sampling.max_new_tokens = 512`",
        ),
        ("max-prompt-length=512", "`data.max_prompt_tokens = 512`"),
        ("lr_scheduler_type=cosine", "`rl.lr_schedule = \"cosine\"`"),
        (
            "scale_rewards=false",
            "`advantage.grpo.normalize_by_std = false`",
        ),
        (
            "loss_type=dr_grpo",
            "`rl.loss_agg = \"seq_mean_token_sum_norm\"`",
        ),
        ("beta=0.04", "`kl.coef`"),
        ("rl.beta=0.04", "`kl.coef`"),
        ("epsilon=0.2", "`rl.ppo_clip.clip_ratio_low`"),
        ("actor_rollout_ref.rollout.n=16", "`rl.group_size = 16`"),
        ("actor_rollout_ref.actor.optim.lr=1e-6", "`rl.lr = 1e-6`"),
        ("critic.optim.lr=1e-5", "`critic.lr = 1e-5`"),
        (
            "actor_rollout_ref.actor.use_kl_loss=true",
            "`kl.placement = \"loss\"`",
        ),
        (
            "actor_rollout_ref.actor.loss_agg_mode=seq-mean-token-sum",
            "\"seq_mean_token_sum\"`",
        ),
        (
            "algorithm.adv_estimator=gae",
            "`advantage.estimator = \"gae\"`",
        ),
        ("algorithm.lam=0.95", "`advantage.gae.lam`"),
        ("algorithm.gamma=1", "`advantage.gamma = 1`"),
        ("data.train_batch_size=64", "`rl.prompts_per_step = 64`"),
        ("reward_model.model.beta_train=0.05", "`prm.beta = 0.05`"),
        ("trainer.total_epochs=3", "`rl.steps`"),
        ("RL.LR=1", "did you mean `rl.lr`?"),
        ("sampling.max-new-tokens=9", "`sampling.max_new_tokens = 9`"),
        ("sampling.top-k=9", "did you mean `sampling.top_k`?"),
        (
            "data.prompt_key=problem",
            "`data.columns.prompt = \"problem\"`",
        ),
        ("trainer.save_freq=10", "`run.save_every = 10`"),
        ("init_kl_coef=0.01", "`kl.placement = \"reward\"`"),
        (
            "advantage_estimator=group_norm",
            "`advantage.estimator = \"grpo\"`",
        ),
    ] {
        let error = message(given);
        assert!(
            error.starts_with(&format!("--set {given}: unknown key")),
            "{error}"
        );
        assert!(error.contains(ours), "{ours} in {error}");
    }
    // A file of another program gets one answer about all of it.
    let file = "[trainer]\nsave_freq = 5\ntest_freq = 5\n[actor_rollout_ref.rollout]\nn = 4\nname = 'vllm'";
    let error = resolve(&[Layer::text("verl.toml", file).unwrap()])
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("verl.toml: 4 unknown keys:\n"), "{error}");
    for part in [
        "`eval.every = 5`",
        "`rl.group_size = 4`",
        "`actor_rollout_ref.rollout.name`",
    ] {
        assert!(error.contains(part), "{part} in {error}");
    }
}

#[test]
fn a_wrong_word_gets_the_one_that_was_meant() {
    for (given, meant) in [
        ("rl.objective=gpso", "(did you mean `gspo`?)"),
        (
            "rl.objective=grpo",
            "(here it is `advantage.estimator = \"grpo\"`)",
        ),
        ("rl.loss_agg=token-mean", "`rl.loss_agg = \"token_mean\"`"),
        ("rl.lr_schedule=cosin", "(did you mean `cosine`?)"),
        (
            "rl.lr_schedule=constant_with_warmup",
            "`rl.lr_schedule = \"constant\" with rl.lr_warmup_steps`",
        ),
        (
            "advantage.estimator=dr_grpo",
            "advantage.grpo.normalize_by_std = false",
        ),
        (
            "advantage.estimator=RLOO",
            "`advantage.estimator = \"rloo\"`",
        ),
        ("prm.update=befor", "(did you mean `before`?)"),
        (
            "prm.process_credit=all-actions",
            "(did you mean `all_actions`?)",
        ),
        ("kl.placement=true", "expected"),
        ("data.task=exams", "(did you mean `exam`?)"),
        ("data.pass_mark=frction", "(did you mean `fraction`?)"),
        ("data.extract=boxd", "(did you mean `boxed`?)"),
        ("code.checker=unorderd", "(did you mean `unordered`?)"),
        (
            "code.scoring=all-or-nothing",
            "(did you mean `all_or_nothing`?)",
        ),
        (
            "lora.target_modules=all_linear",
            "(did you mean `all-linear`?)",
        ),
        (
            "model.compute_dtype=bf16",
            "`model.compute_dtype = \"bfloat16\"`",
        ),
        ("device=flx", "(did you mean `flex`?)"),
        ("device=CUDA:1", "(did you mean `cuda`?)"),
        (
            "reward.parts=[{kind=\"verifer\"}]",
            "(did you mean `verifier`?)",
        ),
    ] {
        let error = message(given);
        assert!(error.contains(meant), "{meant} in {error}");
    }
}
