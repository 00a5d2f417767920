//! Paths of a run's configuration, from wherever they are read.

use std::path::Path;

use toml::{Table, Value};

/// Keys whose values are files or folders.
const PATHS: &[[&str; 2]] = &[
    ["model", "path"],
    ["data", "train_file"],
    ["data", "eval_file"],
    ["data", "eval_sets"],
    ["warmup", "train_file"],
    ["warmup", "eval_file"],
];

/// Keys whose values are files, or words that are none.
const PATHS_OR_WORDS: &[[&str; 2]] = &[["data", "chat_template"], ["data", "example_turns"]];

/// Lets relative paths start from `base`.
pub(super) fn rebase(keys: &mut Table, base: &Path) {
    for ([section, key], always) in PATHS
        .iter()
        .map(|place| (place, true))
        .chain(PATHS_OR_WORDS.iter().map(|place| (place, false)))
    {
        let value = keys
            .get_mut(*section)
            .and_then(Value::as_table_mut)
            .and_then(|section| section.get_mut(*key));
        if let Some(value) = value {
            join(value, base, always);
        }
    }
}

fn join(value: &mut Value, base: &Path, always: bool) {
    match value {
        Value::String(path) => {
            let joined = base.join(path.as_str());
            if !path.is_empty() && (always || joined.is_file()) {
                *path = joined.display().to_string();
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|one| join(one, base, always)),
        Value::Table(entry) => match entry.get_mut("path") {
            Some(path) => join(path, base, always),
            // Sets by name.
            None => entry
                .iter_mut()
                .for_each(|(_, one)| join(one, base, always)),
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_start_from_the_base_and_words_stay_words() {
        let base = tempfile::tempdir().unwrap();
        std::fs::write(base.path().join("chat.jinja"), "").unwrap();
        let mut keys: Table = "seed = 3\n[model]\npath = \"m\"\n[warmup]\ntrain_file = \"\"\n[data]\nchat_template = \"chat.jinja\"\n\
            example_turns = [{ user = \"a\", assistant = \"b\" }]\ntrain_file = [\"a.jsonl\", { path = \"/b/*.parquet\", weight = 2.0 }, \
            { path = \"c\", weight = 1.0 }]\n[data.eval_sets]\nx = \"d.jsonl\""
            .parse()
            .unwrap();
        rebase(&mut keys, base.path());
        let at = |name: &str| base.path().join(name).display().to_string();
        let (model, data) = (&keys["model"], &keys["data"]);
        assert_eq!(model["path"].as_str(), Some(at("m").as_str()));
        assert_eq!(keys["warmup"]["train_file"].as_str(), Some(""));
        assert_eq!(
            data["chat_template"].as_str(),
            Some(at("chat.jinja").as_str())
        );
        assert_eq!(data["train_file"][0].as_str(), Some(at("a.jsonl").as_str()));
        assert_eq!(data["train_file"][1]["path"].as_str(), Some("/b/*.parquet"));
        assert_eq!(
            data["train_file"][2]["path"].as_str(),
            Some(at("c").as_str())
        );
        assert_eq!(
            data["eval_sets"]["x"].as_str(),
            Some(at("d.jsonl").as_str())
        );
        assert_eq!(data["example_turns"][0]["user"].as_str(), Some("a"));
        let mut word: Table = "[data]\nchat_template = \"auto\"".parse().unwrap();
        rebase(&mut word, base.path());
        assert_eq!(word["data"]["chat_template"].as_str(), Some("auto"));
    }
}
