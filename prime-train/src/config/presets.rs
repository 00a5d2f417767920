//! Named settings over the built-in recipe, one TOML file each.

use strsim::jaro_winkler;

use crate::error::ConfigError;

/// The preset when no layer names one and the model is a fresh one: the settings that won our own comparison.
pub const DEFAULT_PRESET: &str = "prime";

const PRESETS: [(&str, &str); 15] = [
    ("prime", include_str!("presets/prime.toml")),
    ("anchored", include_str!("presets/anchored.toml")),
    ("paper", include_str!("presets/paper.toml")),
    ("orig", include_str!("presets/orig.toml")),
    ("recipe", include_str!("presets/recipe.toml")),
    ("rloo", include_str!("presets/rloo.toml")),
    ("grpo", include_str!("presets/grpo.toml")),
    ("grpo_prime", include_str!("presets/grpo_prime.toml")),
    ("reinforce", include_str!("presets/reinforce.toml")),
    ("ppo", include_str!("presets/ppo.toml")),
    ("oracle", include_str!("presets/oracle.toml")),
    ("prime_lora", include_str!("presets/prime_lora.toml")),
    ("prime_full", include_str!("presets/prime_full.toml")),
    ("rloo_lora", include_str!("presets/rloo_lora.toml")),
    ("rloo_full", include_str!("presets/rloo_full.toml")),
];

/// Those with rates, lengths and batches for a pretrained model; the others have those of the built-in tasks.
pub const MODEL_PRESETS: [&str; 4] = ["prime_lora", "prime_full", "rloo_lora", "rloo_full"];

/// The names of all presets.
pub fn preset_names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}

/// The text of a preset; `layer` says who asked for it.
pub(super) fn text(name: &str, layer: &str) -> Result<&'static str, ConfigError> {
    match PRESETS.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => Ok(text),
        None => Err(ConfigError::UnknownPreset {
            layer: layer.to_string(),
            given: name.to_string(),
            known: preset_names().collect::<Vec<_>>().join(", "),
            nearest: nearest(name, preset_names()),
        }),
    }
}

/// The candidate most like `given`, if one is like enough to be what was meant.
pub(crate) fn nearest<'a>(
    given: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<String> {
    const ALIKE: f64 = 0.75;
    candidates
        .map(|candidate| (jaro_winkler(given, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate.to_string())
}
