//! Every key in words: for the command `config`, and for the page that is generated from it.

use std::fmt::Write as _;

use toml::Table;

use super::docs::{self, KeyDoc, SectionDoc};
use super::write::encode;
use super::{Config, Objective, applies, names, preset_names, presets, tables};
use crate::error::{ConfigError, UnknownKey};

/// What a key means, what it takes, its default, and where presets differ; or the keys of a section.
///
/// # Errors
/// [`ConfigError::UnknownKeys`] for a name that is neither a key nor a section, with what may have been meant.
pub fn explain(name: &str) -> Result<String, ConfigError> {
    let name = name.trim().trim_start_matches('[').trim_end_matches(']');
    let defaults = encode(&Config::base())?;
    if let Some(key) = docs::key(name) {
        return Ok(in_full(key, &defaults));
    }
    let inside = |section: &&SectionDoc| {
        let rest = section.name.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let sections: Vec<&SectionDoc> = docs::sections().iter().filter(inside).collect();
    if name.is_empty() || sections.is_empty() {
        let section = name.rsplit_once('.').map_or("", |(section, _)| section);
        let siblings = tables::get(&defaults, section).and_then(toml::Value::as_table);
        let known = siblings.unwrap_or(&defaults).keys().map(String::as_str);
        return Err(ConfigError::UnknownKeys {
            layer: "config --explain".to_owned(),
            keys: vec![UnknownKey {
                hint: names::hint(name, None, known, Objective::PpoClip),
                key: name.to_owned(),
            }],
        });
    }
    let mut text = String::new();
    for section in sections {
        let _ = writeln!(text, "[{}] {}", section.name, section.about);
        for key in &section.keys {
            let _ = write!(text, "\n{}", in_full(key, &defaults));
        }
        text.push('\n');
    }
    Ok(text.trim_end().to_owned() + "\n")
}

/// Every key with its default and its meaning in short, a line each.
///
/// # Errors
/// [`ConfigError::Encode`], which the defaults never are.
pub fn list() -> Result<String, ConfigError> {
    let defaults = encode(&Config::base())?;
    let lines = docs::keys().map(|key| {
        let default = default_of(key, &defaults);
        format!("{} = {default}  # {}\n", key.key, in_short(&key.about))
    });
    Ok(lines.collect())
}

/// The page of all keys, as Markdown.
///
/// # Errors
/// [`ConfigError::Encode`], which the defaults never are.
pub fn page() -> Result<String, ConfigError> {
    let defaults = encode(&Config::base())?;
    let mut text = String::from(
        "# Every key of the configuration\n\n\
         Written by `prime-train config --markdown`; a test holds it against the program. `prime-train config --explain KEY` \
         says the same of one key or section.\n\nDefaults are those of the built-in recipe, before any preset. What \
         a preset sets is named beside them.\n",
    );
    for section in docs::sections() {
        let title = match section.name.as_str() {
            "" => "The top of the file".to_owned(),
            name => format!("`[{name}]`"),
        };
        let _ = write!(text, "\n## {title}\n\n");
        if !section.about.is_empty() && !section.name.is_empty() {
            let _ = write!(text, "{}\n\n", section.about);
        }
        if section.keys.is_empty() {
            continue;
        }
        text.push_str("| key | default | meaning |\n|---|---|---|\n");
        for key in &section.keys {
            let leaf = key.key.rsplit('.').next().unwrap_or(&key.key);
            let default = default_of(key, &defaults);
            let _ = writeln!(text, "| `{leaf}` | `{default}` | {} |", in_a_cell(key));
        }
    }
    Ok(text)
}

fn in_full(key: &KeyDoc, defaults: &Table) -> String {
    let mut text = format!("{}\n  {}\n", key.key, key.about);
    let default = default_of(key, defaults);
    let kind = if key.words.is_empty() {
        key.kind
    } else {
        "one of the words below"
    };
    let holds = if kind.is_empty() {
        String::new()
    } else {
        format!("{kind}; ")
    };
    let _ = writeln!(text, "  {holds}default {default}");
    for (word, about) in &key.words {
        let _ = writeln!(text, "    {word:<12} {about}");
    }
    if let Some(when) = applies::when(&key.key) {
        let _ = writeln!(text, "  read {when} only");
    }
    let presets = in_presets(&key.key, &default);
    if !presets.is_empty() {
        let _ = writeln!(text, "  presets: {presets}");
    }
    text
}

fn in_a_cell(key: &KeyDoc) -> String {
    let mut text = key.about.clone();
    if !key.words.is_empty() {
        let words = key.words.iter().map(|(word, about)| {
            let about = about.trim_end_matches('.');
            format!("`{word}` ({})", lower_first(about))
        });
        let _ = write!(text, " {}.", words.collect::<Vec<_>>().join(", "));
    }
    if let Some(when) = applies::when(&key.key) {
        let _ = write!(text, " *Read {when} only.*");
    }
    let presets = in_presets(&key.key, "");
    if !presets.is_empty() {
        let _ = write!(text, " Presets: {presets}.");
    }
    text.replace('|', "\\|")
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_lowercase().to_string());
    // "KL …", "D²": an abbreviation or a symbol stays.
    match letters.clone().next() {
        Some(second) if second.is_lowercase() || second == ' ' => {
            first.unwrap_or_default() + letters.as_str()
        }
        _ => text.to_owned(),
    }
}

/// What presets set a key to, where it is not `but`.
fn in_presets(dotted: &str, but: &str) -> String {
    let set = preset_names().filter_map(|name| {
        let keys: Table = presets::text(name, "").ok()?.parse().ok()?;
        let value = tables::text(tables::get(&keys, dotted)?);
        (value != but).then(|| format!("{name} {value}"))
    });
    set.collect::<Vec<_>>().join(", ")
}

fn default_of(key: &KeyDoc, defaults: &Table) -> String {
    tables::get(defaults, &key.key).map_or_else(|| "none".to_owned(), tables::text)
}

/// The first sentence.
fn in_short(about: &str) -> &str {
    let end = about.find(". ").unwrap_or(about.len());
    about[..end].trim_end_matches('.')
}
