//! What metrics call the sources that rows come from.

use std::collections::BTreeMap;

/// Sources with a metric of their own; the others share one.
const MOST: usize = 20;
/// Characters of a name.
const LONGEST: usize = 60;
/// Rows that do not say where they come from, or come from one source too many.
const OTHER: &str = "other";

/// Names for the values of `data_source`, if there are at least two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceNames(BTreeMap<String, String>);

impl SourceNames {
    /// Of all rows that are trained on. The most frequent sources keep their names.
    pub fn of<'a>(rows: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut counts: BTreeMap<Option<&str>, usize> = BTreeMap::new();
        for source in rows {
            *counts.entry(source).or_default() += 1;
        }
        Self::counted(counts)
    }

    /// Of sources with the numbers of their rows.
    pub fn counted<'a>(counts: impl IntoIterator<Item = (Option<&'a str>, usize)>) -> Self {
        let counts: Vec<_> = counts.into_iter().collect();
        if counts.len() < 2 {
            return Self::default();
        }
        let named = counts
            .into_iter()
            .filter_map(|(source, rows)| Some((source?, rows)));
        let mut named: Vec<(&str, usize)> = named.collect();
        named.sort_by_key(|(source, rows)| (std::cmp::Reverse(*rows), *source));
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let mut taken = vec![OTHER.to_owned()];
        for (source, _) in named.into_iter().take(MOST) {
            let clean = sanitised(source);
            let free = (1..).map(|number| match number {
                1 => clean.clone(),
                number => format!("{clean}_{number}"),
            });
            let name = free.into_iter().find(|name| !taken.contains(name));
            let name = name.unwrap_or_else(|| OTHER.to_owned());
            taken.push(name.clone());
            names.insert(source.to_owned(), name);
        }
        Self(names)
    }

    /// Whether there is nothing to tell apart.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All names that metrics use.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }

    /// What metrics call a row's source.
    pub fn name(&self, source: Option<&str>) -> &str {
        let known = source.and_then(|source| self.0.get(source));
        known.map_or(OTHER, String::as_str)
    }
}

/// Letters, digits, `.`, `_` and `-`; everything else is `_`.
fn sanitised(source: &str) -> String {
    let ok = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let clean = source.chars().map(|c| if ok(c) { c } else { '_' });
    let clean: String = clean.take(LONGEST).collect();
    match clean.trim_matches(['_', '.']) {
        "" => "source".to_owned(),
        _ => clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_clean_and_their_own() {
        let rows = ["openai/gsm8k", "openai gsm8k", "MATH", "数学"];
        let names = SourceNames::of(rows.map(Some).into_iter().chain([None]));
        assert_eq!(names.name(Some("openai gsm8k")), "openai_gsm8k");
        assert_eq!(names.name(Some("openai/gsm8k")), "openai_gsm8k_2");
        assert_eq!(names.name(Some("MATH")), "MATH");
        assert_eq!(names.name(Some("数学")), "source");
        assert_eq!(names.name(None), "other");
        assert_eq!(names.name(Some("unheard of")), "other");
    }

    #[test]
    fn one_source_needs_no_names_and_many_share_one() {
        assert!(SourceNames::of([Some("a"), Some("a")]).is_empty());
        assert!(SourceNames::of([None, None]).is_empty());
        let many: Vec<String> = (0..100).map(|i| format!("s{i:02}")).collect();
        let twice = many.iter().chain(&many[90..]);
        let names = SourceNames::of(twice.map(|name| Some(name.as_str())));
        assert_eq!(names.name(Some("s95")), "s95");
        assert_eq!(names.name(Some("s09")), "s09");
        assert_eq!(names.name(Some("s10")), "other");
    }
}
