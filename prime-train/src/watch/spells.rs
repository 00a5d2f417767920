//! From when to when each rule was broken, from the metrics alone.

use super::STEM;
use super::rules::RULES;

/// A rule that was broken for some steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spell {
    /// The rule.
    pub(crate) rule: &'static str,
    /// What is seen.
    pub(crate) about: &'static str,
    /// What to do about it.
    pub(crate) way_out: &'static str,
    /// The first step with it.
    pub(crate) from: u64,
    /// The last one.
    pub(crate) to: u64,
    /// Whether the last value still shows it.
    pub(crate) lasts: bool,
}

/// Every spell of every rule, in order of their first steps; `of` gives the (step, value) of a metric.
pub(crate) fn spells<'a>(of: impl Fn(&str) -> &'a [(u64, f64)]) -> Vec<Spell> {
    let mut all = vec![];
    for rule in RULES {
        let mut open: Option<Spell> = None;
        for &(step, value) in of(&format!("{STEM}{}", rule.name)) {
            match &mut open {
                Some(spell) if value > 0.0 => spell.to = step,
                None if value > 0.0 => {
                    open = Some(Spell {
                        rule: rule.name,
                        about: rule.about,
                        way_out: rule.way_out,
                        from: step,
                        to: step,
                        lasts: false,
                    });
                }
                _ => all.extend(open.take()),
            }
        }
        all.extend(open.map(|spell| Spell {
            lasts: true,
            ..spell
        }));
    }
    all.sort_by_key(|spell| spell.from);
    all
}
