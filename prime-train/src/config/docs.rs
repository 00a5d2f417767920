//! What every key means, from the one place where it is written down: the comments in this folder's source.

use std::sync::LazyLock;

/// The sources of all sections and of the words that their keys take.
const SOURCES: &[&str] = &[
    include_str!("mod.rs"),
    include_str!("code.rs"),
    include_str!("columns.rs"),
    include_str!("credit.rs"),
    include_str!("data.rs"),
    include_str!("estimator_keys.rs"),
    include_str!("lora.rs"),
    include_str!("model.rs"),
    include_str!("objective.rs"),
    include_str!("objective_keys.rs"),
    include_str!("prm.rs"),
    include_str!("reward.rs"),
    include_str!("rl.rs"),
    include_str!("run.rs"),
    include_str!("schedule.rs"),
    include_str!("warmup.rs"),
    include_str!("watch.rs"),
];

/// A key.
#[derive(Debug, Clone)]
pub(super) struct KeyDoc {
    /// Dotted.
    pub(super) key: String,
    /// Its meaning, unit and range.
    pub(super) about: String,
    /// What it holds, in words; empty where the meaning has to say it.
    pub(super) kind: &'static str,
    /// The words it takes, each with its meaning.
    pub(super) words: Vec<(String, String)>,
}

/// A table of keys.
#[derive(Debug, Clone)]
pub(super) struct SectionDoc {
    /// Dotted; empty at the top.
    pub(super) name: String,
    /// What it is about.
    pub(super) about: String,
    /// Its own keys, in the order in which they are written.
    pub(super) keys: Vec<KeyDoc>,
}

/// All sections, in the order in which they are written.
pub(super) fn sections() -> &'static [SectionDoc] {
    static SECTIONS: LazyLock<Vec<SectionDoc>> = LazyLock::new(|| {
        let items: Vec<Item> = SOURCES.iter().flat_map(|source| items(source)).collect();
        let mut sections = vec![];
        collect(&items, "Config", "", "", &mut sections);
        sections
    });
    &SECTIONS
}

/// Every key, in the order in which they are written.
pub(super) fn keys() -> impl Iterator<Item = &'static KeyDoc> {
    sections().iter().flat_map(|section| &section.keys)
}

/// A key by its dotted name.
pub(super) fn key(dotted: &str) -> Option<&'static KeyDoc> {
    keys().find(|known| known.key == dotted)
}

/// A struct or an enum as it stands in the source.
struct Item {
    name: String,
    about: String,
    members: Vec<Member>,
}

/// A field or a variant.
struct Member {
    name: String,
    kind: String,
    about: String,
}

fn collect(items: &[Item], of: &str, name: &str, about: &str, sections: &mut Vec<SectionDoc>) {
    let Some(item) = items.iter().find(|item| item.name == of) else {
        return;
    };
    let is_table = |member: &Member| items.iter().any(|i| i.name == member.kind && i.is_struct());
    let at = |member: &Member| super::tables::join(name, &member.name);
    let keys = item.members.iter().filter(|member| !is_table(member));
    sections.push(SectionDoc {
        name: name.to_owned(),
        about: if about.is_empty() {
            item.about.clone()
        } else {
            about.to_owned()
        },
        keys: keys
            .map(|member| KeyDoc {
                key: at(member),
                about: member.about.clone(),
                kind: kind_in_words(&member.kind),
                words: words(items, &member.kind),
            })
            .collect(),
    });
    for member in item.members.iter().filter(|member| is_table(member)) {
        collect(items, &member.kind, &at(member), &member.about, sections);
    }
}

impl Item {
    fn is_struct(&self) -> bool {
        self.members.iter().any(|member| !member.kind.is_empty())
    }
}

fn words(items: &[Item], kind: &str) -> Vec<(String, String)> {
    let found = items
        .iter()
        .find(|item| item.name == kind && !item.is_struct());
    let members = found.map_or(&[][..], |item| &item.members);
    let pair = |member: &Member| (member.name.clone(), member.about.clone());
    members.iter().map(pair).collect()
}

fn kind_in_words(kind: &str) -> &'static str {
    match kind {
        "usize" | "u64" => "a whole number",
        "f64" => "a number",
        "bool" => "true or false",
        "String" => "text",
        _ => "",
    }
}

/// The public structs and enums of a source in rustfmt's layout.
fn items(source: &str) -> Vec<Item> {
    let mut items: Vec<Item> = vec![];
    let mut open = false;
    let mut about: Vec<&str> = vec![];
    let mut renamed: Option<String> = None;
    let mut in_attribute = false;
    for line in source.lines() {
        let text = line.trim();
        if in_attribute || text.starts_with("#[") {
            in_attribute = !text.ends_with(']');
            renamed = renamed.or_else(|| quoted_after(text, "rename = "));
            continue;
        }
        if let Some(doc) = text.strip_prefix("///") {
            about.push(doc.trim());
            continue;
        }
        let head = text
            .strip_prefix("pub struct ")
            .or_else(|| text.strip_prefix("pub enum "));
        if let Some(name) = head.and_then(|head| head.strip_suffix(" {")) {
            open = true;
            items.push(Item {
                name: name.to_owned(),
                about: plain(&about),
                members: vec![],
            });
        } else if line == "}" {
            open = false;
        } else if open && let Some(item) = items.last_mut() {
            item.members
                .extend(member(text, plain(&about), renamed.as_deref()));
        }
        about.clear();
        renamed = None;
    }
    items
}

/// The lines of a comment as one, without the brackets of links within the source.
fn plain(about: &[&str]) -> String {
    let text = about.join(" ").replace("[`", "`").replace("`]", "`");
    text.trim().to_owned()
}

fn quoted_after(text: &str, before: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split('"').nth(1)?.to_owned())
}

fn member(text: &str, about: String, renamed: Option<&str>) -> Option<Member> {
    let text = text.strip_suffix(',')?;
    if let Some(field) = text.strip_prefix("pub ") {
        let (name, kind) = field.split_once(": ")?;
        return Some(Member {
            name: renamed.unwrap_or(name).to_owned(),
            kind: kind.to_owned(),
            about,
        });
    }
    let name = text.split(['(', '{']).next()?;
    name.starts_with(char::is_uppercase).then(|| Member {
        name: renamed.map_or_else(|| snake_case(name), str::to_owned),
        kind: String::new(),
        about,
    })
}

/// As serde spells variants.
fn snake_case(name: &str) -> String {
    let mut out = String::new();
    for (i, letter) in name.char_indices() {
        if letter.is_uppercase() && i > 0 {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}
