//! A model from outside: presets, task and warm-up.

use super::*;

fn layers(arguments: &[&str]) -> Vec<Layer> {
    let layers = arguments
        .iter()
        .map(|argument| Layer::set(argument).unwrap());
    layers.collect()
}

fn with(arguments: &[&str]) -> Result<Config, crate::error::ConfigError> {
    resolve(&layers(arguments))
}

#[test]
fn a_model_folder_never_has_the_rates_of_the_demo_unsaid() {
    let rows = ["model.path=m", "data.train_file=d.jsonl"];
    let config = with(&rows).unwrap();
    assert_eq!(
        (config.preset.as_str(), config.lora.rank),
        ("prime_lora", 16)
    );
    assert_eq!(config.warmup.steps, 0);
    assert_eq!(config.data.task, DataTask::Rows);
    let full = with(&[&rows[..], &["lora.rank=0"]].concat()).unwrap();
    assert_eq!((full.preset.as_str(), full.rl.lr), ("prime_full", 1e-6));

    let notes = |arguments: &[&str]| {
        resolve_for(&layers(arguments), Purpose::Training)
            .unwrap()
            .notes
    };
    let said = notes(&rows);
    assert_eq!(said.len(), 1);
    assert!(
        said[0].starts_with("preset prime_lora, since model.path is set"),
        "{said:?}"
    );
    assert!(said[0].contains("rloo_full"), "{said:?}");
    assert!(notes(&[&rows[..], &["preset=rloo_lora"]].concat()).is_empty());
    let demo = notes(&[&rows[..], &["preset=paper"]].concat()).join("\n");
    assert!(demo.contains("preset paper has the rates"), "{demo}");
    assert!(demo.contains("no warm-up: model.path is set"), "{demo}");
    assert!(notes(&[]).is_empty());
    assert!(notes(&["critic.lr=1"])[0].contains("nothing reads `critic.lr` here"));
    let task = [&rows[..], &["preset=rloo_full", "data.task=exam"]].concat();
    assert!(notes(&task)[0].contains("data.train_file is not read"));
}

#[test]
fn the_task_is_decided_by_what_is_given() {
    assert_eq!(with(&[]).unwrap().data.task, DataTask::Exam);
    assert_eq!(
        with(&["model.path=m"]).unwrap_err().to_string(),
        "`data.task` is auto, but must be \"exam\" or another built-in task, or data.train_file given: model.path does not \
         say what there is to learn"
    );
    let named = with(&["model.path=m", "data.task=mod3"]).unwrap();
    assert_eq!((named.data.task, named.warmup.steps), (DataTask::Mod3, 0));
    let asked = with(&["model.path=m", "data.task=mod3", "warmup.steps=50"]).unwrap();
    assert_eq!(asked.warmup.steps, 50);
    let old = with(&["model.path=m", "data.train_file=x", "data.task=jsonl"]).unwrap();
    assert_eq!(old.data.task, DataTask::Rows);
    assert!(old.to_toml().unwrap().contains("task = \"rows\""));
    // A file says what it is for, also without a model; then the model is missing.
    assert!(
        with(&["data.train_file=x"])
            .unwrap_err()
            .to_string()
            .starts_with("`model.path` is \"\"")
    );
}

#[test]
fn measuring_and_sampling_need_no_data_to_train_on() {
    let with = |purpose, arguments: &[&str]| {
        resolve_for(&layers(arguments), purpose).map(|resolved| resolved.config)
    };
    let sampled = with(Purpose::Sampling, &["model.path=m"]).unwrap();
    assert_eq!(
        (sampled.lora.rank, sampled.sampling.max_new_tokens),
        (0, 512)
    );
    let measured = with(Purpose::Measuring, &["model.path=m", "data.eval_file=e"]).unwrap();
    assert_eq!(
        (measured.data.task, measured.lora.rank),
        (DataTask::Rows, 0)
    );
    assert!(with(Purpose::Measuring, &["model.path=m"]).is_err());
    assert!(with(Purpose::Training, &["model.path=m", "data.eval_file=e"]).is_err());
}
