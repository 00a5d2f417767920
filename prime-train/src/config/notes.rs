//! What a writer of a configuration should know of it, though it can be used.

use super::applies::{applies, when};
use super::{Config, Layer, MODEL_PRESETS, tables};

/// Sentences about a resolved configuration and the layers that it came from.
pub(super) fn about(config: &Config, layers: &[Layer], preset_named: bool) -> Vec<String> {
    let mut notes = vec![];
    notes.extend(of_preset(config, preset_named));
    notes.extend(layers.iter().flat_map(|layer| unread(config, layer)));
    let builtin = config.data.task.builtin();
    if let Some(task) = builtin.filter(|_| !config.data.train_file.is_empty()) {
        notes.push(format!(
            "data.train_file is not read: data.task = \"{}\" is a built-in task (\"rows\" reads the file)",
            task.name().as_str()
        ));
    }
    notes
}

fn of_preset(config: &Config, named: bool) -> Option<String> {
    if config.model.path.is_empty() {
        return None;
    }
    let preset = config.preset.as_str();
    let for_models = MODEL_PRESETS.contains(&preset);
    let others: Vec<&str> = MODEL_PRESETS
        .into_iter()
        .filter(|name| *name != preset)
        .collect();
    if !for_models {
        return Some(format!(
            "preset {preset} has the rates, lengths and batches of the built-in tasks and a model of 10⁵ parameters (rl.lr = \
             {}, sampling.max_new_tokens = {}); for a model folder there are {}",
            config.rl.lr,
            config.sampling.max_new_tokens,
            others.join(", ")
        ));
    }
    (!named).then(|| {
        format!(
            "preset {preset}, since model.path is set and no preset is named; there are also {}",
            others.join(", ")
        )
    })
}

/// Keys of a layer that have no effect in this run.
fn unread(config: &Config, layer: &Layer) -> Vec<String> {
    let keys = tables::leaves(&layer.keys).into_iter();
    let unread = keys.filter(|(key, _)| !applies(config, key));
    let own_table = |key: &str| key.matches('.').count() == 2 && !key.starts_with("prm.");
    unread
        .filter(|(key, _)| !own_table(key))
        .map(|(key, _)| {
            let when = when(&key).unwrap_or_default();
            format!(
                "{}: nothing reads `{key}` here: it is read {when} only",
                layer.name
            )
        })
        .collect()
}
