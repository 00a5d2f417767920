//! What the watch found, as a table.

use std::fmt::Write;

use super::curves::Curves;
use super::style::escape;
use crate::watch::spells;

/// Rows shown; a rule that comes and goes may have very many spells.
const MOST: usize = 100;

/// A section with every rule that was broken, when, and the way out; nothing for a healthy run.
pub(super) fn watch(html: &mut String, metrics: &Curves) {
    let all = spells(|name| metrics.of(name));
    if all.is_empty() {
        return;
    }
    html.push_str(
        "<h2>Watch</h2><div class=\"card scroll\"><table><thead><tr><th>steps</th><th>what was seen</th>\
         <th>what helps</th></tr></thead><tbody>",
    );
    for spell in all.iter().take(MOST) {
        let to = match (spell.lasts, spell.from == spell.to) {
            (true, _) => " to the end".to_owned(),
            (false, true) => String::new(),
            (false, false) => format!(" to {}", spell.to),
        };
        let _ = write!(
            html,
            "<tr><td>{}{to}</td><td>{} <code>watch/{}</code></td><td>{}</td></tr>",
            spell.from,
            escape(spell.about),
            spell.rule,
            escape(spell.way_out)
        );
    }
    html.push_str("</tbody></table>");
    if let Some(more) = all.len().checked_sub(MOST).filter(|&more| more > 0) {
        let _ = write!(
            html,
            "<p class=\"sub\">{more} more spells are in metrics.jsonl</p>"
        );
    }
    html.push_str("</div>");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::StepMetrics;

    #[test]
    fn what_was_broken_is_there_with_its_steps_and_a_healthy_run_has_no_section() {
        let records = |values: &[usize]| -> Curves {
            let mut curves = Curves::default();
            for (step, &value) in values.iter().enumerate() {
                let mut record = StepMetrics::new(step as u64);
                record.set_count("watch/all_wrong", value);
                curves.add(&record);
            }
            curves
        };
        let mut html = String::new();
        watch(&mut html, &records(&[0, 0, 0]));
        assert_eq!(html, "");
        watch(&mut html, &records(&[0, 1, 1, 0, 1]));
        for part in [
            "<td>1 to 2</td>",
            "<td>4 to the end</td>",
            "watch/all_wrong",
            "no response is right",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        let mut long = String::new();
        watch(&mut long, &records(&[0, 1].repeat(5000)));
        assert!(
            long.len() < 100_000 && long.contains("4900 more"),
            "{}",
            long.len()
        );
    }
}
